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

  /** A new connection hears of what still runs by its next report. */
  clear(): void {
    this.#tasks.value = [];
  }
}
