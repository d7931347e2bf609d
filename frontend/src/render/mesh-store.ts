// The meshes of the selected labels: which are wanted, which are on their way, which are here.
import { METRES } from "../math/metres";
import type { Document, LabelsLayer, Notice } from "../wire/types";
import { pointOf } from "./leading";
import { parseFragment, type MeshGeometry } from "./mesh-geometry";
import type { MeshStatus } from "./types";

/** A mesh that is to be drawn. */
export interface ShownMesh {
  readonly layer: string;
  readonly label: string;
  readonly geometry: MeshGeometry;
}

interface Entry {
  readonly layer: string;
  readonly label: string;
  readonly url: string;
  readonly factor: number;
  state: "waiting" | "loading" | "ready" | "failed";
  geometry: MeshGeometry | null;
  notice: Notice | null;
  abort: AbortController | null;
  used: number;
}

/** Fetches at once: more would only wait for the same few workers of the server. */
const FETCHES = 4;

/** Bytes of meshes kept that nobody looks at, so that selecting a label again is instant. */
const SPARE_BYTES = 128 * 1024 * 1024;

/** Meshes travel in nm when the layer has a unit; this leads to the view's unit. */
export function meshFactor(layer: LabelsLayer, units: string): number {
  const own = layer.data.axes.at(-1)?.unit ?? "";
  const unit = METRES[units] ?? METRES[own];
  return own === "" || unit === undefined ? 1 : 1e-9 / unit;
}

export class MeshStore {
  readonly #baseUrl: string;
  readonly #changed: () => void;
  readonly #entries = new Map<string, Entry>();
  /** The entries that the document asks for, in order, by layer and label. */
  #wanted = new Map<string, Entry>();
  /** What is drawn for a label until its new mesh is there. */
  readonly #shown = new Map<string, Entry>();
  #round = 0;
  requests = 0;

  constructor(baseUrl: string, changed: () => void) {
    this.#baseUrl = baseUrl;
    this.#changed = changed;
  }

  /** Ask for the meshes of this document; `active` is false while no 3-D panel is shown. */
  update(document: Document, active: boolean): void {
    this.#round += 1;
    const wanted = new Map<string, Entry>();
    for (const id of active ? document.order : []) {
      const layer = document.layers[id];
      if (layer?.kind !== "labels" || !layer.visible || !layer.style.meshes) continue;
      const point = pointOf(layer.data, document.view);
      if (point === null) continue;
      const factor = meshFactor(layer, document.view.units);
      const hidden = new Set(layer.style.hidden);
      for (const label of layer.style.selected) {
        if (hidden.has(label) || label === "0") continue;
        const name = `${id}|${label}`;
        const generation = layer.data.generation;
        const key = [name, point, generation, factor].join("|");
        const entry = this.#entries.get(key) ?? this.#make(key, id, label, point, factor);
        entry.used = this.#round;
        wanted.set(name, entry);
      }
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
  ): Entry {
    const query = point.length > 0 ? `?point=${point.join(",")}` : "";
    const entry: Entry = {
      layer,
      label,
      url: `${this.#baseUrl}layers/${layer}/mesh/${label}${query}`,
      factor,
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
    return [...this.#wanted.values()].map(({ layer, label, state, notice }) => ({
      layer,
      label,
      state: state === "waiting" ? "loading" : state,
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
    for (const entry of this.#wanted.values()) {
      if (busy >= FETCHES) return;
      if (entry.state !== "waiting") continue;
      busy += 1;
      void this.#fetch(entry);
    }
  }

  async #fetch(entry: Entry): Promise<void> {
    const abort = new AbortController();
    entry.abort = abort;
    entry.state = "loading";
    this.requests += 1;
    try {
      const response = await fetch(entry.url, { signal: abort.signal });
      if (response.ok) {
        entry.geometry = parseFragment(await response.arrayBuffer(), entry.factor);
        entry.state = "ready";
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
      if (entry.state === "ready") this.#shown.set(name, entry);
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
