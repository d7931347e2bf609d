// The renderer: takes documents and panels, arms one animation frame when something has changed,
// and in that frame plans, uploads, draws what is out of date, and tells how far it got. With
// nothing to do there is no frame and no request.
import { Library } from "../bricks/library";
import type { BrickNumber, Volume } from "../bricks/volume";
import { showsFlat } from "../bricks/cover";
import { panelAt, type Panel, type Position } from "../math/panel";
import { screenToWorld } from "../math/view";
import type { Document } from "../wire/types";
import { Colormaps } from "./colormaps";
import { Gpu, type Stroke } from "./gpu";
import { instancesOf, type Residence } from "./instances";
import { MeshStore } from "./mesh-store";
import { Pace } from "./pace";
import { picturesOf, pixelRectangle } from "./pictures";
import { labelAt, valuesAt } from "./readout";
import { objectAt, sceneOf, type ObjectMap } from "./space-view";
import { Stage } from "./stage";
import { isSameStatus, panelStatuses } from "./status";
import { constantWords } from "./texels";
import { BACKGROUNDS, POLICY } from "./policy";
import type {
  FrameStats,
  Highlight,
  LayerValue,
  Pick,
  Renderer,
  RendererEvents,
  Status,
} from "./types";

export interface RendererOptions {
  readonly canvas: HTMLCanvasElement;
  /** Where the viewer is served, with a slash at its end; relative URLs will do. */
  readonly baseUrl: string;
  readonly events: RendererEvents;
}

function socketUrl(baseUrl: string): string {
  const url = new URL(`${baseUrl}bricks`, globalThis.location.href);
  url.protocol = url.protocol.replace("http", "ws");
  return url.href;
}

/** What of a document the slices depend on, as text to compare. */
function sliceText(document: Document): string {
  const { center, zoom, position } = document.view;
  const layers = document.order.map((id) => {
    const layer = document.layers[id];
    return layer?.visible === true ? { ...layer, name: "", metadata: {} } : id;
  });
  return JSON.stringify([layers, Object.keys(document.layers), center, zoom, position]);
}

export class CanvasRenderer implements Renderer {
  readonly #canvas: HTMLCanvasElement;
  readonly #events: RendererEvents;
  readonly #library: Library;
  readonly #stage: Stage;
  readonly #colormaps: Colormaps;
  readonly #meshes: MeshStore;
  #gpu: Gpu | null;
  #pace: Pace;
  #document: Document | null = null;
  #panels: readonly Panel[] = [];
  #ratio = 1;
  #size: readonly [number, number] = [0, 0];
  #highlight: Highlight | null = null;
  #probe: Position | null = null;
  #probeTimer: ReturnType<typeof setTimeout> | null = null;

  #frame = 0;
  #frames = 0;
  #needsPlan = false;
  #needsSpace = false;
  #needsCompose = false;
  #needsStatus = false;
  /** Pictures out of date: because of the user, or only because bricks came. */
  readonly #changed = new Set<number>();
  readonly #filled = new Set<number>();
  /** The 3-D panel is out of date because a picture in it is. */
  #spaceFilled = false;
  #objects: ObjectMap | null = null;
  #status: Status | null = null;
  #sliceText = "";
  #spaceText = "";
  #pictureText = "";
  #disposed = false;

  /** Throws `NoWebGL2Error`. */
  constructor({ canvas, baseUrl, events }: RendererOptions) {
    this.#canvas = canvas;
    this.#events = events;
    this.#gpu = new Gpu(canvas, POLICY.gpuBytes);
    this.#pace = new Pace(this.#gpu.context);
    this.#library = new Library(socketUrl(baseUrl), POLICY.cacheBytes, {
      arrived: (volume, number) => {
        this.#arrived(volume, number);
      },
      connection: () => {
        // What was on its way when the connection went is asked for again.
        this.#needsPlan = true;
        this.#arm();
      },
    });
    this.#stage = new Stage(this.#library, POLICY.gpuBytes);
    this.#stage.residents = this.#gpu.atlas;
    this.#colormaps = new Colormaps(baseUrl, () => {
      this.#touchPictures();
    });
    this.#meshes = new MeshStore(baseUrl, () => {
      this.#touchSpace();
    });
    canvas.addEventListener("webglcontextlost", this.#lose);
    canvas.addEventListener("webglcontextrestored", this.#restore);
  }

  setDocument(document: Document): void {
    this.#document = document;
    const slices = sliceText(document);
    const { camera, units, slices_in_3d: inSpace } = document.view;
    const space = JSON.stringify([camera, units, inSpace, document.theme]);
    if (slices === this.#sliceText && space === this.#spaceText) return;
    if (slices !== this.#sliceText) {
      this.#needsPlan = true;
      this.#touchPictures();
    }
    this.#sliceText = slices;
    this.#spaceText = space;
    this.#meshes.update(document, this.#hasSpace);
    this.#touchSpace();
    this.#planFirst();
  }

  setPanels(
    panels: readonly Panel[],
    size: readonly [width: number, height: number],
    pixelRatio: number,
  ): void {
    const said = JSON.stringify([panels, size, pixelRatio]);
    if (said === JSON.stringify([this.#panels, this.#size, this.#ratio])) return;
    this.#panels = panels;
    this.#size = size;
    this.#ratio = pixelRatio;
    this.#needsPlan = true;
    if (this.#document !== null) this.#meshes.update(this.#document, this.#hasSpace);
    this.#touchPictures();
    this.#touchSpace();
    this.#planFirst();
  }

  setHighlight(highlight: Highlight | null): void {
    const before = this.#highlight;
    if (before?.layer === highlight?.layer && before?.label === highlight?.label) return;
    this.#highlight = highlight;
    this.#touchPictures();
    this.#touchSpace();
  }

  setProbe(position: Position | null): void {
    this.#probe = position;
    if (this.#probeTimer !== null) clearTimeout(this.#probeTimer);
    this.#probeTimer = setTimeout(() => {
      this.#probeTimer = null;
      this.#stage.setProbe(this.#probe);
    }, POLICY.probeMilliseconds);
  }

  pick(x: number, y: number): Pick | null {
    const document = this.#document;
    const panel = panelAt(this.#panels, x, y);
    if (document === null || panel === null) return null;
    if (panel.kind === "3d") return this.#pickSpace(document, panel, x, y);
    const position = screenToWorld(document, this.#panels, panel, x, y);
    const found = labelAt(this.#library, this.#stage.actors, position, panel.kind === "xy");
    return {
      panel: panel.kind,
      position,
      layer: found?.layer ?? null,
      label: found?.label ?? null,
    };
  }

  values(position: Position): readonly LayerValue[] {
    return valuesAt(this.#library, this.#stage.actors, position);
  }

  retry(): void {
    this.#library.forgetFailures();
    this.#colormaps.retry();
    this.#meshes.retry();
    this.#needsPlan = true;
    this.#touchPictures();
  }

  stats(): FrameStats {
    const context = this.#gpu?.context;
    return {
      frames: this.#frames,
      draws: context?.draws ?? 0,
      uploads: context?.uploads ?? 0,
      uploadedBytes: context?.uploadedBytes ?? 0,
      residentBricks: this.#gpu?.atlas.bricks ?? 0,
      gpuBytes: this.#gpu?.bytes ?? 0,
      cacheBytes: this.#library.bytes + this.#meshes.bytes,
      requests: this.#library.requests + this.#meshes.requests + this.#colormaps.requests,
    };
  }

  dispose(): void {
    this.#disposed = true;
    if (this.#frame !== 0) cancelAnimationFrame(this.#frame);
    if (this.#probeTimer !== null) clearTimeout(this.#probeTimer);
    this.#canvas.removeEventListener("webglcontextlost", this.#lose);
    this.#canvas.removeEventListener("webglcontextrestored", this.#restore);
    this.#library.dispose();
    this.#colormaps.dispose();
    this.#meshes.dispose();
    this.#gpu?.dispose();
    this.#gpu = null;
  }

  /** Whether something is to be drawn. */
  get #isStale(): boolean {
    const pictures = this.#changed.size > 0 || this.#filled.size > 0;
    return pictures || this.#needsSpace || this.#spaceFilled;
  }

  get #hasSpace(): boolean {
    return this.#panels.some(({ kind }) => kind === "3d");
  }

  readonly #lose = (event: Event): void => {
    // Without this the browser would not give it back.
    event.preventDefault();
    this.#gpu = null;
    this.#stage.residents = { slot: () => null };
    this.#needsStatus = true;
    this.#arm();
  };

  readonly #restore = (): void => {
    this.#gpu = new Gpu(this.#canvas, POLICY.gpuBytes);
    this.#pace = new Pace(this.#gpu.context);
    this.#stage.residents = this.#gpu.atlas;
    this.#needsPlan = true;
    this.#touchPictures();
    this.#touchSpace();
  };

  /** The very first bricks are asked for at once; a frame may be long in coming. */
  #planFirst(): void {
    if (this.#document === null || this.#panels.length === 0) return;
    if (this.#stage.pictures.length === 0) this.#replan(this.#document);
  }

  #touchPictures(): void {
    this.#stage.pictures.forEach((_, index) => this.#changed.add(index));
    this.#arm();
  }

  #touchSpace(): void {
    this.#needsSpace = true;
    this.#arm();
  }

  #arrived(volume: Volume, number: BrickNumber): void {
    if (this.#stage.isProbed(volume, number)) this.#events.values();
    const brick = this.#library.brick(volume, number);
    if (brick !== null && brick.generation < this.#library.generation(volume)) {
      // It was read before the data changed: ask again.
      this.#needsPlan = true;
    }
    if (!this.#stage.arrived(volume, number)) return;
    if (brick?.constant === true) this.#fill(volume, number);
    this.#arm();
  }

  /** The pictures that show this brick have something new to draw. */
  #fill(volume: Volume, number: BrickNumber): void {
    for (const { sight, numbers } of this.#stage.covers) {
      if (sight.volume === volume && numbers.has(number)) this.#filled.add(sight.picture);
    }
  }

  #arm(): void {
    if (this.#disposed) return;
    this.#needsStatus = true;
    // Nobody may think that all is drawn while something is due.
    if (this.#status?.settled === true) this.#tell({ ...this.#status, settled: false });
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#frames += 1;
      this.#render();
    });
  }

  #render(): void {
    const document = this.#document;
    if (document === null || this.#panels.length === 0) return;
    if (this.#needsPlan) this.#replan(document);
    if (this.#gpu !== null && !this.#gpu.context.gl.isContextLost()) {
      this.#upload(this.#gpu);
      // The first bricks arrive while shaders are compiled: waiting would keep them out.
      if (this.#gpu.isReady) this.#draw(this.#gpu, document);
    }
    this.#updateStatus();
    const waits = this.#isStale;
    if (this.#gpu !== null && (this.#stage.isUploading || waits)) this.#arm();
  }

  #replan(document: Document): void {
    this.#needsPlan = false;
    const pictures = picturesOf(document, this.#panels, this.#ratio);
    for (const volume of this.#stage.update(document, pictures)) this.#gpu?.atlas.drop(volume);
    const said = JSON.stringify(pictures);
    if (said !== this.#pictureText) {
      this.#pictureText = said;
      pictures.forEach((_, index) => this.#changed.add(index));
      this.#needsCompose = true;
    }
    this.#gpu?.trimPictures(pictures.length);
    for (const index of [...this.#changed]) {
      if (index >= pictures.length) this.#changed.delete(index);
    }
  }

  #upload(gpu: Gpu): void {
    const start = performance.now();
    const budget = this.#pace.uploadBudget(start);
    while (performance.now() - start < budget) {
      const next = this.#stage.nextUpload();
      if (next === null) return;
      const { need, brick } = next;
      const code = this.#stage.code(need.volume);
      const keep = (volume: Volume, number: BrickNumber): boolean =>
        this.#stage.isInView(volume, number);
      if (code !== null) gpu.upload(need, brick, { code }, keep);
      this.#fill(need.volume, need.number);
    }
  }

  #draw(gpu: Gpu, document: Document): void {
    const pictures = this.#stage.pictures;
    const { width, height } = this.#fitCanvas();
    const now = performance.now();
    const isLoading = this.#stage.isLoading;
    const due = new Set(this.#changed);
    if (!isLoading || this.#pace.isDue(now)) for (const index of this.#filled) due.add(index);
    for (const index of due) {
      const picture = pictures[index];
      if (picture !== undefined) this.#drawPicture(gpu, index, picture.plane);
      this.#changed.delete(index);
      this.#filled.delete(index);
    }
    if (due.size > 0) {
      this.#needsCompose = true;
      this.#spaceFilled ||= document.view.slices_in_3d;
    }
    const background = BACKGROUNDS[document.theme];
    const space = this.#panels.find(({ kind }) => kind === "3d");
    const isSpaceDue =
      this.#needsSpace || (this.#spaceFilled && (!isLoading || this.#pace.isSpaceDue(now)));
    if (isSpaceDue) {
      this.#needsSpace = false;
      this.#spaceFilled = false;
      this.#objects = null;
      this.#needsCompose = true;
      if (space !== undefined) {
        const scene = this.#sceneOf(gpu, document, space);
        gpu.drawSpace(scene, pixelRectangle(space, this.#ratio));
      }
    }
    if (!this.#needsCompose) return;
    this.#needsCompose = false;
    gpu.clear(width, height, background);
    pictures.forEach(({ place }, index) => {
      if (place !== null) gpu.compose(index, place, height, background);
    });
    if (space !== undefined) {
      gpu.compose("space", pixelRectangle(space, this.#ratio), height, background);
    }
    this.#pace.drew(now, isSpaceDue);
  }

  #fitCanvas(): { readonly width: number; readonly height: number } {
    const width = Math.max(Math.round(this.#size[0] * this.#ratio), 1);
    const height = Math.max(Math.round(this.#size[1] * this.#ratio), 1);
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#needsCompose = true;
    }
    return { width, height };
  }

  #drawPicture(
    gpu: Gpu,
    index: number,
    size: { readonly width: number; readonly height: number },
  ): void {
    const lookup = (volume: Volume, number: BrickNumber): Residence | null => {
      const slot = gpu.atlas.slot(volume, number);
      if (slot !== null) return slot;
      const brick = this.#library.brick(volume, number);
      const code = this.#stage.code(volume);
      if (brick?.constant !== true || code === null) return null;
      return { words: constantWords(code, brick.voxels) };
    };
    const strokes: Stroke[] = [];
    for (const cover of this.#stage.covers) {
      const actor = this.#stage.actors.find(({ volume }) => volume === cover.sight.volume);
      if (cover.sight.picture !== index || actor === undefined) continue;
      strokes.push({ actor, cover, batches: instancesOf(cover, actor.former, lookup) });
    }
    gpu.drawPicture(index, size, strokes, {
      colormap: (name) => this.#colormaps.get(name).colors,
      highlight: (layer) => (this.#highlight?.layer === layer ? this.#highlight.label : null),
      ratio: this.#ratio,
    });
  }

  #sceneOf(gpu: Gpu, document: Document, panel: Panel): ReturnType<typeof sceneOf> {
    const pictures = this.#stage.pictures.map((picture, index) => ({
      picture,
      texture: gpu.picture(index),
    }));
    const background = BACKGROUNDS[document.theme];
    return sceneOf(document, panel, this.#meshes.shown, pictures, this.#highlight, background);
  }

  #pickSpace(document: Document, panel: Panel, x: number, y: number): Pick | null {
    const gpu = this.#gpu;
    if (gpu === null || gpu.context.gl.isContextLost()) return null;
    if (this.#objects === null) {
      const width = Math.max(Math.round(panel.width), 1);
      const height = Math.max(Math.round(panel.height), 1);
      const scene = this.#sceneOf(gpu, document, panel);
      this.#objects = { words: gpu.readObjects(scene, { width, height }), width, height };
    }
    const found = objectAt(this.#objects, document, panel, x, y);
    if (found === null) return null;
    const mesh = this.#meshes.shown[found.object - 1];
    if (mesh !== undefined) {
      return { panel: "3d", position: found.position, layer: mesh.layer, label: mesh.label };
    }
    const slice = this.#stage.pictures[found.object - 1 - this.#meshes.shown.length];
    const seesFlat = slice !== undefined && showsFlat(slice.plane);
    const label = labelAt(this.#library, this.#stage.actors, found.position, seesFlat);
    return {
      panel: "3d",
      position: found.position,
      layer: label?.layer ?? null,
      label: label?.label ?? null,
    };
  }

  #updateStatus(): void {
    if (!this.#needsStatus) return;
    this.#needsStatus = false;
    const meshes = this.#meshes.status;
    const panels = panelStatuses(this.#panels, this.#stage, meshes, this.#meshes.shown.length);
    const isDrawn = !this.#needsPlan && !this.#isStale && !this.#stage.isUploading;
    const mapsReady = this.#stage.actors.every(
      ({ layer }) => layer.kind !== "image" || this.#colormaps.get(layer.style.colormap).ready,
    );
    this.#tell({
      panels,
      meshes,
      context: this.#gpu === null ? "lost" : "ok",
      settled:
        this.#gpu !== null &&
        isDrawn &&
        mapsReady &&
        this.#meshes.isSettled &&
        !this.#stage.isLoading,
    });
  }

  #tell(status: Status): void {
    if (isSameStatus(this.#status, status)) return;
    this.#status = status;
    this.#events.status(status);
  }
}
