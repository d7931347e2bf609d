// The one table of what a user can do without a pointer: it feeds the keys, the palette, the
// buttons' hints and the key table of the documentation.
import { panelMiddle } from "../math/panel";
import { change } from "../state/changes";
import type { Document, Slider } from "../wire/types";
import { CAMERA_VIEWS } from "./camera-views";
import { copySession } from "./clipboard";
import { autoLimits, setLimits } from "./contrast";
import { chooseLayer, moveLayer } from "./layer-edits";
import {
  fit,
  isStraight,
  pan,
  rotate,
  stepSample,
  stepSlice,
  straightenSlices,
  turnSlices,
  zoomAt,
  type About,
} from "./navigation";
import type { Page } from "./page";

export interface Action {
  readonly id: string;
  readonly group: "View" | "Navigate" | "Layers" | "Image" | "Labels" | "Page" | "Python";
  readonly title: string;
  /** As `KeyboardEvent.key` gives them, lower case for letters, `Shift+` where it matters. */
  readonly keys: readonly string[];
  /** The same in Python, with the names of `example.py`; empty for what concerns only the page. */
  readonly python: string;
  /** Whether it can be done now; always when left out. */
  enabled?(page: Page): boolean;
  run(page: Page): void;
}

type Layout = Document["view"]["layout"];

/** Slices that Shift jumps. */
export const JUMP = 10;

const ZOOM = 1.25;

/** CSS pixels that an arrow key moves the view. */
const SHIFT = 40;

function layout(kind: Layout, title: string): Action {
  return {
    id: `layout-${kind}`,
    group: "View",
    title,
    keys: [],
    python: `v.view.layout = "${kind}"`,
    run: (page) => page.put(kind, "view", "layout"),
  };
}

/** Shows one panel alone, or all four again. */
export function toggleMaximised(page: Page): void {
  const present = page.view.peek()?.layout;
  const one = page.panelInMind()?.kind ?? "xy";
  page.put(present === "4panel" ? one : "4panel", "view", "layout");
}

function turn(kind: "xy" | "xz" | "yz"): Action {
  const orientation = CAMERA_VIEWS[kind];
  const text = orientation.map((value) => Number(value.toFixed(4))).join(", ");
  return {
    id: `camera-${kind}`,
    group: "View",
    title: `Look at ${kind} in 3-D`,
    keys: [],
    python: `v.view.camera.orientation = (${text})`,
    run: (page) => page.put([...orientation], "view", "camera", "orientation"),
  };
}

function toggleView(
  field: "scale_bar" | "colorbar" | "axis_lines" | "slices_in_3d",
  title: string,
  keys: readonly string[],
): Action {
  return {
    id: field.replaceAll("_", "-"),
    group: "View",
    title,
    keys,
    python: `v.view.${field} = not v.view.${field}`,
    run: (page) => page.edit((document) => [change(!document.view[field], "view", field)]),
  };
}

function zoom(factor: number, title: string, keys: readonly string[], python: string): Action {
  return {
    id: factor > 1 ? "zoom-in" : "zoom-out",
    group: "View",
    title,
    keys,
    python,
    run: (page) =>
      page.edit((document) => {
        const panel = page.panelInMind();
        if (panel === null) return [];
        return zoomAt(document, page.panels.peek(), panel, factor, ...panelMiddle(panel));
      }),
  };
}

function shift(right: number, down: number, direction: string): Action {
  return {
    id: `move-${direction}`,
    group: "Navigate",
    title: `Move the view ${direction}; in 3-D, turn it`,
    keys: [`Arrow${direction[0]?.toUpperCase() ?? ""}${direction.slice(1)}`],
    python: "v.view.center = (30, 120, 120)",
    run: (page) =>
      page.edit((document) => {
        const panel = page.panelInMind();
        if (panel === null) return [];
        const [dx, dy] = [-right * SHIFT, -down * SHIFT];
        if (panel.kind === "3d") return rotate(document, dx, dy);
        return pan(document, page.panels.peek(), panel, dx, dy);
      }),
  };
}

function slice(by: number, title: string, keys: readonly string[]): Action {
  return {
    id: `slice-${by > 0 ? "next" : "previous"}${Math.abs(by) > 1 ? "-far" : ""}`,
    group: "Navigate",
    title,
    keys,
    python: "v.view.center = (30, 120, 120)",
    run: (page) => {
      const kind = page.panelInMind()?.kind ?? "xy";
      page.edit((document) => stepSlice(document, kind === "3d" ? "xy" : kind, by));
    },
  };
}

/** Radians that a key turns the slices: six make a quarter. */
const SLICE_TURN = Math.PI / 12;

function turnBy(about: About, sign: 1 | -1, title: string, key: string): Action {
  const names = {
    right: ["up", "down"],
    down: ["right", "left"],
    away: ["left", "right"],
  } as const;
  return {
    id: `slices-${about === "away" ? "turn" : "tilt"}-${names[about][sign > 0 ? 1 : 0]}`,
    group: "Navigate",
    title,
    keys: [key],
    python: "v.view.slice_along((0.97, 0.26, 0))",
    run: (page) => {
      const kind = page.panelInMind()?.kind ?? "xy";
      page.edit((document) =>
        turnSlices(document, kind === "3d" ? "xy" : kind, about, sign * SLICE_TURN),
      );
    },
  };
}

/** The slider that keys move: time if there is one, else the first. */
function mainSlider(document: Document): Slider | null {
  const sliders = document.view.sliders.filter((slider) => slider.stop > slider.start);
  const time = sliders.find(({ name }) => name === "t" || name === "time");
  return time ?? sliders[0] ?? null;
}

function hasSlider(page: Page): boolean {
  const document = page.document.peek();
  return document !== null && mainSlider(document) !== null;
}

function sample(by: 1 | -1, title: string, keys: readonly string[]): Action {
  return {
    id: by > 0 ? "sample-next" : "sample-previous",
    group: "Navigate",
    title,
    keys,
    python: 'v.view.position["t"] = 3.0',
    enabled: hasSlider,
    run: (page) =>
      page.edit((document) => {
        const slider = mainSlider(document);
        return slider === null ? [] : stepSample(document, slider, by);
      }),
  };
}

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

/** Every action, in the order of the palette. */
export const ACTIONS: readonly Action[] = [
  layout("4panel", "Four linked panels"),
  layout("xy", "Only xy"),
  layout("xz", "Only xz"),
  layout("yz", "Only yz"),
  layout("3d", "Only 3-D"),
  {
    id: "maximise",
    group: "View",
    title: "Maximise the panel under the pointer, or show all",
    keys: [" "],
    python: 'v.view.layout = "xy"',
    run: toggleMaximised,
  },
  {
    id: "fit",
    group: "View",
    title: "Fit the data into the panels",
    keys: ["f"],
    python: "v.view.zoom = None",
    run: (page) => page.edit(fit),
  },
  zoom(ZOOM, "Zoom in", ["+", "="], "v.view.zoom = 2.5"),
  zoom(1 / ZOOM, "Zoom out", ["-"], "v.view.zoom = 0.4"),
  turn("xy"),
  turn("xz"),
  turn("yz"),
  toggleView("scale_bar", "Scale bars: show or hide", ["b"]),
  toggleView("colorbar", "Colour bars: show or hide", []),
  {
    id: "edit-title",
    group: "View",
    title: "Title above the picture: write or change",
    keys: [],
    python: 'v.view.title = "Cells at 3 h"',
    enabled: (page) => !page.empty.peek(),
    run: (page) => {
      page.titling.value = true;
    },
  },
  toggleView("axis_lines", "Crosshair and axis names: show or hide", ["x"]),
  toggleView("slices_in_3d", "Slices in 3-D: show or hide", []),
  {
    id: "theme",
    group: "View",
    title: "Dark or light theme",
    keys: [],
    python: 'v.theme = "light"',
    run: (page) => page.put(page.theme.peek() === "dark" ? "light" : "dark", "theme"),
  },
  slice(1, "Next slice", ["."]),
  slice(-1, "Previous slice", [","]),
  slice(JUMP, "Ten slices on", ["Shift+.", ">"]),
  slice(-JUMP, "Ten slices back", ["Shift+,", "<"]),
  shift(-1, 0, "left"),
  shift(1, 0, "right"),
  shift(0, -1, "up"),
  shift(0, 1, "down"),
  turnBy("down", 1, "Tilt the slices by 15° to the left", "Shift+ArrowLeft"),
  turnBy("down", -1, "Tilt the slices by 15° to the right", "Shift+ArrowRight"),
  turnBy("right", -1, "Tilt the slices by 15° upwards", "Shift+ArrowUp"),
  turnBy("right", 1, "Tilt the slices by 15° downwards", "Shift+ArrowDown"),
  turnBy("away", -1, "Turn the slices by 15° in their plane to the left", "q"),
  turnBy("away", 1, "Turn the slices by 15° in their plane to the right", "e"),
  {
    id: "slices-straight",
    group: "Navigate",
    title: "Slices along the axes again",
    keys: ["z"],
    python: "v.view.slice_along()",
    enabled: (page) => {
      const document = page.document.peek();
      return document !== null && !isStraight(document);
    },
    run: (page) => page.edit(straightenSlices),
  },
  sample(1, "Next time point", ["]"]),
  sample(-1, "Previous time point", ["["]),
  {
    id: "play",
    group: "Navigate",
    title: "Play or pause",
    keys: ["p"],
    python: "",
    enabled: hasSlider,
    run: (page) => {
      const document = page.document.peek();
      const slider = document === null ? null : mainSlider(document);
      if (slider !== null) page.playback.toggle(page.playback.axis.peek() ?? slider.name);
    },
  },
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
  {
    id: "auto-contrast",
    group: "Image",
    title: "Contrast from the data",
    keys: ["c"],
    python: "image.reset_contrast_limits()",
    enabled: (page) => (page.imageInMind()?.data.histogram ?? null) !== null,
    run: (page) => {
      const image = page.imageInMind();
      const histogram = image?.data.histogram ?? null;
      if (image !== null && histogram !== null) {
        page.store.edit(setLimits(image, autoLimits(histogram, image.data.dtype)));
      }
    },
  },
  {
    id: "interpolation",
    group: "Image",
    title: "Interpolation: linear or nearest",
    keys: ["i"],
    python: 'image.interpolation = "nearest"',
    enabled: (page) => page.imageInMind() !== null,
    run: (page) => {
      const image = page.imageInMind();
      if (image === null) return;
      const other = image.style.interpolation === "linear" ? "nearest" : "linear";
      page.put(other, "layers", image.id, "style", "interpolation");
    },
  },
  {
    id: "rendering",
    group: "Image",
    title: "Volume in 3-D: none, MIP or translucent",
    keys: ["g"],
    python: 'image.rendering = "mip"',
    enabled: (page) => page.imageInMind() !== null,
    run: (page) => {
      const image = page.imageInMind();
      if (image === null) return;
      const next = { none: "mip", mip: "translucent", translucent: "none" } as const;
      page.put(next[image.style.rendering], "layers", image.id, "style", "rendering");
    },
  },
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
  {
    id: "undo",
    group: "Page",
    title: "Undo what was done last, here or in Python",
    keys: ["Ctrl+z"],
    python: "v.undo()",
    run: (page) => page.undo(false),
  },
  {
    id: "redo",
    group: "Page",
    title: "Redo",
    keys: ["Ctrl+Shift+z"],
    python: "v.redo()",
    run: (page) => page.undo(true),
  },
  {
    id: "copy-link",
    group: "Page",
    title: "Copy a link to this view",
    keys: [],
    python: "v.to_dict()",
    run: (page) => page.keeping.keep("link"),
  },
  {
    id: "save-view",
    group: "Page",
    title: "Save this view to a file",
    keys: [],
    python: 'v.save("view.json")',
    run: (page) => page.keeping.keep("file"),
  },
  {
    id: "load-view",
    group: "Page",
    title: "Load a view from a file",
    keys: [],
    python: 'v.load("view.json")',
    run: (page) => page.keeping.choose(),
  },
  {
    id: "palette",
    group: "Page",
    title: "All actions and keys",
    keys: ["h", "?"],
    python: "",
    run: (page) => {
      page.palette.value = !page.palette.peek();
    },
  },
  {
    id: "sidebar",
    group: "Page",
    title: "Layer panel: show or hide",
    keys: ["l"],
    python: "",
    run: (page) => {
      page.sidebar.value = !page.sidebar.peek();
    },
  },
  {
    id: "notices",
    group: "Page",
    title: "Messages: show or hide",
    keys: ["n"],
    python: "v.errors",
    run: (page) => {
      page.noticeList.value = !page.noticeList.peek();
    },
  },
  {
    id: "copy-session",
    group: "Page",
    title: "Copy this page's session id",
    keys: [],
    python: "v.sessions",
    enabled: (page) => page.session.peek() !== null,
    run: (page) => void copySession(page),
  },
  {
    id: "statistics",
    group: "Page",
    title: "Statistics and memory: show or hide",
    keys: ["\\"],
    python: "",
    run: (page) => {
      page.statistics.value = !page.statistics.peek();
    },
  },
  {
    id: "retry",
    group: "Page",
    title: "Load again what failed",
    keys: ["r"],
    python: "image.refresh()",
    run: (page) => page.renderer.peek()?.retry(),
  },
];

const BY_ID = new Map(ACTIONS.map((action) => [action.id, action]));

/** An action by its id; asking for one that isn't there is a mistake in the program. */
export function action(id: string): Action {
  const found = BY_ID.get(id);
  if (found === undefined) throw new Error(`no action ${id}`);
  return found;
}

const NAMES: Readonly<Record<string, string>> = {
  " ": "Space",
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
};

/** A key as it is written on a keyboard. */
export function keyName(key: string): string {
  const parts = key.length === 1 ? [key] : key.split("+");
  return parts
    .map((part) => NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : part))
    .join(" ");
}

/** The text of a button's hint: what it does and with which key. */
export function hint(id: string): string {
  const { title, keys } = action(id);
  const key = keys[0];
  return key === undefined ? title : `${title} (${keyName(key)})`;
}

/** Does an action by its id, when it can be done. */
export function perform(page: Page, id: string): void {
  const found = action(id);
  if (found.enabled?.(page) !== false) found.run(page);
}
