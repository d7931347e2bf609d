// Errors and remarks for the user: a list that is kept, of which the newest pop up once.
import { computed, signal, type ReadonlySignal } from "@preact/signals";
import type { Notice } from "../wire/types";

export interface Entry {
  readonly key: number;
  readonly notice: Notice;
  /** How often the same thing happened. */
  readonly count: number;
  /** Whether it is still popped up. */
  readonly fresh: boolean;
}

/** Entries kept; the server keeps as many (`viewer.policy.notices`). */
const KEPT = 100;

export class Notices {
  readonly #entries = signal<readonly Entry[]>([]);
  #key = 0;

  /** Newest first. */
  get entries(): ReadonlySignal<readonly Entry[]> {
    return this.#entries;
  }

  readonly fresh = computed(() => this.#entries.value.filter((entry) => entry.fresh));

  add(notice: Notice): void {
    const same = (entry: Entry): boolean =>
      entry.notice.message === notice.message && entry.notice.layer === notice.layer;
    const before = this.#entries.value.find(same);
    this.#key += 1;
    const entry: Entry = {
      key: before?.fresh === true ? before.key : this.#key,
      notice: { ...notice, time: notice.time ?? Date.now() / 1000 },
      count: (before?.count ?? 0) + 1,
      fresh: true,
    };
    const others = this.#entries.value.filter((other) => other !== before);
    this.#entries.value = [entry, ...others].slice(0, KEPT);
  }

  /** Takes the pop-up away; the entry stays in the list. */
  settle(key: number): void {
    this.#entries.value = this.#entries.value.map((entry) =>
      entry.key === key ? { ...entry, fresh: false } : entry,
    );
  }

  clear(): void {
    this.#entries.value = [];
  }
}
