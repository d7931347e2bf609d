// Moves the crosshair smoothly, so that the eye can follow where the picture went.
import type { Position } from "../math/panel";

/** Milliseconds: long enough to be seen, too short to be waited for. */
const DURATION = 180;

export class Glide {
  readonly #move: (position: Position) => void;
  #frame = 0;

  constructor(move: (position: Position) => void) {
    this.#move = move;
  }

  start(from: Position, to: Position): void {
    this.stop();
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.#move(to);
      return;
    }
    const begin = performance.now();
    const step = (now: number): void => {
      const passed = Math.min(Math.max((now - begin) / DURATION, 0), 1);
      const eased = 1 - (1 - passed) ** 3;
      const at = (axis: 0 | 1 | 2): number => from[axis] + (to[axis] - from[axis]) * eased;
      this.#move(passed === 1 ? to : [at(0), at(1), at(2)]);
      this.#frame = passed === 1 ? 0 : requestAnimationFrame(step);
    };
    this.#frame = requestAnimationFrame(step);
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }
}
