import { describe, expect, it } from "vitest";
import { pointOf } from "../../src/render/leading";
import { exampleData } from "../bricks/example-data";
import { exampleDocument } from "./example-document";

const data = exampleData({
  shape: [10, 3, 4, 5, 6],
  scale: [2, 1, 1, 1, 1],
  translate: [5, 0, 0, 0, 0],
});
const { view } = exampleDocument([]);

describe("pointOf", () => {
  it("is the first sample where the view says nothing", () => {
    expect(pointOf(data, view)).toEqual([0, 0]);
  });

  it("is the nearest sample to the view's position", () => {
    expect(pointOf(data, { ...view, position: { t: 5 + 2 * 7.3, c: 1.6 } })).toEqual([7, 2]);
  });

  it("is null beyond the layer's samples", () => {
    expect(pointOf(data, { ...view, position: { t: 40 } })).toBeNull();
    expect(pointOf(data, { ...view, position: { t: 0 } })).toBeNull();
  });

  it("is empty for data without leading axes", () => {
    expect(pointOf(exampleData(), view)).toEqual([]);
  });
});
