// What the page does and holds, in numbers, over the picture: read twice a second while it is open,
// from counts that are kept anyway. It causes no frames.
import { useEffect, useState } from "preact/hooks";
import type { Budgets, FrameStats } from "../render/types";
import { LIMITS, saveBudgets } from "./budgets";
import { IconButton, RangeNumber } from "./fields";
import type { Page } from "./page";
import { trimmed } from "./units";

/** Milliseconds from one reading to the next. */
const INTERVAL = 500;

const MIB = 1024 * 1024;

interface Reading {
  readonly stats: FrameStats;
  /** Frames a second, and uploads in one of them, since the reading before. */
  readonly rate: number;
  readonly uploads: number;
}

type Lines = readonly (readonly [name: string, text: string])[];

/** Bytes for people. */
function bytesText(bytes: number): string {
  if (bytes < 1024) return `${String(bytes)} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let size = bytes / 1024;
  let unit = 0;
  // From 1000 on the next unit is shorter.
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${trimmed(size, 3)} ${units[unit] ?? ""}`;
}

function linesOf(page: Page, { stats, rate, uploads }: Reading): Lines {
  const milliseconds = (time: number): string => `${trimmed(time, 2)} ms`;
  const layers = page.layers.peek();
  return [
    ["Frames", `${trimmed(rate, 3)} /s, ${milliseconds(stats.frameMilliseconds)}`],
    ["Frames, draws", `${String(stats.frames)}, ${String(stats.draws)}`],
    ["Uploads", `${trimmed(uploads, 3)} a frame, ${milliseconds(stats.uploadMilliseconds)}`],
    ["Bricks", `${String(stats.residentBricks)}, ${String(stats.pendingBricks)} to come`],
    ["GPU", `${bytesText(stats.gpuBytes)} of ${bytesText(stats.gpuBudget)}`],
    ["Memory", `${bytesText(stats.cacheBytes)} of ${bytesText(stats.cacheBudget)}`],
    ["Received", bytesText(stats.receivedBytes)],
    ["Requests", String(stats.requests)],
    ...stats.levels.map(({ layer, shown, count }): readonly [string, string] => {
      const name = layers[layer]?.name ?? layer;
      return [name, shown.length === 0 ? "not in view" : `level ${shown.join(", ")} of ${count}`];
    }),
  ];
}

export function Statistics({ page }: { readonly page: Page }) {
  return page.statistics.value ? <OpenStatistics page={page} /> : null;
}

function OpenStatistics({ page }: { readonly page: Page }) {
  const [reading, setReading] = useState<Reading | null>(null);
  useEffect(() => {
    let before: { readonly stats: FrameStats; readonly time: number } | null = null;
    const read = (): void => {
      const stats = page.renderer.peek()?.stats();
      if (stats === undefined) return;
      const time = performance.now();
      const frames = stats.frames - (before?.stats.frames ?? stats.frames);
      const uploads = stats.uploads - (before?.stats.uploads ?? stats.uploads);
      const seconds = (time - (before?.time ?? time)) / 1000;
      before = { stats, time };
      setReading({
        stats,
        rate: seconds > 0 ? frames / seconds : 0,
        uploads: frames > 0 ? uploads / frames : 0,
      });
    };
    read();
    const timer = setInterval(read, INTERVAL);
    return () => clearInterval(timer);
  }, []);
  if (reading === null) return null;
  const lines = linesOf(page, reading);
  const lend = (change: Partial<Budgets>): void => {
    const { gpuBudget: gpu, cacheBudget: cache } = reading.stats;
    const budgets = { gpu, cache, ...change };
    page.renderer.peek()?.setBudgets(budgets);
    saveBudgets(budgets);
    setReading({ ...reading, stats: page.renderer.peek()?.stats() ?? reading.stats });
  };
  const copy = (): void => {
    const text = lines.map(([name, value]) => `${name}: ${value}`).join("\n");
    void navigator.clipboard?.writeText(text);
  };
  return (
    <section class="statistics" aria-label="Statistics">
      <div class="section-head">
        <h2>Statistics</h2>
        <IconButton icon="copy" label="Copy as text" onClick={copy} />
        <IconButton icon="close" label="Close" onClick={() => (page.statistics.value = false)} />
      </div>
      <dl>
        {lines.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <Lent
        label="GPU, MiB"
        bytes={reading.stats.gpuBudget}
        limits={LIMITS.gpu}
        put={(gpu) => lend({ gpu })}
      />
      <Lent
        label="Memory, MiB"
        bytes={reading.stats.cacheBudget}
        limits={LIMITS.cache}
        put={(cache) => lend({ cache })}
      />
    </section>
  );
}

interface LentProps {
  readonly label: string;
  readonly bytes: number;
  /** MiB. */
  readonly limits: readonly [number, number];
  put(bytes: number): void;
}

/** How much of something may be taken: the slider doubles, for both ends are far apart. */
function Lent({ label, bytes, limits: [least, most], put }: LentProps) {
  return (
    <label class="lent">
      <span>{label}</span>
      <RangeNumber
        label={label}
        value={Math.log2(bytes / MIB)}
        min={Math.log2(least)}
        max={Math.log2(most)}
        step={0.5}
        shown={Math.round(bytes / MIB)}
        digits={5}
        onInput={(power) => put(Math.round(2 ** power) * MIB)}
        onCommit={(size) => put(Math.min(Math.max(Math.round(size), least), most) * MIB)}
      />
    </label>
  );
}
