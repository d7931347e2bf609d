// What Python has to do with the page beside the document: the events that it listens to are sent,
// and the actions that it has added can be done.
import { effect } from "@preact/signals";
import type { Event as Told, Pointer, Run } from "../wire/types";
import type { Action } from "./actions";
import type { Cursor, Layer, Page } from "./page";

type Modifier = Pointer["modifiers"][number];

interface Held {
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

const NONE: Held = { shiftKey: false, ctrlKey: false, altKey: false, metaKey: false };

function modifiers(held: Held): Modifier[] {
  const all: readonly (readonly [Modifier, boolean])[] = [
    ["Shift", held.shiftKey],
    ["Control", held.ctrlKey],
    ["Alt", held.altKey],
    ["Meta", held.metaKey],
  ];
  return all.filter(([, is]) => is).map(([name]) => name);
}

const NOWHERE: Pointer = {
  panel: null,
  position: null,
  layer: null,
  index: null,
  value: null,
  label: null,
  modifiers: [],
};

/** What is under the cursor, as Python is told it. */
function pointerAt(page: Page, cursor: Cursor | null, held: Held): Pointer {
  if (cursor === null) return { ...NOWHERE, modifiers: modifiers(held) };
  const { panel, pick } = cursor;
  const nothing = panel.kind === "3d" && pick === null;
  const values = nothing ? [] : page.values.peek();
  const there = values.filter((value) => value.index !== null);
  const onTop =
    pick?.surface ??
    values.find((value) => value.layer === pick?.layer) ??
    there.find((value) => value.value !== "0" || !isLabels(page, value.layer)) ??
    there[0];
  return {
    panel: panel.kind,
    position: nothing ? null : [...cursor.position],
    layer: pick?.layer ?? onTop?.layer ?? null,
    index: onTop === undefined || onTop.index === null ? null : [...onTop.index],
    value: onTop?.value ?? null,
    label: pick?.label ?? null,
    modifiers: modifiers(held),
  };
}

function isLabels(page: Page, id: string): boolean {
  return page.layers.peek()[id]?.kind === "labels";
}

function listens(page: Page, event: Told["event"]): boolean {
  return page.document.peek()?.listening.includes(event) === true;
}

function tell(page: Page, told: Partial<Told> & Pick<Told, "event" | "pointer">): void {
  page.send({ type: "event", button: "left", clicks: 1, key: "", ...told });
}

const BUTTONS = ["left", "middle", "right"] as const;

/** A button was pressed and released in its place. */
export function tellClick(
  page: Page,
  place: readonly [number, number],
  event: PointerEvent,
  clicks: 1 | 2,
): void {
  const button = BUTTONS[event.button];
  if (!listens(page, "click") || button === undefined) return;
  page.point(place);
  tell(page, {
    event: "click",
    pointer: pointerAt(page, page.cursor.peek(), event),
    button,
    clicks,
  });
}

/** A key stroke as Python spells it; null for those that are part of another, or the browser's. */
function spelled(stroke: Held & { readonly key: string }): string | null {
  const { key } = stroke;
  if (["Shift", "Control", "Alt", "Meta", "AltGraph", "Dead", "Process"].includes(key)) return null;
  if (stroke.ctrlKey || stroke.metaKey) return null;
  const name = key.length === 1 ? key.toLowerCase() : key;
  const shift = stroke.shiftKey && (key.length > 1 || name !== key.toUpperCase());
  return `${shift ? "Shift+" : ""}${stroke.altKey ? "Alt+" : ""}${name}`;
}

export function tellKey(page: Page, event: KeyboardEvent): void {
  const key = spelled(event);
  if (key === null || !listens(page, "key")) return;
  tell(page, { event: "key", pointer: pointerAt(page, page.cursor.peek(), event), key });
}

/** Sends where the pointer is, each time that something else is under it; returns what ends it. */
export function tellHover(page: Page): () => void {
  let held = NONE;
  const onEvent = (event: PointerEvent | KeyboardEvent): void => {
    held = event;
  };
  window.addEventListener("pointermove", onEvent, { capture: true, passive: true });
  window.addEventListener("keydown", onEvent, true);
  let last = "";
  const stop = effect(() => {
    const cursor = page.cursor.value;
    const { value: values } = page.values;
    const wanted = page.document.value?.listening.includes("hover") === true;
    if (!wanted || (cursor === null && values.length > 0)) return;
    const pointer = pointerAt(page, cursor, held);
    const text = JSON.stringify(pointer);
    if (text === last || (last === "" && cursor === null)) return;
    last = text;
    tell(page, { event: "hover", pointer });
  });
  return () => {
    stop();
    window.removeEventListener("pointermove", onEvent, true);
    window.removeEventListener("keydown", onEvent, true);
  };
}

/** Has Python do one of its actions. */
function run(page: Page, action: string, layer: string | null, held: Held): void {
  const told: Run = {
    type: "run",
    action,
    pointer: pointerAt(page, page.cursor.peek(), held),
    layer,
  };
  if (page.send(told)) return;
  page.notices.add({
    kind: "closed",
    message: "Python is not connected, and does nothing now.",
  });
}

/** Whether an action is offered by a layer's menu. */
function fits(place: string | null, layer: Layer | null): boolean {
  return place === null || (layer !== null && (place === layer.id || place === layer.kind));
}

/** What Python has added, as actions like the page's own. */
export function pythonActions(page: Page): readonly Action[] {
  return Object.entries(page.document.value?.actions ?? {}).map(([id, { title, key, layer }]) => ({
    id: `python-${id}`,
    group: "Python",
    title,
    keys: key === null ? [] : [key],
    python: "",
    enabled: () => layer === null || fits(layer, page.layers.peek()[layer] ?? page.active.peek()),
    run: () => {
      const own = page.layers.peek()[layer ?? ""];
      const active = layer === null ? null : page.active.peek();
      run(page, id, own?.id ?? active?.id ?? null, NONE);
    },
  }));
}

/** The entries that Python has added to the menu of a layer. */
export function layerActions(
  page: Page,
  layer: Layer,
): readonly { readonly title: string; readonly key: string | null; run(): void }[] {
  return Object.entries(page.document.value?.actions ?? {})
    .filter(([, action]) => action.layer !== null && fits(action.layer, layer))
    .map(([id, { title, key }]) => ({ title, key, run: () => run(page, id, layer.id, NONE) }));
}

/** The action of Python's with this key, if there is one that can be done now. */
export function pythonActionFor(page: Page, event: KeyboardEvent): Action | null {
  const key = spelled(event);
  if (key === null) return null;
  const found = pythonActions(page).find((action) => action.keys.includes(key));
  return found?.enabled?.(page) === true ? found : null;
}
