// Where one looks: slices, their turn, points in time.
import type { Document, Slider } from "../../wire/types";
import {
  isStraight,
  pan,
  rotate,
  stepSample,
  stepSlice,
  straightenSlices,
  turnSlices,
  type About,
} from "../navigation";
import type { Page } from "../page";
import type { Action } from "./action";

/** Slices that Shift jumps. */
export const JUMP = 10;

/** CSS pixels that an arrow key moves the view. */
const SHIFT = 40;

/** Radians that a key turns the slices: six make a quarter. */
const SLICE_TURN = Math.PI / 12;

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

export const NAVIGATE: readonly Action[] = [
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
];
