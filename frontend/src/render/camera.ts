// The 3-D camera's matrices. It looks at `View.center`; everything is told relative to that, in
// float64, before it becomes float32. View coordinates are (right, down, away); pictures are kept
// with their first row on top, so nothing is turned upside down on the way.
import { mat4, type ReadonlyVec3 } from "gl-matrix";
import type { Panel, Position } from "../math/panel";
import { cameraDistance, effectiveCameraZoom, worldBounds, worldToView } from "../math/view";
import type { Document } from "../wire/types";

export interface Camera {
  readonly center: Position;
  /** World offset (x, y, z) from the centre → view coordinates, turned only. */
  readonly rotation: mat4;
  /** View coordinates, the camera at 0 → clip coordinates. */
  readonly projection: mat4;
  /** From the camera to the centre, world units. */
  readonly distance: number;
  /** CSS pixels per world unit at the centre. */
  readonly zoom: number;
}

/** Nearest distance drawn, as a part of the distance to the centre. */
const NEAREST = 0.02;

/** The camera of a document in its panel. */
export function cameraOf(document: Document, panel: Panel): Camera {
  const center: Position = document.view.center;
  const distance = cameraDistance(document, panel);
  const zoom = effectiveCameraZoom(document, panel);
  const rotation = mat4.fromQuat(new Array<number>(16).fill(0), [
    ...document.view.camera.orientation,
  ]);
  const [near, far] = depthRange(document, distance);
  const focal = 2 * zoom * distance;
  const projection: mat4 = [
    ...[focal / panel.width, 0, 0, 0],
    ...[0, focal / panel.height, 0, 0],
    ...[0, 0, (far + near) / (far - near), 1],
    ...[0, 0, (-2 * far * near) / (far - near), 0],
  ];
  return { center, rotation, projection, distance, zoom };
}

/** The depths between which the data lies, so that the depth buffer is used where it counts. */
function depthRange(document: Document, distance: number): readonly [near: number, far: number] {
  const bounds = worldBounds(document);
  const least = distance * NEAREST;
  if (bounds === null) return [least, distance * 2];
  const { low, high } = bounds;
  const center = document.view.center;
  const radius = Math.hypot(high[0] - low[0], high[1] - low[1], high[2] - low[2]) / 2;
  const [, , away] = worldToView(document, [
    (low[0] + high[0]) / 2 - center[0],
    (low[1] + high[1]) / 2 - center[1],
    (low[2] + high[2]) / 2 - center[2],
  ]);
  const middle = distance + away;
  // Slices may reach beyond the data's bounds, as far as their panels do: some room for them.
  const near = Math.max(middle - radius * 1.5, least);
  return [near, Math.max(middle + radius * 1.5, near * 2, distance * 2)];
}

/** Offset (x, y, z) from the centre in the world → clip coordinates. */
export function clipMatrix(camera: Camera, offset: ReadonlyVec3): mat4 {
  const view: mat4 = [...camera.rotation];
  const moved = viewOffset(camera, offset);
  view[12] = moved[0];
  view[13] = moved[1];
  view[14] = moved[2];
  return mat4.multiply(new Array<number>(16).fill(0), camera.projection, view);
}

/** Offset (x, y, z) from the centre in the world → view coordinates, the camera at 0. */
export function viewOffset(camera: Camera, offset: ReadonlyVec3): [number, number, number] {
  const m = camera.rotation;
  const row = (axis: 0 | 1 | 2): number =>
    m[axis] * offset[0] + (m[axis + 4] ?? 0) * offset[1] + (m[axis + 8] ?? 0) * offset[2];
  return [row(0), row(1), row(2) + camera.distance];
}
