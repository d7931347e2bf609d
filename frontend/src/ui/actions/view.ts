// How the window looks: panels, zoom, overlays, theme.
import { panelMiddle } from "../../math/panel";
import { change } from "../../state/changes";
import type { Document } from "../../wire/types";
import { face, fit, zoomAt } from "../navigation";
import type { Page } from "../page";
import type { Action } from "./action";

type Layout = Document["view"]["layout"];

const ZOOM = 1.25;

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
  return {
    id: `camera-${kind}`,
    group: "View",
    title: `Look at ${kind} in 3-D`,
    keys: [],
    python: `v.view.camera.face("${kind}")`,
    run: (page) => page.edit((document) => face(document, kind)),
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

export const VIEW: readonly Action[] = [
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
];
