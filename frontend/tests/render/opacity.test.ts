import { expect, test } from "vitest";
import { parseRgba, recompose, type Rgb } from "../../src/render/opacity";

const UNDER = { dark: [0.2, 0.2, 0.2], light: [0.8, 0.8, 0.8] } as const;

/** A pixel of this colour and opacity, on both backgrounds. */
function seen(color: Rgb, alpha: number): readonly [Uint8ClampedArray, Uint8ClampedArray] {
  const on = (under: Rgb): Uint8ClampedArray =>
    new Uint8ClampedArray([
      ...color.map((part, channel) => 255 * (part * alpha + (1 - alpha) * under[channel]!)),
      255,
    ]);
  return [on(UNDER.dark), on(UNDER.light)];
}

test("what is opaque keeps its colour on every background", () => {
  const [dark, light] = seen([0.2, 0.4, 0.8], 1);
  recompose(dark, light, UNDER, [1, 1, 1, 1]);
  expect([...dark]).toEqual([51, 102, 204, 255]);
});

test("where nothing is, the background is, or nothing", () => {
  const [dark, light] = seen([0, 0, 0], 0);
  recompose(dark, light, UNDER, [1, 0, 0, 1]);
  expect([...dark]).toEqual([255, 0, 0, 255]);
  const [again, other] = seen([0, 0, 0], 0);
  recompose(again, other, UNDER, [1, 0, 0, 0]);
  expect([...again]).toEqual([0, 0, 0, 0]);
});

test("what is half clear stays so", () => {
  const [dark, light] = seen([1, 0, 0], 0.5);
  recompose(dark, light, UNDER, [0, 0, 0, 0]);
  expect(Math.abs(dark[0]! - 255)).toBeLessThan(3);
  expect(Math.abs(dark[3]! - 128)).toBeLessThan(3);
});

test("colours are read from hexadecimal numbers", () => {
  expect(parseRgba("#ff800000").map((part) => Math.round(255 * part))).toEqual([255, 128, 0, 0]);
});
