import { expect, test } from "vitest";
import { autoLimits, missed, ordered, quantile, windowLevel } from "../../src/ui/contrast";

const EVEN = { start: 0, stop: 100, counts: Array.from({ length: 100 }, () => 10) };

test("a quantile lies where that part of the sample is below", () => {
  expect(quantile(EVEN, 0.25)).toBeCloseTo(25, 6);
  expect(quantile(EVEN, 1)).toBeCloseTo(100, 6);
});

test("automatic limits leave out a thousandth at either end", () => {
  const [low, high] = autoLimits(EVEN, "float32");
  expect(low).toBeCloseTo(0.1, 6);
  expect(high).toBeCloseTo(99.9, 6);
});

test("automatic limits of whole numbers are whole", () => {
  expect(autoLimits(EVEN, "uint16")).toEqual([0, 100]);
});

test("automatic limits of an empty sample are its range", () => {
  expect(autoLimits({ start: 2, stop: 3, counts: [0, 0] }, "float64")).toEqual([2, 3]);
});

test("limits beyond the sample miss it, on the side where it lies", () => {
  expect(missed(EVEN, [100, 200])).toBe("below");
  expect(missed(EVEN, [-5, 0])).toBe("above");
  expect(missed(EVEN, [99, 200])).toBeNull();
  expect(missed({ start: 0, stop: 1, counts: [0, 0] }, [5, 6])).toBeNull();
  expect(missed(null, [5, 6])).toBeNull();
});

test("limits are always in order and apart", () => {
  expect(ordered(5, 2)).toEqual([2, 5]);
  const [low, high] = ordered(7, 7);
  expect(low).toBe(7);
  expect(high).toBeGreaterThan(low);
});

test("a drag to the right widens the window, a drag up lowers its level", () => {
  const [low, high] = windowLevel([40, 60], 100, 0);
  expect(high - low).toBeGreaterThan(20);
  expect((low + high) / 2).toBeCloseTo(50, 9);
  const [dark, bright] = windowLevel([40, 60], 0, -100);
  expect((dark + bright) / 2).toBeLessThan(50);
  expect(bright - dark).toBeCloseTo(20, 9);
});
