import { describe, expect, it } from "vitest";
import { History } from "../../src/bricks/history";
import { Volume } from "../../src/bricks/volume";
import type { Changed, Data } from "../../src/wire/types";
import { exampleData, type ExampleOptions } from "./example-data";

function withChanges(options: ExampleOptions, ...changes: Changed[]): Data {
  return { ...exampleData(options), generation: changes.at(-1)?.generation ?? 0, changes };
}

function changed(generation: number, start: number[], stop: number[], level = 0): Changed {
  return { generation, level, start, stop };
}

/** The bricks (z, y, x) of a level that are stale, as text. */
function stale(data: Data, level: number, generation: number, point: number[] = []): string[] {
  const volume = new Volume("l1", "image", data, point);
  const history = new History(volume, data);
  const { bricks, first } = volume.grid(level);
  return Array.from({ length: bricks[0] * bricks[1] * bricks[2] }, (_, place) =>
    volume.index(first + place),
  )
    .filter((index) => !history.isCurrent(index, generation))
    .map(({ z, y, x }) => [z, y, x].join(" "));
}

describe("History", () => {
  it("counts all older bricks as stale when it is not told what changed", () => {
    const data = { ...exampleData(), generation: 2 };
    expect(stale(data, 0, 1)).toHaveLength(8);
    expect(stale(data, 0, 2)).toHaveLength(0);
  });

  it("finds the bricks that a box touches, and those whose apron it touches", () => {
    const data = withChanges({ shape: [96, 96, 96] }, changed(1, [40, 33, 70], [50, 50, 71]));
    expect(stale(data, 0, 0)).toEqual(["1 1 2"]);
    const edge = withChanges({ shape: [96, 96, 96] }, changed(1, [40, 32, 70], [50, 50, 71]));
    expect(stale(edge, 0, 0)).toEqual(["1 0 2", "1 1 2"]);
    const bare = withChanges(
      { shape: [96, 96, 96], apron: [0, 0, 0] },
      changed(1, [40, 32, 70], [50, 50, 71]),
    );
    expect(stale(bare, 0, 0)).toEqual(["1 1 2"]);
  });

  it("finds every coarse brick into which changed voxels go", () => {
    const options = { shape: [300, 257, 64], levels: 4, brick: [16, 16, 16] as const };
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 48271) % 2147483647;
      return seed % below;
    };
    for (let round = 0; round < 50; round += 1) {
      const start = options.shape.map((n) => random(n));
      const stop = start.map((a, axis) => a + 1 + random(options.shape[axis]! - a));
      const data = withChanges({ ...options, brick: [16, 16, 16] }, changed(1, start, stop));
      for (const level of [0, 1, 2, 3]) {
        const found = new Set(stale(data, level, 0));
        const factor = 2 ** level;
        // What a brick and its apron are made of, in voxels of level 0.
        const touches = (place: number, axis: number, margin: number): boolean =>
          place * 16 * factor - margin < stop[axis]! &&
          (place * 16 + 17) * factor + margin > start[axis]!;
        const shape = data.levels[level]!.shape;
        const [depth, height, width] = shape.map((n) => Math.ceil(n / 16));
        for (let z = 0; z < depth!; z += 1) {
          for (let y = 0; y < height!; y += 1) {
            for (let x = 0; x < width!; x += 1) {
              const all = (margin: number): boolean =>
                [z, y, x].every((place, axis) => touches(place, axis, margin));
              const isFound = found.has([z, y, x].join(" "));
              if (all(0)) expect(isFound).toBe(true);
              else if (!all(level === 0 ? 0 : 3 * factor)) expect(isFound).toBe(false);
            }
          }
        }
      }
    }
  });

  it("leaves finer levels alone when only coarse ones changed", () => {
    const data = withChanges({ levels: 2 }, changed(1, [0, 0, 0], [64, 64, 64], 1));
    expect(stale(data, 0, 0)).toHaveLength(0);
    expect(stale(data, 1, 0)).toHaveLength(1);
  });

  it("asks only for what changed since a brick was read", () => {
    const data = withChanges(
      {},
      changed(4, [0, 0, 0], [1, 1, 1]),
      changed(5, [63, 63, 63], [64, 64, 64]),
    );
    expect(stale(data, 0, 4)).toEqual(["1 1 1"]);
    expect(stale(data, 0, 3)).toEqual(["0 0 0", "1 1 1"]);
    // What was before the oldest step is not told any more.
    expect(stale(data, 0, 2)).toHaveLength(8);
  });

  it("tells points of the leading axes apart", () => {
    const data = withChanges({ shape: [3, 64, 64, 64] }, changed(1, [1, 0, 0, 0], [2, 64, 64, 64]));
    expect(stale(data, 0, 0, [0])).toHaveLength(0);
    expect(stale(data, 0, 0, [1])).toHaveLength(8);
  });

  it("knows data without a z axis", () => {
    const data = withChanges(
      { shape: [512, 512], brick: [1, 256, 256], apron: [0, 1, 1] },
      changed(1, [300, 10], [301, 11]),
    );
    expect(stale(data, 0, 0)).toEqual(["0 1 0"]);
  });

  it("touches nothing with an empty box: the data was moved in the world", () => {
    expect(stale(withChanges({}, changed(1, [5, 5, 5], [5, 5, 5])), 0, 0)).toHaveLength(0);
  });
});
