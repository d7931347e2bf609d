// The boxes that a slice is drawn of: every cell of a cover, with the brick that is read for it.
// That is the brick itself where it is on the GPU or is of one value; else the nearest coarser one
// that is; else one of the volume shown before (another time point, say), until something comes.
import { dualOf, planeTexels, type Cell } from "../bricks/cover";
import type { Cover } from "../bricks/planner";
import type { BrickNumber, Volume } from "../bricks/volume";
import type { Position } from "../math/panel";
import type { Page } from "./atlas";
import type { PixelRectangle } from "./pictures";

/** Where a brick's voxels are to be had for drawing. */
export type Residence =
  | { readonly page: Page; readonly origin: readonly [number, number, number] }
  | { readonly words: readonly [number, number] };

export type Lookup = (volume: Volume, number: BrickNumber) => Residence | null;

/** Words of one instance: five vectors of three floats, and three integers. */
export const INSTANCE_WORDS = 18;

/** The instances that read from one texture; constant ones read from none (page null). */
export interface Batch {
  readonly page: Page | null;
  readonly words: Float32Array;
  readonly count: number;
}

interface Source {
  readonly residence: Residence;
  /** Texels of the brick read = texels of the cell's level × ratio + shift. */
  readonly ratio: Position;
  readonly shift: Position;
}

type Axis = 0 | 1 | 2;

function each(compute: (axis: Axis) => number): Position {
  return [compute(0), compute(1), compute(2)];
}

/** A cell's brick in `volume`, or the nearest coarser one; texels from the plane's middle. */
function sourceOf(
  cell: Cell,
  level: number,
  middle: Position,
  volume: Volume,
  lookup: Lookup,
): Source | null {
  const own = lookup(volume, cell.number);
  if (own !== null) {
    const index: Position = [cell.z, cell.y, cell.x];
    const shift = each((axis) => middle[axis] - index[axis] * volume.brick[axis]);
    return { residence: own, ratio: [1, 1, 1], shift };
  }
  const grid = volume.grid(level);
  for (let coarse = level + 1; coarse <= volume.coarsest; coarse += 1) {
    const other = volume.grid(coarse);
    const ratio = each((axis) => grid.scale[axis] / other.scale[axis]);
    const toCoarse = (axis: Axis, texel: number): number =>
      (grid.translate[axis] - other.translate[axis]) / other.scale[axis] +
      (texel - 0.5) * ratio[axis] +
      0.5;
    const index = each((axis) => {
      const place = toCoarse(axis, (cell.low[axis] + cell.high[axis]) / 2);
      const brick = Math.floor(place / volume.brick[axis]);
      return Math.min(Math.max(brick, 0), other.bricks[axis] - 1);
    });
    const residence = lookup(volume, volume.number(coarse, index[0], index[1], index[2]));
    if (residence !== null) {
      const shift = each((axis) => toCoarse(axis, middle[axis]) - index[axis] * volume.brick[axis]);
      return { residence, ratio, shift };
    }
  }
  return null;
}

/** Whether bricks of `former` may stand in for those of `volume`: same grid, other point. */
function isAlike(volume: Volume, former: Volume): boolean {
  return former.layer === volume.layer && former.coarsest === volume.coarsest;
}

/** The part of the picture, in its pixels, that the boxes of a cover lie in. */
export function extentOf(cover: Cover): PixelRectangle {
  const { volume, plane } = cover.sight;
  const { scale } = volume.grid(cover.level);
  const middle = planeTexels(volume, cover.level, plane);
  // How far the boxes reach on the screen's axes, from the plane's middle.
  const reach = (direction: Position, limit: number, from: number): [number, number] => {
    let [least, most] = [Infinity, -Infinity];
    for (const { low, high } of cover.cells) {
      let [near, far] = [0, 0];
      for (const axis of [0, 1, 2] as const) {
        const pixels = (direction[axis] * scale[axis]) / plane.pixel;
        const [a, b] = [(low[axis] - middle[axis]) * pixels, (high[axis] - middle[axis]) * pixels];
        near += Math.min(a, b);
        far += Math.max(a, b);
      }
      least = Math.min(least, near);
      most = Math.max(most, far);
    }
    // A pixel more, for rounding.
    return [Math.max(Math.floor(from + least) - 1, 0), Math.min(Math.ceil(from + most) + 1, limit)];
  };
  const dual = dualOf(plane);
  const [left, right] = reach(dual.right, plane.width, plane.middle[0]);
  const [top, bottom] = reach(dual.down, plane.height, plane.middle[1]);
  return { left, top, width: Math.max(right - left, 0), height: Math.max(bottom - top, 0) };
}

/** The batches of instances that draw a cover with what is there. */
export function instancesOf(cover: Cover, former: Volume | null, lookup: Lookup): Batch[] {
  const { volume, plane } = cover.sight;
  const middle = planeTexels(volume, cover.level, plane);
  const lists = new Map<Page | null, { cell: Cell; source: Source }[]>();
  for (const cell of cover.cells) {
    let source = sourceOf(cell, cover.level, middle, volume, lookup);
    if (source === null && former !== null && isAlike(volume, former)) {
      source = sourceOf(cell, cover.level, middle, former, lookup);
    }
    if (source === null) continue;
    const page = "page" in source.residence ? source.residence.page : null;
    const list = lists.get(page) ?? [];
    lists.set(page, list);
    list.push({ cell, source });
  }
  return [...lists].map(([page, list]) => {
    const words = new Float32Array(list.length * INSTANCE_WORDS);
    const integers = new Uint32Array(words.buffer);
    list.forEach(({ cell, source }, place) => {
      const { residence } = source;
      const base = place * INSTANCE_WORDS;
      // The shaders' order is (x, y, z).
      for (const axis of [0, 1, 2] as const) {
        const at = base + 2 - axis;
        words[at] = cell.low[axis] - middle[axis];
        words[at + 3] = cell.high[axis] - middle[axis];
        words[at + 6] = source.ratio[axis];
        words[at + 9] = source.shift[axis];
      }
      if ("page" in residence) words.set(residence.origin, base + 12);
      else integers.set([1, ...residence.words], base + 15);
    });
    return { page, words, count: list.length };
  });
}
