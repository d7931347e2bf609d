// The 3-D panel's scene from what is on stage, and what lies under a point of it.
import type { Texture2D } from "../gl/texture";
import { panelMiddle, type Panel, type Position } from "../math/panel";
import { parseColor, shownColor, type Color } from "../math/label-color";
import { viewToWorld, worldBounds } from "../math/view";
import type { Document, SurfaceLayer } from "../wire/types";
import { cameraOf } from "./camera";
import type { MeshGeometry } from "./mesh-geometry";
import type { ShownMesh } from "./mesh-store";
import type { Picture } from "./pictures";
import type { SpaceMesh, SpaceScene } from "./space-painter";
import type { Highlight } from "./types";

/** How much lighter the mesh under the cursor is. */
const LIGHTER = 0.35;

/** What is to be drawn in the 3-D panel. */
export function sceneOf(
  document: Document,
  panel: Panel,
  meshes: readonly ShownMesh[],
  pictures: readonly { readonly picture: Picture; readonly texture: Texture2D | null }[],
  highlight: Highlight | null,
  background: Color,
): SpaceScene {
  const isDark = document.theme === "dark";
  const slices = document.view.slices_in_3d ? pictures : [];
  return {
    camera: cameraOf(document, panel),
    meshes: meshes.flatMap(({ layer, label, geometry }) => {
      const owner = document.layers[layer];
      if (owner === undefined || owner.kind === "image") return [];
      if (owner.kind === "surface") return [surfaceOf(owner, geometry)];
      const color = shownColor(label, owner.style);
      const isLit = highlight?.layer === layer && highlight.label === label;
      const lighten = (part: number): number => part + (1 - part) * LIGHTER;
      return [
        {
          geometry,
          color: isLit ? ([...color.map(lighten)] as unknown as Color) : color,
          opacity: owner.style.mesh_opacity,
          silhouette: owner.style.silhouette,
          values: null,
        },
      ];
    }),
    slices: slices.flatMap(({ picture, texture }) =>
      texture === null ? [] : [{ plane: picture.plane, picture: texture }],
    ),
    bounds: worldBounds(document),
    background,
    line: isDark ? [0.25, 0.25, 0.25, 0.25] : [0, 0, 0, 0.25],
  };
}

function surfaceOf({ style, valued }: SurfaceLayer, geometry: MeshGeometry): SpaceMesh {
  const { opacity, silhouette, colormap, contrast_limits: limits, gamma } = style;
  return {
    geometry,
    color: parseColor(style.color),
    opacity,
    silhouette,
    values: valued ? { colormap, limits, gamma } : null,
  };
}

/** The objects of the 3-D panel, read back once and kept until the panel changes. */
export interface ObjectMap {
  readonly words: Uint32Array;
  readonly width: number;
  readonly height: number;
}

const bits = new DataView(new ArrayBuffer(4));

/** What is seen at a point: the object's number (0: nothing) and where in the world it is. */
export function objectAt(
  map: ObjectMap,
  document: Document,
  panel: Panel,
  x: number,
  y: number,
): { readonly object: number; readonly position: Position } | null {
  const column = Math.floor(((x - panel.left) / panel.width) * map.width);
  const row = Math.floor(((y - panel.top) / panel.height) * map.height);
  const at = (row * map.width + column) * 4;
  const object = map.words[at] ?? 0;
  if (object === 0) return null;
  bits.setUint32(0, map.words[at + 1] ?? 0);
  const depth = bits.getFloat32(0);
  const { distance, zoom, center } = cameraOf(document, panel);
  const [middleX, middleY] = panelMiddle(panel);
  const size = depth / (zoom * distance);
  const offset = viewToWorld(
    document,
    (x - middleX) * size,
    (y - middleY) * size,
    depth - distance,
  );
  return {
    object,
    position: [center[0] + offset[0], center[1] + offset[1], center[2] + offset[2]],
  };
}
