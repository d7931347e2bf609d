import { describe, expect, it } from "vitest";
import { formatColor, labelColor, parseColor, shownColor } from "../../src/math/label-color";

describe("labelColor", () => {
  it("is bright and saturated for every label", () => {
    for (let label = 1; label < 2000; label += 1) {
      const color = labelColor(label, 0, 0);
      expect(Math.max(...color)).toBeGreaterThanOrEqual(0.78 - 1e-9);
      expect(Math.min(...color) / Math.max(...color)).toBeLessThanOrEqual(0.5 + 1e-9);
    }
  });

  it("tells labels apart that differ in their high word only", () => {
    expect(labelColor(5, 0, 0)).not.toEqual(labelColor(5, 1, 0));
  });

  it("is dealt anew by another seed", () => {
    expect(labelColor(5, 0, 0)).not.toEqual(labelColor(5, 0, 1));
  });

  it("gives neighbouring numbers no colour alike", () => {
    let alike = 0;
    for (let label = 1; label < 1000; label += 1) {
      const a = labelColor(label, 0, 0);
      const b = labelColor(label + 1, 0, 0);
      if (Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]) < 0.15) alike += 1;
    }
    expect(alike).toBe(0);
  });
});

describe("shownColor", () => {
  it("prefers the override", () => {
    const style = { colors: { "17": "#ff8000" }, seed: 0 };
    expect(formatColor(shownColor("17", style))).toBe("#ff8000");
    expect(shownColor("18", style)).toEqual(labelColor(18, 0, 0));
  });

  it("takes negative labels by their 64 bits", () => {
    expect(shownColor("-1", { colors: {}, seed: 3 })).toEqual(
      labelColor(0xffffffff, 0xffffffff, 3),
    );
  });
});

describe("parseColor", () => {
  it("is undone by formatColor", () => {
    expect(formatColor(parseColor("#0a7fff"))).toBe("#0a7fff");
  });
});
