import { expect, test } from "vitest";
import { ACTIONS } from "../../src/ui/actions";
import { found } from "../../src/ui/colormap-picker";
import { labelFrom } from "../../src/ui/labels-controls";
import { search } from "../../src/ui/palette";
import { whyDark, whyEmpty, whyPlain } from "../../src/ui/panel-overlay";
import { exampleDocument } from "./example-document";

test("the palette finds actions by words of title, key and Python line", () => {
  expect(search(ACTIONS, "next slice").map(({ id }) => id)).toContain("slice-next");
  expect(search(ACTIONS, "contrast_limits").map(({ id }) => id)).toEqual(["auto-contrast"]);
  expect(search(ACTIONS, "space").map(({ id }) => id)).toContain("maximise");
  expect(search(ACTIONS, "no such thing")).toEqual([]);
  expect(search(ACTIONS, "")).toEqual(ACTIONS);
});

test("colour maps are found by name and category, sequential ones first", () => {
  const list = [
    { name: "RdBu", category: "diverging", colors: [] },
    { name: "magma", category: "sequential", colors: [] },
  ];
  expect(found(list, "").map(({ name }) => name)).toEqual(["magma", "RdBu"]);
  expect(found(list, "DIV").map(({ name }) => name)).toEqual(["RdBu"]);
});

test.each([
  ["42", "42"],
  [" 007 ", "7"],
  ["18446744073709551615", "18446744073709551615"],
  ["-3", "-3"],
  ["0", null],
  ["4.2", null],
  ["cell", null],
])("%j as a label is %j", (text, label) => {
  expect(labelFrom(text)).toBe(label);
});

test("an empty panel says why: hidden layers, no z axis, or nothing there", () => {
  const document = exampleDocument();
  expect(whyEmpty(document, "xy").way).toBe("fit");
  const flat = structuredClone(document);
  for (const layer of Object.values(flat.layers)) {
    layer.data.axes = layer.data.axes.map((axis) =>
      axis.name === "z" ? { ...axis, kind: "time" } : axis,
    );
  }
  expect(whyEmpty(flat, "xz").way).toBe("layout-xy");
  flat.view.orientation = [0.1, 0, 0, Math.sqrt(0.99)];
  expect(whyEmpty(flat, "xy").way).toBe("slices-straight");
  // In their plane they may be turned.
  flat.view.orientation = [0, 0, 0.1, Math.sqrt(0.99)];
  expect(whyEmpty(flat, "xy").way).toBe("fit");
  expect(whyEmpty(flat, "xy").way).toBe("fit");
  for (const layer of Object.values(document.layers)) layer.visible = false;
  expect(whyEmpty(document, "xz").way).toBe("show-all");
});

test("a black picture says why: nothing but zeros, or nothing finite", () => {
  const document = exampleDocument();
  expect(whyDark(document)).toBeNull();
  const histogramOf = (counts: number[]): void => {
    for (const [id, layer] of Object.entries(document.layers)) {
      if (layer.kind === "labels") Reflect.deleteProperty(document.layers, id);
      else layer.data.histogram = { start: 0, stop: 1, counts };
    }
  };
  histogramOf([100, 0, 0]);
  expect(whyDark(document)).toContain("0");
  histogramOf([0, 0, 0]);
  expect(whyDark(document)).toContain("No finite values");
  histogramOf([90, 0, 10]);
  expect(whyDark(document)).toBeNull();
});

test("a picture of one colour says that its limits miss the values, if those of all layers do", () => {
  const document = exampleDocument();
  const images = Object.entries(document.layers).flatMap(([id, layer]) => {
    if (layer.kind === "image") return [layer];
    Reflect.deleteProperty(document.layers, id);
    return [];
  });
  for (const layer of images) {
    expect(whyPlain(document)).toBeNull();
    layer.data.histogram = { start: 0, stop: 1, counts: [90, 0, 10] };
    layer.style.contrast_limits = [1, 5];
  }
  expect(whyPlain(document)).toContain("below the contrast limits");
});
