// A shader program with typed uniforms. It is compiled in the background when it is first asked
// for: the driver compiles several side by side, while the first voxels are on their way.
import type { Context } from "./context";

export type UniformKind =
  "int" | "uint" | "float" | "vec2" | "vec3" | "vec4" | "uvec2" | "mat3" | "mat4" | "sampler";

export type Uniforms = Readonly<Record<string, UniformKind>>;
type Value<Kind extends UniformKind> = Kind extends "int" | "uint" | "float" | "sampler"
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
  /** What the preprocessor knows: names and their values. */
  readonly choices?: Choices;
}

/**
 * What a program is made for. Where a choice is made before compiling, a GPU in software does not
 * run every branch for every pixel.
 */
export type Choices = Readonly<Record<string, number>>;

const HEADER = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp sampler3D;
precision highp usampler2D;
precision highp usampler3D;
`;

interface Compiled {
  readonly program: WebGLProgram;
  readonly shaders: readonly WebGLShader[];
  /** Null until the driver has been asked how it went. */
  locations: ReadonlyMap<string, WebGLUniformLocation> | null;
}

export class Program<Schema extends Uniforms> {
  readonly #context: Context;
  readonly #source: ProgramSource<Schema>;
  #compiled: Compiled | null = null;

  constructor(context: Context, source: ProgramSource<Schema>) {
    this.#context = context;
    this.#source = source;
  }

  /** Have it compiled in the background. */
  prepare(): void {
    this.#compiled ??= this.#compile();
  }

  /** Whether it can be used without waiting; asking has it compiled. */
  get isReady(): boolean {
    const compiled = (this.#compiled ??= this.#compile());
    if (compiled.locations !== null) return true;
    if (!this.#context.isCompiled(compiled.program)) return false;
    // Asked now, while the GPU has little to do: the answer waits for all that it was given.
    this.#check(compiled);
    return true;
  }

  #compile(): Compiled {
    const { gl } = this.#context;
    const program = gl.createProgram();
    const choices = Object.entries(this.#source.choices ?? {})
      .map(([name, value]) => `#define ${name} ${String(value)}\n`)
      .join("");
    const shader = (kind: number, text: string): WebGLShader => {
      const made = gl.createShader(kind);
      // Only a lost context makes none; its restoration builds everything anew.
      if (made === null) throw new Error("The graphics context is lost.");
      gl.shaderSource(made, HEADER + choices + text);
      gl.compileShader(made);
      gl.attachShader(program, made);
      return made;
    };
    const { vertex, fragment, attributes } = this.#source;
    const shaders = [shader(gl.VERTEX_SHADER, vertex), shader(gl.FRAGMENT_SHADER, fragment)];
    attributes.forEach((name, location) => {
      gl.bindAttribLocation(program, location, name);
    });
    gl.linkProgram(program);
    return { program, shaders, locations: null };
  }

  #check(compiled: Compiled): ReadonlyMap<string, WebGLUniformLocation> {
    const { gl } = this.#context;
    const { program, shaders } = compiled;
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      const logs = shaders.map((shader) => gl.getShaderInfoLog(shader) ?? "");
      throw new Error(
        `The shader program ${this.#source.name} was refused by the graphics driver: ` +
          [...logs, gl.getProgramInfoLog(program) ?? ""].join("\n").trim(),
      );
    }
    for (const shader of shaders) gl.deleteShader(shader);
    const locations = new Map<string, WebGLUniformLocation>();
    for (const name of Object.keys(this.#source.uniforms)) {
      const location = gl.getUniformLocation(program, name);
      if (location !== null) locations.set(name, location);
    }
    compiled.locations = locations;
    return locations;
  }

  /** Make it the current program and set these uniforms; others keep their values. */
  use(values: Values<Schema>): void {
    const compiled = (this.#compiled ??= this.#compile());
    const locations = compiled.locations ?? this.#check(compiled);
    this.#context.useProgram(compiled.program);
    for (const name of Object.keys(values)) {
      const value = values[name];
      const kind = this.#source.uniforms[name];
      const location = locations.get(name);
      if (value === undefined || kind === undefined || location === undefined) continue;
      this.#set(location, kind, value);
    }
  }

  #set(location: WebGLUniformLocation, kind: UniformKind, value: number | Float32List): void {
    const { gl } = this.#context;
    if (typeof value === "number") {
      if (kind === "float") gl.uniform1f(location, value);
      else if (kind === "uint") gl.uniform1ui(location, value);
      else gl.uniform1i(location, value);
    } else if (kind === "vec2") gl.uniform2fv(location, value);
    else if (kind === "vec3") gl.uniform3fv(location, value);
    else if (kind === "vec4") gl.uniform4fv(location, value);
    else if (kind === "uvec2") gl.uniform2ui(location, value[0] ?? 0, value[1] ?? 0);
    else if (kind === "mat3") gl.uniformMatrix3fv(location, false, value);
    else gl.uniformMatrix4fv(location, false, value);
  }
}

/** One program in the variants that are asked for, each compiled once. */
export class Variants<Schema extends Uniforms> {
  readonly #context: Context;
  readonly #source: ProgramSource<Schema>;
  readonly #made = new Map<string, Program<Schema>>();

  constructor(context: Context, source: ProgramSource<Schema>) {
    this.#context = context;
    this.#source = source;
  }

  for(choices: Choices): Program<Schema> {
    const key = Object.values(choices).join(" ");
    let program = this.#made.get(key);
    if (program === undefined) {
      program = new Program(this.#context, { ...this.#source, choices });
      this.#made.set(key, program);
    }
    return program;
  }
}
