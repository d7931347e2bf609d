// What is on stage: the layers shown, the bricks that their pictures need, which of them are there
// and which are next to go to the GPU. It knows the atlas only by what it is told is resident.
import { BrickSet } from "../bricks/brick-set";
import { ownPlane } from "../bricks/cover";
import type { Brick } from "../bricks/cache";
import type { Library } from "../bricks/library";
import { bricksOf, coarsestBricks, isWhole, type Fill } from "../bricks/fill";
import { Motion, nextBricks } from "../bricks/look-ahead";
import { plan, type Cover, type Need, type Plan, type Sight } from "../bricks/planner";
import type { BrickNumber, Volume } from "../bricks/volume";
import type { Position } from "../math/panel";
import type { Document } from "../wire/types";
import { Actors, type Actor } from "./actors";
import { Ahead } from "./ahead";
import { slotBytes } from "./atlas";
import { fillingNeeds, planFilling, standIns, type Filling, type SpaceSight } from "./filling";
import type { Picture } from "./pictures";
import { POLICY } from "./policy";
import { Presence, Progress, type Residents } from "./presence";
import { Probe } from "./probe";
import { finestOf } from "./stand-ins";
import type { TexelCode } from "./texels";
import { Waiting } from "./waiting";

/** The part of the GPU's budget that bricks in view may take; the rest eases moving about. */
const IN_VIEW = 0.75;

/** The part of the budget up to which there is room for bricks beside those in view. */
const LOOK_AHEAD = 0.25;

export class Stage {
  readonly #library: Library;
  readonly #direct: number;
  #budget: number;
  readonly #presence: Presence;
  readonly #actors: Actors;
  #pictures: readonly Picture[] = [];
  #plan: Plan = { covers: [], needs: [] };
  /** The finest level on the screen since slices of the volume were complete last. */
  #finest = new Map<Volume, number>();
  /** Images that fill the 3-D panel, bottom first, and the bricks for that, best first. */
  #filling: Filling = { fills: [], left: [], bytes: 0 };
  #fillNeeds: Need[] = [];
  /** Bricks out of view: coarse ones, so that moving about never meets emptiness, and the next. */
  readonly #ahead = new Ahead();
  readonly #motion = new Motion();
  readonly #waiting = new Waiting();
  /** When the last plan was made, and whether it followed the one before without a rest. */
  #planned = -Infinity;
  #isSteady = false;
  readonly #probe = new Probe();
  #inView = new BrickSet();
  /** Those among them that are needed now, not only next. */
  #needed = new BrickSet();
  /** Bricks that are here but not yet on the GPU, best first. */
  #queue: Need[] = [];

  /** `budget` in bytes of texture, `direct` as in `PlanOptions`. */
  constructor(library: Library, budget: number, direct: number) {
    this.#library = library;
    this.#budget = budget;
    this.#direct = direct;
    this.#presence = new Presence(library);
    this.#actors = new Actors(library, this.#presence);
  }

  /** What is on the GPU; nothing at first. */
  set residents(residents: Residents) {
    this.#presence.residents = residents;
  }

  /** Bottom first. */
  get actors(): readonly Actor[] {
    return this.#actors.list;
  }

  get pictures(): readonly Picture[] {
    return this.#pictures;
  }

  get covers(): readonly Cover[] {
    return this.#plan.covers;
  }

  /** What fills the 3-D panel, bottom first. */
  get fills(): readonly Fill[] {
    return this.#filling.fills;
  }

  /**
   * What can be shown of these now: while the level wanted is incomplete the coarsest one, or what
   * was shown before.
   */
  shownFills(): Fill[] {
    const isHere = (fill: Fill): boolean =>
      bricksOf(fill).every((need) => this.#presence.isSomething(need));
    return this.fills.map((fill) => {
      const former = this.actors.find(({ volume }) => volume === fill.volume)?.former ?? null;
      return standIns(fill, former).find(isHere) ?? fill;
    });
  }

  /** Of the bricks that fill the 3-D panel. */
  get fillProgress(): Progress {
    const progress = new Progress(this.#presence);
    for (const need of this.fills.flatMap(bricksOf)) progress.count(need);
    return progress;
  }

  /** Whether the bricks of this volume fill the 3-D panel. */
  isFilling(volume: Volume): boolean {
    return this.fills.some((fill) => fill.volume === volume);
  }

  /** Whether bricks wait for the GPU. */
  get isUploading(): boolean {
    return this.#queue.length > 0;
  }

  /** Whether a brick in view is still to come or to be put on the GPU. */
  get isLoading(): boolean {
    const isFilled = this.fills.every((fill) =>
      bricksOf(fill).every((need) => this.#presence.isDrawable(need)),
    );
    return !isFilled || this.areSlicesLoading;
  }

  /** The same for slices alone. */
  get areSlicesLoading(): boolean {
    return this.#plan.covers.some(({ sight: { volume }, cells }) =>
      cells.some(({ number }) => !this.#presence.isDrawable({ volume, number })),
    );
  }

  /** The finest level whose bricks may still be there for what is seen of the volume. */
  finest(volume: Volume): number {
    return this.#finest.get(volume) ?? volume.coarsest;
  }

  code(volume: Volume): TexelCode | null {
    return this.#actors.code(volume);
  }

  /** Plan for so many bytes of texture from now on. */
  set budget(bytes: number) {
    this.#budget = bytes;
  }

  /** Bricks asked for or still to be, or waiting for the GPU. */
  get pending(): number {
    const needs = [...this.#plan.needs, ...this.#fillNeeds, ...this.#ahead.needs];
    return needs.filter((need) => !this.#presence.isDrawable(need)).length;
  }

  /** The GPU turned out to hold no more than this: plan for it. False: so it was done already. */
  limit(bytes: number): boolean {
    if (bytes >= this.#budget) return false;
    this.#budget = bytes;
    return true;
  }

  /** There is no room for the brick; returns whether anything in view lacks it. */
  refuse(need: Need): boolean {
    this.#presence.refuse(need);
    return this.isNeeded(need.volume, need.number);
  }

  /** Layers that a picture, or the 3-D panel (null), can't show whole for want of memory. */
  shortOf(picture: number | null): string[] {
    const short = new Set<string>();
    if (picture === null) {
      for (const layer of this.#filling.left) short.add(layer);
      for (const fill of this.fills) {
        const isShort =
          !isWhole(fill) || bricksOf(fill).some((need) => this.#presence.isRefused(need));
        if (isShort) short.add(fill.volume.layer);
      }
    }
    for (const { sight, cells, left } of this.#plan.covers) {
      if (sight.picture !== picture) continue;
      const { volume } = sight;
      const isShort =
        left > 0 || cells.some(({ number }) => this.#presence.isRefused({ volume, number }));
      if (isShort) short.add(volume.layer);
    }
    return [...short];
  }

  /**
   * Plan anew; returns volumes that were forgotten. `space` is null when there is no 3-D panel.
   */
  update(document: Document, pictures: readonly Picture[], space: SpaceSight | null): Volume[] {
    const now = performance.now();
    const isComplete = this.#plan.covers.length > 0 && !this.areSlicesLoading;
    const isLate = this.#waiting.isLate(pictures, isComplete, now);
    const before = isComplete ? finestOf(this.#plan.covers) : this.#finest;
    this.#isSteady = now - this.#planned < POLICY.restMilliseconds;
    this.#planned = now;
    this.#library.begin();
    this.#pictures = pictures;
    this.#actors.cast(document);
    const sights: Sight[] = [];
    const probed = this.#probe.position;
    pictures.forEach(({ plane }, picture) => {
      for (const { layer, volume } of this.actors) {
        const linear = layer.kind === "image" && layer.style.interpolation === "linear";
        const focus = probed === null ? null : volume.map.inward(probed);
        sights.push({ picture, volume, plane: ownPlane(volume, plane), linear, focus });
      }
    });
    const bytes = (volume: Volume): number =>
      slotBytes(volume, this.#actors.code(volume)?.format ?? "R32F");
    this.#filling = planFilling(this.actors, space, this.#budget, bytes);
    this.#fillNeeds = fillingNeeds(this.#filling, this.#direct);
    const budget = this.#budget * IN_VIEW - this.#filling.bytes;
    this.#plan = plan(sights, { bytes, budget, direct: isLate ? 0 : this.#direct });
    this.#finest = finestOf(this.#plan.covers, before);
    this.#inView = new BrickSet();
    this.#needed = new BrickSet();
    this.#presence.forgetRefused();
    /** Those that were not known to be in view. */
    const unseen = (needs: readonly Need[]): Need[] =>
      needs.filter((need) => this.#inView.add(need));
    for (const need of unseen([...this.#plan.needs, ...this.#fillNeeds])) this.#needed.add(need);
    const ahead = unseen(this.actors.flatMap(({ volume }) => coarsestBricks(volume)));
    const taken = this.#plan.needs.reduce((sum, { volume }) => sum + bytes(volume), 0);
    this.#motion.note(sights, now / 1000, document.view.zoom === null);
    const room = this.#budget * LOOK_AHEAD - taken;
    if (room > 0) {
      const next = nextBricks(this.#plan.covers, this.#motion, bytes, room);
      ahead.push(...unseen(next));
    }
    this.#ahead.replace(ahead);
    this.#queue = [...this.#plan.needs, ...this.#fillNeeds, ...ahead].filter((need) =>
      this.#presence.isPending(need),
    );
    const gone = this.#library.prune(new Set(Object.keys(document.layers)));
    gone.push(...this.#library.settle());
    this.setProbe(probed);
    return gone;
  }

  /** Also load the finest voxels at this position, before all else. */
  setProbe(position: Position | null): void {
    const volumes = this.actors.map(({ volume }) => volume);
    this.#probe.place(position, volumes);
    this.want();
  }

  isProbed(volume: Volume, number: BrickNumber): boolean {
    return this.#probe.has(volume, number);
  }

  /**
   * Everything in view is there: ask for what may be needed next, once that `isDrawn`. Where the GPU
   * is software, making bricks meanwhile would hold the picture up. Who moves on all the time waits
   * for none.
   */
  lookAhead(isDrawn: () => boolean): void {
    const { needs } = this.#ahead;
    const isDue = this.#isSteady ? (): boolean => true : isDrawn;
    this.#ahead.start(POLICY.restMilliseconds, this.#motion.isMoving ? isDue : null, () => {
      if (needs.some((need) => !this.#presence.isThere(need))) this.want();
    });
  }

  /** Tell the server what is missing. */
  want(): void {
    const missing = this.#probe.missing(this.#library);
    const probed = (need: Need): boolean =>
      missing.some(({ volume, number }) => volume === need.volume && number === need.number);
    const probes = missing.length;
    const isThere = (need: Need): boolean => this.#presence.isThere(need);
    const inView = [...this.#plan.needs, ...this.#fillNeeds].filter((need) => !isThere(need));
    for (const need of [...inView, ...this.#ahead.next(isThere)]) {
      if (probes === 0 || !probed(need)) missing.push(need);
    }
    this.#library.want(missing);
  }

  /** Something came from the server; returns whether any picture can change by it. */
  arrived(volume: Volume, number: BrickNumber): boolean {
    if (!this.#inView.has(volume, number)) return false;
    const need = { volume, number };
    if (this.#presence.isPending(need)) this.#queue.push(need);
    if (!this.isNeeded(volume, number) && this.#ahead.came()) this.want();
    return true;
  }

  /** The next brick to put on the GPU. */
  nextUpload(): { need: Need; brick: Brick } | null {
    for (;;) {
      const need = this.#queue.shift();
      if (need === undefined) return null;
      const brick = this.#library.brick(need.volume, need.number);
      if (brick !== null && this.#presence.isPending(need)) return { need, brick };
    }
  }

  /** Whether a picture waits for the brick. */
  isNeeded(volume: Volume, number: BrickNumber): boolean {
    return this.#needed.has(volume, number);
  }

  isInView(volume: Volume, number: BrickNumber): boolean {
    return this.#inView.has(volume, number);
  }

  /** Of the bricks of one picture. */
  progress(picture: number): Progress {
    const progress = new Progress(this.#presence);
    for (const { sight, cells } of this.#plan.covers) {
      if (sight.picture !== picture) continue;
      const { volume } = sight;
      for (const { number } of cells) progress.count({ volume, number });
    }
    return progress;
  }
}
