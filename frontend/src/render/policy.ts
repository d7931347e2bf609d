// The renderer's tuning numbers, together, and the colours behind its pictures.
import type { Color } from "../math/label-color";

const MIB = 1024 * 1024;

export const POLICY = {
  /** Bytes of raw voxels in main memory. */
  cacheBytes: 512 * MIB,
  /** Bytes of brick textures: a part of what an integrated GPU has. */
  gpuBytes: 1024 * MIB,
  /** Bytes of brick textures that every device has. */
  leastGpuBytes: 64 * MIB,
  /** Bytes of bricks that arrive in a moment from this machine, and from another one (`link.ts`). */
  directBytes: { near: 48 * MIB, far: 1 * MIB },
  /** Milliseconds after which what has not arrived does not arrive in a moment. */
  momentMilliseconds: 100,
  /**
   * Bytes of bricks asked for at once that may be needed next: what is needed now waits for no more
   * than these.
   */
  aheadBytes: 2 * MIB,
  /** Milliseconds of rest before anything is loaded ahead of a view that goes nowhere. */
  restMilliseconds: 100,
  /** Milliseconds between looks whether the GPU has drawn a picture. */
  lookMilliseconds: 5,
  /** Milliseconds a frame for uploads: a quarter of a frame at 60 Hz. */
  uploadMilliseconds: 4,
  /** Part of the time from frame to frame for uploads, where frames take longer than that. */
  uploadShare: 0.25,
  /**
   * Milliseconds of uploads in any one frame, at most: until the first picture is complete, and
   * from then on, when input must not wait for longer.
   */
  mostUploadMilliseconds: { first: 50, later: 8 },
  /** Milliseconds between pictures while bricks pour in, at least. */
  progressMilliseconds: 60,
  /** Part of the GPU's time that pictures of the progress may take. */
  progressShare: 0.25,
  /** Voxels that fill the 3-D panel for one image, at most: as many as 256 bricks hold. */
  fillVoxels: 256 * 32 ** 3,
  /** Milliseconds that everything is still before volumes are drawn as fine as they can be. */
  stillMilliseconds: 150,
  /** Milliseconds that the cursor rests before full-resolution voxels are loaded under it. */
  probeMilliseconds: 60,
} as const;

/** What is seen where there is no data, by theme. */
export const BACKGROUNDS: Readonly<Record<"dark" | "light", Color>> = {
  dark: [15 / 255, 17 / 255, 21 / 255],
  light: [244 / 255, 244 / 255, 245 / 255],
};
