// The boxes that a slice is drawn of: every cell of a cover, or the parts of it, with the bricks that
// are read for them.
import { dualOf, planeTexels } from "../bricks/cover";
import type { Cover } from "../bricks/planner";
import type { Volume } from "../bricks/volume";
import type { Position } from "../math/panel";
import type { Page } from "./atlas";
import type { PixelRectangle } from "./pictures";
import { StandIns, type Lookup, type Piece } from "./stand-ins";

/** Words of one instance: five vectors of three floats, and three integers. */
export const INSTANCE_WORDS = 18;

/** The instances that read from one texture; constant ones read from none (page null). */
export interface Batch {
  readonly page: Page | null;
  readonly words: Float32Array;
  readonly count: number;
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

/** The batches of instances that draw a cover with what is there, be it as fine as `finest`. */
export function instancesOf(
  cover: Cover,
  former: Volume | null,
  lookup: Lookup,
  finest = cover.level,
): Batch[] {
  const { volume, plane } = cover.sight;
  const middle = planeTexels(volume, cover.level, plane);
  const standIns = new StandIns(cover, former, lookup, finest);
  const lists = new Map<Page | null, Piece[]>();
  for (const cell of cover.cells) {
    for (const piece of standIns.pieces(cell)) {
      const { residence } = piece.source;
      const page = "page" in residence ? residence.page : null;
      const list = lists.get(page) ?? [];
      lists.set(page, list);
      list.push(piece);
    }
  }
  return [...lists].map(([page, list]) => {
    const words = new Float32Array(list.length * INSTANCE_WORDS);
    const integers = new Uint32Array(words.buffer);
    list.forEach(({ low, high, source }, place) => {
      const { residence } = source;
      const base = place * INSTANCE_WORDS;
      // The shaders' order is (x, y, z).
      for (const axis of [0, 1, 2] as const) {
        const at = base + 2 - axis;
        words[at] = low[axis] - middle[axis];
        words[at + 3] = high[axis] - middle[axis];
        words[at + 6] = source.ratio[axis];
        words[at + 9] = source.shift[axis];
      }
      if ("page" in residence) words.set(residence.origin, base + 12);
      else integers.set([1, ...residence.words], base + 15);
    });
    return { page, words, count: list.length };
  });
}
