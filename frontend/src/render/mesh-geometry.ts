// A mesh as it comes and as it is drawn. On the wire: neuroglancer's legacy fragment, uint32 count,
// float32 (x, y, z) a vertex, uint32 triangles. Drawn: vertices relative to an origin of their own,
// so that float32 serves however far they are from zero, and normals made here.

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

/** Averages over neighbours: shading tells the shape of the object, not of its voxels. */
const PASSES = 3;

/**
 * Unit normals: the mean of a vertex's faces by their area, then `passes` times that of its
 * neighbours. They point where the faces do.
 */
export function smoothNormals(
  vertices: Float32Array,
  triangles: Uint32Array,
  passes = PASSES,
): Int16Array {
  let sums = new Float32Array(vertices.length);
  for (let at = 0; at + 2 < triangles.length; at += 3) {
    const a = (triangles[at] ?? 0) * 3;
    const b = (triangles[at + 1] ?? 0) * 3;
    const c = (triangles[at + 2] ?? 0) * 3;
    const ax = vertices[a] ?? 0;
    const ay = vertices[a + 1] ?? 0;
    const az = vertices[a + 2] ?? 0;
    const ux = (vertices[b] ?? 0) - ax;
    const uy = (vertices[b + 1] ?? 0) - ay;
    const uz = (vertices[b + 2] ?? 0) - az;
    const vx = (vertices[c] ?? 0) - ax;
    const vy = (vertices[c + 1] ?? 0) - ay;
    const vz = (vertices[c + 2] ?? 0) - az;
    // The cross product is as long as the face is large: that weighs it.
    const x = uy * vz - uz * vy;
    const y = uz * vx - ux * vz;
    const z = ux * vy - uy * vx;
    for (const corner of [a, b, c]) {
      sums[corner] = (sums[corner] ?? 0) + x;
      sums[corner + 1] = (sums[corner + 1] ?? 0) + y;
      sums[corner + 2] = (sums[corner + 2] ?? 0) + z;
    }
  }
  normalize(sums);
  for (let pass = 0; pass < passes; pass += 1) {
    sums = averageOverNeighbours(sums, triangles);
    normalize(sums);
  }
  const normals = new Int16Array((vertices.length / 3) * 4);
  for (let at = 0, out = 0; at < sums.length; at += 3, out += 4) {
    normals[out] = (sums[at] ?? 0) * 32767;
    normals[out + 1] = (sums[at + 1] ?? 0) * 32767;
    normals[out + 2] = (sums[at + 2] ?? 0) * 32767;
  }
  return normals;
}

/** On a closed surface each neighbour of a vertex follows it in just one triangle. */
function averageOverNeighbours(
  normals: Float32Array<ArrayBuffer>,
  triangles: Uint32Array,
): Float32Array<ArrayBuffer> {
  const sums = normals.slice();
  for (let at = 0; at < triangles.length; at += 1) {
    const next = at % 3 === 2 ? at - 2 : at + 1;
    const here = (triangles[at] ?? 0) * 3;
    const there = (triangles[next] ?? 0) * 3;
    for (let axis = 0; axis < 3; axis += 1) {
      sums[here + axis] = (sums[here + axis] ?? 0) + (normals[there + axis] ?? 0);
    }
  }
  return sums;
}

function normalize(vectors: Float32Array): void {
  for (let at = 0; at < vectors.length; at += 3) {
    const x = vectors[at] ?? 0;
    const y = vectors[at + 1] ?? 0;
    const z = vectors[at + 2] ?? 0;
    const length = Math.sqrt(x * x + y * y + z * z) || 1;
    vectors[at] = x / length;
    vectors[at + 1] = y / length;
    vectors[at + 2] = z / length;
  }
}

/**
 * A fragment → a mesh in `View.units`; `factor` leads there from the fragment's unit.
 * Throws RangeError for bytes that are no fragment.
 */
export function parseFragment(buffer: ArrayBuffer, factor: number): MeshGeometry {
  const count = buffer.byteLength >= 4 ? new DataView(buffer).getUint32(0, true) : 0;
  const start = 4 + count * 12;
  if (buffer.byteLength < start || (buffer.byteLength - start) % 12 !== 0) {
    throw new RangeError("What came is not a mesh: its length does not fit its vertex count.");
  }
  const raw = new Float32Array(buffer, 4, count * 3);
  const triangles = new Uint32Array(buffer.slice(start));
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (let at = 0; at < raw.length; at += 1) {
    const axis = at % 3;
    const value = raw[at] ?? 0;
    if (value < (low[axis] ?? 0)) low[axis] = value;
    if (value > (high[axis] ?? 0)) high[axis] = value;
  }
  const middle = (axis: number): number => {
    const value = ((low[axis] ?? 0) + (high[axis] ?? 0)) / 2;
    return count > 0 ? value : 0;
  };
  const center = [middle(0), middle(1), middle(2)] as const;
  const vertices = new Float32Array(raw.length);
  for (let at = 0; at < raw.length; at += 1) {
    vertices[at] = ((raw[at] ?? 0) - center[(at % 3) as 0 | 1 | 2]) * factor;
  }
  const normals = smoothNormals(vertices, triangles);
  return {
    origin: [center[0] * factor, center[1] * factor, center[2] * factor],
    vertices,
    normals,
    triangles,
    values: null,
    bytes: vertices.byteLength + normals.byteLength + triangles.byteLength,
  };
}

/**
 * A surface of the user's → a mesh in `View.units`; `factor` leads there from the layer's unit. On
 * the wire: uint32 vertices, faces, whether there are values, 0; float64 origin (x, y, z); float32
 * vertices from there; uint32 triangles; float32 values. Throws RangeError for what is too short.
 */
export function parseSurface(buffer: ArrayBuffer, factor: number): MeshGeometry {
  const head = new DataView(buffer);
  const count = head.getUint32(0, true);
  const faces = head.getUint32(4, true);
  const isValued = head.getUint32(8, true) === 1;
  const at = (axis: 0 | 1 | 2): number => head.getFloat64(16 + 8 * axis, true) * factor;
  const vertices = new Float32Array(buffer.slice(40, 40 + count * 12)).map((v) => v * factor);
  const start = 40 + count * 12;
  const triangles = new Uint32Array(buffer.slice(start, start + faces * 12));
  const values = isValued ? new Float32Array(buffer, start + faces * 12, count) : null;
  // The user's own vertices: nothing is smoothed away.
  const normals = smoothNormals(vertices, triangles, 0);
  const bytes = vertices.byteLength + normals.byteLength + triangles.byteLength;
  return {
    origin: [at(0), at(1), at(2)],
    vertices,
    normals,
    triangles,
    values,
    bytes: bytes + (values?.byteLength ?? 0),
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
