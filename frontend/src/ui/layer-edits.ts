// Changes of the list of layers.
import { change, removal } from "../state/changes";
import type { Change, Document } from "../wire/types";

/** Puts a layer at a place of the order, counted from the bottom. */
export function moveLayer(document: Document, id: string, place: number): readonly Change[] {
  const others = document.order.filter((other) => other !== id);
  const inside = Math.min(Math.max(place, 0), others.length);
  const order = [...others.slice(0, inside), id, ...others.slice(inside)];
  if (order.every((other, index) => other === document.order[index])) return [];
  return [change(order, "order")];
}

/** Takes a layer out; the one below it becomes active when it was. */
export function removeLayer(document: Document, id: string): readonly Change[] {
  const place = document.order.indexOf(id);
  const order = document.order.filter((other) => other !== id);
  const active = document.active === id ? (order[Math.max(0, place - 1)] ?? null) : document.active;
  return [removal("layers", id), change(order, "order"), change(active, "active")];
}

/** Makes a layer the active one; when it is already, shows or hides it. */
export function chooseLayer(document: Document, place: number): readonly Change[] {
  const id = document.order[place];
  const layer = id === undefined ? undefined : document.layers[id];
  if (id === undefined || layer === undefined) return [];
  if (document.active !== id) return [change(id, "active")];
  return [change(!layer.visible, "layers", id, "visible")];
}
