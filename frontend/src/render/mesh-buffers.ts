// Meshes on the GPU: a vertex array for each, filled slice by slice, so that a large one keeps no
// frame waiting, and freed when nobody wants it any more.
import type { Context } from "../gl/context";
import type { MeshGeometry } from "./mesh-geometry";

export const MESH_ATTRIBUTES = ["a_position", "a_normal", "a_value"] as const;

/** Bytes that go to the GPU at once: a fraction of a millisecond. */
const SLICE_BYTES = 512 * 1024;

/** Bytes that may be on their way to the GPU: beyond, a call would wait while the GPU draws. */
const AHEAD_BYTES = 4 * 1024 * 1024;

/** What goes into one buffer. */
interface Part {
  readonly target: number;
  readonly buffer: WebGLBuffer;
  readonly bytes: Uint8Array;
  /** Bytes that are there. */
  written: number;
}

interface Buffers {
  readonly vertexArray: WebGLVertexArrayObject;
  readonly parts: readonly Part[];
  readonly count: number;
  readonly bytes: number;
}

export class MeshBuffers {
  readonly #context: Context;
  readonly #meshes = new Map<MeshGeometry, Buffers>();
  #bytes = 0;
  /** Bytes sent since the GPU was last known to have all; once they are enough, what tells so. */
  #ahead = 0;
  #fence: WebGLSync | null = null;

  constructor(context: Context) {
    this.#context = context;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether all of the mesh is there. */
  has(geometry: MeshGeometry): boolean {
    return this.#meshes.get(geometry)?.parts.every(isWhole) === true;
  }

  /** Put more of the mesh there, until the time is up; returns whether that was all. Never waits. */
  upload(geometry: MeshGeometry, isTimeUp: () => boolean): boolean {
    const mesh = this.#meshes.get(geometry) ?? this.#begin(geometry);
    this.#meshes.set(geometry, mesh);
    for (const part of mesh.parts) {
      while (!isWhole(part)) {
        if (isTimeUp() || this.#isBehind()) return false;
        this.#write(mesh, part);
      }
    }
    return true;
  }

  /** Draw the mesh, which must be there, with the program in use. */
  draw(geometry: MeshGeometry): void {
    const mesh = this.#meshes.get(geometry);
    if (mesh === undefined) return;
    const { gl } = this.#context;
    this.#context.bindVertexArray(mesh.vertexArray);
    gl.drawElements(gl.TRIANGLES, mesh.count, gl.UNSIGNED_INT, 0);
    this.#context.draws += 1;
  }

  /** Free all meshes but these. */
  keep(geometries: ReadonlySet<MeshGeometry>): void {
    const { gl } = this.#context;
    for (const [geometry, { vertexArray, parts, bytes }] of this.#meshes) {
      if (geometries.has(geometry)) continue;
      this.#context.bindVertexArray(null);
      gl.deleteVertexArray(vertexArray);
      for (const { buffer } of parts) gl.deleteBuffer(buffer);
      this.#meshes.delete(geometry);
      this.#bytes -= bytes;
    }
  }

  #begin({ vertices, normals, triangles, values, bytes }: MeshGeometry): Buffers {
    const { gl } = this.#context;
    const vertexArray = gl.createVertexArray();
    this.#context.bindVertexArray(vertexArray);
    const begin = (target: number, data: ArrayBufferView): Part => {
      const buffer = gl.createBuffer();
      gl.bindBuffer(target, buffer);
      if (data.byteLength > SLICE_BYTES) gl.bufferData(target, data.byteLength, gl.STATIC_DRAW);
      const view = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return { target, buffer, bytes: view, written: 0 };
    };
    const parts = [begin(gl.ARRAY_BUFFER, vertices)];
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 3, gl.FLOAT, false, 0, 0);
    parts.push(begin(gl.ARRAY_BUFFER, normals));
    gl.enableVertexAttribArray(1);
    gl.vertexAttribPointer(1, 3, gl.SHORT, true, 8, 0);
    if (values !== null) {
      parts.push(begin(gl.ARRAY_BUFFER, values));
      gl.enableVertexAttribArray(2);
      gl.vertexAttribPointer(2, 1, gl.FLOAT, false, 0, 0);
    }
    parts.push(begin(gl.ELEMENT_ARRAY_BUFFER, triangles));
    this.#bytes += bytes;
    return { vertexArray, parts, count: triangles.length, bytes };
  }

  #write({ vertexArray }: Buffers, part: Part): void {
    const { gl } = this.#context;
    const { target, buffer, bytes, written } = part;
    // The triangles belong to the vertex array that is bound.
    this.#context.bindVertexArray(vertexArray);
    gl.bindBuffer(target, buffer);
    if (bytes.length <= SLICE_BYTES) gl.bufferData(target, bytes, gl.STATIC_DRAW);
    else
      gl.bufferSubData(
        target,
        written,
        bytes,
        written,
        Math.min(SLICE_BYTES, bytes.length - written),
      );
    part.written = Math.min(written + SLICE_BYTES, bytes.length);
    this.#context.countUpload(part.written - written);
    this.#ahead += part.written - written;
  }

  /** Whether the GPU has yet to take what was sent. */
  #isBehind(): boolean {
    if (this.#ahead < AHEAD_BYTES) return false;
    const { gl } = this.#context;
    if (this.#fence === null) {
      this.#fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
      gl.flush();
      return true;
    }
    if (gl.getSyncParameter(this.#fence, gl.SYNC_STATUS) !== gl.SIGNALED) return true;
    gl.deleteSync(this.#fence);
    this.#fence = null;
    this.#ahead = 0;
    return false;
  }
}

function isWhole({ written, bytes }: Part): boolean {
  return written === bytes.length;
}
