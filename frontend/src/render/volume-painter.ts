// Draws images as volumes into the 3-D panel, after meshes and slices and up to their depth.
import type { Fill } from "../bricks/fill";
import type { Context } from "../gl/context";
import { Program, Variants } from "../gl/program";
import { Target } from "../gl/target";
import { Texture2D, Texture3D } from "../gl/texture";
import type { Position } from "../math/panel";
import type { ImageStyle } from "../wire/types";
import { flip, type Page } from "./atlas";
import type { Camera } from "./camera";
import { SCREEN_VERTEX } from "./shaders/slice";
import * as source from "./shaders/volume";
import { toTexel, type TexelCode } from "./texels";
import type { VolumeTable } from "./volume-table";

/** One image as it fills space. */
export interface SpaceVolume {
  readonly layer: string;
  readonly fill: Fill;
  readonly table: VolumeTable;
  readonly style: ImageStyle;
  readonly code: TexelCode;
}

const UNIT = { table: source.PAGES, colormap: source.PAGES + 1, depth: source.PAGES + 2 } as const;

/** How much a cloud of the greatest value swallows along the data's longest edge, as exponent. */
const THICKNESS = 24;

/**
 * From one sample of a ray to the next, in the shortest edge of a voxel, at most: along edges ten
 * times as long, one sample a voxel misses what lies between two of them, in each pixel otherwise.
 */
const LONGEST_STEP = 2;

/** Edge of a pixel while things move, in pixels of the panel. */
const COARSE = 2;

export class VolumePainter {
  readonly #context: Context;
  readonly #rays: Variants<typeof source.VOLUME_UNIFORMS>;
  readonly #over: Program<typeof source.OVER_UNIFORMS>;
  readonly #tables = new Map<string, Texture2D>();
  readonly #none: Page;
  readonly #empty: WebGLVertexArrayObject;
  #target: Target | null = null;

  constructor(context: Context) {
    this.#context = context;
    const screen = { vertex: SCREEN_VERTEX, attributes: [] };
    this.#rays = new Variants(context, {
      ...screen,
      name: "volume",
      fragment: source.VOLUME_FRAGMENT,
      uniforms: source.VOLUME_UNIFORMS,
    });
    this.#over = new Program(context, {
      ...screen,
      name: "volumes over the scene",
      fragment: source.OVER_FRAGMENT,
      uniforms: source.OVER_UNIFORMS,
    });
    this.#none = { texture: new Texture3D(context, "R8", [1, 1, 1]) };
    this.#empty = context.gl.createVertexArray();
  }

  /** Whether these can be drawn without waiting for the shader compiler. */
  isReady(volumes: readonly SpaceVolume[]): boolean {
    const programs = [this.#over, ...volumes.map((volume) => this.#program(volume))];
    return programs.filter((program) => !program.isReady).length === 0;
  }

  #program({ table, style, code }: SpaceVolume): Program<typeof source.VOLUME_UNIFORMS> {
    const filtered = this.#context.floatLinear || code.format === "R8";
    return this.#rays.for({
      // Few numbers of them, for each is compiled.
      PAGES: [1, 2, 4].find((count) => count >= table.pages.length) ?? source.PAGES,
      LINEAR: style.interpolation === "linear" && filtered ? 1 : 0,
      MISSING: code.format === "R8" ? 0 : 1,
      CLOUD: style.rendering === "translucent" ? 1 : 0,
      GAMMA: style.gamma === 1 ? 0 : 1,
    });
  }

  /** Bottom first, onto what `panel` has resolved; `coarse` at a quarter of the pixels. */
  draw(
    volumes: readonly SpaceVolume[],
    camera: Camera,
    panel: Target,
    colormap: (name: string) => Texture2D,
    coarse: boolean,
  ): void {
    const { gl } = this.#context;
    const edge = coarse ? COARSE : 1;
    const width = Math.ceil(panel.width / edge);
    const height = Math.ceil(panel.height / edge);
    if (this.#target?.width !== width || this.#target.height !== height) {
      this.#target?.dispose();
      this.#target = new Target(this.#context, width, height, { format: "RGBA8", linear: true });
    }
    this.#target.bind();
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    for (const volume of volumes) this.#cast(volume, camera, panel, colormap);
    panel.bindResolved();
    this.#context.setBlend("over");
    this.#target.texture.bind(0);
    this.#over.use({ u_picture: 0 });
    this.#cover();
    this.#context.setBlend("none");
  }

  #cast(
    shown: SpaceVolume,
    camera: Camera,
    panel: Target,
    colormap: (name: string) => Texture2D,
  ): void {
    const { layer, fill, table, style, code } = shown;
    const { volume } = fill;
    const box = boxOf(fill, style.interpolation === "linear");
    const [low, high] = style.contrast_limits;
    const texelLow = toTexel(code, low);
    const pages = Array.from({ length: source.PAGES }, (_, at) => table.pages[at] ?? this.#none);
    pages.forEach(({ texture }, unit) => {
      texture.bind(unit);
    });
    this.#table(layer, table).bind(UNIT.table);
    colormap(style.colormap).bind(UNIT.colormap);
    panel.bindDepth(UNIT.depth);
    const finest = volume.grid(0);
    const { stretch } = volume.map;
    const edges = volume
      .grid(fill.level)
      .scale.map((edge, axis) => Math.abs(edge) * (stretch[axis] ?? 1));
    const longest = Math.max(
      ...finest.shape.map(
        (n, axis) => n * Math.abs(finest.scale[axis] ?? 1) * (stretch[axis] ?? 1),
      ),
    );
    this.#context.setBlend(style.blending === "additive" ? "add" : "over");
    this.#program(shown).use({
      ...raysOf(camera, fill),
      u_page0: 0,
      u_page1: 1,
      u_page2: 2,
      u_page3: 3,
      u_page4: 4,
      u_page5: 5,
      u_page6: 6,
      u_page7: 7,
      u_page8: 8,
      u_page9: 9,
      u_page10: 10,
      u_page11: 11,
      u_table: UNIT.table,
      u_colormap: UNIT.colormap,
      u_depth: UNIT.depth,
      u_from: [...flip(box.low)],
      u_to: [...flip(box.high)],
      u_brick: [...flip(volume.brick)],
      u_bricks: [...flip(fill.bricks)],
      u_stored: [...flip(volume.stored)],
      u_low: texelLow,
      u_inverse: 1 / (toTexel(code, high) - texelLow),
      u_gamma: style.gamma,
      u_opacity: style.opacity,
      u_density: THICKNESS / longest,
      u_step: LONGEST_STEP * Math.min(...edges),
    });
    this.#cover();
  }

  #cover(): void {
    const { gl } = this.#context;
    this.#context.bindVertexArray(this.#empty);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    this.#context.draws += 1;
  }

  #table(layer: string, { words, width, height }: VolumeTable): Texture2D {
    let texture = this.#tables.get(layer);
    if (texture?.width !== width || texture.height !== height) {
      texture?.dispose();
      texture = new Texture2D(this.#context, "RGBA32UI", width, height);
      this.#tables.set(layer, texture);
    }
    texture.write(words);
    return texture;
  }

  /** No volume is shown: its textures are free for others. */
  clear(): void {
    this.#target?.dispose();
    this.#target = null;
    for (const texture of this.#tables.values()) texture.dispose();
    this.#tables.clear();
  }

  dispose(): void {
    this.clear();
    this.#none.texture.dispose();
    this.#context.gl.deleteVertexArray(this.#empty);
  }
}

/**
 * The texels that a fill shows, from the corner of its first brick. Where the data goes on, a
 * linear filter can't reach before its first voxel's centre.
 */
function boxOf(
  { volume, level, corner, bricks }: Fill,
  linear: boolean,
): { readonly low: Position; readonly high: Position } {
  const grid = volume.grid(level);
  const shift = linear ? 0.5 : 0;
  const low: [number, number, number] = [0, 0, 0];
  const high: [number, number, number] = [0, 0, 0];
  for (const axis of [0, 1, 2] as const) {
    const from = corner[axis] * volume.brick[axis];
    const length = bricks[axis] * volume.brick[axis];
    const isLast = corner[axis] + bricks[axis] === grid.bricks[axis];
    low[axis] = corner[axis] === 0 ? grid.low[axis] : shift;
    high[axis] = isLast ? grid.high[axis] - from : length + shift;
  }
  return { low, high };
}

/** The camera and its rays in texels from the corner of the fill's first brick; computed in float64, sent as float32. */
function raysOf(
  camera: Camera,
  { volume, level, corner }: Fill,
): {
  readonly u_eye: number[];
  readonly u_ahead: number[];
  readonly u_right: number[];
  readonly u_down: number[];
  readonly u_extent: number[];
  readonly u_project: number[];
  readonly u_near: number;
} {
  const scale = flip(volume.grid(level).scale);
  const { rotation, projection, distance } = camera;
  // The rows of the turning matrix are the view's axes in the world.
  const row = (axis: 0 | 1 | 2): Position => [
    rotation[axis],
    rotation[axis + 4] ?? 0,
    rotation[axis + 8] ?? 0,
  ];
  const texels = (vector: Position, length: number): number[] =>
    flip(volume.map.inwardWay(flip(vector))).map(
      (part, axis) => (part * length) / (scale[axis] ?? 1),
    );
  const ahead = texels(row(2), 1);
  const extent = [2 / projection[0], 2 / projection[5]];
  const texelsOf = volume.toTexels(level, volume.map.inward(camera.center));
  const first = ([0, 1, 2] as const).map(
    (axis) => texelsOf[axis] - corner[axis] * volume.brick[axis],
  );
  const center = flip(first as [number, number, number]);
  const depthScale = projection[10];
  const depthShift = projection[14];
  return {
    u_eye: center.map((texel, axis) => texel - (ahead[axis] ?? 0) * distance),
    u_ahead: ahead,
    u_right: texels(row(0), extent[0] ?? 1),
    u_down: texels(row(1), extent[1] ?? 1),
    u_extent: extent,
    u_project: [depthScale, depthShift],
    u_near: depthShift / (-1 - depthScale),
  };
}
