// Meshes on the GPU: a vertex array for each, freed when nobody draws it any more.
import type { Context } from "../gl/context";
import type { MeshGeometry } from "./mesh-geometry";

export const MESH_ATTRIBUTES = ["a_position", "a_normal", "a_value"] as const;

interface Buffers {
  readonly vertexArray: WebGLVertexArrayObject;
  readonly buffers: readonly WebGLBuffer[];
  readonly count: number;
  readonly bytes: number;
}

export class MeshBuffers {
  readonly #context: Context;
  readonly #meshes = new Map<MeshGeometry, Buffers>();
  #bytes = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Draw the mesh with the program in use. */
  draw(geometry: MeshGeometry): void {
    const { gl } = this.#context;
    const { vertexArray, count } = this.#meshes.get(geometry) ?? this.#upload(geometry);
    this.#context.bindVertexArray(vertexArray);
    gl.drawElements(gl.TRIANGLES, count, gl.UNSIGNED_INT, 0);
    this.#context.draws += 1;
  }

  /** Free all meshes but these. */
  keep(geometries: ReadonlySet<MeshGeometry>): void {
    const { gl } = this.#context;
    for (const [geometry, { vertexArray, buffers, bytes }] of this.#meshes) {
      if (geometries.has(geometry)) continue;
      this.#context.bindVertexArray(null);
      gl.deleteVertexArray(vertexArray);
      for (const buffer of buffers) gl.deleteBuffer(buffer);
      this.#meshes.delete(geometry);
      this.#bytes -= bytes;
    }
  }

  #upload(geometry: MeshGeometry): Buffers {
    const { gl } = this.#context;
    const vertexArray = gl.createVertexArray();
    this.#context.bindVertexArray(vertexArray);
    const fill = (target: number, data: AllowSharedBufferSource): WebGLBuffer => {
      const buffer = gl.createBuffer();
      gl.bindBuffer(target, buffer);
      gl.bufferData(target, data, gl.STATIC_DRAW);
      return buffer;
    };
    const buffers = [fill(gl.ARRAY_BUFFER, geometry.vertices)];
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 3, gl.FLOAT, false, 0, 0);
    buffers.push(fill(gl.ARRAY_BUFFER, geometry.normals));
    gl.enableVertexAttribArray(1);
    gl.vertexAttribPointer(1, 3, gl.SHORT, true, 8, 0);
    if (geometry.values !== null) {
      buffers.push(fill(gl.ARRAY_BUFFER, geometry.values));
      gl.enableVertexAttribArray(2);
      gl.vertexAttribPointer(2, 1, gl.FLOAT, false, 0, 0);
    }
    buffers.push(fill(gl.ELEMENT_ARRAY_BUFFER, geometry.triangles));
    this.#context.countUpload(geometry.bytes);
    this.#bytes += geometry.bytes;
    const made = {
      vertexArray,
      buffers,
      count: geometry.triangles.length,
      bytes: geometry.bytes,
    };
    this.#meshes.set(geometry, made);
    return made;
  }
}
