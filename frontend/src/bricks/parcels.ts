// The memory of messages. A message brings many bricks, which stay where they lie in it; so its
// memory is free only when the last of them has gone. Where fewer than half are left, they move
// out: else one brick could keep a megabyte.
import type { Voxels } from "./element";

/** Something whose voxels lie in a message, or in memory of their own. */
export interface Held {
  voxels: Voxels;
}

export class Parcels {
  readonly #parcels = new Map<ArrayBufferLike, Set<Held>>();
  #bytes = 0;

  /** All memory that is held, also that of bricks that have gone. */
  get bytes(): number {
    return this.#bytes;
  }

  hold(held: Held): void {
    const { buffer } = held.voxels;
    const inside = this.#parcels.get(buffer);
    if (inside !== undefined) {
      inside.add(held);
      return;
    }
    this.#parcels.set(buffer, new Set([held]));
    this.#bytes += buffer.byteLength;
  }

  release(held: Held): void {
    const { buffer } = held.voxels;
    const inside = this.#parcels.get(buffer);
    if (inside?.delete(held) !== true) return;
    let left = 0;
    for (const { voxels } of inside) left += voxels.byteLength;
    if (2 * left >= buffer.byteLength) return;
    this.#parcels.delete(buffer);
    this.#bytes -= buffer.byteLength;
    for (const other of inside) {
      other.voxels = other.voxels.slice();
      this.hold(other);
    }
  }
}
