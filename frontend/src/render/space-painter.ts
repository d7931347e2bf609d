// Draws the 3-D panel: meshes, the slices standing in depth, the outline of the data's bounds; and
// the same once more as numbers, for telling what lies under the cursor.
import type { mat4 } from "gl-matrix";
import type { Plane } from "../bricks/cover";
import type { Context } from "../gl/context";
import { Program } from "../gl/program";
import type { Target } from "../gl/target";
import type { Texture2D } from "../gl/texture";
import type { Color } from "../math/label-color";
import type { Bounds } from "../math/view";
import { flip } from "./atlas";
import { clipMatrix, viewOffset, type Camera } from "./camera";
import { MESH_ATTRIBUTES, MeshBuffers } from "./mesh-buffers";
import type { MeshGeometry } from "./mesh-geometry";
import * as source from "./shaders/space";

export interface SpaceMesh {
  readonly geometry: MeshGeometry;
  readonly color: Color;
  /** 0 (clear) to 1 (solid). */
  readonly opacity: number;
  /** 0 to 1: how much clearer faces are that look at the camera. */
  readonly silhouette: number;
  /** How its values are coloured; null where `color` does. */
  readonly values: {
    readonly colormap: string;
    readonly limits: readonly [low: number, high: number];
    readonly gamma: number;
  } | null;
}

interface SpaceSlice {
  readonly plane: Plane;
  readonly picture: Texture2D;
}

export interface SpaceScene {
  readonly camera: Camera;
  readonly meshes: readonly SpaceMesh[];
  readonly slices: readonly SpaceSlice[];
  readonly bounds: Bounds | null;
  readonly background: Color;
  /** Colour and alpha of the outline of the bounds. */
  readonly line: readonly [number, number, number, number];
}

/** Texture unit of a slice's picture. */
const PICTURE = 1;

/** Texture unit of a surface's colour map. */
const COLORMAP = 2;

type Vector = [number, number, number];

function minus(a: readonly [number, number, number], b: readonly [number, number, number]): Vector {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

export class SpacePainter {
  readonly #context: Context;
  readonly #mesh: Program<typeof source.MESH_UNIFORMS>;
  readonly #quad: Program<typeof source.QUAD_UNIFORMS>;
  readonly #line: Program<typeof source.LINE_UNIFORMS>;
  readonly #pickMesh: Program<typeof source.PICK_MESH_UNIFORMS>;
  readonly #pickQuad: Program<typeof source.QUAD_UNIFORMS>;
  readonly #empty: WebGLVertexArrayObject;
  readonly #box: WebGLVertexArrayObject;
  readonly #boxBuffer: WebGLBuffer;
  readonly buffers: MeshBuffers;

  constructor(context: Context) {
    this.#context = context;
    const { gl } = context;
    const quad = { vertex: source.QUAD_VERTEX, uniforms: source.QUAD_UNIFORMS, attributes: [] };
    this.#mesh = new Program(context, {
      name: "mesh",
      vertex: source.MESH_VERTEX,
      fragment: source.MESH_FRAGMENT,
      uniforms: source.MESH_UNIFORMS,
      attributes: MESH_ATTRIBUTES,
    });
    this.#quad = new Program(context, {
      ...quad,
      name: "slice in space",
      fragment: source.QUAD_FRAGMENT,
    });
    this.#line = new Program(context, {
      name: "line",
      vertex: source.LINE_VERTEX,
      fragment: source.LINE_FRAGMENT,
      uniforms: source.LINE_UNIFORMS,
      attributes: ["a_position"],
    });
    this.#pickMesh = new Program(context, {
      name: "mesh under the cursor",
      vertex: source.PICK_MESH_VERTEX,
      fragment: source.PICK_MESH_FRAGMENT,
      uniforms: source.PICK_MESH_UNIFORMS,
      attributes: MESH_ATTRIBUTES,
    });
    this.#pickQuad = new Program(context, {
      ...quad,
      name: "slice under the cursor",
      fragment: source.PICK_QUAD_FRAGMENT,
    });
    this.buffers = new MeshBuffers(context);
    this.#empty = gl.createVertexArray();
    this.#box = gl.createVertexArray();
    this.#boxBuffer = gl.createBuffer();
    context.bindVertexArray(this.#box);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#boxBuffer);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 3, gl.FLOAT, false, 0, 0);
  }

  /** Whether the panel can be drawn without waiting for the shader compiler. */
  isReady(needs: { readonly meshes: boolean }): boolean {
    const rest = [this.#quad.isReady, this.#line.isReady].every(Boolean);
    return (!needs.meshes || this.#mesh.isReady) && rest;
  }

  /** Have everything compiled that may be needed later. */
  prepare(): void {
    for (const program of [this.#mesh, this.#pickMesh, this.#pickQuad]) program.prepare();
  }

  /** The panel's picture; leaves the target resolved. */
  draw(scene: SpaceScene, target: Target, colormap: (name: string) => Texture2D): void {
    const { gl } = this.#context;
    const { camera } = scene;
    target.bind();
    this.#context.setBlend("none");
    this.#context.setDepth("test");
    gl.clearColor(...scene.background, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    const center = flip(camera.center);
    for (const mesh of scene.meshes) if (isSolid(mesh)) this.#drawMesh(mesh, camera, colormap);
    for (const { plane, picture } of scene.slices) {
      picture.bind(PICTURE);
      const { corner, right, down } = quadOf(plane);
      this.#quad.use({
        u_clip: clipMatrix(camera, minus(corner, center)) as Float32List,
        u_right: right,
        u_down: down,
        u_picture: PICTURE,
        u_background: [...scene.background],
      });
      this.#drawQuad();
    }
    this.#drawClear(scene, colormap);
    if (scene.bounds !== null) this.#drawBox(scene.bounds, camera, scene.line);
    this.#context.setDepth("off");
    target.resolve();
  }

  /** Clear meshes, the farthest first. Of each only the nearest faces: more would be a muddle. */
  #drawClear({ meshes, camera }: SpaceScene, colormap: (name: string) => Texture2D): void {
    const { gl } = this.#context;
    const center = flip(camera.center);
    const away = ({ geometry }: SpaceMesh): number =>
      viewOffset(camera, minus(geometry.origin, center))[2];
    const clear = meshes.filter((mesh) => !isSolid(mesh) && mesh.opacity > 0);
    for (const mesh of clear.sort((a, b) => away(b) - away(a))) {
      gl.colorMask(false, false, false, false);
      this.#drawMesh(mesh, camera, colormap);
      gl.colorMask(true, true, true, true);
      this.#context.setBlend("over");
      this.#drawMesh(mesh, camera, colormap);
      this.#context.setBlend("none");
    }
  }

  #drawMesh(mesh: SpaceMesh, camera: Camera, colormap: (name: string) => Texture2D): void {
    const { geometry, color, opacity, silhouette, values } = mesh;
    const offset = minus(geometry.origin, flip(camera.center));
    colormap(values?.colormap ?? "gray").bind(COLORMAP);
    this.#mesh.use({
      u_clip: clipMatrix(camera, offset) as Float32List,
      u_rotation: turning(camera.rotation),
      u_view: viewOffset(camera, offset),
      u_color: [...color],
      u_opacity: opacity,
      u_silhouette: silhouette,
      u_colormap: COLORMAP,
      u_limits: values === null ? [0, 1, 0] : [...values.limits, values.gamma],
    });
    this.buffers.draw(geometry);
  }

  /** Numbers of what is seen: meshes from 1 on in their order, then the slices. */
  drawObjects(scene: SpaceScene, target: Target): void {
    const { gl } = this.#context;
    const { camera } = scene;
    target.bind();
    this.#context.setBlend("none");
    this.#context.setDepth("test");
    gl.clearBufferuiv(gl.COLOR, 0, [0, 0, 0, 0]);
    gl.clear(gl.DEPTH_BUFFER_BIT);
    const center = flip(camera.center);
    let object = 1;
    for (const { geometry } of scene.meshes) {
      const clip = clipMatrix(camera, minus(geometry.origin, center)) as Float32List;
      this.#pickMesh.use({ u_clip: clip, u_object: object });
      this.buffers.draw(geometry);
      object += 1;
    }
    for (const { plane, picture } of scene.slices) {
      picture.bind(PICTURE);
      const { corner, right, down } = quadOf(plane);
      this.#pickQuad.use({
        u_clip: clipMatrix(camera, minus(corner, center)) as Float32List,
        u_right: right,
        u_down: down,
        u_picture: PICTURE,
        u_object: object,
      });
      this.#drawQuad();
      object += 1;
    }
    this.#context.setDepth("off");
  }

  #drawQuad(): void {
    const { gl } = this.#context;
    this.#context.bindVertexArray(this.#empty);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    this.#context.draws += 1;
  }

  #drawBox(bounds: Bounds, camera: Camera, color: SpaceScene["line"]): void {
    const { gl } = this.#context;
    const low = flip(bounds.low);
    const size = minus(flip(bounds.high), low);
    const ends: number[] = [];
    for (const axis of [0, 1, 2] as const) {
      for (const corner of [0, 1, 2, 3]) {
        for (const end of [0, 1]) {
          const place: Vector = [0, 0, 0];
          place[axis] = end * size[axis];
          const [first, second] = ([0, 1, 2] as const).filter((other) => other !== axis);
          if (first !== undefined) place[first] = (corner & 1) * size[first];
          if (second !== undefined) place[second] = (corner >> 1) * size[second];
          ends.push(...place);
        }
      }
    }
    this.#context.bindVertexArray(this.#box);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#boxBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(ends), gl.STREAM_DRAW);
    this.#context.setBlend("over");
    // The outline hides nothing: rays through volumes end at the depth that stands here.
    gl.depthMask(false);
    this.#line.use({
      u_clip: clipMatrix(camera, minus(low, flip(camera.center))) as Float32List,
      u_color: [...color],
    });
    gl.drawArrays(gl.LINES, 0, 24);
    gl.depthMask(true);
    this.#context.draws += 1;
    this.#context.setBlend("none");
  }
}

function isSolid({ opacity, silhouette }: SpaceMesh): boolean {
  return opacity === 1 && silhouette === 0;
}

/** A plane's rectangle in the world, (x, y, z). */
function quadOf(plane: Plane): { corner: Vector; right: Vector; down: Vector } {
  const center = flip(plane.center);
  const across = flip(plane.right);
  const along = flip(plane.down);
  const [x, y] = plane.middle;
  const at = (axis: 0 | 1 | 2): number =>
    center[axis] - (x * across[axis] + y * along[axis]) * plane.pixel;
  const scaled = (vector: readonly [number, number, number], size: number): Vector => [
    vector[0] * size * plane.pixel,
    vector[1] * size * plane.pixel,
    vector[2] * size * plane.pixel,
  ];
  return {
    corner: [at(0), at(1), at(2)],
    right: scaled(across, plane.width),
    down: scaled(along, plane.height),
  };
}

/** The turning part of a matrix, nine numbers. */
function turning(matrix: mat4): number[] {
  const m = matrix as Float32List;
  return [0, 1, 2, 4, 5, 6, 8, 9, 10].map((at) => m[at] ?? 0);
}
