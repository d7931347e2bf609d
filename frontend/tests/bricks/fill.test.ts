import { describe, expect, it } from "vitest";
import { bricksOf, fillOf } from "../../src/bricks/fill";
import { Volume } from "../../src/bricks/volume";
import { exampleData } from "./example-data";

const volume = new Volume("l1", "image", exampleData({ shape: [256, 256, 256], levels: 4 }), []);
const MOST = 256 * 32 ** 3;

describe("fillOf", () => {
  it("takes the finest level that the budget holds", () => {
    expect(fillOf(volume, 0.1, MOST)?.level).toBe(1);
    expect(fillOf(volume, 0.1, 512 * 32 ** 3)?.level).toBe(0);
  });

  it("takes none finer than the camera shows", () => {
    expect(fillOf(volume, 4, MOST)?.level).toBe(2);
    expect(fillOf(volume, 100, MOST)?.level).toBe(3);
  });

  it("gives up when even the coarsest level is too much", () => {
    expect(fillOf(volume, 1, 1000)).toBeNull();
  });
});

describe("bricksOf", () => {
  it("names every brick of the level once", () => {
    const numbers = bricksOf({ volume, level: 1 }).map(({ number }) => number);
    expect(new Set(numbers).size).toBe(64);
    expect(numbers.every((number) => volume.index(number).level === 1)).toBe(true);
  });
});
