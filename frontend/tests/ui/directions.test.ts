import { expect, test } from "vitest";
import { axesInPanel, directionOf, turnText } from "../../src/ui/directions";
import type { Document } from "../../src/wire/types";
import { exampleDocument } from "./example-document";

function turned(...orientation: Document["view"]["orientation"]): Document {
  const document = exampleDocument();
  document.view.orientation = orientation;
  return document;
}

const HALF = Math.SQRT1_2;
const SIN = Math.sin(Math.PI / 12);
const COS = Math.cos(Math.PI / 12);

test("directions along the axes have their names", () => {
  const document = turned(0, 0, 0, 1);
  expect(directionOf(document, "xz", "right").text).toBe("x");
  expect(directionOf(document, "xz", "down").text).toBe("z");
  expect(axesInPanel(document, "xz")).toBeNull();
});

test("after a quarter turn they have the names of the axes they lie along now", () => {
  const document = turned(HALF, 0, 0, HALF);
  expect(directionOf(document, "xy", "right")).toMatchObject({ text: "x", axis: "x" });
  expect(directionOf(document, "xy", "down")).toMatchObject({ text: "−z", axis: "z" });
  expect(directionOf(document, "xy", "normal")).toMatchObject({ text: "y", axis: "y" });
});

test("aslant they are the slices' own, and the axes are shown as they pierce the panel", () => {
  const document = turned(SIN, 0, 0, COS);
  expect(directionOf(document, "xy", "right").text).toBe("x");
  expect(directionOf(document, "xy", "down")).toMatchObject({ text: "y′", isAslant: true });
  expect(turnText(document, "xy")).toBe("30° off z");
  const z = axesInPanel(document, "xy")?.find(({ name }) => name === "z");
  expect(z?.down).toBeCloseTo(-0.5, 9);
  expect(z?.away).toBeCloseTo(Math.sqrt(0.75), 9);
  // The panel yz is turned in its own plane only.
  expect(directionOf(document, "yz", "normal").text).toBe("x");
  expect(turnText(document, "yz")).toBe("turned 30°");
});
