// What a labels style says about single labels (selected, hidden, coloured) as a hash table that
// a shader can look into: thousands of labels at the price of one.
import { labelBits } from "../bricks/element";
import { hashLabel } from "../math/label-color";
import type { LabelsStyle } from "../wire/types";

export const SELECTED = 1;
export const HIDDEN = 2;
export const COLORED = 4;
/** Marks an entry as taken. */
const TAKEN = 0x80;

/** Entries a row of the texture. */
const WIDTH = 256;

export interface LabelTable {
  /** Four words an entry: low and high word of the label, 0xrrggbb, flags; flags 0 when free. */
  readonly words: Uint32Array;
  readonly width: number;
  readonly height: number;
  /** Number of entries - 1, a power of two less one; -1 when nothing is said. */
  readonly mask: number;
}

/** The table of a style. */
export function labelTable(style: LabelsStyle): LabelTable {
  const said = new Map<string, { flags: number; color: number }>();
  const entry = (label: string): { flags: number; color: number } => {
    // Different spellings of one number are one label.
    const key = BigInt(label).toString();
    let found = said.get(key);
    if (found === undefined) {
      found = { flags: TAKEN, color: 0 };
      said.set(key, found);
    }
    return found;
  };
  for (const label of style.selected) entry(label).flags |= SELECTED;
  for (const label of style.hidden) entry(label).flags |= HIDDEN;
  for (const [label, color] of Object.entries(style.colors)) {
    const found = entry(label);
    found.flags |= COLORED;
    found.color = Number.parseInt(color.slice(1), 16);
  }
  if (said.size === 0) return { words: new Uint32Array(4), width: 1, height: 1, mask: -1 };
  // At most half full, so that a search ends after a step or two.
  let size = 4;
  while (size < said.size * 2) size *= 2;
  const words = new Uint32Array(size * 4);
  for (const [label, { flags, color }] of said) {
    const [low, high] = labelBits(BigInt(label));
    let place = hashLabel(low, high) & (size - 1);
    while (words[place * 4 + 3] !== 0) place = (place + 1) & (size - 1);
    words.set([low, high, color, flags], place * 4);
  }
  const width = Math.min(size, WIDTH);
  return { words, width, height: size / width, mask: size - 1 };
}

/** Whether a label is shown under this style; 0 never is. */
export function isShown(label: string, style: LabelsStyle): boolean {
  if (label === "0" || style.hidden.includes(label)) return false;
  return !style.show_selected_only || style.selected.includes(label);
}
