// A volume: one layer's data at one point of its leading axes, as a pyramid of bricks. It knows
// where its bricks lie, in voxels and in the world, and gives each a number.
//
// Within a level, places are told in *texels*: voxel i covers [i, i + 1), so its centre is at
// i + 1/2, and texel = (own - translate) / scale + 1/2. *Own* coordinates are those of the layer
// before its affine map takes them to the world.
import type { Position } from "../math/panel";
import { affineOf, type AffineMap } from "../math/affine";
import { levelSpace, isFlat } from "../math/space";
import type { Data } from "../wire/types";
import { elementBytes, elementOf, type Element } from "./element";

export interface Grid {
  /** Voxels along (z, y, x). */
  readonly shape: Position;
  /** Own size of a voxel. */
  readonly scale: Position;
  /** Own position of the centre of voxel 0. */
  readonly translate: Position;
  /** Bricks along (z, y, x). */
  readonly bricks: Position;
  /** Texels where the data as given begins and ends: coarse voxels may reach beyond it. */
  readonly low: Position;
  readonly high: Position;
  /** Number of the level's first brick. */
  readonly first: number;
}

export interface BrickIndex {
  readonly level: number;
  readonly z: number;
  readonly y: number;
  readonly x: number;
}

/** A brick is found by its number within its volume. */
export type BrickNumber = number;

const AXES = [0, 1, 2] as const;

function each(compute: (axis: 0 | 1 | 2) => number): Position {
  return [compute(0), compute(1), compute(2)];
}

export class Volume {
  readonly layer: string;
  readonly kind: "image" | "labels";
  /** Indices on the leading axes. */
  readonly point: readonly number[];
  readonly dtype: string;
  readonly element: Element;
  /** Whether the data has no z axis and so exists at every z. */
  readonly flat: boolean;
  /** Voxels (z, y, x) from one brick to the next. */
  readonly brick: Position;
  readonly apron: Position;
  /** Voxels that a brick holds: `brick + apron`. */
  readonly stored: Position;
  /** Bytes of one brick's voxels on the wire. */
  readonly brickBytes: number;
  /** Identity of the data behind it: another text, other bricks. */
  readonly key: string;
  /** From own coordinates to the world. */
  map: AffineMap;
  #grids: readonly Grid[] = [];

  constructor(layer: string, kind: "image" | "labels", data: Data, point: readonly number[]) {
    this.layer = layer;
    this.kind = kind;
    this.point = point;
    this.dtype = data.dtype;
    this.element = elementOf(data.dtype);
    this.flat = isFlat(data);
    this.brick = data.brick;
    this.apron = data.apron;
    this.stored = each((axis) => data.brick[axis] + data.apron[axis]);
    this.brickBytes = this.stored[0] * this.stored[1] * this.stored[2] * elementBytes(this.element);
    this.key = Volume.keyOf(layer, data, point);
    this.map = affineOf(data);
    this.place(data);
  }

  /** Take over where the levels lie in the world; the voxels stay the same. */
  place(data: Data): void {
    this.map = affineOf(data);
    const finest = data.levels[0] && levelSpace(data, data.levels[0]);
    let first = 0;
    this.#grids = data.levels.map((level) => {
      const space = levelSpace(data, level);
      const bricks = each((axis) => Math.ceil(space.shape[axis] / data.brick[axis]));
      const texel = (axis: 0 | 1 | 2, index: number): number => {
        if (finest === undefined) return index;
        const world = finest.translate[axis] + (index - 0.5) * finest.scale[axis];
        const place = (world - space.translate[axis]) / space.scale[axis] + 0.5;
        return Math.min(Math.max(place, 0), space.shape[axis]);
      };
      const grid = {
        ...space,
        bricks,
        low: each((axis) => texel(axis, 0)),
        high: each((axis) => texel(axis, finest?.shape[axis] ?? 0)),
        first,
      };
      first += bricks[0] * bricks[1] * bricks[2];
      return grid;
    });
  }

  /** What must be equal for bricks to stay valid (but for the data's generation). */
  static keyOf(layer: string, data: Data, point: readonly number[]): string {
    const shapes = data.levels.map((level) => level.shape.join("x")).join(" ");
    return [layer, data.dtype, shapes, data.brick.join("x"), data.apron.join("x"), point].join("|");
  }

  get coarsest(): number {
    return this.#grids.length - 1;
  }

  grid(level: number): Grid {
    const grid = this.#grids[level];
    if (grid === undefined) throw new RangeError(`Level ${String(level)} does not exist.`);
    return grid;
  }

  number(level: number, z: number, y: number, x: number): BrickNumber {
    const { bricks, first } = this.grid(level);
    return first + (z * bricks[1] + y) * bricks[2] + x;
  }

  index(number: BrickNumber): BrickIndex {
    let level = 0;
    while (level < this.coarsest && number >= this.grid(level + 1).first) level += 1;
    const { bricks, first } = this.grid(level);
    const rest = number - first;
    const x = rest % bricks[2];
    const row = (rest - x) / bricks[2];
    const y = row % bricks[1];
    return { level, z: (row - y) / bricks[1], y, x };
  }

  /** Texels of the level at an own position. */
  toTexels(level: number, own: Position): Position {
    const { scale, translate } = this.grid(level);
    return each((axis) => (own[axis] - translate[axis]) / scale[axis] + 0.5);
  }

  /** Voxel of the level that holds the world position; null outside the data. */
  voxelAt(level: number, world: Position): Position | null {
    const grid = this.grid(level);
    const texels = this.toTexels(level, this.map.inward(world));
    const inside = AXES.every((axis) => {
      if (axis === 0 && this.flat) return true;
      return texels[axis] >= grid.low[axis] && texels[axis] < grid.high[axis];
    });
    if (!inside) return null;
    return each((axis) =>
      axis === 0 && this.flat ? 0 : Math.min(Math.floor(texels[axis]), grid.shape[axis] - 1),
    );
  }

  /** The brick that owns the voxel, and the voxel's place in the brick's storage. */
  locate(level: number, voxel: Position): { number: BrickNumber; offset: number } {
    const [z, y, x] = each((axis) => Math.floor(voxel[axis] / this.brick[axis]));
    const [dz, dy, dx] = each((axis) => voxel[axis] % this.brick[axis]);
    return {
      number: this.number(level, z, y, x),
      offset: (dz * this.stored[1] + dy) * this.stored[2] + dx,
    };
  }
}
