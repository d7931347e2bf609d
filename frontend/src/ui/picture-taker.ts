// Takes pictures, for Python and for the page's own user: draws a document with a renderer of its
// own, on a canvas that nobody sees, waits until everything in view is loaded and drawn, writes over
// it what the page has over its panels, and makes a PNG of it. What is on screen is left alone.
import type { Panel } from "../math/panel";
import { createRenderer, BACKGROUNDS, NoWebGL2Error } from "../render";
import { Colormaps } from "../render/colormaps";
import { parseRgba, recompose } from "../render/opacity";
import { pixelRectangle } from "../render/pictures";
import type { Renderer, Status } from "../render/types";
import type { PageMessage } from "../wire/protocol";
import type { Document, Taken, TakePicture } from "../wire/types";
import { barsOf } from "./colorbars";
import { marginsFor, NO_MARGINS, panelsFor, type Margins } from "./layout";
import { drawOverlays } from "./picture-overlay";

export interface PictureTakerParts {
  readonly baseUrl: string;
  /** CSS pixels of the panels' area. */
  readonly size: () => readonly [width: number, height: number];
  readonly send: (message: PageMessage) => boolean;
  readonly sendBytes: (bytes: ArrayBuffer) => boolean;
}

/** As `viewer.messages.PART_BYTES`. */
const PART = 1 << 19;

/** Milliseconds that a picture for the page's user may take, who sees what it waits for. */
const PATIENCE = 60_000;

/** Milliseconds that the renderer is kept for another picture: its bricks and shaders are there. */
const KEPT = 20_000;

class PictureError extends Error {
  readonly kind: string;

  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Runs soon, also while the page is hidden, when there are no frames and timers are slow. */
function soon(run: () => void): void {
  if (!document.hidden) {
    setTimeout(run, 4);
    return;
  }
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    run();
  };
  port2.postMessage(null);
}

/** A renderer of a canvas that is not on the page. */
class Studio {
  readonly canvas = document.createElement("canvas");
  readonly renderer: Renderer;
  /** Of the colour bars. */
  readonly colormaps: Colormaps;
  status: Status | null = null;
  #heard: () => void = () => undefined;

  /** Throws `NoWebGL2Error`. */
  constructor(baseUrl: string) {
    this.colormaps = new Colormaps(baseUrl, () => this.#heard());
    this.renderer = createRenderer({
      canvas: this.canvas,
      baseUrl,
      schedule: soon,
      events: {
        status: (status) => {
          this.status = status;
          this.#heard();
        },
        values: () => undefined,
      },
    });
  }

  /** Draws the document; resolves when all of it is there, rejects when that is too late. */
  async draw(show: Document, panels: readonly Panel[], scene: Scene, end: number): Promise<void> {
    // Other panels first: whatever the background is, all of it is drawn anew.
    this.renderer.setPanels([], scene.size, scene.scale);
    this.renderer.setDocument(show);
    this.renderer.setPanels(panels, scene.size, scene.scale);
    if (this.#failures.length > 0) this.renderer.retry();
    await this.#settled(show, end);
    if (this.status?.panels.some(({ scattered }) => scattered.length > 0) === true) {
      this.renderer.repack();
      await this.#settled(show, end);
    }
    const [failure] = this.#failures;
    if (failure !== undefined) throw new PictureError("source", failure);
    const short = new Set(this.status?.panels.flatMap((panel) => panel.short));
    if (short.size > 0) {
      const names = [...short].map((id) => `'${show.layers[id]?.name ?? id}'`).join(", ");
      throw new PictureError(
        "toolarge",
        `The page's GPU memory holds only a part of ${names}. Take a smaller size or scale.`,
      );
    }
    const { width, height } = this.canvas;
    const gl = this.canvas.getContext("webgl2");
    if (gl !== null && (gl.drawingBufferWidth < width || gl.drawingBufferHeight < height)) {
      throw new PictureError(
        "toolarge",
        `The browser draws ${gl.drawingBufferWidth} × ${gl.drawingBufferHeight} pixels at most, ` +
          `not ${width} × ${height}.`,
      );
    }
  }

  get #failures(): string[] {
    return this.status?.panels.flatMap(({ failures }) => failures.map((f) => f.message)) ?? [];
  }

  #settled(show: Document, end: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#heard = () => undefined;
        reject(new PictureError("deadline", missing(show, this.status)));
      }, end - performance.now());
      this.#heard = () => {
        const areBarsReady = barsOf(show).every(({ style }) => {
          return this.colormaps.get(style.colormap).ready;
        });
        if (this.status?.settled !== true || !areBarsReady) return;
        this.#heard = () => undefined;
        clearTimeout(timer);
        resolve();
      };
      // An update that changes nothing tells nothing; what changes anything has told so by now.
      soon(() => this.#heard());
    });
  }
}

/** What a picture is to be of. */
type Wish = Omit<TakePicture, "type" | "request" | "seconds">;

interface Print {
  readonly png: ArrayBuffer;
  /** By layer id, what it is made of. */
  readonly levels: Taken["levels"];
}

interface Scene {
  readonly size: readonly [width: number, height: number];
  readonly scale: number;
}

/** What a picture still waits for, in words. */
function missing(show: Document, status: Status | null): string {
  if (status === null) return "The picture was not begun.";
  if (status.context === "lost") return "The graphics card was restarting.";
  const bricks = status.panels.filter(({ loading }) => loading > 0);
  const parts = bricks.map(({ kind, loading }) => {
    return `${loading} ${loading === 1 ? "brick" : "bricks"} in ${kind}`;
  });
  for (const { layer, label, state } of status.meshes) {
    if (state !== "loading") continue;
    const name = show.layers[layer]?.name ?? layer;
    parts.push(label === "" ? `the surface '${name}'` : `the mesh of ${label} in '${name}'`);
  }
  if (parts.length === 0) return "All was loaded, but not drawn yet.";
  const some = parts.slice(0, 6).join(", ");
  const names = show.order.flatMap((id) => {
    const layer = show.layers[id];
    return layer?.visible === true ? [`'${layer.name}'`] : [];
  });
  const more = parts.length > 6 ? `, and ${parts.length - 6} more` : "";
  return `Still missing: ${some}${more} (shown: ${names.join(", ")}).`;
}

export class PictureTaker {
  readonly #parts: PictureTakerParts;
  #studio: Studio | null = null;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(parts: PictureTakerParts) {
    this.#parts = parts;
  }

  /** Takes a picture once those asked for earlier are done, and sends it or why there is none. */
  take(request: TakePicture): void {
    const end = performance.now() + 1000 * request.seconds;
    this.#last = this.#last.then(() => this.#answer(request, end));
  }

  /** A PNG of the document as the page shows it, once pictures asked for earlier are done. */
  picture(show: Document, scale: number): Promise<ArrayBuffer> {
    const wish = { document: show, scale, size: null, panel: null, background: null };
    const printed = this.#last.then(() => {
      clearTimeout(this.#idle);
      return this.#shoot({ ...wish, overlays: true }, performance.now() + PATIENCE);
    });
    const rest = (): void => this.#rest();
    this.#last = printed.then(rest, rest);
    return printed.then(({ png }) => png);
  }

  async #answer(request: TakePicture, end: number): Promise<void> {
    clearTimeout(this.#idle);
    try {
      const { png, levels } = await this.#shoot(request, end);
      this.#tell({ request: request.request, bytes: png.byteLength, levels });
      for (let at = 0; at < png.byteLength; at += PART) {
        this.#parts.sendBytes(png.slice(at, at + PART));
      }
    } catch (error) {
      const kind = error instanceof PictureError ? error.kind : "source";
      const text = error instanceof Error ? error.message : String(error);
      this.#tell({ request: request.request, error: text, kind });
    }
    this.#rest();
  }

  #rest(): void {
    this.#idle = setTimeout(() => this.#close(), KEPT);
  }

  #tell(answer: Partial<Taken> & Pick<Taken, "request">): void {
    this.#parts.send({ type: "taken", bytes: 0, error: "", kind: "", levels: {}, ...answer });
  }

  #close(): void {
    this.#studio?.renderer.dispose();
    this.#studio?.colormaps.dispose();
    this.#studio = null;
  }

  #open(): Studio {
    if (this.#studio?.status?.context === "lost") this.#close();
    try {
      this.#studio ??= new Studio(this.#parts.baseUrl);
    } catch (error) {
      if (error instanceof NoWebGL2Error) throw new PictureError("source", error.message);
      throw error;
    }
    return this.#studio;
  }

  async #shoot(wish: Wish, end: number): Promise<Print> {
    const { document: show, scale, panel, background } = wish;
    const { layout, split } = show.view;
    const own = this.#parts.size();
    const around = (width: number, height: number): Margins =>
      wish.overlays ? marginsFor(show, width, height) : NO_MARGINS;
    const margins = around(...own);
    const seen = panelsFor(layout, split, ...own, margins);
    const alone = seen.find(({ kind }) => kind === panel);
    const size =
      wish.size ??
      (alone === undefined ? own : [alone.width + margins.right, alone.height + margins.top]);
    const [width, height] = size as [number, number];
    if (width < 1 || height < 1) {
      throw new PictureError("source", "The page is too small to have a picture: give a size.");
    }
    const panels = panelsFor(panel ?? layout, split, width, height, around(width, height));
    const scene: Scene = { size: [width, height], scale };
    const studio = this.#open();
    const paper = new OffscreenCanvas(Math.round(width * scale), Math.round(height * scale));
    const pen = paper.getContext("2d", { willReadFrequently: true });
    if (pen === null)
      throw new PictureError("toolarge", "The browser has no room for the picture.");
    const print = async (on: Document["theme"]): Promise<void> => {
      await studio.draw({ ...show, theme: on }, panels, scene, end);
      pen.fillStyle = `rgb(${BACKGROUNDS[on].map((part) => Math.round(255 * part)).join(" ")})`;
      pen.fillRect(0, 0, paper.width, paper.height);
      for (const shown of panels) {
        const { left, top, width, height } = pixelRectangle(shown, scale);
        pen.drawImage(studio.canvas, left, top, width, height, left, top, width, height);
      }
    };
    let theme = show.theme;
    if (background === null) await print(theme);
    else {
      const rgba = parseRgba(background);
      const pixels = (): ImageData => pen.getImageData(0, 0, paper.width, paper.height);
      await print("dark");
      const dark = pixels();
      await print("light");
      const light = pixels();
      recompose(dark.data, light.data, BACKGROUNDS, rgba);
      pen.putImageData(dark, 0, 0);
      // Lettering that can be read on it.
      if (rgba[3] > 0.5) theme = (rgba[0] + 2 * rgba[1] + rgba[2]) / 4 > 0.5 ? "light" : "dark";
    }
    if (wish.overlays) {
      pen.scale(paper.width / width, paper.height / height);
      const colors = (name: string): Uint8Array => studio.colormaps.get(name).colors;
      drawOverlays(pen, show, panels, { size: [width, height], theme, colors });
    }
    const shown = studio.renderer.stats().levels;
    const levels = Object.fromEntries(shown.map((of) => [of.layer, [...of.shown]]));
    const blob = await paper.convertToBlob({ type: "image/png" });
    return { png: await blob.arrayBuffer(), levels };
  }
}
