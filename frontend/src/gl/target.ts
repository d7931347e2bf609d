// Offscreen pictures: a texture to draw into and to draw from.
import type { Context } from "./context";
import { Texture2D, type Format } from "./texture";

export interface TargetOptions {
  readonly format: Format;
  readonly depth?: boolean;
  /** Whether resolving also makes the depth readable, as `depthTexture`; needs `depth`, `samples`. */
  readonly readsDepth?: boolean;
  /** Whether it is read with a linear filter. */
  readonly linear?: boolean;
  /** Samples a pixel; above 1 the picture must be resolved before it is read. */
  readonly samples?: number;
}

export class Target {
  readonly texture: Texture2D;
  readonly width: number;
  readonly height: number;
  readonly #context: Context;
  readonly #framebuffer: WebGLFramebuffer;
  readonly #multisampled: WebGLFramebuffer | null = null;
  readonly #renderbuffers: WebGLRenderbuffer[] = [];
  readonly #depth: WebGLTexture | null = null;
  /** As in `TargetOptions`. */
  readonly readsDepth: boolean;

  constructor(context: Context, width: number, height: number, options: TargetOptions) {
    this.#context = context;
    this.width = width;
    this.height = height;
    this.readsDepth = options.readsDepth === true;
    const { gl } = context;
    const samples = Math.min(options.samples ?? 1, context.maximumSamples);
    this.texture = new Texture2D(context, options.format, width, height, options.linear);
    this.#framebuffer = gl.createFramebuffer();
    context.bindFramebuffer(this.#framebuffer, this.viewport);
    gl.framebufferTexture2D(
      gl.FRAMEBUFFER,
      gl.COLOR_ATTACHMENT0,
      gl.TEXTURE_2D,
      this.texture.texture,
      0,
    );
    if (this.readsDepth && samples > 1) {
      this.#depth = gl.createTexture();
      context.bindForUpload(gl.TEXTURE_2D, this.#depth);
      gl.texStorage2D(gl.TEXTURE_2D, 1, gl.DEPTH_COMPONENT24, width, height);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
      const point = gl.DEPTH_ATTACHMENT;
      gl.framebufferTexture2D(gl.FRAMEBUFFER, point, gl.TEXTURE_2D, this.#depth, 0);
    }
    if (samples > 1) {
      this.#multisampled = gl.createFramebuffer();
      context.bindFramebuffer(this.#multisampled, this.viewport);
      this.#attach(gl.COLOR_ATTACHMENT0, gl.RGBA8, samples);
    }
    if (options.depth === true) this.#attach(gl.DEPTH_ATTACHMENT, gl.DEPTH_COMPONENT24, samples);
  }

  get viewport(): { x: number; y: number; width: number; height: number } {
    return { x: 0, y: 0, width: this.width, height: this.height };
  }

  #attach(point: number, format: number, samples: number): void {
    const { gl } = this.#context;
    const buffer = gl.createRenderbuffer();
    gl.bindRenderbuffer(gl.RENDERBUFFER, buffer);
    if (samples > 1) {
      gl.renderbufferStorageMultisample(gl.RENDERBUFFER, samples, format, this.width, this.height);
    } else gl.renderbufferStorage(gl.RENDERBUFFER, format, this.width, this.height);
    gl.framebufferRenderbuffer(gl.FRAMEBUFFER, point, gl.RENDERBUFFER, buffer);
    this.#renderbuffers.push(buffer);
  }

  /** Draw into it from now on. */
  bind(): void {
    this.#context.bindFramebuffer(this.#multisampled ?? this.#framebuffer, this.viewport);
  }

  /** Make what was drawn with several samples readable. */
  resolve(): void {
    if (this.#multisampled === null) return;
    const { gl } = this.#context;
    const { width, height } = this;
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, this.#multisampled);
    gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, this.#framebuffer);
    const parts = gl.COLOR_BUFFER_BIT | (this.#depth === null ? 0 : gl.DEPTH_BUFFER_BIT);
    gl.blitFramebuffer(0, 0, width, height, 0, 0, width, height, parts, gl.NEAREST);
    this.#context.forgetFramebuffer();
  }

  /** Draw onto what was resolved; drawing with several samples begins anew with `bind`. */
  bindResolved(): void {
    this.#context.bindFramebuffer(this.#framebuffer, this.viewport);
  }

  /** Read the depth that was resolved. */
  bindDepth(unit: number): void {
    if (this.#depth !== null) {
      this.#context.bindTexture(unit, this.#context.gl.TEXTURE_2D, this.#depth);
    }
  }

  /** All texels of an integer picture, four numbers each. */
  readIntegers(): Uint32Array {
    const { gl } = this.#context;
    const out = new Uint32Array(this.width * this.height * 4);
    this.#context.bindFramebuffer(this.#framebuffer, this.viewport);
    gl.readPixels(0, 0, this.width, this.height, gl.RGBA_INTEGER, gl.UNSIGNED_INT, out);
    return out;
  }

  dispose(): void {
    const { gl } = this.#context;
    this.#context.forgetFramebuffer();
    gl.deleteFramebuffer(this.#framebuffer);
    if (this.#multisampled !== null) gl.deleteFramebuffer(this.#multisampled);
    for (const buffer of this.#renderbuffers) gl.deleteRenderbuffer(buffer);
    if (this.#depth !== null) this.#context.deleteTexture(this.#depth);
    this.texture.dispose();
  }
}
