// Labels: which are selected, how they look, where they are.
import type { Page } from "../page";
import type { Action } from "./action";

function activeLabels(
  id: string,
  title: string,
  keys: readonly string[],
  python: string,
  value: (page: Page) => unknown,
  field: string,
): Action {
  return {
    id,
    group: "Labels",
    title,
    keys,
    python,
    enabled: (page) => page.active.peek()?.kind === "labels",
    run: (page) => {
      const layer = page.active.peek();
      if (layer?.kind === "labels") page.put(value(page), "layers", layer.id, "style", field);
    },
  };
}

function labelsStyle(page: Page) {
  const layer = page.active.peek();
  return layer?.kind === "labels" ? layer.style : null;
}

export const LABELS: readonly Action[] = [
  {
    id: "select-label",
    group: "Labels",
    title: "Select or deselect the label under the pointer or the crosshair",
    keys: ["Enter"],
    python: "cells.selected.add(17)",
    run: (page) => {
      const found = page.labelInMind();
      if (found !== null) page.toggleLabel(found.layer, found.label);
    },
  },
  activeLabels(
    "selected-only",
    "Only the selected labels, or all",
    ["s"],
    "cells.show_selected_only = True",
    (page) => labelsStyle(page)?.show_selected_only !== true,
    "show_selected_only",
  ),
  activeLabels(
    "outlines",
    "Outlines or filled labels",
    ["o"],
    "cells.contour = 2",
    (page) => (labelsStyle(page)?.contour === 0 ? 2 : 0),
    "contour",
  ),
  activeLabels(
    "meshes",
    "Meshes of the selected labels: show or hide",
    ["m"],
    "cells.show_meshes = False",
    (page) => labelsStyle(page)?.meshes !== true,
    "meshes",
  ),
  activeLabels(
    "deal-colors",
    "Deal new colours",
    [],
    "cells.seed += 1",
    (page) => ((labelsStyle(page)?.seed ?? 0) + 1) % 2 ** 32,
    "seed",
  ),
  {
    id: "label-list",
    group: "Labels",
    title: "List of all labels: show or hide",
    keys: [],
    python: "cells.statistics",
    enabled: (page) => page.active.peek()?.kind === "labels",
    run: (page) => {
      page.sidebar.value = true;
      page.labelList.value = !page.labelList.peek();
    },
  },
  {
    id: "go-to-label",
    group: "Labels",
    title: "Go to a label by its id",
    keys: ["j"],
    python: "cells.go_to(17)",
    enabled: (page) => page.active.peek()?.kind === "labels",
    run: (page) => {
      page.sidebar.value = true;
      page.labelList.value = true;
      page.findsLabel.value = true;
    },
  },
  activeLabels("deselect", "Deselect all labels", [], "cells.selected = ()", () => [], "selected"),
];
