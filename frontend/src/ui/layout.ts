// Where the panels are: a pure function of the layout, the dividers and the room there is.
import type { Panel, PanelKind } from "../math/panel";
import type { Document } from "../wire/types";

type Layout = Document["view"]["layout"];

/** CSS pixels between two panels: a thin line. */
export const GAP = 1;

/** CSS pixels that a divider leaves to a panel, so that it can be found again. */
const LEAST = 24;

/** First pixel after the divider at `fraction` of `length`. */
function cut(fraction: number, length: number): number {
  const at = Math.round(fraction * length);
  return Math.max(Math.min(at, length - LEAST), Math.min(LEAST, length));
}

/** The panels of a layout in an area of `width` × `height` CSS pixels. */
export function panelsFor(
  layout: Layout,
  split: readonly [number, number],
  width: number,
  height: number,
): readonly Panel[] {
  if (width <= 0 || height <= 0) return [];
  if (layout !== "4panel") return [{ kind: layout, left: 0, top: 0, width, height }];
  const x = cut(split[0], width);
  const y = cut(split[1], height);
  const panel = (
    kind: PanelKind,
    left: number,
    top: number,
    right: number,
    bottom: number,
  ): Panel => ({
    kind,
    left,
    top,
    width: Math.max(1, right - left),
    height: Math.max(1, bottom - top),
  });
  return [
    panel("xy", 0, 0, x, y),
    panel("yz", x + GAP, 0, width, y),
    panel("xz", 0, y + GAP, x, height),
    panel("3d", x + GAP, y + GAP, width, height),
  ];
}
