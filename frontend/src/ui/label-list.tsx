// The list of all labels of a layer: found by their first digits, ordered by size or id, gone to,
// selected, hidden and coloured. Only the rows in sight exist.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { formatColor, shownColor } from "../math/label-color";
import { pointOf } from "../render/leading";
import type { LabelsLayer } from "../wire/types";
import { IconButton } from "./fields";
import { Icon } from "./icons";
import { LabelTable, type Order } from "../math/label-table";
import { moveTo } from "./navigation";
import type { Page } from "./page";

interface ListProps {
  readonly page: Page;
  readonly layer: LabelsLayer;
}

/** CSS pixels of a row, as in the style sheet. */
const ROW = 28;

/** CSS pixels beyond which browsers can't make an element: longer lists scroll faster instead. */
const TALLEST = 8_000_000;

/** Rows made beyond those in sight. */
const SPARE = 4;

interface Loaded {
  readonly address: string;
  readonly table: LabelTable | null;
  readonly failure: string | null;
}

/** The list of labels at the point of the leading axes that is shown; kept while a newer comes. */
function useTable({ page, layer }: ListProps): Loaded | null {
  const view = page.view.value;
  const point = view === null ? null : pointOf(layer.data, view);
  const query = point !== null && point.length > 0 ? `?point=${point.join(",")}` : "";
  const address = `layers/${layer.id}/labels${query}`;
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  useEffect(() => {
    if (point === null) return;
    const abort = new AbortController();
    const tell = (table: LabelTable | null, failure: string | null): void => {
      if (!abort.signal.aborted) setLoaded({ address, table, failure });
    };
    fetch(new URL(address, document.baseURI), { signal: abort.signal })
      .then(async (response) => {
        if (response.ok) {
          tell(new LabelTable(await response.arrayBuffer(), layer.data.dtype), null);
        } else {
          const { error } = (await response.json()) as { error: { message: string } };
          tell(null, error.message);
        }
      })
      .catch((error: unknown) =>
        tell(null, error instanceof Error ? error.message : String(error)),
      );
    return () => abort.abort();
  }, [address, layer.data.generation]);
  return loaded?.address === address ? loaded : null;
}

export function LabelList({ page, layer }: ListProps) {
  const loaded = useTable({ page, layer });
  const [text, setText] = useState("");
  const [order, setOrder] = useState<Order>("voxels");
  const [isDescending, setDescending] = useState(true);
  const input = useRef<HTMLInputElement>(null);
  const isSought = page.findsLabel.value;
  useLayoutEffect(() => {
    if (!isSought) return;
    page.findsLabel.value = false;
    input.current?.focus();
    input.current?.select();
  }, [isSought]);
  const table = loaded?.table ?? null;
  const rows = useMemo(
    () => table?.rows(text.trim(), order, isDescending) ?? new Uint32Array(0),
    [table, text, order, isDescending],
  );
  const goTo = (row: number): void => {
    if (table !== null) page.store.edit(moveTo(table.middle(row, layer.data)));
  };
  const sort = (by: Order): void => {
    setDescending(by === order ? !isDescending : by === "voxels");
    setOrder(by);
  };
  const heading = (by: Order, title: string) => (
    <button
      type="button"
      class={by === order ? "chosen" : ""}
      aria-pressed={by === order}
      title={`Order by ${by === "label" ? "id" : "size"}`}
      onClick={() => sort(by)}
    >
      {title}
      {by === order && (
        <span class={isDescending ? "arrow" : "arrow up"}>
          <Icon name="chevron" size={10} />
        </span>
      )}
    </button>
  );
  return (
    <>
      <label class="search find-label">
        <Icon name="search" size={14} />
        <input
          ref={input}
          type="text"
          inputMode="numeric"
          placeholder="Find by id, Enter goes there"
          aria-label="Find a label by its id"
          spellcheck={false}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            const [first] = rows;
            if (event.key === "Enter" && first !== undefined) goTo(first);
          }}
        />
        {table !== null && (
          <span class="quiet">
            {rows.length === table.count
              ? rows.length.toLocaleString("en")
              : `${rows.length.toLocaleString("en")} of ${table.count.toLocaleString("en")}`}
          </span>
        )}
      </label>
      {table === null ? (
        <Waiting page={page} layer={layer} failure={loaded?.failure ?? null} />
      ) : (
        <>
          <div class="list-head">
            {heading("label", "Label")}
            {heading("voxels", "Voxels")}
          </div>
          {rows.length === 0 ? (
            <p class="sidebar-note">
              {table.count === 0 ? "No voxel has a label." : "No label begins so."}
            </p>
          ) : (
            <Rows page={page} layer={layer} table={table} rows={rows} goTo={goTo} />
          )}
        </>
      )}
    </>
  );
}

function Waiting({ page, layer, failure }: ListProps & { readonly failure: string | null }) {
  if (failure !== null) return <p class="field-error">{failure}</p>;
  const task = page.tasks.running.value.find(
    (one) => one.layer === layer.id && one.task === "indexing labels",
  );
  const part = task === undefined ? "" : ` ${Math.round(task.done * 100)} %`;
  return (
    <p class="sidebar-note" role="status">
      <span class="spinner" /> Indexing labels…{part}
    </p>
  );
}

interface RowsProps extends ListProps {
  readonly table: LabelTable;
  readonly rows: Uint32Array;
  goTo(row: number): void;
}

/** A window on the rows: the scroll bar is as long as all of them. */
function Rows({ page, layer, table, rows, goTo }: RowsProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(10 * ROW);
  const [mark, setMark] = useState(0);
  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    frame.current?.scrollTo(0, 0);
    setTop(0);
    setMark(0);
  }, [rows]);
  const whole = rows.length * ROW;
  const tall = Math.min(whole, TALLEST);
  const faster = tall > height ? (whole - height) / (tall - height) : 1;
  const first = Math.max(Math.floor((top * faster) / ROW) - SPARE, 0);
  const last = Math.min(Math.ceil((top * faster + height) / ROW) + SPARE, rows.length);
  const style = layer.style;
  const selected = useMemo(() => new Set(style.selected), [style.selected]);
  const hidden = useMemo(() => new Set(style.hidden), [style.hidden]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target instanceof HTMLInputElement) return;
    const screenful = Math.floor(height / ROW) - 1;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: screenful, PageUp: -screenful }[event.key];
    const end = { Home: 0, End: rows.length - 1 }[event.key];
    if (step === undefined && end === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = Math.min(Math.max(end ?? mark + (step ?? 0), 0), rows.length - 1);
    setMark(next);
    const place = (next * ROW) / faster;
    const element = frame.current;
    if (element === null) return;
    if (place < element.scrollTop) element.scrollTop = place;
    else if (place + ROW > element.scrollTop + height) element.scrollTop = place + ROW - height;
    element.focus();
  };

  const shown = [];
  for (let at = first; at < last; at += 1) {
    const row = rows[at] ?? 0;
    const label = table.label(row);
    shown.push(
      <TableRow
        key={label}
        page={page}
        layer={layer}
        label={label}
        voxels={table.voxels(row)}
        place={top + at * ROW - top * faster}
        isSelected={selected.has(label)}
        isHidden={hidden.has(label)}
        isMarked={at === mark}
        goTo={() => {
          setMark(at);
          goTo(row);
        }}
      />,
    );
  }
  return (
    <div
      class="label-table"
      ref={frame}
      tabIndex={0}
      role="group"
      aria-label={`All labels of ${layer.name}`}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
      onPointerLeave={() => page.renderer.peek()?.setHighlight(null)}
    >
      <div style={{ height: `${tall}px` }}>{shown}</div>
    </div>
  );
}

interface TableRowProps extends ListProps {
  readonly label: string;
  readonly voxels: number;
  /** CSS pixels from the top of the list. */
  readonly place: number;
  readonly isSelected: boolean;
  readonly isHidden: boolean;
  readonly isMarked: boolean;
  goTo(): void;
}

function TableRow(props: TableRowProps) {
  const { page, layer, label, voxels, place, isSelected, isHidden, isMarked, goTo } = props;
  const { hidden } = layer.style;
  const color = formatColor(shownColor(label, layer.style));
  const tabIndex = isMarked ? 0 : -1;
  const toggle = (): void => {
    const next = isHidden ? hidden.filter((other) => other !== label) : [...hidden, label];
    page.put(next, "layers", layer.id, "style", "hidden");
  };
  return (
    <div
      class={`label-row ${isHidden ? "unseen" : ""} ${isMarked ? "marked" : ""}`}
      data-label={label}
      style={{ transform: `translateY(${place}px)` }}
      onPointerEnter={() => page.renderer.peek()?.setHighlight({ layer: layer.id, label })}
    >
      <label class="swatch" title="Choose its colour" style={{ background: color }}>
        <input
          type="color"
          tabIndex={tabIndex}
          aria-label={`Colour of label ${label}`}
          value={color}
          onInput={(event) =>
            page.put(event.currentTarget.value, "layers", layer.id, "style", "colors", label)
          }
        />
      </label>
      <button
        type="button"
        class="label-go"
        tabIndex={tabIndex}
        title={`Go to label ${label}`}
        onClick={goTo}
      >
        <span class="label-id">
          <bdi>{label}</bdi>
        </span>
        <span class="quiet">{voxels.toLocaleString("en")}</span>
      </button>
      <IconButton
        icon={isSelected ? "check" : "plus"}
        label={isSelected ? `Deselect label ${label}` : `Select label ${label}`}
        class={isSelected ? "chosen" : ""}
        pressed={isSelected}
        tabIndex={tabIndex}
        onClick={() => page.toggleLabel(layer.id, label)}
      />
      <IconButton
        icon={isHidden ? "eye-off" : "eye"}
        label={isHidden ? `Show label ${label}` : `Hide label ${label}`}
        tabIndex={tabIndex}
        onClick={toggle}
      />
    </div>
  );
}
