// Which level of a volume fills the 3-D panel: the finest one that the budget holds, and no finer
// than its camera shows. Pure.
import { VOXEL_PIXELS } from "./cover";
import type { Need } from "./planner";
import type { Volume } from "./volume";

/** A volume as it fills space: all bricks of one level. */
export interface Fill {
  readonly volume: Volume;
  readonly level: number;
}

const AXES = [0, 1, 2] as const;

function voxelsOf({ volume, level }: Fill): number {
  const { bricks } = volume.grid(level);
  return AXES.reduce<number>((product, axis) => product * bricks[axis] * volume.brick[axis], 1);
}

/** Whether the level's voxels, along axes that could be finer, are no larger than the pixels. */
function isFine(volume: Volume, level: number, pixel: number): boolean {
  const finest = volume.grid(0).scale;
  const { scale } = volume.grid(level);
  return AXES.every(
    (axis) =>
      Math.abs(scale[axis]) <= Math.abs(finest[axis]) ||
      Math.abs(scale[axis]) <= VOXEL_PIXELS * pixel,
  );
}

/**
 * The level that fills space, for a camera that shows `pixel` world units a pixel. Its bricks hold
 * at most `most` voxels; null when even those of the coarsest level hold more.
 */
export function fillOf(volume: Volume, pixel: number, most: number): Fill | null {
  let level = volume.coarsest;
  if (voxelsOf({ volume, level }) > most) return null;
  while (level > 0 && !isFine(volume, level, pixel)) {
    if (voxelsOf({ volume, level: level - 1 }) > most) break;
    level -= 1;
  }
  return { volume, level };
}

/** All bricks of a level. */
export function bricksOf({ volume, level }: Fill): Need[] {
  const { bricks, first } = volume.grid(level);
  const count = bricks[0] * bricks[1] * bricks[2];
  return Array.from({ length: count }, (_, place) => ({ volume, number: first + place }));
}
