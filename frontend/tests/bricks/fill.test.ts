import { describe, expect, it } from "vitest";
import { bricksOf, fillOf, isWhole, wholeFill } from "../../src/bricks/fill";
import { Volume } from "../../src/bricks/volume";
import { exampleData } from "./example-data";

const volume = new Volume("l1", "image", exampleData({ shape: [256, 256, 256], levels: 4 }), []);
const single = new Volume("l1", "image", exampleData({ shape: [256, 256, 256], levels: 1 }), []);
const BRICK = 32 ** 3;
const MOST = 256 * BRICK;
const CENTER = [128, 128, 128] as const;

describe("fillOf", () => {
  it("takes the finest level that the budget holds", () => {
    expect(fillOf(volume, 0.1, MOST, CENTER)?.level).toBe(1);
    expect(fillOf(volume, 0.1, 512 * BRICK, CENTER)?.level).toBe(0);
  });

  it("takes none finer than the camera shows", () => {
    expect(fillOf(volume, 4, MOST, CENTER)?.level).toBe(2);
    expect(fillOf(volume, 100, MOST, CENTER)?.level).toBe(3);
  });

  it("takes a part of the coarsest level when that is too much", () => {
    const fill = fillOf(single, 1, 64 * BRICK, CENTER)!;
    expect(isWhole(fill)).toBe(false);
    expect(fill.bricks).toEqual([4, 4, 4]);
    expect(fill.corner).toEqual([2, 2, 2]);
    expect(isWhole(fillOf(single, 1, 512 * BRICK, CENTER)!)).toBe(true);
  });

  it("takes the part that is looked at, within the data", () => {
    expect(fillOf(single, 1, 64 * BRICK, [0, 300, 100])?.corner).toEqual([0, 4, 1]);
  });

  it("gives up when there is no room for one brick", () => {
    expect(fillOf(volume, 1, 1000, CENTER)).toBeNull();
  });
});

describe("bricksOf", () => {
  it("names every brick of the level once", () => {
    const numbers = bricksOf(wholeFill(volume, 1)).map(({ number }) => number);
    expect(new Set(numbers).size).toBe(64);
    expect(numbers.every((number) => volume.index(number).level === 1)).toBe(true);
  });

  it("names those of a part, x fastest", () => {
    const fill = { volume: single, level: 0, corner: [1, 2, 3], bricks: [1, 2, 2] } as const;
    const places = bricksOf(fill).map(({ number }) => single.index(number));
    expect(places.map(({ z, y, x }) => [z, y, x])).toEqual([
      [1, 2, 3],
      [1, 2, 4],
      [1, 3, 3],
      [1, 3, 4],
    ]);
  });
});
