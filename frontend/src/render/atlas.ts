// Bricks on the GPU. Bricks of one format and shape share 3-D textures of equal slots (a *pool*);
// a pool grows by one texture at a time, never by more than 64 MiB at once, and once the budget
// is spent, slots that no picture shows are given to others.
import type { Brick } from "../bricks/cache";
import type { BrickNumber, Volume } from "../bricks/volume";
import type { Context } from "../gl/context";
import { FORMATS, Texture3D, type Format } from "../gl/texture";
import type { Position } from "../math/panel";
import { encodeTexels, formatOf, type TexelCode } from "./texels";

/** One texture of a pool. */
export interface Page {
  readonly texture: Texture3D;
}

export interface Slot {
  readonly page: Page;
  /** Texels (x, y, z) where the brick begins. */
  readonly origin: readonly [number, number, number];
  /** Which brick it holds (`Brick.serial`), and of which generation. */
  serial: number;
  generation: number;
  /** When it was looked for last, by the atlas's clock. */
  used: number;
}

interface Pool {
  readonly format: Format;
  /** Texels of a slot (x, y, z). */
  readonly shape: readonly [number, number, number];
  readonly free: Slot[];
  readonly pages: Page[];
}

/** The largest texture allocated at once, bytes: larger ones lost the context without a word. */
const STEP_BYTES = 64 * 1024 * 1024;

/** Bytes of textures below which no device runs out of memory. */
const CAREFREE_BYTES = 256 * 1024 * 1024;

/** Slots in a pool's first texture: most data is small, and clearing memory takes time. */
const FIRST_SLOTS = 64;

/** Bytes that one brick of the volume takes in its texture. */
export function slotBytes(volume: Volume, format: Format): number {
  const [z, y, x] = volume.stored;
  return z * y * x * FORMATS[format].bytes;
}

/** Slots along (x, y, z) of a texture for at most so many of them, as near to a cube as it goes. */
export function pageGrid(
  shape: readonly [number, number, number],
  slots: number,
  maximum: number,
): readonly [number, number, number] {
  const grid: [number, number, number] = [1, 1, 1];
  for (;;) {
    let best = -1;
    for (const axis of [0, 1, 2] as const) {
      if ((grid[axis] + 1) * shape[axis] > maximum) continue;
      const count = (grid[0] * grid[1] * grid[2] * (grid[axis] + 1)) / grid[axis];
      if (count > slots) continue;
      const length = (which: 0 | 1 | 2): number => grid[which] * shape[which];
      if (best < 0 || length(axis) < length(best as 0 | 1 | 2)) best = axis;
    }
    if (best < 0) return grid;
    grid[best as 0 | 1 | 2] += 1;
  }
}

export class Atlas {
  readonly #context: Context;
  #budget: number;
  readonly #pools = new Map<string, Pool>();
  readonly #resident = new Map<Volume, Map<BrickNumber, Slot>>();
  #bytes = 0;
  #bricks = 0;
  /** Goes on with every brick that is put here. */
  #clock = 0;

  /** `budget` in bytes of texture. */
  constructor(context: Context, budget: number) {
    this.#context = context;
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get bricks(): number {
    return this.#bricks;
  }

  get budget(): number {
    return this.#budget;
  }

  /** Where more is taken already, textures are freed; all of them if there is no other way. */
  setBudget(bytes: number, keep: (volume: Volume, number: BrickNumber) => boolean): void {
    this.#budget = bytes;
    if (this.#bytes > bytes) this.#reclaim(null, keep);
    if (this.#bytes > bytes) this.dispose();
  }

  slot(volume: Volume, number: BrickNumber): Slot | null {
    const slot = this.#resident.get(volume)?.get(number);
    if (slot === undefined) return null;
    slot.used = this.#clock;
    return slot;
  }

  /**
   * Put the brick on the GPU. Slots of bricks for which `keep` is false may be taken for it.
   * Returns whether there was room.
   */
  write(
    volume: Volume,
    number: BrickNumber,
    brick: Brick,
    code: TexelCode,
    keep: (volume: Volume, number: BrickNumber) => boolean,
  ): boolean {
    const [z, y, x] = volume.stored;
    const shape = [x, y, z] as const;
    let slots = this.#resident.get(volume);
    if (slots === undefined) {
      slots = new Map();
      this.#resident.set(volume, slots);
    }
    const format = formatOf(code, brick);
    const pool = this.#pool(format, shape);
    let slot = slots.get(number);
    if (slot !== undefined && !pool.pages.includes(slot.page)) {
      this.release(volume, number);
      slot = undefined;
    }
    if (slot === undefined) {
      if (pool.free.length === 0 && !this.#grow(pool)) this.#evict(pool, keep);
      if (pool.free.length === 0 && this.#reclaim(pool, keep)) this.#grow(pool);
      slot = pool.free.pop();
      if (slot === undefined) return false;
      slots.set(number, slot);
      this.#bricks += 1;
    }
    slot.page.texture.write(slot.origin, shape, encodeTexels(code, brick, format));
    this.#clock += 1;
    slot.used = this.#clock;
    slot.serial = brick.serial;
    slot.generation = brick.generation;
    return true;
  }

  /** Give back the slot of a brick, as when it has become constant. */
  release(volume: Volume, number: BrickNumber): void {
    const slots = this.#resident.get(volume);
    const slot = slots?.get(number);
    if (slots === undefined || slot === undefined) return;
    slots.delete(number);
    this.#bricks -= 1;
    this.#poolOf(slot)?.free.push(slot);
  }

  /** Give back all slots of a volume. */
  drop(volume: Volume): void {
    for (const number of [...(this.#resident.get(volume)?.keys() ?? [])]) {
      this.release(volume, number);
    }
    this.#resident.delete(volume);
  }

  /** Free the textures. */
  dispose(): void {
    for (const pool of this.#pools.values()) {
      for (const { texture } of pool.pages) texture.dispose();
    }
    this.#pools.clear();
    this.#resident.clear();
    this.#bytes = 0;
    this.#bricks = 0;
  }

  #poolOf(slot: Slot): Pool | null {
    for (const pool of this.#pools.values()) if (pool.pages.includes(slot.page)) return pool;
    return null;
  }

  #pool(format: Format, shape: readonly [number, number, number]): Pool {
    const key = `${format} ${shape.join("x")}`;
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = { format, shape, free: [], pages: [] };
      this.#pools.set(key, pool);
    }
    return pool;
  }

  #grow(pool: Pool): boolean {
    const { gl, maximumTexture3D } = this.#context;
    const one = pool.shape[0] * pool.shape[1] * pool.shape[2] * FORMATS[pool.format].bytes;
    const have = pool.pages.reduce((sum, page) => sum + page.texture.bytes, 0) / one;
    const wanted = Math.max(FIRST_SLOTS, have);
    const affordable = Math.min(STEP_BYTES, this.#budget - this.#bytes);
    // A first slot is always had, whatever the budget: without one nothing could be shown.
    const slots = Math.max(
      Math.min(wanted, Math.floor(affordable / one)),
      pool.pages.length > 0 ? 0 : 1,
    );
    if (slots < 1) return false;
    const grid = pageGrid(pool.shape, slots, maximumTexture3D);
    const size = grid.map((count, axis) => count * (pool.shape[axis] ?? 1));
    const texture = new Texture3D(this.#context, pool.format, [
      size[0] ?? 1,
      size[1] ?? 1,
      size[2] ?? 1,
    ]);
    // Asking waits for the GPU; while little is taken, memory is not short.
    if (this.#bytes > CAREFREE_BYTES && gl.getError() === gl.OUT_OF_MEMORY) {
      texture.dispose();
      return false;
    }
    const page: Page = { texture };
    pool.pages.push(page);
    this.#bytes += texture.bytes;
    for (let z = grid[2] - 1; z >= 0; z -= 1) {
      for (let y = grid[1] - 1; y >= 0; y -= 1) {
        for (let x = grid[0] - 1; x >= 0; x -= 1) {
          const origin = [x * pool.shape[0], y * pool.shape[1], z * pool.shape[2]] as const;
          pool.free.push({ page, origin, serial: -1, generation: -1, used: 0 });
        }
      }
    }
    return true;
  }

  /** Free the textures of all pools but this one that no picture shows anything of. */
  #reclaim(pool: Pool | null, keep: (volume: Volume, number: BrickNumber) => boolean): boolean {
    const busy = new Set<Page>();
    for (const [volume, slots] of this.#resident) {
      for (const [number, { page }] of slots) if (keep(volume, number)) busy.add(page);
    }
    let found = false;
    for (const other of this.#pools.values()) {
      if (other === pool) continue;
      for (const page of other.pages.filter((candidate) => !busy.has(candidate))) {
        found = true;
        this.#discard(other, page);
      }
    }
    return found;
  }

  #discard(pool: Pool, page: Page): void {
    for (const slots of this.#resident.values()) {
      for (const [number, slot] of slots) {
        if (slot.page !== page) continue;
        slots.delete(number);
        this.#bricks -= 1;
      }
    }
    pool.pages.splice(pool.pages.indexOf(page), 1);
    pool.free.splice(0, Infinity, ...pool.free.filter((slot) => slot.page !== page));
    this.#bytes -= page.texture.bytes;
    page.texture.dispose();
  }

  /** Free slots of the pool that no picture shows; those looked for longest ago go first. */
  #evict(pool: Pool, keep: (volume: Volume, number: BrickNumber) => boolean): void {
    const pages = new Set(pool.pages);
    const spare: { slots: Map<BrickNumber, Slot>; number: BrickNumber; slot: Slot }[] = [];
    for (const [volume, slots] of this.#resident) {
      for (const [number, slot] of slots) {
        if (pages.has(slot.page) && !keep(volume, number)) spare.push({ slots, number, slot });
      }
    }
    spare.sort((a, b) => a.slot.used - b.slot.used);
    // Many at a time: scanning once for every single slot would be slow.
    for (const { slots, number, slot } of spare.slice(0, FIRST_SLOTS)) {
      slots.delete(number);
      this.#bricks -= 1;
      pool.free.push(slot);
    }
  }
}

/** (z, y, x) → (x, y, z), the order of the shaders. */
export function flip(position: Position): readonly [number, number, number] {
  return [position[2], position[1], position[0]];
}
