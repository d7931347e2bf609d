import { describe, expect, it, vi } from "vitest";
import type { Need } from "../../src/bricks/planner";
import { Volume } from "../../src/bricks/volume";
import { Ahead } from "../../src/render/ahead";
import { POLICY } from "../../src/render/policy";
import { exampleData } from "../bricks/example-data";

describe("Ahead", () => {
  it("asks for a few bricks at a time, and for the next when these have come", () => {
    const volume = new Volume("l1", "image", exampleData({ shape: [512, 512, 512] }), []);
    const few = Math.ceil(POLICY.aheadBytes / volume.brickBytes);
    const needs = Array.from({ length: few + 3 }, (_, number): Need => ({ volume, number }));
    const here = new Set([0, 1]);
    const isThere = ({ number }: Need): boolean => here.has(number);
    const ahead = new Ahead();
    ahead.replace(needs);
    expect(ahead.next(isThere)).toEqual([]);
    let asked = 0;
    ahead.start(0, null, () => (asked += 1));
    ahead.start(0, null, () => (asked += 1));
    expect(asked).toBe(1);
    const first = ahead.next(isThere);
    expect(first.map(({ number }) => number)).toEqual(
      needs.slice(2, -1).map((need) => need.number),
    );
    first.slice(1).forEach(({ number }) => {
      here.add(number);
      expect(ahead.came()).toBe(false);
    });
    here.add(2);
    expect(ahead.came()).toBe(true);
    expect(ahead.next(isThere)).toHaveLength(1);
    expect(ahead.came()).toBe(true);
    here.add(few + 2);
    expect(ahead.next(isThere)).toEqual([]);
    expect(ahead.came()).toBe(false);
  });

  it("begins after a rest, unless others are wanted by then", () => {
    vi.useFakeTimers();
    try {
      const ahead = new Ahead();
      const asked: string[] = [];
      ahead.start(100, null, () => asked.push("first"));
      vi.advanceTimersByTime(99);
      ahead.replace([]);
      vi.advanceTimersByTime(50);
      ahead.start(100, null, () => asked.push("second"));
      ahead.start(100, null, () => asked.push("again"));
      vi.advanceTimersByTime(100);
      expect(asked).toEqual(["second"]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("begins before that as soon as it is due", () => {
    vi.useFakeTimers();
    try {
      let [isDrawn, asked] = [false, 0];
      const start = (): Ahead => {
        const ahead = new Ahead();
        ahead.start(
          100,
          () => isDrawn,
          () => (asked += 1),
        );
        return ahead;
      };
      start();
      vi.advanceTimersByTime(50);
      expect(asked).toBe(0);
      isDrawn = true;
      vi.advanceTimersByTime(POLICY.lookMilliseconds);
      expect(asked).toBe(1);
      start();
      expect(asked).toBe(2);
      isDrawn = false;
      start();
      start().replace([]);
      vi.advanceTimersByTime(100);
      expect(asked).toBe(3);
      vi.advanceTimersByTime(1000);
      expect(asked).toBe(3);
    } finally {
      vi.useRealTimers();
    }
  });
});
