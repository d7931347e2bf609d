// What to load, in which order: a pure function of the pictures on the screen and the volumes in
// them. The coarsest level comes first, so that something is seen everywhere at once; then finer
// ones, up to the level that the screen can show; within a level what is nearest the focus. Only
// where all of it arrives in a moment anyway is the level needed asked for directly: making coarse
// levels takes the server longer than sending a few fine bricks.
import { coverPlane, levelFor, visitPlane, type Cell, type Plane } from "./cover";
import type { Position } from "../math/panel";
import { Seen } from "./seen";
import type { BrickNumber, Volume } from "./volume";

/** A volume as it appears in one picture. */
export interface Sight {
  /** Which picture: any identity of the caller's. */
  readonly picture: number;
  readonly volume: Volume;
  readonly plane: Plane;
  /** Whether it is drawn with a linear filter. */
  readonly linear: boolean;
  /** World position of what is looked at, as under the cursor; the picture's middle if null. */
  readonly focus?: Position | null;
}

/** What a sight needs. */
export interface Cover {
  readonly sight: Sight;
  /** The level that suffices for the screen. */
  readonly level: number;
  /** The bricks of that level, as far as the budget holds them. */
  readonly cells: readonly Cell[];
  /** How many more it would have. */
  readonly left: number;
  /** Numbers of all bricks, of this level and coarser ones, that its picture may show. */
  readonly numbers: ReadonlySet<BrickNumber>;
}

export interface Need {
  readonly volume: Volume;
  readonly number: BrickNumber;
}

export interface Plan {
  readonly covers: readonly Cover[];
  /** All bricks in view, best first, each once. */
  readonly needs: readonly Need[];
}

export interface PlanOptions {
  /** Bytes that a brick of the volume takes on the GPU. */
  readonly bytes: (volume: Volume) => number;
  /** Bytes that all needs together may take; beyond, coarser levels must do, or a part of them. */
  readonly budget: number;
  /** Bytes that arrive in a moment: a picture of no more needs no coarse one before it. */
  readonly direct: number;
}

/**
 * Levels to be loaded, coarsest first: the coarsest, the target, and between them every second one
 * counted from the target, so that all stages before the target have a tenth of its bricks.
 */
function stages(target: number, coarsest: number): number[] {
  const levels = [target];
  for (let level = target + 2; level < coarsest - 1; level += 2) levels.unshift(level);
  if (target !== coarsest) levels.unshift(coarsest);
  return levels;
}

/** The bricks that a picture may show, found when somebody asks. */
function numbersOf(sight: Sight, target: number, cells: readonly Cell[]): () => Set<BrickNumber> {
  let numbers: Set<BrickNumber> | null = null;
  return () => {
    if (numbers !== null) return numbers;
    const found = new Set(cells.map(({ number }) => number));
    numbers = found;
    const { volume, plane, linear } = sight;
    for (const level of stages(target, volume.coarsest)) {
      if (level === target) continue;
      visitPlane(volume, level, plane, linear, null, (number) => found.add(number));
    }
    return found;
  };
}

/** Pixels from the focus that count as equally near: an eighth of a brick. */
const NEAR = 4;

/** Ranks of a stage; what is farther than all of them counts as equally far. */
const RANKS = 4096;

/** The room for it is used again by the next plan. */
const SEEN = new Seen();

/** The bricks that a plan in the making needs, each once, and when. */
class Draft {
  readonly #volumes: readonly Volume[];
  /** Indices into these, numbers and ranks, in the order in which they were added. */
  readonly #which: number[] = [];
  readonly #numbers: BrickNumber[] = [];
  readonly #ranks: number[] = [];

  constructor(volumes: readonly Volume[]) {
    this.#volumes = volumes;
    SEEN.clear();
  }

  /** Add a brick, or have it come sooner; returns whether it is a new one. */
  add(which: number, number: BrickNumber, rank: number): boolean {
    const place = SEEN.note(which, number, this.#numbers.length);
    if (place >= 0) {
      if (rank < (this.#ranks[place] ?? 0)) this.#ranks[place] = rank;
      return false;
    }
    this.#which.push(which);
    this.#numbers.push(number);
    this.#ranks.push(rank);
    return true;
  }

  /** The bricks in the order of their ranks. */
  needs(): Need[] {
    // Counted instead of compared: ranks are small numbers, and there may be thousands of bricks.
    const ranks = this.#ranks;
    let last = 0;
    for (const rank of ranks) if (rank > last) last = rank;
    const ends = new Uint32Array(last + 2);
    for (const rank of ranks) ends[rank + 1] = (ends[rank + 1] ?? 0) + 1;
    for (let rank = 1; rank <= last; rank += 1)
      ends[rank] = (ends[rank] ?? 0) + (ends[rank - 1] ?? 0);
    const places = new Uint32Array(ranks.length);
    for (let place = 0; place < ranks.length; place += 1) {
      const rank = ranks[place] ?? 0;
      const at = ends[rank] ?? 0;
      places[at] = place;
      ends[rank] = at + 1;
    }
    const needs: Need[] = [];
    for (const place of places) {
      const volume = this.#volumes[this.#which[place] ?? 0];
      if (volume !== undefined) needs.push({ volume, number: this.#numbers[place] ?? 0 });
    }
    return needs;
  }
}

function rankOf(stage: number, distance: number): number {
  return stage * RANKS + Math.min(Math.floor(distance / NEAR), RANKS - 1);
}

function planWith(sights: readonly Sight[], coarser: number, options: PlanOptions): Plan | null {
  const volumes = [...new Set(sights.map(({ volume }) => volume))];
  const bytes = volumes.map(options.bytes);
  const targets = sights.map((sight) => {
    const { volume, plane, linear, focus } = sight;
    const level = Math.min(levelFor(volume, plane) + coarser, volume.coarsest);
    const cells = coverPlane(volume, level, plane, linear, focus);
    return { sight, which: volumes.indexOf(volume), levels: stages(level, volume.coarsest), cells };
  });
  const isCoarsest = targets.every(({ levels }) => levels.length === 1);
  const size = targets.reduce(
    (sum, { which, cells }) => sum + cells.length * (bytes[which] ?? 0),
    0,
  );
  const isDirect = size <= options.direct;
  const draft = new Draft(volumes);
  let taken = 0;
  for (const { which, levels, cells } of targets) {
    const one = bytes[which] ?? 0;
    const stage = isDirect ? 0 : levels.length - 1;
    for (const { number, distance } of cells) {
      if (draft.add(which, number, rankOf(stage, distance))) taken += one;
    }
    if (taken > options.budget && !isCoarsest) return null;
  }
  for (const { sight, which, levels } of isDirect ? [] : targets) {
    const { volume, plane, linear, focus = null } = sight;
    const one = bytes[which] ?? 0;
    levels.slice(0, -1).forEach((level, stage) => {
      visitPlane(volume, level, plane, linear, focus, (number, distance) => {
        if (draft.add(which, number, rankOf(stage, distance))) taken += one;
      });
    });
  }
  if (taken > options.budget && !isCoarsest) return null;
  const covers = targets.map(({ sight, levels, cells }) => {
    const level = levels.at(-1) ?? 0;
    const find = numbersOf(sight, level, cells);
    return {
      sight,
      level,
      cells,
      left: 0,
      get numbers() {
        return find();
      },
    };
  });
  const result = { covers, needs: draft.needs() };
  return taken > options.budget ? cut(result, options) : result;
}

/** Of a plan that exceeds the budget what comes first. */
function cut({ covers, needs }: Plan, { bytes, budget }: PlanOptions): Plan {
  let taken = 0;
  const end = needs.findIndex(({ volume }) => (taken += bytes(volume)) > budget);
  const kept = needs.slice(0, end);
  const numbers = new Map<Volume, Set<BrickNumber>>();
  for (const { volume, number } of kept) {
    numbers.set(volume, (numbers.get(volume) ?? new Set()).add(number));
  }
  const isKept = (volume: Volume, number: BrickNumber): boolean =>
    numbers.get(volume)?.has(number) === true;
  return {
    needs: kept,
    covers: covers.map((cover) => {
      const { volume } = cover.sight;
      const cells = cover.cells.filter(({ number }) => isKept(volume, number));
      return {
        sight: cover.sight,
        level: cover.level,
        cells,
        left: cover.cells.length - cells.length,
        numbers: new Set(cells.map(({ number }) => number)),
      };
    }),
  };
}

/** The bricks for these sights, within the budget. */
export function plan(sights: readonly Sight[], options: PlanOptions): Plan {
  for (let coarser = 0; ; coarser += 1) {
    const result = planWith(sights, coarser, options);
    if (result !== null) return result;
  }
}
