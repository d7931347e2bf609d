// What the interface's parts share: the document and what is derived from it, the renderer and what
// it reports, and the page's own passing state (cursor, open panels) that no other page sees.
import { batch, computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { panelAt, panelMiddle, type Panel, type Position } from "../math/panel";
import { screenToWorld } from "../math/view";
import type { Highlight, LayerValue, Pick, Renderer, Status } from "../render/types";
import { change } from "../state/changes";
import type { Notices } from "../state/notices";
import type { Tasks } from "../state/progress";
import type { Store } from "../state/store";
import type { PageMessage } from "../wire/protocol";
import type { Connection } from "../wire/socket";
import type { Change, Document, ImageLayer, LabelsLayer, SurfaceLayer } from "../wire/types";
import type { Colormaps } from "./colormaps";
import { Keeping } from "./keeping";
import { marginsFor, NO_MARGINS, panelsFor, type Margins } from "./layout";
import type { Playback } from "./playback";

export type Layer = ImageLayer | LabelsLayer | SurfaceLayer;

/** Where the pointer is. */
export interface Cursor {
  readonly x: number;
  readonly y: number;
  readonly panel: Panel;
  readonly position: Position;
  readonly pick: Pick | null;
}

export type Stopper = "webgl" | "protocol";

export interface PageParts {
  readonly store: Store;
  readonly notices: Notices;
  readonly tasks: Tasks;
  readonly connection: ReadonlySignal<Connection>;
  readonly colormaps: Colormaps;
  readonly playback: Playback;
  /** Tries to connect at once. */
  reconnect(): void;
  /** Sends to Python what is no edit; false without a connection. */
  send(message: PageMessage): boolean;
  /** A PNG of what the page shows. */
  picture(): Promise<ArrayBuffer>;
}

const NOTHING_YET: Status = { panels: [], meshes: [], context: "ok", settled: false };

/** CSS pixels below which the side panel lies over the picture and starts closed. */
const NARROW = 720;

/** Milliseconds for which a remark is shown. */
const REMARK = 4000;

function equalPick(a: Pick | null, b: Pick | null): boolean {
  return a?.layer === b?.layer && a?.label === b?.label;
}

export class Page {
  readonly store: Store;
  readonly notices: Notices;
  readonly tasks: Tasks;
  readonly connection: ReadonlySignal<Connection>;
  readonly colormaps: Colormaps;
  readonly playback: Playback;
  readonly reconnect: () => void;
  readonly send: (message: PageMessage) => boolean;
  readonly picture: () => Promise<ArrayBuffer>;

  readonly keeping = new Keeping(this);

  readonly document: ReadonlySignal<Document | null>;
  readonly view = computed(() => this.store.document.value?.view ?? null);
  readonly layers = computed(() => this.store.document.value?.layers ?? {});
  readonly order = computed(() => this.store.document.value?.order ?? []);
  readonly theme = computed(() => this.store.document.value?.theme ?? "dark");
  readonly title = computed(() => this.store.document.value?.title ?? "Voxelview");
  readonly empty = computed(() => this.store.document.value?.order.length === 0);
  readonly active = computed((): Layer | null => {
    const document = this.store.document.value;
    if (document === null || document.active === null) return null;
    return document.layers[document.active] ?? null;
  });

  /** Room for the panels in CSS pixels. */
  readonly size = signal<readonly [width: number, height: number]>([0, 0]);
  /** Device pixels per CSS pixel; changes with the browser's zoom and from screen to screen. */
  readonly pixelRatio = signal(window.devicePixelRatio);
  readonly #layout = computed(() => this.view.value?.layout ?? "4panel");
  readonly #splitX = computed(() => this.view.value?.split[0] ?? 0.5);
  readonly #splitY = computed(() => this.view.value?.split[1] ?? 0.5);
  readonly #marginTop = computed(() => this.#margins().top);
  readonly #marginRight = computed(() => this.#margins().right);
  /** CSS pixels of that room which the title and the colour bars have. */
  readonly margins = computed(() => ({
    top: this.#marginTop.value,
    right: this.#marginRight.value,
  }));
  readonly panels = computed((): readonly Panel[] => {
    const [width, height] = this.size.value;
    const split = [this.#splitX.value, this.#splitY.value] as const;
    return panelsFor(this.#layout.value, split, width, height, this.margins.value);
  });

  readonly renderer = signal<Renderer | null>(null);
  readonly status = signal<Status>(NOTHING_YET);
  readonly cursor = signal<Cursor | null>(null);
  /** The panel under the pointer. */
  readonly pointed = computed(() => this.cursor.value?.panel.kind ?? null);
  readonly values = signal<readonly LayerValue[]>([]);
  readonly stopper = signal<Stopper | null>(null);
  /** What Python calls this page while it is connected; and whether that was just copied. */
  readonly session = signal<string | null>(null);
  readonly sessionCopied = signal(false);

  readonly sidebar = signal(window.innerWidth >= NARROW);
  readonly palette = signal(false);
  readonly noticeList = signal(false);
  readonly statistics = signal(false);
  /** Whether all labels of the active layer are listed. */
  readonly labelList = signal(false);
  /** Somebody wants to type a label to go to. */
  readonly findsLabel = signal(false);
  /** What was said last, for a few seconds. */
  readonly remark = signal<string | null>(null);
  #saying: ReturnType<typeof setTimeout> | undefined;
  /** Whether the title above the picture is being edited. */
  readonly titling = signal(false);
  /** The layer whose name is being edited. */
  readonly renaming: Signal<string | null> = signal(null);

  constructor(parts: PageParts) {
    this.store = parts.store;
    this.notices = parts.notices;
    this.tasks = parts.tasks;
    this.connection = parts.connection;
    this.colormaps = parts.colormaps;
    this.playback = parts.playback;
    this.reconnect = () => parts.reconnect();
    this.send = (message) => parts.send(message);
    this.picture = () => parts.picture();
    this.document = parts.store.document;
  }

  #margins(): Margins {
    const document = this.store.document.value;
    return document === null ? NO_MARGINS : marginsFor(document, ...this.size.value);
  }

  /** Takes back what was done last, here or elsewhere; or does it again. */
  undo(redo: boolean): void {
    if (this.store.readOnly.peek()) {
      this.say("This address is for looking only");
      return;
    }
    this.store.flush(); // What was done in this very frame is done first.
    if (!this.send({ type: "undo", redo })) this.say("Python is not connected");
  }

  /** Says something in passing, in the status bar. */
  say(text: string): void {
    clearTimeout(this.#saying);
    this.remark.value = text;
    this.#saying = setTimeout(() => {
      this.remark.value = null;
    }, REMARK);
  }

  /** Edits through a function of the present document. */
  edit(changes: (document: Document) => readonly Change[]): void {
    const document = this.document.peek();
    if (document !== null) this.store.edit(changes(document));
  }

  /** Puts one value into the document. */
  put(value: unknown, ...path: string[]): void {
    this.store.edit([change(value, ...path)]);
  }

  /** The pointer is at this place of the canvas; null when it has left it. */
  point(place: readonly [x: number, y: number] | null): void {
    const document = this.document.peek();
    const panels = this.panels.peek();
    const panel = place === null ? null : panelAt(panels, place[0], place[1]);
    if (place === null || panel === null || document === null) {
      batch(() => {
        this.cursor.value = null;
        this.values.value = [];
      });
      this.renderer.peek()?.setHighlight(null);
      this.renderer.peek()?.setProbe(null);
      return;
    }
    const [x, y] = place;
    const renderer = this.renderer.peek();
    const pick = renderer?.pick(x, y) ?? null;
    const position =
      panel.kind === "3d"
        ? (pick?.position ?? screenToWorld(document, panels, panel, x, y))
        : screenToWorld(document, panels, panel, x, y);
    const before = this.cursor.peek();
    this.cursor.value = { x, y, panel, position, pick };
    if (!equalPick(before?.pick ?? null, pick)) renderer?.setHighlight(highlight(pick));
    renderer?.setProbe(panel.kind === "3d" && pick === null ? null : position);
    this.refreshValues();
  }

  /** Reads the values under the pointer again. */
  refreshValues(): void {
    const cursor = this.cursor.peek();
    const renderer = this.renderer.peek();
    if (
      cursor === null ||
      renderer === null ||
      (cursor.panel.kind === "3d" && cursor.pick === null)
    ) {
      this.values.value = [];
    } else {
      const surface = cursor.pick?.surface;
      const values = renderer.values(cursor.position);
      this.values.value = surface === undefined ? values : [surface, ...values];
    }
  }

  /** The panel that a key means: under the pointer, else with the focus, else the first. */
  panelInMind(): Panel | null {
    const panels = this.panels.peek();
    const pointed = this.cursor.peek()?.panel.kind;
    const focused = document.activeElement?.closest<HTMLElement>("[data-panel]")?.dataset["panel"];
    return panels.find(({ kind }) => kind === (pointed ?? focused)) ?? panels[0] ?? null;
  }

  /** The label under the pointer, or, for the keyboard, where the slices cross. */
  labelInMind(): { readonly layer: string; readonly label: string } | null {
    const panel = this.panelInMind();
    if (panel === null) return null;
    const cursor = this.cursor.peek();
    const [x, y] = cursor === null ? panelMiddle(panel) : [cursor.x, cursor.y];
    const pick = this.renderer.peek()?.pick(x, y) ?? null;
    return highlight(pick);
  }

  /** The image whose contrast a gesture means: the active one, else the topmost visible. */
  imageInMind(): ImageLayer | null {
    const active = this.active.peek();
    if (active?.kind === "image") return active;
    const layers = this.layers.peek();
    for (const id of [...this.order.peek()].reverse()) {
      const layer = layers[id];
      if (layer?.kind === "image" && layer.visible) return layer;
    }
    return null;
  }

  /** Selects a label, or takes it out of the selection. */
  toggleLabel(layerId: string, label: string): void {
    const layer = this.layers.peek()[layerId];
    if (layer?.kind !== "labels") return;
    const { selected } = layer.style;
    const next = selected.includes(label)
      ? selected.filter((other) => other !== label)
      : [...selected, label];
    this.put(next, "layers", layerId, "style", "selected");
  }
}

function highlight(pick: Pick | null): Highlight | null {
  if (pick === null || pick.layer === null || pick.label === null) return null;
  return { layer: pick.layer, label: pick.label };
}
