import { expect, test } from "vitest";
import { applyChanges, change, coalesce, removal } from "../../src/state/changes";

const DOCUMENT = {
  view: { zoom: 1, center: [0, 0, 0] },
  layers: { l1: { name: "a" }, l2: { name: "b" } },
};

test("a change puts its value at its path", () => {
  const after = applyChanges(DOCUMENT, [change(2, "view", "zoom")]);
  expect(after.view).toEqual({ zoom: 2, center: [0, 0, 0] });
});

test("what a change doesn't touch keeps its identity", () => {
  const after = applyChanges(DOCUMENT, [change("c", "layers", "l1", "name")]);
  expect(after.view).toBe(DOCUMENT.view);
  expect(after.layers.l2).toBe(DOCUMENT.layers.l2);
  expect(DOCUMENT.layers.l1.name).toBe("a");
});

test("a change to the present value gives the same document", () => {
  expect(applyChanges(DOCUMENT, [change(1, "view", "zoom")])).toBe(DOCUMENT);
});

test("a removal takes the entry out", () => {
  expect(applyChanges(DOCUMENT, [removal("layers", "l1")]).layers).toEqual({ l2: { name: "b" } });
});

test("a change below something that is gone does nothing", () => {
  expect(applyChanges(DOCUMENT, [change("c", "layers", "l9", "name")])).toBe(DOCUMENT);
});

test("a change with an empty path replaces everything", () => {
  expect(applyChanges<unknown>(DOCUMENT, [change({ title: "x" })])).toEqual({ title: "x" });
});

test("coalescing keeps the last of each path and drops what a later parent overrides", () => {
  const changes = [
    change(1, "view", "zoom"),
    change([1, 2, 3], "view", "center"),
    change(2, "view", "zoom"),
    change("x", "layers", "l1", "name"),
    removal("layers", "l1"),
  ];
  expect(coalesce(changes)).toEqual([
    change([1, 2, 3], "view", "center"),
    change(2, "view", "zoom"),
    removal("layers", "l1"),
  ]);
});

test("a change within a value put earlier stays after it", () => {
  const changes = [change({ l1: {} }, "layers"), change("x", "layers", "l1", "name")];
  expect(coalesce(changes)).toEqual(changes);
});
