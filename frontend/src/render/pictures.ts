// The slice pictures that a document and its panels ask for. Each slice panel has one; the 3-D
// panel shows those again, and when no slice panel is there it has three of its own. Pure.
import {
  alongAxis,
  dot,
  minus,
  moved,
  panelMiddle,
  type Panel,
  type Position,
  type SliceKind,
} from "../math/panel";
import { middle } from "../math/space";
import {
  effectiveCameraZoom,
  effectiveZoom,
  extentAlong,
  frameOf,
  worldBounds,
} from "../math/view";
import type { Plane } from "../bricks/cover";
import type { Document } from "../wire/types";

const SLICE_KINDS: readonly SliceKind[] = ["xy", "xz", "yz"];

export interface Picture {
  readonly kind: SliceKind;
  readonly plane: Plane;
  /** Pixels of the canvas, y down; null when only the 3-D panel shows it. */
  readonly place: PixelRectangle | null;
}

export interface PixelRectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Pixels an edge of a picture that only the 3-D panel shows, at most: it is seen aslant. */
const LARGEST_PICTURE = 2048;

export const NOTHING: PixelRectangle = { left: 0, top: 0, width: 0, height: 0 };

/** The smallest rectangle around these. */
export function around(all: readonly PixelRectangle[]): PixelRectangle {
  const parts = all.filter(({ width, height }) => width > 0 && height > 0);
  if (parts.length === 0) return NOTHING;
  const left = Math.min(...parts.map((part) => part.left));
  const top = Math.min(...parts.map((part) => part.top));
  const right = Math.max(...parts.map((part) => part.left + part.width));
  const bottom = Math.max(...parts.map((part) => part.top + part.height));
  return { left, top, width: right - left, height: bottom - top };
}

/** A panel in whole pixels of the canvas. */
export function pixelRectangle(panel: Panel, ratio: number): PixelRectangle {
  const left = Math.round(panel.left * ratio);
  const top = Math.round(panel.top * ratio);
  return {
    left,
    top,
    width: Math.max(Math.round((panel.left + panel.width) * ratio) - left, 1),
    height: Math.max(Math.round((panel.top + panel.height) * ratio) - top, 1),
  };
}

/** The slice pictures, and where they lie. */
export function picturesOf(
  document: Document,
  panels: readonly Panel[],
  ratio: number,
): readonly Picture[] {
  const center: Position = document.view.center;
  const pictures: Picture[] = [];
  for (const panel of panels) {
    if (panel.kind === "3d" || panel.width < 1 || panel.height < 1) continue;
    const { right, down } = frameOf(document, panel.kind);
    const place = pixelRectangle(panel, ratio);
    const [x, y] = panelMiddle(panel);
    const zoom = effectiveZoom(document, panels, panel) * ratio;
    pictures.push({
      kind: panel.kind,
      place,
      plane: {
        center,
        right,
        down,
        middle: [x * ratio - place.left, y * ratio - place.top],
        width: place.width,
        height: place.height,
        pixel: 1 / zoom,
      },
    });
  }
  const space = panels.find((panel) => panel.kind === "3d");
  if (pictures.length === 0 && space !== undefined && document.view.slices_in_3d) {
    return wholePictures(document, space, ratio);
  }
  return pictures;
}

/** Slices through all of the data, about as fine as the 3-D camera can show. */
function wholePictures(document: Document, panel: Panel, ratio: number): Picture[] {
  const bounds = worldBounds(document);
  if (bounds === null) return [];
  const pixel = 1 / (effectiveCameraZoom(document, panel) * ratio);
  return SLICE_KINDS.map((kind) => {
    const { right, down, normal } = frameOf(document, kind);
    const center = onPlane(middle(bounds), document.view.center, normal);
    const across = extentAlong(bounds, right);
    const along = extentAlong(bounds, down);
    const size = Math.max(pixel, across / LARGEST_PICTURE, along / LARGEST_PICTURE);
    const width = Math.max(Math.ceil(across / size), 1);
    const height = Math.max(Math.ceil(along / size), 1);
    const plane: Plane = {
      center,
      right,
      down,
      middle: [width / 2, height / 2],
      width,
      height,
      pixel: size,
    };
    return { kind, place: null, plane };
  });
}

/** The foot of a position on the plane through `point`. */
function onPlane(position: Position, point: Position, normal: Position): Position {
  const axis = alongAxis(normal);
  if (axis === null) return moved(position, normal, dot(normal, minus(point, position)));
  // Exactly where the slice is; sums are rounded.
  const foot: [number, number, number] = [...position];
  foot[axis] = point[axis];
  return foot;
}
