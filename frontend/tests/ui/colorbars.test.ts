import { describe, expect, it } from "vitest";
import { barsOf, entryAt, ticksOf } from "../../src/ui/colorbars";
import type { Document } from "../../src/wire/types";
import { exampleDocument } from "./example-document";

function texts(low: number, high: number, most: number, whole = false): string[] {
  return ticksOf(low, high, most, whole).map(({ text }) => text);
}

describe("ticksOf", () => {
  it("gives round values between the limits", () => {
    expect(texts(0, 4000, 9)).toEqual(
      ["0", "500", "1000", "1500", "2000", "2500", "3000", "3500", "4000"], // prettier-ignore
    );
    expect(texts(-0.8, 0.8, 5)).toEqual(["−0.5", "0.0", "0.5"]);
    expect(texts(3, 253, 4)).toEqual(["100", "200"]);
  });

  it("never gives more than asked for", () => {
    for (const [low, high] of [
      [0, 1],
      [-7, 12.3],
      [1e-9, 3e-9],
      [99, 101],
    ] as const) {
      for (let most = 2; most < 12; most += 1) {
        expect(ticksOf(low, high, most, false).length).toBeLessThanOrEqual(most);
      }
    }
  });

  it("gives the limits where no two round values lie between them", () => {
    expect(texts(0.13, 0.17, 2)).toEqual(["0.1300", "0.1700"]);
    expect(texts(1003.4, 998949.4, 2)).toEqual(["1003", "998949"]);
  });

  it("gives whole values for whole numbers", () => {
    expect(texts(0, 2, 9, true)).toEqual(["0", "1", "2"]);
    expect(texts(0, 1, 9, true)).toEqual(["0", "1"]);
  });

  it("writes large and small values short", () => {
    expect(texts(0, 2e9, 3)).toEqual(["0", "1e9", "2e9"]);
    expect(texts(0, 3e-9, 4)).toEqual(["0", "1e-9", "2e-9", "3e-9"]);
  });
});

describe("entryAt", () => {
  it("runs from end to end, bent by gamma as the picture is", () => {
    expect([entryAt(0, 2), entryAt(0.5, 2), entryAt(1, 2)]).toEqual([0, 64, 255]);
    expect(entryAt(0.5, 1)).toBe(128);
  });
});

describe("barsOf", () => {
  const base = exampleDocument();
  const shown: Document = { ...base, view: { ...base.view, colorbar: true } };

  it("is empty unless wished for", () => {
    expect(barsOf(base)).toEqual([]);
  });

  it("has the visible layers with a colour map, topmost first", () => {
    const images = [...base.order].reverse().filter((id) => base.layers[id]?.kind === "image");
    expect(images.length).toBeGreaterThan(0);
    expect(barsOf(shown).map(({ id }) => id)).toEqual(images);
    const hidden = Object.fromEntries(
      Object.entries(shown.layers).map(([id, layer]) => [id, { ...layer, visible: false }]),
    );
    expect(barsOf({ ...shown, layers: hidden })).toEqual([]);
  });
});
