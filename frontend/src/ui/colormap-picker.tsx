// Chooses an image's colour map: a button that shows the present one, and below it, when open, the
// list of all with previews, by category, found by typing.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ImageLayer, SurfaceLayer } from "../wire/types";
import { TINTS, gradient, type Colormap } from "./colormaps";
import { useDismiss } from "./fields";
import { Icon } from "./icons";
import type { Page } from "./page";

interface PickerProps {
  readonly page: Page;
  readonly layer: ImageLayer | SurfaceLayer;
}

/** Categories in the order in which they are wanted; others follow. */
const CATEGORIES = ["sequential", "cyclic", "diverging", "qualitative", "miscellaneous"];

function rank(category: string): number {
  const place = CATEGORIES.indexOf(category);
  return place === -1 ? CATEGORIES.length : place;
}

/** The maps whose name or category contains the text, by category. */
export function found(list: readonly Colormap[], text: string): readonly Colormap[] {
  const wanted = text.trim().toLowerCase();
  return list
    .filter(({ name, category }) => `${name} ${category}`.toLowerCase().includes(wanted))
    .sort((a, b) => rank(a.category) - rank(b.category));
}

export function ColormapPicker({ page, layer }: PickerProps) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const close = (): void => setOpen(false);
  const element = useDismiss(open, close);
  const { colormap } = layer.style;
  const choose = (name: string): void => page.put(name, "layers", layer.id, "style", "colormap");
  return (
    <div class="colormap-picker" ref={element}>
      <button
        ref={button}
        type="button"
        class="colormap-button"
        aria-haspopup="listbox"
        aria-expanded={open}
        aria-label={`Colour map: ${colormap}`}
        onClick={() => setOpen(!open)}
      >
        <span class="ramp" style={{ backgroundImage: gradient(page.colormaps.colors(colormap)) }} />
        <span class="colormap-name">{colormap}</span>
        <Icon name="chevron" size={12} />
      </button>
      {open && (
        <ColormapList
          page={page}
          present={colormap}
          choose={choose}
          done={() => {
            close();
            button.current?.focus();
          }}
        />
      )}
    </div>
  );
}

interface ListProps {
  readonly page: Page;
  readonly present: string;
  choose(name: string): void;
  done(): void;
}

function ColormapList({ page, present, choose, done }: ListProps) {
  const [text, setText] = useState("");
  const all = page.colormaps.list.value;
  const shown = useMemo(() => found(all, text), [all, text]);
  const [mark, setMark] = useState(-1);
  const list = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);

  useLayoutEffect(() => search.current?.focus(), []);
  useEffect(() => {
    list.current?.querySelector('[data-mark="true"]')?.scrollIntoView({ block: "nearest" });
  }, [mark]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const at = mark === -1 ? shown.findIndex(({ name }) => name === present) : mark;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const next = Math.min(
        Math.max(at + (event.key === "ArrowDown" ? 1 : -1), 0),
        shown.length - 1,
      );
      const chosen = shown[next];
      setMark(next);
      // The picture follows the arrow keys: that is how one finds the right map.
      if (chosen !== undefined) choose(chosen.name);
    } else if (event.key === "Enter") {
      const chosen = shown[mark === -1 && text !== "" ? 0 : at];
      if (chosen !== undefined) choose(chosen.name);
      done();
    } else {
      return;
    }
    event.preventDefault();
  };

  return (
    <div class="colormap-list">
      <div class="tints" role="group" aria-label="Tints">
        {TINTS.map(({ name, colors }) => (
          <button
            key={name}
            type="button"
            class="swatch"
            title={name}
            aria-label={`Tint ${name}`}
            aria-pressed={present === name}
            style={{ background: colors[1] }}
            onClick={() => choose(name)}
          />
        ))}
        <label class="swatch custom" title="Any colour">
          <Icon name="plus" size={12} />
          <input
            type="color"
            aria-label="Tint of any colour"
            value={/^#[0-9a-f]{6}$/i.test(present) ? present : "#ffffff"}
            onInput={(event) => choose(event.currentTarget.value)}
          />
        </label>
      </div>
      <div class="search">
        <Icon name="search" size={14} />
        <input
          ref={search}
          type="text"
          placeholder="Find a colour map"
          aria-label="Find a colour map"
          role="combobox"
          aria-expanded="true"
          aria-controls="colormap-options"
          aria-activedescendant={shown[mark] === undefined ? undefined : `colormap-${mark}`}
          spellcheck={false}
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setMark(-1);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <div class="options" id="colormap-options" role="listbox" aria-label="Colour maps" ref={list}>
        {shown.map(({ name, category, colors }, index) => (
          <div key={name}>
            {category !== shown[index - 1]?.category && <h4>{category}</h4>}
            <div
              id={`colormap-${index}`}
              class="option"
              role="option"
              aria-selected={name === present}
              data-mark={index === mark}
              onClick={() => {
                choose(name);
                done();
              }}
            >
              <span class="ramp" style={{ backgroundImage: gradient(colors) }} />
              <span>{name}</span>
            </div>
          </div>
        ))}
        {shown.length === 0 && <ListState page={page} any={all.length > 0} />}
      </div>
    </div>
  );
}

function ListState({ page, any }: { readonly page: Page; readonly any: boolean }) {
  if (any) return <p class="sidebar-note">No colour map of that name.</p>;
  if (!page.colormaps.failed.value) return <p class="sidebar-note">Loading…</p>;
  return (
    <p class="sidebar-note">
      The list could not be loaded.{" "}
      <button type="button" class="button small" onClick={() => page.colormaps.retry()}>
        Retry
      </button>
    </p>
  );
}
