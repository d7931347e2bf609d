// What a panel says about its picture: why a part is missing or coarse, and what helps.
import type { Notice } from "../wire/types";
import { hint, perform } from "./actions";
import { Icon } from "./icons";
import type { Page } from "./page";

/** The reason of a failure apart from what failed, for the reason is what one has to read. */
export function reasonFirst(message: string): readonly [reason: string, what: string] {
  const [, what, reason] = /^(.+?) failed: (.+)$/s.exec(message) ?? [];
  if (what === undefined || reason === undefined) return [message, ""];
  return [reason, `${what} failed.`];
}

interface FailedProps {
  readonly page: Page;
  readonly failures: readonly [Notice, ...Notice[]];
}

/** A part could not be had. */
export function FailedPanel({ page, failures }: FailedProps) {
  const [{ message, hint: help, layer }, ...others] = failures;
  const name = page.layers.value[layer ?? ""]?.name;
  const [reason, what] = reasonFirst(message);
  return (
    <div class="panel-failure" role="alert" tabIndex={0}>
      <Icon name="warning" />
      <div>
        <p class="failure-message">
          {name !== undefined && <strong>{name}: </strong>}
          {reason}
        </p>
        {what !== "" && <p class="quiet">{what}</p>}
        {help !== undefined && help !== "" && <p class="quiet">{help}</p>}
        {others.length > 0 && <p class="quiet">and {others.length} more</p>}
      </div>
      <button
        type="button"
        class="button"
        title={hint("retry")}
        onClick={() => perform(page, "retry")}
      >
        Retry
      </button>
    </div>
  );
}

interface LayersProps {
  readonly page: Page;
  /** Their ids. */
  readonly layers: readonly string[];
}

function names({ page, layers }: LayersProps): string {
  return layers.map((id) => page.layers.value[id]?.name ?? id).join(", ");
}

/** A part is left out, for there is no memory for more. */
export function ShortPanel({ page, layers }: LayersProps) {
  const open = (): void => {
    page.statistics.value = true;
  };
  return (
    <div class="panel-failure" role="status" tabIndex={0}>
      <Icon name="warning" />
      <div>
        <p class="failure-message">
          Too large to show whole: <strong>{names({ page, layers })}</strong>. The GPU memory lent
          to the page holds a part only.
        </p>
      </div>
      <button type="button" class="button" title={hint("statistics")} onClick={open}>
        Lend more
      </button>
    </div>
  );
}

/** A volume is shown coarsely, for it lies in more textures than can be read at once. */
export function ScatteredPanel({ page, layers }: LayersProps) {
  return (
    <div class="panel-failure" role="status" tabIndex={0}>
      <Icon name="warning" />
      <div>
        <p class="failure-message">
          Shown coarsely: <strong>{names({ page, layers })}</strong>. Its bricks are scattered over
          the GPU memory.
        </p>
      </div>
      <button
        type="button"
        class="button"
        title="Put everything in view onto the GPU anew, side by side"
        onClick={() => page.renderer.peek()?.repack()}
      >
        Gather
      </button>
    </div>
  );
}

/** Meshes are coarser than they should be. */
export function CoarseMeshes({ page }: { readonly page: Page }) {
  const notes = page.status.value.meshes.filter(({ note }) => note !== "");
  const [first] = notes;
  if (first === undefined) return null;
  const all = notes.map(({ note }) => note).join("\n");
  return (
    <p class="chip panel-note" role="status" title={all}>
      {notes.length === 1 ? first.note : `${notes.length} meshes are too large to be shown finer.`}
    </p>
  );
}
