// Which bricks of a volume fill the 3-D panel: those of one level, the finest that the budget
// holds, and no finer than its camera shows. Of a level that is too large even so, the part around
// what is looked at. Pure.
import type { Position } from "../math/panel";
import { VOXEL_PIXELS } from "./cover";
import type { Need } from "./planner";
import type { Volume } from "./volume";

/** A volume as it fills space: a box of bricks of one level. */
export interface Fill {
  readonly volume: Volume;
  readonly level: number;
  /** Bricks (z, y, x) where the box begins, and how many it has. */
  readonly corner: Position;
  readonly bricks: Position;
}

const AXES = [0, 1, 2] as const;

function product([z, y, x]: Position): number {
  return z * y * x;
}

/** All bricks of a level. */
export function wholeFill(volume: Volume, level: number): Fill {
  return { volume, level, corner: [0, 0, 0], bricks: volume.grid(level).bricks };
}

/** Whether it shows all of its volume. */
export function isWhole({ volume, level, bricks }: Fill): boolean {
  return product(bricks) === product(volume.grid(level).bricks);
}

/** Whether the level's voxels, along axes that could be finer, are no larger than the pixels. */
function isFine(volume: Volume, level: number, pixel: number): boolean {
  const finest = volume.grid(0).scale;
  const { scale } = volume.grid(level);
  const { stretch } = volume.map;
  return AXES.every(
    (axis) =>
      Math.abs(scale[axis]) <= Math.abs(finest[axis]) ||
      Math.abs(scale[axis]) * stretch[axis] <= VOXEL_PIXELS * pixel,
  );
}

/** At most so many bricks of the level, around a place in the world: as near to a cube as can be. */
function partOf(volume: Volume, level: number, most: number, center: Position): Fill {
  const grid = volume.grid(level);
  const counts: [number, number, number] = [...grid.bricks];
  const edge = (axis: 0 | 1 | 2): number =>
    counts[axis] < 2
      ? 0
      : counts[axis] * volume.brick[axis] * Math.abs(grid.scale[axis]) * volume.map.stretch[axis];
  while (product(counts) > most && Math.max(...counts) > 1) {
    const [first, ...others] = AXES;
    const longest = others.reduce<0 | 1 | 2>((a, b) => (edge(b) > edge(a) ? b : a), first);
    counts[longest] -= Math.ceil(counts[longest] / 16);
  }
  const texels = volume.toTexels(level, volume.map.inward(center));
  const [z, y, x] = AXES.map((axis) => {
    const from = Math.round(texels[axis] / volume.brick[axis] - counts[axis] / 2);
    return Math.min(Math.max(from, 0), grid.bricks[axis] - counts[axis]);
  }) as [number, number, number];
  return { volume, level, corner: [z, y, x], bricks: counts };
}

/**
 * What fills space, for a camera that shows `pixel` world units a pixel at `center`. Its bricks
 * hold at most `most` voxels; null when that is not even one brick.
 */
export function fillOf(volume: Volume, pixel: number, most: number, center: Position): Fill | null {
  const bricks = Math.floor(most / product(volume.brick));
  if (bricks < 1) return null;
  let level = volume.coarsest;
  const fits = (candidate: number): boolean => product(volume.grid(candidate).bricks) <= bricks;
  if (!fits(level)) return partOf(volume, level, bricks, center);
  while (level > 0 && !isFine(volume, level, pixel) && fits(level - 1)) level -= 1;
  return wholeFill(volume, level);
}

/** Its bricks, x fastest. */
export function bricksOf({ volume, level, corner, bricks }: Fill): Need[] {
  const [z, y, x] = corner;
  return Array.from({ length: product(bricks) }, (_, place) => {
    const across = place % bricks[2];
    const row = (place - across) / bricks[2];
    const along = row % bricks[1];
    const deep = (row - along) / bricks[1];
    return { volume, number: volume.number(level, z + deep, y + along, x + across) };
  });
}

/** All bricks of the coarsest level; there are few, or else it says nothing. */
export function coarsestBricks(volume: Volume): Need[] {
  const { bricks, first } = volume.grid(volume.coarsest);
  const count = Math.min(bricks[0] * bricks[1] * bricks[2], 64);
  return Array.from({ length: count }, (_, place) => ({ volume, number: first + place }));
}
