// Data of a layer as the server would describe it, for tests.
import type { Data, Level } from "../../src/wire/types";

export interface ExampleOptions {
  readonly shape?: readonly number[];
  readonly scale?: readonly number[];
  readonly translate?: readonly number[];
  readonly dtype?: string;
  readonly brick?: [number, number, number];
  readonly apron?: [number, number, number];
  readonly levels?: number;
  readonly names?: string;
  readonly generation?: number;
  readonly affine?: Data["affine"];
}

const NAMES: Readonly<Record<number, string>> = { 2: "yx", 3: "zyx", 4: "tzyx", 5: "tczyx" };

/** Levels halve every spatial axis, as `viewer/pyramids/pyramid.py` does for cubic voxels. */
export function exampleData(options: ExampleOptions = {}): Data {
  const shape = options.shape ?? [64, 64, 64];
  const names = options.names ?? NAMES[shape.length]!;
  const leading = [...names].filter((name) => "tc".includes(name)).length;
  const levels: Level[] = [];
  let level: Level = {
    shape: [...shape],
    scale: [...(options.scale ?? shape.map(() => 1))],
    translate: [...(options.translate ?? shape.map(() => 0))],
  };
  for (let count = 0; count < (options.levels ?? 1); count += 1) {
    levels.push(level);
    const isSpace = (axis: number): boolean => axis >= leading;
    level = {
      shape: level.shape.map((n, axis) => (isSpace(axis) ? Math.ceil(n / 2) : n)),
      translate: level.translate.map((at, axis) =>
        isSpace(axis) ? at + level.scale[axis]! / 2 : at,
      ),
      scale: level.scale.map((size, axis) => (isSpace(axis) ? size * 2 : size)),
    };
  }
  return {
    dtype: options.dtype ?? "uint8",
    axes: [...names].map((name) => ({
      name,
      kind: name === "t" ? "time" : name === "c" ? "channel" : "space",
      unit: "",
    })),
    levels,
    brick: options.brick ?? [32, 32, 32],
    apron: options.apron ?? [1, 1, 1],
    affine: options.affine ?? [
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
    ],
    generation: options.generation ?? 0,
    changes: [],
    histogram: null,
  };
}
