// The slice shaders: a plane through bricks. Each instance is one box of texels; the vertex shader
// cuts it with the plane and the fragment shader reads the voxel under every pixel.
//
// Places are told in texels of the level drawn, measured from the plane's middle, so that the
// numbers are small and float32 exact enough however large the volume. A brick may stand in for
// a finer one: `ratio` and `shift` lead from the texels drawn to those of the brick read. What can
// be computed once a box is not computed for every pixel.
import type { Uniforms } from "../../gl/program";
import { IMAGE_SAMPLING, LABEL_SAMPLING } from "./sampling";
import { LABEL_COLOR, LABEL_COLOR_UNIFORMS } from "./label-color";

/** Attribute names, by location; `instances.ts` writes them. */
export const SLICE_ATTRIBUTES = [
  "a_low",
  "a_high",
  "a_ratio",
  "a_shift",
  "a_slot",
  "a_constant",
] as const;

const PLANE_UNIFORMS = {
  u_normal: "vec3",
  u_toRight: "vec3",
  u_toDown: "vec3",
  u_perRight: "vec3",
  u_perDown: "vec3",
  u_middle: "vec2",
  u_size: "vec2",
  u_atlas: "sampler",
  u_stored: "vec3",
} as const satisfies Uniforms;

/*
   The cut of a plane and a box is a polygon of three to six corners. With the box turned so that
   the normal points from corner 000 to corner 111, three paths lead from the one to the other,

       100 → 110        each crosses the plane once: corners A, B, C. The edges between the
      ↗         ↘       paths (100→101, 010→110, 001→011) may cross it too, between them;
   000 → 010 → 011 → 111   an edge that doesn't repeats a corner, which does no harm.
      ↘         ↗
       001 → 101
*/
export const SLICE_VERTEX = `
in vec3 a_low;
in vec3 a_high;
in vec3 a_ratio;
in vec3 a_shift;
in vec3 a_slot;
in uvec3 a_constant;
uniform vec3 u_normal;    // of the plane, in texels; the plane runs through 0
uniform vec3 u_toRight;   // pixels to the right for one texel along each axis
uniform vec3 u_toDown;
uniform vec2 u_middle;    // pixel where the plane's middle lies
uniform vec2 u_size;      // pixels of the picture
uniform vec3 u_perRight;  // texels for one pixel to the right
uniform vec3 u_perDown;
uniform vec3 u_stored;    // voxels of a slot
flat out vec3 v_perRight;
flat out vec3 v_perDown;
flat out vec3 v_shift;
flat out vec3 v_least;
flat out vec3 v_most;
flat out vec3 v_slot;
flat out uvec3 v_constant;

const ivec3 PATHS[3] = ivec3[3](ivec3(0, 1, 2), ivec3(2, 0, 1), ivec3(1, 2, 0));

vec3 axis(int which) { return vec3(which == 0, which == 1, which == 2); }

void main() {
  v_perRight = u_perRight * a_ratio;
  v_perDown = u_perDown * a_ratio;
  v_shift = a_shift;
  // Pixels at the edge may lie a rounding beyond the box, and no voxel beyond the brick.
  v_least = max(a_low * a_ratio + a_shift, 0.0);
  v_most = min(a_high * a_ratio + a_shift, u_stored - 0.001);
  v_slot = a_slot;
  v_constant = a_constant;
  // Unit cube turned along the normal: where the normal falls, the axis runs backwards.
  bvec3 falls = lessThan(u_normal, vec3(0.0));
  vec3 start = mix(a_low, a_high, falls);
  vec3 edge = mix(a_high, a_low, falls) - start;
  vec3 climb = u_normal * edge;          // not negative: height gained along each edge
  float height = clamp(-dot(u_normal, start), 0.0, climb.x + climb.y + climb.z);

  ivec3 path = PATHS[gl_VertexID / 2];
  float first = climb[path.x];
  float second = climb[path.y];
  float third = climb[path.z];
  float above = height - first;
  vec3 place;
  if (gl_VertexID % 2 == 1 && third > 0.0 && above >= 0.0 && above <= third) {
    place = axis(path.x) + axis(path.z) * (above / third);
  } else if (above <= 0.0 && first > 0.0) {
    place = axis(path.x) * (height / first);
  } else if (above <= second && second > 0.0) {
    place = axis(path.x) + axis(path.y) * (above / second);
  } else {
    place = axis(path.x) + axis(path.y);
    if (third > 0.0) place += axis(path.z) * min((above - second) / third, 1.0);
  }
  vec3 texels = start + edge * place;
  vec2 pixel = u_middle + vec2(dot(texels, u_toRight), dot(texels, u_toDown));
  gl_Position = vec4(pixel / u_size * 2.0 - 1.0, 0.0, 1.0);
}
`;

const PLACE = `
flat in vec3 v_perRight;    // texels of the brick for one pixel to the right
flat in vec3 v_perDown;
flat in vec3 v_shift;       // place of the plane's middle in the brick
flat in vec3 v_least;       // places in the box
flat in vec3 v_most;
flat in vec3 v_slot;
flat in uvec3 v_constant;   // 1 and the value's words, for a brick of one value
uniform vec2 u_middle;

vec3 placeInBrick() {
  // From the pixel's centre, not from an interpolated place, which is rounded to the raster.
  vec2 pixel = gl_FragCoord.xy - u_middle;
  return clamp(pixel.x * v_perRight + pixel.y * v_perDown + v_shift, v_least, v_most);
}
`;

export const IMAGE_UNIFORMS = {
  ...PLANE_UNIFORMS,
  u_colormap: "sampler",
  u_low: "float",
  u_inverse: "float",
  u_gamma: "float",
  u_opacity: "float",
} as const satisfies Uniforms;

/** Choices beside those of sampling: `GAMMA`, other than 1, and `MINIMUM`, blended by taking it. */
export const IMAGE_FRAGMENT = `
${PLACE}
${IMAGE_SAMPLING}
uniform sampler2D u_colormap;
uniform float u_low;       // contrast limit, as texels have it
uniform float u_inverse;   // 1 / (high - low)
uniform float u_gamma;
uniform float u_opacity;
out vec4 color;

void main() {
  float value = v_constant.x == 1u
    ? uintBitsToFloat(v_constant.y)
    : sampleImage(v_slot, placeInBrick());
#if MISSING
  if (isMissing(value)) discard;
#endif
  float part = clamp((value - u_low) * u_inverse, 0.0, 1.0);
#if GAMMA
  part = pow(part, u_gamma);
#endif
  vec4 mapped = texelFetch(u_colormap, ivec2(int(part * 255.0 + 0.5), 0), 0);
  float alpha = mapped.a * u_opacity;
#if MINIMUM
  // White is what a minimum leaves as it is.
  color = vec4(mix(vec3(1.0), mapped.rgb, alpha), 1.0);
#else
  color = vec4(mapped.rgb * alpha, alpha);
#endif
}
`;

export const LABEL_UNIFORMS = {
  ...PLANE_UNIFORMS,
  ...LABEL_COLOR_UNIFORMS,
} as const satisfies Uniforms;

export const LABEL_FRAGMENT = `
${PLACE}
${LABEL_SAMPLING}
${LABEL_COLOR}
out vec4 color;

void main() {
  uvec2 label = v_constant.x == 1u ? v_constant.yz : sampleLabel(v_slot, placeInBrick());
  vec4 shown = labelColor(label);
  // Blended over what is there: nothing leaves it as it is.
  color = vec4(shown.rgb * shown.a, shown.a);
}
`;

/** Writes the labels themselves, for outlines. */
export const LABEL_ID_FRAGMENT = `
${PLACE}
${LABEL_SAMPLING}
out uvec4 label;

void main() {
  label = uvec4(v_constant.x == 1u ? v_constant.yz : sampleLabel(v_slot, placeInBrick()), 0u, 1u);
}
`;

export const OUTLINE_UNIFORMS = {
  u_labels: "sampler",
  u_width: "int",
  ...LABEL_COLOR_UNIFORMS,
} as const satisfies Uniforms;

/** One triangle over the whole picture. */
export const SCREEN_VERTEX = `
out vec2 v_place;
void main() {
  v_place = vec2(gl_VertexID == 1 ? 2.0 : 0.0, gl_VertexID == 2 ? 2.0 : 0.0);
  gl_Position = vec4(v_place * 2.0 - 1.0, 0.0, 1.0);
}
`;

/** Colours a pixel whose label ends within `u_width` pixels. */
export const OUTLINE_FRAGMENT = `
uniform usampler2D u_labels;
uniform int u_width;
${LABEL_COLOR}
out vec4 color;

const vec2 WAYS[8] = vec2[8](
  vec2(1, 0), vec2(0, 1), vec2(-1, 0), vec2(0, -1),
  vec2(0.71, 0.71), vec2(-0.71, 0.71), vec2(-0.71, -0.71), vec2(0.71, -0.71));

void main() {
  ivec2 here = ivec2(gl_FragCoord.xy);
  ivec2 last = textureSize(u_labels, 0) - 1;
  uvec2 label = texelFetch(u_labels, here, 0).rg;
  vec4 shown = labelColor(label);
  if (shown.a == 0.0) discard;
  bool edge = false;
  for (int step = 1; step <= u_width && !edge; step += 1) {
    for (int way = 0; way < 8; way += 1) {
      ivec2 offset = ivec2(round(WAYS[way] * float(step)));
      ivec2 there = clamp(here + offset, ivec2(0), last);
      if (texelFetch(u_labels, there, 0).rg != label) edge = true;
    }
  }
  if (!edge) discard;
  color = vec4(shown.rgb * shown.a, shown.a);
}
`;
