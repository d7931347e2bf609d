// The dividers between the four panels: dragged, moved with the arrow keys, reset by double-click.
import type { Page } from "./page";

/** Fraction of the area that an arrow key moves a divider. */
const NUDGE = 0.02;

type Axis = 0 | 1;

export function Dividers({ page }: { readonly page: Page }) {
  const view = page.view.value;
  if (view === null || view.layout !== "4panel" || page.empty.value) return null;
  const [first] = page.panels.value;
  if (first === undefined) return null;
  const [x, y] = [first.left + first.width, first.top + first.height];
  return (
    <>
      <Divider page={page} axis={0} at={x} />
      <Divider page={page} axis={1} at={y} />
      <Corner page={page} x={x} y={y} />
    </>
  );
}

function within(value: number): number {
  return Math.min(Math.max(value, 0), 1);
}

function move(page: Page, axis: Axis, fraction: number): void {
  const split = page.view.peek()?.split;
  if (split === undefined) return;
  const next = axis === 0 ? [within(fraction), split[1]] : [split[0], within(fraction)];
  page.put(next, "view", "split");
}

/** Where in the panels' area the pointer is, as fractions. */
function fractions(page: Page, event: PointerEvent): readonly [number, number] | null {
  const stage = (event.currentTarget as HTMLElement).parentElement;
  const [width, height] = page.size.peek();
  const { top, right } = page.margins.peek();
  if (stage === null || width <= right || height <= top) return null;
  const box = stage.getBoundingClientRect();
  return [
    (event.clientX - box.left) / (width - right),
    (event.clientY - box.top - top) / (height - top),
  ];
}

function grab(event: PointerEvent): void {
  event.stopPropagation();
  if (event.button !== 0) return;
  (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
}

/** A divider that was dragged doesn't keep the arrow keys: those mean the picture again. */
function keepFocus(event: MouseEvent): void {
  event.preventDefault();
}

function held(event: PointerEvent): boolean {
  return (event.currentTarget as HTMLElement).hasPointerCapture(event.pointerId);
}

interface DividerProps {
  readonly page: Page;
  readonly axis: Axis;
  readonly at: number;
}

function Divider({ page, axis, at }: DividerProps) {
  const fraction = page.view.value?.split[axis] ?? 0.5;
  const { top, right } = page.margins.value;
  const onKeyDown = (event: KeyboardEvent): void => {
    const [less, more] = axis === 0 ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
    if (event.key === less) move(page, axis, fraction - NUDGE);
    else if (event.key === more) move(page, axis, fraction + NUDGE);
    else if (event.key === "Home") move(page, axis, 0.5);
    else return;
    event.preventDefault();
  };
  return (
    <div
      class={axis === 0 ? "divider vertical" : "divider horizontal"}
      role="separator"
      tabIndex={0}
      aria-label={axis === 0 ? "Divider, left and right" : "Divider, top and bottom"}
      aria-orientation={axis === 0 ? "vertical" : "horizontal"}
      aria-valuenow={Math.round(fraction * 100)}
      title="Drag to resize, double-click to reset"
      style={
        axis === 0 ? { left: `${at}px`, top: `${top}px` } : { top: `${at}px`, right: `${right}px` }
      }
      onMouseDown={keepFocus}
      onPointerDown={grab}
      onPointerMove={(event) => {
        const place = held(event) ? fractions(page, event) : null;
        if (place !== null) move(page, axis, place[axis]);
      }}
      onDblClick={() => move(page, axis, 0.5)}
      onKeyDown={onKeyDown}
    />
  );
}

function Corner({ page, x, y }: { readonly page: Page; readonly x: number; readonly y: number }) {
  return (
    <div
      class="divider corner"
      aria-hidden="true"
      style={{ left: `${x}px`, top: `${y}px` }}
      onMouseDown={keepFocus}
      onPointerDown={grab}
      onPointerMove={(event) => {
        const place = held(event) ? fractions(page, event) : null;
        if (place !== null) page.put(place.map(within), "view", "split");
      }}
      onDblClick={() => page.put([0.5, 0.5], "view", "split")}
    />
  );
}
