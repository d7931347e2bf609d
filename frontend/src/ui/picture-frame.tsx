// What stands beside the panels, in room of its own: the title above them, which can be edited in its
// place, and the colour bars at the right.
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { hint, perform } from "./actions";
import { barsOf, drawColorbars } from "./colorbars";
import type { Page } from "./page";

interface PageProps {
  readonly page: Page;
}

/** The title, or the field in which it is written. */
export function PictureTitle({ page }: PageProps) {
  const input = useRef<HTMLInputElement>(null);
  const editing = page.titling.value;
  // Before the next paint: a title typed at once must not become a row of commands.
  useLayoutEffect(() => {
    if (!editing) return;
    input.current?.focus();
    input.current?.select();
  }, [editing]);
  const title = page.view.value?.title ?? "";
  if (!editing) {
    if (page.margins.value.top === 0) return null;
    return (
      <h2 class="picture-title">
        <button
          type="button"
          title={hint("edit-title")}
          onClick={() => perform(page, "edit-title")}
        >
          {title}
        </button>
      </h2>
    );
  }
  const finish = (text: string | null): void => {
    page.titling.value = false;
    if (text !== null && text.trim() !== title) page.put(text.trim(), "view", "title");
  };
  return (
    <div class="picture-title">
      <input
        ref={input}
        type="text"
        aria-label="Title above the picture"
        placeholder="Title"
        maxLength={200}
        defaultValue={title}
        onBlur={(event) => {
          if (page.titling.peek()) finish(event.currentTarget.value);
        }}
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key === "Enter") finish(event.currentTarget.value);
          if (event.key === "Escape") finish(null);
        }}
      />
    </div>
  );
}

/** The colour bars. */
export function ColorbarColumn({ page }: PageProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const document = page.document.value;
  const { top, right } = page.margins.value;
  const height = page.size.value[1] - top;
  const ratio = page.pixelRatio.value;
  const theme = page.theme.value;
  const { colormaps } = page;
  const names = document === null || right === 0 ? [] : barsOf(document);
  const tables = new Map(
    names.map(({ style: { colormap } }) => [colormap, colormaps.table(colormap)] as const),
  );
  useEffect(() => {
    const element = canvas.current;
    const pen = element?.getContext("2d");
    if (document === null || element === null || pen === null || pen === undefined) return;
    element.width = Math.round(right * ratio);
    element.height = Math.round(height * ratio);
    pen.scale(ratio, ratio);
    drawColorbars(
      pen,
      document,
      height,
      theme,
      (name) => tables.get(name) ?? colormaps.table(name),
    );
  });
  if (right === 0) return null;
  const text = names.map(
    ({
      name,
      style: {
        contrast_limits: [low, high],
      },
    }) => `${name}: ${low} to ${high}`,
  );
  return (
    <canvas
      ref={canvas}
      class="colorbars"
      role="img"
      aria-label={`Colour bars. ${text.join("; ")}`}
      style={{ top: `${top}px`, width: `${right}px`, height: `${height}px` }}
    />
  );
}
