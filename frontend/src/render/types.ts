// The renderer's surface: what main hands down, what comes back. Positions are (z, y, x) world
// coordinates in `View.units`, as in the document; screen coordinates are CSS pixels from the
// canvas's top left corner.
import type { Panel, PanelKind, Position } from "../math/panel";
import type { Document, Notice } from "../wire/types";

/** What lies under a point of the screen. */
export interface Pick {
  readonly panel: PanelKind;
  /** On the slice plane or on the mesh's surface. */
  readonly position: Position;
  /** Topmost visible labels layer with a label there; null over background. */
  readonly layer: string | null;
  /** Decimal, exact to 64 bit; null when `layer` is. */
  readonly label: string | null;
  /** The surface layer there, and its value; left out elsewhere. */
  readonly surface?: LayerValue;
}

/** The value of one layer at a position. */
export interface LayerValue {
  readonly layer: string;
  /** Voxel index at full resolution, one entry an axis of the data; null outside of it. */
  readonly index: readonly number[] | null;
  /** As Python would print it, exact; null outside, and while it is being loaded. */
  readonly value: string | null;
}

export interface PanelStatus {
  readonly kind: PanelKind;
  /** Bricks in view that are wanted and not there yet. */
  readonly loading: number;
  /** Whether nothing of any visible layer lies in this panel. */
  readonly empty: boolean;
  /** Why bricks in view could not be had, each message once. */
  readonly failures: readonly Notice[];
  /** Layers that are not shown whole: the GPU's budget has no room for more of them. */
  readonly short: readonly string[];
  /** Layers shown at their coarsest level: the bricks of a finer one lie in too many textures. */
  readonly scattered: readonly string[];
}

export interface MeshStatus {
  readonly layer: string;
  readonly label: string;
  readonly state: "loading" | "ready" | "failed";
  /** Why it is coarser than it should be; mostly empty. */
  readonly note: string;
  readonly notice: Notice | null;
}

export interface Status {
  readonly panels: readonly PanelStatus[];
  readonly meshes: readonly MeshStatus[];
  readonly context: "ok" | "lost";
  /** Whether everything in view is loaded at the level needed, and drawn. */
  readonly settled: boolean;
}

/** Counts are since the page was opened. */
export interface FrameStats {
  readonly frames: number;
  /** Of this thread in the frame drawn last, and in that for uploads. */
  readonly frameMilliseconds: number;
  readonly uploadMilliseconds: number;
  readonly draws: number;
  readonly uploads: number;
  readonly uploadedBytes: number;
  /** Bricks on the GPU, and those asked for or on their way there. */
  readonly residentBricks: number;
  readonly pendingBricks: number;
  readonly gpuBytes: number;
  readonly gpuBudget: number;
  readonly cacheBytes: number;
  readonly cacheBudget: number;
  readonly receivedBytes: number;
  readonly requests: number;
  /** What is in view of each visible layer, top first: levels in use, of so many. */
  readonly levels: readonly LayerLevels[];
}

export interface LayerLevels {
  readonly layer: string;
  /** Each once, finest first. */
  readonly shown: readonly number[];
  readonly count: number;
}

/** Bytes that may be taken. */
export interface Budgets {
  /** Of brick textures. */
  readonly gpu: number;
  /** Of voxels in main memory. */
  readonly cache: number;
}

export interface Highlight {
  readonly layer: string;
  readonly label: string;
}

export interface Renderer {
  /** Called with every new document; cheap when nothing changed that is drawn. */
  setDocument(document: Document): void;
  /** The panels now on screen; the canvas is resized to hold them. */
  setPanels(
    panels: readonly Panel[],
    size: readonly [width: number, height: number],
    pixelRatio: number,
  ): void;
  /** The label under the cursor, drawn lighter everywhere. */
  setHighlight(highlight: Highlight | null): void;
  /** While set, the full-resolution voxels there are loaded too, so that `values` becomes exact. */
  setProbe(position: Position | null): void;
  pick(x: number, y: number): Pick | null;
  /** One entry for each visible layer, top first. */
  values(position: Position): readonly LayerValue[];
  /** Ask again for everything that failed. */
  retry(): void;
  stats(): FrameStats;
  /** May be changed at any time; what is in view stays. */
  setBudgets(budgets: Budgets): void;
  /** Put all bricks onto the GPU anew, so that those of a volume lie side by side. */
  repack(): void;
  /** The viewer is no more: what is here stays on screen, and no more voxels are asked for. */
  disconnect(): void;
  dispose(): void;
}

export interface RendererEvents {
  status(status: Status): void;
  /** Values at the probe may have changed. */
  values(): void;
}
