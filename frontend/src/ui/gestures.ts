// The pointer on the picture: one listener for the whole canvas. Wheel = slice, Ctrl + wheel or
// pinch = zoom, drag = pan (3-D: rotate), Shift + drag = tilt the slices, Alt + drag = turn them in
// their plane, right-drag = contrast, click = crosshair, double-click = pick a label.
import { computed } from "@preact/signals";
import { panelAt, panelMiddle, type Panel, type Position } from "../math/panel";
import { screenToWorld } from "../math/view";
import { JUMP } from "./actions";
import { setLimits, windowLevel } from "./contrast";
import { Glide } from "./glide";
import { moveTo, pan, rotate, stepSlice, tiltSlices, turnSlices, zoomAt } from "./navigation";
import type { Page } from "./page";
import { tellClick } from "./python";

/** CSS pixels that a pressed pointer may tremble and still click. */
const TREMBLE = 4;

/** Milliseconds in which a second click makes a double-click; a single one acts when they passed. */
const DOUBLE = 260;

/** CSS pixels of a smooth wheel (trackpad) for one slice. A notch of a mouse wheel has more. */
const SLICE_SCROLL = 30;
const NOTCH = 50;

/** Pixels of wheel that zoom by e. */
const ZOOM_SCROLL = 300;

type Mode = "press" | "pan" | "rotate" | "tilt" | "spin" | "contrast" | "pinch";

interface Touch {
  x: number;
  y: number;
}

interface Drag {
  readonly panel: Panel;
  readonly startX: number;
  readonly startY: number;
  readonly button: number;
  mode: Mode;
  /** Limits of the image when a contrast drag began. */
  limits: readonly [number, number];
}

interface Click {
  readonly time: number;
  readonly x: number;
  readonly y: number;
  readonly layer: string | null;
  readonly label: string | null;
}

function isMouseNotch(event: WheelEvent): boolean {
  return event.deltaMode !== WheelEvent.DOM_DELTA_PIXEL || Math.abs(wheelDelta(event)) >= NOTCH;
}

/** Browsers turn Shift + wheel into a sideways wheel. */
function wheelDelta(event: WheelEvent): number {
  const delta = Math.abs(event.deltaY) >= Math.abs(event.deltaX) ? event.deltaY : event.deltaX;
  return event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? delta : delta * 32;
}

export class Gestures {
  readonly #page: Page;
  readonly #element: HTMLElement;
  readonly #glide: Glide;
  readonly #touches = new Map<number, Touch>();
  #drag: Drag | null = null;
  #click: Click | null = null;
  #clickTimer: ReturnType<typeof setTimeout> | undefined;
  #scrolled = 0;
  #spread = 0;
  #hover: readonly [number, number] | null = null;
  #hoverFrame = 0;
  readonly #stopFollowing: () => void;

  constructor(page: Page, element: HTMLElement) {
    this.#page = page;
    this.#element = element;
    this.#glide = new Glide((position) => page.edit(() => moveTo(position)));
    element.addEventListener("wheel", this.#onWheel, { passive: false });
    element.addEventListener("pointerdown", this.#onDown);
    element.addEventListener("pointermove", this.#onMove);
    element.addEventListener("pointerup", this.#onUp);
    element.addEventListener("pointercancel", this.#onCancel);
    element.addEventListener("pointerleave", this.#onLeave);
    element.addEventListener("contextmenu", this.#onContextMenu);
    // The picture may change under a pointer that rests: Python moves it, or voxels arrive.
    const picture = computed(() => [page.view.value, page.layers.value, page.status.value.settled]);
    this.#stopFollowing = picture.subscribe(() => {
      if (this.#hover !== null) this.#point(this.#hover);
    });
  }

  dispose(): void {
    const element = this.#element;
    clearTimeout(this.#clickTimer);
    cancelAnimationFrame(this.#hoverFrame);
    this.#glide.stop();
    this.#stopFollowing();
    element.removeEventListener("wheel", this.#onWheel);
    element.removeEventListener("pointerdown", this.#onDown);
    element.removeEventListener("pointermove", this.#onMove);
    element.removeEventListener("pointerup", this.#onUp);
    element.removeEventListener("pointercancel", this.#onCancel);
    element.removeEventListener("pointerleave", this.#onLeave);
    element.removeEventListener("contextmenu", this.#onContextMenu);
  }

  #place(event: MouseEvent): readonly [number, number] {
    const box = this.#element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #panel(x: number, y: number): Panel | null {
    return panelAt(this.#page.panels.peek(), x, y);
  }

  /** The cursor, at most once a frame: reading what lies under it isn't free. */
  #point(place: readonly [number, number] | null): void {
    this.#hover = place;
    if (this.#hoverFrame !== 0) return;
    this.#hoverFrame = requestAnimationFrame(() => {
      this.#hoverFrame = 0;
      this.#page.point(this.#hover);
    });
  }

  readonly #onWheel = (event: WheelEvent): void => {
    const [x, y] = this.#place(event);
    const panel = this.#panel(x, y);
    if (panel === null || this.#page.empty.peek()) return;
    event.preventDefault();
    this.#glide.stop();
    const delta = wheelDelta(event);
    const { panels } = this.#page;
    if (event.ctrlKey || event.metaKey || panel.kind === "3d") {
      // A pinch on a trackpad comes as small Ctrl + wheel steps, which need more weight.
      const weight = event.ctrlKey && !isMouseNotch(event) ? 4 : 1;
      const factor = Math.exp((-delta * weight) / ZOOM_SCROLL);
      this.#page.edit((document) => zoomAt(document, panels.peek(), panel, factor, x, y));
    } else {
      const { kind } = panel;
      const steps = this.#slices(event, delta) * (event.shiftKey ? JUMP : 1);
      if (steps !== 0) this.#page.edit((document) => stepSlice(document, kind, steps));
    }
    this.#point([x, y]);
  };

  #slices(event: WheelEvent, delta: number): number {
    if (isMouseNotch(event)) {
      this.#scrolled = 0;
      return Math.sign(delta);
    }
    this.#scrolled += delta;
    const steps = Math.trunc(this.#scrolled / SLICE_SCROLL);
    this.#scrolled -= steps * SLICE_SCROLL;
    return steps;
  }

  readonly #onDown = (event: PointerEvent): void => {
    // What lies over the picture and takes presses has its own use for them.
    if (!(event.target instanceof HTMLCanvasElement) || event.button > 2) return;
    const [x, y] = this.#place(event);
    const panel = this.#panel(x, y);
    if (panel === null) return;
    this.#glide.stop();
    // A press takes the focus away from a field, as it would anywhere else on a page.
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    this.#touches.set(event.pointerId, { x, y });
    this.#element.setPointerCapture(event.pointerId);
    if (this.#touches.size > 1) {
      this.#spread = this.#distance();
      if (this.#drag !== null) this.#drag.mode = "pinch";
      return;
    }
    const image = this.#page.imageInMind();
    this.#drag = {
      panel,
      startX: x,
      startY: y,
      button: event.button,
      mode: "press",
      limits: image?.style.contrast_limits ?? [0, 1],
    };
  };

  readonly #onMove = (event: PointerEvent): void => {
    const [x, y] = this.#place(event);
    const before = this.#touches.get(event.pointerId);
    const drag = this.#drag;
    if (before === undefined || drag === null) {
      this.#point([x, y]);
      return;
    }
    const [dx, dy] = [x - before.x, y - before.y];
    if (drag.mode === "press") {
      if (Math.hypot(x - drag.startX, y - drag.startY) < TREMBLE) return;
      drag.mode = modeFor(drag, event);
      this.#element.dataset["drag"] = drag.mode;
      this.#forgetClick();
    }
    this.#touches.set(event.pointerId, { x, y });
    this.#move(drag, x, y, dx, dy);
    this.#point(drag.mode === "rotate" ? null : [x, y]);
  };

  #move(drag: Drag, x: number, y: number, dx: number, dy: number): void {
    const page = this.#page;
    const panels = page.panels.peek();
    switch (drag.mode) {
      case "pan":
        page.edit((document) => pan(document, panels, drag.panel, dx, dy));
        break;
      case "rotate":
        page.edit((document) => rotate(document, dx, dy));
        break;
      case "tilt":
      case "spin": {
        const { kind } = drag.panel;
        if (kind === "3d") return;
        const angle = angleAbout(panelMiddle(drag.panel), [x - dx, y - dy], [x, y]);
        page.edit((document) =>
          drag.mode === "tilt"
            ? tiltSlices(document, kind, dx, dy)
            : turnSlices(document, kind, "away", angle),
        );
        break;
      }
      case "contrast": {
        const image = page.imageInMind();
        if (image === null) return;
        const limits = windowLevel(drag.limits, x - drag.startX, y - drag.startY);
        page.store.edit(setLimits(image, limits));
        break;
      }
      case "pinch": {
        const spread = this.#distance();
        const factor = this.#spread > 0 ? spread / this.#spread : 1;
        this.#spread = spread;
        const [middleX, middleY] = this.#middle();
        page.edit((document) => zoomAt(document, panels, drag.panel, factor, middleX, middleY));
        page.edit((document) => pan(document, panels, drag.panel, dx / 2, dy / 2));
        break;
      }
      case "press":
        break;
    }
  }

  #distance(): number {
    const [a, b] = [...this.#touches.values()];
    return a === undefined || b === undefined ? 0 : Math.hypot(a.x - b.x, a.y - b.y);
  }

  #middle(): readonly [number, number] {
    const touches = [...this.#touches.values()];
    const sum = touches.reduce((total, { x, y }) => ({ x: total.x + x, y: total.y + y }), {
      x: 0,
      y: 0,
    });
    return [sum.x / touches.length, sum.y / touches.length];
  }

  readonly #onUp = (event: PointerEvent): void => {
    const drag = this.#drag;
    const [x, y] = this.#place(event);
    this.#release(event.pointerId);
    if (drag?.mode !== "press") return;
    const again = drag.button === 0 && this.#isSecond(x, y);
    tellClick(this.#page, [x, y], event, again ? 2 : 1);
    if (drag.button === 0) this.#clicked(drag.panel, x, y);
  };

  readonly #onCancel = (event: PointerEvent): void => this.#release(event.pointerId);

  #release(pointer: number): void {
    this.#touches.delete(pointer);
    if (this.#touches.size > 0) {
      // The other finger stays a moment longer, or drags on: alone it has no distance to zoom by.
      if (this.#touches.size === 1 && this.#drag?.mode === "pinch") this.#drag.mode = "pan";
      this.#spread = this.#distance();
      return;
    }
    this.#drag = null;
    delete this.#element.dataset["drag"];
  }

  readonly #onLeave = (): void => {
    if (this.#drag === null) this.#point(null);
  };

  readonly #onContextMenu = (event: MouseEvent): void => event.preventDefault();

  /** A click moves the crosshair, unless a second one follows and picks the label. */
  #clicked(panel: Panel, x: number, y: number): void {
    const first = this.#click;
    const now = performance.now();
    if (this.#isSecond(x, y)) {
      this.#forgetClick();
      if (first !== null && first.layer !== null && first.label !== null) {
        this.#page.toggleLabel(first.layer, first.label);
      }
      return;
    }
    this.#forgetClick();
    const pick = this.#page.renderer.peek()?.pick(x, y) ?? null;
    this.#click = { time: now, x, y, layer: pick?.layer ?? null, label: pick?.label ?? null };
    this.#clickTimer = setTimeout(() => {
      this.#click = null;
      this.#moveCrosshair(panel, x, y);
    }, DOUBLE);
  }

  /** Whether a click here is the second of a double-click. */
  #isSecond(x: number, y: number): boolean {
    const first = this.#click;
    return (
      first !== null &&
      performance.now() - first.time < 2 * DOUBLE &&
      Math.hypot(x - first.x, y - first.y) < 8
    );
  }

  #forgetClick(): void {
    clearTimeout(this.#clickTimer);
    this.#click = null;
  }

  #moveCrosshair(panel: Panel, x: number, y: number): void {
    const document = this.#page.document.peek();
    if (document === null || panel.kind === "3d") return;
    const target: Position = screenToWorld(document, this.#page.panels.peek(), panel, x, y);
    this.#glide.start(document.view.center, target);
  }
}

function modeFor(drag: Drag, event: PointerEvent): Mode {
  if (drag.button === 2) return "contrast";
  if (drag.button !== 0) return "pan";
  if (drag.panel.kind === "3d") return event.shiftKey ? "pan" : "rotate";
  return event.shiftKey ? "tilt" : event.altKey ? "spin" : "pan";
}

/** Radians from one point of the screen to another about a third, the shorter way. */
function angleAbout(
  [x, y]: readonly [number, number],
  from: readonly [number, number],
  to: readonly [number, number],
): number {
  const [ax, ay, bx, by] = [from[0] - x, from[1] - y, to[0] - x, to[1] - y];
  return Math.atan2(ax * by - ay * bx, ax * bx + ay * by);
}
