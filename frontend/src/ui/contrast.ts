// Contrast of an image: window and level, the automatic choice, and the dtype's own range.
import { change } from "../state/changes";
import type { Change, Histogram, ImageLayer, SurfaceLayer } from "../wire/types";

type Limits = readonly [low: number, high: number];

/** Fraction of the sample that the automatic window leaves out at either end, as at first sight. */
const TAIL = 0.001;

/** Pixels of a right-drag that make the window e times as wide. */
const WIDEN = 200;

/** The value below which `fraction` of the sample lies, to within a bin. */
export function quantile(histogram: Histogram, fraction: number): number {
  const total = histogram.counts.reduce((sum, count) => sum + count, 0);
  const width = (histogram.stop - histogram.start) / Math.max(1, histogram.counts.length);
  let left = fraction * total;
  for (const [bin, count] of histogram.counts.entries()) {
    if (count >= left && count > 0) return histogram.start + (bin + left / count) * width;
    left -= count;
  }
  return histogram.stop;
}

/** The window that shows nearly all of the sample; whole numbers for data of whole numbers. */
export function autoLimits(histogram: Histogram, dtype: string): Limits {
  const exact = (value: number): number => (dtype.startsWith("float") ? value : Math.round(value));
  const low = exact(quantile(histogram, TAIL));
  const high = exact(quantile(histogram, 1 - TAIL));
  return high > low ? [low, high] : [histogram.start, histogram.stop];
}

/** On which side of the limits all of the sample lies, but for rare values beyond the histogram. */
export function missed(histogram: Histogram | null, [low, high]: Limits): "above" | "below" | null {
  if (histogram === null || !histogram.counts.some((count) => count > 0)) return null;
  if (low >= histogram.stop) return "below";
  return high <= histogram.start ? "above" : null;
}

/** Limits as the document wants them: low < high, finite. */
export function ordered(low: number, high: number): Limits {
  const [first, last] = low <= high ? [low, high] : [high, low];
  if (first < last) return [first, last];
  const width = Math.max(Math.abs(first) * 1e-6, 1e-12);
  return [first, first + width];
}

/** The limits after a right-drag: across widens the window, up makes the picture brighter. */
export function windowLevel([low, high]: Limits, dx: number, dy: number): Limits {
  const width = high - low;
  const middle = (low + high) / 2 + (dy / WIDEN) * width;
  const half = (width / 2) * Math.exp(dx / WIDEN);
  return ordered(middle - half, middle + half);
}

/** Sets a layer's limits. */
export function setLimits(layer: ImageLayer | SurfaceLayer, limits: Limits): readonly Change[] {
  return [change([...limits], "layers", layer.id, "style", "contrast_limits")];
}
