import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const OUTPUT = fileURLToPath(new URL("../static/", import.meta.url));

/** Removes what earlier builds left in `assets/`, after the new one is complete: the README beside
 * it is committed, and a page that loads meanwhile still finds its files. */
function clearStaleAssets(): Plugin {
  return {
    name: "clear-stale-assets",
    apply: "build",
    async writeBundle({ dir = OUTPUT }, bundle) {
      const present = await readdir(join(dir, "assets"));
      const stale = present.filter((name) => !(`assets/${name}` in bundle));
      await Promise.all(stale.map((name) => rm(join(dir, "assets", name), { recursive: true })));
    },
  };
}

export default defineConfig({
  // Relative URLs throughout: the page lives under /v/<token>/, and behind proxies' prefixes.
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [clearStaleAssets()],
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
