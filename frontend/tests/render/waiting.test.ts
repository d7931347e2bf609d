import { describe, expect, it } from "vitest";
import type { Picture } from "../../src/render/pictures";
import { POLICY } from "../../src/render/policy";
import { Waiting } from "../../src/render/waiting";

const MOMENT = POLICY.momentMilliseconds;

function at(z: number): readonly Picture[] {
  const plane = {
    center: [z, 0, 0],
    right: [0, 0, 1],
    down: [0, 1, 0],
    middle: [50, 50],
    width: 100,
    height: 100,
    pixel: 1,
  } as const;
  return [{ kind: "xy", place: null, plane }];
}

describe("Waiting", () => {
  it("is late when the view moves on and has not been complete for longer than a moment", () => {
    const waiting = new Waiting();
    expect(waiting.isLate(at(0), true, 1000)).toBe(false);
    expect(waiting.isLate(at(1), false, 1000 + MOMENT)).toBe(false);
    expect(waiting.isLate(at(2), false, 1001 + MOMENT)).toBe(true);
    expect(waiting.isLate(at(3), true, 1002 + MOMENT)).toBe(false);
  });

  it("is not late for other data in the same place", () => {
    const waiting = new Waiting();
    waiting.isLate(at(0), true, 0);
    expect(waiting.isLate(at(0), false, 2 * MOMENT)).toBe(false);
  });

  it("is not late before the first complete picture", () => {
    const waiting = new Waiting();
    waiting.isLate(at(0), false, 0);
    expect(waiting.isLate(at(1), false, 2 * MOMENT)).toBe(false);
  });
});
