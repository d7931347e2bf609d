// A shader program with typed uniforms. It is compiled when made and checked when first used, so
// that the driver compiles all programs side by side while the first voxels are on their way.
import type { Context } from "./context";

export type UniformKind =
  "int" | "float" | "vec2" | "vec3" | "vec4" | "uvec2" | "mat3" | "mat4" | "sampler";

export type Uniforms = Readonly<Record<string, UniformKind>>;
type Value<Kind extends UniformKind> = Kind extends "int" | "float" | "sampler"
  ? number
  : Float32List;
export type Values<Schema extends Uniforms> = {
  readonly [Name in keyof Schema]?: Value<Schema[Name]>;
};

export interface ProgramSource<Schema extends Uniforms> {
  readonly name: string;
  readonly vertex: string;
  readonly fragment: string;
  readonly uniforms: Schema;
  /** Attribute names by location. */
  readonly attributes: readonly string[];
}

const HEADER = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp sampler3D;
precision highp usampler2D;
precision highp usampler3D;
`;

export class Program<Schema extends Uniforms> {
  readonly #context: Context;
  readonly #source: ProgramSource<Schema>;
  readonly #program: WebGLProgram;
  readonly #shaders: readonly WebGLShader[];
  readonly #locations = new Map<string, WebGLUniformLocation>();
  #checked = false;
  #ready = false;

  constructor(context: Context, source: ProgramSource<Schema>) {
    this.#context = context;
    this.#source = source;
    const { gl } = context;
    this.#program = gl.createProgram();
    this.#shaders = [
      this.#compile(gl.VERTEX_SHADER, source.vertex),
      this.#compile(gl.FRAGMENT_SHADER, source.fragment),
    ];
    source.attributes.forEach((name, location) => {
      gl.bindAttribLocation(this.#program, location, name);
    });
    gl.linkProgram(this.#program);
  }

  #compile(kind: number, text: string): WebGLShader {
    const { gl } = this.#context;
    const shader = gl.createShader(kind);
    // Only a lost context makes none; its restoration builds everything anew.
    if (shader === null) throw new Error("The graphics context is lost.");
    gl.shaderSource(shader, HEADER + text);
    gl.compileShader(shader);
    gl.attachShader(this.#program, shader);
    return shader;
  }

  /** Whether it can be used without waiting. */
  get isReady(): boolean {
    this.#ready ||= this.#checked || this.#context.isCompiled(this.#program);
    return this.#ready;
  }

  #check(): void {
    const { gl } = this.#context;
    this.#checked = true;
    if (!gl.getProgramParameter(this.#program, gl.LINK_STATUS) && !gl.isContextLost()) {
      const logs = this.#shaders.map((shader) => gl.getShaderInfoLog(shader) ?? "");
      throw new Error(
        `The shader program ${this.#source.name} was refused by the graphics driver: ` +
          [...logs, gl.getProgramInfoLog(this.#program) ?? ""].join("\n").trim(),
      );
    }
    for (const shader of this.#shaders) gl.deleteShader(shader);
    for (const name of Object.keys(this.#source.uniforms)) {
      const location = gl.getUniformLocation(this.#program, name);
      if (location !== null) this.#locations.set(name, location);
    }
  }

  /** Make it the current program and set these uniforms; others keep their values. */
  use(values: Values<Schema>): void {
    if (!this.#checked) this.#check();
    this.#context.useProgram(this.#program);
    for (const name of Object.keys(values)) {
      const value = values[name];
      const kind = this.#source.uniforms[name];
      const location = this.#locations.get(name);
      if (value === undefined || kind === undefined || location === undefined) continue;
      this.#set(location, kind, value);
    }
  }

  #set(location: WebGLUniformLocation, kind: UniformKind, value: number | Float32List): void {
    const { gl } = this.#context;
    if (typeof value === "number") {
      if (kind === "float") gl.uniform1f(location, value);
      else gl.uniform1i(location, value);
    } else if (kind === "vec2") gl.uniform2fv(location, value);
    else if (kind === "vec3") gl.uniform3fv(location, value);
    else if (kind === "vec4") gl.uniform4fv(location, value);
    else if (kind === "uvec2") gl.uniform2ui(location, value[0] ?? 0, value[1] ?? 0);
    else if (kind === "mat3") gl.uniformMatrix3fv(location, false, value);
    else gl.uniformMatrix4fv(location, false, value);
  }
}
