// What is written over the panels, drawn into a picture: a page cannot photograph itself. It looks
// as `panel-overlay.tsx` and its style sheet make it look, but for what only a pointer needs.
import { alongAxis, type Panel, type SliceKind } from "../math/panel";
import { effectiveZoom, frameOf, worldToScreen } from "../math/view";
import type { Document } from "../wire/types";
import { drawColorbars } from "./colorbars";
import {
  AXIS_NAMES,
  axesInPanel,
  axesInSpace,
  directionOf,
  turnText,
  type AxisName,
  type ShownAxis,
} from "./directions";
import { marginsFor, TITLE_HEIGHT } from "./layout";
import { font, haloed, ink, shortened, type Pen, type Theme } from "./lettering";
import { slices } from "./navigation";
import { countsVoxels, lengthText, roomForScale, scaleBar } from "./units";

/** CSS pixels around the middle that the crosshair leaves free. */
const OPEN = 10;

/** CSS pixels: a smaller panel shows the picture alone. */
const SMALL = 90;

/** What is drawn on, in CSS pixels, and with what colours. */
export interface Sheet {
  readonly size: readonly [width: number, height: number];
  readonly theme: Theme;
  /** The 256 colours of a map, four bytes each. */
  readonly colors: (colormap: string) => Uint8Array;
}

/** Draws all of it; the pen is scaled so that its unit is a CSS pixel. */
export function drawOverlays(
  pen: Pen,
  document: Document,
  panels: readonly Panel[],
  sheet: Sheet,
): void {
  if (document.order.length === 0) return;
  const { size, theme } = sheet;
  const [width, height] = size;
  const { top, right } = marginsFor(document, width, height);
  if (top > 0) drawHeading(pen, document.view.title, width, theme);
  if (right > 0) {
    pen.save();
    pen.translate(width - right, top);
    drawColorbars(pen, document, height - top, theme, sheet.colors);
    pen.restore();
  }
  drawDividers(pen, panels, theme);
  for (const panel of panels) {
    pen.save();
    pen.beginPath();
    pen.rect(panel.left, panel.top, panel.width, panel.height);
    pen.clip();
    pen.translate(panel.left, panel.top);
    drawPanel(pen, document, panels, panel, theme);
    pen.restore();
  }
}

/** The title above the panels. */
function drawHeading(pen: Pen, title: string, width: number, theme: Theme): void {
  pen.font = font(600, 14);
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  const text = shortened(pen, title.trim(), width - 32);
  haloed(pen, text, width / 2, TITLE_HEIGHT / 2 + 0.5, ink(theme, "on-picture"), theme);
}

function drawDividers(pen: Pen, panels: readonly Panel[], theme: Theme): void {
  const first = panels[0];
  const last = panels.at(-1);
  if (first === undefined || last === undefined || panels.length < 2) return;
  const { left, top } = first;
  const [x, y] = [left + first.width, top + first.height];
  pen.fillStyle = ink(theme, "divider");
  pen.fillRect(x, top, last.left - x, last.top + last.height - top);
  pen.fillRect(left, y, last.left + last.width - left, last.top - y);
}

function drawPanel(
  pen: Pen,
  document: Document,
  panels: readonly Panel[],
  panel: Panel,
  theme: Theme,
): void {
  const small = panel.width < SMALL || panel.height < SMALL;
  const { kind } = panel;
  const { axis_lines: hasLines, scale_bar: hasBar } = document.view;
  if (kind === "3d") {
    if (hasLines && !small) drawTripod(pen, axesInSpace(document), panel.height - 8, theme);
    if (!small) drawTitle(pen, document, panel, null, theme);
    return;
  }
  if (hasLines) drawCrosshair(pen, document, panels, panel, kind, theme);
  if (small) return;
  drawTitle(pen, document, panel, kind, theme);
  if (hasBar) drawScaleBar(pen, document, panels, panel, theme);
  const axes = hasLines ? axesInPanel(document, kind) : null;
  if (axes !== null) drawTripod(pen, axes, panel.height - (hasBar ? RAISED : 8), theme);
}

function drawCrosshair(
  pen: Pen,
  document: Document,
  panels: readonly Panel[],
  panel: Panel,
  kind: SliceKind,
  theme: Theme,
): void {
  const right = directionOf(document, kind, "right");
  const down = directionOf(document, kind, "down");
  const [screenX, screenY] = worldToScreen(document, panels, panel, document.view.center);
  const x = Math.floor(screenX - panel.left) + 0.5;
  const y = Math.floor(screenY - panel.top) + 0.5;
  const { width, height } = panel;
  pen.lineWidth = 1;
  pen.globalAlpha = 0.55;
  const line = (
    axis: AxisName,
    path: readonly (readonly [number, number, number, number])[],
  ): void => {
    pen.strokeStyle = ink(theme, `axis-${axis}`);
    pen.beginPath();
    for (const [x0, y0, x1, y1] of path) {
      pen.moveTo(x0, y0);
      pen.lineTo(x1, y1);
    }
    pen.stroke();
  };
  line(down.axis, [
    [x, 0, x, Math.max(0, y - OPEN)],
    [x, y + OPEN, x, height],
  ]);
  line(right.axis, [
    [0, y, Math.max(0, x - OPEN), y],
    [x + OPEN, y, width, y],
  ]);
  pen.globalAlpha = 1;
  drawAxisName(pen, right, width - 26, y - 6, "right", "alphabetic", theme);
  drawAxisName(pen, down, x + 6, height - 8, "left", "alphabetic", theme);
}

function drawAxisName(
  pen: Pen,
  { text, axis }: { readonly text: string; readonly axis: AxisName },
  x: number,
  y: number,
  align: CanvasTextAlign,
  baseline: CanvasTextBaseline,
  theme: Theme,
): void {
  pen.font = font(600, 11);
  pen.textAlign = align;
  pen.textBaseline = baseline;
  haloed(pen, text, x, y, ink(theme, `axis-${axis}`), theme);
}

const TRIPOD = { size: 56, length: 18 };

/** CSS pixels from the panel's lower edge to a tripod above the scale bar. */
const RAISED = 40;

/** `bottom`: where its lower edge lies. */
function drawTripod(pen: Pen, axes: readonly ShownAxis[], bottom: number, theme: Theme): void {
  pen.save();
  pen.translate(8 + TRIPOD.size / 2, bottom - TRIPOD.size / 2);
  for (const { name, right, down, away } of axes) {
    pen.globalAlpha = away > 0.3 ? 0.55 : 1;
    pen.strokeStyle = ink(theme, `axis-${name}`);
    pen.lineWidth = 1.5;
    pen.lineCap = "round";
    pen.beginPath();
    pen.moveTo(0, 0);
    pen.lineTo(right * TRIPOD.length, down * TRIPOD.length);
    pen.stroke();
    const reach = TRIPOD.length + 6;
    const text = { text: name, axis: name };
    drawAxisName(pen, text, right * reach, down * reach, "center", "middle", theme);
  }
  pen.restore();
}

interface Piece {
  readonly text: string;
  readonly color: string;
  readonly bold: boolean;
  /** CSS pixels before it. */
  readonly gap: number;
}

/** Name of the panel, and which slice it shows. */
function drawTitle(
  pen: Pen,
  document: Document,
  panel: Panel,
  slice: SliceKind | null,
  theme: Theme,
): void {
  const title = panel.kind === "3d" ? "3-D" : panel.kind;
  const pieces: Piece[] = [{ text: title, color: ink(theme, "on-picture"), bold: true, gap: 0 }];
  const found = slice === null ? null : slices(document, slice);
  if (slice !== null && found !== null && found.first < found.last) {
    const along = alongAxis(frameOf(document, slice).normal);
    const { text, axis } = directionOf(document, slice, "normal");
    const name = along === null ? text : AXIS_NAMES[along];
    const quiet = ink(theme, "on-picture-quiet");
    pieces.push(
      { text: name, color: ink(theme, `axis-${axis}`), bold: true, gap: 12 },
      { text: String(found.index), color: ink(theme, "on-picture"), bold: false, gap: 6 },
      { text: `/ ${found.count - 1}`, color: quiet, bold: false, gap: 6 },
    );
    const { units, center } = document.view;
    const place = along === null || units === "" ? "" : lengthText(center[along], units);
    for (const text of [place, turnText(document, slice)]) {
      if (text !== "" && panel.width >= 240) {
        pieces.push({ text, color: quiet, bold: false, gap: 12 });
      }
    }
  }
  const measured = pieces.map((piece) => {
    pen.font = font(piece.bold ? 600 : 400, 12);
    return { ...piece, width: pen.measureText(piece.text).width };
  });
  const width = measured.reduce((sum, piece) => sum + piece.gap + piece.width, 16);
  drawChip(pen, 8, 9, width, 22, theme);
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  let x = 16;
  for (const piece of measured) {
    x += piece.gap;
    pen.font = font(piece.bold ? 600 : 400, 12);
    pen.fillStyle = piece.color;
    pen.fillText(piece.text, x, 20.5);
    x += piece.width;
  }
}

function drawScaleBar(
  pen: Pen,
  document: Document,
  panels: readonly Panel[],
  panel: Panel,
  theme: Theme,
): void {
  const zoom = effectiveZoom(document, panels, panel);
  const { layers, view } = document;
  const bar = scaleBar(zoom, view.units, roomForScale(panel.width), countsVoxels(layers));
  if (bar === null) return;
  pen.font = font(400, 12);
  const width = Math.max(bar.width, pen.measureText(bar.text).width) + 16;
  // 2 px, 16 px of text, 2 px of bar, 6 px
  const top = panel.height - 8 - 26;
  drawChip(pen, 8, top, width, 26, theme);
  pen.fillStyle = ink(theme, "on-picture");
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  pen.fillText(bar.text, 16, top + 10.5);
  pen.fillRect(16, top + 18, bar.width, 2);
}

function drawChip(
  pen: Pen,
  left: number,
  top: number,
  width: number,
  height: number,
  theme: Theme,
): void {
  pen.fillStyle = ink(theme, "scrim");
  pen.beginPath();
  pen.roundRect(left, top, width, height, 4);
  pen.fill();
}
