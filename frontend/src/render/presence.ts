// Which bricks are here: in main memory, on the GPU, or not at all; and what a picture still lacks.
import { BrickSet } from "../bricks/brick-set";
import type { Library } from "../bricks/library";
import type { Need } from "../bricks/planner";
import type { BrickNumber, Volume } from "../bricks/volume";
import type { Notice } from "../wire/types";
import type { Slot } from "./atlas";

/** What is asked of the GPU; null while there is none. */
export interface Residents {
  slot(volume: Volume, number: BrickNumber): Slot | null;
}

export class Presence {
  readonly #library: Library;
  /** Bricks for which the GPU had no room since the last plan. */
  readonly #refused = new BrickSet();
  residents: Residents = { slot: () => null };

  constructor(library: Library) {
    this.#library = library;
  }

  /** Whether the brick shows the data in force, or never will. */
  isThere({ volume, number }: Need): boolean {
    const slot = this.residents.slot(volume, number);
    if (slot !== null && this.#library.isCurrent(volume, number, slot.generation)) {
      slot.generation = Math.max(slot.generation, this.#library.generation(volume));
      return true;
    }
    const state = this.#library.state(volume, number);
    return state === "ready" || state === "failed";
  }

  /** Whether the brick is here and belongs on the GPU, but is not there. */
  isPending({ volume, number }: Need): boolean {
    const brick = this.#library.brick(volume, number);
    if (brick === null || this.#refused.has(volume, number)) return false;
    const slot = this.residents.slot(volume, number);
    if (brick.constant) return slot !== null;
    return slot?.serial !== brick.serial;
  }

  /** Whether nothing more is to be done before it is drawn. */
  isDrawable(need: Need): boolean {
    return this.isThere(need) && !this.isPending(need);
  }

  /** Whether there is something to draw for the brick, be it of older data. */
  isSomething(need: Need): boolean {
    if (this.wasDrawn(need)) return true;
    return this.isDrawable(need) && !this.#refused.has(need.volume, need.number);
  }

  /** Whether something of the brick is on the GPU, or needs no room there. */
  wasDrawn({ volume, number }: Need): boolean {
    if (this.residents.slot(volume, number) !== null) return true;
    return this.#library.brick(volume, number)?.constant === true;
  }

  /** There is no room for the brick. */
  refuse(need: Need): void {
    this.#refused.add(need);
  }

  isRefused({ volume, number }: Need): boolean {
    return this.#refused.has(volume, number);
  }

  /** There may be room again. */
  forgetRefused(): void {
    this.#refused.clear();
  }

  /** Why the brick could not be had. */
  failure({ volume, number }: Need): Notice | null {
    return this.#library.failure(volume, number);
  }
}

/** How many bricks of a picture can't be drawn yet, and why some never will. */
export class Progress {
  readonly #presence: Presence;
  readonly #failures = new Map<string, Notice>();
  #loading = 0;

  constructor(presence: Presence) {
    this.#presence = presence;
  }

  count(need: Need): void {
    const notice = this.#presence.failure(need);
    if (notice !== null) this.#failures.set(notice.message, notice);
    if (!this.#presence.isDrawable(need)) this.#loading += 1;
  }

  get loading(): number {
    return this.#loading;
  }

  /** Each message once. */
  get failures(): Notice[] {
    return [...this.#failures.values()];
  }
}
