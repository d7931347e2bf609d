// The meshes of the selected labels: which are wanted, which are on their way, which are here.
import type { Position } from "../math/panel";
import type { Document, LabelsLayer, Notice } from "../wire/types";
import { pointOf } from "./leading";
import { meshLevel, meshTolerance, unitFactor, voxelAt } from "./mesh-detail";
import { parseMesh, type MeshGeometry } from "./mesh-geometry";
import { MeshRanks } from "./mesh-ranks";
import { meshAddress, pointQuery, readFailure } from "./mesh-request";
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
  /** The error, in the layer's unit, of the faces taken out that is small enough; 0 keeps all. */
  tolerance: number;
  /** The level last asked for, that of the mesh that came, and the error that it was made with. */
  asked: number;
  level: number;
  error: number;
  /** Voxel that was pointed at; null once the whole label is asked for. */
  seed: readonly number[] | null;
  /** Whether there is more of the label than has been found around the seed. */
  isPiece: boolean;
  geometry: MeshGeometry | null;
  /** Why it is coarser than asked for; mostly empty. */
  note: string;
  notice: Notice | null;
  abort: AbortController | null;
  used: number;
}

/** Where a label was seen last. */
interface Pointed {
  readonly layer: string;
  readonly label: string;
  readonly position: Position;
}

/** Fetches at once: more would only wait for the same few workers of the server. */
const FETCHES = 4;

/** Levels by which the first mesh of a label is coarser: a sixteenth of the faces. */
const COARSER = 2;

/** From so many labels on it matters which of them come first, and how many faces they have. */
const RANKED = 8;

/** A mesh's voxels are no larger than so many pixels where there are many meshes. */
const MANY_PIXELS = 2;

/** Bytes of meshes kept that nobody looks at, so that selecting a label again is instant. */
const SPARE_BYTES = 128 * 1024 * 1024;

/** Whether a finer mesh is wanted; the server may have sent a finer one than was asked for. */
function isTooCoarse({ asked, level, target, error, tolerance }: Entry): boolean {
  return (asked > target && level > target) || error > 2 * tolerance;
}

/** Whether there is a better mesh: a finer one, or that of the whole label. */
function isUnfinished(entry: Entry): boolean {
  return entry.isPiece || isTooCoarse(entry);
}

/** Whether a request waits until all labels have been found. */
function waitsForIndex({ isPiece, seed }: Entry): boolean {
  return isPiece && seed === null;
}

export class MeshStore {
  readonly #baseUrl: string;
  readonly #changed: () => void;
  readonly #entries = new Map<string, Entry>();
  /** The entries that the document asks for, in order, by layer and label. */
  #wanted = new Map<string, Entry>();
  /** What is drawn for a label until its new mesh is there. */
  readonly #shown = new Map<string, Entry>();
  readonly #ranks: MeshRanks;
  #pointed: Pointed | null = null;
  #round = 0;
  #requests = 0;

  constructor(baseUrl: string, changed: () => void) {
    this.#baseUrl = baseUrl;
    this.#changed = changed;
    this.#ranks = new MeshRanks(baseUrl);
  }

  get requests(): number {
    return this.#requests + this.#ranks.requests;
  }

  /** A label was seen at a place in the world: if it is selected next, its mesh begins there. */
  point(layer: string, label: string, position: Position): void {
    this.#pointed = { layer, label, position };
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
      const factor = unitFactor(layer, document.view.units);
      const hidden = new Set(layer.style.hidden);
      const isOneOfMany = layer.style.selected.length > RANKED;
      const target = meshLevel(layer.data, (pixel ?? 0) * (isOneOfMany ? MANY_PIXELS : 1));
      const tolerance = isOneOfMany ? meshTolerance((pixel ?? 0) / factor) : 0;
      const coarse = Math.min(target + COARSER, layer.data.levels.length - 1);
      for (const label of layer.style.selected) {
        if (hidden.has(label) || label === "0") continue;
        const name = `${id}|${label}`;
        const generation = layer.data.generation;
        const key = [name, point, generation, factor].join("|");
        const entry =
          this.#entries.get(key) ?? this.#make(key, id, label, point, factor, target, coarse);
        if (entry.asked < 0 && entry.state === "waiting") entry.seed ??= this.#seed(layer, label);
        entry.used = this.#round;
        entry.target = target;
        entry.tolerance = tolerance;
        if (entry.state === "ready" && isUnfinished(entry)) entry.state = "waiting";
        wanted.set(name, entry);
      }
      if (isOneOfMany) {
        this.#ranks.update(layer, document, pointQuery(point));
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
    target: number,
    coarse: number,
  ): Entry {
    const query = pointQuery(point);
    const entry: Entry = {
      layer,
      label,
      url: `${this.#baseUrl}layers/${layer}/${label === "" ? "surface" : `mesh/${label}.surface`}${query}`,
      factor,
      target,
      coarse,
      tolerance: 0,
      asked: -1,
      level: -1,
      error: 0,
      state: "waiting",
      seed: null,
      isPiece: false,
      geometry: null,
      note: "",
      notice: null,
      abort: null,
      used: this.#round,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  #seed(layer: LabelsLayer, label: string): readonly number[] | null {
    const pointed = this.#pointed;
    if (pointed?.layer !== layer.id || pointed.label !== label) return null;
    return voxelAt(layer.data, pointed.position);
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
    return [...this.#wanted.values()].map(({ layer, label, state, geometry, note, notice }) => ({
      layer,
      label,
      state: state !== "waiting" && state !== "loading" ? state : geometry ? "ready" : "loading",
      note,
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
    let isWaitedFor = false;
    for (const entry of this.#entries.values()) {
      if (entry.state !== "loading") continue;
      if (waitsForIndex(entry)) isWaitedFor = true;
      else busy += 1;
    }
    const pending = [...this.#wanted].filter(([, { state }]) => state === "waiting");
    // One waits for the index in place of all others of a kind, and keeps no other mesh from coming.
    const whole = isWaitedFor ? undefined : pending.find(([, entry]) => waitsForIndex(entry));
    if (whole !== undefined) void this.#fetch(whole[1], whole[1].target);
    if (busy >= FETCHES) return;
    const waiting = pending.filter(([, entry]) => !waitsForIndex(entry));
    // Something of each before more of any; in the order of selection where ranks are not known.
    const rank = ([name, { geometry }]: readonly [string, Entry]): number =>
      (geometry === null ? 1e300 : 0) + this.#ranks.of(name);
    waiting.sort((a, b) => rank(b) - rank(a));
    for (const [name, entry] of waiting.slice(0, FETCHES - busy)) {
      // What replaces an older mesh is not seen coarsely first.
      const isFirst = entry.geometry === null && !this.#shown.has(name);
      void this.#fetch(entry, isFirst ? Math.max(entry.coarse, entry.target) : entry.target);
    }
  }

  async #fetch(entry: Entry, level: number): Promise<void> {
    const abort = new AbortController();
    entry.abort = abort;
    entry.state = "loading";
    this.#requests += 1;
    try {
      // What comes first comes soonest with all its faces.
      const error = level > entry.target ? 0 : entry.tolerance;
      const address = meshAddress(entry.url, level, entry.seed, error);
      const response = await fetch(address, { signal: abort.signal });
      if (response.ok) {
        entry.geometry = parseMesh(await response.arrayBuffer(), entry.factor);
        entry.asked = level;
        entry.error = error;
        entry.level = Number(response.headers.get("Voxelview-Level") ?? level);
        entry.note = response.headers.get("Voxelview-Note") ?? "";
        entry.isPiece = response.headers.get("Voxelview-Whole") === "0";
        if (!entry.isPiece || !isTooCoarse(entry)) entry.seed = null;
        entry.state = isUnfinished(entry) ? "waiting" : "ready";
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
