// All volumes that are or were looked at, with their bricks: it asks the stream for what is
// missing and keeps what comes. One library a page.
import type { Data, Notice } from "../wire/types";
import { BrickCache, type Brick } from "./cache";
import { History } from "./history";
import type { BrickMessage } from "./message";
import type { Need } from "./planner";
import { BrickStream } from "./stream";
import { Volume, type BrickNumber } from "./volume";

interface Entry {
  readonly volume: Volume;
  /** The data in force, and what has changed in it. */
  data: Data;
  history: History;
  /** Number on the stream while it is open there. */
  open: number | null;
  /** Round in which it was last selected. */
  used: number;
}

export type BrickState = "ready" | "stale" | "failed" | "missing";

/** What has become of bricks, for the statistics. */
export interface LibraryCounts {
  /** Bricks in main memory. */
  readonly held: number;
  /** Bricks asked for and not come yet. */
  readonly pending: number;
  /** Bricks, and bytes, that have come since the page was opened. */
  readonly received: number;
  readonly receivedBytes: number;
  /** Bricks among them for which there was no use any more. */
  readonly dropped: number;
}

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
  #wanted = 0;
  #received = 0;
  #dropped = 0;

  /** `budget` in bytes of voxels; `firstBytes` as for a `BrickStream`. */
  constructor(
    url: string,
    budget: number,
    events: LibraryEvents,
    firstBytes: number | null = null,
  ) {
    this.#events = events;
    this.#cache = new BrickCache(budget);
    const taking = {
      brick: (message: BrickMessage) => {
        this.#take(message);
      },
      connection: (open: boolean) => {
        events.connection(open);
      },
    };
    this.#stream = new BrickStream(url, taking, firstBytes);
  }

  /** Bytes of voxels kept in main memory, but for what is being looked at. */
  get budget(): number {
    return this.#cache.budget;
  }

  set budget(bytes: number) {
    this.#cache.budget = bytes;
  }

  get bytes(): number {
    return this.#cache.bytes;
  }

  get counts(): LibraryCounts {
    return {
      held: this.#cache.size,
      pending: Math.max(this.#wanted, 0),
      received: this.#received,
      receivedBytes: this.#stream.bytes,
      dropped: this.#dropped,
    };
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
      const history = new History(volume, data);
      entry = { volume, data, history, open: null, used: this.#round };
      this.#entries.set(key, entry);
      this.#byVolume.set(volume, entry);
    }
    if (entry.data !== data) {
      entry.data = data;
      entry.volume.place(data);
      entry.history = new History(entry.volume, data);
    }
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

  /** Generation of the data in force. */
  generation(volume: Volume): number {
    return this.#byVolume.get(volume)?.history.generation ?? 0;
  }

  /** Whether voxels of the brick that were read at `generation` are those of the data in force. */
  isCurrent(volume: Volume, number: BrickNumber, generation: number): boolean {
    const history = this.#byVolume.get(volume)?.history;
    if (history === undefined || generation >= history.generation) return true;
    return history.isCurrent(volume.index(number), generation);
  }

  /** The brick as last received, maybe of an older generation. */
  brick(volume: Volume, number: BrickNumber): Brick | null {
    return this.#cache.get(volume, number);
  }

  state(volume: Volume, number: BrickNumber): BrickState {
    const brick = this.#cache.get(volume, number);
    if (brick !== null && this.isCurrent(volume, number, brick.generation)) {
      // What nothing has touched is as good as new: steps that are forgotten don't concern it.
      brick.generation = Math.max(brick.generation, this.generation(volume));
      return "ready";
    }
    if (this.failure(volume, number) !== null) return "failed";
    return brick === null ? "missing" : "stale";
  }

  /** Why the brick of the data in force could not be had; null when it could, or may yet. */
  failure(volume: Volume, number: BrickNumber): Notice | null {
    const failure = this.#cache.failure(volume, number);
    return failure !== null && this.isCurrent(volume, number, failure.generation)
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
    this.#wanted = needs.length;
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
    this.#received += 1;
    if (entry === undefined || message.level > entry.volume.coarsest) {
      this.#dropped += 1;
      return;
    }
    this.#wanted -= 1;
    this.#cache.put(entry.volume, message);
    const { level, z, y, x } = message;
    this.#events.arrived(entry.volume, entry.volume.number(level, z, y, x));
  }
}
