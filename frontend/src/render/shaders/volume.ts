// The volume shader: a ray for every pixel, through the bricks of one level, in that level's
// texels. A brick is looked up once for every ray that meets it; one that cannot change what the
// ray has found already is skipped by its least and greatest value.
import type { Uniforms } from "../../gl/program";

/** Textures of the atlas that the bricks of one volume may lie in, at most: WebGL has 16 units. */
export const PAGES = 12;

/** What a brick's entry in the table says first, in the top byte of its second word. */
export const ENTRY = { absent: 0, slot: 1, constant: 2 } as const;

export const VOLUME_UNIFORMS = {
  u_page0: "sampler",
  u_page1: "sampler",
  u_page2: "sampler",
  u_page3: "sampler",
  u_page4: "sampler",
  u_page5: "sampler",
  u_page6: "sampler",
  u_page7: "sampler",
  u_page8: "sampler",
  u_page9: "sampler",
  u_page10: "sampler",
  u_page11: "sampler",
  u_table: "sampler",
  u_colormap: "sampler",
  u_depth: "sampler",
  u_eye: "vec3",
  u_ahead: "vec3",
  u_right: "vec3",
  u_down: "vec3",
  u_extent: "vec2",
  u_project: "vec2",
  u_near: "float",
  u_from: "vec3",
  u_to: "vec3",
  u_brick: "vec3",
  u_bricks: "vec3",
  u_stored: "vec3",
  u_low: "float",
  u_inverse: "float",
  u_gamma: "float",
  u_opacity: "float",
  u_density: "float",
  u_step: "float",
} as const satisfies Uniforms;

const PAGE_NUMBERS = Array.from({ length: PAGES }, (_, page) => String(page));

/**
 * Choices: `PAGES`, how many textures; `LINEAR`, the filter; `MISSING`, whether there may be NaNs;
 * `CLOUD`, or else the greatest value along the ray; `GAMMA`, other than 1.
 */
export const VOLUME_FRAGMENT = `
in vec2 v_place;
${PAGE_NUMBERS.map((page) => `#if PAGES > ${page}\nuniform sampler3D u_page${page};\n#endif`).join("\n")}
uniform usampler2D u_table;   // a texel a brick: place and kind, least and greatest value
uniform sampler2D u_colormap;
uniform sampler2D u_depth;    // of meshes and slices
uniform vec3 u_eye;           // where the camera is, texels
uniform vec3 u_ahead;         // texels for one world unit of depth, in the panel's middle
uniform vec3 u_right;         // what the panel's width adds to that
uniform vec3 u_down;
uniform vec2 u_extent;        // the panel's width and height at a depth of one world unit
uniform vec2 u_project;       // numbers of the projection that make the depth buffer's values
uniform float u_near;         // depth from which on something is drawn
uniform vec3 u_from;          // the data's box, texels
uniform vec3 u_to;
uniform vec3 u_brick;
uniform vec3 u_bricks;
uniform vec3 u_stored;
uniform float u_low;          // contrast limit, as texels have it
uniform float u_inverse;      // 1 / (high - low)
uniform float u_gamma;
uniform float u_opacity;
uniform float u_density;      // what a world unit of the greatest value swallows, as an exponent
uniform float u_step;         // world units from one sample to the next, at most
out vec4 color;

bool isMissing(float value) {
  return (floatBitsToUint(value) & 0x7fffffffu) > 0x7f800000u;
}

float read(uint page, vec3 at) {
${PAGE_NUMBERS.slice(1)
  .map(
    (page) =>
      `#if PAGES > ${page}\n  if (page == ${page}u) return ` +
      `textureLod(u_page${page}, at / vec3(textureSize(u_page${page}, 0)), 0.0).r;\n#endif`,
  )
  .join("\n")}
  return textureLod(u_page0, at / vec3(textureSize(u_page0, 0)), 0.0).r;
}

float sampleBrick(uint page, vec3 slot, vec3 place) {
  vec3 middle = clamp(floor(place), vec3(0.0), u_stored - 1.0) + 0.5;
#if LINEAR
  float value = read(page, slot + clamp(place, vec3(0.5), u_stored - 0.5));
#if MISSING
  if (isMissing(value)) value = read(page, slot + middle);
#endif
  return value;
#else
  return read(page, slot + middle);
#endif
}

/** What a value looks like, 0 to 1. */
float partOf(float value) {
  float part = clamp((value - u_low) * u_inverse, 0.0, 1.0);
#if GAMMA
  part = pow(part, u_gamma);
#endif
  return part;
}

vec4 mapped(float part) {
  return textureLod(u_colormap, vec2((part * 255.0 + 0.5) / 256.0, 0.5), 0.0);
}

/** Another number for every pixel, so that samples side by side make no bands. */
float jitter() {
  return fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715))));
}

/** Light of a piece of cloud that is so many world units deep, added behind what is there. */
void pass(float value, float reach) {
  float part = partOf(value);
  if (part <= 0.0) return;
  vec4 shown = mapped(part);
  float alpha = 1.0 - exp(-part * u_density * reach * shown.a);
  color += (1.0 - color.a) * vec4(shown.rgb * alpha, alpha);
}

void main() {
  color = vec4(0.0);
  vec2 aside = v_place - 0.5;
  vec3 way = u_ahead + aside.x * u_right + aside.y * u_down;
  way = mix(way, vec3(1e-9), lessThan(abs(way), vec3(1e-9)));
  float depth = texture(u_depth, v_place).r;
  float scene = depth >= 1.0 ? 1e30 : u_project.y / (depth * 2.0 - 1.0 - u_project.x);

  vec3 a = (u_from - u_eye) / way;
  vec3 b = (u_to - u_eye) / way;
  vec3 enter = min(a, b);
  vec3 leave = max(a, b);
  float start = max(max(max(enter.x, enter.y), enter.z), u_near);
  float end = min(min(min(leave.x, leave.y), leave.z), scene);
  if (start >= end) discard;

  float reach = length(vec3(aside * u_extent, 1.0));   // world units for one unit of depth
  // Depth from one sample to the next: a texel apart, or closer along the long edges of voxels.
  float stride = min(1.0 / length(way), u_step / reach);
  vec3 shift = vec3(LINEAR == 1 ? 0.5 : 0.0);
  bool found = false;
  float best = u_low;
  float high = u_low + 1.0 / u_inverse;
  float here = start + min(stride, end - start) * jitter();

  for (int guard = 0; guard < 1024 && here < end; guard += 1) {
    vec3 cell = clamp(floor((u_eye + here * way - shift) / u_brick), vec3(0.0), u_bricks - 1.0);
    bvec3 rises = greaterThan(way, vec3(0.0));
    vec3 base = cell * u_brick;
    vec3 out_ = (mix(base, base + u_brick, rises) + shift - u_eye) / way;
    // The outermost bricks reach as far as the box does.
    bvec3 isLast = equal(cell, mix(vec3(0.0), u_bricks - 1.0, rises));
    out_ = mix(out_, vec3(1e30), isLast);
    float until = min(min(min(out_.x, out_.y), out_.z), end);
    // The samples keep their distance from brick to brick.
    float next = here + stride * max(ceil((until - here) / stride), 1.0);

    uvec4 entry = texelFetch(u_table, ivec2(cell.x, cell.y + cell.z * u_bricks.y), 0);
    uint kind = entry.y >> 24;
    float most = uintBitsToFloat(entry.w);
    bool matters = kind != ${String(ENTRY.absent)}u && most > (CLOUD == 1 ? u_low : best);
    if (matters && kind == ${String(ENTRY.constant)}u) {
#if CLOUD
      pass(most, reach * (min(next, end) - here));
#else
      best = most;
#endif
      found = true;
    } else if (matters) {
      vec3 slot = vec3(entry.x & 0xffffu, entry.x >> 16, entry.y & 0xffffu);
      uint page = (entry.y >> 16) & 0xffu;
      for (; here < until; here += stride) {
        float value = sampleBrick(page, slot, u_eye + here * way - base);
#if MISSING
        if (isMissing(value)) continue;
#endif
#if CLOUD
        pass(value, reach * stride);
#else
        if (value > best) {
          best = value;
          found = true;
        }
#endif
      }
    }
    here = next;
    if (CLOUD == 1 ? color.a > 0.98 : best >= high) break;
  }

#if CLOUD
  color *= u_opacity;
#else
  if (!found) discard;
  float part = partOf(best);
  vec4 shown = mapped(part);
  // What is next to nothing hides nothing.
  float alpha = shown.a * u_opacity * min(part * 16.0, 1.0);
  color = vec4(shown.rgb * alpha, alpha);
#endif
}
`;

export const OVER_UNIFORMS = { u_picture: "sampler" } as const satisfies Uniforms;

/** The volumes' picture onto the scene. */
export const OVER_FRAGMENT = `
in vec2 v_place;
uniform sampler2D u_picture;
out vec4 color;
void main() { color = texture(u_picture, v_place); }
`;
