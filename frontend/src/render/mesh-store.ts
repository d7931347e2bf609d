// The meshes of the selected labels: which are wanted, which are on their way, which are here.
import { LabelTable } from "../math/label-table";
import { METRES } from "../math/metres";
import { levelSpace } from "../math/space";
import type { Data, Document, LabelsLayer, Level, Notice, SurfaceLayer } from "../wire/types";
import { pointOf } from "./leading";
import { parseFragment, parseSurface, type MeshGeometry } from "./mesh-geometry";
import type { MeshStatus } from "./types";

/** A mesh that is to be drawn. */
export interface ShownMesh {
  readonly layer: string;
  /** Of a labels layer; empty for a surface. */
  readonly label: string;
  readonly geometry: MeshGeometry;
}

interface Entry {
  readonly layer: string;
  readonly label: string;
  readonly url: string;
  readonly factor: number;
  /** What is to be fetched next is `waiting`: the first mesh, or a finer one. */
  state: "waiting" | "loading" | "ready" | "failed";
  /** Level of the pyramid that is fine enough for the screen, and the one to begin with. */
  target: number;
  readonly coarse: number;
  /** The level last asked for, and that of the mesh that came. */
  asked: number;
  level: number;
  geometry: MeshGeometry | null;
  notice: Notice | null;
  abort: AbortController | null;
  used: number;
}

interface Table {
  readonly key: string;
  /** Null until it is here. */
  readonly table: LabelTable | null;
  /** For which labels `rows` was looked up. */
  selected: readonly string[];
  rows: ReadonlyMap<string, number>;
}

/** Fetches at once: more would only wait for the same few workers of the server. */
const FETCHES = 4;

/** A mesh's voxels are no larger than so many pixels. */
const VOXEL_PIXELS = 1;

/** Levels by which the first mesh of a label is coarser: a sixteenth of the faces. */
const COARSER = 2;

/** From so many labels on it matters which of them come first. */
const RANKED = 8;

/** Bytes of meshes kept that nobody looks at, so that selecting a label again is instant. */
const SPARE_BYTES = 128 * 1024 * 1024;

/** Meshes travel in nm when the layer has a unit; this leads to the view's unit. */
export function meshFactor(layer: LabelsLayer, units: string): number {
  const own = layer.data.axes.at(-1)?.unit ?? "";
  const unit = METRES[units] ?? METRES[own];
  return own === "" || unit === undefined ? 1 : 1e-9 / unit;
}

/** The coarsest level whose voxels are no larger than a pixel. */
export function meshLevel(data: Data, pixel: number): number {
  const edge = (level: Level): number => Math.min(...levelSpace(data, level).scale);
  const finer = data.levels.findIndex((level) => edge(level) > pixel * VOXEL_PIXELS);
  return Math.max((finer === -1 ? data.levels.length : finer) - 1, 0);
}

function pointQuery(point: readonly number[]): string {
  return point.length > 0 ? `?point=${point.join(",")}` : "";
}

/** Whether a finer mesh is wanted; the server may have sent a finer one than was asked for. */
function isTooCoarse({ asked, level, target }: Entry): boolean {
  return asked > target && level > target;
}

/** From a layer's own unit to the view's. */
function unitFactor(layer: SurfaceLayer, units: string): number {
  const own = METRES[layer.data.axes.at(-1)?.unit ?? ""];
  const unit = METRES[units];
  return own === undefined || unit === undefined ? 1 : own / unit;
}

export class MeshStore {
  readonly #baseUrl: string;
  readonly #changed: () => void;
  readonly #entries = new Map<string, Entry>();
  /** The entries that the document asks for, in order, by layer and label. */
  #wanted = new Map<string, Entry>();
  /** What is drawn for a label until its new mesh is there. */
  readonly #shown = new Map<string, Entry>();
  /** Where a layer's labels are, as far as that was asked for. */
  readonly #tables = new Map<string, Table>();
  /** By layer and label, the first to come has the greatest. */
  readonly #ranks = new Map<string, number>();
  #round = 0;
  requests = 0;

  constructor(baseUrl: string, changed: () => void) {
    this.#baseUrl = baseUrl;
    this.#changed = changed;
  }

  /**
   * Ask for the meshes of this document. `pixel` is the size in the world of a pixel at the centre
   * of the 3-D panel; null while none is shown.
   */
  update(document: Document, pixel: number | null): void {
    this.#round += 1;
    const wanted = new Map<string, Entry>();
    for (const id of pixel === null ? [] : document.order) {
      const layer = document.layers[id];
      if (layer?.kind === "surface" && layer.visible) {
        const factor = unitFactor(layer, document.view.units);
        const key = [id, layer.data.generation, factor].join("|");
        const entry = this.#entries.get(key) ?? this.#make(key, id, "", [], factor, 0, 0);
        entry.used = this.#round;
        wanted.set(`${id}|`, entry);
      }
      if (layer?.kind !== "labels" || !layer.visible || !layer.style.meshes) continue;
      const point = pointOf(layer.data, document.view);
      if (point === null) continue;
      const factor = meshFactor(layer, document.view.units);
      const hidden = new Set(layer.style.hidden);
      const target = meshLevel(layer.data, pixel ?? 0);
      const coarse = Math.min(target + COARSER, layer.data.levels.length - 1);
      for (const label of layer.style.selected) {
        if (hidden.has(label) || label === "0") continue;
        const name = `${id}|${label}`;
        const generation = layer.data.generation;
        const key = [name, point, generation, factor].join("|");
        const entry =
          this.#entries.get(key) ?? this.#make(key, id, label, point, factor, target, coarse);
        entry.used = this.#round;
        entry.target = target;
        if (entry.state === "ready" && isTooCoarse(entry)) entry.state = "waiting";
        wanted.set(name, entry);
      }
      if (layer.style.selected.length > RANKED) this.#rank(layer, document, point);
    }
    this.#wanted = wanted;
    for (const name of this.#shown.keys()) if (!wanted.has(name)) this.#shown.delete(name);
    for (const [name, entry] of wanted) if (entry.state === "ready") this.#shown.set(name, entry);
    for (const [key, entry] of this.#entries) {
      if (entry.used === this.#round || (entry.state !== "loading" && entry.state !== "waiting")) {
        continue;
      }
      entry.abort?.abort();
      this.#entries.delete(key);
    }
    this.#evict();
    this.#pump();
  }

  #make(
    key: string,
    layer: string,
    label: string,
    point: readonly number[],
    factor: number,
    target: number,
    coarse: number,
  ): Entry {
    const query = pointQuery(point);
    const entry: Entry = {
      layer,
      label,
      url: `${this.#baseUrl}layers/${layer}/${label === "" ? "surface" : `mesh/${label}`}${query}`,
      factor,
      target,
      coarse,
      asked: -1,
      level: -1,
      state: "waiting",
      geometry: null,
      notice: null,
      abort: null,
      used: this.#round,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  /** Those to be drawn, in the order of selection. */
  get shown(): readonly ShownMesh[] {
    const list: ShownMesh[] = [];
    for (const { layer, label, geometry } of this.#shown.values()) {
      if (geometry !== null) list.push({ layer, label, geometry });
    }
    return list;
  }

  get status(): readonly MeshStatus[] {
    return [...this.#wanted.values()].map(({ layer, label, state, geometry, notice }) => ({
      layer,
      label,
      state: state !== "waiting" && state !== "loading" ? state : geometry ? "ready" : "loading",
      notice,
    }));
  }

  get isSettled(): boolean {
    for (const { state } of this.#wanted.values()) {
      if (state === "waiting" || state === "loading") return false;
    }
    return true;
  }

  get bytes(): number {
    let bytes = 0;
    for (const { geometry } of this.#entries.values()) bytes += geometry?.bytes ?? 0;
    return bytes;
  }

  /** Ask again for those that failed. */
  retry(): void {
    for (const entry of this.#entries.values()) {
      if (entry.state === "failed") entry.state = "waiting";
    }
    this.#pump();
  }

  dispose(): void {
    for (const { abort } of this.#entries.values()) abort?.abort();
    this.#entries.clear();
    this.#wanted.clear();
    this.#shown.clear();
  }

  #pump(): void {
    let busy = 0;
    for (const { state } of this.#entries.values()) if (state === "loading") busy += 1;
    if (busy >= FETCHES) return;
    const waiting = [...this.#wanted].filter(([, { state }]) => state === "waiting");
    // Something of each before more of any; in the order of selection where ranks are not known.
    const rank = ([name, { geometry }]: readonly [string, Entry]): number =>
      (geometry === null ? 1e300 : 0) + (this.#ranks.get(name) ?? 0);
    waiting.sort((a, b) => rank(b) - rank(a));
    for (const [name, entry] of waiting.slice(0, FETCHES - busy)) {
      // What replaces an older mesh is not seen coarsely first.
      const isFirst = entry.geometry === null && !this.#shown.has(name);
      void this.#fetch(entry, isFirst ? Math.max(entry.coarse, entry.target) : entry.target);
    }
  }

  /** Find out how large and how near the layer's labels are: the nearest and largest come first. */
  #rank(layer: LabelsLayer, document: Document, point: readonly number[]): void {
    const address = `layers/${layer.id}/labels${pointQuery(point)}`;
    const key = `${address}|${layer.data.generation}`;
    const known = this.#tables.get(layer.id);
    if (known?.key !== key) {
      this.#tables.set(layer.id, { key, table: null, selected: [], rows: new Map() });
      this.requests += 1;
      fetch(this.#baseUrl + address)
        .then(async (response) => {
          if (!response.ok || this.#tables.get(layer.id)?.key !== key) return;
          const table = new LabelTable(await response.arrayBuffer(), layer.data.dtype);
          this.#tables.set(layer.id, { key, table, selected: [], rows: new Map() });
          this.#rank(layer, document, point);
        })
        // Without the table the order of selection does.
        .catch(() => undefined);
    } else if (known.table !== null) {
      const { center } = document.view;
      const { table } = known;
      const { selected } = layer.style;
      if (known.selected !== selected) {
        known.rows = table.find(new Set(selected));
        known.selected = selected;
      }
      for (const [label, row] of known.rows) {
        const middle = table.middle(row, layer.data);
        const away = Math.hypot(...([0, 1, 2] as const).map((axis) => middle[axis] - center[axis]));
        this.#ranks.set(`${layer.id}|${label}`, Math.cbrt(table.voxels(row)) / (1 + away));
      }
    }
  }

  async #fetch(entry: Entry, level: number): Promise<void> {
    const abort = new AbortController();
    entry.abort = abort;
    entry.state = "loading";
    this.requests += 1;
    try {
      const query = level > 0 ? `${entry.url.includes("?") ? "&" : "?"}level=${level}` : "";
      const response = await fetch(entry.url + query, { signal: abort.signal });
      if (response.ok) {
        const parse = entry.label === "" ? parseSurface : parseFragment;
        entry.geometry = parse(await response.arrayBuffer(), entry.factor);
        entry.asked = level;
        entry.level = Number(response.headers.get("Voxelview-Level") ?? level);
        entry.state = isTooCoarse(entry) ? "waiting" : "ready";
      } else {
        entry.notice = await readFailure(response, entry.layer);
        entry.state = "failed";
      }
    } catch (error) {
      if (abort.signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      entry.notice = { kind: "source", message, layer: entry.layer };
      entry.state = "failed";
    }
    entry.abort = null;
    if (abort.signal.aborted) return;
    const name = `${entry.layer}|${entry.label}`;
    if (this.#wanted.get(name) === entry) {
      if (entry.geometry !== null) this.#shown.set(name, entry);
      else this.#shown.delete(name);
    }
    this.#pump();
    this.#changed();
  }

  #evict(): void {
    const spare = [...this.#entries].filter(([, entry]) => entry.used !== this.#round);
    let bytes = spare.reduce((sum, [, entry]) => sum + (entry.geometry?.bytes ?? 0), 0);
    spare.sort(([, a], [, b]) => a.used - b.used);
    for (const [key, entry] of spare) {
      const failed = entry.state === "failed";
      if (bytes <= SPARE_BYTES && !failed) continue;
      bytes -= entry.geometry?.bytes ?? 0;
      this.#entries.delete(key);
    }
  }
}

/** The server's errors are JSON with a kind, a message and a hint. */
async function readFailure(response: Response, layer: string): Promise<Notice> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as {
      error: { kind: string; message: string; hint?: string };
    };
    return { kind: error.kind, message: error.message, hint: error.hint ?? "", layer };
  } catch {
    const status = String(response.status);
    return { kind: "source", message: `The server answered ${status}.`, layer };
  }
}
