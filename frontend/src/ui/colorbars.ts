// Colour bars: which value has which colour, for every visible layer that has a colour map. The page
// and its pictures draw them by the same function.
import type { Document, ImageLayer, SurfaceLayer } from "../wire/types";
import { font, haloed, ink, shortened, type Pen, type Theme } from "./lettering";

/** CSS pixels: a bar's width, and where it begins. */
const BAR = { left: 12, width: 12 } as const;

/** CSS pixels: a tick's length, and the room for its number and for a name. */
const TICK = 4;
const NUMBER_ROOM = 68;
const NAME_ROOM = 88;

/** CSS pixels for one bar with its name above it, at least and at most. */
const SLOT = { least: 72, most: 280 } as const;

/** CSS pixels of a slot above and below its bar. */
const ABOVE = 30;
const BELOW = 10;

/** CSS pixels from tick to tick, at least. */
const TICK_ROOM = 26;

export type BarLayer = ImageLayer | SurfaceLayer;

/** The visible layers that have a colour map, topmost first. */
export function barsOf(document: Document): readonly BarLayer[] {
  if (!document.view.colorbar) return [];
  const bars: BarLayer[] = [];
  for (const id of [...document.order].reverse()) {
    const layer = document.layers[id];
    if (layer?.visible !== true || layer.kind === "labels") continue;
    if (layer.kind === "image" || layer.valued) bars.push(layer);
  }
  return bars;
}

export interface Tick {
  readonly value: number;
  readonly text: string;
}

const STEPS = [1, 2, 2.5, 5, 10] as const;

/** At most so many round values between two others, these included; whole ones if `whole`. */
export function ticksOf(low: number, high: number, most: number, whole: boolean): readonly Tick[] {
  const least = (high - low) / Math.max(most - 1, 1);
  const power = 10 ** Math.floor(Math.log10(least));
  const wide = power * (STEPS.find((step) => step * power >= least * (1 - 1e-9)) ?? 10);
  const step = whole ? Math.max(Math.ceil(wide), 1) : wide;
  const [first, last] = [Math.ceil(low / step - 1e-6), Math.floor(high / step + 1e-6)];
  const count = Number.isSafeInteger(first) && Number.isSafeInteger(last) ? last - first + 1 : 0;
  // Too few to read a scale by: then its ends.
  const values =
    count < 2 ? [low, high] : Array.from({ length: count }, (_, at) => (first + at) * step);
  const digit = 10 ** Math.floor(Math.log10((high - low) / 100));
  const texts = textsOf(values, count < 2 ? digit : step);
  return values.map((value, at) => ({ value, text: texts[at] ?? "" }));
}

/** Numbers that are multiples of a step, all with the digits that it needs. */
function textsOf(values: readonly number[], step: number): string[] {
  // Places after the point of 20, 2.5, 0.25
  let places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  if (Math.abs(step * 10 ** places - Math.round(step * 10 ** places)) > 1e-6) places += 1;
  const minus = (text: string): string => text.replace(/^-/, Number(text) === 0 ? "" : "−");
  const plain = values.map((value) => minus(value.toFixed(Math.min(places, 20))));
  if (plain.every((text) => text.length <= 8)) return plain;
  const greatest = Math.max(...values.map(Math.abs));
  const digits = Math.floor(Math.log10(greatest)) - Math.floor(Math.log10(step) + 1e-9);
  return values.map((value) => {
    if (value === 0) return "0";
    const text = value.toExponential(Math.min(Math.max(digits, 0), 4));
    return minus(text.replace(/\.?0+e/, "e").replace("e+", "e"));
  });
}

/** Entry of a map's 256 colours for a part 0 to 1 of the way between the limits. */
export function entryAt(part: number, gamma: number): number {
  return Math.round(255 * Math.min(Math.max(part, 0), 1) ** gamma);
}

/** Draws the bars, one below the other, into a column of that height whose corner is the origin. */
export function drawColorbars(
  pen: Pen,
  document: Document,
  height: number,
  theme: Theme,
  colors: (colormap: string) => Uint8Array,
): void {
  const layers = barsOf(document);
  const fitting = Math.max(Math.floor(height / SLOT.least), 1);
  const isFull = layers.length > fitting;
  const shown = isFull ? layers.slice(0, Math.max(fitting - 1, 1)) : layers;
  const slot = Math.floor(Math.min(height / (shown.length + (isFull ? 1 : 0)), SLOT.most));
  shown.forEach((layer, place) => {
    drawBar(pen, layer, place * slot, slot, theme, colors(layer.style.colormap));
  });
  if (!isFull) return;
  pen.font = font(400, 11);
  pen.textAlign = "left";
  pen.textBaseline = "alphabetic";
  const quiet = ink(theme, "on-picture-quiet");
  const text = `${layers.length - shown.length} more`;
  haloed(pen, text, BAR.left, shown.length * slot + 20, quiet, theme);
}

function drawBar(
  pen: Pen,
  layer: BarLayer,
  start: number,
  slot: number,
  theme: Theme,
  colors: Uint8Array,
): void {
  const { contrast_limits: limits, gamma } = layer.style;
  const [low, high] = limits;
  const [top, length] = [start + ABOVE, slot - ABOVE - BELOW];
  pen.font = font(600, 11);
  pen.textAlign = "left";
  pen.textBaseline = "alphabetic";
  const name = shortened(pen, layer.name, NAME_ROOM);
  haloed(pen, name, BAR.left, start + 20, ink(theme, "on-picture"), theme);

  // Each row down to the bottom, the next over it: no seams, whatever the scale.
  const rows = Math.ceil(length * pen.getTransform().d);
  for (let row = 0; row < rows; row += 1) {
    const entry = 4 * entryAt(1 - (row + 0.5) / rows, gamma);
    pen.fillStyle = `rgb(${colors[entry]} ${colors[entry + 1]} ${colors[entry + 2]})`;
    const above = (row * length) / rows;
    pen.fillRect(BAR.left, top + above, BAR.width, length - above);
  }
  const frame = ink(theme, "on-picture-quiet");
  pen.lineWidth = 1;
  pen.strokeStyle = frame;
  pen.strokeRect(BAR.left - 0.5, top - 0.5, BAR.width + 1, length + 1);

  pen.font = font(400, 11);
  pen.textBaseline = "middle";
  const whole = /^(u?int|bool)/.test(layer.data.dtype);
  const most = Math.max(Math.floor(length / TICK_ROOM) + 1, 2);
  const right = BAR.left + BAR.width;
  for (const { value, text } of ticksOf(low, high, most, whole)) {
    const y = Math.round(top + length * (1 - (value - low) / (high - low)));
    pen.fillStyle = frame;
    pen.fillRect(right + 1, y - 0.5, TICK, 1);
    const number = shortened(pen, text, NUMBER_ROOM);
    haloed(pen, number, right + TICK + 5, y + 0.5, ink(theme, "on-picture"), theme);
  }
}
