// What a gesture does to the document: pure functions from the document to changes. Positions are
// (z, y, x) world coordinates, the screen is in CSS pixels.
import { quat } from "gl-matrix";
import { affineOf } from "../math/affine";
import {
  alongAxis,
  cross,
  dot,
  moved,
  panelAxes,
  unit,
  type Orientation,
  type Panel,
  type Position,
  type SliceKind,
} from "../math/panel";
import { isFlat, levelSpace, middle } from "../math/space";
import {
  effectiveCameraZoom,
  effectiveZoom,
  frameOf,
  layersThatCount,
  screenToWorld,
  stepAlong,
  viewToWorld,
  voxelAlong,
  worldBounds,
} from "../math/view";
import { change } from "../state/changes";
import type { Change, Document, Slider } from "../wire/types";
import { CAMERA_VIEWS } from "./camera-views";

/** Radians the 3-D view turns for one pixel: half a turn across a small panel. */
const TURN = 0.008;

/** A zoomed-in pixel is at most this many screen pixels, a zoomed-out volume at least this small. */
const LARGEST_VOXEL = 512;
const SMALLEST_VOLUME = 8;

/** Fraction of a slice that a sum of floats may be off. */
const ROUNDING = 1e-6;

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
  const position = document.view.center;
  if (panel.kind === "3d") {
    const zoom = effectiveCameraZoom(document, panel);
    return [center(moved(position, viewToWorld(document, -dx / zoom, -dy / zoom), 1))];
  }
  const zoom = effectiveZoom(document, panels, panel);
  const { right, down } = frameOf(document, panel.kind);
  return [center(moved(moved(position, right, -dx / zoom), down, -dy / zoom))];
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

/** A slice panel's directions, about which the slices are turned. */
export type About = "right" | "down" | "away";

/**
 * Turns the slices of all panels about a direction of one, by radians: what runs along the next of
 * right, down and away turns towards the one after it.
 */
export function turnSlices(
  document: Document,
  kind: SliceKind,
  about: About,
  angle: number,
): readonly Change[] {
  const axes = panelAxes(kind);
  const [right, down] = [unit(axes.right), unit(axes.down)];
  const [z, y, x] = { right, down, away: cross(right, down) }[about];
  const turn = quat.setAxisAngle(exact(), [x, y, z], angle);
  return turned(document, turn);
}

/** Tilts the slices as if the front of what a panel shows followed the pointer. */
export function tiltSlices(
  document: Document,
  kind: SliceKind,
  dx: number,
  dy: number,
): readonly Change[] {
  const { right, down } = panelAxes(kind);
  const [rightZ, rightY, rightX] = unit(right);
  const [downZ, downY, downX] = unit(down);
  const turn = quat.setAxisAngle(exact(), [rightX, rightY, rightZ], dy * TURN);
  const other = quat.setAxisAngle(exact(), [downX, downY, downZ], -dx * TURN);
  return turned(document, quat.multiply(exact(), turn, other));
}

/** Lays the slices along the axes of the data again, which stands upright then. */
export function straightenSlices(document: Document): readonly Change[] {
  return [change([...document.view.upright], "view", "orientation")];
}

/** Whether they lie so. */
export function isStraight({ view }: Document): boolean {
  return view.orientation.every((part, index) => part === view.upright[index]);
}

/** Turns the 3-D view to where a panel looks from at data that stands upright. */
export function face(document: Document, kind: SliceKind): readonly Change[] {
  const [x, y, z, w] = document.view.upright;
  const both = quat.multiply(exact(), [...CAMERA_VIEWS[kind]], [x, y, z, w]);
  return [change([...both], "view", "camera", "orientation")];
}

/** gl-matrix's own quaternions are float32: six turns by 15° would not be a quarter. */
function exact(): [number, number, number, number] {
  return [0, 0, 0, 1];
}

function turned(document: Document, turn: quat): readonly Change[] {
  const [x, y, z, w] = document.view.orientation;
  const both = quat.multiply(exact(), turn, [x, y, z, w]);
  const orientation = quat.normalize(exact(), both) as unknown as Orientation;
  return [change([...orientation], "view", "orientation")];
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
  const position = document.view.center;
  const at = (axis: 0 | 1 | 2): number =>
    fixed[axis] - ((fixed[axis] - position[axis]) * before) / zoom;
  return [change(zoom, "view", "zoom"), center([at(0), at(1), at(2)])];
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
  const steps = ([0, 1, 2] as const).map((axis) => stepAlong(document, unit(axis)));
  return [SMALLEST_VOLUME / size, LARGEST_VOXEL / Math.min(...steps)];
}

/** Shows all of the data, centred. */
export function fit(document: Document): readonly Change[] {
  const bounds = worldBounds(document);
  const changes = [change(null, "view", "zoom"), change(null, "view", "camera", "zoom")];
  if (bounds === null) return changes;
  const position = ([0, 1, 2] as const).map((axis) =>
    onSlice(document, axis, middle(bounds)[axis]),
  );
  return [...changes, change(position, "view", "center")];
}

/** The slices of one panel: where they are, and which of them is shown. */
export interface Slices {
  /** World position of slice 0 along `direction`, and the distance of neighbours. */
  readonly origin: number;
  readonly step: number;
  readonly count: number;
  /** Index of the slice nearest to the view's centre; outside 0 … count − 1 beyond the layer. */
  readonly index: number;
  /** Least and greatest index that a slice can have: other layers may reach beyond this one. */
  readonly first: number;
  readonly last: number;
}

/** Slices along the panel's normal, of the first layer that counts and has any. */
export function slices(document: Document, kind: SliceKind): Slices | null {
  return slicesAlong(document, countedAlong(document, kind));
}

/** The direction in which a panel's slices are counted: along an axis as the data counts them. */
function countedAlong(document: Document, kind: SliceKind): Position {
  const { normal } = frameOf(document, kind);
  const axis = alongAxis(normal);
  return axis === null ? normal : unit(axis);
}

/** Aslant they are counted from the first that meets the centre of a voxel, one voxel apart. */
function slicesAlong(document: Document, direction: Position): Slices | null {
  const step = stepAlong(document, direction);
  const spans = layersThatCount(document).flatMap((id) => {
    const span = spanAlong(document, id, direction);
    return span === null ? [] : [span];
  });
  const counted = spans.find((span) => span.step === step);
  if (counted === undefined) return null;
  const { low: origin, count } = counted;
  const indexOf = (height: number): number => (height - origin) / step;
  const lows = spans.map(({ low }) => indexOf(low));
  const highs = spans.map(({ high }) => indexOf(high));
  return {
    origin,
    step,
    count,
    index: Math.round(indexOf(dot(document.view.center, direction))),
    first: 0 - Math.max(0, Math.floor(ROUNDING - Math.min(...lows))),
    last: Math.max(count - 1, Math.floor(Math.max(...highs) + ROUNDING)),
  };
}

/** Where the centres of a layer's voxels lie along a direction, world units. */
interface Span {
  readonly low: number;
  readonly high: number;
  readonly step: number;
  readonly count: number;
}

function spanAlong(document: Document, id: string, direction: Position): Span | null {
  const data = document.layers[id]?.data;
  const level = data?.levels[0];
  if (data === undefined || level === undefined) return null;
  if (direction[0] !== 0 && isFlat(data)) return null;
  const { shape, scale, translate } = levelSpace(data, level);
  const step = voxelAlong(data, level, direction);
  const map = affineOf(data);
  const dual = map.inwardDual(direction);
  const zero = dot(map.outward([0, 0, 0]), direction);
  let [low, high] = [zero, zero];
  for (const axis of [0, 1, 2] as const) {
    const first = dual[axis] * translate[axis];
    const final = dual[axis] * (translate[axis] + scale[axis] * (shape[axis] - 1));
    low += Math.min(first, final);
    high += Math.max(first, final);
  }
  const axis = map.isIdentity ? alongAxis(direction) : null;
  const count = axis === null ? Math.floor((high - low) / step) + 1 : shape[axis];
  return { low, high, step, count };
}

function onSlice(document: Document, axis: 0 | 1 | 2, position: number): number {
  const found = slicesAlong(document, unit(axis));
  if (found === null) return position;
  const index = Math.round((position - found.origin) / found.step);
  return found.origin + clamp(index, found.first, found.last) * found.step;
}

/** Goes to a slice by its index. */
export function goToSlice(document: Document, kind: SliceKind, index: number): readonly Change[] {
  const found = slices(document, kind);
  if (found === null) return [];
  const nearest = clamp(Math.round(index), found.first, found.last);
  const place = found.origin + nearest * found.step;
  return [center(atHeight(document.view.center, countedAlong(document, kind), place))];
}

/** The position moved in a direction until it is so far along it. */
function atHeight(position: Position, direction: Position, height: number): Position {
  const axis = alongAxis(direction);
  if (axis === null) return moved(position, direction, height - dot(position, direction));
  const exactly: [number, number, number] = [...position];
  exactly[axis] = height;
  return exactly;
}

/** Goes so many slices up or down; aslant, as far from where it is, which need not be on one. */
export function stepSlice(document: Document, kind: SliceKind, count: number): readonly Change[] {
  const found = slices(document, kind);
  if (found === null) return [];
  const { normal } = frameOf(document, kind);
  const axis = alongAxis(normal);
  if (axis !== null) return goToSlice(document, kind, found.index + count);
  const position = document.view.center;
  const [low, high] = [found.first, found.last].map((at) => found.origin + at * found.step);
  const height = clamp(dot(position, normal) + count * found.step, low ?? 0, high ?? 0);
  return [center(atHeight(position, normal, height))];
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
