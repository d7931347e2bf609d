// What a gesture does to the document: pure functions from the document to changes. Positions are
// (z, y, x) world coordinates, the screen is in CSS pixels.
import { quat } from "gl-matrix";
import type { Panel, Position, SliceKind } from "../math/panel";
import { isFlat, levelSpace, middle } from "../math/space";
import {
  effectiveCameraZoom,
  effectiveZoom,
  layersThatCount,
  panelAxes,
  screenToWorld,
  sliceStep,
  viewToWorld,
  worldBounds,
} from "../math/view";
import { change } from "../state/changes";
import type { Change, Document, Slider } from "../wire/types";

/** Radians the 3-D view turns for one pixel: half a turn across a small panel. */
const TURN = 0.008;

/** A zoomed-in pixel is at most this many screen pixels, a zoomed-out volume at least this small. */
const LARGEST_VOXEL = 512;
const SMALLEST_VOLUME = 8;

function center(position: Position): Change {
  return change([...position], "view", "center");
}

/** Puts the crosshair somewhere. */
export function moveTo(position: Position): readonly Change[] {
  return [center(position)];
}

/** Drags what is seen by so many pixels. */
export function pan(
  document: Document,
  panels: readonly Panel[],
  panel: Panel,
  dx: number,
  dy: number,
): readonly Change[] {
  const position: [number, number, number] = [...document.view.center];
  if (panel.kind === "3d") {
    const zoom = effectiveCameraZoom(document, panel);
    const offset = viewToWorld(document, -dx / zoom, -dy / zoom);
    return [center([position[0] + offset[0], position[1] + offset[1], position[2] + offset[2]])];
  }
  const zoom = effectiveZoom(document, panels, panel);
  const { right, down } = panelAxes(panel.kind);
  position[right] -= dx / zoom;
  position[down] -= dy / zoom;
  return [center(position)];
}

/** Turns the 3-D view as if its front followed the pointer. */
export function rotate(document: Document, dx: number, dy: number): readonly Change[] {
  const [x, y, z, w] = document.view.camera.orientation;
  const turn = quat.create();
  quat.rotateX(turn, turn, dy * TURN);
  quat.rotateY(turn, turn, -dx * TURN);
  const orientation = quat.normalize([0, 0, 0, 1], quat.multiply([0, 0, 0, 1], turn, [x, y, z, w]));
  return [change([...orientation], "view", "camera", "orientation")];
}

/** Zooms by a factor; what is under the point (x, y) stays there. */
export function zoomAt(
  document: Document,
  panels: readonly Panel[],
  panel: Panel,
  factor: number,
  x: number,
  y: number,
): readonly Change[] {
  const [least, most] = zoomRange(document);
  if (panel.kind === "3d") {
    const zoom = clamp(effectiveCameraZoom(document, panel) * factor, least, most);
    return [change(zoom, "view", "camera", "zoom")];
  }
  const before = effectiveZoom(document, panels, panel);
  const zoom = clamp(before * factor, least, most);
  const fixed = screenToWorld(document, panels, panel, x, y);
  const { right, down } = panelAxes(panel.kind);
  const position: [number, number, number] = [...document.view.center];
  for (const axis of [right, down]) {
    position[axis] = fixed[axis] - ((fixed[axis] - position[axis]) * before) / zoom;
  }
  return [change(zoom, "view", "zoom"), center(position)];
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

/** CSS pixels per world unit: from a volume that is a dot to a voxel that fills a panel. */
function zoomRange(document: Document): readonly [number, number] {
  const bounds = worldBounds(document);
  if (bounds === null) return [1e-9, 1e9];
  const size = Math.max(
    ...([0, 1, 2] as const).map((axis) => bounds.high[axis] - bounds.low[axis]),
  );
  const steps = (["xy", "xz", "yz"] as const).map((kind) => sliceStep(document, kind));
  return [SMALLEST_VOLUME / size, LARGEST_VOXEL / Math.min(...steps)];
}

/** Shows all of the data, centred. */
export function fit(document: Document): readonly Change[] {
  const bounds = worldBounds(document);
  const changes = [change(null, "view", "zoom"), change(null, "view", "camera", "zoom")];
  if (bounds === null) return changes;
  const position = ([0, 1, 2] as const).map((axis) => {
    const kind = axis === 0 ? "xy" : axis === 1 ? "xz" : "yz";
    return onSlice(document, kind, middle(bounds)[axis]);
  });
  return [...changes, change(position, "view", "center")];
}

/** The slices of one panel: where they are, and which of them is shown. */
export interface Slices {
  /** World position of slice 0 and the distance of neighbours. */
  readonly origin: number;
  readonly step: number;
  readonly count: number;
  /** Index of the slice nearest to the view's centre; outside 0 … count − 1 beyond the data. */
  readonly index: number;
}

/** Slices along the panel's normal, of the first layer that counts and has any. */
export function slices(document: Document, kind: SliceKind): Slices | null {
  const { normal } = panelAxes(kind);
  const step = sliceStep(document, kind);
  for (const id of layersThatCount(document)) {
    const data = document.layers[id]?.data;
    const level = data?.levels[0];
    if (data === undefined || level === undefined || (normal === 0 && isFlat(data))) continue;
    const space = levelSpace(data, level);
    const scale = space.scale[normal];
    if (Math.abs(scale) !== step) continue;
    const last = space.translate[normal] + scale * (space.shape[normal] - 1);
    const origin = Math.min(space.translate[normal], last);
    const index = Math.round((document.view.center[normal] - origin) / step);
    return { origin, step, count: space.shape[normal], index };
  }
  return null;
}

function onSlice(document: Document, kind: SliceKind, position: number): number {
  const found = slices(document, kind);
  if (found === null) return position;
  const index = Math.round((position - found.origin) / found.step);
  return found.origin + clamp(index, 0, found.count - 1) * found.step;
}

/** Goes to a slice by its index. */
export function goToSlice(document: Document, kind: SliceKind, index: number): readonly Change[] {
  const found = slices(document, kind);
  if (found === null) return [];
  const position: [number, number, number] = [...document.view.center];
  position[panelAxes(kind).normal] =
    found.origin + clamp(Math.round(index), 0, found.count - 1) * found.step;
  return [center(position)];
}

/** Goes so many slices up or down. */
export function stepSlice(document: Document, kind: SliceKind, count: number): readonly Change[] {
  const found = slices(document, kind);
  return found === null ? [] : goToSlice(document, kind, found.index + count);
}

/** World position on a leading axis now. */
export function sliderPosition(document: Document, slider: Slider): number {
  return document.view.position[slider.name] ?? slider.start;
}

/** Number of samples on a leading axis. */
export function sliderCount(slider: Slider): number {
  return Math.round((slider.stop - slider.start) / slider.step) + 1;
}

/** Index of the sample shown. */
export function sliderIndex(document: Document, slider: Slider): number {
  const index = Math.round((sliderPosition(document, slider) - slider.start) / slider.step);
  return clamp(index, 0, sliderCount(slider) - 1);
}

/** Shows a sample of a leading axis. */
export function goToSample(slider: Slider, index: number): readonly Change[] {
  const inside = clamp(Math.round(index), 0, sliderCount(slider) - 1);
  // The last sample is exactly `stop`: a sum that lands a hair beyond it would be refused.
  const position = Math.min(slider.start + inside * slider.step, slider.stop);
  return [change(position, "view", "position", slider.name)];
}

/** The next or previous sample; the ends meet. */
export function stepSample(document: Document, slider: Slider, by: number): readonly Change[] {
  const count = sliderCount(slider);
  return goToSample(slider, (((sliderIndex(document, slider) + by) % count) + count) % count);
}
