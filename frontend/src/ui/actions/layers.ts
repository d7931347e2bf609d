// Layers: which are shown, their order and names.
import { change } from "../../state/changes";
import { chooseLayer, moveLayer } from "../layer-edits";
import type { Action } from "./action";

function layerKey(number: number): Action {
  return {
    id: `layer-${number}`,
    group: "Layers",
    title: `Layer ${number}: make active; again: show or hide`,
    keys: [String(number)],
    python: `v.layers[${number - 1}].visible = True`,
    enabled: (page) => page.order.peek().length >= number,
    run: (page) => page.edit((document) => chooseLayer(document, number - 1)),
  };
}

function moveActive(by: 1 | -1, title: string): Action {
  return {
    id: by > 0 ? "layer-up" : "layer-down",
    group: "Layers",
    title,
    keys: [by > 0 ? "Alt+ArrowUp" : "Alt+ArrowDown"],
    python: `v.layers.move(image, v.layers.index(image) ${by > 0 ? "+" : "-"} 1)`,
    enabled: (page) => page.active.peek() !== null,
    run: (page) =>
      page.edit((document) => {
        if (document.active === null) return [];
        const place = document.order.indexOf(document.active);
        return moveLayer(document, document.active, place + by);
      }),
  };
}

export const LAYERS: readonly Action[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map(layerKey),
  {
    id: "visibility",
    group: "Layers",
    title: "Show or hide the active layer",
    keys: ["v"],
    python: "image.visible = not image.visible",
    enabled: (page) => page.active.peek() !== null,
    run: (page) => {
      const layer = page.active.peek();
      if (layer !== null) page.put(!layer.visible, "layers", layer.id, "visible");
    },
  },
  {
    id: "show-all",
    group: "Layers",
    title: "Show all layers",
    keys: [],
    python: "for layer in v.layers: layer.visible = True",
    run: (page) =>
      page.edit((document) => document.order.map((id) => change(true, "layers", id, "visible"))),
  },
  {
    id: "rename",
    group: "Layers",
    title: "Rename the active layer",
    keys: ["F2"],
    python: 'image.name = "membrane"',
    enabled: (page) => page.active.peek() !== null,
    run: (page) => {
      page.sidebar.value = true;
      page.renaming.value = page.active.peek()?.id ?? null;
    },
  },
  moveActive(1, "Active layer one up"),
  moveActive(-1, "Active layer one down"),
];
