import { describe, expect, it } from "vitest";
import { parseFragment, smoothNormals } from "../../src/render/mesh-geometry";

function fragment(vertices: readonly number[], triangles: readonly number[]): ArrayBuffer {
  const buffer = new ArrayBuffer(4 + vertices.length * 4 + triangles.length * 4);
  new Uint32Array(buffer)[0] = vertices.length / 3;
  new Float32Array(buffer, 4, vertices.length).set(vertices);
  new Uint32Array(buffer, 4 + vertices.length * 4).set(triangles);
  return buffer;
}

const square = [0, 0, 0, 2, 0, 0, 0, 2, 0, 2, 2, 0];

describe("parseFragment", () => {
  it("keeps positions when origin and vertices are added, in the asked unit", () => {
    const mesh = parseFragment(fragment(square, [0, 1, 2, 1, 3, 2]), 1e-3);
    const first = mesh.origin.map((part, axis) => part + mesh.vertices[axis]!);
    expect(first.map((part) => Math.abs(part) < 1e-9)).toEqual([true, true, true]);
    expect(mesh.origin[0]).toBeCloseTo(1e-3, 12);
    expect([...mesh.triangles]).toEqual([0, 1, 2, 1, 3, 2]);
  });

  it("takes a mesh without vertices", () => {
    expect(parseFragment(fragment([], []), 1).vertices).toHaveLength(0);
  });

  it("refuses bytes that are no mesh", () => {
    expect(() => parseFragment(fragment(square, [0, 1]), 1)).toThrow(RangeError);
    expect(() => parseFragment(new ArrayBuffer(2), 1)).toThrow(RangeError);
  });
});

describe("smoothNormals", () => {
  it("is the face's normal on a flat piece", () => {
    const normals = smoothNormals(new Float32Array(square), new Uint32Array([0, 1, 2, 1, 3, 2]));
    for (let vertex = 0; vertex < 4; vertex += 1) {
      expect([...normals.subarray(vertex * 4, vertex * 4 + 4)]).toEqual([0, 0, 32767, 0]);
    }
  });

  it("weighs faces by their area", () => {
    // A large face in the xy plane and a small one in the xz plane meet at vertex 0.
    const vertices = new Float32Array([0, 0, 0, 10, 0, 0, 0, 10, 0, 0, 0, 1, 1, 0, 0]);
    const normals = smoothNormals(vertices, new Uint32Array([0, 1, 2, 0, 3, 4]), 0);
    expect(normals[2]! / normals[1]!).toBeCloseTo(100, -1);
  });
});
