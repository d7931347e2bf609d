import { expect, test } from "vitest";
import { decodeView, encodeView, forLink } from "../../src/ui/keeping";

test("a view survives its way through a link", async () => {
  const view = { title: "Zellen – 細胞", layers: [{ name: "a", style: { selected: ["1", "2"] } }] };
  const letters = await encodeView(view);
  expect(letters).toMatch(/^[A-Za-z0-9_-]+$/);
  expect(await decodeView(letters)).toEqual(view);
});

test("a link that was cut is refused", async () => {
  const letters = await encodeView({ title: "x".repeat(50) });
  await expect(decodeView(letters.slice(0, 8))).rejects.toThrow();
});

test("a link says nothing of where files are", () => {
  const layer = { name: "a", source: { path: "/home/ada/a.npy" }, metadata: { by: "Ada" } };
  expect(forLink({ layers: [layer] })).toEqual({ layers: [{ name: "a" }] });
});
