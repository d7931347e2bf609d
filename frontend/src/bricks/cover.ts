// Which bricks of a level a picture plane cuts, and which level is fine enough for it. Pure.
//
//        right →
//      ┌──┬──┬──┬──┐     the plane's rectangle, `pixel` world units a pixel, lies somewhere in
//  down│  │  │  │  │     the level's grid of bricks; a brick that it touches is a *cell*, with
//    ↓ ├──┼──┼──┼──┤     the box of texels that is drawn from that brick
//      └──┴──┴──┴──┘
import type { Position } from "../math/panel";
import type { BrickNumber, Volume } from "./volume";

/** A rectangle of pixels in the world. Vectors are (z, y, x). */
export interface Plane {
  /** World position at the pixel `middle`. */
  readonly center: Position;
  /** Pixels from the rectangle's top left corner, about its middle. */
  readonly middle: readonly [x: number, y: number];
  /** Unit vectors in the world, at right angles. */
  readonly right: Position;
  readonly down: Position;
  /** Pixels of the screen. */
  readonly width: number;
  readonly height: number;
  /** World units a pixel. */
  readonly pixel: number;
}

/** One brick of a level, as far as a plane shows it. */
export interface Cell {
  readonly number: BrickNumber;
  readonly z: number;
  readonly y: number;
  readonly x: number;
  /** Texels (z, y, x) of the level that are drawn from it, half open. */
  readonly low: Position;
  readonly high: Position;
  /** Pixels from the plane's middle to the middle of the brick. */
  readonly distance: number;
}

/** Pixels a voxel may measure before the next finer level is taken. */
export const VOXEL_PIXELS = 1.25;

type Axis = 0 | 1 | 2;
const AXES: readonly Axis[] = [0, 1, 2];

/** The plane's normal; along an axis for axis-aligned planes, then towards larger positions. */
export function normalOf(plane: Plane): Position {
  const [rz, ry, rx] = plane.right;
  const [dz, dy, dx] = plane.down;
  const normal: Position = [rx * dy - ry * dx, rz * dx - rx * dz, ry * dz - rz * dy];
  const largest = normal.reduce((best, part) => (Math.abs(part) > Math.abs(best) ? part : best));
  // Adding zero turns -0 into 0.
  return largest < 0 ? [0 - normal[0], 0 - normal[1], 0 - normal[2]] : normal;
}

/** Whether data without a z axis has a picture on the plane: only when seen along z. */
export function showsFlat(plane: Plane): boolean {
  return plane.right[0] === 0 && plane.down[0] === 0;
}

/** The coarsest level whose voxels, along the plane, are no larger than the pixels allow. */
export function levelFor(volume: Volume, plane: Plane): number {
  const finest = volume.grid(0).scale;
  for (let level = volume.coarsest; level > 0; level -= 1) {
    const { scale } = volume.grid(level);
    const fine = AXES.every((axis) => {
      const along = Math.max(Math.abs(plane.right[axis]), Math.abs(plane.down[axis]));
      // An axis that is not reduced can't be had any finer.
      if (along < 1e-6 || scale[axis] <= finest[axis]) return true;
      return scale[axis] * along <= VOXEL_PIXELS * plane.pixel;
    });
    if (fine) return level;
  }
  return 0;
}

/** Texels of the level at the plane's middle; flat data lies on every plane that shows it. */
export function planeTexels(volume: Volume, level: number, plane: Plane): Position {
  const texels = volume.toTexels(level, plane.center);
  return volume.flat ? [0.5, texels[1], texels[2]] : texels;
}

/**
 * The texels of the level that brick `index` is drawn for along one axis. Between two voxels'
 * centres a linear filter needs both, so there a brick begins half a voxel later: it holds the
 * next brick's first voxel too, but not the former one's last.
 */
function span(
  volume: Volume,
  level: number,
  axis: Axis,
  index: number,
  linear: boolean,
): readonly [low: number, high: number] {
  const { low, high, bricks } = volume.grid(level);
  const size = volume.brick[axis];
  const shift = linear ? 0.5 : 0;
  const from = index === 0 ? low[axis] : index * size + shift;
  const to = index === bricks[axis] - 1 ? high[axis] : (index + 1) * size + shift;
  return [Math.max(from, low[axis]), Math.min(to, high[axis])];
}

/** The bricks along an axis that hold something between two places in texels. */
function brickRange(
  volume: Volume,
  level: number,
  axis: Axis,
  from: number,
  to: number,
  linear: boolean,
): readonly [first: number, last: number] {
  const shift = linear ? 0.5 : 0;
  const last = volume.grid(level).bricks[axis] - 1;
  const at = (texel: number): number => {
    const index = Math.floor((texel - shift) / volume.brick[axis]);
    return Math.min(Math.max(index, 0), last);
  };
  return [at(from), at(to)];
}

/** The bricks of a level that the plane cuts, in no particular order. */
export function coverPlane(volume: Volume, level: number, plane: Plane, linear: boolean): Cell[] {
  if (volume.flat && !showsFlat(plane)) return [];
  const { scale } = volume.grid(level);
  const middle = planeTexels(volume, level, plane);
  const normal = normalOf(plane);
  // Texels from the middle to the rectangle's corners, along every axis.
  const reach = AXES.map(
    (axis) =>
      ((Math.abs(plane.right[axis]) * (plane.width + 2) +
        Math.abs(plane.down[axis]) * (plane.height + 2)) *
        plane.pixel) /
      (2 * Math.abs(scale[axis])),
  );
  const spans = AXES.map((axis) => {
    const [from, to] = [middle[axis] - (reach[axis] ?? 0), middle[axis] + (reach[axis] ?? 0)];
    const [first, last] = brickRange(volume, level, axis, from, to, linear);
    const list: { index: number; low: number; high: number }[] = [];
    for (let index = first; index <= last; index += 1) {
      const [low, high] = span(volume, level, axis, index, linear);
      if (low < high && low <= to && high > from) list.push({ index, low, high });
    }
    return list;
  });
  const cells: Cell[] = [];
  for (const z of spans[0] ?? []) {
    for (const y of spans[1] ?? []) {
      for (const x of spans[2] ?? []) {
        const low: Position = [z.low, y.low, x.low];
        const high: Position = [z.high, y.high, x.high];
        if (!cuts(middle, normal, scale, low, high)) continue;
        const number = volume.number(level, z.index, y.index, x.index);
        const distance = distanceOf(plane, middle, scale, low, high);
        cells.push({ number, z: z.index, y: y.index, x: x.index, low, high, distance });
      }
    }
  }
  return cells;
}

/** Whether the plane through `middle` meets the box; a box owns its lower face only. */
function cuts(
  middle: Position,
  normal: Position,
  scale: Position,
  low: Position,
  high: Position,
): boolean {
  let least = 0;
  let greatest = 0;
  for (const axis of AXES) {
    const slope = normal[axis] * scale[axis];
    if (slope === 0) continue;
    const a = slope * (low[axis] - middle[axis]);
    const b = slope * (high[axis] - middle[axis]);
    least += Math.min(a, b);
    greatest += Math.max(a, b);
  }
  return least <= 0 && greatest > 0;
}

function distanceOf(
  plane: Plane,
  middle: Position,
  scale: Position,
  low: Position,
  high: Position,
): number {
  let across = 0;
  let along = 0;
  for (const axis of AXES) {
    const world = ((low[axis] + high[axis]) / 2 - middle[axis]) * scale[axis];
    across += world * plane.right[axis];
    along += world * plane.down[axis];
  }
  return Math.hypot(across, along) / plane.pixel;
}
