// What of the canvas is out of date: slice pictures and the 3-D panel, either because of the user or
// only because bricks came; and which of them are drawn but not yet on the canvas.
import type { BrickNumber, Volume } from "../bricks/volume";
import type { Stage } from "./stage";

export class OutOfDate {
  readonly #stage: Stage;
  /** Pictures out of date: because of the user, or only because bricks came. */
  readonly changed = new Set<number>();
  readonly filled = new Set<number>();
  #isSpaceChanged = false;
  #isSpaceFilled = false;
  #isRecolored = true;
  #coarseSince: number | null = null;
  /** What is to be put on the canvas anew: all of it, or these. */
  #needsCompose = false;
  readonly #places = new Set<number | "space">();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Whether anything is to be drawn or put on the canvas. */
  get isAnything(): boolean {
    const pictures = this.changed.size > 0 || this.filled.size > 0;
    const space = this.#isSpaceChanged || this.#isSpaceFilled || this.#coarseSince !== null;
    return pictures || space || this.needsCompose;
  }

  /** The 3-D panel is, because of the user. */
  get isSpaceChanged(): boolean {
    return this.#isSpaceChanged;
  }

  /** The 3-D panel is, because something came. */
  get isSpaceFilled(): boolean {
    return this.#isSpaceFilled;
  }

  /** Whether all is so by its colours only: the same things lie where they lay. */
  get isRecolored(): boolean {
    return this.#isRecolored;
  }

  /** Milliseconds at which volumes were drawn coarsely; null when they are as fine as can be. */
  get coarseSince(): number | null {
    return this.#coarseSince;
  }

  /** Whether something that is drawn is to be put on the canvas. */
  get needsCompose(): boolean {
    return this.#needsCompose || this.#places.size > 0;
  }

  /** All of the canvas is to be put together anew. */
  get needsWhole(): boolean {
    return this.#needsCompose;
  }

  /** Whether this picture, or the 3-D panel, is to be put on the canvas. */
  needsPlace(which: number | "space"): boolean {
    return this.#needsCompose || this.#places.has(which);
  }

  touchPictures(): void {
    this.#isRecolored = false;
    this.#stage.pictures.forEach((_, index) => this.changed.add(index));
  }

  touchSpace(): void {
    this.#isRecolored = false;
    this.#isSpaceChanged = true;
  }

  /** The 3-D panel has something new to draw. */
  fillSpace(): void {
    this.#isRecolored = false;
    this.#isSpaceFilled = true;
  }

  /** The pictures that show this brick have something new to draw. */
  fill(volume: Volume, number: BrickNumber): void {
    for (const { sight, numbers } of this.#stage.covers) {
      if (sight.volume === volume && numbers.has(number)) this.filled.add(sight.picture);
    }
    if (this.#stage.isFilling(volume)) this.#isSpaceFilled = true;
    this.#isRecolored = false;
  }

  /** The same things have other colours. */
  recolor(): void {
    const wasRecolored = this.#isRecolored;
    this.touchPictures();
    this.touchSpace();
    this.#isRecolored = wasRecolored;
  }

  /** The pictures are other ones now. */
  replace(): void {
    const count = this.#stage.pictures.length;
    for (const indices of [this.changed, this.filled]) {
      for (const index of [...indices]) if (index >= count) indices.delete(index);
    }
    this.touchPictures();
    this.#needsCompose = true;
  }

  /** The canvas is empty. */
  empty(): void {
    this.#needsCompose = true;
  }

  /** `showsSlices`: whether the 3-D panel shows the picture, too. */
  drewPicture(index: number, showsSlices: boolean): void {
    this.changed.delete(index);
    this.filled.delete(index);
    this.#places.add(index);
    this.#isSpaceFilled ||= showsSlices;
  }

  /** `coarse`: with its volumes less fine than they can be. */
  drewSpace(coarse: boolean): void {
    this.#isSpaceChanged = false;
    this.#isSpaceFilled = false;
    this.#isRecolored = true;
    this.#places.add("space");
    this.#coarseSince = coarse ? performance.now() : null;
  }

  /** All that was drawn is on the canvas. */
  composed(): void {
    this.#needsCompose = false;
    this.#places.clear();
  }
}
