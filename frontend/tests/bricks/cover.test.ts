import { describe, expect, it } from "vitest";
import {
  coverPlane,
  dualOf,
  levelFor,
  normalOf,
  ownPlane,
  type Plane,
} from "../../src/bricks/cover";
import { Volume } from "../../src/bricks/volume";
import type { Data } from "../../src/wire/types";
import { exampleData, type ExampleOptions } from "./example-data";

function volumeOf(options: ExampleOptions = {}): Volume {
  return new Volume("l1", "image", exampleData(options), []);
}

function planeOf(options: Partial<Plane> = {}): Plane {
  return {
    center: [16, 32, 32],
    right: [0, 0, 1],
    down: [0, 1, 0],
    middle: [100, 100],
    width: 200,
    height: 200,
    pixel: 1,
    ...options,
  };
}

/** Texels of the level under the centre of each pixel, (z, y, x). */
function* pixels(volume: Volume, level: number, plane: Plane): Generator<number[]> {
  for (let row = 0.5; row < plane.height; row += 7) {
    for (let column = 0.5; column < plane.width; column += 7) {
      const world = [0, 1, 2].map(
        (axis) =>
          plane.center[axis]! +
          ((column - plane.middle[0]) * plane.right[axis]! +
            (row - plane.middle[1]) * plane.down[axis]!) *
            plane.pixel,
      );
      yield [...volume.toTexels(level, [world[0]!, world[1]!, world[2]!])];
    }
  }
}

const half = Math.SQRT1_2;
const planes: Record<string, Partial<Plane>> = {
  xy: {},
  xz: { down: [1, 0, 0] },
  yz: { right: [1, 0, 0], down: [0, 1, 0] },
  oblique: { right: [0, half, half], down: [half, -0.5, 0.5] },
  "on a seam": { center: [32, 32, 32] },
  "off the data": { center: [16, 90, -20] },
};

describe("coverPlane", () => {
  for (const [name, options] of Object.entries(planes)) {
    for (const linear of [false, true]) {
      it(`draws every pixel within the data from one brick: ${name}, linear ${linear}`, () => {
        const volume = volumeOf({ shape: [70, 65, 33], scale: [2, 1, 1.5], levels: 3 });
        for (const level of [0, 1, 2]) {
          const plane = planeOf(options);
          const cells = coverPlane(volume, level, plane, linear);
          const { low, high } = volume.grid(level);
          for (const texels of pixels(volume, level, plane)) {
            const inside = texels.every((t, axis) => t >= low[axis]! && t < high[axis]!);
            const owners = cells.filter((cell) =>
              texels.every((t, axis) => t >= cell.low[axis]! && t < cell.high[axis]!),
            );
            expect(owners.length).toBe(inside ? 1 : 0);
          }
        }
      });
    }
  }

  it("names only bricks that the plane meets", () => {
    const volume = volumeOf({ shape: [256, 256, 256] });
    const cells = coverPlane(volume, 0, planeOf({ width: 64, height: 64 }), false);
    expect(cells.every(({ z }) => z === 0)).toBe(true);
    expect(cells).toHaveLength(9);
  });

  it("takes the upper of two bricks for a plane on their common face", () => {
    const volume = volumeOf({ shape: [64, 64, 64] });
    const plane = planeOf({ center: [31.5, 32, 32] });
    expect(new Set(coverPlane(volume, 0, plane, false).map(({ z }) => z))).toEqual(new Set([1]));
  });

  it("shows data without z in planes along z, wherever they are", () => {
    const volume = volumeOf({ shape: [300, 300], brick: [1, 256, 256], apron: [0, 1, 1] });
    expect(coverPlane(volume, 0, planeOf({ center: [1e6, 150, 150] }), true)).not.toHaveLength(0);
    expect(coverPlane(volume, 0, planeOf({ down: [1, 0, 0] }), true)).toHaveLength(0);
  });

  it("clips coarse voxels to the data as given", () => {
    const volume = volumeOf({ shape: [33, 33, 33], levels: 3, scale: [2, 2, 2] });
    // 33 voxels are 9 of the third level, whose last reaches beyond.
    expect(volume.grid(2).shape[2]).toBe(9);
    expect(volume.grid(2).high[2]).toBeCloseTo(33 / 4, 12);
  });
});

/** Turned about z, twice as long along y, and sheared. */
const AFFINE: Data["affine"] = [
  [1, 0, 0, 5],
  [0.5, 1.2, -0.8, -20],
  [0, 1.6, 0.6, 3],
];

describe("ownPlane", () => {
  for (const [name, options] of Object.entries(planes)) {
    it(`covers what an affine map shows: ${name}`, () => {
      const volume = volumeOf({ shape: [64, 64, 64], affine: AFFINE });
      const world = planeOf({ ...options, center: [21, 40, 30] });
      const plane = ownPlane(volume, world);
      const cells = coverPlane(volume, 0, plane, false);
      for (let row = 0.5; row < world.height; row += 7) {
        for (let column = 0.5; column < world.width; column += 7) {
          const place = [0, 1, 2].map(
            (axis) =>
              world.center[axis]! +
              (column - world.middle[0]) * world.right[axis]! +
              (row - world.middle[1]) * world.down[axis]!,
          );
          const voxel = volume.voxelAt(0, [place[0]!, place[1]!, place[2]!]);
          if (voxel === null) continue;
          const { number } = volume.locate(0, voxel);
          expect(cells.some((cell) => cell.number === number)).toBe(true);
        }
      }
    });
  }

  it("tells how far a way leads along its edges", () => {
    const volume = volumeOf({ affine: AFFINE });
    const world = planeOf(planes["oblique"]);
    const { right, down } = dualOf(ownPlane(volume, world));
    const way = volume.map.inwardWay([
      3 * world.right[0] + 4 * world.down[0],
      3 * world.right[1] + 4 * world.down[1],
      3 * world.right[2] + 4 * world.down[2],
    ]);
    expect(way[0] * right[0] + way[1] * right[1] + way[2] * right[2]).toBeCloseTo(3);
    expect(way[0] * down[0] + way[1] * down[1] + way[2] * down[2]).toBeCloseTo(4);
  });

  it("takes the level by the size of voxels in the world", () => {
    const options = { shape: [512, 512, 512], levels: 4 };
    const twice: Data["affine"] = [
      [2, 0, 0, 0],
      [0, 2, 0, 0],
      [0, 0, 2, 0],
    ];
    const [plain, large] = [volumeOf(options), volumeOf({ ...options, affine: twice })];
    const plane = planeOf({ pixel: 4 });
    expect(levelFor(plain, ownPlane(plain, plane))).toBe(2);
    expect(levelFor(large, ownPlane(large, plane))).toBe(1);
  });
});

describe("levelFor", () => {
  it("takes the coarsest level whose voxels are no larger than a pixel or so", () => {
    const volume = volumeOf({ shape: [512, 512, 512], levels: 5 });
    expect(levelFor(volume, planeOf({ pixel: 0.1 }))).toBe(0);
    expect(levelFor(volume, planeOf({ pixel: 1 }))).toBe(0);
    expect(levelFor(volume, planeOf({ pixel: 2 }))).toBe(1);
    expect(levelFor(volume, planeOf({ pixel: 100 }))).toBe(4);
  });

  it("lets an axis that is not reduced have larger voxels", () => {
    const data = exampleData({ shape: [64, 512, 512], scale: [10, 1, 1], levels: 2 });
    data.levels[1]!.scale[0] = 10;
    data.levels[1]!.shape[0] = 64;
    const volume = new Volume("l1", "image", data, []);
    expect(levelFor(volume, planeOf({ down: [1, 0, 0], pixel: 2 }))).toBe(1);
  });
});

describe("normalOf", () => {
  it("points to larger positions and has no negative zero", () => {
    for (const options of [planes["xy"], planes["xz"], planes["yz"]]) {
      const normal = normalOf(planeOf(options));
      expect(Math.max(...normal)).toBe(1);
      expect(normal.some((part) => Object.is(part, -0))).toBe(false);
    }
  });
});
