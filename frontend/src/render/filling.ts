// Which images fill the 3-D panel as volumes, and how much of the GPU each of them gets. Pure.
import { bricksOf, fillOf, wholeFill, type Fill } from "../bricks/fill";
import type { Need } from "../bricks/planner";
import type { Volume } from "../bricks/volume";
import type { Position } from "../math/panel";
import { POLICY } from "./policy";
import type { Actor } from "./actors";

/** The part of the GPU's budget that bricks filling the 3-D panel may take. */
const FILLING = 0.4;

/** The 3-D panel's camera, as far as it decides what is loaded. */
export interface SpaceSight {
  /** World position that it looks at. */
  readonly center: Position;
  /** What a pixel measures in the world, there. */
  readonly pixel: number;
}

export interface Filling {
  /** Bottom first. */
  readonly fills: readonly Fill[];
  /** Layers that would fill the panel, had the budget room for any of their bricks. */
  readonly left: readonly string[];
  /** Bytes of texture that the fills take. */
  readonly bytes: number;
}

/** The fills together take no more than a part of the budget; what one leaves is for the next. */
export function planFilling(
  actors: readonly Actor[],
  space: SpaceSight | null,
  budget: number,
  bytes: (volume: Volume) => number,
): Filling {
  const shown = actors.filter(
    ({ layer, volume }) =>
      layer.kind === "image" && layer.style.rendering !== "none" && !volume.flat,
  );
  const fills: Fill[] = [];
  const left: string[] = [];
  let taken = 0;
  if (space === null) return { fills, left, bytes: taken };
  shown.forEach(({ layer, volume }, place) => {
    const [z, y, x] = volume.brick;
    const room = (budget * FILLING - taken) / (shown.length - place);
    const affordable = Math.floor(room / bytes(volume)) * z * y * x;
    const most = Math.min(POLICY.fillVoxels, affordable);
    const fill = fillOf(volume, space.pixel, most, space.center);
    if (fill === null) left.push(layer.id);
    else {
      fills.push(fill);
      taken += bricksOf(fill).length * bytes(volume);
    }
  });
  return { fills, left, bytes: taken };
}

/** What may be shown for a fill, best first: itself, a coarse one, that of another point in time. */
export function standIns(fill: Fill, former: Volume | null): Fill[] {
  const own = [fill, coarseOf(fill)].filter((one) => one !== null);
  const isAlike = former?.layer === fill.volume.layer && former.coarsest === fill.volume.coarsest;
  return isAlike ? [...own, ...own.map((one) => ({ ...one, volume: former }))] : own;
}

/** A coarser one; null when there is none. */
function coarseOf({ volume, level }: Fill): Fill | null {
  return level === volume.coarsest ? null : wholeFill(volume, volume.coarsest);
}

/** The bricks for these fills, best first: coarse ones before, unless all come in a moment. */
export function fillingNeeds({ fills, bytes }: Filling, direct: number): Need[] {
  const coarse = fills.map(coarseOf).filter((fill) => fill !== null);
  return [...(bytes <= direct ? [] : coarse), ...fills].flatMap(bricksOf);
}
