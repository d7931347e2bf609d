// The menu of a layer: what Python has added for it.
import { useEffect, useState } from "preact/hooks";
import { keyName } from "./actions";
import { IconButton, useDismiss } from "./fields";
import type { Layer, Page } from "./page";
import { layerActions } from "./python";

interface LayerMenuProps {
  readonly page: Page;
  readonly layer: Layer;
}

export function LayerMenu({ page, layer }: LayerMenuProps) {
  const [open, setOpen] = useState(false);
  const entries = layerActions(page, layer);
  const element = useDismiss(open, () => setOpen(false));
  useEffect(() => {
    if (open) element.current?.querySelector<HTMLButtonElement>("[role=menuitem]")?.focus();
  }, [open]);
  if (entries.length === 0) return null;
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!open || step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const items = [...(element.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    items[(at + step + items.length) % items.length]?.focus();
  };
  return (
    <div
      class="layer-menu"
      ref={element}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => event.stopPropagation()}
    >
      <IconButton
        icon="more"
        label={`Actions for ${layer.name}`}
        pressed={open}
        onClick={() => setOpen(!open)}
      />
      {open && (
        <div class="menu" role="menu" aria-label={`Actions for ${layer.name}`}>
          {entries.map(({ title, key, run }) => (
            <button
              key={title}
              type="button"
              role="menuitem"
              onClick={() => {
                setOpen(false);
                run();
              }}
            >
              <span>{title}</span>
              {key !== null && <kbd>{keyName(key)}</kbd>}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
