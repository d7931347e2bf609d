// What of a document its pictures depend on, as text to compare: most edits change none of it.
import type { Document } from "../wire/types";

/** What the slices depend on. */
export function sliceText(document: Document): string {
  const { center, orientation, zoom, position } = document.view;
  const layers = document.order.map((id) => {
    const layer = document.layers[id];
    if (layer?.visible !== true) return id;
    return { ...layer, name: "", metadata: {}, data: { ...layer.data, histogram: null } };
  });
  const seen = { center, orientation, zoom, position };
  return JSON.stringify([layers, Object.keys(document.layers), seen]);
}

/** What else the 3-D panel depends on. */
export function spaceText(document: Document): string {
  const { camera, units, slices_in_3d: slices } = document.view;
  return JSON.stringify([camera, units, slices, document.theme]);
}
