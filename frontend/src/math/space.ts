// Where a layer's voxels are in the world: its spatial axes, the size of its voxels, its bounds.
// A voxel i spans [i - 1/2, i + 1/2), so bounds reach half a voxel beyond the outermost centres.
import type { Data, Document, Level } from "../wire/types";
import { affineOf, type AffineMap } from "./affine";
import type { Position } from "./panel";

export interface Bounds {
  readonly low: Position;
  readonly high: Position;
}

/** How one level lies in the layer's own coordinates, as (z, y, x). An image without z has one voxel there. */
export interface LevelSpace {
  readonly shape: Position;
  readonly scale: Position;
  readonly translate: Position;
}

/** How many of the data's trailing axes are spatial: two or three. */
export function spatialCount(data: Data): number {
  let count = 0;
  while (count < data.axes.length && data.axes[data.axes.length - 1 - count]?.kind === "space") {
    count += 1;
  }
  return Math.min(count, 3);
}

/** Whether the data has no z axis: it then exists at every z. */
export function isFlat(data: Data): boolean {
  return spatialCount(data) < 3;
}

function lastThree(values: readonly number[], count: number, missing: number): Position {
  const last = values.length;
  const at = (back: number): number => (back <= count ? (values[last - back] ?? missing) : missing);
  return [at(3), at(2), at(1)];
}

/** The spatial part of a level. */
export function levelSpace(data: Data, level: Level): LevelSpace {
  const count = spatialCount(data);
  return {
    shape: lastThree(level.shape, count, 1),
    scale: lastThree(level.scale, count, 1),
    translate: lastThree(level.translate, count, 0),
  };
}

/** World bounds of one layer's data; null when it has no level. */
export function dataBounds(data: Data): Bounds | null {
  const level = data.levels[0];
  if (level === undefined) return null;
  const { shape, scale, translate } = levelSpace(data, level);
  const low: [number, number, number] = [0, 0, 0];
  const high: [number, number, number] = [0, 0, 0];
  for (const axis of [0, 1, 2] as const) {
    const first = translate[axis] - scale[axis] / 2;
    const last = first + shape[axis] * scale[axis];
    low[axis] = Math.min(first, last);
    high[axis] = Math.max(first, last);
  }
  return boundsAround({ low, high }, affineOf(data));
}

/** World bounds of what lies within `own` bounds. */
function boundsAround(own: Bounds, map: AffineMap): Bounds {
  if (map.isIdentity) return own;
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((corner) =>
    map.outward([
      (corner & 4 ? own.high : own.low)[0],
      (corner & 2 ? own.high : own.low)[1],
      (corner & 1 ? own.high : own.low)[2],
    ]),
  );
  const each = (pick: (...values: number[]) => number): Position => [
    pick(...corners.map(([z]) => z)),
    pick(...corners.map(([, y]) => y)),
    pick(...corners.map(([, , x]) => x)),
  ];
  return { low: each(Math.min), high: each(Math.max) };
}

/** World length of a level's voxels along each of their axes. */
export function voxelSize(data: Data, level: Level): Position {
  const { scale } = levelSpace(data, level);
  const { stretch } = affineOf(data);
  return [
    Math.abs(scale[0]) * stretch[0],
    Math.abs(scale[1]) * stretch[1],
    Math.abs(scale[2]) * stretch[2],
  ];
}

/** World bounds of all layers, hidden ones too, so that hiding a layer moves nothing. */
export function worldBounds(document: Document): Bounds | null {
  const low: [number, number, number] = [Infinity, Infinity, Infinity];
  const high: [number, number, number] = [-Infinity, -Infinity, -Infinity];
  const layers = Object.values(document.layers);
  const flatOnly = layers.every((layer) => isFlat(layer.data));
  let found = false;
  for (const layer of layers) {
    const bounds = dataBounds(layer.data);
    if (bounds === null) continue;
    found = true;
    for (const axis of [0, 1, 2] as const) {
      // Data without z is everywhere along z, so it says nothing about the extent there.
      if (axis === 0 && isFlat(layer.data) && !flatOnly) continue;
      low[axis] = Math.min(low[axis], bounds.low[axis]);
      high[axis] = Math.max(high[axis], bounds.high[axis]);
    }
  }
  return found ? { low, high } : null;
}

/** The middle of the bounds. */
export function middle(bounds: Bounds): Position {
  return [
    (bounds.low[0] + bounds.high[0]) / 2,
    (bounds.low[1] + bounds.high[1]) / 2,
    (bounds.low[2] + bounds.high[2]) / 2,
  ];
}
