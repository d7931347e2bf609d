import { describe, expect, it } from "vitest";
import { coverPlane, levelFor, type Plane } from "../../src/bricks/cover";
import type { Cover } from "../../src/bricks/planner";
import { Volume } from "../../src/bricks/volume";
import { INSTANCE_WORDS, instancesOf, type Batch, type Lookup } from "../../src/render/instances";
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

function coverOf(linear: boolean): Cover {
  const sight = { picture: 0, volume, plane, linear };
  const level = levelFor(volume, plane);
  const cells = coverPlane(volume, level, plane, linear);
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

  it("prefers the finest that is there", () => {
    const batches = instancesOf(
      coverOf(false),
      null,
      lookup((level) => level >= 1),
    );
    for (const [number] of readings(batches)) expect(volume.index(number).level).toBe(1);
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
