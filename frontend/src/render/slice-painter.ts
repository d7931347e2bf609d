// Draws one layer of one slice into the bound target: a plane through the bricks of a cover.
import type { Cover } from "../bricks/planner";
import { dualOf, normalOf } from "../bricks/cover";
import type { Context } from "../gl/context";
import { Variants, type Program } from "../gl/program";
import { Target } from "../gl/target";
import type { Texture2D } from "../gl/texture";
import { Texture3D } from "../gl/texture";
import { mix } from "../math/label-color";
import type { ImageLayer, ImageStyle, LabelsLayer, LabelsStyle } from "../wire/types";
import { labelBits } from "../bricks/element";
import { flip, type Page } from "./atlas";
import { INSTANCE_WORDS, type Batch } from "./instances";
import { SINGLE } from "./shaders/label-color";
import { FILTER } from "./shaders/sampling";
import * as source from "./shaders/slice";
import { toTexel, type TexelCode } from "./texels";

/** A layer as far as the choice of its shader depends on it. */
export interface Sample {
  readonly layer: ImageLayer | LabelsLayer;
  readonly code: TexelCode;
}

/** A labels style as the shader reads it. */
export interface LabelUniforms {
  readonly style: LabelsStyle;
  readonly table: Texture2D;
  readonly mask: number;
  /** Decimal label under the cursor. */
  readonly highlight: string | null;
}

const UNIT = { atlas: 0, colormap: 1, table: 1, labels: 2 } as const;

/** Vertices of the polygon that a plane cuts out of a box, at most. */
const CORNERS = 6;

export class SlicePainter {
  readonly #context: Context;
  readonly #images: Variants<typeof source.IMAGE_UNIFORMS>;
  readonly #labels: Variants<typeof source.LABEL_UNIFORMS>;
  readonly #ids: Variants<typeof source.LABEL_UNIFORMS>;
  readonly #outlines: Variants<typeof source.OUTLINE_UNIFORMS>;
  readonly #vertexArray: WebGLVertexArrayObject;
  readonly #buffer: WebGLBuffer;
  readonly #empty: WebGLVertexArrayObject;
  // A sampler must have a texture even where a constant brick lets it idle.
  readonly #noImage: Page;
  readonly #noLabels: Page;
  #scratch: Target | null = null;

  constructor(context: Context) {
    this.#context = context;
    const { gl } = context;
    const attributes = source.SLICE_ATTRIBUTES;
    const vertex = source.SLICE_VERTEX;
    this.#images = new Variants(context, {
      name: "image slice",
      vertex,
      fragment: source.IMAGE_FRAGMENT,
      uniforms: source.IMAGE_UNIFORMS,
      attributes,
    });
    this.#labels = new Variants(context, {
      name: "labels slice",
      vertex,
      fragment: source.LABEL_FRAGMENT,
      uniforms: source.LABEL_UNIFORMS,
      attributes,
    });
    this.#ids = new Variants(context, {
      name: "label ids",
      vertex,
      fragment: source.LABEL_ID_FRAGMENT,
      uniforms: source.LABEL_UNIFORMS,
      attributes,
    });
    this.#outlines = new Variants(context, {
      name: "label outlines",
      vertex: source.SCREEN_VERTEX,
      fragment: source.OUTLINE_FRAGMENT,
      uniforms: source.OUTLINE_UNIFORMS,
      attributes: [],
    });
    this.#noImage = { texture: new Texture3D(context, "R8", [1, 1, 1]) };
    this.#noLabels = { texture: new Texture3D(context, "R8UI", [1, 1, 1]) };
    this.#empty = gl.createVertexArray();
    this.#vertexArray = gl.createVertexArray();
    this.#buffer = gl.createBuffer();
    context.bindVertexArray(this.#vertexArray);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer);
    const stride = INSTANCE_WORDS * 4;
    attributes.forEach((_, location) => {
      gl.enableVertexAttribArray(location);
      gl.vertexAttribDivisor(location, 1);
      const offset = location * 12;
      if (location === 5) gl.vertexAttribIPointer(location, 3, gl.UNSIGNED_INT, stride, offset);
      else gl.vertexAttribPointer(location, 3, gl.FLOAT, false, stride, offset);
    });
  }

  /** The programs that draw a layer as it looks now, or as it may once labels are selected. */
  #programs(
    { layer, code }: Sample,
    isBottom: boolean,
    table: boolean,
  ): readonly { readonly isReady: boolean }[] {
    if (layer.kind === "image") return [this.#imageProgram(layer.style, code, isBottom)];
    const single = table ? SINGLE.table : SINGLE.nothing;
    if (layer.style.contour === 0) return [this.#labelProgram(code, single, false)];
    return [this.#ids.for(idChoices(code)), this.#outlines.for({ SINGLE: single, WIDE: 1 })];
  }

  #imageProgram(
    style: ImageStyle,
    code: TexelCode,
    isBottom: boolean,
  ): Program<typeof source.IMAGE_UNIFORMS> {
    const filters = this.#context.floatLinear || code.format === "R8" ? "hardware" : "manual";
    return this.#images.for({
      FILTER: FILTER[style.interpolation === "linear" ? filters : "nearest"],
      MISSING: code.format === "R8" ? 0 : 1,
      GAMMA: style.gamma === 1 ? 0 : 1,
      MINIMUM: takesMinimum(style, isBottom) ? 1 : 0,
    });
  }

  #labelProgram(
    code: TexelCode,
    single: number,
    wide: boolean,
  ): Program<typeof source.LABEL_UNIFORMS> {
    // Not worth variants of its own: where single labels look otherwise, all are taken as wide.
    const isWide = wide || code.signBits > 0 || single !== SINGLE.nothing;
    return this.#labels.for({ SIGN_BITS: code.signBits, SINGLE: single, WIDE: isWide ? 1 : 0 });
  }

  /** Whether slices of these layers, bottom first, can be drawn without waiting for a compiler. */
  isReady(samples: readonly Sample[]): boolean {
    const programs = samples.flatMap((sample, place) =>
      this.#programs(sample, place === 0, hasTable(sample.layer)),
    );
    // Asking has it compiled: all of them are asked.
    return programs.filter((program) => !program.isReady).length === 0;
  }

  /** Have compiled what these layers may need later: labels to be selected, outlines. */
  prepare(samples: readonly Sample[]): void {
    for (const { layer, code } of samples) {
      if (layer.kind === "image") continue;
      const isWide = code.format === "RG32UI";
      for (const single of Object.values(SINGLE)) {
        this.#labelProgram(code, single, isWide).prepare();
      }
      this.#ids.for(idChoices(code)).prepare();
      this.#outlines.for({ SINGLE: SINGLE.table, WIDE: 1 }).prepare();
    }
  }

  drawImage(
    cover: Cover,
    batches: readonly Batch[],
    style: ImageStyle,
    code: TexelCode,
    colormap: Texture2D,
    isBottom: boolean,
  ): void {
    // Nothing to draw yet: the program may go on being compiled in the background.
    if (batches.length === 0) return;
    const context = this.#context;
    const [low, high] = style.contrast_limits;
    const texelLow = toTexel(code, low);
    colormap.bind(UNIT.colormap);
    context.setBlend(
      takesMinimum(style, isBottom)
        ? "minimum"
        : style.blending === "opaque" || isBottom
          ? "none"
          : style.blending === "additive"
            ? "add"
            : "over",
    );
    this.#imageProgram(style, code, isBottom).use({
      ...planeUniforms(cover),
      u_colormap: UNIT.colormap,
      u_low: texelLow,
      u_inverse: 1 / (toTexel(code, high) - texelLow),
      u_gamma: style.gamma,
      u_opacity: style.opacity,
    });
    this.#drawBatches(batches, this.#noImage);
  }

  drawLabels(
    cover: Cover,
    batches: readonly Batch[],
    labels: LabelUniforms,
    code: TexelCode,
    target: Target,
    outline: number,
  ): void {
    if (batches.length === 0) return;
    const context = this.#context;
    const { style, highlight } = labels;
    const single =
      labels.mask >= 0 ? SINGLE.table : highlight === null ? SINGLE.nothing : SINGLE.highlight;
    const isNothingSelected = style.show_selected_only && single !== SINGLE.table;
    const seed = mix(style.seed);
    const color = {
      u_table: UNIT.table,
      u_tableMask: labels.mask,
      u_seed: seed,
      u_upper: mix(seed),
      u_opacity: isNothingSelected ? 0 : style.opacity,
      u_selectedOnly: style.show_selected_only ? 1 : 0,
      u_highlight: [...labelBits(highlight === null ? 0 : BigInt(highlight))],
    };
    if (outline === 0) {
      labels.table.bind(UNIT.table);
      context.setBlend("over");
      for (const wide of [false, true]) {
        const some = batches.filter((batch) => isWide(batch) === wide);
        if (some.length === 0) continue;
        this.#labelProgram(code, single, wide).use({ ...planeUniforms(cover), ...color });
        this.#drawBatches(some, this.#noLabels);
      }
      return;
    }
    const { gl } = context;
    const scratch = this.#scratchFor(target.width, target.height);
    scratch.bind();
    gl.clearBufferuiv(gl.COLOR, 0, [0, 0, 0, 0]);
    context.setBlend("none");
    this.#ids.for(idChoices(code)).use(planeUniforms(cover));
    this.#drawBatches(batches, this.#noLabels);
    target.bind();
    labels.table.bind(UNIT.table);
    scratch.texture.bind(UNIT.labels);
    context.setBlend("over");
    const outlines = this.#outlines.for({ SINGLE: single, WIDE: 1 });
    outlines.use({ ...color, u_labels: UNIT.labels, u_width: outline });
    context.bindVertexArray(this.#empty);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    context.draws += 1;
  }

  #scratchFor(width: number, height: number): Target {
    if (this.#scratch?.width !== width || this.#scratch.height !== height) {
      this.#scratch?.dispose();
      this.#scratch = new Target(this.#context, width, height, { format: "RG32UI" });
    }
    return this.#scratch;
  }

  #drawBatches(batches: readonly Batch[], none: Page): void {
    const { gl } = this.#context;
    for (const { page, words, count } of batches) {
      (page ?? none).texture.bind(UNIT.atlas);
      this.#context.bindVertexArray(this.#vertexArray);
      gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer);
      gl.bufferData(gl.ARRAY_BUFFER, words, gl.STREAM_DRAW);
      gl.drawArraysInstanced(gl.TRIANGLE_FAN, 0, CORNERS, count);
      this.#context.draws += 1;
    }
  }

  dispose(): void {
    const { gl } = this.#context;
    this.#scratch?.dispose();
    this.#noImage.texture.dispose();
    this.#noLabels.texture.dispose();
    gl.deleteBuffer(this.#buffer);
    gl.deleteVertexArray(this.#vertexArray);
    gl.deleteVertexArray(this.#empty);
  }
}

function idChoices(code: TexelCode): { readonly SIGN_BITS: number; readonly WIDE: number } {
  return { SIGN_BITS: code.signBits, WIDE: 1 };
}

/** Whether it has labels of more than 32 bits. */
function isWide({ page, words, count }: Batch): boolean {
  if (page !== null) return page.texture.format === "RG32UI";
  const integers = new Uint32Array(words.buffer);
  for (let place = 1; place <= count; place += 1) {
    if (integers[place * INSTANCE_WORDS - 1] !== 0) return true;
  }
  return false;
}

/** Nothing lies below the bottom layer that a minimum could be taken with. */
function takesMinimum(style: ImageStyle, isBottom: boolean): boolean {
  return style.blending === "minimum" && !isBottom;
}

/** Whether the style says anything of single labels. */
function hasTable(layer: ImageLayer | LabelsLayer): boolean {
  if (layer.kind === "image") return false;
  const { selected, hidden, colors } = layer.style;
  return selected.length > 0 || hidden.length > 0 || Object.keys(colors).length > 0;
}

/** How the plane lies in the level's texels; computed in float64, sent as float32. */
function planeUniforms(cover: Cover): {
  readonly u_normal: number[];
  readonly u_toRight: number[];
  readonly u_toDown: number[];
  readonly u_perRight: number[];
  readonly u_perDown: number[];
  readonly u_middle: number[];
  readonly u_size: number[];
  readonly u_atlas: number;
  readonly u_stored: number[];
} {
  const { volume, plane } = cover.sight;
  const scale = flip(volume.grid(cover.level).scale);
  const right = flip(plane.right);
  const down = flip(plane.down);
  const dual = dualOf(plane);
  const toRight = flip(dual.right);
  const toDown = flip(dual.down);
  const largest = Math.max(...scale.map(Math.abs));
  const each = (compute: (axis: 0 | 1 | 2) => number): number[] => [
    compute(0),
    compute(1),
    compute(2),
  ];
  const normal = flip(normalOf(plane));
  return {
    u_normal: each((axis) => (normal[axis] * scale[axis]) / largest),
    u_toRight: each((axis) => (toRight[axis] * scale[axis]) / plane.pixel),
    u_toDown: each((axis) => (toDown[axis] * scale[axis]) / plane.pixel),
    u_perRight: each((axis) => (right[axis] * plane.pixel) / scale[axis]),
    u_perDown: each((axis) => (down[axis] * plane.pixel) / scale[axis]),
    u_middle: [plane.middle[0], plane.middle[1]],
    u_size: [plane.width, plane.height],
    u_atlas: UNIT.atlas,
    u_stored: [...flip(volume.stored)],
  };
}
