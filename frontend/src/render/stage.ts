// What is on stage: the layers shown, the bricks that their pictures need, which of them are there
// and which are next to go to the GPU. It knows the atlas only by what it is told is resident.
import { ownPlane } from "../bricks/cover";
import type { Brick } from "../bricks/cache";
import type { Library } from "../bricks/library";
import { bricksOf, coarsestBricks, isWhole, type Fill } from "../bricks/fill";
import { Motion, nextBricks } from "../bricks/look-ahead";
import { plan, type Cover, type Need, type Plan, type Sight } from "../bricks/planner";
import type { BrickNumber, Volume } from "../bricks/volume";
import type { Position } from "../math/panel";
import type { Document, ImageLayer, LabelsLayer, Notice } from "../wire/types";
import { Ahead } from "./ahead";
import { slotBytes, type Slot } from "./atlas";
import { fillingNeeds, planFilling, standIns, type Filling, type SpaceSight } from "./filling";
import { pointOf } from "./leading";
import type { Picture } from "./pictures";
import { POLICY } from "./policy";
import { finestOf } from "./stand-ins";
import { imageCode, labelsCode, type TexelCode } from "./texels";
import { Waiting } from "./waiting";

/** A layer as it is shown now. */
export interface Actor {
  readonly layer: ImageLayer | LabelsLayer;
  readonly volume: Volume;
  /** What is shown where nothing of `volume` is there yet. */
  readonly former: Volume | null;
  readonly code: TexelCode;
}

/** What the stage asks of the GPU; null while there is none. */
export interface Residents {
  slot(volume: Volume, number: BrickNumber): Slot | null;
}

/** The part of the GPU's budget that bricks in view may take; the rest eases moving about. */
const IN_VIEW = 0.75;

/** The part of the budget up to which there is room for bricks beside those in view. */
const LOOK_AHEAD = 0.25;

export class Stage {
  readonly #library: Library;
  readonly #direct: number;
  #budget: number;
  readonly #codes = new WeakMap<Volume, TexelCode>();
  #actors: readonly Actor[] = [];
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
  #probe: Need[] = [];
  #probed: Position | null = null;
  #inView = new Map<Volume, Set<BrickNumber>>();
  /** Those among them that are needed now, not only next. */
  #needed = new Map<Volume, Set<BrickNumber>>();
  /** Bricks for which the GPU had no room since the last plan. */
  readonly #refused = new Map<Volume, Set<BrickNumber>>();
  /** Bricks that are here but not yet on the GPU, best first. */
  #queue: Need[] = [];
  residents: Residents = { slot: () => null };

  /** `budget` in bytes of texture, `direct` as in `PlanOptions`. */
  constructor(library: Library, budget: number, direct: number) {
    this.#library = library;
    this.#budget = budget;
    this.#direct = direct;
  }

  /** Bottom first. */
  get actors(): readonly Actor[] {
    return this.#actors;
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
    const isHere = (fill: Fill): boolean => bricksOf(fill).every((need) => this.#isSomething(need));
    return this.fills.map((fill) => {
      const former = this.#actors.find(({ volume }) => volume === fill.volume)?.former ?? null;
      return standIns(fill, former).find(isHere) ?? fill;
    });
  }

  /** Bricks that fill the 3-D panel and can't be drawn yet, and why some never will. */
  get fillProgress(): { readonly loading: number; readonly failures: Notice[] } {
    let loading = 0;
    const failures = new Map<string, Notice>();
    for (const { volume, number } of this.fills.flatMap(bricksOf)) {
      const notice = this.#library.failure(volume, number);
      if (notice !== null) failures.set(notice.message, notice);
      if (!this.#isDrawable(volume, number)) loading += 1;
    }
    return { loading, failures: [...failures.values()] };
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
      bricksOf(fill).every(({ volume, number }) => this.#isDrawable(volume, number)),
    );
    return !isFilled || this.areSlicesLoading;
  }

  /** The same for slices alone. */
  get areSlicesLoading(): boolean {
    return this.#plan.covers.some(({ sight, cells }) =>
      cells.some(({ number }) => !this.#isDrawable(sight.volume, number)),
    );
  }

  /** The finest level whose bricks may still be there for what is seen of the volume. */
  finest(volume: Volume): number {
    return this.#finest.get(volume) ?? volume.coarsest;
  }

  code(volume: Volume): TexelCode | null {
    return this.#codes.get(volume) ?? null;
  }

  /** Plan for so many bytes of texture from now on. */
  set budget(bytes: number) {
    this.#budget = bytes;
  }

  /** Bricks asked for or still to be, or waiting for the GPU. */
  get pending(): number {
    const needs = [...this.#plan.needs, ...this.#fillNeeds, ...this.#ahead.needs];
    return needs.filter(({ volume, number }) => !this.#isDrawable(volume, number)).length;
  }

  /** The GPU turned out to hold no more than this: plan for it. False: so it was done already. */
  limit(bytes: number): boolean {
    if (bytes >= this.#budget) return false;
    this.#budget = bytes;
    return true;
  }

  /** There is no room for the brick; returns whether anything in view lacks it. */
  refuse({ volume, number }: Need): boolean {
    this.#refused.set(volume, (this.#refused.get(volume) ?? new Set()).add(number));
    return this.isNeeded(volume, number);
  }

  #isRefused(volume: Volume, number: BrickNumber): boolean {
    return this.#refused.get(volume)?.has(number) === true;
  }

  /** Layers that a picture, or the 3-D panel (null), can't show whole for want of memory. */
  shortOf(picture: number | null): string[] {
    const short = new Set<string>();
    if (picture === null) {
      for (const layer of this.#filling.left) short.add(layer);
      for (const fill of this.fills) {
        const isShort =
          !isWhole(fill) ||
          bricksOf(fill).some(({ volume, number }) => this.#isRefused(volume, number));
        if (isShort) short.add(fill.volume.layer);
      }
    }
    for (const { sight, cells, left } of this.#plan.covers) {
      if (sight.picture !== picture) continue;
      const { volume } = sight;
      const isShort = left > 0 || cells.some(({ number }) => this.#isRefused(volume, number));
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
    this.#library.begin();
    this.#pictures = pictures;
    this.#actors = this.#castActors(document);
    const sights: Sight[] = [];
    pictures.forEach(({ plane }, picture) => {
      for (const { layer, volume } of this.#actors) {
        const linear = layer.kind === "image" && layer.style.interpolation === "linear";
        const focus = this.#probed === null ? null : volume.map.inward(this.#probed);
        sights.push({ picture, volume, plane: ownPlane(volume, plane), linear, focus });
      }
    });
    const bytes = (volume: Volume): number =>
      slotBytes(volume, this.#codes.get(volume)?.format ?? "R32F");
    this.#filling = planFilling(this.#actors, space, this.#budget, bytes);
    this.#fillNeeds = fillingNeeds(this.#filling, this.#direct);
    const budget = this.#budget * IN_VIEW - this.#filling.bytes;
    this.#plan = plan(sights, { bytes, budget, direct: isLate ? 0 : this.#direct });
    this.#finest = finestOf(this.#plan.covers, before);
    this.#inView = new Map();
    this.#needed = new Map();
    this.#refused.clear();
    this.#gather(this.#gather([...this.#plan.needs, ...this.#fillNeeds], this.#needed));
    const ahead = this.#gather(this.#actors.flatMap(({ volume }) => coarsestBricks(volume)));
    const taken = this.#plan.needs.reduce((sum, { volume }) => sum + bytes(volume), 0);
    this.#motion.note(sights, now / 1000, document.view.zoom === null);
    const room = this.#budget * LOOK_AHEAD - taken;
    if (room > 0) {
      const next = nextBricks(this.#plan.covers, this.#motion, bytes, room);
      ahead.push(...this.#gather(next));
    }
    this.#ahead.replace(ahead);
    this.#queue = [...this.#plan.needs, ...this.#fillNeeds, ...ahead].filter((need) =>
      this.#isPending(need),
    );
    const gone = this.#library.prune(new Set(Object.keys(document.layers)));
    gone.push(...this.#library.settle());
    this.#probe = this.#probesAt(this.#probed);
    this.want();
    return gone;
  }

  /** Remember that these are in view; returns those of which it was not known. */
  #gather(needs: readonly Need[], known = this.#inView): Need[] {
    return needs.filter(({ volume, number }) => {
      const numbers = known.get(volume) ?? new Set();
      known.set(volume, numbers);
      const isNew = !numbers.has(number);
      numbers.add(number);
      return isNew;
    });
  }

  /** Also load the finest voxels at this position, before all else. */
  setProbe(position: Position | null): void {
    this.#probed = position;
    this.#probe = this.#probesAt(position);
    this.want();
  }

  #probesAt(position: Position | null): Need[] {
    if (position === null) return [];
    return this.#actors.flatMap(({ volume }) => {
      const voxel = volume.voxelAt(0, position);
      return voxel === null ? [] : [{ volume, number: volume.locate(0, voxel).number }];
    });
  }

  isProbed(volume: Volume, number: BrickNumber): boolean {
    return this.#probe.some((need) => need.volume === volume && need.number === number);
  }

  /** Everything in view is there: ask for what may be needed next. */
  lookAhead(): void {
    const { needs } = this.#ahead;
    this.#ahead.start(this.#motion.isMoving ? 0 : POLICY.restMilliseconds, () => {
      if (needs.some(({ volume, number }) => !this.#isThere(volume, number))) this.want();
    });
  }

  /** Tell the server what is missing. */
  want(): void {
    const missing = this.#probe.filter(({ volume, number }) => {
      const state = this.#library.state(volume, number);
      return state === "missing" || state === "stale";
    });
    const probed = (need: Need): boolean =>
      missing.some(({ volume, number }) => volume === need.volume && number === need.number);
    const probes = missing.length;
    const isThere = ({ volume, number }: Need): boolean => this.#isThere(volume, number);
    const inView = [...this.#plan.needs, ...this.#fillNeeds].filter((need) => !isThere(need));
    for (const need of [...inView, ...this.#ahead.next(isThere)]) {
      if (probes === 0 || !probed(need)) missing.push(need);
    }
    this.#library.want(missing);
  }

  /** Something came from the server; returns whether any picture can change by it. */
  arrived(volume: Volume, number: BrickNumber): boolean {
    if (this.#inView.get(volume)?.has(number) !== true) return false;
    const need = { volume, number };
    if (this.#isPending(need)) this.#queue.push(need);
    if (!this.isNeeded(volume, number) && this.#ahead.came()) this.want();
    return true;
  }

  /** The next brick to put on the GPU. */
  nextUpload(): { need: Need; brick: Brick } | null {
    for (;;) {
      const need = this.#queue.shift();
      if (need === undefined) return null;
      const brick = this.#library.brick(need.volume, need.number);
      if (brick !== null && this.#isPending(need)) return { need, brick };
    }
  }

  /** Whether a picture waits for the brick. */
  isNeeded(volume: Volume, number: BrickNumber): boolean {
    return this.#needed.get(volume)?.has(number) === true;
  }

  isInView(volume: Volume, number: BrickNumber): boolean {
    return this.#inView.get(volume)?.has(number) === true;
  }

  /** Whether the brick shows the data in force, or never will. */
  #isThere(volume: Volume, number: BrickNumber): boolean {
    const slot = this.residents.slot(volume, number);
    if (slot !== null && this.#library.isCurrent(volume, number, slot.generation)) {
      slot.generation = Math.max(slot.generation, this.#library.generation(volume));
      return true;
    }
    const state = this.#library.state(volume, number);
    return state === "ready" || state === "failed";
  }

  /** Whether the brick is here and belongs on the GPU, but is not there. */
  #isPending({ volume, number }: Need): boolean {
    const brick = this.#library.brick(volume, number);
    if (brick === null || this.#isRefused(volume, number)) return false;
    const slot = this.residents.slot(volume, number);
    if (brick.constant) return slot !== null;
    return slot?.serial !== brick.serial;
  }

  /** Bricks of one picture that are wanted and can't be drawn yet, and why some never will. */
  progress(picture: number): { readonly loading: number; readonly failures: Notice[] } {
    let loading = 0;
    const failures = new Map<string, Notice>();
    for (const { sight, cells } of this.#plan.covers) {
      if (sight.picture !== picture) continue;
      for (const { number } of cells) {
        const notice = this.#library.failure(sight.volume, number);
        if (notice !== null) failures.set(notice.message, notice);
        if (!this.#isDrawable(sight.volume, number)) loading += 1;
      }
    }
    return { loading, failures: [...failures.values()] };
  }

  #isDrawable(volume: Volume, number: BrickNumber): boolean {
    if (!this.#isThere(volume, number)) return false;
    return !this.#isPending({ volume, number });
  }

  /** Whether there is something to draw for the brick, be it of older data. */
  #isSomething({ volume, number }: Need): boolean {
    if (this.residents.slot(volume, number) !== null) return true;
    if (this.#library.brick(volume, number)?.constant === true) return true;
    return this.#isDrawable(volume, number) && !this.#isRefused(volume, number);
  }

  #castActors(document: Document): Actor[] {
    const before = new Map(this.#actors.map((actor) => [actor.layer.id, actor]));
    const actors: Actor[] = [];
    for (const id of document.order) {
      const layer = document.layers[id];
      if (layer?.visible !== true || layer.kind === "surface") continue;
      const point = pointOf(layer.data, document.view);
      if (point === null) continue;
      const volume = this.#library.select(id, layer.kind, layer.data, point);
      let code = this.#codes.get(volume);
      if (code === undefined) {
        code =
          layer.kind === "labels"
            ? labelsCode(volume.element)
            : imageCode(volume.element, layer.data.histogram);
        this.#codes.set(volume, code);
      }
      actors.push({ layer, volume, former: this.#formerOf(before.get(id), volume), code });
    }
    return actors;
  }

  /** What stands in: what was shown last, unless that was still empty itself. */
  #formerOf(before: Actor | undefined, volume: Volume): Volume | null {
    if (before === undefined) return null;
    if (before.volume === volume) return before.former;
    const shown = coarsestBricks(before.volume).some(
      ({ number }) =>
        this.residents.slot(before.volume, number) !== null ||
        this.#library.brick(before.volume, number)?.constant === true,
    );
    const former = shown ? before.volume : before.former;
    return former === volume ? null : former;
  }
}
