// Lengths for people: the unit that keeps a number short, and round lengths for the scale bar.
import { METRES } from "../math/metres";
import type { Document } from "../wire/types";

/** Units that lengths are converted to; ångström and centimetre only when the data has them. */
const STEPS = ["pm", "nm", "µm", "mm", "m", "km"] as const;

/** A length in the unit in which its number lies between 1 and 1000. */
export function readable(length: number, unit: string): readonly [number: number, unit: string] {
  const metres = METRES[unit];
  if (metres === undefined) return [length, unit];
  const size = Math.abs(length) * metres;
  if (size === 0) return [0, unit];
  if (size >= metres && size < 1000 * metres) return [length, unit];
  let best: string = STEPS[0];
  for (const step of STEPS) {
    // A hair below 1, for 1000 nm that arithmetic has made 0.9999999 µm.
    if (size / (METRES[step] ?? 1) >= 1 - 1e-9) best = step;
  }
  return [(length * metres) / (METRES[best] ?? 1), best];
}

/** `readable` as text with a few significant digits. */
export function lengthText(length: number, unit: string, digits = 4): string {
  const [number, name] = readable(length, unit);
  const text = trimmed(number, digits);
  return name === "" ? text : `${text} ${name}`;
}

/** A number with at most so many significant digits, without a trailing row of zeros. */
export function trimmed(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e7 || size < 1e-4) {
    return value
      .toExponential(digits - 1)
      .replace(/\.?0+e/, "e")
      .replace("e+", "e");
  }
  if (size >= 10 ** digits) return String(Math.round(value));
  return String(Number(value.toPrecision(digits)));
}

export interface ScaleBar {
  /** CSS pixels. */
  readonly width: number;
  readonly text: string;
}

/** CSS pixels for a scale bar: at most two fifths of a small panel, a seventh of a large one. */
export function roomForScale(width: number): number {
  return Math.min(Math.max(140, width / 7), width * 0.4);
}

/**
 * Whether a length without a unit counts voxels: those of a layer with a scale of its own but no
 * unit, (0.5, 0.2, 0.2), do not.
 */
export function countsVoxels(layers: Document["layers"]): boolean {
  return Object.values(layers).every((layer) => {
    if (layer.kind === "surface") return true;
    const { axes, levels } = layer.data;
    const sizes = axes.map((axis, index) =>
      axis.kind === "space" ? (levels[0]?.scale[index] ?? 1) : Infinity,
    );
    return Math.min(...sizes) === 1;
  });
}

/**
 * The longest bar of 1, 2 or 5 × 10ⁿ of a readable unit that fits into `room` CSS pixels.
 *
 * `voxels` says whether a length without a unit counts them (`countsVoxels`).
 */
export function scaleBar(
  zoom: number,
  units: string,
  room: number,
  voxels: boolean,
): ScaleBar | null {
  const most = room / zoom;
  if (!Number.isFinite(most) || most <= 0 || room < 16) return null;
  // Round in the unit that is shown: 2 mm, not 2032 µm.
  const [number, unit] = readable(most, units);
  const power = 10 ** Math.floor(Math.log10(number));
  const round = power * ([5, 2, 1].find((step) => step * power <= number * (1 + 1e-9)) ?? 1);
  const counted = voxels ? (round === 1 ? " voxel" : " voxels") : "";
  const name = unit === "" ? counted : ` ${unit}`;
  return { width: (room * round) / number, text: trimmed(round) + name };
}
