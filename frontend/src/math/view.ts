// The view's arithmetic, pure and shared by the interface and the renderer: what zoom is in force,
// which world position lies under a point of the screen and the other way round.
import { vec3 } from "gl-matrix";
import type { Data, Document, Level } from "../wire/types";
import { affineOf } from "./affine";
import {
  alongAxis,
  dot,
  minus,
  moved,
  panelFrame,
  panelMiddle,
  type Orientation,
  type Panel,
  type PanelFrame,
  type Position,
  type SliceKind,
} from "./panel";
import { isFlat, levelSpace, worldBounds, type Bounds } from "./space";

export { worldBounds, type Bounds } from "./space";

/** Fraction of a panel that fitted data fills: 5 % stay free, so that its border is seen. */
const FILL = 0.95;

/** Vertical field of view of the 3-D panel, radians: shape reads well, sizes stay comparable. */
const FIELD_OF_VIEW = Math.PI / 6;

/**
 * How much smaller data may come out in a panel that shares its zoom with the others than it would
 * alone. Beyond that (a column of 40 nm sections seen from above is a dot) each panel fits its own.
 */
const SHARED_FIT = 0.4;

/**
 * CSS pixels that fitted data is thick at least: a row of a thousand voxels would be a hair under the
 * crosshair. It then reaches beyond the panel lengthwise.
 */
const LEAST_THICKNESS = 8;

/** Of slices along the axes. */
const STRAIGHT: Orientation = [0, 0, 0, 1];

/** How the slices of a panel lie in the world. */
export function frameOf(document: Document, kind: SliceKind): PanelFrame {
  return panelFrame(kind, document.view.orientation);
}

/** World units that the bounds measure along a direction. */
export function extentAlong({ low, high }: Bounds, direction: Position): number {
  return ([0, 1, 2] as const).reduce<number>(
    (sum, axis) => sum + Math.abs(direction[axis]) * (high[axis] - low[axis]),
    0,
  );
}

/**
 * CSS pixels per world unit in a slice panel: the view's, the same for all; or what fits the data.
 * Fitted panels share one zoom too, unless that would make the data tiny in this one.
 */
export function effectiveZoom(document: Document, panels: readonly Panel[], panel: Panel): number {
  if (document.view.zoom !== null) return document.view.zoom;
  const bounds = worldBounds(document);
  if (bounds === null) return 1;
  const own = (orientation: Orientation): number => fit(bounds, panel, orientation);
  const shared = (orientation: Orientation): number =>
    Math.min(...[panel, ...panels].map((other) => fit(bounds, other, orientation)));
  // Decided once for all turns, or pictures would jump while slices are turned.
  const isAlone = shared(STRAIGHT) < SHARED_FIT * own(STRAIGHT);
  const { orientation } = document.view;
  const fitted = isAlone ? own(orientation) : shared(orientation);
  const zoom = Math.max(fitted, LEAST_THICKNESS / thickness(document, bounds, panel));
  return Number.isFinite(zoom) && zoom > 0 ? zoom : 1;
}

/** World units that the bounds measure along the shorter axis of a slice panel. */
function thickness(document: Document, bounds: Bounds, panel: Panel): number {
  if (panel.kind === "3d") return Infinity;
  const { right, down } = frameOf(document, panel.kind);
  return Math.min(extentAlong(bounds, right), extentAlong(bounds, down));
}

/** The zoom at which the bounds fill a slice panel; anything fits into the 3-D one. */
function fit(bounds: Bounds, panel: Panel, orientation: Orientation): number {
  if (panel.kind === "3d") return Infinity;
  const { right, down } = panelFrame(panel.kind, orientation);
  return Math.min(
    (FILL * panel.width) / extentAlong(bounds, right),
    (FILL * panel.height) / extentAlong(bounds, down),
  );
}

/** CSS pixels per world unit at the centre of the 3-D panel; fitted data fit however turned. */
export function effectiveCameraZoom(document: Document, panel: Panel): number {
  const zoom = document.view.camera.zoom;
  if (zoom !== null) return zoom;
  const bounds = worldBounds(document);
  if (bounds === null) return 1;
  const diagonal = Math.hypot(...([0, 1, 2] as const).map((i) => bounds.high[i] - bounds.low[i]));
  const fit = (FILL * Math.min(panel.width, panel.height)) / diagonal;
  return Number.isFinite(fit) && fit > 0 ? fit : 1;
}

/** Distance in world units from the 3-D camera to the centre that it looks at. */
export function cameraDistance(document: Document, panel: Panel): number {
  const visible = panel.height / effectiveCameraZoom(document, panel);
  return visible / (2 * Math.tan(FIELD_OF_VIEW / 2));
}

/** World offset (z, y, x) → view coordinates (right, down, away) of the 3-D camera. */
export function worldToView(
  document: Document,
  offset: Position,
): readonly [right: number, down: number, away: number] {
  const [x, y, z, w] = document.view.camera.orientation;
  // Plain arrays: gl-matrix's own are float32, too coarse for positions in a large volume.
  const turned: [number, number, number] = [0, 0, 0];
  vec3.transformQuat(turned, [offset[2], offset[1], offset[0]], [x, y, z, w]);
  return turned;
}

/** View coordinates (right, down, away) → world offset (z, y, x). */
export function viewToWorld(document: Document, right: number, down: number, away = 0): Position {
  const [x, y, z, w] = document.view.camera.orientation;
  const turned: [number, number, number] = [0, 0, 0];
  vec3.transformQuat(turned, [right, down, away], [-x, -y, -z, w]);
  return [turned[2], turned[1], turned[0]];
}

/**
 * The world position under a point of the screen: on the slice plane, or, in the 3-D panel, on
 * the plane through the centre that faces the camera.
 */
export function screenToWorld(
  document: Document,
  panels: readonly Panel[],
  panel: Panel,
  x: number,
  y: number,
): Position {
  const center = document.view.center;
  const [middleX, middleY] = panelMiddle(panel);
  if (panel.kind === "3d") {
    const zoom = effectiveCameraZoom(document, panel);
    const offset = viewToWorld(document, (x - middleX) / zoom, (y - middleY) / zoom);
    return [center[0] + offset[0], center[1] + offset[1], center[2] + offset[2]];
  }
  const zoom = effectiveZoom(document, panels, panel);
  const { right, down } = frameOf(document, panel.kind);
  return moved(moved(center, right, (x - middleX) / zoom), down, (y - middleY) / zoom);
}

/** Where a world position is on the screen; in a slice panel, its projection onto the plane. */
export function worldToScreen(
  document: Document,
  panels: readonly Panel[],
  panel: Panel,
  position: Position,
): readonly [x: number, y: number] {
  const center = document.view.center;
  const [middleX, middleY] = panelMiddle(panel);
  if (panel.kind === "3d") {
    const offset = worldToView(document, [
      position[0] - center[0],
      position[1] - center[1],
      position[2] - center[2],
    ]);
    const distance = cameraDistance(document, panel);
    // What is behind the camera has no place on the screen; this keeps it finite and far off.
    const depth = Math.max(distance + offset[2], distance * 1e-6);
    const zoom = (effectiveCameraZoom(document, panel) * distance) / depth;
    return [middleX + offset[0] * zoom, middleY + offset[1] * zoom];
  }
  const zoom = effectiveZoom(document, panels, panel);
  const { right, down } = frameOf(document, panel.kind);
  const offset = minus(position, center);
  return [middleX + dot(offset, right) * zoom, middleY + dot(offset, down) * zoom];
}

/** Whether none of the data's bounds lies before the 3-D panel's camera, as far as is easily told. */
export function isOutOfView(document: Document, panel: Panel): boolean {
  const bounds = worldBounds(document);
  if (bounds === null) return false;
  const places = [0, 1, 2, 3, 4, 5, 6, 7].map((corner) => {
    const at = (axis: 0 | 1 | 2): number => (corner & (1 << axis) ? bounds.high : bounds.low)[axis];
    return worldToScreen(document, [panel], panel, [at(0), at(1), at(2)]);
  });
  const across = places.map(([x]) => x - panel.left);
  const along = places.map(([, y]) => y - panel.top);
  return (
    Math.max(...across) < 0 ||
    Math.max(...along) < 0 ||
    Math.min(...across) > panel.width ||
    Math.min(...along) > panel.height
  );
}

/** Ids of the layers by which slices are counted, best first: the active one, if it is visible. */
export function layersThatCount(document: Document): readonly string[] {
  // A surface has no voxels, and no slices.
  const sliced = document.order.filter((id) => document.layers[id]?.kind !== "surface");
  const visible = sliced.filter((id) => document.layers[id]?.visible === true);
  const shown = visible.length > 0 ? visible : sliced;
  const { active } = document;
  return active !== null && shown.includes(active) ? [active, ...shown] : shown;
}

/** World distance of neighbouring slices of a panel. */
export function sliceStep(document: Document, kind: SliceKind): number {
  return stepAlong(document, frameOf(document, kind).normal);
}

/**
 * How far a step of one voxel goes in a direction: one of the active layer's voxels while it is
 * visible, else the finest of all visible layers that have the axes along which it leads.
 */
export function stepAlong(document: Document, direction: Position): number {
  const step = (id: string): number | null => {
    const data = document.layers[id]?.data;
    const level = data?.levels[0];
    if (data === undefined || level === undefined) return null;
    if (direction[0] !== 0 && isFlat(data)) return null;
    return voxelAlong(data, level, direction);
  };
  const ids = layersThatCount(document);
  const steps = ids.map(step).filter((value) => value !== null);
  const first = ids[0] === document.active ? step(ids[0] ?? "") : null;
  return first ?? (steps.length > 0 ? Math.min(...steps) : 1);
}

/** World units that are one voxel long in a direction, counted in voxels whatever their shape. */
export function voxelAlong(data: Data, level: Level, direction: Position): number {
  const { scale } = levelSpace(data, level);
  const map = affineOf(data);
  const axis = map.isIdentity ? alongAxis(direction) : null;
  if (axis !== null) return Math.abs(scale[axis]);
  const [z, y, x] = map.inwardWay(direction);
  return 1 / Math.hypot(z / scale[0], y / scale[1], x / scale[2]);
}
