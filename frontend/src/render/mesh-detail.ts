// How fine a mesh the screen asks for, in a layer's own levels and unit, and where it begins. Pure.
import { affineOf } from "../math/affine";
import { METRES } from "../math/metres";
import type { Position } from "../math/panel";
import { levelSpace, voxelSize } from "../math/space";
import type { Data, LabelsLayer, Level, SurfaceLayer } from "../wire/types";

/** A mesh's voxels are no larger than so many pixels. */
const VOXEL_PIXELS = 1;

/** Pixels by which faces that are taken out may move the surface, where there are many meshes. */
const TOLERANCE = 0.5;

/** The coarsest level whose voxels are no larger than a pixel. */
export function meshLevel(data: Data, pixel: number): number {
  const edge = (level: Level): number => Math.min(...voxelSize(data, level));
  const finer = data.levels.findIndex((level) => edge(level) > pixel * VOXEL_PIXELS);
  return Math.max((finer === -1 ? data.levels.length : finer) - 1, 0);
}

/** A power of two, so that a camera that moves a little asks for nothing new. */
export function meshTolerance(pixel: number): number {
  return pixel > 0 ? 2 ** Math.floor(Math.log2(pixel * TOLERANCE)) : 0;
}

/** The voxel of level 0 at a place in the world; null outside of the data. */
export function voxelAt(data: Data, position: Position): readonly number[] | null {
  const [first] = data.levels;
  if (first === undefined) return null;
  const { shape, scale, translate } = levelSpace(data, first);
  const own = affineOf(data).inward(position);
  const voxel = ([0, 1, 2] as const).map((axis) =>
    Math.round((own[axis] - translate[axis]) / scale[axis]),
  );
  return voxel.every((index, axis) => index >= 0 && index < (shape[axis] ?? 0)) ? voxel : null;
}

/** From a layer's own unit to the view's. */
export function unitFactor({ data }: LabelsLayer | SurfaceLayer, units: string): number {
  const own = METRES[data.axes.at(-1)?.unit ?? ""];
  const unit = METRES[units];
  return own === undefined || unit === undefined ? 1 : own / unit;
}
