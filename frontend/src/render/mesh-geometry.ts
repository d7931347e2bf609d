// A mesh as it comes and as it is drawn: vertices relative to an origin of their own, so that float32
// serves however far they are from zero, with normals that the server has made.

export interface MeshGeometry {
  /** World (x, y, z) that vertices are relative to. */
  readonly origin: readonly [number, number, number];
  /** (x, y, z) a vertex. */
  readonly vertices: Float32Array;
  /** Four a vertex, (x, y, z, 0) of unit length as ±32767. */
  readonly normals: Int16Array;
  readonly triangles: Uint32Array;
  /** One a vertex; null where there are none. */
  readonly values: Float32Array | null;
  readonly bytes: number;
}

/** Bytes before the vertices: four counts, and the origin. */
const HEAD = 40;

/**
 * What came → a mesh in `View.units`; `factor` leads there from the layer's unit. On the wire:
 * uint32 vertices, faces, whether there are values, 0; float64 origin (x, y, z); float32 vertices
 * from there; uint32 triangles; int16 normals (x, y, z, 0); float32 values. They are looked at where
 * they lie. Throws RangeError for what has another length.
 */
export function parseMesh(buffer: ArrayBuffer, factor: number): MeshGeometry {
  const head = new DataView(buffer);
  const count = head.getUint32(0, true);
  const faces = head.getUint32(4, true);
  const isValued = head.getUint32(8, true) === 1;
  const triangles = HEAD + count * 12;
  const normals = triangles + faces * 12;
  const values = normals + count * 8;
  const end = values + (isValued ? count * 4 : 0);
  if (buffer.byteLength !== end) {
    throw new RangeError("What came is not a mesh: its length does not fit its counts.");
  }
  const at = (axis: 0 | 1 | 2): number => head.getFloat64(16 + 8 * axis, true) * factor;
  const vertices = new Float32Array(buffer, HEAD, count * 3);
  if (factor !== 1) for (let i = 0; i < vertices.length; i += 1) vertices[i]! *= factor;
  return {
    origin: [at(0), at(1), at(2)],
    vertices,
    normals: new Int16Array(buffer, normals, count * 4),
    triangles: new Uint32Array(buffer, triangles, faces * 3),
    values: isValued ? new Float32Array(buffer, values, count) : null,
    bytes: end - HEAD,
  };
}

/** The value of the vertex nearest to a place (x, y, z) in the world; null without values. */
export function valueNear(
  { origin, vertices, values }: MeshGeometry,
  place: readonly [number, number, number],
): number | null {
  if (values === null) return null;
  const [x, y, z] = [place[0] - origin[0], place[1] - origin[1], place[2] - origin[2]];
  let nearest = 0;
  let least = Infinity;
  for (let at = 0, vertex = 0; at < vertices.length; at += 3, vertex += 1) {
    const dx = (vertices[at] ?? 0) - x;
    const dy = (vertices[at + 1] ?? 0) - y;
    const dz = (vertices[at + 2] ?? 0) - z;
    const distance = dx * dx + dy * dy + dz * dz;
    if (distance < least) {
      least = distance;
      nearest = vertex;
    }
  }
  return values[nearest] ?? null;
}
