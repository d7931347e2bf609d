// Bricks out of view that may be needed next: asked for when everything in view is there, and a few
// at a time, so that what is needed then, instead, does not wait for many of them.
import type { Need } from "../bricks/planner";
import { POLICY } from "./policy";

export class Ahead {
  #needs: readonly Need[] = [];
  #isOn = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** How many have been asked for and have not come. */
  #asked = 0;

  /** Best first. */
  get needs(): readonly Need[] {
    return this.#needs;
  }

  /** These from now on; they are not asked for yet. */
  replace(needs: readonly Need[]): void {
    this.#needs = needs;
    this.#isOn = false;
    this.#asked = 0;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /**
   * Begin to `ask` for them after so many milliseconds, or before that as soon as it `isDue`, if they
   * are still wanted then.
   */
  start(milliseconds: number, isDue: (() => boolean) | null, ask: () => void): void {
    if (this.#isOn || this.#timer !== null) return;
    const look = (left: number): void => {
      this.#timer = null;
      if (left > 0 && isDue?.() !== true) {
        const pause = isDue === null ? left : POLICY.lookMilliseconds;
        this.#timer = setTimeout(() => {
          look(left - pause);
        }, pause);
        return;
      }
      this.#isOn = true;
      ask();
    };
    look(milliseconds);
  }

  /** What is to be asked for now: the next few that are not there. */
  next(isThere: (need: Need) => boolean): Need[] {
    const next: Need[] = [];
    let bytes = 0;
    for (const need of this.#isOn ? this.#needs : []) {
      if (isThere(need)) continue;
      next.push(need);
      bytes += need.volume.brickBytes;
      if (bytes >= POLICY.aheadBytes) break;
    }
    this.#asked = next.length;
    return next;
  }

  /** One of them has come; returns whether more are to be asked for. */
  came(): boolean {
    if (this.#asked === 0) return false;
    this.#asked -= 1;
    return this.#asked === 0;
  }
}
