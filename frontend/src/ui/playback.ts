// Plays a leading axis like a film. It waits for the picture to be complete before it goes on, so
// that every sample is seen; a page in the background stands still.
import { signal, type ReadonlySignal } from "@preact/signals";

export interface PlaybackOptions {
  /** Shows the next sample of the axis; false when there is none, which ends it. */
  advance(axis: string): boolean;
  /** Whether the picture is complete. */
  ready(): boolean;
}

/** Milliseconds after which playback goes on although the picture isn't complete. */
const PATIENCE = 1000;

export class Playback {
  readonly #options: PlaybackOptions;
  readonly #axis = signal<string | null>(null);
  /** Samples a second. */
  readonly rate = signal(10);
  #last = 0;

  constructor(options: PlaybackOptions) {
    this.#options = options;
  }

  /** The axis that plays, if any. */
  get axis(): ReadonlySignal<string | null> {
    return this.#axis;
  }

  toggle(axis: string): void {
    if (this.#axis.peek() === axis) {
      this.stop();
      return;
    }
    const idle = this.#axis.peek() === null;
    this.#axis.value = axis;
    this.#last = performance.now();
    if (idle) requestAnimationFrame(this.#frame);
  }

  stop(): void {
    this.#axis.value = null;
  }

  readonly #frame = (now: number): void => {
    const axis = this.#axis.peek();
    if (axis === null) return;
    const passed = now - this.#last;
    const due = passed >= 1000 / this.rate.peek() - 4;
    if (due && (this.#options.ready() || passed >= PATIENCE)) {
      this.#last = now;
      if (!this.#options.advance(axis)) {
        this.stop();
        return;
      }
    }
    requestAnimationFrame(this.#frame);
  };
}
