// How what is written on a canvas looks: colours and type of the page's own style sheets, which a
// canvas does not read.
import type { Document } from "../wire/types";

/** A 2-D context, of a canvas on the page or off it. */
export type Pen = OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D;

export type Theme = Document["theme"];

/** As in `style/tokens.css` (a test holds them together). */
export const INKS: Readonly<Record<Theme, Readonly<Record<string, string>>>> = {
  dark: {
    "on-picture": "#f1f3f5",
    "on-picture-quiet": "#c3c8cf",
    "halo-color": "rgb(0 0 0 / 0.75)",
    scrim: "rgb(15 17 21 / 0.78)",
    divider: "#33383f",
    "axis-x": "#f0787d",
    "axis-y": "#7fcf7b",
    "axis-z": "#76a9ff",
  },
  light: {
    "on-picture": "#16181b",
    "on-picture-quiet": "#454b54",
    "halo-color": "rgb(255 255 255 / 0.85)",
    scrim: "rgb(255 255 255 / 0.86)",
    divider: "#c3c8cf",
    "axis-x": "#ad2930",
    "axis-y": "#226b1f",
    "axis-z": "#1f52b0",
  },
};

export function ink(theme: Theme, name: string): string {
  return INKS[theme][name] ?? "#808080";
}

const FONT = '"Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif';

/** `system-ui` first, as on the page. */
export function font(weight: number, size: number): string {
  return `${weight} ${size}px system-ui, -apple-system, ${FONT}`;
}

/** Writes with a halo: legible on whatever lies, or does not lie, below. */
export function haloed(
  pen: Pen,
  text: string,
  x: number,
  y: number,
  color: string,
  theme: Theme,
): void {
  pen.lineJoin = "round";
  pen.lineWidth = 2.5;
  pen.strokeStyle = ink(theme, "halo-color");
  pen.strokeText(text, x, y);
  pen.fillStyle = color;
  pen.fillText(text, x, y);
}

/** The text, or as much of its beginning as fits into `room` CSS pixels in the pen's font. */
export function shortened(pen: Pen, text: string, room: number): string {
  if (pen.measureText(text).width <= room) return text;
  const letters = [...text];
  while (letters.length > 0 && pen.measureText(`${letters.join("")}…`).width > room) letters.pop();
  return `${letters.join("").trimEnd()}…`;
}
