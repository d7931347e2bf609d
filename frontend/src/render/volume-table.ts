// Where the bricks that fill space are on the GPU, as the volume shader reads it: four words a brick.
//
//     x and y of the slot · z, page << 16, kind << 24 · least value · greatest value
import type { Brick } from "../bricks/cache";
import { bricksOf, type Fill } from "../bricks/fill";
import type { Library } from "../bricks/library";
import type { Atlas, Page } from "./atlas";
import { ENTRY, PAGES } from "./shaders/volume";
import { constantWords, toTexel, type TexelCode } from "./texels";

export interface VolumeTable {
  readonly words: Uint32Array;
  /** Texels: bricks along x, and along y and z. */
  readonly width: number;
  readonly height: number;
  readonly pages: readonly Page[];
  /** Whether all bricks could be written: they may lie in more textures than a shader reads. */
  readonly complete: boolean;
}

/** Greater and less than any texel: for bricks of which nothing is known. */
const UNKNOWN = 3e38;

/** Least and greatest value as the shader meets them; rounding must not shut anything out. */
function rangeOf(code: TexelCode, brick: Brick | null): readonly [number, number] {
  if (brick === null || !(brick.minimum <= brick.maximum)) return [-UNKNOWN, UNKNOWN];
  const low = toTexel(code, brick.minimum);
  const high = toTexel(code, brick.maximum);
  const room = 1e-6 * Math.max(Math.abs(low), Math.abs(high));
  return [low - room, high + room];
}

export function volumeTable(
  fill: Fill,
  code: TexelCode,
  atlas: Pick<Atlas, "slot">,
  library: Pick<Library, "brick">,
): VolumeTable {
  const { bricks } = fill;
  const needs = bricksOf(fill);
  const words = new Uint32Array(needs.length * 4);
  const floats = new Float32Array(words.buffer);
  const pages: Page[] = [];
  let complete = true;
  needs.forEach(({ volume, number }, place) => {
    const at = place * 4;
    const slot = atlas.slot(volume, number);
    const brick = library.brick(volume, number);
    if (slot === null) {
      if (brick?.constant !== true) return;
      const [value] = constantWords(code, brick.voxels);
      // A brick of which every voxel is missing shows nothing.
      if (Number.isNaN(Number(brick.voxels[0]))) return;
      words.set([0, ENTRY.constant << 24, value, value], at);
      return;
    }
    let page = pages.indexOf(slot.page);
    if (page < 0) page = pages.push(slot.page) - 1;
    if (page >= PAGES) {
      complete = false;
      return;
    }
    const [x, y, z] = slot.origin;
    words.set([x | (y << 16), z | (page << 16) | (ENTRY.slot << 24)], at);
    floats.set(rangeOf(code, brick), at + 2);
  });
  return { words, width: bricks[2], height: bricks[1] * bricks[0], pages, complete };
}
