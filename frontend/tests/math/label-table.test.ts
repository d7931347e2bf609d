import { expect, test } from "vitest";
import { LabelTable } from "../../src/math/label-table";
import type { Data } from "../../src/wire/types";

type Row = readonly [label: bigint, voxels: number, box?: readonly number[]];

function bytes(rows: readonly Row[]): ArrayBuffer {
  const count = rows.length;
  const buffer = new ArrayBuffer(8 + count * (8 + 8 + 12 + 24));
  const view = new DataView(buffer);
  view.setBigUint64(0, BigInt(count), true);
  rows.forEach(([label, voxels, box = [0, 0, 0, 1, 1, 1]], row) => {
    view.setBigUint64(8 + row * 8, BigInt.asUintN(64, label), true);
    view.setBigUint64(8 + count * 8 + row * 8, BigInt(voxels), true);
    box.forEach((value, at) => view.setInt32(8 + count * 28 + row * 24 + at * 4, value, true));
  });
  return buffer;
}

function labels(table: LabelTable, ...how: Parameters<LabelTable["rows"]>): string[] {
  return Array.from(table.rows(...how), (row) => table.label(row));
}

const TABLE = new LabelTable(
  bytes([
    [3n, 10],
    [17n, 500],
    [170n, 2],
    [2n ** 63n + 7n, 10],
  ]),
  "uint64",
);

test("labels are exact to 64 bits", () => {
  expect(labels(TABLE, "", "label", false)).toEqual(["3", "17", "170", "9223372036854775815"]);
});

test("the largest come first, equally large ones in the order of labels", () => {
  expect(labels(TABLE, "", "voxels", true)).toEqual(["17", "3", "9223372036854775815", "170"]);
});

test("a search finds labels by their first digits, the very label first", () => {
  expect(labels(TABLE, "17", "voxels", false)).toEqual(["17", "170"]);
  expect(labels(TABLE, "170", "label", true)).toEqual(["170"]);
  expect(labels(TABLE, "5", "label", false)).toEqual([]);
});

test("negative labels come before the others", () => {
  const table = new LabelTable(
    bytes([
      [1n, 1],
      [300n, 1],
      [-7n, 1],
      [-2n, 1],
    ]),
    "int16",
  );
  expect(labels(table, "", "label", false)).toEqual(["-7", "-2", "1", "300"]);
  expect(labels(table, "-", "label", false)).toEqual(["-7", "-2"]);
});

test("the middle of a label is a voxel's centre in the world", () => {
  const table = new LabelTable(bytes([[5n, 8, [0, 10, 4, 3, 20, 6]]]), "uint8");
  const data = {
    dtype: "uint8",
    axes: ["t", "z", "y", "x"].map((name) => ({
      name,
      kind: name === "t" ? ("time" as const) : ("space" as const),
    })),
    levels: [{ shape: [2, 9, 30, 30], scale: [1, 40, 4, 4], translate: [0, 100, 0, 0] }],
    brick: [32, 32, 32],
    apron: [0, 0, 0],
    affine: [
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
    ],
  } as unknown as Data;
  expect(table.middle(0, data)).toEqual([140, 56, 16]);
});

test("of 100,000 labels the largest are found within a frame or two", () => {
  const rows: Row[] = Array.from({ length: 100_000 }, (_, at) => [
    BigInt(at + 1),
    (at * 7919) % 100_003,
  ]);
  const table = new LabelTable(bytes(rows), "uint32");
  const start = performance.now();
  table.rows("", "voxels", true);
  table.rows("12", "voxels", true);
  expect(performance.now() - start).toBeLessThan(1000);
});
