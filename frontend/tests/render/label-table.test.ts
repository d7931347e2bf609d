import { describe, expect, it } from "vitest";
import { labelBits } from "../../src/bricks/element";
import { hashLabel } from "../../src/math/label-color";
import {
  COLORED,
  HIDDEN,
  isShown,
  labelTable,
  SELECTED,
  type LabelTable,
} from "../../src/render/label-table";
import type { LabelsStyle } from "../../src/wire/types";

const plain: LabelsStyle = {
  opacity: 0.5,
  selected: [],
  hidden: [],
  show_selected_only: false,
  colors: {},
  seed: 0,
  contour: 0,
  meshes: true,
  mesh_opacity: 1,
  silhouette: 0,
};

/** What the shader finds, searching as it does. */
function find({ words, mask }: LabelTable, label: bigint): { color: number; flags: number } | null {
  const [low, high] = labelBits(label);
  for (let place = hashLabel(low, high) & mask, probe = 0; probe <= mask; probe += 1) {
    const [a, b, color, flags] = words.subarray(place * 4, place * 4 + 4);
    if (flags === 0) return null;
    if (a === low && b === high) return { color: color!, flags: flags! & 0x7f };
    place = (place + 1) & mask;
  }
  return null;
}

describe("labelTable", () => {
  it("is empty when the style says nothing", () => {
    expect(labelTable(plain).mask).toBe(-1);
  });

  it("finds each of thousands of labels, and no others", () => {
    const selected = Array.from({ length: 5000 }, (_, i) =>
      (BigInt(i) * 2n ** 40n + 3n).toString(),
    );
    const table = labelTable({ ...plain, selected, hidden: [selected[7]!] });
    for (const label of selected)
      expect(find(table, BigInt(label))!.flags & SELECTED).toBe(SELECTED);
    expect(find(table, BigInt(selected[7]!))!.flags).toBe(SELECTED | HIDDEN);
    expect(find(table, 4n)).toBeNull();
    expect(table.width * table.height).toBe(table.mask + 1);
  });

  it("keeps colours, negative labels by their 64 bits", () => {
    const table = labelTable({ ...plain, colors: { "-3": "#102030" } });
    expect(find(table, -3n)).toEqual({ color: 0x102030, flags: COLORED });
  });
});

describe("isShown", () => {
  it("never shows 0, nor hidden labels, nor others than the selected when only those are asked", () => {
    expect(isShown("0", plain)).toBe(false);
    expect(isShown("5", { ...plain, hidden: ["5"] })).toBe(false);
    expect(isShown("5", { ...plain, selected: ["4"], show_selected_only: true })).toBe(false);
    expect(isShown("5", plain)).toBe(true);
  });
});
