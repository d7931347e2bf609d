// The WebGL2 context of one canvas: what it can do, and the state it is in. Everything that draws
// goes through one `Context`, which skips redundant state changes and counts draws and uploads.

/** The browser has no WebGL2, or has switched it off. */
export class NoWebGL2Error extends Error {
  override readonly name = "NoWebGL2Error";

  constructor() {
    super(
      "This browser offers no WebGL2, which the pictures are drawn with. " +
        "Enable hardware acceleration in its settings, or use a current Chrome, Firefox or Safari.",
    );
  }
}

/** How a fragment meets what is already there; colours are premultiplied by their alpha. */
export type Blend = "none" | "over" | "add" | "minimum";
export type Depth = "off" | "test";

/** Texture units that the state cache knows of: as many as every device has. */
const UNITS = 16;

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export class Context {
  readonly gl: WebGL2RenderingContext;
  /** Whether 32-bit float textures can be filtered by the hardware. */
  readonly floatLinear: boolean;
  readonly maximumTexture3D: number;
  readonly maximumTexture2D: number;
  readonly maximumSamples: number;
  draws = 0;
  uploads = 0;
  uploadedBytes = 0;

  readonly #parallelCompile: KHR_parallel_shader_compile | null;
  #program: WebGLProgram | null = null;
  #vertexArray: WebGLVertexArrayObject | null = null;
  #framebuffer: WebGLFramebuffer | null = null;
  #scratch: WebGLFramebuffer | null = null;
  #blend: Blend = "none";
  #depth: Depth = "off";
  #unit = 0;
  #textures = new Array<WebGLTexture | null>(UNITS).fill(null);

  /** Throws `NoWebGL2Error`. */
  constructor(canvas: HTMLCanvasElement) {
    const gl = canvas.getContext("webgl2", {
      alpha: false,
      antialias: false,
      depth: false,
      stencil: false,
      // The canvas is drawn only when something changed, and screenshots may come at any time.
      preserveDrawingBuffer: true,
      powerPreference: "high-performance",
    });
    if (gl === null) throw new NoWebGL2Error();
    this.gl = gl;
    this.floatLinear = gl.getExtension("OES_texture_float_linear") !== null;
    this.#parallelCompile = gl.getExtension("KHR_parallel_shader_compile");
    this.maximumTexture3D = gl.getParameter(gl.MAX_3D_TEXTURE_SIZE) as number;
    this.maximumTexture2D = gl.getParameter(gl.MAX_TEXTURE_SIZE) as number;
    this.maximumSamples = gl.getParameter(gl.MAX_SAMPLES) as number;
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.pixelStorei(gl.PACK_ALIGNMENT, 1);
    gl.disable(gl.DITHER);
    gl.depthFunc(gl.LEQUAL);
  }

  /** Whether using the program now would not wait for the driver's compiler. */
  isCompiled(program: WebGLProgram): boolean {
    const extension = this.#parallelCompile;
    if (extension === null || this.gl.isContextLost()) return true;
    return this.gl.getProgramParameter(program, extension.COMPLETION_STATUS_KHR) as boolean;
  }

  useProgram(program: WebGLProgram): void {
    if (this.#program === program) return;
    this.#program = program;
    this.gl.useProgram(program);
  }

  bindVertexArray(vertexArray: WebGLVertexArrayObject | null): void {
    if (this.#vertexArray === vertexArray) return;
    this.#vertexArray = vertexArray;
    this.gl.bindVertexArray(vertexArray);
  }

  /** Draw into `framebuffer` (null: the canvas), within `viewport`, in its own pixels, y up. */
  bindFramebuffer(framebuffer: WebGLFramebuffer | null, viewport: Rectangle): void {
    const { gl } = this;
    if (this.#framebuffer !== framebuffer) {
      this.#framebuffer = framebuffer;
      gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
    }
    gl.viewport(viewport.x, viewport.y, viewport.width, viewport.height);
  }

  /** Fill a part of what is drawn into, or all of it, with one colour. */
  clear(color: readonly [number, number, number, number], part: Rectangle | null = null): void {
    const { gl } = this;
    if (part !== null) {
      gl.enable(gl.SCISSOR_TEST);
      gl.scissor(part.x, part.y, part.width, part.height);
    }
    gl.clearColor(...color);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (part !== null) gl.disable(gl.SCISSOR_TEST);
  }

  /**
   * Clear a texel of a 3-D texture. Browsers clear all of a new texture before it is read or drawn
   * into: better at once than when a picture waits for it, for 0.1 s where GL is software.
   */
  clearLayer(texture: WebGLTexture, integer: boolean): void {
    const { gl } = this;
    this.#scratch ??= gl.createFramebuffer();
    const texel = { x: 0, y: 0, width: 1, height: 1 };
    this.bindFramebuffer(this.#scratch, texel);
    gl.framebufferTextureLayer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, texture, 0, 0);
    if (integer) {
      gl.enable(gl.SCISSOR_TEST);
      gl.scissor(0, 0, 1, 1);
      gl.clearBufferuiv(gl.COLOR, 0, [0, 0, 0, 0]);
      gl.disable(gl.SCISSOR_TEST);
    } else this.clear([0, 0, 0, 0], texel);
    gl.framebufferTextureLayer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, null, 0, 0);
    gl.flush();
  }

  /** Call after binding framebuffers behind the cache's back, as blits do. */
  forgetFramebuffer(): void {
    this.gl.bindFramebuffer(this.gl.FRAMEBUFFER, null);
    this.#framebuffer = null;
  }

  bindTexture(unit: number, target: number, texture: WebGLTexture | null): void {
    const { gl } = this;
    if (this.#textures[unit] === texture && texture !== null) return;
    if (this.#unit !== unit) {
      this.#unit = unit;
      gl.activeTexture(gl.TEXTURE0 + unit);
    }
    // A unit holds one texture a target: the former one may be of another kind.
    gl.bindTexture(target, texture);
    this.#textures[unit] = texture;
  }

  /** Bind for changing, not for drawing. */
  bindForUpload(target: number, texture: WebGLTexture): void {
    this.bindTexture(UNITS - 1, target, texture);
    if (this.#unit !== UNITS - 1) {
      this.#unit = UNITS - 1;
      this.gl.activeTexture(this.gl.TEXTURE0 + UNITS - 1);
    }
  }

  deleteTexture(texture: WebGLTexture): void {
    for (let unit = 0; unit < UNITS; unit += 1) {
      if (this.#textures[unit] === texture) this.#textures[unit] = null;
    }
    this.gl.deleteTexture(texture);
  }

  setBlend(blend: Blend): void {
    if (this.#blend === blend) return;
    const { gl } = this;
    if (blend === "none") gl.disable(gl.BLEND);
    else {
      if (this.#blend === "none") gl.enable(gl.BLEND);
      gl.blendEquation(blend === "minimum" ? gl.MIN : gl.FUNC_ADD);
      gl.blendFunc(gl.ONE, blend === "over" ? gl.ONE_MINUS_SRC_ALPHA : gl.ONE);
    }
    this.#blend = blend;
  }

  setDepth(depth: Depth): void {
    if (this.#depth === depth) return;
    this.#depth = depth;
    if (depth === "test") this.gl.enable(this.gl.DEPTH_TEST);
    else this.gl.disable(this.gl.DEPTH_TEST);
  }

  countUpload(bytes: number): void {
    this.uploads += 1;
    this.uploadedBytes += bytes;
  }
}
