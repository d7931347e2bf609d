// All volumes that are or were looked at, with their bricks: it asks the stream for what is
// missing and keeps what comes. One library a page.
import type { Data, Notice } from "../wire/types";
import { BrickCache, type Brick } from "./cache";
import type { BrickMessage } from "./message";
import type { Need } from "./planner";
import { BrickStream } from "./stream";
import { Volume, type BrickNumber } from "./volume";

interface Entry {
  readonly volume: Volume;
  /** Generation of the data in force. */
  generation: number;
  /** Number on the stream while it is open there. */
  open: number | null;
  /** Round in which it was last selected. */
  used: number;
}

export type BrickState = "ready" | "stale" | "failed" | "missing";

export interface LibraryEvents {
  /** Voxels, or the news that there are none, have come. */
  arrived(volume: Volume, number: BrickNumber): void;
  connection(open: boolean): void;
}

/** Volumes kept for coming back to, though nobody looks at them now. */
const SPARE_VOLUMES = 64;

export class Library {
  readonly #cache: BrickCache;
  readonly #stream: BrickStream;
  readonly #events: LibraryEvents;
  readonly #entries = new Map<string, Entry>();
  readonly #byVolume = new Map<Volume, Entry>();
  readonly #byNumber = new Map<number, Entry>();
  #round = 0;

  /** `budget` in bytes of voxels. */
  constructor(url: string, budget: number, events: LibraryEvents) {
    this.#events = events;
    this.#cache = new BrickCache(budget);
    this.#stream = new BrickStream(url, {
      brick: (message) => {
        this.#take(message);
      },
      connection: (open) => {
        events.connection(open);
      },
    });
  }

  get bytes(): number {
    return this.#cache.bytes;
  }

  get requests(): number {
    return this.#stream.requests;
  }

  /** Begin a new round; afterwards `select` what is looked at, then `settle`. */
  begin(): void {
    this.#round += 1;
    this.#cache.tick();
  }

  /** The volume of this data at this point, as it was before if it is known already. */
  select(layer: string, kind: "image" | "labels", data: Data, point: readonly number[]): Volume {
    const key = Volume.keyOf(layer, data, point);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const volume = new Volume(layer, kind, data, point);
      entry = { volume, generation: data.generation, open: null, used: this.#round };
      this.#entries.set(key, entry);
      this.#byVolume.set(volume, entry);
    }
    entry.volume.place(data);
    entry.generation = data.generation;
    entry.used = this.#round;
    return entry.volume;
  }

  /** Close what was not selected in this round; tells of volumes that were forgotten. */
  settle(): Volume[] {
    const spare: Entry[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.used === this.#round) continue;
      if (entry.open !== null) {
        this.#stream.close(entry.open);
        this.#byNumber.delete(entry.open);
        entry.open = null;
      }
      spare.push(entry);
    }
    if (spare.length <= SPARE_VOLUMES) return [];
    spare.sort((a, b) => a.used - b.used);
    return spare.slice(0, spare.length - SPARE_VOLUMES).map((entry) => {
      this.#forget(entry);
      return entry.volume;
    });
  }

  /** Forget all volumes of layers that are no more; tells which. */
  prune(layers: ReadonlySet<string>): Volume[] {
    const gone = [...this.#entries.values()].filter(({ volume }) => !layers.has(volume.layer));
    return gone.map((entry) => {
      if (entry.open !== null) {
        this.#stream.close(entry.open);
        this.#byNumber.delete(entry.open);
      }
      this.#forget(entry);
      return entry.volume;
    });
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.volume.key);
    this.#byVolume.delete(entry.volume);
    this.#cache.drop(entry.volume);
  }

  generation(volume: Volume): number {
    return this.#byVolume.get(volume)?.generation ?? 0;
  }

  /** The brick as last received, maybe of an older generation. */
  brick(volume: Volume, number: BrickNumber): Brick | null {
    return this.#cache.get(volume, number);
  }

  state(volume: Volume, number: BrickNumber): BrickState {
    const generation = this.generation(volume);
    const brick = this.#cache.get(volume, number);
    if (brick !== null && brick.generation >= generation) return "ready";
    const failure = this.#cache.failure(volume, number);
    if (failure !== null && failure.generation >= generation) return "failed";
    return brick === null ? "missing" : "stale";
  }

  /** Why the brick of the data in force could not be had; null when it could, or may yet. */
  failure(volume: Volume, number: BrickNumber): Notice | null {
    const failure = this.#cache.failure(volume, number);
    return failure !== null && failure.generation >= this.generation(volume)
      ? failure.notice
      : null;
  }

  /** Ask for these, best first; whatever was asked before and did not come is dropped. */
  want(needs: readonly Need[]): void {
    const list: number[] = [];
    for (const { volume, number } of needs) {
      const entry = this.#byVolume.get(volume);
      if (entry === undefined) continue;
      if (entry.open === null) {
        entry.open = this.#stream.open(volume);
        this.#byNumber.set(entry.open, entry);
      }
      const { level, z, y, x } = volume.index(number);
      list.push(entry.open, level, z, y, x);
    }
    this.#stream.want(list);
  }

  forgetFailures(): void {
    this.#cache.forgetFailures();
  }

  /** Asks the server for nothing more; what is here stays. */
  disconnect(): void {
    this.#stream.dispose();
  }

  #take(message: BrickMessage): void {
    const entry = this.#byNumber.get(message.volume);
    if (entry === undefined || message.level > entry.volume.coarsest) return;
    this.#cache.put(entry.volume, message);
    const { level, z, y, x } = message;
    this.#events.arrived(entry.volume, entry.volume.number(level, z, y, x));
  }
}
