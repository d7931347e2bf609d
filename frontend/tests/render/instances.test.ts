import { describe, expect, it } from "vitest";
import { coverPlane, levelFor, normalOf, type Plane } from "../../src/bricks/cover";
import type { Cover } from "../../src/bricks/planner";
import { Volume } from "../../src/bricks/volume";
import { INSTANCE_WORDS, instancesOf, type Batch } from "../../src/render/instances";
import type { Lookup } from "../../src/render/stand-ins";
import { exampleData } from "../bricks/example-data";

const data = exampleData({
  shape: [100, 90, 80],
  scale: [2, 1, 1.5],
  translate: [3, -7, 11],
  levels: 4,
});
const volume = new Volume("l1", "image", data, [0]);
const plane: Plane = {
  center: [3 + 2 * 40.3, -7 + 45.2, 11 + 1.5 * 39.9],
  right: [0, 0, 1],
  down: [0, 1, 0],
  middle: [60, 50],
  width: 120,
  height: 100,
  pixel: 0.6,
};

function coverOf(linear: boolean, seen = plane): Cover {
  const sight = { picture: 0, volume, plane: seen, linear };
  const level = levelFor(volume, seen);
  const cells = coverPlane(volume, level, seen, linear);
  return { sight, level, cells, left: 0, numbers: new Set(cells.map(({ number }) => number)) };
}

/** Each brick's texture is known by an object of its own. */
const pages = new Map<number, { readonly texture: never }>();
function pageOf(number: number): { readonly texture: never } {
  const page = pages.get(number) ?? ({} as { texture: never });
  pages.set(number, page);
  return page;
}

const lookup =
  (only: (level: number, of: Volume) => boolean): Lookup =>
  (of, number) =>
    only(of.index(number).level, of) ? { page: pageOf(number), origin: [0, 0, 0] } : null;

/** What an instance reads at its middle: brick number → place in the brick, (z, y, x). */
function* readings(batches: readonly Batch[]): Generator<[number, number[], number[]]> {
  for (const { page, words, count } of batches) {
    const number = [...pages].find(([, candidate]) => candidate === page)![0];
    for (let at = 0; at < count; at += 1) {
      const part = (from: number): number[] =>
        [2, 1, 0].map((axis) => words[at * INSTANCE_WORDS + from + axis]!);
      const middle = part(0).map((low, axis) => (low + part(3)[axis]!) / 2);
      const place = middle.map((texels, axis) => texels * part(6)[axis]! + part(9)[axis]!);
      yield [number, place, middle];
    }
  }
}

describe("instancesOf", () => {
  for (const source of [0, 1, 2, 3]) {
    it(`reads the right place when only level ${source} is there`, () => {
      const cover = coverOf(true);
      expect(cover.level).toBe(0);
      const batches = instancesOf(
        cover,
        null,
        lookup((level) => level === source),
      );
      const middle = volume.toTexels(0, plane.center);
      let seen = 0;
      for (const [number, place, offset] of readings(batches)) {
        seen += 1;
        const index = volume.index(number);
        expect(index.level).toBe(source);
        const { scale, translate } = volume.grid(source);
        [index.z, index.y, index.x].forEach((brick, axis) => {
          const finest = volume.grid(0);
          const world =
            finest.translate[axis]! + (middle[axis]! + offset[axis]! - 0.5) * finest.scale[axis]!;
          const texel = (world - translate[axis]!) / scale[axis]! + 0.5;
          expect(place[axis]! + brick * volume.brick[axis]!).toBeCloseTo(texel, 3);
          expect(place[axis]).toBeGreaterThanOrEqual(0);
          expect(place[axis]).toBeLessThanOrEqual(volume.stored[axis]!);
        });
      }
      expect(seen).toBe(cover.cells.length);
    });
  }

  for (const linear of [true, false]) {
    it(`is content with what the plan asks of coarse levels, linear: ${String(linear)}`, () => {
      const cube = new Volume(
        "l2",
        "image",
        exampleData({ shape: [256, 256, 256], levels: 4 }),
        [0],
      );
      for (const place of [127, 127.5, 128, 128.4, 129, 130, 132]) {
        const seen = { ...plane, center: [place, 128, 128] as const, pixel: 1 };
        const sight = { picture: 0, volume: cube, plane: seen, linear };
        const cells = coverPlane(cube, 0, seen, linear);
        const numbers = new Set(cells.map(({ number }) => number));
        const cover: Cover = { sight, level: 0, cells, left: 0, numbers };
        for (const level of [1, 2, 3]) {
          const asked = new Set(coverPlane(cube, level, seen, linear).map(({ number }) => number));
          const batches = instancesOf(cover, null, (_, number) =>
            asked.has(number) ? { page: pageOf(number), origin: [0, 0, 0] } : null,
          );
          const drawn = batches.reduce((sum, { count }) => sum + count, 0);
          expect([place, level, drawn]).toEqual([place, level, cells.length]);
        }
      }
    });
  }

  it("prefers the finest that is there", () => {
    const batches = instancesOf(
      coverOf(false),
      null,
      lookup((level) => level >= 1),
    );
    for (const [number] of readings(batches)) expect(volume.index(number).level).toBe(1);
  });

  describe("zoomed out", () => {
    const far = { ...plane, pixel: 5.5 };
    const aslant = {
      ...far,
      right: [0, Math.SQRT1_2, Math.SQRT1_2],
      down: [Math.SQRT1_2, 0.5, -0.5],
    } as const;
    for (const [name, seen] of [
      ["straight", far],
      ["aslant", aslant],
    ] as const) {
      for (const linear of [true, false]) {
        it(`shows finer bricks until coarse ones come, ${name}, linear: ${String(linear)}`, () => {
          const cover = coverOf(linear, seen);
          expect(cover.level).toBe(2);
          const isThere = (number: number): boolean => {
            const { level, y, x } = volume.index(number);
            return level === 3 || (level === 0 && y === 2) || (level === 1 && y === 0 && x === 0);
          };
          const here: Lookup = (_, number) =>
            isThere(number) ? { page: pageOf(number), origin: [0, 0, 0] } : null;
          const batches = instancesOf(cover, null, here, 0);
          const levels = new Set<number>();
          const boxes: { low: number[]; high: number[] }[] = [];
          for (const [number, place] of readings(batches)) {
            levels.add(volume.index(number).level);
            place.forEach((texels, axis) => {
              expect(texels).toBeGreaterThanOrEqual(-1e-4);
              expect(texels).toBeLessThanOrEqual(volume.stored[axis]! + 1e-4);
            });
          }
          expect([...levels].toSorted()).toEqual([0, 1, 3]);
          for (const { words, count } of batches) {
            for (let at = 0; at < count; at += 1) {
              const part = (from: number): number[] =>
                [2, 1, 0].map((axis) => words[at * INSTANCE_WORDS + from + axis]!);
              boxes.push({ low: part(0), high: part(3) });
            }
          }
          // Every place of the plane lies in one box, as it does with all bricks there.
          const normal = normalOf(seen);
          const { scale } = volume.grid(2);
          const whole = instancesOf(cover, null, () => ({ words: [0, 0] }));
          const { words, count } = whole[0]!;
          const limits = [0, 1, 2].map((axis) => [
            Math.min(
              ...Array.from({ length: count }, (_, i) => words[i * INSTANCE_WORDS + 2 - axis]!),
            ),
            Math.max(
              ...Array.from({ length: count }, (_, i) => words[i * INSTANCE_WORDS + 5 - axis]!),
            ),
          ]);
          let inside = 0;
          for (let down = -30; down <= 30; down += 1) {
            for (let right = -30; right <= 30; right += 1) {
              const at = [0, 1, 2].map(
                (axis) =>
                  (seen.right[axis]! * (right + 0.37) + seen.down[axis]! * (down + 0.21)) /
                    scale[axis]! +
                  1e-6 * normal[axis]!,
              );
              if (at.some((x, axis) => x < limits[axis]![0]! || x >= limits[axis]![1]!)) continue;
              inside += 1;
              const found = boxes.filter(({ low, high }) =>
                at.every((x, axis) => x >= low[axis]! && x < high[axis]!),
              );
              expect(found).toHaveLength(1);
            }
          }
          expect(inside).toBeGreaterThan(200);
        });
      }
    }
  });

  it("shows the former volume only where nothing of the new one is there", () => {
    const former = new Volume("l1", "image", data, [1]);
    const nothing = instancesOf(
      coverOf(false),
      former,
      lookup((_, of) => of === former),
    );
    expect(nothing.reduce((sum, { count }) => sum + count, 0)).toBe(coverOf(false).cells.length);
    const asked: Volume[] = [];
    instancesOf(coverOf(false), former, (of, number) => {
      asked.push(of);
      return { page: pageOf(number), origin: [0, 0, 0] };
    });
    expect(asked).not.toContain(former);
  });

  it("carries the value of a constant brick and no texture", () => {
    const batches = instancesOf(coverOf(false), null, () => ({ words: [17, 1] }));
    expect(batches).toHaveLength(1);
    expect(batches[0]!.page).toBeNull();
    const integers = new Uint32Array(batches[0]!.words.buffer);
    expect([...integers.subarray(15, 18)]).toEqual([1, 17, 1]);
  });
});
