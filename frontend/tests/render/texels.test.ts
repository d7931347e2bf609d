import { describe, expect, it } from "vitest";
import type { Brick } from "../../src/bricks/cache";
import type { Voxels } from "../../src/bricks/element";
import {
  constantWords,
  encodeTexels,
  formatOf,
  imageCode,
  labelsCode,
  toTexel,
} from "../../src/render/texels";

function brickOf(voxels: Voxels, minimum = -Infinity, maximum = Infinity): Brick {
  return { serial: 1, generation: 0, voxels, constant: false, minimum, maximum };
}

describe("imageCode", () => {
  it("keeps bytes as they are and moves signed ones up", () => {
    const plain = new Uint8Array([0, 255]);
    expect(encodeTexels(imageCode("u1", null), brickOf(plain))).toEqual(plain);
    const code = imageCode("i1", null);
    expect(encodeTexels(code, brickOf(new Int8Array([-128, 0, 127])))).toEqual(
      new Uint8Array([0, 128, 255]),
    );
    expect(toTexel(code, -128)).toBe(0);
    expect(toTexel(code, 127)).toBe(1);
  });

  it("tells neighbouring large integers apart", () => {
    const start = 2 ** 60;
    const code = imageCode("u8", { start, stop: start + 4096, counts: [] });
    const base = BigInt(start);
    const texels = encodeTexels(
      code,
      brickOf(new BigUint64Array([base, base + 1n, base + 4096n])),
    ) as Float32Array;
    expect(texels[1]! - texels[0]!).toBe(1);
    expect(texels[2]! - texels[0]!).toBe(4096);
    expect(texels[0]).toBe(toTexel(code, start));
  });

  it("brings tiny and huge doubles within float32", () => {
    for (const size of [1e-300, 1e300]) {
      const code = imageCode("f8", { start: 0, stop: size, counts: [] });
      const texels = encodeTexels(
        code,
        brickOf(new Float64Array([0, size / 2, size])),
      ) as Float32Array;
      expect([...texels]).toEqual([0, 0.5, 1]);
    }
  });

  it("keeps NaN and makes infinities finite", () => {
    const voxels = new Float32Array([NaN, Infinity, -Infinity, 1]);
    const texels = encodeTexels(imageCode("f4", null), brickOf(voxels)) as Float32Array;
    expect(texels[0]).toBeNaN();
    expect(Number.isFinite(texels[1]) && texels[1]! > 1e36).toBe(true);
    expect(Number.isFinite(texels[2]) && texels[2]! < -1e36).toBe(true);
    expect(texels[3]).toBe(1);
  });

  it("copies nothing when nothing changes", () => {
    const voxels = new Float32Array([1, 2]);
    expect(encodeTexels(imageCode("f4", null), brickOf(voxels, 1, 2))).toBe(voxels);
  });
});

describe("labelsCode", () => {
  it.each([
    ["u1", "R8UI", 0],
    ["i2", "R16UI", 16],
    ["u4", "R32UI", 0],
    ["i8", "RG32UI", 0],
  ] as const)("keeps %s in %s", (element, format, signBits) => {
    expect(labelsCode(element)).toMatchObject({ format, signBits });
  });

  it("goes to the GPU in the bytes that a brick came in", () => {
    const code = labelsCode("u8");
    const small = brickOf(new Uint16Array([1, 2]));
    expect(formatOf(code, small)).toBe("R16UI");
    expect(encodeTexels(code, small, "R16UI")).toEqual(new Uint16Array([1, 2]));
    expect(formatOf(code, brickOf(new Uint32Array([1, 2])))).toBe("R32UI");
    expect(formatOf(code, brickOf(new BigUint64Array([1n, 2n])))).toBe("RG32UI");
  });

  it("gives a constant brick's 64 bits", () => {
    expect(constantWords(labelsCode("i2"), new Int16Array([-2]))).toEqual([0xfffffffe, 0xffffffff]);
    expect(constantWords(labelsCode("u8"), new BigUint64Array([2n ** 33n + 1n]))).toEqual([1, 2]);
  });
});
