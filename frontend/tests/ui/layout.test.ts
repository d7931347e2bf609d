import { expect, test } from "vitest";
import { GAP, panelsFor } from "../../src/ui/layout";

test("four panels fill the area but for the dividers", () => {
  const panels = panelsFor("4panel", [0.4, 0.7], 801, 603);
  const area = panels.reduce((sum, { width, height }) => sum + width * height, 0);
  expect(area).toBe((801 - GAP) * (603 - GAP));
  expect(panels.map(({ kind }) => kind)).toEqual(["xy", "yz", "xz", "3d"]);
});

test("xy shares its width with xz and its height with yz", () => {
  const [xy, yz, xz] = panelsFor("4panel", [0.3, 0.6], 1000, 700);
  expect(xz?.width).toBe(xy?.width);
  expect(yz?.height).toBe(xy?.height);
});

test("a divider at the edge leaves every panel something", () => {
  for (const { width, height } of panelsFor("4panel", [0, 1], 500, 400)) {
    expect(Math.min(width, height)).toBeGreaterThan(0);
  }
});

test("one panel fills the area", () => {
  expect(panelsFor("3d", [0.5, 0.5], 300, 200)).toEqual([
    { kind: "3d", left: 0, top: 0, width: 300, height: 200 },
  ]);
});

test("there are no panels without room", () => {
  expect(panelsFor("4panel", [0.5, 0.5], 0, 400)).toEqual([]);
});
