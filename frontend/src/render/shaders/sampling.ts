// The one vocabulary for reading bricks out of the atlas: every shader that looks at voxels is
// put together from these pieces. `place` is in texels from the brick's first voxel, (x, y, z).

/** Interpolation modes, as the choice `FILTER` has them. */
export const FILTER = { nearest: 0, hardware: 1, manual: 2 } as const;

/**
 * Reads an image: `sampleImage(slot, place)`, NaN where the data has NaN. Choices: `FILTER`, and
 * `MISSING`, whether there may be NaNs.
 */
export const IMAGE_SAMPLING = `
uniform sampler3D u_atlas;
uniform vec3 u_stored;   // voxels of a slot

bool isMissing(float value) {
  // Compilers may assume that there are no NaNs, but not about bits.
  return (floatBitsToUint(value) & 0x7fffffffu) > 0x7f800000u;
}

float nearest(vec3 slot, vec3 place) {
  ivec3 voxel = ivec3(clamp(floor(place), vec3(0.0), u_stored - 1.0));
  return texelFetch(u_atlas, ivec3(slot) + voxel, 0).r;
}

#if FILTER == ${String(FILTER.manual)}
float manual(vec3 slot, vec3 place) {
  vec3 cell = place - 0.5;
  vec3 base = floor(cell);
  vec3 part = cell - base;
  vec4 near = vec4(
    nearest(slot, base), nearest(slot, base + vec3(1, 0, 0)),
    nearest(slot, base + vec3(0, 1, 0)), nearest(slot, base + vec3(1, 1, 0)));
  vec4 far = vec4(
    nearest(slot, base + vec3(0, 0, 1)), nearest(slot, base + vec3(1, 0, 1)),
    nearest(slot, base + vec3(0, 1, 1)), nearest(slot, base + vec3(1, 1, 1)));
  vec4 faces = mix(near, far, part.z);
  vec2 edges = mix(faces.xy, faces.zw, part.y);
  return mix(edges.x, edges.y, part.x);
}
#endif

float sampleImage(vec3 slot, vec3 place) {
#if FILTER == ${String(FILTER.nearest)}
  return nearest(slot, place);
#else
  vec3 inner = clamp(place, vec3(0.5), u_stored - 0.5);
#if FILTER == ${String(FILTER.hardware)}
  float value = textureLod(u_atlas, (slot + inner) / vec3(textureSize(u_atlas, 0)), 0.0).r;
#else
  float value = manual(slot, inner);
#endif
#if MISSING
  // One missing voxel of eight makes the mean missing: then only the nearest counts.
  if (isMissing(value)) value = nearest(slot, place);
#endif
  return value;
#endif
}
`;

/**
 * Reads labels: `sampleLabel(slot, place)` gives their 64 bits, low word first. Choice: `SIGN_BITS`
 * of signed labels narrower than 64 bits, else 0; and `WIDE`, whether there are more than 32 bits.
 */
export const LABEL_SAMPLING = `
uniform usampler3D u_atlas;

/** Of a place within the slot, where whole numbers are the floor. */
uvec2 sampleLabel(vec3 slot, vec3 place) {
  uvec2 bits = texelFetch(u_atlas, ivec3(slot) + ivec3(place), 0).rg;
#if !WIDE
  bits.y = 0u;
#endif
#if SIGN_BITS > 0
  const int shift = 32 - SIGN_BITS;
  int value = (int(bits.x) << shift) >> shift;
  bits = uvec2(uint(value), value < 0 ? 0xffffffffu : 0u);
#endif
  return bits;
}
`;
