// Which bricks have been met while a plan is made, and where. A plan meets thousands of them many
// times a second: a `Map` for each would take longer than all the rest and leave as much to be
// collected, so this table is written over by the next plan.
import type { BrickNumber } from "./volume";

/** Places that the table has at first; a power of two. */
const LEAST_SIZE = 1 << 13;

export class Seen {
  #size = LEAST_SIZE;
  #numbers = new Float64Array(LEAST_SIZE);
  #volumes = new Int32Array(LEAST_SIZE);
  #places = new Int32Array(LEAST_SIZE);
  #count = 0;

  /** Forget all bricks. */
  clear(): void {
    this.#count = 0;
    this.#places.fill(0);
  }

  /**
   * The place at which this brick of the volume with this index was noted before, or -1; then it
   * is noted at `place`.
   */
  note(volume: number, number: BrickNumber, place: number): number {
    let at = this.#find(volume, number);
    const known = this.#places[at] ?? 0;
    if (known > 0) return known - 1;
    if (2 * (this.#count + 1) > this.#size) {
      this.#grow();
      at = this.#find(volume, number);
    }
    this.#count += 1;
    this.#numbers[at] = number;
    this.#volumes[at] = volume;
    this.#places[at] = place + 1;
    return -1;
  }

  /** Where the brick is noted, or else is to be. */
  #find(volume: number, number: BrickNumber): number {
    const mask = this.#size - 1;
    // Neighbours have neighbouring numbers; the factor, 2^32 over the golden ratio, parts them.
    const hash = Math.imul((number | 0) + volume * 31, 0x9e3779b1);
    let at = (hash ^ (hash >>> 15)) & mask;
    while ((this.#places[at] ?? 0) > 0) {
      if (this.#numbers[at] === number && this.#volumes[at] === volume) return at;
      at = (at + 1) & mask;
    }
    return at;
  }

  #grow(): void {
    const [numbers, volumes, places] = [this.#numbers, this.#volumes, this.#places];
    this.#size *= 2;
    this.#numbers = new Float64Array(this.#size);
    this.#volumes = new Int32Array(this.#size);
    this.#places = new Int32Array(this.#size);
    places.forEach((place, from) => {
      if (place === 0) return;
      const [volume, number] = [volumes[from] ?? 0, numbers[from] ?? 0];
      const at = this.#find(volume, number);
      this.#numbers[at] = number;
      this.#volumes[at] = volume;
      this.#places[at] = place;
    });
  }
}
