import { describe, expect, it } from "vitest";
import { pageGrid } from "../../src/render/atlas";

describe("pageGrid", () => {
  it("holds nearly as many slots as asked, never more", () => {
    for (const slots of [1, 7, 64, 466, 1000]) {
      const grid = pageGrid([33, 33, 33], slots, 2048);
      const count = grid[0] * grid[1] * grid[2];
      expect(count).toBeLessThanOrEqual(slots);
      expect(count).toBeGreaterThan(slots * 0.6);
    }
  });

  it("stays within the largest texture", () => {
    const grid = pageGrid([257, 257, 1], 4096, 1024);
    expect(grid[0] * 257).toBeLessThanOrEqual(1024);
    expect(grid[1] * 257).toBeLessThanOrEqual(1024);
    expect(grid[2]).toBeLessThanOrEqual(1024);
  });
});
