// The histogram of an image's sample with its contrast limits, dragged by their handles; between
// them, both at once. Counts are drawn logarithmically: background would hide everything else.
import { useRef, useState } from "preact/hooks";
import { setLimits, ordered } from "./contrast";
import { gradient } from "./colormaps";
import type { Histogram, ImageLayer } from "../wire/types";
import type { Page } from "./page";
import { trimmed } from "./units";

const WIDTH = 256;
const HEIGHT = 64;

/** CSS pixels around a handle in which a press takes it. */
const REACH = 10;

/** Fraction of the values' range below which a window is hard to grasp, so that one looks closer. */
const NARROW = 0.1;

type Limits = readonly [low: number, high: number];
type Part = "low" | "high" | "both";

interface HistogramProps {
  readonly page: Page;
  readonly layer: ImageLayer;
}

/** The values that are drawn: all of the sample's, or the window's neighbourhood. */
function domainFor(histogram: Histogram | null, [low, high]: Limits): Limits {
  const width = high - low;
  const start = Math.min(histogram?.start ?? low, low);
  const stop = Math.max(histogram?.stop ?? high, high);
  if (width >= NARROW * (stop - start)) return [start, stop];
  return [Math.max(start, low - width), Math.min(stop, high + width)];
}

function outline(histogram: Histogram, [start, stop]: Limits): string {
  const { counts } = histogram;
  // The second highest sets the scale: one bin (the background) often towers over all others.
  const [, second = 1] = [...counts].sort((a, b) => b - a);
  const most = Math.log1p(Math.max(1, second));
  const width = (histogram.stop - histogram.start) / counts.length;
  const x = (value: number): number => ((value - start) / (stop - start)) * WIDTH;
  let path = `M${x(histogram.start).toFixed(2)} ${HEIGHT}`;
  for (const [bin, count] of counts.entries()) {
    const left = histogram.start + bin * width;
    const height = (HEIGHT - 2) * Math.min(1, Math.log1p(count) / most);
    path += `L${x(left).toFixed(2)} ${(HEIGHT - height).toFixed(2)}H${x(left + width).toFixed(2)}`;
  }
  return `${path}V${HEIGHT}Z`;
}

/** The colour map where its colours lie under the histogram, gamma included. */
function strip(colors: readonly string[], gamma: number): string {
  return gradient(
    colors.map((color, index) => {
      const place = (index / (colors.length - 1)) ** (1 / gamma);
      return `${color} ${(place * 100).toFixed(1)}%`;
    }),
  );
}

export function HistogramView({ page, layer }: HistogramProps) {
  const plot = useRef<HTMLDivElement>(null);
  // While a handle is dragged the scale stands still under it.
  const [held, setHeld] = useState<Limits | null>(null);
  const drag = useRef<{ part: Part; x: number; limits: Limits } | null>(null);
  const limits = layer.style.contrast_limits;
  const { histogram } = layer.data;
  const domain = held ?? domainFor(histogram, limits);
  const span = domain[1] - domain[0];
  const percent = (value: number): number => ((value - domain[0]) / span) * 100;
  const set = (low: number, high: number): void =>
    page.store.edit(setLimits(layer, ordered(low, high)));

  const onPointerDown = (event: PointerEvent): void => {
    const box = plot.current?.getBoundingClientRect();
    if (event.button !== 0 || box === undefined) return;
    const x = event.clientX - box.left;
    const place = (value: number): number => (percent(value) / 100) * box.width;
    const [toLow, toHigh] = [Math.abs(x - place(limits[0])), Math.abs(x - place(limits[1]))];
    const inside = x > place(limits[0]) && x < place(limits[1]);
    const near = Math.min(toLow, toHigh) <= REACH;
    const part: Part = inside && !near ? "both" : toLow <= toHigh ? "low" : "high";
    drag.current = { part, x: event.clientX, limits };
    setHeld(domain);
    plot.current?.setPointerCapture(event.pointerId);
    if (!inside && !near) move(event, x / box.width);
  };
  const move = (event: PointerEvent, jump?: number): void => {
    const box = plot.current?.getBoundingClientRect();
    const now = drag.current;
    if (now === null || box === undefined) return;
    const by = ((event.clientX - now.x) / box.width) * span;
    let [low, high] = now.limits;
    if (now.part !== "high") low = jump === undefined ? low + by : domain[0] + jump * span;
    if (now.part !== "low") high = jump === undefined ? high + by : domain[0] + jump * span;
    if (jump !== undefined) drag.current = { ...now, limits: [low, high] };
    // The handles don't cross: the dragged one stops at the other.
    if (now.part === "low") low = Math.min(low, high - span * 1e-3);
    if (now.part === "high") high = Math.max(high, low + span * 1e-3);
    set(low, high);
  };
  const end = (): void => {
    drag.current = null;
    setHeld(null);
  };

  return (
    <div class="histogram">
      <div
        class="histogram-plot"
        ref={plot}
        onPointerDown={onPointerDown}
        onPointerMove={(event) => move(event)}
        onPointerUp={end}
        onPointerCancel={end}
      >
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          {histogram !== null && <path d={outline(histogram, domain)} />}
        </svg>
        <Shade from={0} to={percent(limits[0])} />
        <Shade from={percent(limits[1])} to={100} />
        <Handle part="low" at={percent(limits[0])} limits={limits} span={span} set={set} />
        <Handle part="high" at={percent(limits[1])} limits={limits} span={span} set={set} />
      </div>
      <ColorStrip page={page} layer={layer} percent={percent} />
    </div>
  );
}

function Shade({ from, to }: { readonly from: number; readonly to: number }) {
  const [left, right] = [Math.max(0, from), Math.min(100, to)];
  if (right <= left) return null;
  return <div class="shade" style={{ left: `${left}%`, width: `${right - left}%` }} />;
}

interface HandleProps {
  readonly part: "low" | "high";
  readonly at: number;
  readonly limits: Limits;
  readonly span: number;
  set(low: number, high: number): void;
}

function Handle({ part, at, limits: [low, high], span, set }: HandleProps) {
  const onKeyDown = (event: KeyboardEvent): void => {
    const sign = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (sign === undefined) return;
    event.preventDefault();
    const by = sign * span * (event.shiftKey ? 0.1 : 0.01);
    if (part === "low") set(Math.min(low + by, high - span * 1e-3), high);
    else set(low, Math.max(high + by, low + span * 1e-3));
  };
  const value = part === "low" ? low : high;
  return (
    <div
      class="handle"
      role="slider"
      tabIndex={0}
      aria-label={part === "low" ? "Lower contrast limit" : "Upper contrast limit"}
      aria-valuenow={value}
      aria-valuetext={trimmed(value, 6)}
      style={{ left: `${Math.min(Math.max(at, 0), 100)}%` }}
      onKeyDown={onKeyDown}
    />
  );
}

interface StripProps extends HistogramProps {
  percent(value: number): number;
}

function ColorStrip({ page, layer, percent }: StripProps) {
  const { colormap, contrast_limits: limits, gamma } = layer.style;
  const colors = page.colormaps.colors(colormap);
  const [left, right] = [percent(limits[0]), percent(limits[1])];
  return (
    <div class="color-strip" style={{ background: colors.at(-1) }}>
      <div style={{ left: 0, width: `${Math.max(0, left)}%`, background: colors[0] }} />
      <div
        style={{
          left: `${left}%`,
          width: `${right - left}%`,
          backgroundImage: strip(colors, gamma),
        }}
      />
    </div>
  );
}
