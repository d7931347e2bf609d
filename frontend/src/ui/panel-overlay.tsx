// What is written over one panel: crosshair, axis names, slice, scale bar, and why there is nothing
// to see when there is nothing to see.
import { alongAxis, type Panel, type PanelKind, type SliceKind } from "../math/panel";
import { isFlat } from "../math/space";
import { effectiveZoom, frameOf, isOutOfView, worldToScreen } from "../math/view";
import type { PanelStatus } from "../render/types";
import type { Document } from "../wire/types";
import { hint, perform, toggleMaximised } from "./actions";
import { AxisTripod } from "./axis-tripod";
import { missed } from "./contrast";
import { AXIS_NAMES, axesInPanel, axesInSpace, directionOf, turnText } from "./directions";
import { IconButton, NumberField, Range } from "./fields";
import { goToSlice, slices } from "./navigation";
import type { Page } from "./page";
import { CoarseMeshes, FailedPanel, ScatteredPanel, ShortPanel } from "./panel-notes";
import { countsVoxels, lengthText, roomForScale, scaleBar } from "./units";

/** CSS pixels around the middle that the crosshair leaves free. */
const OPEN = 10;

/** CSS pixels: a smaller panel shows the picture alone. */
const SMALL = 90;

interface PanelProps {
  readonly page: Page;
  readonly panel: Panel;
}

export function PanelOverlay({ page, panel }: PanelProps) {
  const { left, top, width, height, kind } = panel;
  const small = width < SMALL || height < SMALL;
  const status = page.status.value.panels.find((entry) => entry.kind === kind) ?? null;
  const slice = kind === "3d" ? null : kind;
  return (
    <section
      class={page.pointed.value === kind ? "panel pointed" : "panel"}
      aria-label={`${kind} panel`}
      data-panel={kind}
      style={{ left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` }}
    >
      {slice !== null && <Crosshair page={page} panel={panel} kind={slice} />}
      {!small && <Axes page={page} slice={slice} />}
      {!small && (
        <>
          <Head page={page} panel={panel} slice={slice} />
          {slice !== null && <SliceSlider page={page} kind={slice} />}
          {slice !== null && <Scale page={page} panel={panel} />}
        </>
      )}
      {status !== null && <PanelState page={page} panel={panel} status={status} small={small} />}
    </section>
  );
}

function Crosshair({ page, panel, kind }: PanelProps & { readonly kind: SliceKind }) {
  const document = page.document.value;
  if (document === null || !document.view.axis_lines) return null;
  const right = directionOf(document, kind, "right");
  const down = directionOf(document, kind, "down");
  const [screenX, screenY] = worldToScreen(
    document,
    page.panels.value,
    panel,
    document.view.center,
  );
  // Half pixels: a line of one pixel that doesn't blur over two.
  const x = Math.floor(screenX - panel.left) + 0.5;
  const y = Math.floor(screenY - panel.top) + 0.5;
  const { width, height } = panel;
  return (
    <svg class="crosshair" width={width} height={height} aria-hidden="true">
      <path
        class={`axis-${down.axis}`}
        d={`M${x} 0V${Math.max(0, y - OPEN)}M${x} ${y + OPEN}V${height}`}
      />
      <path
        class={`axis-${right.axis}`}
        d={`M0 ${y}H${Math.max(0, x - OPEN)}M${x + OPEN} ${y}H${width}`}
      />
      <text class={`axis-${right.axis}`} x={width - 26} y={y - 6} text-anchor="end">
        {right.text}
      </text>
      <text class={`axis-${down.axis}`} x={x + 6} y={height - 8}>
        {down.text}
      </text>
    </svg>
  );
}

/** Where the axes of the data point; in a slice panel only when it lies aslant. */
function Axes({ page, slice }: { readonly page: Page; readonly slice: SliceKind | null }) {
  const document = page.document.value;
  if (document === null || !document.view.axis_lines) return null;
  const axes = slice === null ? axesInSpace(document) : axesInPanel(document, slice);
  const raised = slice !== null && document.view.scale_bar;
  return axes === null ? null : <AxisTripod axes={axes} raised={raised} />;
}

function Head({ page, panel, slice }: PanelProps & { readonly slice: SliceKind | null }) {
  const maximised = page.view.value?.layout !== "4panel";
  return (
    <header class="panel-head">
      <span class="chip panel-title">
        <span class="panel-name">{panel.kind === "3d" ? "3-D" : panel.kind}</span>
        {slice !== null && <SliceReadout page={page} kind={slice} />}
      </span>
      <IconButton
        icon={maximised ? "restore" : "maximise"}
        label={maximised ? "Show all panels (Space)" : "Maximise (Space)"}
        class="on-picture only-hover"
        onClick={() => {
          if (maximised) toggleMaximised(page);
          else page.put(panel.kind, "view", "layout");
        }}
      />
    </header>
  );
}

function SliceReadout({ page, kind }: { readonly page: Page; readonly kind: SliceKind }) {
  const document = page.document.value;
  if (document === null) return null;
  const found = slices(document, kind);
  const axis = alongAxis(frameOf(document, kind).normal);
  const normal = directionOf(document, kind, "normal");
  const name = axis === null ? normal.text : AXIS_NAMES[axis];
  const { units, center } = document.view;
  const turned = turnText(document, kind);
  if (found === null || found.first === found.last) return null;
  return (
    <span class="slice-readout">
      <span class={`axis-${normal.axis}`}>{name}</span>
      <NumberField
        label={`Slice along ${name}`}
        class="bare"
        value={found.index}
        onCommit={(index) => page.edit((present) => goToSlice(present, kind, index))}
      />
      <span class="quiet">/ {found.count - 1}</span>
      {axis !== null && units !== "" && (
        <span class="quiet wide">{lengthText(center[axis], units)}</span>
      )}
      {turned !== "" && (
        <button
          type="button"
          class="turned wide"
          title={hint("slices-straight")}
          onClick={() => perform(page, "slices-straight")}
        >
          {turned}
        </button>
      )}
    </span>
  );
}

function SliceSlider({ page, kind }: { readonly page: Page; readonly kind: SliceKind }) {
  const document = page.document.value;
  const found = document === null ? null : slices(document, kind);
  if (document === null || found === null || found.first === found.last) return null;
  const axis = alongAxis(frameOf(document, kind).normal);
  const name = axis === null ? directionOf(document, kind, "normal").text : AXIS_NAMES[axis];
  return (
    <div class="slice-slider">
      <Range
        label={`Slice along ${name}`}
        vertical
        min={found.first}
        max={found.last}
        step={1}
        value={Math.min(Math.max(found.index, found.first), found.last)}
        onInput={(index) => page.edit((present) => goToSlice(present, kind, index))}
      />
    </div>
  );
}

function Scale({ page, panel }: PanelProps) {
  const document = page.document.value;
  if (document === null || !document.view.scale_bar) return null;
  const zoom = effectiveZoom(document, page.panels.value, panel);
  const { layers, view } = document;
  const bar = scaleBar(zoom, view.units, roomForScale(panel.width), countsVoxels(layers));
  if (bar === null) return null;
  return (
    <div class="chip scale-bar" aria-label={`Scale bar: ${bar.text}`}>
      <span>{bar.text}</span>
      <div style={{ width: `${bar.width}px` }} />
    </div>
  );
}

interface PanelStateProps extends PanelProps {
  readonly status: PanelStatus;
  readonly small: boolean;
}

function PanelState({ page, panel, status, small }: PanelStateProps) {
  const document = page.document.value;
  const empty =
    status.empty || (panel.kind === "3d" && document !== null && isOutOfView(document, panel));
  const failure = status.failures[0];
  const isLoading = status.loading > 0 && page.connection.value.kind !== "closed";
  return (
    <>
      {isLoading && <div class="panel-progress" role="progressbar" aria-label="Loading" />}
      {failure !== undefined && !small && (
        <FailedPanel page={page} failures={[failure, ...status.failures.slice(1)]} />
      )}
      {status.short.length > 0 && failure === undefined && !small && (
        <ShortPanel page={page} layers={status.short} />
      )}
      {status.scattered.length > 0 &&
        failure === undefined &&
        status.short.length === 0 &&
        !small && <ScatteredPanel page={page} layers={status.scattered} />}
      {panel.kind === "3d" && !small && <CoarseMeshes page={page} />}
      {empty && failure === undefined && !small && <EmptyPanel page={page} kind={status.kind} />}
      {!status.empty && failure === undefined && !small && status.kind !== "3d" && (
        <DarkPanel page={page} kind={panel.kind} />
      )}
    </>
  );
}

interface Emptiness {
  readonly text: string;
  /** The action that helps. */
  readonly way: string;
  readonly button: string;
}

/** Whether data without a z axis has a picture in the panel: it must be seen along z. */
function showsFlat(document: Document, kind: SliceKind): boolean {
  return alongAxis(frameOf(document, kind).normal) === 0;
}

/** Why a panel has nothing to show, and what helps. */
export function whyEmpty(document: Document, kind: PanelKind): Emptiness {
  const visible = Object.values(document.layers).filter((layer) => layer.visible);
  if (visible.length === 0) {
    return { text: "All layers are hidden", way: "show-all", button: "Show" };
  }
  const isFlatOnly = visible.every((layer) => isFlat(layer.data));
  if (kind !== "3d" && isFlatOnly && !showsFlat(document, kind)) {
    const text = "The data has no z axis";
    return showsFlat(document, "xy")
      ? { text, way: "layout-xy", button: "Only xy" }
      : { text, way: "slices-straight", button: "Along the axes" };
  }
  return { text: "No data in view", way: "fit", button: "Fit" };
}

/** Why a picture is black although there is data in view; null when it need not be. */
export function whyDark(document: Document): string | null {
  const visible = Object.values(document.layers).filter((layer) => layer.visible);
  const reasons = visible.map(({ data: { histogram } }) => {
    if (histogram === null) return null;
    const total = histogram.counts.reduce((sum, count) => sum + count, 0);
    if (total === 0) return "No finite values in the data's sample";
    // Values that differ are spread over the histogram, so these don't.
    return histogram.start === 0 && histogram.counts[0] === total
      ? "All values of the data's sample are 0"
      : null;
  });
  return reasons.includes(null) ? null : (reasons[0] ?? null);
}

/** Why a picture is of one colour although its data is not; null when it is not. */
export function whyPlain(document: Document): string | null {
  const visible = Object.values(document.layers).filter((layer) => layer.visible);
  const sides = visible.map(({ data, style }) =>
    "contrast_limits" in style ? missed(data.histogram, style.contrast_limits) : null,
  );
  const [side = null] = sides;
  return side === null || sides.includes(null)
    ? null
    : `Nearly all values lie ${side} the contrast limits`;
}

function DarkPanel({ page, kind }: { readonly page: Page; readonly kind: PanelKind }) {
  const document = page.document.value;
  if (document === null) return null;
  const dark = whyDark(document);
  if (dark !== null) return <div class="panel-empty words">{dark}</div>;
  // Beside the picture, for of what is rare there may be something in it; once, if there are four.
  const plain = document.view.layout === "4panel" && kind !== "xy" ? null : whyPlain(document);
  if (plain === null) return null;
  return (
    <p class="chip panel-note" role="status">
      {plain}
    </p>
  );
}

function EmptyPanel({ page, kind }: { readonly page: Page; readonly kind: PanelKind }) {
  const document = page.document.value;
  if (document === null) return null;
  const { text, way, button } = whyEmpty(document, kind);
  return (
    <div class="panel-empty">
      <span>{text}</span>
      <button type="button" class="button" title={hint(way)} onClick={() => perform(page, way)}>
        {button}
      </button>
    </div>
  );
}
