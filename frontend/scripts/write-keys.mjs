// Writes the key table of the README from the client's table of actions.
// `--check` compares instead, and fails when it is stale.
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "vite";

const target = new URL("../../README.md", import.meta.url);
const START = '<!-- keys: written by "make types" from frontend/src/ui/actions/index.ts -->\n';
const END = "<!-- end of keys -->";

const server = await createServer({
  root: new URL("..", import.meta.url).pathname,
  configFile: false,
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true, include: [] },
  appType: "custom",
  logLevel: "error",
});
const { ACTIONS, keyName } = await server.ssrLoadModule("/src/ui/actions/index.ts");
await server.close();

const rows = [];
for (const { title, keys, python } of ACTIONS) {
  // Layers 1 to 9 have the same line: one stands for all.
  if (keys.length === 0 || /^[2-9]$/.test(keys[0])) continue;
  const names = keys[0] === "1" ? "`1` … `9`" : keys.map((key) => `\`${keyName(key)}\``).join(" ");
  const what = keys[0] === "1" ? title.replace("Layer 1", "Layer 1 … 9") : title;
  rows.push(`| ${names} | ${what} | ${python === "" ? "" : `\`${python}\``} |`);
}
const table = ["| key | action | in Python |", "|---|---|---|", ...rows].join("\n");

const text = await readFile(target, "utf8");
const [start, end] = [text.indexOf(START), text.indexOf(END)];
if (start < 0 || end < 0) throw new Error("README.md has lost the marks around its key table");
const fresh = `${text.slice(0, start)}${START}\n${table}\n\n${text.slice(end)}`;
if (fresh !== text) {
  if (process.argv.includes("--check")) {
    console.error("The key table of README.md is stale: run 'make types'.");
    process.exit(1);
  }
  await writeFile(target, fresh);
}
