// What will be needed next: the bricks before a slice in the direction in which it moves, as far
// as it gets in half a second; at rest, those just before and behind it. And of a slice that has been
// zoomed, those of the next level the same way: so many at once would hold up the notch of the wheel
// that needs them. Around a slice, coarse ones: who pans or zooms out sees something there at once.
// Who has jumped to another place is going nowhere from there.
import { coverPlane, levelFor, normalOf, VOXEL_PIXELS, type Plane } from "./cover";
import type { Cover, Need, Sight } from "./planner";
import { dot, minus, type Position } from "../math/panel";

/** Seconds after which a slice that has not moved is at rest, and that are looked ahead. */
const SECONDS = 0.5;

/** Bricks looked ahead along the slice's normal, at most. */
const MOST_BRICKS = 4;

/** Pixels across a slice that are no move: sums along a plane that lies aslant are rounded. */
const STILL = 1e-6;

/** The part of a brick that is always looked ahead. */
const MARGIN = 0.25;

/** Levels coarser, for what lies around a slice: a quarter of its own bricks for four times as much. */
const AROUND_LEVELS = 2;

interface Track {
  readonly plane: Plane;
  readonly time: number;
  /** World units a second along the normal. */
  readonly speed: number;
  /** -1 after it was zoomed in, 1 after it was zoomed out, else 0. */
  readonly zoom: number;
  /** Whether it came here by a jump. */
  readonly jumped: boolean;
}

/** World units along the normal that a slice has moved. */
function wayAcross(normal: Position, from: Plane, to: Plane): number {
  const found = dot(normal, minus(to.center, from.center));
  return Math.abs(found) < STILL * to.pixel ? 0 : found;
}

/** Whether so many world units are farther than anybody scrolls at once: a picture's height. */
function isJump(distance: number, from: Plane, to: Plane): boolean {
  const reach = ({ width, height, pixel }: Plane): number => Math.min(width, height) * pixel;
  return Math.abs(distance) > Math.max(reach(from), reach(to));
}

/** How fast slices move, from one plan to the next. */
export class Motion {
  #tracks = new Map<number, Track>();

  /**
   * These are the slices now; `time` in seconds. What fits its panel has been zoomed by nobody,
   * whatever becomes of the panel.
   */
  note(sights: readonly Sight[], time: number, isFitted = false): void {
    const tracks = new Map<number, Track>();
    for (const { picture, plane } of sights) {
      if (tracks.has(picture)) continue;
      const before = this.#tracks.get(picture);
      const normal = normalOf(plane);
      const isSame =
        before !== undefined && normalOf(before.plane).every((part, axis) => part === normal[axis]);
      if (!isSame || time - before.time > SECONDS) {
        const zoom = isSame ? zoomFrom(before, plane) : 0;
        tracks.set(picture, { plane, time, speed: 0, zoom, jumped: false });
        continue;
      }
      const distance = wayAcross(normal, before.plane, plane);
      if (isJump(distance, before.plane, plane)) {
        tracks.set(picture, { plane, time, speed: 0, zoom: 0, jumped: true });
        continue;
      }
      if (distance === 0) {
        // Something else has changed, or this one rests.
        const { jumped } = before;
        const zoom = jumped ? 0 : zoomFrom(before, plane);
        const isZoomed = plane.pixel !== before.plane.pixel;
        tracks.set(picture, isZoomed ? { plane, time, speed: 0, zoom, jumped } : before);
        continue;
      }
      const speed = distance / Math.max(time - before.time, 0.001);
      // Steps of a wheel come unevenly; a turn back counts at once.
      const isTurn = speed * before.speed <= 0;
      tracks.set(picture, {
        plane,
        time,
        speed: isTurn ? speed : (speed + before.speed) / 2,
        zoom: zoomFrom(before, plane),
        jumped: false,
      });
    }
    this.#tracks = isFitted ? unzoomed(tracks) : tracks;
  }

  /** Whether pictures go on the way they went: otherwise nobody knows what is next. */
  get isMoving(): boolean {
    return [...this.#tracks.values()].some(({ speed, zoom }) => speed !== 0 || zoom !== 0);
  }

  /** World units a second along the picture's normal. */
  speed(picture: number): number {
    return this.#tracks.get(picture)?.speed ?? 0;
  }

  /** -1 after the picture was zoomed in, 1 after it was zoomed out, else 0. */
  zoom(picture: number): number {
    return this.#tracks.get(picture)?.zoom ?? 0;
  }
}

function unzoomed(tracks: ReadonlyMap<number, Track>): Map<number, Track> {
  return new Map([...tracks].map(([picture, track]) => [picture, { ...track, zoom: 0 }]));
}

/** Moving along the slice keeps the way in which it was zoomed, moving across it does not. */
function zoomFrom(before: Track, plane: Plane): number {
  const sign = Math.sign(plane.pixel - before.plane.pixel);
  if (sign !== 0) return sign;
  return wayAcross(normalOf(plane), before.plane, plane) === 0 ? before.zoom : 0;
}

/** The plane as it will be when the next level is needed; null when there is none. */
function zoomed(
  { sight, level }: Pick<Cover, "sight" | "level">,
  way: number,
): { plane: Plane; level: number } | null {
  const { volume, plane, focus } = sight;
  const next = level + way;
  if (way === 0 || next < 0 || next > volume.coarsest) return null;
  // The coarser of the two levels suffices from this zoom on.
  const finest = volume.grid(0).scale;
  const { scale } = volume.grid(Math.max(level, next));
  const reduced = ([0, 1, 2] as const).filter(
    (axis) => Math.abs(scale[axis]) > Math.abs(finest[axis]),
  );
  const largest = Math.max(...reduced.map((axis) => Math.abs(scale[axis])));
  const border = largest / VOXEL_PIXELS;
  const pixel =
    way < 0 ? Math.min(plane.pixel, border * 0.999) : Math.max(plane.pixel, border * 1.001);
  const ratio = pixel / plane.pixel;
  // What lies under the cursor stays there.
  const at = (axis: 0 | 1 | 2): number => {
    const fixed = focus?.[axis] ?? plane.center[axis];
    return fixed + (plane.center[axis] - fixed) * ratio;
  };
  const then = { ...plane, pixel, center: [at(0), at(1), at(2)] as const };
  return levelFor(volume, then) === next ? { plane: then, level: next } : null;
}

/** Twice as much of the world on each axis, which is what is there when it is panned or zoomed out. */
function around(plane: Plane): Plane {
  const [x, y] = plane.middle;
  return { ...plane, width: 2 * plane.width, height: 2 * plane.height, middle: [2 * x, 2 * y] };
}

/** Bricks that slices will need next, nearest first, not more than `budget` bytes of them. */
export function nextBricks(
  covers: readonly Cover[],
  motion: Motion,
  bytes: (volume: Need["volume"]) => number,
  budget: number,
): Need[] {
  const layers: { distance: number; needs: Need[] }[] = [];
  for (const { sight, level } of covers) {
    const { volume, plane, linear, picture, focus } = sight;
    const next = zoomed({ sight, level }, motion.zoom(picture));
    if (next !== null) {
      const cells = coverPlane(volume, next.level, next.plane, linear, focus);
      cells.sort((a, b) => a.distance - b.distance);
      const needs = cells.map(({ number }) => ({ volume, number }));
      // First: who zooms mostly zooms on.
      layers.push({ distance: 0, needs });
    }
    if (level < volume.coarsest) {
      const coarse = Math.min(level + AROUND_LEVELS, volume.coarsest);
      const cells = coverPlane(volume, coarse, around(plane), linear);
      // After what is just before and behind the slice.
      layers.push({ distance: 0.75, needs: cells.map(({ number }) => ({ volume, number })) });
    }
    const normal = normalOf(plane);
    const { scale } = volume.grid(level);
    const brick = ([0, 1, 2] as const).reduce<number>(
      (sum, axis) => sum + Math.abs(normal[axis] * volume.brick[axis] * scale[axis]),
      0,
    );
    const reach = (motion.speed(picture) * SECONDS) / brick;
    for (const distance of distances(reach)) {
      const move = (axis: 0 | 1 | 2): number =>
        plane.center[axis] + distance * brick * normal[axis];
      const center = [move(0), move(1), move(2)] as const;
      const cells = coverPlane(volume, level, { ...plane, center }, linear);
      const needs = cells.map(({ number }) => ({ volume, number }));
      layers.push({ distance: Math.abs(distance), needs });
    }
  }
  layers.sort((a, b) => a.distance - b.distance);
  const needs: Need[] = [];
  let taken = 0;
  for (const layer of layers) {
    for (const need of layer.needs) {
      taken += bytes(need.volume);
      if (taken > budget) return needs;
      needs.push(need);
    }
  }
  return needs;
}

/** How far to look, in bricks, for a slice that moves by `reach` of them. */
function distances(reach: number): number[] {
  if (reach === 0) return [-MARGIN, MARGIN];
  const sign = Math.sign(reach);
  const count = Math.min(Math.ceil(Math.abs(reach)), MOST_BRICKS);
  return [MARGIN, ...Array.from({ length: count }, (_, place) => place + 1)].map(
    (distance) => sign * distance,
  );
}
