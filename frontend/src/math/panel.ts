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

/** Which component of a `Position` runs along a slice panel's right, its down, and out of it. */
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

/** The axes of a slice panel. */
export function panelAxes(kind: SliceKind): PanelAxes {
  return AXES[kind];
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
