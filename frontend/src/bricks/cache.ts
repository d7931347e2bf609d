// Bricks in main memory: raw voxels as they came, so that values are exact and the GPU can be
// filled again. Bounded in bytes; what was not looked at for longest goes first.
import type { Notice } from "../wire/types";
import { elementOfBrick, viewVoxels, type Voxels } from "./element";
import type { BrickMessage } from "./message";
import { Parcels } from "./parcels";
import type { BrickNumber, Volume } from "./volume";

export interface Brick {
  /** Unique: the same brick fetched again has another. */
  readonly serial: number;
  /** Of the data that it shows: goes up when the data changes elsewhere. */
  generation: number;
  /** One element when constant. */
  voxels: Voxels;
  readonly constant: boolean;
  readonly minimum: number;
  readonly maximum: number;
}

interface Shelf {
  readonly bricks: Map<BrickNumber, { brick: Brick; used: number }>;
  readonly failures: Map<BrickNumber, { notice: Notice; generation: number }>;
}

export class BrickCache {
  #budget: number;
  readonly #shelves = new Map<Volume, Shelf>();
  readonly #parcels = new Parcels();
  #serial = 0;
  #clock = 0;

  /** `budget` in bytes of voxels. */
  constructor(budget: number) {
    this.#budget = budget;
  }

  /** Bytes, which may be exceeded by what is being looked at. */
  get budget(): number {
    return this.#budget;
  }

  set budget(bytes: number) {
    this.#budget = bytes;
    this.#trim();
  }

  get bytes(): number {
    return this.#parcels.bytes;
  }

  /** Number of bricks. */
  get size(): number {
    let size = 0;
    for (const { bricks } of this.#shelves.values()) size += bricks.size;
    return size;
  }

  #shelf(volume: Volume): Shelf {
    let shelf = this.#shelves.get(volume);
    if (shelf === undefined) {
      shelf = { bricks: new Map(), failures: new Map() };
      this.#shelves.set(volume, shelf);
    }
    return shelf;
  }

  get(volume: Volume, number: BrickNumber): Brick | null {
    const entry = this.#shelves.get(volume)?.bricks.get(number);
    if (entry === undefined) return null;
    entry.used = this.#clock;
    return entry.brick;
  }

  failure(volume: Volume, number: BrickNumber): { notice: Notice; generation: number } | null {
    return this.#shelves.get(volume)?.failures.get(number) ?? null;
  }

  /** Keep what came. A failure leaves the voxels of an older generation in place. */
  put(volume: Volume, message: BrickMessage): void {
    const shelf = this.#shelf(volume);
    const number = volume.number(message.level, message.z, message.y, message.x);
    const { generation } = message;
    if (message.failure !== null) {
      shelf.failures.set(number, { notice: message.failure, generation });
      return;
    }
    shelf.failures.delete(number);
    const former = shelf.bricks.get(number);
    if (former !== undefined && former.brick.generation > generation) return;
    if (former !== undefined) this.#parcels.release(former.brick);
    this.#serial += 1;
    const brick: Brick = {
      serial: this.#serial,
      generation,
      voxels: viewVoxels(elementOfBrick(volume.element, message.bytesEach), message.payload),
      constant: message.constant,
      minimum: message.minimum,
      maximum: message.maximum,
    };
    shelf.bricks.set(number, { brick, used: this.#clock });
    this.#parcels.hold(brick);
  }

  /** Begin a new round of looking: what is got from now on counts as used last. */
  tick(): void {
    this.#trim();
    this.#clock += 1;
  }

  #trim(): void {
    if (this.bytes <= this.#budget) return;
    const entries: { shelf: Shelf; number: BrickNumber; used: number; brick: Brick }[] = [];
    for (const shelf of this.#shelves.values()) {
      for (const [number, { brick, used }] of shelf.bricks) {
        // What the last round looked at stays, even over the budget.
        if (used < this.#clock) entries.push({ shelf, number, used, brick });
      }
    }
    entries.sort((a, b) => a.used - b.used);
    // Some room below the budget, so that this is not done again for the next brick.
    const goal = this.#budget * 0.9;
    for (const { shelf, number, brick } of entries) {
      if (this.bytes <= goal) break;
      shelf.bricks.delete(number);
      this.#parcels.release(brick);
    }
  }

  /** Forget failures, so that their bricks are asked for again. */
  forgetFailures(): void {
    for (const shelf of this.#shelves.values()) shelf.failures.clear();
  }

  /** Forget a volume. */
  drop(volume: Volume): void {
    const shelf = this.#shelves.get(volume);
    if (shelf === undefined) return;
    for (const { brick } of shelf.bricks.values()) this.#parcels.release(brick);
    this.#shelves.delete(volume);
  }
}
