// Reads an OME-Zarr group with zarrita, as pages do, and prints all levels as JSON, for
// tests/test_interoperation.py: node zarrita-client.mjs URL

import { Buffer } from "node:buffer";
import process from "node:process";
import * as zarr from "zarrita";

const root = zarr.root(new zarr.FetchStore(process.argv[2]));
const group = await zarr.open.v3(root, { kind: "group" });
const levels = [];
for (const { path } of group.attrs.ome.multiscales[0].datasets) {
  const array = await zarr.open.v3(root.resolve(path), { kind: "array" });
  const { data, shape } = await zarr.get(array);
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  levels.push({ dtype: array.dtype, shape, bytes: bytes.toString("base64") });
}
process.stdout.write(JSON.stringify(levels));
