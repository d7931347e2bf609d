// How a layer is turned, sheared or mirrored: what its affine map does to places and directions.
// A layer's *own* coordinates are what scale and translate make of its voxels; the map takes them
// to the world. All are (z, y, x).
import type { Data } from "../wire/types";
import type { Position } from "./panel";

export interface AffineMap {
  readonly isIdentity: boolean;
  /** Own → world. */
  outward(place: Position): Position;
  /** World → own. */
  inward(place: Position): Position;
  /** A way in the world, in own coordinates. */
  inwardWay(way: Position): Position;
  /** What gives for own ways the product that `direction` gives for those in the world. */
  inwardDual(direction: Position): Position;
  /** World length of an own unit along each axis. */
  readonly stretch: Position;
}

const IDENTITY: AffineMap = {
  isIdentity: true,
  outward: (place) => place,
  inward: (place) => place,
  inwardWay: (way) => way,
  inwardDual: (direction) => direction,
  stretch: [1, 1, 1],
};

/** Maps by the rows they were made of: a document hands on what has not changed. */
const made = new WeakMap<Data["affine"], AffineMap>();

/** The map of a layer's data. */
export function affineOf({ affine }: Pick<Data, "affine">): AffineMap {
  let map = made.get(affine);
  if (map === undefined) {
    map = mapOf(affine);
    made.set(affine, map);
  }
  return map;
}

function mapOf(rows: Data["affine"]): AffineMap {
  const isIdentity = rows.every((row, i) => row.every((part, j) => part === (i === j ? 1 : 0)));
  if (isIdentity) return IDENTITY;
  const row = (i: 0 | 1 | 2): Position => [rows[i][0], rows[i][1], rows[i][2]];
  const column = (j: 0 | 1 | 2): Position => [rows[0][j], rows[1][j], rows[2][j]];
  const offset: Position = [rows[0][3], rows[1][3], rows[2][3]];
  // The inverse's rows are the columns' cross products, over the determinant.
  const volume = product(column(0), cross(column(1), column(2)));
  const inverse = ([0, 1, 2] as const).map((i) => {
    const [a, b] = [column(((i + 1) % 3) as 0 | 1 | 2), column(((i + 2) % 3) as 0 | 1 | 2)];
    return cross(a, b).map((part) => part / volume);
  }) as unknown as readonly [Position, Position, Position];
  const inwardWay = (way: Position): Position => [
    product(inverse[0], way),
    product(inverse[1], way),
    product(inverse[2], way),
  ];
  return {
    isIdentity,
    outward: (place) => [
      product(row(0), place) + offset[0],
      product(row(1), place) + offset[1],
      product(row(2), place) + offset[2],
    ],
    inward: ([z, y, x]) => inwardWay([z - offset[0], y - offset[1], x - offset[2]]),
    inwardWay,
    inwardDual: (direction) => [
      product(column(0), direction),
      product(column(1), direction),
      product(column(2), direction),
    ],
    stretch: [Math.hypot(...column(0)), Math.hypot(...column(1)), Math.hypot(...column(2))],
  };
}

function product(a: Position, b: Position): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: Position, b: Position): Position {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
