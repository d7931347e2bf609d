// The layers, topmost first: chosen, shown, renamed, removed, and put in order by dragging or with
// Alt + arrow keys.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { formatColor, shownColor } from "../math/label-color";
import { gradient } from "./colormaps";
import { IconButton } from "./fields";
import { Icon } from "./icons";
import { moveLayer, removeLayer } from "./layer-edits";
import { LayerMenu } from "./layer-menu";
import type { Layer, Page } from "./page";
import { lengthText } from "./units";

/** CSS pixels that a press may move before it is a drag. */
const TREMBLE = 4;

/** Milliseconds in which a removal wants to be confirmed. */
const CONFIRM = 4000;

/** Rows beyond which the list scrolls by itself, and the active layer's controls stay in sight. */
const MANY = 8;

const KINDS = { image: "Image", labels: "Labels", surface: "Surface" } as const;

interface DragState {
  readonly id: string;
  /** Place among the rows, topmost first, where the layer would land: 0 … count. */
  readonly gap: number;
}

export function LayerList({ page }: { readonly page: Page }) {
  const list = useRef<HTMLOListElement>(null);
  const [drag, setDrag] = useState<DragState | null>(null);
  const layers = page.layers.value;
  const rows = [...page.order.value].reverse().filter((id) => layers[id] !== undefined);
  if (rows.length === 0) return <p class="sidebar-note">No layers.</p>;

  const gapAt = (clientY: number): number => {
    const items = [...(list.current?.children ?? [])];
    const middles = items.map((item) => {
      const box = item.getBoundingClientRect();
      return box.top + box.height / 2;
    });
    const first = middles.findIndex((middle) => clientY < middle);
    return first === -1 ? items.length : first;
  };

  const drop = (): void => {
    if (drag !== null) {
      const from = rows.indexOf(drag.id);
      const to = drag.gap > from ? drag.gap - 1 : drag.gap;
      // Rows are topmost first, the document bottom first.
      page.edit((document) => moveLayer(document, drag.id, rows.length - 1 - to));
    }
    setDrag(null);
  };

  const focusRow = (index: number): void => {
    const names = list.current?.querySelectorAll<HTMLButtonElement>(".layer-name");
    names?.[Math.min(Math.max(index, 0), names.length - 1)]?.focus();
  };

  return (
    <ol class={rows.length > MANY ? "layers many" : "layers"} ref={list}>
      {rows.map((id, index) => {
        const layer = layers[id];
        if (layer === undefined) return null;
        const marks = [
          drag?.id === id ? "dragged" : "",
          drag !== null && drag.gap === index ? "drop-before" : "",
          drag !== null && drag.gap === rows.length && index === rows.length - 1
            ? "drop-after"
            : "",
        ];
        return (
          <LayerRow
            key={id}
            page={page}
            layer={layer}
            number={rows.length - index}
            marks={marks.join(" ")}
            onDrag={(clientY) => setDrag({ id, gap: gapAt(clientY) })}
            onDrop={drop}
            onCancel={() => setDrag(null)}
            onStep={(by) => focusRow(index + by)}
          />
        );
      })}
    </ol>
  );
}

interface RowProps {
  readonly page: Page;
  readonly layer: Layer;
  /** Counted from the bottom, as the keys 1 to 9. */
  readonly number: number;
  readonly marks: string;
  onDrag(clientY: number): void;
  onDrop(): void;
  onCancel(): void;
  onStep(by: number): void;
}

function LayerRow({ page, layer, number, marks, onDrag, onDrop, onCancel, onStep }: RowProps) {
  const press = useRef<{ y: number; dragging: boolean } | null>(null);
  const { id } = layer;
  const row = useRef<HTMLLIElement>(null);
  const active = page.active.value?.id === id;
  useEffect(() => {
    if (active) row.current?.scrollIntoView({ block: "nearest" });
  }, [active]);
  const activate = (): void => {
    if (!active) page.put(id, "active");
  };

  const onPointerDown = (event: PointerEvent): void => {
    if (event.button !== 0 || !(event.target instanceof Element)) return;
    if (event.target.closest("input, .icon-button, .remove, .layer-menu") !== null) return;
    press.current = { y: event.clientY, dragging: false };
  };
  const onPointerMove = (event: PointerEvent): void => {
    const held = press.current;
    if (held === null) return;
    if (!held.dragging && Math.abs(event.clientY - held.y) < TREMBLE) return;
    // Captured only now: a captured press would take click and double-click from the name.
    if (!held.dragging) (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    held.dragging = true;
    onDrag(event.clientY);
  };
  const onPointerUp = (): void => {
    const held = press.current;
    press.current = null;
    if (held === null) return;
    if (held.dragging) onDrop();
    else activate();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const up = event.key === "ArrowUp";
    if (event.target instanceof HTMLInputElement || (!up && event.key !== "ArrowDown")) return;
    event.preventDefault();
    if (event.altKey) {
      event.stopPropagation();
      page.edit((document) => moveLayer(document, id, number - 1 + (up ? 1 : -1)));
    } else {
      onStep(up ? -1 : 1);
    }
  };

  return (
    <li
      ref={row}
      class={`layer ${active ? "active" : ""} ${layer.visible ? "" : "unseen"} ${marks}`}
      data-layer={id}
      aria-current={active}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerLeave={() => {
        if (press.current?.dragging === false) press.current = null;
      }}
      onPointerCancel={() => {
        press.current = null;
        onCancel();
      }}
      onKeyDown={onKeyDown}
    >
      <IconButton
        icon={layer.visible ? "eye" : "eye-off"}
        label={layer.visible ? `Hide ${layer.name}` : `Show ${layer.name}`}
        pressed={layer.visible}
        onClick={() => page.put(!layer.visible, "layers", id, "visible")}
      />
      <Tint page={page} layer={layer} />
      <Name page={page} layer={layer} activate={activate} />
      <span class="kind" title={KINDS[layer.kind]}>
        <Icon name={layer.kind === "surface" ? "cube" : layer.kind} size={14} />
      </span>
      <LayerMenu page={page} layer={layer} />
      <span class="layer-end">
        {number <= 9 && <kbd title={`Key ${number}`}>{number}</kbd>}
        <Remove page={page} layer={layer} />
      </span>
    </li>
  );
}

function Tint({ page, layer }: { readonly page: Page; readonly layer: Layer }) {
  if (layer.kind === "labels") {
    return (
      <span class="tint labels" title="Labels, each in its own colour">
        {["1", "2", "3", "4"].map((label) => (
          <span key={label} style={{ background: formatColor(shownColor(label, layer.style)) }} />
        ))}
      </span>
    );
  }
  if (layer.kind === "surface" && !layer.valued) {
    return <span class="tint" title="Surface" style={{ background: layer.style.color }} />;
  }
  const { colormap } = layer.style;
  return (
    <span
      class="tint"
      title={`${KINDS[layer.kind]}, colour map ${colormap}`}
      style={{ backgroundImage: gradient(page.colormaps.colors(colormap)) }}
    />
  );
}

/** Shape and dtype, as the name's hint says them. */
function describe(page: Page, layer: Layer): string {
  if (layer.kind === "surface") {
    const count = (number: number): string => number.toLocaleString("en");
    return `${layer.name}\n${count(layer.vertices)} vertices, ${count(layer.faces)} faces`;
  }
  const level = layer.data.levels[0];
  if (level === undefined) return layer.data.dtype;
  const axes = layer.data.axes.map((axis) => axis.name).join(", ");
  const units = page.view.peek()?.units ?? "";
  const spatial = layer.data.axes.flatMap((axis, index) =>
    axis.kind === "space" ? [lengthText(level.scale[index] ?? 1, units)] : [],
  );
  const size = units === "" ? "" : `\nvoxels of ${spatial.join(" × ")}`;
  return `${layer.name}\n${level.shape.join(" × ")} (${axes}), ${layer.data.dtype}${size}`;
}

interface NameProps {
  readonly page: Page;
  readonly layer: Layer;
  activate(): void;
}

function Name({ page, layer, activate }: NameProps) {
  const input = useRef<HTMLInputElement>(null);
  const editing = page.renaming.value === layer.id;
  // Before the next paint: a name typed at once must not become a row of commands.
  useLayoutEffect(() => {
    if (!editing) return;
    input.current?.focus();
    input.current?.select();
  }, [editing]);
  const finish = (name: string | null): void => {
    page.renaming.value = null;
    const clean = name?.trim() ?? "";
    if (clean !== "" && clean !== layer.name) page.put(clean, "layers", layer.id, "name");
  };
  if (editing) {
    return (
      <input
        ref={input}
        class="layer-rename"
        type="text"
        aria-label="Name of the layer"
        defaultValue={layer.name}
        onBlur={(event) => {
          if (page.renaming.peek() === layer.id) finish(event.currentTarget.value);
        }}
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key === "Enter") finish(event.currentTarget.value);
          if (event.key === "Escape") finish(null);
        }}
      />
    );
  }
  return (
    <button
      type="button"
      class="layer-name"
      title={describe(page, layer)}
      onClick={activate}
      onDblClick={() => {
        page.renaming.value = layer.id;
      }}
    >
      {layer.name}
    </button>
  );
}

function Remove({ page, layer }: { readonly page: Page; readonly layer: Layer }) {
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    if (!asked) return;
    const timer = setTimeout(() => setAsked(false), CONFIRM);
    return () => clearTimeout(timer);
  }, [asked]);
  if (!asked) {
    return (
      <IconButton
        icon="close"
        label={`Remove ${layer.name}`}
        class="only-hover"
        onClick={() => setAsked(true)}
      />
    );
  }
  return (
    <button
      type="button"
      class="remove"
      autoFocus
      onBlur={() => setAsked(false)}
      onClick={() => page.edit((document) => removeLayer(document, layer.id))}
    >
      Remove?
    </button>
  );
}
