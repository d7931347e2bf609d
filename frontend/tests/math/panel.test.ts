import { quat, vec3 } from "gl-matrix";
import { describe, expect, it } from "vitest";
import {
  alongAxis,
  cross,
  dot,
  panelFrame,
  type Orientation,
  type SliceKind,
} from "../../src/math/panel";

const KINDS: readonly SliceKind[] = ["xy", "xz", "yz"];

function orientation(x: number, y: number, z: number, angle: number): Orientation {
  const turn: [number, number, number, number] = [0, 0, 0, 1];
  quat.setAxisAngle(turn, vec3.normalize([0, 0, 0], [x, y, z]), angle);
  return turn;
}

describe("panelFrame", () => {
  it("lies exactly along the axes while nothing is turned", () => {
    expect(panelFrame("xy", [0, 0, 0, 1])).toEqual({
      right: [0, 0, 1],
      down: [0, 1, 0],
      normal: [1, 0, 0],
    });
    expect(panelFrame("xz", [0, 0, 0, 1])).toEqual({
      right: [0, 0, 1],
      down: [1, 0, 0],
      normal: [0, 1, 0],
    });
    expect(panelFrame("yz", [0, 0, 0, 1])).toEqual({
      right: [1, 0, 0],
      down: [0, 1, 0],
      normal: [0, 0, 1],
    });
  });

  it("keeps the three at right angles, each to the right and down as long as it was", () => {
    for (const turn of [orientation(1, 2, 3, 0.7), orientation(-1, 0.2, 0.1, 2.9)]) {
      for (const kind of KINDS) {
        const { right, down, normal } = panelFrame(kind, turn);
        for (const vector of [right, down, normal]) expect(dot(vector, vector)).toBeCloseTo(1, 12);
        for (const [a, b] of [
          [right, down],
          [right, normal],
          [down, normal],
        ] as const) {
          expect(dot(a, b)).toBeCloseTo(0, 12);
        }
        expect(Math.abs(dot(cross(right, down), normal))).toBeCloseTo(1, 12);
      }
    }
  });

  it("turns the world as the camera's quaternions do", () => {
    const turn = orientation(1, -2, 0.5, 1.1);
    const { right, down, normal } = panelFrame("xy", turn);
    const seen = vec3.transformQuat([0, 0, 0], [3, 5, 7], [...turn]) as number[];
    [right, down, normal].forEach((own, place) => {
      expect(dot([7, 5, 3], own)).toBeCloseTo(seen[place] ?? NaN, 5);
    });
  });

  it("shares the line where two panels cross", () => {
    const turn = orientation(2, 1, -1, 0.4);
    const [xy, xz, yz] = KINDS.map((kind) => panelFrame(kind, turn));
    expect(xy?.right).toEqual(xz?.right);
    expect(xy?.down).toEqual(yz?.down);
    expect(xz?.down).toEqual(yz?.right);
  });

  it("lies along the axes again after quarter turns, however they were made", () => {
    const turn: [number, number, number, number] = [0, 0, 0, 1];
    const step = orientation(1, 0, 0, Math.PI / 12);
    for (let count = 0; count < 6; count += 1) quat.multiply(turn, [...step], turn);
    const { right, down, normal } = panelFrame("xy", turn);
    expect([right, down, normal].map(alongAxis)).toEqual([2, 0, 1]);
    expect(right[2]).toBe(1);
  });
});
