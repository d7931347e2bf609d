// The elements of arrays: what a NumPy dtype is on the brick stream and in memory here, and how
// one value is written so that nothing of it is lost.

export type Element = "u1" | "i1" | "u2" | "i2" | "u4" | "i4" | "u8" | "i8" | "f4" | "f8";

export type Voxels =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

// Bool travels as uint8 and float16 as float32, both exact.
const ELEMENTS: Readonly<Record<string, Element>> = {
  bool: "u1",
  uint8: "u1",
  int8: "i1",
  uint16: "u2",
  int16: "i2",
  uint32: "u4",
  int32: "i4",
  uint64: "u8",
  int64: "i8",
  float16: "f4",
  float32: "f4",
  float64: "f8",
};

/** The element that the dtype travels as. */
export function elementOf(dtype: string): Element {
  const element = ELEMENTS[dtype];
  if (element === undefined) throw new RangeError(`dtype ${dtype} is not one that is shown.`);
  return element;
}

/** The element of a brick: labels may come in fewer bytes than the dtype's element has. */
export function elementOfBrick(element: Element, bytesEach: number): Element {
  return bytesEach === 2 ? "u2" : bytesEach === 4 ? "u4" : element;
}

/** Bytes of one element. */
export function elementBytes(element: Element): number {
  return Number(element[1]);
}

/** Look at little-endian bytes as elements; they begin at a multiple of the element's size. */
export function viewVoxels(element: Element, bytes: Uint8Array<ArrayBuffer>): Voxels {
  const { buffer, byteOffset: offset } = bytes;
  const count = Math.floor(bytes.byteLength / elementBytes(element));
  switch (element) {
    case "u1":
      return new Uint8Array(buffer, offset, count);
    case "i1":
      return new Int8Array(buffer, offset, count);
    case "u2":
      return new Uint16Array(buffer, offset, count);
    case "i2":
      return new Int16Array(buffer, offset, count);
    case "u4":
      return new Uint32Array(buffer, offset, count);
    case "i4":
      return new Int32Array(buffer, offset, count);
    case "u8":
      return new BigUint64Array(buffer, offset, count);
    case "i8":
      return new BigInt64Array(buffer, offset, count);
    case "f4":
      return new Float32Array(buffer, offset, count);
    case "f8":
      return new Float64Array(buffer, offset, count);
  }
}

/** Sign, shortest digits d.ddd and exponent of ten as Python would lay them out. */
function layOut(negative: boolean, digits: string, exponent: number): string {
  const sign = negative ? "-" : "";
  if (exponent < -4 || exponent >= 16) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return `${sign}${digits[0] ?? "0"}${fraction}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${sign}${whole}.${digits.slice(exponent + 1) || "0"}`;
}

/** Nearest float16, as a number; halves are rounded to even. */
export function roundToHalf(value: number): number {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || size === 0) return value;
  // 11 significant bits, and none below 2^-24.
  const exponent = Math.max(Math.floor(Math.log2(size)), -14);
  const step = 2 ** (exponent - 10);
  const count = size / step;
  const down = Math.floor(count);
  const up = count - down > 0.5 || (count - down === 0.5 && down % 2 === 1);
  const rounded = (down + (up ? 1 : 0)) * step;
  return Math.sign(value) * (rounded > 65504 ? Infinity : rounded);
}

/** Shortest decimal that reads back as the same value of its type. */
function floatText(value: number, round: (value: number) => number, digits: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  let text = value.toExponential();
  for (let count = 0; count < digits; count += 1) {
    const shorter = value.toExponential(count);
    if (round(Number(shorter)) === value) {
      text = shorter;
      break;
    }
  }
  const [mantissa = "", exponent = "0"] = text.split("e");
  return layOut(value < 0, mantissa.replace("-", "").replace(".", ""), Number(exponent));
}

/** One value as Python prints it, exact. */
export function valueText(dtype: string, value: number | bigint): string {
  if (typeof value === "bigint") return value.toString();
  if (dtype === "bool") return value === 0 ? "False" : "True";
  if (dtype === "float16") return floatText(value, roundToHalf, 6);
  if (dtype === "float32") return floatText(value, Math.fround, 10);
  if (dtype === "float64") return floatText(value, (same) => same, 0);
  return String(value);
}

/** 64 bits of a label, two's complement, as the shaders hold them. */
export type Label64 = readonly [low: number, high: number];

/** A label's value → its 64 bits. */
export function labelBits(value: number | bigint): Label64 {
  const bits = BigInt.asUintN(64, BigInt(value));
  return [Number(bits & 0xffffffffn), Number(bits >> 32n)];
}
