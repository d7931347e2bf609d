import { describe, expect, it } from "vitest";
import { parseMesh } from "../../src/render/mesh-geometry";

function encoded(
  vertices: readonly number[],
  triangles: readonly number[],
  values: readonly number[] = [],
): ArrayBuffer {
  const count = vertices.length / 3;
  const bytes = 40 + vertices.length * 4 + triangles.length * 4 + count * 8 + values.length * 4;
  const buffer = new ArrayBuffer(bytes);
  new Uint32Array(buffer).set([count, triangles.length / 3, values.length > 0 ? 1 : 0, 0]);
  new Float64Array(buffer, 16, 3).set([100, 200, 300]);
  new Float32Array(buffer, 40).set(vertices);
  new Uint32Array(buffer, 40 + vertices.length * 4).set(triangles);
  const normals = 40 + (vertices.length + triangles.length) * 4;
  new Int16Array(buffer, normals, count * 4).fill(7);
  new Float32Array(buffer, normals + count * 8).set(values);
  return buffer;
}

const square = [0, 0, 0, 2, 0, 0, 0, 2, 0, 2, 2, 0];
const corners = [0, 1, 2, 1, 3, 2];

describe("parseMesh", () => {
  it("finds the parts where they lie", () => {
    const mesh = parseMesh(encoded(square, corners, [1, 2, 3, 4]), 1);
    expect(mesh.origin).toEqual([100, 200, 300]);
    expect([...mesh.vertices]).toEqual(square);
    expect([...mesh.triangles]).toEqual(corners);
    expect([...mesh.normals]).toEqual(Array.from({ length: 16 }, () => 7));
    expect([...mesh.values!]).toEqual([1, 2, 3, 4]);
  });

  it("places it in the view's unit", () => {
    const mesh = parseMesh(encoded(square, corners), 0.5);
    expect(mesh.origin).toEqual([50, 100, 150]);
    expect(mesh.vertices[3]).toBe(1);
    expect(mesh.values).toBeNull();
  });

  it("takes a mesh without vertices", () => {
    expect(parseMesh(encoded([], []), 1).vertices).toHaveLength(0);
  });

  it("refuses bytes that are no mesh", () => {
    expect(() => parseMesh(encoded(square, corners).slice(0, -4), 1)).toThrow(RangeError);
    expect(() => parseMesh(new ArrayBuffer(2), 1)).toThrow(RangeError);
  });
});
