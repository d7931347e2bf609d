// Textures: storage of a fixed size and format, and the formats that bricks live in.
import type { Context } from "./context";

export type Format = "R8" | "R32F" | "R8UI" | "R16UI" | "R32UI" | "RG32UI" | "RGBA8" | "RGBA32UI";

interface FormatInfo {
  readonly internal: number;
  readonly format: number;
  readonly type: number;
  /** Bytes of one texel. */
  readonly bytes: number;
  readonly integer: boolean;
}

// WebGL's numbers by its names: a format can be chosen where there is no context.
const GL = {
  R8: 0x8229,
  R32F: 0x822e,
  R8UI: 0x8232,
  R16UI: 0x8234,
  R32UI: 0x8236,
  RG32UI: 0x823c,
  RGBA8: 0x8058,
  RGBA32UI: 0x8d70,
  RED: 0x1903,
  RED_INTEGER: 0x8d94,
  RG_INTEGER: 0x8228,
  RGBA: 0x1908,
  RGBA_INTEGER: 0x8d99,
  UNSIGNED_BYTE: 0x1401,
  UNSIGNED_SHORT: 0x1403,
  UNSIGNED_INT: 0x1405,
  FLOAT: 0x1406,
} as const;

/** What WebGL wants to hear about a format. */
export const FORMATS: Readonly<Record<Format, FormatInfo>> = {
  R8: { internal: GL.R8, format: GL.RED, type: GL.UNSIGNED_BYTE, bytes: 1, integer: false },
  R32F: { internal: GL.R32F, format: GL.RED, type: GL.FLOAT, bytes: 4, integer: false },
  R8UI: {
    internal: GL.R8UI,
    format: GL.RED_INTEGER,
    type: GL.UNSIGNED_BYTE,
    bytes: 1,
    integer: true,
  },
  R16UI: {
    internal: GL.R16UI,
    format: GL.RED_INTEGER,
    type: GL.UNSIGNED_SHORT,
    bytes: 2,
    integer: true,
  },
  R32UI: {
    internal: GL.R32UI,
    format: GL.RED_INTEGER,
    type: GL.UNSIGNED_INT,
    bytes: 4,
    integer: true,
  },
  RG32UI: {
    internal: GL.RG32UI,
    format: GL.RG_INTEGER,
    type: GL.UNSIGNED_INT,
    bytes: 8,
    integer: true,
  },
  RGBA8: { internal: GL.RGBA8, format: GL.RGBA, type: GL.UNSIGNED_BYTE, bytes: 4, integer: false },
  RGBA32UI: {
    internal: GL.RGBA32UI,
    format: GL.RGBA_INTEGER,
    type: GL.UNSIGNED_INT,
    bytes: 16,
    integer: true,
  },
};

function setParameters(context: Context, target: number, linear: boolean): void {
  const { gl } = context;
  const filter = linear ? gl.LINEAR : gl.NEAREST;
  gl.texParameteri(target, gl.TEXTURE_MIN_FILTER, filter);
  gl.texParameteri(target, gl.TEXTURE_MAG_FILTER, filter);
  gl.texParameteri(target, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(target, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  if (target === gl.TEXTURE_3D) gl.texParameteri(target, gl.TEXTURE_WRAP_R, gl.CLAMP_TO_EDGE);
}

export class Texture2D {
  readonly texture: WebGLTexture;
  readonly width: number;
  readonly height: number;
  readonly #context: Context;
  readonly #format: Format;

  constructor(context: Context, format: Format, width: number, height: number, linear = false) {
    this.#context = context;
    this.#format = format;
    this.width = width;
    this.height = height;
    const { gl } = context;
    this.texture = gl.createTexture();
    context.bindForUpload(gl.TEXTURE_2D, this.texture);
    gl.texStorage2D(gl.TEXTURE_2D, 1, FORMATS[format].internal, width, height);
    setParameters(context, gl.TEXTURE_2D, linear);
  }

  get bytes(): number {
    return this.width * this.height * FORMATS[this.#format].bytes;
  }

  /** Replace all of it. */
  write(data: ArrayBufferView): void {
    const { gl } = this.#context;
    const { format, type } = FORMATS[this.#format];
    this.#context.bindForUpload(gl.TEXTURE_2D, this.texture);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, this.width, this.height, format, type, data);
    this.#context.countUpload(this.bytes);
  }

  bind(unit: number): void {
    this.#context.bindTexture(unit, this.#context.gl.TEXTURE_2D, this.texture);
  }

  dispose(): void {
    this.#context.deleteTexture(this.texture);
  }
}

export class Texture3D {
  readonly texture: WebGLTexture;
  /** Texels along (x, y, z). */
  readonly size: readonly [number, number, number];
  readonly format: Format;
  readonly #context: Context;

  constructor(context: Context, format: Format, size: readonly [number, number, number]) {
    this.#context = context;
    this.format = format;
    this.size = size;
    const { gl } = context;
    const { internal, integer } = FORMATS[format];
    this.texture = gl.createTexture();
    context.bindForUpload(gl.TEXTURE_3D, this.texture);
    gl.texStorage3D(gl.TEXTURE_3D, 1, internal, size[0], size[1], size[2]);
    // Exact reads fetch texels and so ignore the filter: one texture serves both.
    const linear = !integer && (format !== "R32F" || context.floatLinear);
    setParameters(context, gl.TEXTURE_3D, linear);
    // Not every device can draw into floats.
    if (format !== "R32F") context.clearLayer(this.texture, integer);
  }

  get bytes(): number {
    return this.size[0] * this.size[1] * this.size[2] * FORMATS[this.format].bytes;
  }

  /** Replace a box of it; `origin` and `shape` are (x, y, z). */
  write(
    origin: readonly [number, number, number],
    shape: readonly [number, number, number],
    data: ArrayBufferView,
  ): void {
    const { gl } = this.#context;
    const { format, type } = FORMATS[this.format];
    this.#context.bindForUpload(gl.TEXTURE_3D, this.texture);
    const [x, y, z] = origin;
    gl.texSubImage3D(gl.TEXTURE_3D, 0, x, y, z, shape[0], shape[1], shape[2], format, type, data);
    this.#context.countUpload(data.byteLength);
  }

  bind(unit: number): void {
    this.#context.bindTexture(unit, this.#context.gl.TEXTURE_3D, this.texture);
  }

  dispose(): void {
    this.#context.deleteTexture(this.texture);
  }
}
