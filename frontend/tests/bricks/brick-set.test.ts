import { expect, test } from "vitest";
import { BrickSet } from "../../src/bricks/brick-set";
import { Volume } from "../../src/bricks/volume";
import { exampleData } from "./example-data";

test("bricks are told apart by volume and number, and are new once", () => {
  const [a, b] = [0, 1].map((time) => new Volume("l1", "image", exampleData(), [time]));
  const set = new BrickSet();
  expect(set.add({ volume: a!, number: 3 })).toBe(true);
  expect(set.add({ volume: a!, number: 3 })).toBe(false);
  expect(set.add({ volume: a!, number: 4 })).toBe(true);
  expect(set.has(a!, 3)).toBe(true);
  expect(set.has(b!, 3)).toBe(false);
  set.clear();
  expect(set.has(a!, 3)).toBe(false);
});
