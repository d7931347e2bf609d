// Prints the table of actions (src/ui/actions.ts) as Markdown, for the key table of the README.
import { createServer } from "vite";

const server = await createServer({
  root: new URL("..", import.meta.url).pathname,
  configFile: false,
  logLevel: "error",
  server: { middlewareMode: true, ws: false },
  appType: "custom",
  optimizeDeps: { noDiscovery: true, include: [] },
});
try {
  const { ACTIONS, keyName } = await server.ssrLoadModule("/src/ui/actions.ts");
  const escape = (text) => text.replaceAll("|", "\\|");
  console.log("| action | key | Python |\n|---|---|---|");
  for (const { title, keys, python } of ACTIONS) {
    const names = keys.map((key) => `\`${escape(keyName(key))}\``).join(" ");
    console.log(`| ${title} | ${names} | ${python === "" ? "" : `\`${escape(python)}\``} |`);
  }
} finally {
  await server.close();
}
