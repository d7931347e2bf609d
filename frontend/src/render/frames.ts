// One animation frame at a time, and only when something is due: with nothing to do there is none.
export class Frames {
  readonly #draw: () => void;
  readonly #schedule: (run: () => void) => void;
  #isArmed = false;
  #isOver = false;
  #count = 0;
  #milliseconds = 0;

  /** `schedule` runs it once, soon; default is the browser's next frame, which a hidden page has not. */
  constructor(
    draw: () => void,
    schedule: (run: () => void) => void = (run) => requestAnimationFrame(run),
  ) {
    this.#draw = draw;
    this.#schedule = schedule;
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  /** What the last one took of this thread. */
  get milliseconds(): number {
    return this.#milliseconds;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** There is something to draw. */
  arm(): void {
    if (this.#isArmed || this.#isOver) return;
    this.#isArmed = true;
    this.#schedule(() => {
      this.#isArmed = false;
      if (this.#isOver) return;
      this.#count += 1;
      const start = performance.now();
      this.#draw();
      this.#milliseconds = performance.now() - start;
    });
  }

  /** No more of them. */
  stop(): void {
    this.#isOver = true;
  }
}
