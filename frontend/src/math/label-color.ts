// The stable colour of a label: from the 64 bits of its id and a seed, the same here as in the
// shader (`render/shaders/label-color.ts` says it once more in GLSL). Bright and saturated, so
// that neighbours are told apart on a dark picture as on a light one.

export type Color = readonly [red: number, green: number, blue: number];

/** Bits of any 32-bit number, well mixed (the finaliser of MurmurHash3). */
export function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** 32 bits that stand for a label of 64 bits. */
export function hashLabel(low: number, high: number): number {
  return mix(low ^ mix(high));
}

const SATURATIONS = [0.95, 0.7, 0.5] as const;
const VALUES = [1, 0.8] as const;

/**
 * Components 0 to 1 of the label's colour. Hues go by the golden ratio, so that labels near in
 * number, which often lie side by side, are as far apart in hue as they can be; few and distinct
 * steps of saturation and value tell more apart than many small ones would.
 */
export function labelColor(low: number, high: number, seed: number): Color {
  const turn = Math.imul(low ^ mix(high ^ mix(seed)), 0x9e3779b9) >>> 0;
  const other = mix(turn + 0x9e3779b9);
  const hue = (turn >>> 8) / 0x1000000;
  const saturation = SATURATIONS[other % 3] ?? 1;
  const value = VALUES[(other >>> 8) & 1] ?? 1;
  const part = (offset: number): number => {
    const place = (hue + offset) % 1;
    const ramp = Math.min(Math.max(Math.abs(place * 6 - 3) - 1, 0), 1);
    return value * (1 - saturation + saturation * ramp);
  };
  return [part(0), part(2 / 3), part(1 / 3)];
}

/** `"#rrggbb"` → components 0 to 1. */
export function parseColor(text: string): Color {
  const bits = Number.parseInt(text.slice(1), 16);
  return [((bits >> 16) & 0xff) / 255, ((bits >> 8) & 0xff) / 255, (bits & 0xff) / 255];
}

/** Components 0 to 1 → `"#rrggbb"`. */
export function formatColor(color: Color): string {
  const byte = (part: number): string =>
    Math.round(part * 255)
      .toString(16)
      .padStart(2, "0");
  return `#${color.map(byte).join("")}`;
}

/** Colour of a decimal label as it is shown: the override, or the stable colour. */
export function shownColor(
  label: string,
  style: { readonly colors: Readonly<Record<string, string>>; readonly seed: number },
): Color {
  const override = style.colors[label];
  if (override !== undefined) return parseColor(override);
  const bits = BigInt.asUintN(64, BigInt(label));
  return labelColor(Number(bits & 0xffffffffn), Number(bits >> 32n), style.seed);
}
