// Positions and panels: the plain values that the interface and the renderer exchange. Positions
// are (z, y, x) world coordinates in `View.units`; the screen is in CSS pixels from the canvas's
// top left corner, y down.

export type Position = readonly [z: number, y: number, x: number];
export type PanelKind = "xy" | "xz" | "yz" | "3d";
export type SliceKind = Exclude<PanelKind, "3d">;

/** A rectangle of the one canvas. */
export interface Panel {
  readonly kind: PanelKind;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Which component of a `Position` runs along a slice panel's right, its down, and out of it; of
 * slices that are turned, which of their own axes.
 */
export interface PanelAxes {
  readonly right: 0 | 1 | 2;
  readonly down: 0 | 1 | 2;
  readonly normal: 0 | 1 | 2;
}

// The three share their axes with their neighbours in the four-panel layout: xy and yz have y
// vertically in common, xy and xz x horizontally.
const AXES: Readonly<Record<SliceKind, PanelAxes>> = {
  xy: { right: 2, down: 1, normal: 0 },
  xz: { right: 2, down: 0, normal: 1 },
  yz: { right: 0, down: 1, normal: 2 },
};

/** The axes of a slice panel while the slices lie along the axes. */
export function panelAxes(kind: SliceKind): PanelAxes {
  return AXES[kind];
}

/** Quaternion (x, y, z, w) of length 1. */
export type Orientation = readonly [x: number, y: number, z: number, w: number];

/** Unit vectors in the world along a slice panel's right, its down, and to its next slice. */
export interface PanelFrame {
  readonly right: Position;
  readonly down: Position;
  readonly normal: Position;
}

/** What lies nearer to an axis than this is meant to lie along it: six turns by 15°, say. */
const ALONG = 1e-9;

/** How the slices of a panel lie; `orientation` turns the world into the slices' own x, y, z. */
export function panelFrame(kind: SliceKind, orientation: Orientation): PanelFrame {
  const [x, y, z, w] = orientation;
  // The slices' own axes in the world: rows of the turn's matrix, as (z, y, x).
  const own = [
    snapped([1 - 2 * (x * x + y * y), 2 * (y * z + x * w), 2 * (x * z - y * w)]),
    snapped([2 * (y * z - x * w), 1 - 2 * (x * x + z * z), 2 * (x * y + z * w)]),
    snapped([2 * (x * z + y * w), 2 * (x * y - z * w), 1 - 2 * (y * y + z * z)]),
  ] as const;
  const { right, down, normal } = AXES[kind];
  return { right: own[right], down: own[down], normal: own[normal] };
}

function snapped(vector: Position): Position {
  const near = vector.map((part) => (Math.abs(part) < ALONG ? 0 : part));
  const single = near.filter((part) => part !== 0).length === 1;
  const [z = 0, y = 0, x = 0] = single ? near.map(Math.sign) : near;
  return [z, y, x];
}

/** The unit vector along an axis of the world. */
export function unit(axis: 0 | 1 | 2): Position {
  return [axis === 0 ? 1 : 0, axis === 1 ? 1 : 0, axis === 2 ? 1 : 0];
}

/** The axis along which a unit vector lies, forwards or backwards; null when it lies aslant. */
export function alongAxis(vector: Position): 0 | 1 | 2 | null {
  return ([0, 1, 2] as const).find((axis) => Math.abs(vector[axis]) === 1) ?? null;
}

export function dot(a: Position, b: Position): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/** From `b` to `a`. */
export function minus(a: Position, b: Position): Position {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

/** The position so far from another in some direction. */
export function moved(position: Position, direction: Position, by: number): Position {
  return [
    position[0] + direction[0] * by,
    position[1] + direction[1] * by,
    position[2] + direction[2] * by,
  ];
}

/** At right angles to both, away from who sees `right` run right and `down` run down. */
export function cross(right: Position, down: Position): Position {
  return [
    right[2] * down[1] - right[1] * down[2],
    right[0] * down[2] - right[2] * down[0],
    right[1] * down[0] - right[0] * down[1],
  ];
}

/** The panel's middle on the screen. */
export function panelMiddle(panel: Panel): readonly [x: number, y: number] {
  return [panel.left + panel.width / 2, panel.top + panel.height / 2];
}

/** The panel that holds the point, if any. */
export function panelAt(panels: readonly Panel[], x: number, y: number): Panel | null {
  for (const panel of panels) {
    const across = x - panel.left;
    const along = y - panel.top;
    if (across >= 0 && along >= 0 && across < panel.width && along < panel.height) return panel;
  }
  return null;
}
