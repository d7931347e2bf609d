// Everything that lives on the GPU. After the context was lost, a new one takes its place and is
// filled again from what main memory holds.
import type { Brick } from "../bricks/cache";
import type { Cover, Need } from "../bricks/planner";
import type { BrickNumber, Volume } from "../bricks/volume";
import { Context, type Rectangle } from "../gl/context";
import { Program } from "../gl/program";
import { Target } from "../gl/target";
import { Texture2D } from "../gl/texture";
import type { Color } from "../math/label-color";
import type { LabelsLayer } from "../wire/types";
import { Atlas } from "./atlas";
import type { Batch } from "./instances";
import { labelTable } from "./label-table";
import type { MeshBuffers } from "./mesh-buffers";
import type { PixelRectangle } from "./pictures";
import { SCREEN_VERTEX } from "./shaders/slice";
import { COMPOSE_FRAGMENT, COMPOSE_UNIFORMS } from "./shaders/space";
import { SlicePainter, type LabelUniforms, type Sample } from "./slice-painter";
import { SpacePainter, type SpaceScene } from "./space-painter";
import type { Actor } from "./actors";
import type { TexelCode } from "./texels";
import { VolumePainter, type SpaceVolume } from "./volume-painter";

/** One layer in one picture, ready to be drawn. */
export interface Stroke {
  readonly actor: Actor;
  readonly cover: Cover;
  readonly batches: readonly Batch[];
}

export interface Brushes {
  /** RGBA, 256 entries. */
  readonly colormap: (name: string) => Uint8Array;
  /** Label under the cursor of this layer. */
  readonly highlight: (layer: string) => string | null;
  /** Canvas pixels a CSS pixel. */
  readonly ratio: number;
}

/** What fills the 3-D panel beside slices and meshes. */
export interface SpaceFilling {
  /** Bottom first. */
  readonly volumes: readonly SpaceVolume[];
  /** RGBA, 256 entries. */
  readonly colormap: (name: string) => Uint8Array;
  /** Whether it must be quick rather than fine. */
  readonly coarse: boolean;
}

/** What is about to be drawn. */
export interface GpuNeeds {
  /** Layers in slices, bottom first. */
  readonly samples: readonly Sample[];
  readonly space: boolean;
  readonly meshes: boolean;
}

/** Samples a pixel of the 3-D panel, where edges are seen. */
const SAMPLES = 4;

export class Gpu {
  readonly context: Context;
  readonly atlas: Atlas;
  readonly #slices: SlicePainter;
  readonly #space: SpacePainter;
  readonly #volumes: VolumePainter;
  readonly #compose: Program<typeof COMPOSE_UNIFORMS>;
  readonly #empty: WebGLVertexArrayObject;
  readonly #pictures = new Map<number, Target>();
  readonly #colormaps = new Map<Uint8Array, Texture2D>();
  readonly #tables = new Map<string, { said: string; table: Texture2D; mask: number }>();
  #panel: Target | null = null;
  #objects: Target | null = null;

  /** `budget` in bytes of brick textures. Throws `NoWebGL2Error`. */
  constructor(canvas: HTMLCanvasElement, budget: number) {
    this.context = new Context(canvas);
    this.atlas = new Atlas(this.context, budget);
    this.#slices = new SlicePainter(this.context);
    this.#compose = new Program(this.context, {
      name: "compose",
      vertex: SCREEN_VERTEX,
      fragment: COMPOSE_FRAGMENT,
      uniforms: COMPOSE_UNIFORMS,
      attributes: [],
    });
    this.#space = new SpacePainter(this.context);
    this.#volumes = new VolumePainter(this.context);
    this.#empty = this.context.gl.createVertexArray();
  }

  /** Whether drawing these would not wait for the shader compiler. */
  isReady(needs: GpuNeeds): boolean {
    const slices = this.#slices.isReady(needs.samples);
    const space = !needs.space || this.#space.isReady(needs);
    return this.#compose.isReady && slices && space;
  }

  /** The same for volumes in the 3-D panel. */
  areVolumesReady(volumes: readonly SpaceVolume[]): boolean {
    return volumes.length === 0 || this.#volumes.isReady(volumes);
  }

  /** Have everything compiled that may be needed later. */
  prepare(samples: readonly Sample[]): void {
    this.#slices.prepare(samples);
    this.#space.prepare();
  }

  /** Bytes of bricks and meshes. */
  get bytes(): number {
    return this.atlas.bytes + this.#space.buffers.bytes;
  }

  /** Take a brick; false when there is no room for it. */
  upload(
    { volume, number }: Need,
    brick: Brick,
    code: TexelCode,
    keep: (volume: Volume, number: BrickNumber) => boolean,
  ): boolean {
    if (!brick.constant) return this.atlas.write(volume, number, brick, code, keep);
    this.atlas.release(volume, number);
    return true;
  }

  /** Where meshes must be before they are drawn. */
  get meshes(): MeshBuffers {
    return this.#space.buffers;
  }

  picture(index: number): Texture2D | null {
    return this.#pictures.get(index)?.texture ?? null;
  }

  /** Draw a slice picture anew, bottom layer first. */
  drawPicture(
    index: number,
    size: { readonly width: number; readonly height: number },
    strokes: readonly Stroke[],
    brushes: Brushes,
  ): void {
    let target = this.#pictures.get(index);
    if (target?.width !== size.width || target.height !== size.height) {
      target?.dispose();
      target = new Target(this.context, size.width, size.height, { format: "RGBA8" });
      this.#pictures.set(index, target);
    }
    target.bind();
    this.context.clear([0, 0, 0, 0]);
    strokes.forEach(({ actor, cover, batches }, place) => {
      const { layer, code } = actor;
      if (layer.kind === "image") {
        const colormap = this.#colormap(brushes.colormap(layer.style.colormap));
        this.#slices.drawImage(cover, batches, layer.style, code, colormap, place === 0);
      } else {
        const outline = Math.round(layer.style.contour * brushes.ratio);
        const labels = this.#labels(layer, brushes.highlight(layer.id));
        this.#slices.drawLabels(cover, batches, labels, code, target, outline);
      }
    });
  }

  /** Forget pictures from this number on. */
  trimPictures(count: number): void {
    for (const [index, target] of this.#pictures) {
      if (index < count) continue;
      target.dispose();
      this.#pictures.delete(index);
    }
  }

  drawSpace(
    scene: SpaceScene,
    size: { readonly width: number; readonly height: number },
    { volumes, colormap, coarse }: SpaceFilling,
  ): void {
    const { width, height } = size;
    const readsDepth = volumes.length > 0;
    const isSame = this.#panel?.width === width && this.#panel.height === height;
    if (this.#panel === null || !isSame || this.#panel.readsDepth !== readsDepth) {
      this.#panel?.dispose();
      const options = { format: "RGBA8", depth: true, samples: SAMPLES, readsDepth } as const;
      this.#panel = new Target(this.context, width, height, options);
    }
    const toTexture = (name: string): Texture2D => this.#colormap(colormap(name));
    this.#space.draw(scene, this.#panel, toTexture);
    if (volumes.length === 0) {
      this.#volumes.clear();
      return;
    }
    this.#volumes.draw(volumes, scene.camera, this.#panel, toTexture, coarse);
  }

  /** What lies under each pixel of the 3-D panel: (object, bits of the depth, 0, 1) each. */
  readObjects(
    scene: SpaceScene,
    size: { readonly width: number; readonly height: number },
  ): Uint32Array {
    const { width, height } = size;
    if (this.#objects?.width !== width || this.#objects.height !== height) {
      this.#objects?.dispose();
      const options = { format: "RG32UI", depth: true } as const;
      this.#objects = new Target(this.context, width, height, options);
    }
    this.#space.drawObjects(scene, this.#objects);
    return this.#objects.readIntegers();
  }

  /** Begin a new canvas of this colour. */
  clear(width: number, height: number, color: Color): void {
    this.context.bindFramebuffer(null, { x: 0, y: 0, width, height });
    this.context.clear([...color, 1]);
  }

  /**
   * Put a picture on the canvas: that number's, or the 3-D panel's. Only a part of it, in its own
   * pixels, has anything in it: filling the rest with the background costs less.
   */
  compose(
    which: number | "space",
    place: PixelRectangle,
    part: PixelRectangle,
    canvasHeight: number,
    background: Color,
  ): void {
    const texture = which === "space" ? this.#panel?.texture : this.#pictures.get(which)?.texture;
    if (texture === undefined) return;
    const { gl } = this.context;
    const upward = ({ left, top, width, height }: PixelRectangle): Rectangle => {
      return { x: left, y: canvasHeight - top - height, width, height };
    };
    const drawn = upward({ ...part, left: place.left + part.left, top: place.top + part.top });
    this.context.bindFramebuffer(null, drawn);
    if (part.width < place.width || part.height < place.height) {
      this.context.clear([...background, 1], upward(place));
    }
    if (part.width < 1 || part.height < 1) return;
    this.context.setBlend("none");
    texture.bind(0);
    this.#compose.use({
      u_picture: 0,
      u_corner: [place.left, canvasHeight - place.top],
      u_background: [...background],
    });
    this.context.bindVertexArray(this.#empty);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    this.context.draws += 1;
  }

  #colormap(colors: Uint8Array): Texture2D {
    let texture = this.#colormaps.get(colors);
    if (texture === undefined) {
      texture = new Texture2D(this.context, "RGBA8", 256, 1, true);
      texture.write(colors);
      this.#colormaps.set(colors, texture);
    }
    return texture;
  }

  #labels(layer: LabelsLayer, highlight: string | null): LabelUniforms {
    const { style } = layer;
    const said = JSON.stringify([style.selected, style.hidden, style.colors]);
    let known = this.#tables.get(layer.id);
    if (known?.said !== said) {
      known?.table.dispose();
      const { words, width, height, mask } = labelTable(style);
      const table = new Texture2D(this.context, "RGBA32UI", width, height);
      table.write(words);
      known = { said, table, mask };
      this.#tables.set(layer.id, known);
    }
    return { style, table: known.table, mask: known.mask, highlight };
  }

  dispose(): void {
    this.trimPictures(0);
    this.#panel?.dispose();
    this.#objects?.dispose();
    for (const texture of this.#colormaps.values()) texture.dispose();
    for (const { table } of this.#tables.values()) table.dispose();
    this.#slices.dispose();
    this.#volumes.dispose();
    this.#space.buffers.keep(new Set());
    this.atlas.dispose();
  }
}
