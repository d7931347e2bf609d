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

/** A box of texels (z, y, x) of the cover's level, half open. */
interface Box {
  readonly low: Position;
  readonly high: Position;
}

/** A part of the picture, and what it is drawn of. */
export interface Piece extends Box {
  readonly source: Source;
}

type Axis = 0 | 1 | 2;

/** Levels that stand in for a coarser one: a third would show a 64th of the picture. */
const FINER_LEVELS = 2;

function each<T>(compute: (axis: Axis) => T): readonly [T, T, T] {
  return [compute(0), compute(1), compute(2)];
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
  }

  /** What the cell is drawn of; its pieces do not overlap. */
  pieces(cell: Cell): Piece[] {
    const { sight, level } = this.#cover;
    const { volume } = sight;
    const index: Position = [cell.z, cell.y, cell.x];
    const { low, high } = cell;
    const own = this.#source(volume, level, index);
    if (own !== null) return [{ low, high, source: own }];
    const left: Box[] = [];
    const pieces = this.#finer({ low, high }, level - 1, this.#depth, left);
    if (pieces.length === 0) left.splice(0, Infinity, { low, high });
    if (left.length === 0) return pieces;
    const source =
      this.#coarser(volume, level + 1, { low, high }) ??
      (this.#former && this.#coarser(this.#former, level, { low, high }));
    if (source !== null) pieces.push(...left.map((box) => ({ ...box, source })));
    return pieces;
  }

  /** The brick of any level, if it is there. */
  #source(volume: Volume, level: number, index: Position): Source | null {
    const residence = this.#lookup(volume, volume.number(level, index[0], index[1], index[2]));
    if (residence === null) return null;
    const ratio = this.#ratio(volume, level);
    const shift = each((axis) => {
      const middle = this.#toLevel(volume, level, axis, this.#middle[axis]);
      return middle - index[axis] * volume.brick[axis];
    });
    return { residence, ratio, shift };
  }

  /** The finest brick from this level on in which the box lies, if any is there. */
  #coarser(volume: Volume, from: number, { low, high }: Box): Source | null {
    for (let level = from; level <= volume.coarsest; level += 1) {
      const { bricks } = volume.grid(level);
      const index = each((axis) => {
        const place = this.#toLevel(volume, level, axis, (low[axis] + high[axis]) / 2);
        const brick = Math.floor(place / volume.brick[axis]);
        return Math.min(Math.max(brick, 0), bricks[axis] - 1);
      });
      const source = this.#source(volume, level, index);
      if (source !== null) return source;
    }
    return null;
  }

  /**
   * The parts of the box that bricks of this level, or of finer ones, are there for; the rest of it
   * goes to `left`.
   */
  #finer(box: Box, level: number, depth: number, left: Box[]): Piece[] {
    if (depth <= 0) return [];
    const { volume } = this.#cover.sight;
    const rows = each((axis) => this.#parts(axis, box, level));
    const pieces: Piece[] = [];
    for (const z of rows[0]) {
      for (const y of rows[1]) {
        for (const x of rows[2]) {
          const part: Box = {
            low: [z.low, y.low, x.low],
            high: [z.high, y.high, x.high],
          };
          if (!this.#isCut(part)) continue;
          const source = this.#source(volume, level, [z.index, y.index, x.index]);
          if (source !== null) {
            pieces.push({ ...part, source });
            continue;
          }
          const rest: Box[] = [];
          const found = this.#finer(part, level - 1, depth - 1, rest);
          pieces.push(...found);
          left.push(...(found.length === 0 ? [part] : rest));
        }
      }
    }
    return pieces;
  }

  /** What the bricks of a finer level are drawn for along one axis of the box. */
  #parts(axis: Axis, box: Box, level: number): { index: number; low: number; high: number }[] {
    const { volume, linear } = this.#cover.sight;
    const [low, high] = [box.low[axis], box.high[axis]];
    const to = (texel: number): number => this.#toLevel(volume, level, axis, texel);
    const [first, last] = brickRange(volume, level, axis, to(low), to(high), linear);
    const parts: { index: number; low: number; high: number }[] = [];
    for (let index = first; index <= last; index += 1) {
      const [from, until] = span(volume, level, axis, index, linear);
      const part = {
        index,
        low: index === first ? low : this.#fromLevel(volume, level, axis, from),
        high: index === last ? high : this.#fromLevel(volume, level, axis, until),
      };
      if (part.low < part.high) parts.push(part);
    }
    return parts;
  }

  /** As `coverPlane` has it: a box owns its lower face only. */
  #isCut({ low, high }: Box): boolean {
    let [near, far] = [0, 0];
    for (const axis of [0, 1, 2] as const) {
      const slope = this.#normal[axis];
      if (slope === 0) continue;
      const [a, b] = [low[axis] - this.#middle[axis], high[axis] - this.#middle[axis]];
      near += Math.min(slope * a, slope * b);
      far += Math.max(slope * a, slope * b);
    }
    return near <= 0 && far > 0;
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

  #ratio(volume: Volume, level: number): Position {
    const [from, to] = [volume.grid(this.#cover.level), volume.grid(level)];
    return each((axis) => from.scale[axis] / to.scale[axis]);
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
