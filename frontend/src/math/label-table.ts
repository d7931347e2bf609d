// All labels of a layer: how large they are and where, as the server's index lists them; and which
// of them are listed in which order. Numbers stay in typed arrays: there may be millions.
import type { Position } from "./panel";
import { affineOf } from "./affine";
import { levelSpace } from "./space";
import type { Data } from "../wire/types";

export type Order = "label" | "voxels";

export class LabelTable {
  readonly #labels: BigUint64Array | BigInt64Array;
  readonly #voxels: BigUint64Array;
  readonly #boxes: Int32Array;
  #texts: string[] | null = null;

  /**
   * `buffer` as `layers/<id>/labels` answers: uint64 n, then n labels, n counts of voxels, n mean
   * positions (3 × float32), n bounding boxes (6 × int32, z y x, half-open). Throws RangeError for
   * what is too short.
   */
  constructor(buffer: ArrayBuffer, dtype: string) {
    const count = Number(new DataView(buffer).getBigUint64(0, true));
    const isSigned = dtype.startsWith("int");
    this.#labels = isSigned
      ? new BigInt64Array(buffer, 8, count)
      : new BigUint64Array(buffer, 8, count);
    this.#voxels = new BigUint64Array(buffer, 8 + 8 * count, count);
    this.#boxes = new Int32Array(buffer, 8 + 28 * count, 6 * count);
  }

  get count(): number {
    return this.#labels.length;
  }

  /** Decimal, as the document spells it. */
  label(row: number): string {
    return (this.#labels[row] ?? 0n).toString();
  }

  voxels(row: number): number {
    return Number(this.#voxels[row] ?? 0n);
  }

  /** Middle of a label's bounding box in the world, on a voxel's centre. */
  middle(row: number, data: Data): Position {
    const [level] = data.levels;
    if (level === undefined) return [0, 0, 0];
    const { scale, translate } = levelSpace(data, level);
    const at = (axis: 0 | 1 | 2): number => {
      const start = this.#boxes[6 * row + axis] ?? 0;
      const stop = this.#boxes[6 * row + 3 + axis] ?? 1;
      return translate[axis] + scale[axis] * Math.floor((start + stop - 1) / 2);
    };
    return affineOf(data).outward([at(0), at(1), at(2)]);
  }

  /** The rows of these labels, of those that are there. */
  find(labels: ReadonlySet<string>): Map<string, number> {
    const rows = new Map<string, number>();
    for (let row = 0; row < this.count; row += 1) {
      const label = this.label(row);
      if (labels.has(label)) rows.set(label, row);
    }
    return rows;
  }

  /** Rows whose labels begin with these digits, the very label first, in the order asked for. */
  rows(prefix: string, order: Order, isDescending: boolean): Uint32Array {
    const rows =
      prefix === ""
        ? Uint32Array.from({ length: this.count }, (_, row) => row)
        : this.#begin(prefix);
    if (order === "voxels") {
      const sizes = Float64Array.from(this.#voxels, Number);
      const sign = isDescending ? -1 : 1;
      rows.sort((a, b) => sign * ((sizes[a] ?? 0) - (sizes[b] ?? 0)) || a - b);
    } else {
      // The server's order is that of unsigned numbers.
      const isSigned = this.#labels instanceof BigInt64Array;
      const from = isSigned ? rows.findIndex((row) => (this.#labels[row] ?? 0n) < 0n) : -1;
      if (from > 0) rows.set([...rows.subarray(from), ...rows.subarray(0, from)]);
      if (isDescending) rows.reverse();
    }
    const exact = rows.findIndex((row) => this.label(row) === prefix);
    const first = rows[exact];
    if (first !== undefined) {
      rows.copyWithin(1, 0, exact);
      rows[0] = first;
    }
    return rows;
  }

  #begin(prefix: string): Uint32Array {
    this.#texts ??= Array.from(this.#labels, (label: bigint) => label.toString());
    const rows: number[] = [];
    this.#texts.forEach((text, row) => {
      if (text.startsWith(prefix)) rows.push(row);
    });
    return Uint32Array.from(rows);
  }
}
