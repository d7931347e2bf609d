// What to load, in which order: a pure function of the pictures on the screen and the volumes in
// them. The coarsest level comes first, so that something is seen everywhere at once; then finer
// ones, up to the level that the screen can show; within a level what is nearest the focus. Only
// where all of it arrives in a moment anyway is the level needed asked for directly: making coarse
// levels takes the server longer than sending a few fine bricks.
import { coverPlane, levelFor, type Cell, type Plane } from "./cover";
import type { Position } from "../math/panel";
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
    numbers = new Set(cells.map(({ number }) => number));
    const { volume, plane, linear } = sight;
    for (const level of stages(target, volume.coarsest)) {
      if (level === target) continue;
      for (const { number } of coverPlane(volume, level, plane, linear)) numbers.add(number);
    }
    return numbers;
  };
}

/** Pixels from the focus that count as equally near: an eighth of a brick. */
const NEAR = 4;

/** Ranks of a stage; what is farther than all of them counts as equally far. */
const RANKS = 4096;

/** Needs in the order of their ranks. */
function ordered(needs: readonly Need[], ranks: readonly number[]): Need[] {
  // Counted instead of compared: ranks are small numbers, and there may be thousands of needs.
  const ends: number[] = [];
  for (const rank of ranks) {
    while (ends.length <= rank) ends.push(0);
    ends[rank] = (ends[rank] ?? 0) + 1;
  }
  let total = 0;
  for (let rank = 0; rank < ends.length; rank += 1) {
    const count = ends[rank] ?? 0;
    ends[rank] = total;
    total += count;
  }
  const sorted = needs.slice();
  ranks.forEach((rank, place) => {
    const need = needs[place];
    const at = ends[rank] ?? 0;
    if (need !== undefined) sorted[at] = need;
    ends[rank] = at + 1;
  });
  return sorted;
}

function planWith(sights: readonly Sight[], coarser: number, options: PlanOptions): Plan | null {
  const bytes = new Map<Volume, number>();
  const least = new Map<Volume, number>();
  let sum = 0;
  const targets = sights.map(({ volume, plane, linear, focus }) => {
    const level = Math.min(levelFor(volume, plane) + coarser, volume.coarsest);
    const cells = coverPlane(volume, level, plane, linear, focus);
    const one = bytes.get(volume) ?? options.bytes(volume);
    bytes.set(volume, one);
    const size = cells.length * one;
    sum += size;
    least.set(volume, Math.max(least.get(volume) ?? 0, size));
    return { level, cells };
  });
  const isCoarsest = targets.every(({ level }, at) => level === sights[at]?.volume.coarsest);
  // Pictures share bricks, but all of them need no less than one of them.
  const atLeast = [...least.values()].reduce((total, size) => total + size, 0);
  if (atLeast > options.budget && !isCoarsest) return null;
  const isDirect = sum <= options.direct;
  const covers: Cover[] = [];
  const needs: Need[] = [];
  const ranks: number[] = [];
  const seen = new Map<Volume, Map<BrickNumber, number>>();
  sights.forEach((sight, at) => {
    const { volume, plane, linear } = sight;
    const { level: target, cells } = targets[at] ?? { level: 0, cells: [] };
    const places = seen.get(volume) ?? new Map<BrickNumber, number>();
    seen.set(volume, places);
    stages(target, volume.coarsest).forEach((level, stage) => {
      const isTarget = level === target;
      if (isDirect && !isTarget) return;
      const list = isTarget ? cells : coverPlane(volume, level, plane, linear, sight.focus);
      for (const { number, distance } of list) {
        const rank = stage * RANKS + Math.min(Math.floor(distance / NEAR), RANKS - 1);
        const place = places.get(number);
        if (place === undefined) {
          places.set(number, needs.length);
          needs.push({ volume, number });
          ranks.push(rank);
        } else if (rank < (ranks[place] ?? 0)) ranks[place] = rank;
      }
    });
    const find = numbersOf(sight, target, cells);
    covers.push({
      sight,
      level: target,
      cells,
      left: 0,
      get numbers() {
        return find();
      },
    });
  });
  const total = needs.reduce((size, { volume }) => size + (bytes.get(volume) ?? 0), 0);
  const sorted = ordered(needs, ranks);
  if (total <= options.budget) return { covers, needs: sorted };
  return isCoarsest ? cut({ covers, needs: sorted }, options) : null;
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
