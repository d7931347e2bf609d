import { expect, test } from "vitest";
import { reasonFirst } from "../../src/ui/panel-notes";

test("the reason of a failure comes before what failed", () => {
  expect(reasonFirst("Reading the array at [0:64] failed: OSError: gone.")).toEqual([
    "OSError: gone.",
    "Reading the array at [0:64] failed.",
  ]);
});

test("the first failure is what failed, the rest its reason", () => {
  expect(reasonFirst("Reading it failed: opening failed: no such file.")).toEqual([
    "opening failed: no such file.",
    "Reading it failed.",
  ]);
});

test("other messages stay as they are", () => {
  expect(reasonFirst("The layer has been closed.")).toEqual(["The layer has been closed.", ""]);
});
