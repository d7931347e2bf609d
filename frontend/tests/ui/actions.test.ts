import { expect, test } from "vitest";
import { ACTIONS, hint, keyName } from "../../src/ui/actions";
import { actionFor } from "../../src/ui/keys";
import { chooseLayer, moveLayer, removeLayer } from "../../src/ui/layer-edits";
import { applyChanges } from "../../src/state/changes";
import { exampleDocument } from "./example-document";

const PLAIN = { shiftKey: false, altKey: false, ctrlKey: false, metaKey: false };

test("no two actions share an id or a key", () => {
  const ids = ACTIONS.map(({ id }) => id);
  const keys = ACTIONS.flatMap((action) => action.keys);
  expect(new Set(ids).size).toBe(ids.length);
  expect(new Set(keys).size).toBe(keys.length);
});

test("every key is free in browsers: characters, function keys, Alt with arrows; or undo", () => {
  for (const key of ACTIONS.flatMap((action) => action.keys)) {
    expect(key).toMatch(
      /^(.|F2|Enter|(Shift\+)?Arrow\w+|Shift\+[.,]|Alt\+Arrow(Up|Down)|Ctrl\+(Shift\+)?z)$/,
    );
    expect(key).not.toMatch(/^[/']$/); // quick find
  }
});

test("every action of the groups that change the document has its Python line", () => {
  for (const { group, id, python } of ACTIONS) {
    if (group !== "Page" && id !== "play") expect(python, id).not.toBe("");
  }
});

test("keys mean actions; with Ctrl or ⌘ only undo and redo", () => {
  expect(actionFor({ ...PLAIN, key: "z", ctrlKey: true })?.id).toBe("undo");
  expect(actionFor({ ...PLAIN, key: "Z", metaKey: true, shiftKey: true })?.id).toBe("redo");
  expect(actionFor({ ...PLAIN, key: "z", ctrlKey: true, altKey: true })).toBeNull();
  expect(actionFor({ ...PLAIN, key: "z" })?.id).toBe("slices-straight");
  expect(actionFor({ ...PLAIN, key: "w" })).toBeNull();
  expect(actionFor({ ...PLAIN, key: "ArrowUp" })?.id).toBe("move-up");
  expect(actionFor({ ...PLAIN, key: "ArrowUp", shiftKey: true })?.id).toBe("slices-tilt-up");
  expect(actionFor({ ...PLAIN, key: "." })?.id).toBe("slice-next");
  expect(actionFor({ ...PLAIN, key: "V" })?.id).toBe("visibility");
  expect(actionFor({ ...PLAIN, key: "v", ctrlKey: true })).toBeNull();
  expect(actionFor({ ...PLAIN, key: "c", metaKey: true })).toBeNull();
  expect(actionFor({ ...PLAIN, key: "V", shiftKey: true })).toBeNull();
});

test("characters that need Shift on some keyboards are found", () => {
  expect(actionFor({ ...PLAIN, key: "?", shiftKey: true })?.id).toBe("palette");
  expect(actionFor({ ...PLAIN, key: ">", shiftKey: true })?.id).toBe("slice-next-far");
  expect(actionFor({ ...PLAIN, key: ".", shiftKey: true })?.id).toBe("slice-next-far");
});

test("a hint names the key", () => {
  expect(hint("fit")).toBe("Fit the data into the panels (F)");
  expect(keyName(" ")).toBe("Space");
  expect(keyName("Shift+k")).toBe("Shift K");
  expect(keyName("Ctrl+Shift+z")).toBe("Ctrl Shift Z");
});

test("a layer's key makes it active, then hides it", () => {
  const first = applyChanges(exampleDocument(), chooseLayer(exampleDocument(), 1));
  expect(first.active).toBe("l2");
  expect(first.layers["l2"]?.visible).toBe(true);
  const second = applyChanges(first, chooseLayer(first, 1));
  expect(second.layers["l2"]?.visible).toBe(false);
});

test("a layer moves to its place from the bottom", () => {
  const document = exampleDocument();
  expect(applyChanges(document, moveLayer(document, "l1", 2)).order).toEqual(["l2", "l3", "l1"]);
  expect(applyChanges(document, moveLayer(document, "l3", -5)).order).toEqual(["l3", "l1", "l2"]);
  expect(moveLayer(document, "l1", 0)).toEqual([]);
});

test("removing the active layer makes the one below it active", () => {
  const document = { ...exampleDocument(), active: "l2" };
  const after = applyChanges(document, removeLayer(document, "l2"));
  expect(after.active).toBe("l1");
  expect(after.order).toEqual(["l1", "l3"]);
  expect(Object.keys(after.layers)).toEqual(["l1", "l3"]);
});
