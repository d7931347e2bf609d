import { describe, expect, it } from "vitest";
import { BrickCache } from "../../src/bricks/cache";
import { decodeBricks, HEADER_BYTES, type BrickMessage } from "../../src/bricks/message";
import { Volume } from "../../src/bricks/volume";
import { exampleData } from "./example-data";

const volume = new Volume("l1", "image", exampleData({ shape: [128, 128, 128] }), []);

/** A message as `viewer/bricks.py` describes it. */
export function brickMessage(
  x: number,
  options: { bytes?: number; generation?: number; flags?: number; text?: string } = {},
): BrickMessage {
  const payload = options.text ? new TextEncoder().encode(options.text) : null;
  const size = payload?.length ?? options.bytes ?? 1000;
  const buffer = new ArrayBuffer(HEADER_BYTES + Math.ceil(size / 8) * 8);
  const view = new DataView(buffer);
  view.setUint32(0, 7, true);
  view.setUint8(5, options.flags ?? 0);
  view.setUint32(16, x, true);
  view.setUint32(20, options.generation ?? 0, true);
  view.setFloat64(24, -1.5, true);
  view.setFloat64(32, 2.5, true);
  view.setUint32(40, size, true);
  if (payload) new Uint8Array(buffer, HEADER_BYTES).set(payload);
  return [...decodeBricks(buffer)][0]!;
}

describe("decodeBricks", () => {
  it("reads the header", () => {
    const message = brickMessage(3, { generation: 12, flags: 1 });
    expect(message).toMatchObject({
      volume: 7,
      level: 0,
      z: 0,
      y: 0,
      x: 3,
      generation: 12,
      minimum: -1.5,
      maximum: 2.5,
      constant: true,
      failure: null,
    });
  });

  it("reads why a brick failed", () => {
    const text = JSON.stringify({
      kind: "source",
      message: "The file was closed.",
      hint: "Open it.",
    });
    expect(brickMessage(0, { flags: 2, text }).failure?.message).toBe("The file was closed.");
  });
});

describe("BrickCache", () => {
  it("stays within its budget, dropping what was looked at longest ago", () => {
    const cache = new BrickCache(3000);
    for (const x of [0, 1, 2, 3]) {
      cache.tick();
      cache.put(volume, brickMessage(x));
      cache.get(volume, 0);
    }
    cache.tick();
    cache.tick();
    expect(cache.bytes).toBeLessThanOrEqual(3000);
    expect(cache.get(volume, 0)).not.toBeNull();
    expect(cache.get(volume, 1)).toBeNull();
    expect(cache.get(volume, 3)).not.toBeNull();
  });

  it("counts the memory of whole messages, and gives back what no brick needs", () => {
    const cache = new BrickCache(2 ** 20);
    const size = HEADER_BYTES + 1000;
    const buffer = new ArrayBuffer(4 * size);
    const view = new DataView(buffer);
    for (const x of [0, 1, 2, 3]) {
      view.setUint32(x * size + 16, x, true);
      view.setUint32(x * size + 40, 1000, true);
      view.setUint8(x * size + HEADER_BYTES, 10 + x);
    }
    for (const message of decodeBricks(buffer)) cache.put(volume, message);
    expect(cache.bytes).toBe(4 * size);
    cache.put(volume, brickMessage(0, { generation: 1 }));
    expect(cache.bytes).toBe(5 * size);
    // Less than half of it is left in the message: the bricks move out.
    cache.put(volume, brickMessage(1, { generation: 1 }));
    expect(cache.bytes).toBe(2 * 1000 + 2 * size);
    expect(cache.get(volume, 3)?.voxels[0]).toBe(13);
    cache.drop(volume);
    expect(cache.bytes).toBe(0);
  });

  it("keeps voxels of an older generation until newer ones come, and never goes back", () => {
    const cache = new BrickCache(1e6);
    cache.put(volume, brickMessage(0, { generation: 2 }));
    cache.put(volume, brickMessage(0, { generation: 1 }));
    expect(cache.get(volume, 0)?.generation).toBe(2);
  });

  it("keeps a failure beside the voxels that were there before", () => {
    const cache = new BrickCache(1e6);
    cache.put(volume, brickMessage(0));
    const text = JSON.stringify({ kind: "source", message: "gone" });
    cache.put(volume, brickMessage(0, { flags: 2, text, generation: 1 }));
    expect(cache.get(volume, 0)).not.toBeNull();
    expect(cache.failure(volume, 0)).toMatchObject({ generation: 1 });
    cache.forgetFailures();
    expect(cache.failure(volume, 0)).toBeNull();
  });

  it("counts no bytes of a volume that was dropped", () => {
    const cache = new BrickCache(1e6);
    cache.put(volume, brickMessage(0));
    cache.drop(volume);
    expect(cache.bytes).toBe(0);
  });
});
