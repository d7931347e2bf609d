import { expect, test } from "vitest";
import { bricksOf, wholeFill } from "../../src/bricks/fill";
import { Volume } from "../../src/bricks/volume";
import type { Page, Slot } from "../../src/render/atlas";
import { PAGES } from "../../src/render/shaders/volume";
import { volumeTable } from "../../src/render/volume-table";
import { exampleData } from "../bricks/example-data";

const volume = new Volume("l1", "image", exampleData({ shape: [96, 96, 96] }), []);
const fill = wholeFill(volume, 0);
const numbers = bricksOf(fill).map(({ number }) => number);
const code = { format: "R8", offset: 0, factor: 1, signBits: 0 } as const;

/** Every brick in one of so many textures, in turn. */
function tableOf(textures: number) {
  const pages = Array.from({ length: textures }, () => ({}) as Page);
  const slot = (_: Volume, number: number): Slot => {
    const page = pages[numbers.indexOf(number) % textures]!;
    return { page, origin: [0, 0, 0], serial: 1, generation: 0, used: 0 };
  };
  return volumeTable(fill, code, { slot }, { brick: () => null });
}

test("bricks are found in as many textures as a shader reads", () => {
  const table = tableOf(PAGES);
  expect(table.complete).toBe(true);
  expect(table.pages.length).toBe(PAGES);
  expect(table.words.filter((_, at) => at % 4 === 1).every((word) => word !== 0)).toBe(true);
});

test("a volume that is scattered over more of them is not shown in part unnoticed", () => {
  expect(tableOf(PAGES + 1).complete).toBe(false);
});
