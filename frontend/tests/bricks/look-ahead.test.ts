import { describe, expect, it } from "vitest";
import { Motion, nextBricks } from "../../src/bricks/look-ahead";
import { plan, type Sight } from "../../src/bricks/planner";
import { Volume } from "../../src/bricks/volume";
import { cross, moved, type Position } from "../../src/math/panel";
import { exampleData } from "./example-data";

const volume = new Volume("l1", "image", exampleData({ shape: [512, 64, 64] }), []);
const bytes = (): number => 1000;

function sightAt(z: number): Sight {
  return {
    picture: 0,
    volume,
    linear: false,
    plane: {
      center: [z, 32, 32],
      right: [0, 0, 1],
      down: [0, 1, 0],
      middle: [32, 32],
      width: 64,
      height: 64,
      pixel: 1,
    },
  };
}

/** Layers of bricks along z that are next, nearest first, after the slice was at these places. */
function next(places: readonly number[], step = 0.05, budget = Infinity): number[] {
  const motion = new Motion();
  let sight = sightAt(0);
  places.forEach((z, count) => {
    sight = sightAt(z);
    motion.note([sight], count * step);
  });
  const { covers } = plan([sight], { bytes, budget: Infinity, direct: Infinity });
  const needs = nextBricks(covers, motion, bytes, budget);
  return [...new Set(needs.map(({ number }) => volume.index(number).z))];
}

describe("nextBricks", () => {
  it("looks a little to both sides of a slice at rest", () => {
    expect(next([256])).toEqual([7, 8]);
    expect(next([272])).toEqual([8]);
  });

  it("looks where the slice is going, as far as it gets in half a second", () => {
    // 4 voxels in 50 ms: 40 in half a second, two bricks.
    expect(next([260, 264, 268, 272])).toEqual([8, 9, 10]);
    expect(next([284, 280, 276, 272])).toEqual([8, 7, 6]);
  });

  it("takes a jump, by more than the picture is high, for no move", () => {
    expect(next([8, 200])).toEqual([6]);
    expect(next([260, 264, 268, 32 + 400])).toEqual(next([432]));
    const motion = new Motion();
    motion.note([sightAt(100)], 0);
    motion.note([sightAt(104)], 0.1);
    expect(motion.isMoving).toBe(true);
    motion.note([sightAt(300)], 0.2);
    // Also if it is zoomed at the same time.
    const near = { ...sightAt(300), plane: { ...sightAt(300).plane, pixel: 0.1 } };
    motion.note([near], 0.21);
    expect(motion.isMoving).toBe(false);
  });

  it("follows a turn back at once", () => {
    expect(next([260, 264, 268, 264])).not.toContain(9);
    expect(next([260, 264, 268, 264])).toContain(7);
  });

  it("looks a few bricks ahead at most", () => {
    expect(next([80, 140, 200])).toEqual([6, 7, 8, 9, 10]);
  });

  it("forgets the direction of a slice that rests", () => {
    expect(next([252, 256], 3)).toEqual([7, 8]);
  });

  it("takes no move along a slice that lies aslant for one across it", () => {
    const motion = new Motion();
    const [right, down]: [Position, Position] = [
      [0.48, 0.6, 0.64],
      [-0.8, 0.6, 0],
    ];
    const across = cross(right, down);
    const at = (along: number, ahead: number): Sight => {
      const center = moved(moved([256, 32, 32], right, along), across, ahead);
      return { ...sightAt(0), plane: { ...sightAt(0).plane, center, right, down } };
    };
    motion.note([at(0, 0)], 0);
    motion.note([at(0.1, 0)], 0.05);
    motion.note([at(7.3, 0)], 0.1);
    expect(motion.speed(0)).toBe(0);
    motion.note([at(7.3, 2)], 0.15);
    expect(Math.abs(motion.speed(0))).toBeGreaterThan(1);
  });

  it("looks at the next level the way the picture is zoomed", () => {
    const data = exampleData({ shape: [512, 512, 512], levels: 4 });
    const deep = new Volume("l1", "image", data, []);
    const levels = (pixels: readonly number[], isFitted = false): number[] => {
      const motion = new Motion();
      const sights = pixels.map((pixel): Sight => {
        const plane = { ...sightAt(256).plane, center: [272, 256, 256] as const, pixel };
        return { ...sightAt(256), volume: deep, plane };
      });
      sights.forEach((sight, count) => motion.note([sight], count * 3, isFitted));
      const { covers } = plan(sights.slice(-1), { bytes, budget: Infinity, direct: Infinity });
      const needs = nextBricks(covers, motion, bytes, Infinity);
      const seen = new Set(needs.map(({ number }) => deep.index(number).level));
      return [...seen].sort((a, b) => a - b);
    };
    // The third is what lies around.
    expect(levels([2])).toEqual([1, 3]);
    expect(levels([2.5, 2])).toEqual([0, 1, 3]);
    expect(levels([2, 2.5, 2.5])).toEqual([1, 2, 3]);
    // What fits its panel becomes larger with it.
    expect(levels([2.5, 2], true)).toEqual([1, 3]);
    // There is nothing finer than the finest.
    expect(levels([1, 0.5])).toEqual([0, 2]);
  });

  it("looks around a slice, coarsely", () => {
    const wide = new Volume("l1", "image", exampleData({ shape: [64, 1024, 1024], levels: 4 }), []);
    const sight: Sight = {
      ...sightAt(32),
      volume: wide,
      plane: { ...sightAt(32).plane, center: [32, 512, 512], width: 200, height: 200 },
    };
    const { covers } = plan([sight], { bytes, budget: Infinity, direct: Infinity });
    const needs = nextBricks(covers, new Motion(), bytes, Infinity);
    const around = needs.map(({ number }) => wide.index(number)).filter(({ level }) => level === 2);
    // From 312 to 712, in bricks of 128.
    expect([...new Set(around.map(({ x }) => x))]).toEqual([2, 3, 4, 5]);
    expect([...new Set(around.map(({ y }) => y))]).toEqual([2, 3, 4, 5]);
  });

  it("stays within its budget, nearest first", () => {
    expect(next([260, 264, 268, 272], 0.05, 8 * 1000)).toEqual([8, 9]);
  });
});
