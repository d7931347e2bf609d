// What is on the canvas, and what of it is out of date: slice pictures, the 3-D panel, and how the
// two are put together. Here the stage meets the GPU; a lost context is survived here too.
import type { Library } from "../bricks/library";
import type { BrickNumber, Volume } from "../bricks/volume";
import type { Panel, Position } from "../math/panel";
import type { Document } from "../wire/types";
import type { Colormaps } from "./colormaps";
import { isWhole, wholeFill, type Fill } from "../bricks/fill";
import { Gpu, type Stroke } from "./gpu";
import { extentOf, instancesOf } from "./instances";
import { DrawnMeshes } from "./drawn-meshes";
import type { MeshStore, ShownMesh } from "./mesh-store";
import { Pace } from "./pace";
import { pixelRectangle, type PixelRectangle } from "./pictures";
import { BACKGROUNDS, POLICY } from "./policy";
import { objectAt, sceneOf, type ObjectMap } from "./space-view";
import type { Stage } from "./stage";
import type { Residence } from "./stand-ins";
import { constantWords } from "./texels";
import type { Highlight } from "./types";
import type { SpaceVolume } from "./volume-painter";
import { volumeTable } from "./volume-table";

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

const NOTHING: PixelRectangle = { left: 0, top: 0, width: 0, height: 0 };

/** The smallest rectangle around these. */
function around(all: readonly PixelRectangle[]): PixelRectangle {
  const parts = all.filter(({ width, height }) => width > 0 && height > 0);
  if (parts.length === 0) return NOTHING;
  const left = Math.min(...parts.map((part) => part.left));
  const top = Math.min(...parts.map((part) => part.top));
  const right = Math.max(...parts.map((part) => part.left + part.width));
  const bottom = Math.max(...parts.map((part) => part.top + part.height));
  return { left, top, width: right - left, height: bottom - top };
}

export class Screen {
  readonly #canvas: HTMLCanvasElement;
  readonly #cast: Cast;
  #gpu: Gpu | null = null;
  #pace: Pace | null = null;
  #highlight: Highlight | null = null;
  /** Whether what is out of date is so by its colours only: the same things lie where they lay. */
  #isRecolored = true;
  /** There was no room for a brick in view: coarser levels must do. */
  isFull = false;
  /** Layers that fill the 3-D panel coarsely: a finer level lies in more textures than are read. */
  readonly scattered = new Set<string>();
  /** Pictures out of date: because of the user, or only because bricks came. */
  readonly #changed = new Set<number>();
  readonly #filled = new Set<number>();
  /** The 3-D panel is out of date, likewise. */
  #spaceChanged = false;
  #spaceFilled = false;
  /** What is to be put on the canvas anew: all of it, or these. */
  #needsCompose = false;
  readonly #stalePlaces = new Set<number | "space">();
  /** The part of each picture that anything was drawn in. */
  readonly #extents = new Map<number, PixelRectangle>();
  /** Volumes are drawn coarsely, and since when (milliseconds) all has been still; else null. */
  #coarseSince: number | null = null;
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
    const pictures = this.#changed.size > 0 || this.#filled.size > 0;
    const space = this.#spaceChanged || this.#spaceFilled || this.#coarseSince !== null;
    const isDue = this.#needsCompose || this.#drawn.isUploading;
    return pictures || space || isDue || this.#stalePlaces.size > 0;
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
    const wasRecolored = this.#isRecolored;
    this.#highlight = highlight;
    this.touchPictures();
    this.touchSpace();
    this.#isRecolored = wasRecolored;
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

  touchPictures(): void {
    this.#isRecolored = false;
    this.#cast.stage.pictures.forEach((_, index) => this.#changed.add(index));
  }

  touchSpace(): void {
    this.#isRecolored = false;
    this.#spaceChanged = true;
  }

  /** The 3-D panel has something new to draw: a mesh has come. */
  fillSpace(): void {
    this.#isRecolored = false;
    this.#spaceFilled = true;
  }

  /** The pictures are other ones now. */
  replace(): void {
    const count = this.#cast.stage.pictures.length;
    this.#gpu?.trimPictures(count);
    for (const indices of [this.#changed, this.#filled]) {
      for (const index of [...indices]) if (index >= count) indices.delete(index);
    }
    this.touchPictures();
    this.#needsCompose = true;
  }

  forget(volumes: readonly Volume[]): void {
    for (const volume of volumes) this.#gpu?.atlas.drop(volume);
  }

  /** The pictures that show this brick have something new to draw. */
  fill(volume: Volume, number: BrickNumber): void {
    for (const { sight, numbers } of this.#cast.stage.covers) {
      if (sight.volume === volume && numbers.has(number)) this.#filled.add(sight.picture);
    }
    if (this.#cast.stage.isFilling(volume)) this.#spaceFilled = true;
    this.#isRecolored = false;
  }

  /** Bring the canvas up to date, as far as one frame allows. */
  render(show: Show): void {
    const gpu = this.#gpu;
    const pace = this.#pace;
    if (gpu === null || pace === null || gpu.context.gl.isContextLost()) return;
    if (this.#resize(show.size, show.ratio)) this.#needsCompose = true;
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
    this.fillSpace();
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
      this.fill(need.volume, need.number);
    }
  }

  #draw(gpu: Gpu, pace: Pace, show: Show): void {
    const { document, panels, ratio } = show;
    const { stage } = this.#cast;
    const { pictures, isLoading } = stage;
    const now = performance.now();
    const due = new Set(this.#changed);
    const isProgressDue = !isLoading || pace.isDue(now);
    for (const index of this.#filled) {
      // Slices are what one looks at: a complete one waits for nothing else.
      if (isProgressDue || stage.progress(index).loading === 0) due.add(index);
    }
    for (const index of due) {
      const picture = pictures[index];
      if (picture !== undefined) this.#drawPicture(gpu, index, picture.plane, ratio);
      this.#stalePlaces.add(index);
      this.#changed.delete(index);
      this.#filled.delete(index);
    }
    if (due.size > 0) this.#spaceFilled ||= document.view.slices_in_3d;
    const space = panels.find(({ kind }) => kind === "3d");
    // While meshes pour in, not each of them is worth a picture of all.
    const isComing = isLoading || !this.#cast.meshes.isSettled || this.#drawn.isUploading;
    // Volumes take the GPU so long that slices would be late.
    const isBehind = stage.fills.length > 0 && stage.areSlicesLoading;
    const isFilledDue = !isComing || (!isBehind && pace.isSpaceDue(now));
    const isChanged = this.#spaceChanged || (this.#spaceFilled && isFilledDue);
    const isStill =
      this.#coarseSince !== null && now - this.#coarseSince > POLICY.stillMilliseconds;
    const wantsSpace = isChanged || (isStill && !isLoading);
    const volumes = wantsSpace && space !== undefined ? this.#volumes(gpu) : [];
    // Until the shaders are there, what is out of date stays so.
    const isSpaceDue = wantsSpace && gpu.areVolumesReady(volumes);
    if (isSpaceDue) {
      // Once all is there and nobody moves, nothing is gained by drawing it coarsely first.
      const isMoving = this.#spaceChanged || isLoading;
      const coarse = isMoving && space !== undefined && stage.fills.length > 0;
      this.#spaceChanged = false;
      this.#spaceFilled = false;
      if (!this.#isRecolored) this.#objects = null;
      this.#isRecolored = true;
      this.#stalePlaces.add("space");
      if (space !== undefined) {
        const colormap = (name: string): Uint8Array => this.#cast.colormaps.get(name).colors;
        const scene = this.#scene(gpu, document, space);
        gpu.drawSpace(scene, pixelRectangle(space, ratio), { volumes, colormap, coarse });
      }
      this.#coarseSince = coarse ? performance.now() : null;
    }
    if (!this.#needsCompose && this.#stalePlaces.size === 0) return;
    this.#compose(gpu, show, space);
    this.#needsCompose = false;
    this.#stalePlaces.clear();
    pace.drew(now, isSpaceDue);
  }

  #drawPicture(
    gpu: Gpu,
    index: number,
    size: { readonly width: number; readonly height: number },
    ratio: number,
  ): void {
    const { stage, library, colormaps } = this.#cast;
    const lookup = (volume: Volume, number: BrickNumber): Residence | null => {
      const slot = gpu.atlas.slot(volume, number);
      if (slot !== null) return slot;
      const brick = library.brick(volume, number);
      const code = stage.code(volume);
      if (brick?.constant !== true || code === null) return null;
      return { words: constantWords(code, brick.voxels) };
    };
    const strokes: Stroke[] = [];
    const extents: PixelRectangle[] = [];
    for (const cover of stage.covers) {
      const actor = stage.actors.find(({ volume }) => volume === cover.sight.volume);
      if (cover.sight.picture !== index || actor === undefined) continue;
      const finest = stage.finest(actor.volume);
      strokes.push({ actor, cover, batches: instancesOf(cover, actor.former, lookup, finest) });
      extents.push(extentOf(cover));
    }
    this.#extents.set(index, around(extents));
    const highlight = this.#highlight;
    gpu.drawPicture(index, size, strokes, {
      colormap: (name) => colormaps.get(name).colors,
      highlight: (layer) => (highlight?.layer === layer ? highlight.label : null),
      ratio,
    });
  }

  /** The images that fill the 3-D panel, bottom first. */
  #volumes(gpu: Gpu): SpaceVolume[] {
    const { stage, library } = this.#cast;
    this.scattered.clear();
    return stage.shownFills().flatMap((fill) => {
      const actor = stage.actors.find(
        ({ volume, former }) => volume === fill.volume || former === fill.volume,
      );
      if (actor?.layer.kind !== "image") return [];
      const { layer, code } = actor;
      const show = (shown: Fill): SpaceVolume => {
        const table = volumeTable(shown, code, gpu.atlas, library);
        return { layer: layer.id, fill: shown, table, style: layer.style, code };
      };
      const volume = show(fill);
      if (volume.table.complete) return [volume];
      this.scattered.add(layer.id);
      // Coarse is better than with holes.
      return [isWhole(fill) ? show(wholeFill(fill.volume, fill.volume.coarsest)) : volume];
    });
  }

  #compose(gpu: Gpu, { document, ratio }: Show, space: Panel | undefined): void {
    const { width, height } = this.#canvas;
    const background = BACKGROUNDS[document.theme];
    if (this.#needsCompose) gpu.clear(width, height, background);
    const isStale = (which: number | "space"): boolean =>
      this.#needsCompose || this.#stalePlaces.has(which);
    this.#cast.stage.pictures.forEach(({ place }, index) => {
      if (place === null || !isStale(index)) return;
      gpu.compose(index, place, this.#extents.get(index) ?? NOTHING, height, background);
    });
    if (space === undefined || !isStale("space")) return;
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
