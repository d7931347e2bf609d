// What to load, in which order: a pure function of the pictures on the screen and the volumes in
// them. The coarsest level comes first, so that something is seen everywhere at once; then finer
// ones, up to the level that the screen can show; within a level what is nearest the middle. Only
// where all of it arrives in a moment anyway is the level needed asked for directly: making coarse
// levels takes the server longer than sending a few fine bricks. So it is with a large volume: to
// make its coarsest level the server reads it all, and nothing would be seen until then.
import { coverPlane, levelFor, type Cell, type Plane } from "./cover";
import type { BrickNumber, Volume } from "./volume";

/** A volume as it appears in one picture. */
export interface Sight {
  /** Which picture: any identity of the caller's. */
  readonly picture: number;
  readonly volume: Volume;
  readonly plane: Plane;
  /** Whether it is drawn with a linear filter. */
  readonly linear: boolean;
}

/** What a sight needs. */
export interface Cover {
  readonly sight: Sight;
  /** The level that suffices for the screen. */
  readonly level: number;
  /** The bricks of that level. */
  readonly cells: readonly Cell[];
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
  /** Bytes that all needs together may take; beyond, coarser levels must do. */
  readonly budget: number;
  /** Bytes that arrive in a moment: a picture of no more needs no coarse one before it. */
  readonly direct: number;
}

/** Every second level on the way from the coarsest to the target, both included. */
function stages(target: number, coarsest: number): number[] {
  const levels = [coarsest];
  for (let level = coarsest - 2; level > target; level -= 2) levels.push(level);
  if (target !== coarsest) levels.push(target);
  return levels;
}

function planWith(sights: readonly Sight[], coarser: number, options: PlanOptions): Plan {
  const targets = sights.map(({ volume, plane, linear }) => {
    const level = Math.min(levelFor(volume, plane) + coarser, volume.coarsest);
    const cells = coverPlane(volume, level, plane, linear);
    return { level, cells, size: cells.length * options.bytes(volume) };
  });
  const bytes = targets.reduce((sum, { size }) => sum + size, 0);
  const isDirect = bytes <= options.direct;
  const covers: Cover[] = [];
  const ranked: { volume: Volume; number: BrickNumber; rank: number }[] = [];
  const seen = new Map<Volume, Map<BrickNumber, number>>();
  sights.forEach((sight, at) => {
    const { volume, plane, linear } = sight;
    const { level: target, cells } = targets[at] ?? { level: 0, cells: [] };
    const places = seen.get(volume) ?? new Map<BrickNumber, number>();
    seen.set(volume, places);
    const numbers = new Set<BrickNumber>();
    stages(target, volume.coarsest).forEach((level, stage) => {
      const isTarget = level === target;
      for (const cell of isTarget ? cells : coverPlane(volume, level, plane, linear)) {
        const { number, distance } = cell;
        numbers.add(number);
        if ((isDirect || volume.isLarge) && !isTarget) continue;
        // Distances are in pixels, far below the step from stage to stage.
        const rank = stage * 1e7 + Math.min(distance, 9e6);
        const place = places.get(number);
        const known = place === undefined ? undefined : ranked[place];
        if (known === undefined) {
          places.set(number, ranked.length);
          ranked.push({ volume, number, rank });
        } else known.rank = Math.min(known.rank, rank);
      }
    });
    covers.push({ sight, level: target, cells, numbers });
  });
  ranked.sort((a, b) => a.rank - b.rank);
  return { covers, needs: ranked };
}

/** The bricks for these sights, within the budget. */
export function plan(sights: readonly Sight[], options: PlanOptions): Plan {
  const deepest = sights.reduce((most, { volume }) => Math.max(most, volume.coarsest), 0);
  for (let coarser = 0; ; coarser += 1) {
    const result = planWith(sights, coarser, options);
    const bytes = result.needs.reduce((sum, { volume }) => sum + options.bytes(volume), 0);
    if (bytes <= options.budget || coarser >= deepest) return result;
  }
}
