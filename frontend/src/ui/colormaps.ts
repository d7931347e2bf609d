// The colour maps that the server knows, as previews: 16 colours each, fetched when first asked for;
// and all 256 of those that are looked up.
import { signal, type ReadonlySignal } from "@preact/signals";
import { Colormaps as Tables } from "../render/colormaps";

export interface Colormap {
  readonly name: string;
  readonly category: string;
  readonly colors: readonly string[];
}

/** Black to one colour: what channels are usually tinted with. */
export const TINTS: readonly Colormap[] = [
  ["gray", "#ffffff"],
  ["red", "#ff0000"],
  ["green", "#00ff00"],
  ["blue", "#0000ff"],
  ["cyan", "#00ffff"],
  ["magenta", "#ff00ff"],
  ["yellow", "#ffff00"],
  ["orange", "#ff8000"],
].map(([name = "", color = ""]) => ({ name, category: "tint", colors: ["#000000", color] }));

export class Colormaps {
  readonly #url: string;
  readonly #list = signal<readonly Colormap[]>([]);
  readonly #failed = signal(false);
  #asked = false;
  readonly #tables: Tables;
  /** Goes on with every table that has come. */
  readonly #arrived = signal(0);

  constructor(url: string) {
    this.#url = url;
    this.#tables = new Tables(new URL(".", url).href, () => {
      this.#arrived.value += 1;
    });
  }

  /** Empty until the list has come. */
  get list(): ReadonlySignal<readonly Colormap[]> {
    this.#load();
    return this.#list;
  }

  get failed(): ReadonlySignal<boolean> {
    return this.#failed;
  }

  /** Colours of a map or of a tint; a gray ramp until the list has come. */
  colors(name: string): readonly string[] {
    if (/^#[0-9a-f]{6}$/i.test(name)) return ["#000000", name];
    const known = this.#named(name);
    if (known !== undefined) return known;
    // matplotlib's name for the same map the other way round
    const straight = name.endsWith("_r") ? this.#named(name.slice(0, -2)) : undefined;
    return straight?.toReversed() ?? ["#000000", "#ffffff"];
  }

  /** All colours, four bytes each; grey until they have come. */
  table(name: string): Uint8Array {
    void this.#arrived.value;
    return this.#tables.get(name).colors;
  }

  /** Asks again after a failure. */
  retry(): void {
    this.#tables.retry();
    this.#asked = false;
    this.#load();
  }

  #named(name: string): readonly string[] | undefined {
    return [...this.list.value, ...TINTS].find((colormap) => colormap.name === name)?.colors;
  }

  #load(): void {
    if (this.#asked) return;
    this.#asked = true;
    fetch(this.#url)
      .then((response) =>
        response.ok ? response.json() : Promise.reject(new Error(response.statusText)),
      )
      .then(
        (list: readonly Colormap[]) => {
          this.#list.value = list;
          this.#failed.value = false;
        },
        () => {
          this.#failed.value = true;
        },
      );
  }
}

/** A CSS gradient from left to right. */
export function gradient(colors: readonly string[]): string {
  return `linear-gradient(to right, ${colors.join(", ")})`;
}
