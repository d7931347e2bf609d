// Exact values from the bricks in main memory: what lies at a position, without asking the GPU.
import type { Voxels } from "../bricks/element";
import { valueText } from "../bricks/element";
import type { Library } from "../bricks/library";
import type { Volume } from "../bricks/volume";
import type { Position } from "../math/panel";
import { spatialCount } from "../math/space";
import { isShown } from "./label-table";
import type { Actor } from "./actors";
import type { LayerValue } from "./types";

function voxelOf(voxels: Voxels, constant: boolean, offset: number): number | bigint | null {
  return voxels[constant ? 0 : offset] ?? null;
}

/** The value of one level at a position; null when its brick is not here. */
function valueAt(
  library: Library,
  volume: Volume,
  level: number,
  position: Position,
): number | bigint | null {
  const voxel = volume.voxelAt(level, position);
  if (voxel === null) return null;
  const { number, offset } = volume.locate(level, voxel);
  const brick = library.brick(volume, number);
  return brick === null ? null : voxelOf(brick.voxels, brick.constant, offset);
}

/** The value at full resolution of every layer shown, top first. */
export function valuesAt(
  library: Library,
  actors: readonly Actor[],
  position: Position,
): LayerValue[] {
  return actors.toReversed().map(({ layer, volume }) => {
    const voxel = volume.voxelAt(0, position);
    if (voxel === null) return { layer: layer.id, index: null, value: null };
    const index = [...volume.point, ...voxel.slice(3 - spatialCount(layer.data))];
    const value = valueAt(library, volume, 0, position);
    const text = value === null ? null : valueText(volume.dtype, value);
    return { layer: layer.id, index, value: text };
  });
}

/** The topmost label shown at a position, by the finest level that is here. */
export function labelAt(
  library: Library,
  actors: readonly Actor[],
  position: Position,
  seesFlat: boolean,
): { readonly layer: string; readonly label: string } | null {
  for (const { layer, volume } of actors.toReversed()) {
    if (layer.kind !== "labels" || (volume.flat && !seesFlat)) continue;
    for (let level = 0; level <= volume.coarsest; level += 1) {
      const value = valueAt(library, volume, level, position);
      if (value === null) continue;
      const label = value.toString();
      if (isShown(label, layer.style)) return { layer: layer.id, label };
      break;
    }
  }
  return null;
}
