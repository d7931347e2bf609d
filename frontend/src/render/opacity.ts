// What a picture looks like on another background. The renderer draws on one of two colours; what
// is seen on both tells how opaque each pixel is.

/** Colours 0 to 1. */
export type Rgb = readonly [red: number, green: number, blue: number];
/** Colour and opacity, 0 to 1. */
export type Rgba = readonly [...Rgb, alpha: number];

/**
 * Puts a picture, seen on a dark and on a light background, on a third one: RGBA of 8 bit each,
 * into `dark`.
 */
export function recompose(
  dark: Uint8ClampedArray,
  light: Uint8ClampedArray,
  under: { readonly dark: Rgb; readonly light: Rgb },
  background: Rgba,
): void {
  const [red, green, blue, alpha] = background;
  const onto = [red * alpha, green * alpha, blue * alpha];
  const between = under.light.map((value, channel) => value - (under.dark[channel] ?? 0));
  const span = 255 * between.reduce((sum, value) => sum + value, 0);
  for (let at = 0; at < dark.length; at += 4) {
    let difference = 0;
    for (let channel = 0; channel < 3; channel += 1) {
      difference += (light[at + channel] ?? 0) - (dark[at + channel] ?? 0);
    }
    const clear = Math.min(Math.max(difference / span, 0), 1);
    const opacity = 1 - clear + clear * alpha;
    for (let channel = 0; channel < 3; channel += 1) {
      const own = (dark[at + channel] ?? 0) / 255 - clear * (under.dark[channel] ?? 0);
      const mixed = own + clear * (onto[channel] ?? 0);
      dark[at + channel] = opacity > 1 / 512 ? (255 * mixed) / opacity : 0;
    }
    dark[at + 3] = 255 * opacity;
  }
}

/** `#rrggbbaa` as numbers. */
export function parseRgba(text: string): Rgba {
  const part = (at: number): number => parseInt(text.slice(at, at + 2), 16) / 255;
  return [part(1), part(3), part(5), part(7)];
}
