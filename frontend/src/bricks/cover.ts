// Which bricks of a level a picture plane cuts, and which level is fine enough for it. Pure.
//
//        right →
//      ┌──┬──┬──┬──┐     the plane's rectangle, `pixel` world units a pixel, lies somewhere in
//  down│  │  │  │  │     the level's grid of bricks; a brick that it touches is a *cell*, with
//    ↓ ├──┼──┼──┼──┤     the box of texels that is drawn from that brick
//      └──┴──┴──┴──┘
import type { Position } from "../math/panel";
import type { BrickNumber, Volume } from "./volume";

/**
 * A rectangle of pixels in the world, or, as a volume's affine map shows it, in the volume's own
 * coordinates, where everything below takes place. Vectors are (z, y, x).
 */
export interface Plane {
  /** Position at the pixel `middle`. */
  readonly center: Position;
  /** Pixels from the rectangle's top left corner, about its middle. */
  readonly middle: readonly [x: number, y: number];
  /** Ways of one world unit along the rectangle's edges; in the world at right angles. */
  readonly right: Position;
  readonly down: Position;
  /** What tells how far a way leads along `right` and `down`, where they do not tell so themselves. */
  readonly dual?: { readonly right: Position; readonly down: Position };
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
  /** Pixels from the focus, on the plane, to the middle of the brick. */
  readonly distance: number;
}

/** Pixels a voxel may measure before the next finer level is taken. */
export const VOXEL_PIXELS = 1.25;

type Axis = 0 | 1 | 2;
const AXES: readonly Axis[] = [0, 1, 2];

/** The plane as it lies in the volume's own coordinates. */
export function ownPlane({ map }: Volume, plane: Plane): Plane {
  if (map.isIdentity) return plane;
  return {
    ...plane,
    center: map.inward(plane.center),
    right: map.inwardWay(plane.right),
    down: map.inwardWay(plane.down),
    dual: { right: map.inwardDual(plane.right), down: map.inwardDual(plane.down) },
  };
}

/** What tells how far a way leads along the plane's edges, in world units. */
export function dualOf(plane: Plane): { readonly right: Position; readonly down: Position } {
  return plane.dual ?? plane;
}

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
export function showsFlat(plane: Pick<Plane, "right" | "down">): boolean {
  return plane.right[0] === 0 && plane.down[0] === 0;
}

/** The coarsest level whose voxels, along the plane, are no larger than the pixels allow. */
export function levelFor(volume: Volume, plane: Plane): number {
  const finest = volume.grid(0).scale;
  const { right, down } = dualOf(plane);
  for (let level = volume.coarsest; level > 0; level -= 1) {
    const { scale } = volume.grid(level);
    const fine = AXES.every((axis) => {
      const along = Math.max(Math.abs(right[axis]), Math.abs(down[axis]));
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
export function span(
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
export function brickRange(
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

/** The bricks along one axis that a plane's rectangle may cut. */
interface Row {
  readonly index: number[];
  /** Texels drawn from each. */
  readonly low: number[];
  readonly high: number[];
  /** How far each lies from the plane, at least and at most: this axis's part of the sum. */
  readonly near: number[];
  readonly far: number[];
  /** Pixels from the plane's middle to that of each, along its right and down. */
  readonly right: number[];
  readonly down: number[];
}

type Rows = readonly [Row, Row, Row];

function rowOf(
  volume: Volume,
  level: number,
  axis: Axis,
  plane: Plane,
  middle: number,
  normal: number,
  linear: boolean,
): Row {
  const scale = volume.grid(level).scale[axis];
  // Texels from the middle to the rectangle's corners.
  const reach =
    ((Math.abs(plane.right[axis]) * (plane.width + 2) +
      Math.abs(plane.down[axis]) * (plane.height + 2)) *
      plane.pixel) /
    (2 * Math.abs(scale));
  const [from, to] = [middle - reach, middle + reach];
  const [first, last] = brickRange(volume, level, axis, from, to, linear);
  const dual = dualOf(plane);
  const row: Row = { index: [], low: [], high: [], near: [], far: [], right: [], down: [] };
  for (let index = first; index <= last; index += 1) {
    const [low, high] = span(volume, level, axis, index, linear);
    if (low >= high || low > to || high <= from) continue;
    row.index.push(index);
    row.low.push(low);
    row.high.push(high);
    const slope = normal * scale;
    // An axis along the plane adds nothing; 0 × Infinity must not, either.
    const [a, b] = slope === 0 ? [0, 0] : [slope * (low - middle), slope * (high - middle)];
    row.near.push(Math.min(a, b));
    row.far.push(Math.max(a, b));
    const pixels = (((low + high) / 2 - middle) * scale) / plane.pixel;
    row.right.push(pixels * dual.right[axis]);
    row.down.push(pixels * dual.down[axis]);
  }
  return row;
}

/** Told of a brick: its number and its distance as in `Cell`, and its places in the three rows. */
type Visit = (number: BrickNumber, distance: number, k: number, j: number, i: number) => void;

/**
 * Visit the bricks of a level that the plane cuts, in no particular order. A box is cut if it lies
 * partly on both sides; it owns its lower face only. Everything about a box is a sum over the
 * axes, so the parts are computed beforehand: there may be thousands of boxes in a frame.
 */
function visitRows(
  volume: Volume,
  level: number,
  plane: Plane,
  focus: Position | null,
  [zs, ys, xs]: Rows,
  visit: Visit,
): void {
  const { bricks, first } = volume.grid(level);
  // Pixels from the plane's middle to the focus.
  const aside = (direction: Position): number =>
    focus === null
      ? 0
      : AXES.reduce<number>(
          (sum, axis) => sum + ((focus[axis] - plane.center[axis]) * direction[axis]) / plane.pixel,
          0,
        );
  const dual = dualOf(plane);
  const [focusRight, focusDown] = [aside(dual.right), aside(dual.down)];
  const depth = zs.index.length;
  const height = ys.index.length;
  const width = xs.index.length;
  for (let k = 0; k < depth; k += 1) {
    const z = zs.index[k] ?? 0;
    for (let j = 0; j < height; j += 1) {
      const y = ys.index[j] ?? 0;
      const near = (zs.near[k] ?? 0) + (ys.near[j] ?? 0);
      const far = (zs.far[k] ?? 0) + (ys.far[j] ?? 0);
      const right = (zs.right[k] ?? 0) + (ys.right[j] ?? 0) - focusRight;
      const down = (zs.down[k] ?? 0) + (ys.down[j] ?? 0) - focusDown;
      const row = first + (z * bricks[1] + y) * bricks[2];
      for (let i = 0; i < width; i += 1) {
        if (near + (xs.near[i] ?? 0) > 0 || far + (xs.far[i] ?? 0) <= 0) continue;
        const across = right + (xs.right[i] ?? 0);
        const along = down + (xs.down[i] ?? 0);
        visit(row + (xs.index[i] ?? 0), Math.sqrt(across * across + along * along), k, j, i);
      }
    }
  }
}

function rowsOf(volume: Volume, level: number, plane: Plane, linear: boolean): Rows {
  const middle = planeTexels(volume, level, plane);
  const normal = normalOf(plane);
  const row = (axis: Axis): Row =>
    rowOf(volume, level, axis, plane, middle[axis], normal[axis], linear);
  return [row(0), row(1), row(2)];
}

/** Tell of the bricks of a level that the plane cuts, as `Cell.number` and `Cell.distance`. */
export function visitPlane(
  volume: Volume,
  level: number,
  plane: Plane,
  linear: boolean,
  focus: Position | null,
  visit: (number: BrickNumber, distance: number) => void,
): void {
  if (volume.flat && !showsFlat(plane)) return;
  visitRows(volume, level, plane, focus, rowsOf(volume, level, plane, linear), visit);
}

/** The bricks of a level that the plane cuts, in no particular order, with what is drawn of them. */
export function coverPlane(
  volume: Volume,
  level: number,
  plane: Plane,
  linear: boolean,
  focus: Position | null = null,
): Cell[] {
  if (volume.flat && !showsFlat(plane)) return [];
  const rows = rowsOf(volume, level, plane, linear);
  const cells: Cell[] = [];
  visitRows(volume, level, plane, focus, rows, (number, distance, k, j, i) => {
    cells.push(new RowCell(number, distance, rows, k, j, i));
  });
  return cells;
}

/** A cell that looks up its places when it is drawn: most are planned more often than drawn. */
class RowCell implements Cell {
  readonly number: BrickNumber;
  readonly distance: number;
  readonly #rows: Rows;
  readonly #k: number;
  readonly #j: number;
  readonly #i: number;

  constructor(number: BrickNumber, distance: number, rows: Rows, k: number, j: number, i: number) {
    this.number = number;
    this.distance = distance;
    this.#rows = rows;
    this.#k = k;
    this.#j = j;
    this.#i = i;
  }

  get z(): number {
    return this.#rows[0].index[this.#k] ?? 0;
  }

  get y(): number {
    return this.#rows[1].index[this.#j] ?? 0;
  }

  get x(): number {
    return this.#rows[2].index[this.#i] ?? 0;
  }

  get low(): Position {
    const [zs, ys, xs] = this.#rows;
    return [zs.low[this.#k] ?? 0, ys.low[this.#j] ?? 0, xs.low[this.#i] ?? 0];
  }

  get high(): Position {
    const [zs, ys, xs] = this.#rows;
    return [zs.high[this.#k] ?? 0, ys.high[this.#j] ?? 0, xs.high[this.#i] ?? 0];
  }
}
