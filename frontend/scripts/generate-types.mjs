// Writes src/wire/types.ts from docs/schema.json, which comes from the Python structs.
// `--check` compares instead, and fails when the file is stale.
import { readFile, writeFile } from "node:fs/promises";
import { compile } from "json-schema-to-typescript";

const schemaUrl = new URL("../../docs/schema.json", import.meta.url);
const targetUrl = new URL("../src/wire/types.ts", import.meta.url);

// The server writes every field, so a page may rely on them; these two leave out their defaults.
const SPARSE = new Set(["Change", "Notice"]);

/** JSON Schema 2020-12 as msgspec writes it, in the older words that the compiler knows. */
function adapt(node) {
  if (Array.isArray(node)) return node.map(adapt);
  if (node === null || typeof node !== "object") return node;
  const { prefixItems, default: _default, ...rest } = node;
  if (prefixItems) return { ...rest, items: adapt(prefixItems) };
  if (Object.keys(rest).length === 0) return { tsType: "unknown" };
  if (rest.type === "object" && !rest.properties && !rest.additionalProperties) {
    return { tsType: "Record<string, unknown>" };
  }
  if (
    rest.additionalProperties?.$ref === undefined &&
    rest.additionalProperties?.type === "string"
  ) {
    return { tsType: "Record<string, string>" };
  }
  if (rest.additionalProperties?.type === "number") return { tsType: "Record<string, number>" };
  return Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, adapt(value)]));
}

const schema = adapt(JSON.parse(await readFile(schemaUrl, "utf8")));
for (const [name, definition] of Object.entries(schema.$defs)) {
  if (definition.properties && !SPARSE.has(name)) {
    definition.required = Object.keys(definition.properties);
  }
}
const source = await compile(schema, "Wire", {
  additionalProperties: false,
  bannerComment:
    "// Generated from docs/schema.json by `npm run types`: edit viewer/state.py or viewer/messages.py.",
});

if (process.argv.includes("--check")) {
  if ((await readFile(targetUrl, "utf8")) !== source) {
    console.error("src/wire/types.ts is stale: run `npm run types` in frontend/.");
    process.exit(1);
  }
} else {
  await writeFile(targetUrl, source);
}
