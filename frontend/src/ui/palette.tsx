// The palette: every action with its key and its Python line, found by typing.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { ACTIONS, keyName, type Action } from "./actions";
import { useDismiss } from "./fields";
import { Icon } from "./icons";
import type { Page } from "./page";
import { pythonActions } from "./python";

/** What the pointer does: listed with the actions, so that all is found in one place. */
const POINTER: readonly (readonly [gesture: string, meaning: string])[] = [
  ["Wheel", "Slices; in 3-D, zoom. With Shift, ten at a time"],
  ["Ctrl or ⌘ + wheel, pinch", "Zoom at the pointer"],
  ["Drag", "Pan; in 3-D, turn. With Shift, pan there too"],
  ["Shift + drag", "Tilt the slices"],
  ["Alt + drag", "Turn the slices in their plane"],
  ["Right-drag", "Contrast of the active image: across its width, up and down its level"],
  ["Click", "Move the crosshair"],
  ["Double-click", "Select or deselect a label"],
];

/** Actions that contain every word, in their order. */
export function search(actions: readonly Action[], text: string): readonly Action[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return actions.filter(({ title, group, python, keys }) => {
    const all = `${title} ${group} ${python} ${keys.map(keyName).join(" ")}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

export function Palette({ page }: { readonly page: Page }) {
  return page.palette.value ? <OpenPalette page={page} /> : null;
}

function OpenPalette({ page }: { readonly page: Page }) {
  const [text, setText] = useState("");
  const [mark, setMark] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const before = useRef(document.activeElement);
  const close = (): void => {
    page.palette.value = false;
    if (before.current instanceof HTMLElement) before.current.focus();
  };
  const element = useDismiss(true, close);
  const added = pythonActions(page);
  const shown = useMemo(
    () => search([...added, ...ACTIONS], text),
    [text, page.document.value?.actions],
  );

  useLayoutEffect(() => input.current?.focus(), []);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [mark, text]);

  const run = (chosen: Action): void => {
    if (chosen.enabled?.(page) === false) return;
    close();
    if (chosen.id !== "palette") chosen.run(page);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step !== undefined) {
      setMark(Math.min(Math.max(mark + step, 0), shown.length - 1));
    } else if (event.key === "Enter") {
      const chosen = shown[mark];
      if (chosen !== undefined) run(chosen);
    } else if (event.key !== "Tab") {
      return;
    }
    // Tab has nowhere to go: the palette is the only thing that can be used while it is open.
    event.preventDefault();
  };

  return (
    <div class="backdrop">
      <div class="palette" ref={element} role="dialog" aria-modal="true" aria-label="All actions">
        <div class="search">
          <Icon name="search" />
          <input
            ref={input}
            type="text"
            placeholder="What do you want to do?"
            aria-label="Find an action"
            role="combobox"
            aria-expanded="true"
            aria-controls="palette-options"
            aria-activedescendant={
              shown[mark] === undefined ? undefined : `action-${shown[mark].id}`
            }
            spellcheck={false}
            value={text}
            onInput={(event) => {
              setText(event.currentTarget.value);
              setMark(0);
            }}
            onKeyDown={onKeyDown}
          />
          <kbd>Esc</kbd>
        </div>
        <div class="palette-body">
          <div class="options" id="palette-options" role="listbox" aria-label="Actions" ref={list}>
            {shown.map((entry, index) => (
              <div key={entry.id}>
                {entry.group !== shown[index - 1]?.group && <h4>{entry.group}</h4>}
                <div
                  id={`action-${entry.id}`}
                  class="option"
                  role="option"
                  aria-selected={index === mark}
                  aria-disabled={entry.enabled?.(page) === false}
                  onPointerMove={() => setMark(index)}
                  onClick={() => run(entry)}
                >
                  <span>{entry.title}</span>
                  <code>{entry.python}</code>
                  <span class="action-keys">
                    {entry.keys.map((key) => (
                      <kbd key={key}>{keyName(key)}</kbd>
                    ))}
                  </span>
                </div>
              </div>
            ))}
            {shown.length === 0 && <p class="sidebar-note">Nothing of that name.</p>}
            {text === "" && <Pointer />}
          </div>
        </div>
      </div>
    </div>
  );
}

function Pointer() {
  return (
    <div class="pointer-table">
      <h4>Pointer</h4>
      <dl>
        {POINTER.map(([gesture, meaning]) => (
          <div key={gesture}>
            <dt>{gesture}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
