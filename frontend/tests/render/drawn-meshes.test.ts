import { describe, expect, it } from "vitest";
import { DrawnMeshes, type Uploads } from "../../src/render/drawn-meshes";
import type { MeshGeometry } from "../../src/render/mesh-geometry";
import type { ShownMesh } from "../../src/render/mesh-store";

/** A GPU that takes one slice whenever the time allows, and needs so many for a mesh. */
class Gpu implements Uploads {
  readonly written = new Map<MeshGeometry, number>();
  readonly #slices: number;

  constructor(slices: number) {
    this.#slices = slices;
  }

  has(geometry: MeshGeometry): boolean {
    return this.written.get(geometry) === this.#slices;
  }

  upload(geometry: MeshGeometry, isTimeUp: () => boolean): boolean {
    while (!this.has(geometry)) {
      if (isTimeUp()) return false;
      this.written.set(geometry, (this.written.get(geometry) ?? 0) + 1);
    }
    return true;
  }

  keep(geometries: ReadonlySet<MeshGeometry>): void {
    for (const geometry of this.written.keys()) {
      if (!geometries.has(geometry)) this.written.delete(geometry);
    }
  }
}

function mesh(label: string): ShownMesh {
  const geometry: MeshGeometry = {
    origin: [0, 0, 0],
    vertices: new Float32Array(),
    normals: new Int16Array(),
    triangles: new Uint32Array(),
    values: null,
    bytes: 0,
  };
  return { layer: "l1", label, geometry };
}

/** Time for so many slices. */
function time(slices: number): () => boolean {
  let left = slices;
  return () => (left -= 1) < 0;
}

describe("DrawnMeshes", () => {
  it("draws a mesh when all of it is on the GPU", () => {
    const drawn = new DrawnMeshes();
    const gpu = new Gpu(5);
    const large = mesh("7");
    expect(drawn.update([large], gpu, time(3))).toBe(false);
    expect([drawn.list, drawn.isUploading]).toEqual([[], true]);
    expect(drawn.update([large], gpu, time(3))).toBe(true);
    expect([drawn.list, drawn.isUploading]).toEqual([[large], false]);
    expect(drawn.update([large], gpu, time(3))).toBe(false);
  });

  it("draws the coarser mesh until the finer one is there", () => {
    const drawn = new DrawnMeshes();
    const gpu = new Gpu(2);
    const [coarse, fine] = [mesh("7"), mesh("7")];
    drawn.update([coarse], gpu, time(2));
    drawn.update([fine], gpu, time(1));
    expect(drawn.list).toEqual([coarse]);
    expect(gpu.has(coarse.geometry)).toBe(true);
    drawn.update([fine], gpu, time(1));
    expect(drawn.list[0]).toBe(fine);
    drawn.update([fine], gpu, time(0));
    expect([...gpu.written.keys()]).toEqual([fine.geometry]);
  });

  it("keeps the order of selection", () => {
    const drawn = new DrawnMeshes();
    const gpu = new Gpu(1);
    const [one, two] = [mesh("1"), mesh("2")];
    drawn.update([two], gpu, time(1));
    drawn.update([one, two], gpu, time(1));
    expect(drawn.list.map(({ label }) => label)).toEqual(["1", "2"]);
  });

  it("frees what is no longer selected, also what was on its way", () => {
    const drawn = new DrawnMeshes();
    const gpu = new Gpu(5);
    drawn.update([mesh("1"), mesh("2")], gpu, time(7));
    expect(drawn.update([], gpu, time(7))).toBe(true);
    expect([gpu.written.size, drawn.list, drawn.isUploading]).toEqual([0, [], false]);
  });

  it("uploads everything again to a new GPU", () => {
    const drawn = new DrawnMeshes();
    const shown = [mesh("1")];
    drawn.update(shown, new Gpu(1), time(1));
    drawn.clear();
    expect(drawn.list).toEqual([]);
    drawn.update(shown, new Gpu(1), time(1));
    expect(drawn.list).toEqual(shown);
  });
});
