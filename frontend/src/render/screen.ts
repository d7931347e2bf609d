// What is on the canvas: slice pictures, the 3-D panel, and how the two are put together, as far as
// one frame allows. Here the stage meets the GPU; a lost context is survived here too.
import type { Library } from "../bricks/library";
import type { BrickNumber, Volume } from "../bricks/volume";
import type { Panel, Position } from "../math/panel";
import type { Document } from "../wire/types";
import type { Colormaps } from "./colormaps";
import { DrawnMeshes } from "./drawn-meshes";
import { Gpu } from "./gpu";
import type { MeshStore, ShownMesh } from "./mesh-store";
import { OutOfDate } from "./out-of-date";
import { Pace } from "./pace";
import { NOTHING, pixelRectangle, type PixelRectangle } from "./pictures";
import { BACKGROUNDS, POLICY } from "./policy";
import { objectAt, sceneOf, type ObjectMap } from "./space-view";
import type { Stage } from "./stage";
import { strokesOf, volumesOf } from "./strokes";
import type { Highlight } from "./types";

/** The document and where its panels are. */
export interface Show {
  readonly document: Document;
  readonly panels: readonly Panel[];
  /** CSS pixels of the canvas. */
  readonly size: readonly [width: number, height: number];
  /** Canvas pixels a CSS pixel. */
  readonly ratio: number;
}

/** What is shown; `Screen` reads it and changes nothing in it but the stage's residents. */
export interface Cast {
  readonly stage: Stage;
  readonly library: Library;
  readonly colormaps: Colormaps;
  readonly meshes: MeshStore;
}

export class Screen {
  readonly #canvas: HTMLCanvasElement;
  readonly #cast: Cast;
  #gpu: Gpu | null = null;
  #pace: Pace | null = null;
  #highlight: Highlight | null = null;
  /** There was no room for a brick in view: coarser levels must do. */
  isFull = false;
  /** Layers that fill the 3-D panel coarsely: a finer level lies in more textures than are read. */
  scattered: ReadonlySet<string> = new Set();
  readonly outOfDate: OutOfDate;
  /** The part of each picture that anything was drawn in. */
  readonly #extents = new Map<number, PixelRectangle>();
  #objects: ObjectMap | null = null;
  readonly #drawn = new DrawnMeshes();
  #isPrepared = false;
  /** No picture has been complete yet. */
  #isFirst = true;
  /** Bytes of brick textures. */
  #budget: number = POLICY.gpuBytes;
  /** That the last frame with uploads spent on them. */
  uploadMilliseconds = 0;

  /** Canvas of `size` CSS pixels. Throws `NoWebGL2Error`. */
  constructor(canvas: HTMLCanvasElement, size: readonly [number, number], cast: Cast) {
    this.#canvas = canvas;
    this.#cast = cast;
    this.outOfDate = new OutOfDate(cast.stage);
    // Of the right size from the start: resizing a context waits for the GPU.
    this.#resize(size, globalThis.devicePixelRatio);
    this.restore();
  }

  /** Null while the context is lost. */
  get gpu(): Gpu | null {
    return this.#gpu;
  }

  /** Whether something is to be drawn. */
  get isStale(): boolean {
    return this.outOfDate.isAnything || this.#drawn.isUploading;
  }

  /** Whether the GPU has drawn what it was last told to. */
  isDrawn(): boolean {
    return this.#pace?.isIdle(performance.now()) ?? true;
  }

  /** The context is gone, and with it everything on the GPU. */
  lose(): void {
    this.#gpu = null;
    this.#pace = null;
    this.#drawn.clear();
    this.#cast.stage.residents = { slot: () => null };
  }

  /** Start with an empty GPU. */
  restore(): void {
    this.#gpu = new Gpu(this.#canvas, this.#budget);
    this.#pace = new Pace(this.#gpu.context);
    this.#isPrepared = false;
    // Compiled while the document is on its way.
    this.#gpu.isReady({ samples: [], space: true, meshes: false });
    this.#cast.stage.residents = this.#gpu.atlas;
  }

  /** The meshes that are drawn, in the order of selection. */
  get meshes(): readonly ShownMesh[] {
    return this.#drawn.list;
  }

  get highlight(): Highlight | null {
    return this.#highlight;
  }

  set highlight(highlight: Highlight | null) {
    this.#highlight = highlight;
    this.outOfDate.recolor();
  }

  get budget(): number {
    return this.#budget;
  }

  set budget(bytes: number) {
    this.#budget = bytes;
    const { stage } = this.#cast;
    this.#gpu?.atlas.setBudget(bytes, (volume, number) => stage.isInView(volume, number));
  }

  /** Forget what is on the GPU; it comes again, in textures of its own. */
  repack(): void {
    this.#gpu?.atlas.dispose();
  }

  /** The pictures are other ones now. */
  replace(): void {
    this.#gpu?.trimPictures(this.#cast.stage.pictures.length);
    this.outOfDate.replace();
  }

  forget(volumes: readonly Volume[]): void {
    for (const volume of volumes) this.#gpu?.atlas.drop(volume);
  }

  /** Bring the canvas up to date, as far as one frame allows. */
  render(show: Show): void {
    const gpu = this.#gpu;
    const pace = this.#pace;
    if (gpu === null || pace === null || gpu.context.gl.isContextLost()) return;
    if (this.#resize(show.size, show.ratio)) this.outOfDate.empty();
    // The first bricks arrive while shaders are compiled: waiting would keep them out.
    const isReady = gpu.isReady({
      samples: this.#cast.stage.actors,
      space: show.panels.some(({ kind }) => kind === "3d"),
      meshes: this.#cast.meshes.shown.length > 0,
    });
    this.#upload(gpu, pace, show);
    if (isReady) this.#draw(gpu, pace, show);
  }

  /** Have everything compiled that may be needed later; call when there is nothing else to do. */
  prepare(): void {
    if (!this.#isPrepared) this.#gpu?.prepare(this.#cast.stage.actors);
    this.#isPrepared = true;
    this.#isFirst = false;
  }

  /** Returns whether it was of another size; then it is empty now. */
  #resize(size: readonly [number, number], ratio: number): boolean {
    const width = Math.max(Math.round(size[0] * ratio), 1);
    const height = Math.max(Math.round(size[1] * ratio), 1);
    // Pixels of the canvas are pixels of the screen; left alone, they would be those of CSS.
    this.#canvas.style.width = `${width / ratio}px`;
    this.#canvas.style.height = `${height / ratio}px`;
    if (this.#canvas.width === width && this.#canvas.height === height) return false;
    this.#canvas.width = width;
    this.#canvas.height = height;
    return true;
  }

  #upload(gpu: Gpu, pace: Pace, { panels }: Show): void {
    const start = performance.now();
    const budget = pace.uploadBudget(start, this.#isFirst);
    const isTimeUp = (): boolean => performance.now() - start >= budget;
    const { uploads } = gpu.context;
    this.#uploadBricks(gpu, isTimeUp);
    if (panels.some(({ kind }) => kind === "3d")) this.#uploadMeshes(gpu, isTimeUp);
    else this.#drawn.isUploading = false;
    if (gpu.context.uploads > uploads) this.uploadMilliseconds = performance.now() - start;
  }

  #uploadMeshes(gpu: Gpu, isTimeUp: () => boolean): void {
    let slices = 0;
    // However many bricks there are, meshes get on.
    const isOver = (): boolean => isTimeUp() && (slices += 1) > 1;
    if (!this.#drawn.update(this.#cast.meshes.shown, gpu.meshes, isOver)) return;
    this.#objects = null;
    this.outOfDate.fillSpace();
  }

  #uploadBricks(gpu: Gpu, isTimeUp: () => boolean): void {
    const { stage } = this.#cast;
    const keep = (volume: Volume, number: BrickNumber): boolean => stage.isInView(volume, number);
    while (!isTimeUp()) {
      const next = stage.nextUpload();
      if (next === null) return;
      const { need, brick } = next;
      const code = stage.code(need.volume);
      if (code !== null && !gpu.upload(need, brick, code, keep) && stage.refuse(need)) {
        this.isFull = true;
      }
      this.outOfDate.fill(need.volume, need.number);
    }
  }

  #draw(gpu: Gpu, pace: Pace, show: Show): void {
    const { document, panels, ratio } = show;
    const { outOfDate } = this;
    const { stage } = this.#cast;
    const { pictures, isLoading } = stage;
    const now = performance.now();
    const due = new Set(outOfDate.changed);
    const isProgressDue = !isLoading || pace.isDue(now);
    for (const index of outOfDate.filled) {
      // Slices are what one looks at: a complete one waits for nothing else.
      if (isProgressDue || stage.progress(index).loading === 0) due.add(index);
    }
    for (const index of due) {
      const picture = pictures[index];
      if (picture !== undefined) this.#drawPicture(gpu, index, picture.plane, ratio);
      outOfDate.drewPicture(index, document.view.slices_in_3d);
    }
    const space = panels.find(({ kind }) => kind === "3d");
    const isSpaceDrawn = this.#drawSpace(gpu, pace, show, space, now);
    if (!outOfDate.needsCompose) return;
    this.#compose(gpu, show, space);
    outOfDate.composed();
    pace.drew(now, isSpaceDrawn);
  }

  #drawPicture(
    gpu: Gpu,
    index: number,
    size: { readonly width: number; readonly height: number },
    ratio: number,
  ): void {
    const { stage, library, colormaps } = this.#cast;
    const { strokes, extent } = strokesOf(index, { stage, library, atlas: gpu.atlas });
    this.#extents.set(index, extent);
    const highlight = this.#highlight;
    gpu.drawPicture(index, size, strokes, {
      colormap: (name) => colormaps.get(name).colors,
      highlight: (layer) => (highlight?.layer === layer ? highlight.label : null),
      ratio,
    });
  }

  /** Draw the 3-D panel if it is due (it may be hidden, too); returns whether it was. */
  #drawSpace(
    gpu: Gpu,
    pace: Pace,
    { document, ratio }: Show,
    space: Panel | undefined,
    now: number,
  ): boolean {
    const { outOfDate } = this;
    const { stage, library, meshes, colormaps } = this.#cast;
    const { isLoading } = stage;
    // While meshes pour in, not each of them is worth a picture of all.
    const isComing = isLoading || !meshes.isSettled || this.#drawn.isUploading;
    // Volumes take the GPU so long that slices would be late.
    const isBehind = stage.fills.length > 0 && stage.areSlicesLoading;
    const isFilledDue = !isComing || (!isBehind && pace.isSpaceDue(now));
    const isChanged = outOfDate.isSpaceChanged || (outOfDate.isSpaceFilled && isFilledDue);
    const { coarseSince } = outOfDate;
    const isStill = coarseSince !== null && now - coarseSince > POLICY.stillMilliseconds;
    if (!isChanged && (!isStill || isLoading)) return false;
    const { volumes, scattered } =
      space === undefined
        ? { volumes: [], scattered: this.scattered }
        : volumesOf({ stage, library, atlas: gpu.atlas });
    this.scattered = scattered;
    // Until the shaders are there, what is out of date stays so.
    if (!gpu.areVolumesReady(volumes)) return false;
    // Once all is there and nobody moves, nothing is gained by drawing it coarsely first.
    const isMoving = outOfDate.isSpaceChanged || isLoading;
    const coarse = isMoving && space !== undefined && stage.fills.length > 0;
    if (!outOfDate.isRecolored) this.#objects = null;
    if (space !== undefined) {
      const colormap = (name: string): Uint8Array => colormaps.get(name).colors;
      const scene = this.#scene(gpu, document, space);
      gpu.drawSpace(scene, pixelRectangle(space, ratio), { volumes, colormap, coarse });
    }
    outOfDate.drewSpace(coarse);
    return true;
  }

  #compose(gpu: Gpu, { document, ratio }: Show, space: Panel | undefined): void {
    const { width, height } = this.#canvas;
    const background = BACKGROUNDS[document.theme];
    if (this.outOfDate.needsWhole) gpu.clear(width, height, background);
    this.#cast.stage.pictures.forEach(({ place }, index) => {
      if (place === null || !this.outOfDate.needsPlace(index)) return;
      gpu.compose(index, place, this.#extents.get(index) ?? NOTHING, height, background);
    });
    if (space === undefined || !this.outOfDate.needsPlace("space")) return;
    const place = pixelRectangle(space, ratio);
    gpu.compose("space", place, { ...place, left: 0, top: 0 }, height, background);
  }

  #scene(gpu: Gpu, document: Document, panel: Panel): ReturnType<typeof sceneOf> {
    const { stage } = this.#cast;
    const pictures = stage.pictures.map((picture, index) => ({
      picture,
      texture: gpu.picture(index),
    }));
    const background = BACKGROUNDS[document.theme];
    return sceneOf(document, panel, this.#drawn.list, pictures, this.#highlight, background);
  }

  /** What is seen at a point of the 3-D panel: meshes count from 1, then the slices. */
  objectAt(
    document: Document,
    panel: Panel,
    x: number,
    y: number,
  ): { readonly object: number; readonly position: Position } | null {
    const gpu = this.#gpu;
    if (gpu === null || gpu.context.gl.isContextLost()) return null;
    if (this.#objects === null) {
      const width = Math.max(Math.round(panel.width), 1);
      const height = Math.max(Math.round(panel.height), 1);
      const scene = this.#scene(gpu, document, panel);
      this.#objects = { words: gpu.readObjects(scene, { width, height }), width, height };
    }
    return objectAt(this.#objects, document, panel, x, y);
  }

  dispose(): void {
    this.#gpu?.dispose();
    this.lose();
  }
}
