import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const OUTPUT = fileURLToPath(new URL("../static/", import.meta.url));

/** Removes the last build, but not the README that is committed beside it. */
function clearOutput(): Plugin {
  return {
    name: "clear-output",
    apply: "build",
    async buildStart() {
      for (const name of ["assets", "index.html"]) {
        await rm(OUTPUT + name, { recursive: true, force: true });
      }
    },
  };
}

export default defineConfig({
  // Relative URLs throughout: the page lives under /v/<token>/, and behind proxies' prefixes.
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [clearOutput()],
  build: {
    outDir: OUTPUT,
    emptyOutDir: false,
    assetsDir: "assets",
    // The server's content security policy admits no data: URLs and no inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    target: "es2022",
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
