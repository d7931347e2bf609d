// Colour maps by name, fetched once each. Until one is there, and when it can't be had, grey does.

/** Entries of a colour map, four bytes each. */
const ENTRIES = 256;

const GRAY = Uint8Array.from({ length: ENTRIES * 4 }, (_, at) => (at % 4 === 3 ? 255 : at >> 2));

export class Colormaps {
  readonly #baseUrl: string;
  readonly #arrived: () => void;
  readonly #maps = new Map<string, Uint8Array | "loading" | "failed">([["gray", GRAY]]);
  readonly #abort = new AbortController();
  requests = 0;

  constructor(baseUrl: string, arrived: () => void) {
    this.#baseUrl = baseUrl;
    this.#arrived = arrived;
  }

  /** The colours now known for this name, and whether they are final. */
  get(name: string): { readonly colors: Uint8Array; readonly ready: boolean } {
    const map = this.#maps.get(name);
    if (map instanceof Uint8Array) return { colors: map, ready: true };
    if (map === undefined) void this.#fetch(name);
    return { colors: GRAY, ready: map === "failed" };
  }

  async #fetch(name: string): Promise<void> {
    this.#maps.set(name, "loading");
    this.requests += 1;
    try {
      const url = `${this.#baseUrl}colormaps/${encodeURIComponent(name)}`;
      const response = await fetch(url, { signal: this.#abort.signal });
      const colors = new Uint8Array(await response.arrayBuffer());
      const isMap = response.ok && colors.length === ENTRIES * 4;
      this.#maps.set(name, isMap ? colors : "failed");
    } catch {
      this.#maps.set(name, "failed");
    }
    if (!this.#abort.signal.aborted) this.#arrived();
  }

  /** Ask again for those that failed. */
  retry(): void {
    for (const [name, map] of this.#maps) if (map === "failed") this.#maps.delete(name);
  }

  dispose(): void {
    this.#abort.abort();
  }
}
