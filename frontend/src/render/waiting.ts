// Whether the view moves on faster than its bricks come: then what is needed does not arrive in a
// moment, however little it is, and coarse levels on the way are worth their while.
import type { Picture } from "./pictures";
import { POLICY } from "./policy";

export class Waiting {
  /** When slices that were complete were left last, in milliseconds; never before the first. */
  #since = Infinity;
  #seen = "";

  /**
   * Other pictures, or the same with other data, are wanted `now`, and those before were complete or
   * not; returns whether the user is waiting for pictures while he moves on.
   */
  isLate(pictures: readonly Picture[], isComplete: boolean, now: number): boolean {
    if (isComplete) this.#since = now;
    const seen = JSON.stringify(pictures);
    const isMoved = seen !== this.#seen;
    this.#seen = seen;
    return isMoved && now - this.#since > POLICY.momentMilliseconds;
  }
}
