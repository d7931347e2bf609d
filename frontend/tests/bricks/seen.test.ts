import { describe, expect, it } from "vitest";
import { Seen } from "../../src/bricks/seen";

describe("Seen", () => {
  it("tells where a brick was noted first, also among many and with large numbers", () => {
    const seen = new Seen();
    const numbers = Array.from({ length: 20_000 }, (_, i) => (i % 2 === 0 ? i : 2 ** 40 + 32 * i));
    numbers.forEach((number, place) => {
      expect(seen.note(0, number, place)).toBe(-1);
    });
    expect(numbers.map((number) => seen.note(0, number, 99))).toEqual(numbers.map((_, i) => i));
  });

  it("keeps volumes apart, and forgets", () => {
    const seen = new Seen();
    expect(seen.note(0, 7, 0)).toBe(-1);
    expect(seen.note(1, 7, 1)).toBe(-1);
    expect(seen.note(1, 7, 2)).toBe(1);
    seen.clear();
    expect(seen.note(0, 7, 3)).toBe(-1);
  });
});
