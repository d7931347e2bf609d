// A set of bricks, of any volumes.
import type { Need } from "./planner";
import type { BrickNumber, Volume } from "./volume";

export class BrickSet {
  readonly #numbers = new Map<Volume, Set<BrickNumber>>();

  has(volume: Volume, number: BrickNumber): boolean {
    return this.#numbers.get(volume)?.has(number) === true;
  }

  /** Returns whether it was not in it. */
  add({ volume, number }: Need): boolean {
    let numbers = this.#numbers.get(volume);
    if (numbers === undefined) {
      numbers = new Set();
      this.#numbers.set(volume, numbers);
    }
    const { size } = numbers;
    return numbers.add(number).size > size;
  }

  clear(): void {
    this.#numbers.clear();
  }
}
