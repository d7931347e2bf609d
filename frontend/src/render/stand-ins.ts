// What the cells of a slice are drawn of, while their bricks are on the way. A cell's own brick is
// best, on the GPU or of one value. Next come finer ones, each for its part: who zooms out goes on
// seeing sharply what was looked at before. Everything else is drawn of the nearest coarser brick,
// or else of the volume shown before (another time point, say), until something comes.
import { brickRange, normalOf, planeTexels, span, type Cell } from "../bricks/cover";
import type { Cover } from "../bricks/planner";
import type { BrickNumber, Volume } from "../bricks/volume";
import type { Position } from "../math/panel";
import type { Page } from "./atlas";

/** Where a brick's voxels are to be had for drawing. */
export type Residence =
  | { readonly page: Page; readonly origin: readonly [number, number, number] }
  | { readonly words: readonly [number, number] };

export type Lookup = (volume: Volume, number: BrickNumber) => Residence | null;

interface Source {
  readonly residence: Residence;
  /** Texels of the brick read = texels of the cover's level, from its middle, × ratio + shift. */
  readonly ratio: Position;
  readonly shift: Position;
}

/** A part of the picture, texels (z, y, x) of the cover's level, half open, and what draws it. */
export interface Piece {
  readonly low: Position;
  readonly high: Position;
  readonly source: Source;
}

type Axis = 0 | 1 | 2;

/** What a brick, of the cover's level or a finer one, is drawn for along one axis. */
interface Part {
  /** The brick's. */
  readonly index: number;
  /** Texels of the cover's level. */
  readonly low: number;
  readonly high: number;
  /** How far it lies from the plane, at least and at most: this axis's part of the sum. */
  readonly near: number;
  readonly far: number;
  /** Whether it is so narrow that its brick is not worth looking for. */
  readonly isSliver: boolean;
  /** Parts of it, by bricks of the next finer level; null until somebody asks. */
  parts: readonly Part[] | null;
}

type Box = readonly [z: Part, y: Part, x: Part];

/** Levels that stand in for a coarser one: a third would show a 64th of the picture. */
const FINER_LEVELS = 2;

/** Part of a normal up to which a plane counts as lying along an axis. */
const FLAT = 1e-6;

const SAME: Position = [1, 1, 1];

function each<T>(compute: (axis: Axis) => T): readonly [T, T, T] {
  return [compute(0), compute(1), compute(2)];
}

function isCut([z, y, x]: Box): boolean {
  // As `coverPlane` has it: a box owns its lower face only.
  return z.near + y.near + x.near <= 0 && z.far + y.far + x.far > 0;
}

/** Finds the pieces of one cover's cells. */
export class StandIns {
  readonly #cover: Cover;
  readonly #former: Volume | null;
  readonly #lookup: Lookup;
  readonly #depth: number;
  /** Texels at the plane's middle, and its normal in texels. */
  readonly #middle: Position;
  readonly #normal: Position;
  /** The axis that the plane lies across; null where it is oblique. */
  readonly #across: Axis | null;
  /** Of the cells, by axis and index: cells share them. */
  readonly #parts = each(() => new Map<number, Part>());

  /** Bricks finer than of the level `finest` are not looked for. */
  constructor(cover: Cover, former: Volume | null, lookup: Lookup, finest: number) {
    const { volume, plane } = cover.sight;
    this.#cover = cover;
    this.#former = former !== null && isAlike(volume, former) ? former : null;
    this.#lookup = lookup;
    this.#depth = Math.min(cover.level - finest, FINER_LEVELS);
    this.#middle = planeTexels(volume, cover.level, plane);
    const normal = normalOf(plane);
    const { scale } = volume.grid(cover.level);
    this.#normal = each((axis) => normal[axis] * scale[axis]);
    const slopes = each((axis) => axis).filter((axis) => Math.abs(normal[axis]) > FLAT);
    this.#across = slopes.length === 1 ? (slopes[0] ?? null) : null;
  }

  /** What the cell is drawn of; its pieces do not overlap. */
  pieces(cell: Cell): Piece[] {
    const { sight, level } = this.#cover;
    const { volume } = sight;
    const { z, y, x, low, high } = cell;
    const own = this.#lookup(volume, cell.number);
    if (own !== null) {
      const [depth, height, width] = volume.brick;
      const [mz, my, mx] = this.#middle;
      const shift = [mz - z * depth, my - y * height, mx - x * width] as const;
      return [{ low, high, source: { residence: own, ratio: SAME, shift } }];
    }
    const coarse =
      this.#coarser(volume, level + 1, low, high) ??
      (this.#former && this.#coarser(this.#former, level, low, high));
    const pieces: Piece[] = [];
    if (this.#depth > 0) {
      const box: Box = [this.#part(0, z, cell), this.#part(1, y, cell), this.#part(2, x, cell)];
      if (this.#hasFiner(box, level - 1, this.#depth)) {
        this.#fill(box, level - 1, this.#depth, coarse, pieces);
        return pieces;
      }
    }
    if (coarse !== null) pieces.push({ low, high, source: coarse });
    return pieces;
  }

  /** The brick of any level, if it is there. */
  #source(volume: Volume, level: number, z: number, y: number, x: number): Source | null {
    const residence = this.#lookup(volume, volume.number(level, z, y, x));
    if (residence === null) return null;
    const [from, to] = [volume.grid(this.#cover.level), volume.grid(level)];
    const index: Position = [z, y, x];
    const shift = each((axis) => {
      const middle = this.#toLevel(volume, level, axis, this.#middle[axis]);
      return middle - index[axis] * volume.brick[axis];
    });
    return { residence, ratio: each((axis) => from.scale[axis] / to.scale[axis]), shift };
  }

  /** The finest brick from this level on in which the box lies, if any is there. */
  #coarser(volume: Volume, from: number, low: Position, high: Position): Source | null {
    for (let level = from; level <= volume.coarsest; level += 1) {
      const { bricks } = volume.grid(level);
      const [z, y, x] = each((axis) => {
        // Along the plane's normal only the plane is drawn: its brick is the one that is asked for.
        const isNormal = axis === this.#across;
        const middle = isNormal ? this.#middle[axis] : (low[axis] + high[axis]) / 2;
        const begins = isNormal && this.#cover.sight.linear ? 0.5 : 0;
        const place = this.#toLevel(volume, level, axis, middle) - begins;
        const brick = Math.floor(place / volume.brick[axis]);
        return Math.min(Math.max(brick, 0), bricks[axis] - 1);
      });
      const source = this.#source(volume, level, z, y, x);
      if (source !== null) return source;
    }
    return null;
  }

  /** Whether a brick of this level, or of finer ones, is there for any part of the box. */
  #hasFiner(box: Box, level: number, depth: number): boolean {
    const { volume } = this.#cover.sight;
    return this.#some(box, level, (part) => {
      const [z, y, x] = part;
      if (z.isSliver || y.isSliver || x.isSliver) return false;
      const isHere = this.#lookup(volume, volume.number(level, z.index, y.index, x.index)) !== null;
      return isHere || (depth > 1 && this.#hasFiner(part, level - 1, depth - 1));
    });
  }

  /** Draw the box of these bricks, and what they leave of `coarse`. */
  #fill(box: Box, level: number, depth: number, coarse: Source | null, pieces: Piece[]): void {
    this.#some(box, level, (part) => {
      const [z, y, x] = part;
      const own = this.#source(this.#cover.sight.volume, level, z.index, y.index, x.index);
      if (own === null && depth > 1 && this.#hasFiner(part, level - 1, depth - 1)) {
        this.#fill(part, level - 1, depth - 1, coarse, pieces);
        return false;
      }
      const source = own ?? coarse;
      if (source === null) return false;
      const [low, high] = [[z.low, y.low, x.low] as const, [z.high, y.high, x.high] as const];
      pieces.push({ low, high, source });
      return false;
    });
  }

  /** Whether `test` holds for any of the parts of a box that the plane cuts. */
  #some(box: Box, level: number, test: (part: Box) => boolean): boolean {
    const [zs, ys, xs] = each((axis) => this.#finerParts(axis, box[axis], level));
    for (const z of zs) {
      for (const y of ys) {
        for (const x of xs) {
          const part: Box = [z, y, x];
          if (isCut(part) && test(part)) return true;
        }
      }
    }
    return false;
  }

  #part(axis: Axis, index: number, cell: Cell): Part {
    const known = this.#parts[axis].get(index);
    if (known !== undefined) return known;
    const part = this.#newPart(axis, index, cell.low[axis], cell.high[axis], false);
    this.#parts[axis].set(index, part);
    return part;
  }

  #newPart(axis: Axis, index: number, low: number, high: number, isSliver: boolean): Part {
    const slope = this.#normal[axis];
    const middle = this.#middle[axis];
    // 0 × Infinity must not be.
    const [a, b] = slope === 0 ? [0, 0] : [slope * (low - middle), slope * (high - middle)];
    return { index, low, high, near: Math.min(a, b), far: Math.max(a, b), isSliver, parts: null };
  }

  /** What bricks of the level are drawn for of a part of the next coarser one. */
  #finerParts(axis: Axis, part: Part, level: number): readonly Part[] {
    if (part.parts !== null) return part.parts;
    const { volume, linear } = this.#cover.sight;
    const to = (texel: number): number => this.#toLevel(volume, level, axis, texel);
    const [from, until] = [to(part.low), to(part.high)];
    const [first, last] = brickRange(volume, level, axis, from, until, linear);
    const parts: Part[] = [];
    for (let index = first; index <= last; index += 1) {
      const [begin, end] = span(volume, level, axis, index, linear);
      const low = index === first ? part.low : this.#fromLevel(volume, level, axis, begin);
      const high = index === last ? part.high : this.#fromLevel(volume, level, axis, end);
      const isSliver = Math.min(end, until) - Math.max(begin, from) < 1;
      if (low < high) parts.push(this.#newPart(axis, index, low, high, isSliver));
    }
    part.parts = parts;
    return parts;
  }

  /** A place in texels of the cover's level, in those of another. */
  #toLevel(volume: Volume, level: number, axis: Axis, texel: number): number {
    if (level === this.#cover.level) return texel;
    const [from, to] = [volume.grid(this.#cover.level), volume.grid(level)];
    const way = (from.translate[axis] - to.translate[axis]) / to.scale[axis];
    return way + (texel - 0.5) * (from.scale[axis] / to.scale[axis]) + 0.5;
  }

  /** And back. */
  #fromLevel(volume: Volume, level: number, axis: Axis, texel: number): number {
    const [from, to] = [volume.grid(level), volume.grid(this.#cover.level)];
    const way = (from.translate[axis] - to.translate[axis]) / to.scale[axis];
    return way + (texel - 0.5) * (from.scale[axis] / to.scale[axis]) + 0.5;
  }
}

/** Whether bricks of `former` may stand in for those of `volume`: same grid, other point. */
function isAlike(volume: Volume, former: Volume): boolean {
  return former.layer === volume.layer && former.coarsest === volume.coarsest;
}

/** The finest level of each volume among these covers, or before, when it was `before`. */
export function finestOf(
  covers: readonly Cover[],
  before: ReadonlyMap<Volume, number> = new Map(),
): Map<Volume, number> {
  const levels = new Map<Volume, number>();
  for (const { sight, level } of covers) {
    const known = levels.get(sight.volume) ?? before.get(sight.volume) ?? level;
    levels.set(sight.volume, Math.min(level, known));
  }
  return levels;
}
