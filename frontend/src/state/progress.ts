// Long work behind the layers, as the server reports it.
import { signal, type ReadonlySignal } from "@preact/signals";
import type { Progress } from "../wire/types";

export class Tasks {
  readonly #tasks = signal<readonly Progress[]>([]);

  get running(): ReadonlySignal<readonly Progress[]> {
    return this.#tasks;
  }

  receive(progress: Progress): void {
    const others = this.#tasks.value.filter(
      (task) => task.layer !== progress.layer || task.task !== progress.task,
    );
    this.#tasks.value = progress.done >= 1 ? others : [...others, progress];
  }

  /** What ran for layers that are no more has ended with them. */
  keep(layers: Readonly<Record<string, unknown>>): void {
    const kept = this.#tasks.peek().filter(({ layer }) => layer === null || layer in layers);
    if (kept.length < this.#tasks.peek().length) this.#tasks.value = kept;
  }

  /** A new connection hears of what still runs by its next report. */
  clear(): void {
    this.#tasks.value = [];
  }
}
