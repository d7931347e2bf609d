// The renderer's tuning numbers, together, and the colours behind its pictures.
import type { Color } from "../math/label-color";

const MIB = 1024 * 1024;

export const POLICY = {
  /** Bytes of raw voxels in main memory. */
  cacheBytes: 512 * MIB,
  /** Bytes of brick textures: a part of what an integrated GPU has. */
  gpuBytes: 768 * MIB,
  /** Milliseconds a frame for uploads: a quarter of a frame at 60 Hz. */
  uploadMilliseconds: 4,
  /** Milliseconds between pictures while bricks pour in: drawing each would slow them down. */
  progressMilliseconds: 60,
  /** Milliseconds that the cursor rests before full-resolution voxels are loaded under it. */
  probeMilliseconds: 60,
} as const;

/** What is seen where there is no data, by theme. */
export const BACKGROUNDS: Readonly<Record<"dark" | "light", Color>> = {
  dark: [15 / 255, 17 / 255, 21 / 255],
  light: [244 / 255, 244 / 255, 245 / 255],
};
