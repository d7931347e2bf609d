// Shaders of the 3-D panel: meshes, slices standing in space, lines; and one that tells what lies
// under each pixel and how far off.
import type { Uniforms } from "../../gl/program";

export const MESH_UNIFORMS = {
  u_clip: "mat4",
  u_rotation: "mat3",
  u_view: "vec3",
  u_color: "vec3",
  u_opacity: "float",
  u_silhouette: "float",
  u_colormap: "sampler",
  u_limits: "vec3",
} as const satisfies Uniforms;

export const MESH_VERTEX = `
in vec3 a_position;      // from the mesh's origin, world units
in vec3 a_normal;
in float a_value;
out float v_value;
uniform mat4 u_clip;
uniform mat3 u_rotation;
uniform vec3 u_view;     // the mesh's origin as the camera sees it
out vec3 v_normal;
out vec3 v_toward;

void main() {
  gl_Position = u_clip * vec4(a_position, 1.0);
  v_normal = u_rotation * a_normal;
  v_toward = -(u_rotation * a_position + u_view);
  v_value = a_value;
}
`;

/** A lamp beside the camera: faces seen at a slant darken, so that shape is read at a glance. */
export const MESH_FRAGMENT = `
in vec3 v_normal;
in vec3 v_toward;
in float v_value;
uniform vec3 u_color;
uniform float u_opacity;
uniform float u_silhouette;
uniform sampler2D u_colormap;
uniform vec3 u_limits;       // low, high, gamma; gamma 0 where there are no values
out vec4 color;

void main() {
  vec3 toward = normalize(v_toward);
  vec3 normal = normalize(v_normal);
  float facing = abs(dot(normal, toward));
  // The lamp stands above and to the left: two slopes alike to the camera still differ.
  vec3 lamp = normalize(toward + vec3(-0.35, -0.5, 0.0));
  float lit = abs(dot(normal, lamp));
  float shade = 0.22 + 0.5 * lit + 0.28 * facing;
  float gloss = 0.18 * pow(lit, 40.0);
  float rim = smoothstep(0.35, 0.0, facing);
  vec3 base = u_color;
  if (u_limits.z > 0.0 && v_value == v_value) {
    float part = clamp((v_value - u_limits.x) / (u_limits.y - u_limits.x), 0.0, 1.0);
    base = texture(u_colormap, vec2((pow(part, u_limits.z) * 255.0 + 0.5) / 256.0, 0.5)).rgb;
  }
  vec3 shaded = base * shade * (1.0 - 0.35 * rim) + gloss;
  // Clearer the more a face looks at the camera: what is left is the outline.
  float alpha = u_opacity * pow(max(1.0 - facing, 0.001), 4.0 * u_silhouette);
  color = vec4(shaded * alpha, alpha);
}
`;

export const QUAD_UNIFORMS = {
  u_clip: "mat4",
  u_right: "vec3",
  u_down: "vec3",
  u_picture: "sampler",
  u_background: "vec3",
  u_object: "int",
} as const satisfies Uniforms;

export const QUAD_VERTEX = `
uniform mat4 u_clip;
uniform vec3 u_right;    // world, from the picture's left edge to its right one
uniform vec3 u_down;
out vec2 v_place;
out float v_depth;

void main() {
  v_place = vec2(gl_VertexID % 2, gl_VertexID / 2);
  gl_Position = u_clip * vec4(v_place.x * u_right + v_place.y * u_down, 1.0);
  v_depth = gl_Position.w;
}
`;

export const QUAD_FRAGMENT = `
in vec2 v_place;
uniform sampler2D u_picture;
uniform vec3 u_background;
out vec4 color;

void main() {
  vec4 picture = texture(u_picture, v_place);
  if (picture.a < 0.004) discard;
  color = vec4(picture.rgb + u_background * (1.0 - picture.a), 1.0);
}
`;

export const LINE_UNIFORMS = { u_clip: "mat4", u_color: "vec4" } as const satisfies Uniforms;

export const LINE_VERTEX = `
in vec3 a_position;
uniform mat4 u_clip;
void main() { gl_Position = u_clip * vec4(a_position, 1.0); }
`;

export const LINE_FRAGMENT = `
uniform vec4 u_color;
out vec4 color;
void main() { color = u_color; }
`;

export const PICK_MESH_UNIFORMS = { u_clip: "mat4", u_object: "int" } as const satisfies Uniforms;

export const PICK_MESH_VERTEX = `
in vec3 a_position;
uniform mat4 u_clip;
out float v_depth;
void main() {
  gl_Position = u_clip * vec4(a_position, 1.0);
  v_depth = gl_Position.w;
}
`;

/** The object's number, and its distance along the line of sight as a float's bits. */
export const PICK_MESH_FRAGMENT = `
in float v_depth;
uniform int u_object;
out uvec4 found;
void main() { found = uvec4(uint(u_object), floatBitsToUint(v_depth), 0u, 1u); }
`;

export const PICK_QUAD_FRAGMENT = `
in vec2 v_place;
in float v_depth;
uniform sampler2D u_picture;
uniform int u_object;
out uvec4 found;
void main() {
  if (texture(u_picture, v_place).a < 0.004) discard;
  found = uvec4(uint(u_object), floatBitsToUint(v_depth), 0u, 1u);
}
`;

export const COMPOSE_UNIFORMS = {
  u_picture: "sampler",
  u_corner: "vec2",
  u_background: "vec3",
} as const satisfies Uniforms;

/** A part of a finished picture onto the canvas, which has its first row at the bottom. */
export const COMPOSE_FRAGMENT = `
in vec2 v_place;
uniform sampler2D u_picture;
uniform vec2 u_corner;       // pixel of the canvas, y up, where the picture's top left corner lies
uniform vec3 u_background;
out vec4 color;
void main() {
  ivec2 pixel = ivec2(gl_FragCoord.x - u_corner.x, u_corner.y - gl_FragCoord.y);
  vec4 picture = texelFetch(u_picture, pixel, 0);
  color = vec4(picture.rgb + u_background * (1.0 - picture.a), 1.0);
}
`;
