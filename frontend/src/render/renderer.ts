// The renderer: takes documents and panels, arms one animation frame when something has changed,
// and in that frame plans, uploads, draws what is out of date, and tells how far it got. With
// nothing to do there is no frame and no request.
import { Library } from "../bricks/library";
import type { BrickNumber, Volume } from "../bricks/volume";
import type { Panel, Position } from "../math/panel";
import { effectiveCameraZoom } from "../math/view";
import type { Document } from "../wire/types";
import { Colormaps } from "./colormaps";
import { sliceText, spaceText } from "./document-text";
import { Frames } from "./frames";
import { isNear, loadedFiles, narrowBytes } from "./link";
import { MeshStore } from "./mesh-store";
import { pickAt } from "./picking";
import { picturesOf } from "./pictures";
import { POLICY } from "./policy";
import { valuesAt } from "./readout";
import { Screen } from "./screen";
import { Stage } from "./stage";
import { frameStats, isSameStatus, statusOf, type Parts } from "./status";
import type {
  Budgets,
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
  /** CSS pixels that the canvas is going to have, where that is known. */
  readonly size?: readonly [width: number, height: number];
  readonly events: RendererEvents;
  /** Runs it once, soon; default is the browser's next frame, which a hidden page has not. */
  readonly schedule?: (run: () => void) => void;
}

function socketUrl(baseUrl: string): string {
  const url = new URL(`${baseUrl}bricks`, globalThis.location.href);
  url.protocol = url.protocol.replace("http", "ws");
  return url.href;
}

function directBytes(baseUrl: string): number {
  const { hostname } = new URL(baseUrl, globalThis.location.href);
  return isNear(hostname, loadedFiles()) ? POLICY.directBytes.near : POLICY.directBytes.far;
}

export class CanvasRenderer implements Renderer {
  readonly #canvas: HTMLCanvasElement;
  readonly #events: RendererEvents;
  readonly #library: Library;
  readonly #stage: Stage;
  readonly #colormaps: Colormaps;
  readonly #meshes: MeshStore;
  readonly #screen: Screen;
  readonly #parts: Parts;
  #document: Document | null = null;
  #panels: readonly Panel[] = [];
  #ratio = 1;
  #size: readonly [number, number] = [0, 0];
  #probe: Position | null = null;
  #probeTimer: ReturnType<typeof setTimeout> | null = null;

  readonly #frames: Frames;
  #needsPlan = false;
  #status: Status | null = null;
  #sliceText = "";
  #spaceText = "";
  #pictureText = "";

  /** Throws `NoWebGL2Error`. */
  constructor({ canvas, baseUrl, size = [1, 1], events, schedule }: RendererOptions) {
    this.#canvas = canvas;
    this.#events = events;
    this.#frames = new Frames(() => {
      this.#render();
    }, schedule);
    const coming = {
      arrived: (volume: Volume, number: BrickNumber) => {
        this.#arrived(volume, number);
      },
      connection: () => {
        // What was on its way when the connection went is asked for again.
        this.#needsPlan = true;
        this.#arm();
      },
    };
    const first = narrowBytes(loadedFiles());
    this.#library = new Library(socketUrl(baseUrl), POLICY.cacheBytes, coming, first);
    this.#stage = new Stage(this.#library, POLICY.gpuBytes, directBytes(baseUrl));
    this.#colormaps = new Colormaps(baseUrl, () => {
      this.#screen.outOfDate.touchPictures();
      this.#screen.outOfDate.touchSpace();
      this.#arm();
    });
    this.#meshes = new MeshStore(baseUrl, () => {
      this.#screen.outOfDate.fillSpace();
      this.#arm();
    });
    try {
      this.#screen = new Screen(canvas, size, {
        stage: this.#stage,
        library: this.#library,
        colormaps: this.#colormaps,
        meshes: this.#meshes,
      });
    } catch (error) {
      this.#library.disconnect();
      throw error;
    }
    this.#parts = {
      stage: this.#stage,
      library: this.#library,
      colormaps: this.#colormaps,
      meshes: this.#meshes,
      screen: this.#screen,
      frames: this.#frames,
    };
    canvas.addEventListener("webglcontextlost", this.#lose);
    canvas.addEventListener("webglcontextrestored", this.#restore);
  }

  setDocument(document: Document): void {
    this.#document = document;
    const slices = sliceText(document);
    const space = spaceText(document);
    if (slices === this.#sliceText && space === this.#spaceText) return;
    if (slices !== this.#sliceText) {
      this.#needsPlan = true;
      this.#screen.outOfDate.touchPictures();
    } else if (
      this.#stage.fills.length > 0 ||
      this.#stage.pictures.some(({ place }) => place === null)
    ) {
      // Volumes, and slices that only the 3-D panel shows, are as fine as its camera asks for.
      this.#needsPlan = true;
    }
    this.#sliceText = slices;
    this.#spaceText = space;
    this.#meshes.update(document, this.#spacePixel(document));
    this.#screen.outOfDate.touchSpace();
    this.#planFirst();
    this.#arm();
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
    if (this.#document !== null)
      this.#meshes.update(this.#document, this.#spacePixel(this.#document));
    this.#screen.outOfDate.touchPictures();
    this.#screen.outOfDate.touchSpace();
    this.#planFirst();
    this.#arm();
  }

  setHighlight(highlight: Highlight | null): void {
    const before = this.#screen.highlight;
    if (before?.layer === highlight?.layer && before?.label === highlight?.label) return;
    this.#screen.highlight = highlight;
    this.#arm();
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
    return document === null ? null : pickAt(document, this.#panels, x, y, this.#parts);
  }

  values(position: Position): readonly LayerValue[] {
    return valuesAt(this.#library, this.#stage.actors, position);
  }

  retry(): void {
    this.#library.forgetFailures();
    this.#colormaps.retry();
    this.#meshes.retry();
    this.#needsPlan = true;
    this.#screen.outOfDate.touchPictures();
    this.#arm();
  }

  stats(): FrameStats {
    return frameStats(this.#parts);
  }

  setBudgets({ gpu, cache }: Budgets): void {
    if (gpu === this.#screen.budget && cache === this.#library.budget) return;
    this.#stage.budget = gpu;
    this.#screen.budget = gpu;
    this.#library.budget = cache;
    this.#needsPlan = true;
    this.#screen.outOfDate.touchPictures();
    this.#screen.outOfDate.touchSpace();
    this.#arm();
  }

  repack(): void {
    this.#screen.repack();
    this.#needsPlan = true;
    this.#screen.outOfDate.touchPictures();
    this.#screen.outOfDate.touchSpace();
    this.#arm();
  }

  disconnect(): void {
    this.#library.disconnect();
  }

  dispose(): void {
    this.#frames.stop();
    if (this.#probeTimer !== null) clearTimeout(this.#probeTimer);
    this.#canvas.removeEventListener("webglcontextlost", this.#lose);
    this.#canvas.removeEventListener("webglcontextrestored", this.#restore);
    this.disconnect();
    this.#colormaps.dispose();
    this.#meshes.dispose();
    this.#screen.dispose();
  }

  /** Size in the world of a pixel of the 3-D panel, at its centre; null without one. */
  #spacePixel(document: Document): number | null {
    const space = this.#panels.find(({ kind }) => kind === "3d");
    return space === undefined ? null : 1 / (effectiveCameraZoom(document, space) * this.#ratio);
  }

  readonly #lose = (event: Event): void => {
    // Without this the browser would not give it back.
    event.preventDefault();
    this.#screen.lose();
    this.#arm();
  };

  readonly #restore = (): void => {
    this.#screen.restore();
    this.#screen.replace();
    this.#screen.outOfDate.touchSpace();
    this.#needsPlan = true;
    this.#arm();
  };

  /** The very first bricks are asked for at once; a frame may be long in coming. */
  #planFirst(): void {
    if (this.#document === null || this.#panels.length === 0) return;
    if (this.#stage.pictures.length === 0) this.#replan(this.#document);
  }

  #arrived(volume: Volume, number: BrickNumber): void {
    if (this.#stage.isProbed(volume, number)) this.#events.values();
    const brick = this.#library.brick(volume, number);
    if (brick !== null && !this.#library.isCurrent(volume, number, brick.generation)) {
      // It was read before the data changed: ask again.
      this.#needsPlan = true;
      this.#arm();
    }
    if (!this.#stage.arrived(volume, number)) return;
    if (brick?.constant === true) this.#screen.outOfDate.fill(volume, number);
    this.#arm(this.#stage.isNeeded(volume, number));
  }

  /** A frame is to come; `isSeen` unless it is only for what may be needed next. */
  #arm(isSeen = true): void {
    if (this.#frames.isOver) return;
    // Nobody may think that all is drawn while something is due.
    if (isSeen && this.#status?.settled === true) this.#tell({ ...this.#status, settled: false });
    this.#frames.arm();
  }

  #render(): void {
    const document = this.#document;
    if (document === null || this.#panels.length === 0) return;
    if (this.#needsPlan) this.#replan(document);
    this.#screen.render({
      document,
      panels: this.#panels,
      size: this.#size,
      ratio: this.#ratio,
    });
    if (this.#screen.isFull) this.#makeRoom();
    const status = statusOf(this.#panels, this.#parts, this.#needsPlan);
    this.#tell(status);
    if (status.settled) {
      this.#screen.prepare();
      this.#stage.lookAhead(() => this.#screen.isDrawn());
    }
    const isDue = this.#screen.isStale || this.#stage.isUploading;
    if (isDue && this.#screen.gpu !== null) this.#arm(this.#screen.isStale);
  }

  /** Plan for what the GPU has proved to hold; what it has no room for then is left out. */
  #makeRoom(): void {
    this.#screen.isFull = false;
    const held = (this.#screen.gpu?.atlas.bytes ?? 0) * 0.9;
    if (!this.#stage.limit(Math.max(held, POLICY.leastGpuBytes))) return;
    this.#needsPlan = true;
    this.#arm();
  }

  #replan(document: Document): void {
    this.#needsPlan = false;
    const pictures = picturesOf(document, this.#panels, this.#ratio);
    const pixel = this.#spacePixel(document);
    const space = pixel === null ? null : { center: document.view.center, pixel };
    this.#screen.forget(this.#stage.update(document, pictures, space));
    const said = JSON.stringify(pictures);
    if (said !== this.#pictureText) {
      this.#pictureText = said;
      this.#screen.replace();
    }
    if (this.#probe !== null) this.#events.values();
  }

  #tell(status: Status): void {
    if (isSameStatus(this.#status, status)) return;
    this.#status = status;
    this.#events.status(status);
  }
}
