import { describe, expect, it } from "vitest";
import {
  elementOfBrick,
  labelBits,
  roundToHalf,
  valueText,
  viewVoxels,
} from "../../src/bricks/element";

describe("valueText", () => {
  // The right-hand sides are what Python 3 and NumPy 2 print.
  it.each([
    ["uint64", 18446744073709551615n, "18446744073709551615"],
    ["int64", -9223372036854775808n, "-9223372036854775808"],
    ["uint8", 255, "255"],
    ["bool", 1, "True"],
    ["bool", 0, "False"],
    ["float64", 0.1 + 0.2, "0.30000000000000004"],
    ["float64", 1e16, "1e+16"],
    ["float64", 123456789012345680, "1.2345678901234568e+17"],
    ["float64", 1234567.0, "1234567.0"],
    ["float64", 1e-5, "1e-05"],
    ["float64", 0.0001, "0.0001"],
    ["float64", 5e-324, "5e-324"],
    ["float64", -0, "-0.0"],
    ["float64", NaN, "nan"],
    ["float64", -Infinity, "-inf"],
    ["float32", Math.fround(0.1), "0.1"],
    ["float32", Math.fround(16777216), "16777216.0"],
    ["float32", Math.fround(3.4028234663852886e38), "3.4028235e+38"],
    ["float16", roundToHalf(0.1), "0.1"],
    ["float16", 65504, "65500.0"],
  ])("prints %s %s as Python does", (dtype, value, text) => {
    expect(valueText(dtype, value)).toBe(text);
  });

  it("reads back as the same number", () => {
    for (let round = 0; round < 2000; round += 1) {
      const value = (Math.random() - 0.5) * 10 ** (Math.random() * 70 - 35);
      const single = Math.fround(value);
      expect(Number(valueText("float64", value))).toBe(value);
      expect(Math.fround(Number(valueText("float32", single)))).toBe(single);
    }
  });
});

describe("roundToHalf", () => {
  it.each([
    [1, 1],
    [1.00048828125, 1],
    [1.0009765625, 1.0009765625],
    [65519, 65504],
    [65520, Infinity],
    [6e-8, 5.960464477539063e-8],
    [-2.5, -2.5],
  ])("rounds %d to %d", (value, half) => {
    expect(roundToHalf(value)).toBe(half);
  });
});

describe("labelBits", () => {
  it("extends signs to 64 bits", () => {
    expect(labelBits(-1)).toEqual([0xffffffff, 0xffffffff]);
    expect(labelBits(0x1_0000_0002n)).toEqual([2, 1]);
  });
});

describe("viewVoxels", () => {
  it("looks at the bytes where they lie", () => {
    const buffer = new ArrayBuffer(56);
    new DataView(buffer).setBigUint64(40, 2n ** 63n, true);
    const voxels = viewVoxels("u8", new Uint8Array(buffer, 40));
    expect(voxels.length).toBe(2);
    expect(voxels[0]).toBe(9223372036854775808n);
    expect(voxels.buffer).toBe(buffer);
  });
});

describe("elementOfBrick", () => {
  it("is the dtype's unless the labels came in fewer bytes", () => {
    expect([0, 2, 4].map((bytes) => elementOfBrick("i8", bytes))).toEqual(["i8", "u2", "u4"]);
  });
});
