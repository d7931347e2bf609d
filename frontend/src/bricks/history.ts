// What has changed in a layer's data, step by step, and which bricks that touches: those of older
// steps that nothing has touched since are as good as new.
import { spatialCount } from "../math/space";
import type { Data } from "../wire/types";
import type { BrickIndex, Volume } from "./volume";

/** Bricks (z, y, x) of a level that a step has changed, both ends included; null for none. */
type Touched = { readonly first: readonly number[]; readonly last: readonly number[] } | null;

interface Step {
  readonly generation: number;
  /** By level. */
  readonly touched: readonly Touched[];
}

export class History {
  /** The data's generation. */
  readonly generation: number;
  /** Voxels from before this one may have changed anywhere. */
  readonly #oldest: number;
  /** Newest first. */
  readonly #steps: readonly Step[];

  constructor(volume: Volume, data: Data) {
    this.generation = data.generation;
    const [oldest] = data.changes;
    this.#oldest = oldest === undefined ? data.generation : oldest.generation - 1;
    this.#steps = data.changes.toReversed().map(({ generation, level, start, stop }) => ({
      generation,
      touched: touchedBricks(volume, data, level, start, stop),
    }));
  }

  /** Whether voxels of a brick that were read at `generation` are still those of the data. */
  isCurrent({ level, z, y, x }: BrickIndex, generation: number): boolean {
    if (generation < this.#oldest) return false;
    for (const step of this.#steps) {
      if (step.generation <= generation) break;
      const touched = step.touched[level];
      if (touched === null || touched === undefined) continue;
      const { first, last } = touched;
      const isTouched = [z, y, x].every(
        (place, axis) => place >= (first[axis] ?? 0) && place <= (last[axis] ?? 0),
      );
      if (isTouched) return false;
    }
    return true;
  }
}

/** The bricks of every level that hold something of a box of level 0, their aprons included. */
function touchedBricks(
  volume: Volume,
  data: Data,
  from: number,
  start: readonly number[],
  stop: readonly number[],
): Touched[] {
  const spatial = spatialCount(data);
  const leading = start.length - spatial;
  const isElsewhere = volume.point.some(
    (index, axis) => index < (start[axis] ?? 0) || index >= (stop[axis] ?? 0),
  );
  let [low, high] = [start.slice(leading), stop.slice(leading)];
  const isEmpty = low.some((value, axis) => value >= (high[axis] ?? 0));
  return data.levels.map((level, number) => {
    const shape = level.shape.slice(leading);
    const finer = data.levels[number - 1]?.shape.slice(leading);
    if (finer !== undefined) {
      // How a level was made is not known for all sources: one voxel more on each side.
      const ratio = (axis: number): number => (shape[axis] ?? 1) / (finer[axis] ?? 1);
      const isReduced = (axis: number): boolean => ratio(axis) < 1;
      low = low.map((value, axis) =>
        isReduced(axis) ? Math.max(Math.floor(value * ratio(axis)) - 1, 0) : value,
      );
      high = high.map((value, axis) =>
        isReduced(axis)
          ? Math.min(Math.ceil(value * ratio(axis)) + 1, shape[axis] ?? value)
          : value,
      );
    }
    if (isElsewhere || isEmpty || number < from) return null;
    const flat = 3 - spatial;
    const first = volume.brick.map((size, axis) => {
      const apron = volume.apron[axis] ?? 0;
      return axis < flat ? 0 : Math.floor(((low[axis - flat] ?? 0) - apron) / size);
    });
    const last = volume.brick.map((size, axis) =>
      axis < flat ? 0 : Math.floor(((high[axis - flat] ?? 1) - 1) / size),
    );
    return { first, last };
  });
}
