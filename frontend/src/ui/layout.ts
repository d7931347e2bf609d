// Where the panels are: a pure function of the layout, the dividers and the room there is.
import type { Panel, PanelKind } from "../math/panel";
import type { Document } from "../wire/types";
import { barsOf } from "./colorbars";

type Layout = Document["view"]["layout"];

/** CSS pixels between two panels: a thin line. */
export const GAP = 1;

/** CSS pixels that a divider leaves to a panel, so that it can be found again. */
const LEAST = 24;

/** CSS pixels of the title's line and of the column of colour bars. */
export const TITLE_HEIGHT = 32;
const BARS_WIDTH = 104;

/** CSS pixels: in a smaller area the panels have all of it. */
const ROOMY = [260, 160] as const;

/** CSS pixels that title and colour bars take from the panels, so that they cover no data. */
export interface Margins {
  readonly top: number;
  readonly right: number;
}

export const NO_MARGINS: Margins = { top: 0, right: 0 };

export function marginsFor(document: Document, width: number, height: number): Margins {
  if (width < ROOMY[0] || height < ROOMY[1] || document.order.length === 0) return NO_MARGINS;
  return {
    top: document.view.title.trim() === "" ? 0 : TITLE_HEIGHT,
    right: barsOf(document).length === 0 ? 0 : BARS_WIDTH,
  };
}

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
  { top, right }: Margins = NO_MARGINS,
): readonly Panel[] {
  const [end, bottom] = [width - right, height];
  if (end <= 0 || bottom <= top) return [];
  if (layout !== "4panel") {
    return [{ kind: layout, left: 0, top, width: end, height: bottom - top }];
  }
  const x = cut(split[0], end);
  const y = top + cut(split[1], bottom - top);
  const panel = (
    kind: PanelKind,
    left: number,
    above: number,
    to: number,
    below: number,
  ): Panel => ({
    kind,
    left,
    top: above,
    width: Math.max(1, to - left),
    height: Math.max(1, below - above),
  });
  return [
    panel("xy", 0, top, x, y),
    panel("yz", x + GAP, top, end, y),
    panel("xz", 0, y + GAP, x, bottom),
    panel("3d", x + GAP, y + GAP, end, bottom),
  ];
}
