import { expect, test } from "vitest";
import { countsVoxels, lengthText, readable, scaleBar, trimmed } from "../../src/ui/units";
import { image } from "./example-document";

test.each([
  [0.5, "nm", "500 pm"],
  [40, "nm", "40 nm"],
  [999, "nm", "999 nm"],
  [1000, "nm", "1 µm"],
  [2_560_000, "nm", "2.56 mm"],
  [0.25, "mm", "250 µm"],
  [1500, "mm", "1.5 m"],
  [12, "", "12"],
  [3, "s", "3 s"],
])("%d %s reads %s", (length, unit, text) => {
  expect(lengthText(length, unit)).toBe(text);
});

test("conversion keeps the length", () => {
  const [number, unit] = readable(123_456, "nm");
  expect(unit).toBe("µm");
  expect(number).toBeCloseTo(123.456, 9);
});

test.each([
  [0, "0"],
  [1234.5678, "1235"],
  [0.123456, "0.1235"],
  [123_456_789, "1.235e8"],
  [0.00001234, "1.234e-5"],
])("%d is trimmed to %s", (value, text) => {
  expect(trimmed(value)).toBe(text);
});

test.each([
  [1, "nm", 140, "100 nm", 100],
  [0.1, "nm", 140, "1 µm", 100],
  [0.05, "nm", 140, "2 µm", 100],
  [2, "", 140, "50 voxels", 100],
  [100, "", 140, "1 voxel", 100],
  [0.5, "µm", 140, "200 µm", 100],
])("at %d px per unit of %j, %d px hold a bar of %s", (zoom, units, room, text, width) => {
  const bar = scaleBar(zoom, units, room, true);
  expect(bar?.text).toBe(text);
  expect(bar?.width).toBeCloseTo(width, 6);
});

test("the bar always fits and is never shorter than two fifths of the room", () => {
  for (let power = -8; power < 8; power += 0.013) {
    const bar = scaleBar(10 ** power, "µm", 120, true);
    expect(bar?.width).toBeLessThanOrEqual(120 * (1 + 1e-6));
    expect(bar?.width).toBeGreaterThan(120 * 0.39);
  }
});

test.each([
  [[1, 1, 1], true],
  [[2, 1, 1], true],
  [[2, 0.5, 0.5], false],
  [[40, 4, 4], false],
])("whether lengths of voxels of %j without a unit count voxels: %j", (scale, counted) => {
  const axes = ["z", "y", "x"].map((name) => ({ name, kind: "space" as const, unit: "" }));
  const levels = [{ shape: [9, 9, 9], scale, translate: [0, 0, 0] }];
  const { data } = image("1");
  expect(countsVoxels({ 1: image("1", { data: { ...data, axes, levels } }) })).toBe(counted);
});

test("a bar of no unit that does not count voxels is a number", () => {
  expect(scaleBar(2, "", 140, false)?.text).toBe("50");
});
