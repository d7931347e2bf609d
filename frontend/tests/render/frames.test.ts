import { expect, test } from "vitest";
import { Frames } from "../../src/render/frames";

/** Frames that are run by hand. */
function byHand(): { frames: Frames; drawn: () => number; run: () => void } {
  const due: (() => void)[] = [];
  let drawn = 0;
  const draw = (): void => {
    drawn += 1;
  };
  const frames = new Frames(draw, (run) => due.push(run));
  return { frames, drawn: () => drawn, run: () => due.splice(0).forEach((next) => next()) };
}

test("however often something is due, there is one frame", () => {
  const { frames, drawn, run } = byHand();
  frames.arm();
  frames.arm();
  run();
  run();
  expect([drawn(), frames.count]).toEqual([1, 1]);
  frames.arm();
  run();
  expect(drawn()).toBe(2);
});

test("after the end there is none, also where one was due", () => {
  const { frames, drawn, run } = byHand();
  frames.arm();
  frames.stop();
  frames.arm();
  run();
  expect(drawn()).toBe(0);
});
