// Colour and visibility of labels in GLSL. The stable colour says what `math/label-color.ts` says;
// what the style says about single labels comes from a hash table in a texture
// (`render/label-table.ts`). Choices: `SINGLE`, which of that there is; and `WIDE`, whether there
// are labels of more than 32 bits.
import type { Uniforms } from "../../gl/program";

/** What is said about single labels, as the choice `SINGLE` has it. */
export const SINGLE = { nothing: 0, highlight: 1, table: 2 } as const;

export const LABEL_COLOR_UNIFORMS = {
  u_table: "sampler",
  u_tableMask: "int",
  u_seed: "uint",
  u_upper: "uint",
  u_opacity: "float",
  u_selectedOnly: "int",
  u_highlight: "uvec2",
} as const satisfies Uniforms;

export const LABEL_COLOR = `
uniform usampler2D u_table;    // entries (low, high, rgb, flags)
uniform int u_tableMask;       // number of entries - 1
uniform uint u_seed;            // its bits, mixed
uniform uint u_upper;           // of labels of 32 bits: upper word and seed, mixed
uniform float u_opacity;
uniform int u_selectedOnly;
uniform uvec2 u_highlight;     // the label under the cursor; 0 for none

uint mixBits(uint bits) {
  bits = (bits ^ (bits >> 16)) * 0x85ebca6bu;
  bits = (bits ^ (bits >> 13)) * 0xc2b2ae35u;
  return bits ^ (bits >> 16);
}

uint hashLabel(uvec2 label) {
  return mixBits(label.x ^ mixBits(label.y));
}

vec3 stableColor(uvec2 label) {
#if WIDE
  uint upper = mixBits(label.y ^ u_seed);
#else
  uint upper = u_upper;
#endif
  uint turn = (label.x ^ upper) * 0x9e3779b9u;
  uint other = mixBits(turn + 0x9e3779b9u);
  float hue = float(turn >> 8) * (6.0 / 16777216.0);
  // The remainder by 3, of digits to the base of 256: dividing integers is slow.
  uint digits = (other & 65535u) + (other >> 16);
  digits = (digits & 255u) + (digits >> 8);
  uint third = digits - 3u * ((digits * 43691u) >> 17);
  float saturation = third == 0u ? 0.95 : third == 1u ? 0.7 : 0.5;
  float value = ((other >> 8) & 1u) == 0u ? 1.0 : 0.8;
  vec3 ramp = vec3(abs(hue - 3.0) - 1.0, 2.0 - abs(hue - vec2(2.0, 4.0)));
  ramp = clamp(ramp, 0.0, 1.0);
  return value * (1.0 - saturation + saturation * ramp);
}

#if SINGLE == ${String(SINGLE.table)}
/** What the style says about this label: (rgb, flags), 0 for nothing. */
uvec2 styleOf(uvec2 label) {
  int width = textureSize(u_table, 0).x;
  int place = int(hashLabel(label)) & u_tableMask;
  for (int probe = 0; probe <= u_tableMask; probe += 1) {
    uvec4 entry = texelFetch(u_table, ivec2(place % width, place / width), 0);
    if (entry.a == 0u) return uvec2(0u);
    if (entry.xy == label) return entry.zw;
    place = (place + 1) & u_tableMask;
  }
  return uvec2(0u);
}
#endif

/** Colour, not premultiplied; alpha 0 when it is not shown. */
vec4 labelColor(uvec2 label) {
  bool hidden = label == uvec2(0u);
  float alpha = u_opacity;
  vec3 rgb = stableColor(label);
#if SINGLE == ${String(SINGLE.table)}
  uvec2 style = styleOf(label);
  bool selected = (style.y & 1u) != 0u;
  hidden = hidden || (style.y & 2u) != 0u || (u_selectedOnly == 1 && !selected);
  if ((style.y & 4u) != 0u) {
    rgb = vec3((style.x >> 16) & 255u, (style.x >> 8) & 255u, style.x & 255u) / 255.0;
  }
  if (selected) alpha = mix(alpha, 1.0, 0.6);
#endif
#if SINGLE
  if (label == u_highlight) {
    rgb = mix(rgb, vec3(1.0), 0.35);
    alpha = mix(alpha, 1.0, 0.5);
  }
  hidden = hidden || u_opacity == 0.0;
#endif
  return vec4(rgb, hidden ? 0.0 : alpha);
}
`;
