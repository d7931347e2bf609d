// Where the view stands on a layer's leading axes (time, channel, …). Pure.
import { spatialCount } from "../math/space";
import type { Data, View } from "../wire/types";

/** Indices on the leading axes; null when the view is beyond the layer's first or last. */
export function pointOf(data: Data, view: View): readonly number[] | null {
  const level = data.levels[0];
  if (level === undefined) return null;
  const count = data.axes.length - spatialCount(data);
  const point: number[] = [];
  for (let axis = 0; axis < count; axis += 1) {
    const translate = level.translate[axis] ?? 0;
    const position = view.position[data.axes[axis]?.name ?? ""] ?? translate;
    const index = Math.round((position - translate) / (level.scale[axis] ?? 1));
    if (!(index >= 0 && index < (level.shape[axis] ?? 1))) return null;
    point.push(index);
  }
  return point;
}
