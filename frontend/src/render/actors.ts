// The layers that are shown, bottom first: each with the volume that it is drawn from, with what
// stands in for that, and with how its values become texels.
import { coarsestBricks } from "../bricks/fill";
import type { Library } from "../bricks/library";
import type { Volume } from "../bricks/volume";
import type { Document, ImageLayer, LabelsLayer } from "../wire/types";
import { pointOf } from "./leading";
import type { Presence } from "./presence";
import { imageCode, labelsCode, type TexelCode } from "./texels";

/** A layer as it is shown now. */
export interface Actor {
  readonly layer: ImageLayer | LabelsLayer;
  readonly volume: Volume;
  /** What is shown where nothing of `volume` is there yet. */
  readonly former: Volume | null;
  readonly code: TexelCode;
}

export class Actors {
  readonly #library: Library;
  readonly #presence: Presence;
  readonly #codes = new WeakMap<Volume, TexelCode>();
  #list: readonly Actor[] = [];

  constructor(library: Library, presence: Presence) {
    this.#library = library;
    this.#presence = presence;
  }

  /** Bottom first. */
  get list(): readonly Actor[] {
    return this.#list;
  }

  /** How the volume's values become texels; null for one that has not been shown. */
  code(volume: Volume): TexelCode | null {
    return this.#codes.get(volume) ?? null;
  }

  /** Show the visible layers of this document. */
  cast(document: Document): void {
    const before = new Map(this.#list.map((actor) => [actor.layer.id, actor]));
    const actors: Actor[] = [];
    for (const id of document.order) {
      const layer = document.layers[id];
      if (layer?.visible !== true || layer.kind === "surface") continue;
      const point = pointOf(layer.data, document.view);
      if (point === null) continue;
      const volume = this.#library.select(id, layer.kind, layer.data, point);
      let code = this.#codes.get(volume);
      if (code === undefined) {
        code =
          layer.kind === "labels"
            ? labelsCode(volume.element)
            : imageCode(volume.element, layer.data.histogram);
        this.#codes.set(volume, code);
      }
      actors.push({ layer, volume, former: this.#formerOf(before.get(id), volume), code });
    }
    this.#list = actors;
  }

  /** What stands in: what was shown last, unless that was still empty itself. */
  #formerOf(before: Actor | undefined, volume: Volume): Volume | null {
    if (before === undefined) return null;
    if (before.volume === volume) return before.former;
    const shown = coarsestBricks(before.volume).some((need) => this.#presence.wasDrawn(need));
    const former = shown ? before.volume : before.former;
    return former === volume ? null : former;
  }
}
