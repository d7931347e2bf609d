import { describe, expect, it } from "vitest";
import { affineOf } from "../../src/math/affine";
import { dataBounds } from "../../src/math/space";
import type { Data } from "../../src/wire/types";
import { exampleData } from "../bricks/example-data";

const ROWS: Data["affine"] = [
  [1, 0, 0.5, 5],
  [0, 0, -2, 6],
  [0.25, 1, 0, 7],
];

describe("affineOf", () => {
  it("leaves places alone where it is the identity", () => {
    const map = affineOf(exampleData());
    const place = [1, 2, 3] as const;
    expect(map.isIdentity).toBe(true);
    expect(map.outward(place)).toBe(place);
  });

  it("takes places to the world and back", () => {
    const map = affineOf({ affine: ROWS });
    expect(map.outward([2, 3, 4])).toEqual([2 + 2 + 5, -8 + 6, 0.5 + 3 + 7]);
    map.inward(map.outward([2, 3, 4])).forEach((part, axis) => {
      expect(part).toBeCloseTo(axis + 2);
    });
  });

  it("knows how long its units are in the world", () => {
    const { stretch } = affineOf({ affine: ROWS });
    expect(stretch[0]).toBeCloseTo(Math.hypot(1, 0.25));
    expect(stretch[1]).toBe(1);
    expect(stretch[2]).toBeCloseTo(Math.hypot(0.5, 2));
  });
});

describe("dataBounds", () => {
  it("reaches around what is turned", () => {
    const turned: Data["affine"] = [
      [1, 0, 0, 0],
      [0, 0, -1, 0],
      [0, 1, 0, 10],
    ];
    const bounds = dataBounds(exampleData({ shape: [4, 6, 8], affine: turned }));
    expect(bounds).toEqual({ low: [-0.5, -7.5, 9.5], high: [3.5, 0.5, 15.5] });
  });
});
