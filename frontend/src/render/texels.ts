// How voxels become texels: the texture format of every element, and, for elements that a float32
// does not hold exactly, the offset and factor that keep what can be seen of them.
//
//     texel = (value - offset) * factor        (then divided by 255 in R8)
import type { Brick } from "../bricks/cache";
import type { Element, Voxels } from "../bricks/element";
import type { Format } from "../gl/texture";
import type { Histogram } from "../wire/types";

export interface TexelCode {
  readonly format: Format;
  readonly offset: number;
  readonly factor: number;
  /** Bits of signed labels to be extended to 64; 0 for unsigned ones and images. */
  readonly signBits: number;
}

/** Infinities and what is beyond become this: finite, so that interpolating makes no NaN. */
const LARGEST = 1e37;

/** Values far from zero compared with their range lose it in float32. */
const FAR = 1024;

/** The code of a labels layer's voxels. */
export function labelsCode(element: Element): TexelCode {
  const size = element[1];
  const format: Format =
    size === "1" ? "R8UI" : size === "2" ? "R16UI" : size === "4" ? "R32UI" : "RG32UI";
  const signBits = element.startsWith("i") && size !== "8" ? Number(size) * 8 : 0;
  return { format, offset: 0, factor: 1, signBits };
}

/** The code of an image's voxels; the histogram tells where its values are. */
export function imageCode(element: Element, histogram: Histogram | null): TexelCode {
  if (element === "u1") return { format: "R8", offset: 0, factor: 1, signBits: 0 };
  if (element === "i1") return { format: "R8", offset: -128, factor: 1, signBits: 0 };
  const code = { format: "R32F" as const, signBits: 0 };
  const exact = element === "u2" || element === "i2";
  if (histogram === null || exact) return { ...code, offset: 0, factor: 1 };
  const { start, stop } = histogram;
  const range = stop - start;
  const middle = start + range / 2;
  const isFar = element !== "f4" && Math.abs(middle) > FAR * range;
  const offset = isFar ? (element === "f8" ? middle : Math.round(middle)) : 0;
  const size = Math.max(Math.abs(start - offset), Math.abs(stop - offset));
  const extreme = Number.isFinite(size) && size > 0 && (size > 1e30 || size < 1e-30);
  return { ...code, offset, factor: extreme ? 1 / size : 1 };
}

/** A value as the shader meets it. */
export function toTexel(code: TexelCode, value: number): number {
  const texel = (value - code.offset) * code.factor;
  return code.format === "R8" ? texel / 255 : Math.min(Math.max(texel, -LARGEST), LARGEST);
}

function toFloats(code: TexelCode, voxels: Voxels): Float32Array {
  const out = new Float32Array(voxels.length);
  const { offset, factor } = code;
  if (voxels instanceof BigUint64Array || voxels instanceof BigInt64Array) {
    // The offset is taken off in whole numbers: a double would have lost the difference.
    const whole = BigInt(Math.round(offset));
    for (let i = 0; i < out.length; i += 1) {
      out[i] = Number((voxels[i] ?? 0n) - whole) * factor;
    }
    return out;
  }
  if (voxels instanceof Float32Array || voxels instanceof Float64Array) {
    for (let i = 0; i < out.length; i += 1) {
      const texel = ((voxels[i] ?? 0) - offset) * factor;
      out[i] = texel > LARGEST ? LARGEST : texel < -LARGEST ? -LARGEST : texel;
    }
    return out;
  }
  for (let i = 0; i < out.length; i += 1) out[i] = ((voxels[i] ?? 0) - offset) * factor;
  return out;
}

function reinterpret(format: Format, voxels: Voxels): ArrayBufferView {
  const { buffer, byteOffset, byteLength } = voxels;
  if (format === "R8UI" || format === "R8") return new Uint8Array(buffer, byteOffset, byteLength);
  if (format === "R16UI") return new Uint16Array(buffer, byteOffset, byteLength / 2);
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}

/**
 * The format that a brick takes. Labels come in as few bytes as they need, and so they go to the
 * GPU, which the shaders don't notice.
 */
export function formatOf(code: TexelCode, brick: Brick): Format {
  const isWide = code.format === "RG32UI";
  if (code.signBits !== 0 || (!isWide && code.format !== "R32UI")) return code.format;
  const bytes = brick.voxels.BYTES_PER_ELEMENT;
  return bytes === 2 ? "R16UI" : bytes === 4 ? "R32UI" : code.format;
}

/** A brick's voxels as its texture takes them; shares memory where nothing changes. */
export function encodeTexels(
  code: TexelCode,
  brick: Brick,
  format: Format = code.format,
): ArrayBufferView {
  const { voxels } = brick;
  if (code.format === "R8") {
    if (code.offset === 0) return reinterpret("R8", voxels);
    const out = new Uint8Array(voxels.length);
    for (let i = 0; i < out.length; i += 1) out[i] = Number(voxels[i] ?? 0) - code.offset;
    return out;
  }
  if (code.format !== "R32F") return reinterpret(format, voxels);
  const plain = voxels instanceof Float32Array && code.offset === 0 && code.factor === 1;
  const tame = brick.maximum <= LARGEST && brick.minimum >= -LARGEST;
  return plain && tame ? voxels : toFloats(code, voxels);
}

const bits = new DataView(new ArrayBuffer(8));

/** The one value of a constant brick as two words: a float's bits, or a label's 64. */
export function constantWords(code: TexelCode, voxels: Voxels): readonly [number, number] {
  const value = voxels[0] ?? 0;
  if (code.format === "R8" || code.format === "R32F") {
    const number = typeof value === "bigint" ? Number(value) : value;
    bits.setFloat32(0, Number.isNaN(number) ? NaN : toTexel(code, number), true);
    return [bits.getUint32(0, true), 0];
  }
  bits.setBigUint64(0, BigInt.asUintN(64, BigInt(value)), true);
  return [bits.getUint32(0, true), bits.getUint32(4, true)];
}
