// Views that are kept: as a file, or as a link that shows them again on the running viewer. Python
// says what a view consists of, and takes one back; the page only carries it. And their pictures.
import type { Loaded, Saved } from "../wire/types";
import type { Page } from "./page";

type View = Record<string, unknown>;

/** Where a link keeps the view: after `#`, which browsers send to nobody. */
const MARK = "#view=";

/** Letters of a link beyond which mail and chat programs begin to cut it. */
const LONGEST = 30_000;

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  transform: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(transform);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A view as letters that may stand in an address. */
export async function encodeView(view: View): Promise<string> {
  const bytes = await through(
    new TextEncoder().encode(JSON.stringify(view)),
    new CompressionStream("deflate-raw"),
  );
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The view that letters stand for; throws when they stand for none. */
export async function decodeView(letters: string): Promise<View> {
  const text = atob(letters.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const json = await through(bytes, new DecompressionStream("deflate-raw"));
  return asView(JSON.parse(new TextDecoder().decode(json)));
}

function asView(value: unknown): View {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError("no view");
  }
  return value as View;
}

/** Without what a link has no use for: where files are, and remarks. */
export function forLink(view: View): View {
  const layers = Array.isArray(view["layers"]) ? (view["layers"] as View[]) : [];
  return {
    ...view,
    layers: layers.map((layer) =>
      Object.fromEntries(
        Object.entries(layer).filter(([name]) => name !== "source" && name !== "metadata"),
      ),
    ),
  };
}

function download(name: string, type: string, content: BlobPart): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export class Keeping {
  readonly #page: Page;
  /** What the answers that are under way are for, oldest first. */
  #wanted: ("file" | "link")[] = [];

  constructor(page: Page) {
    this.#page = page;
  }

  /** Asks Python for the view, for a file or a link. */
  keep(what: "file" | "link"): void {
    this.#page.store.flush();
    if (this.#page.send({ type: "save" })) this.#wanted.push(what);
    else this.#page.say("Python is not connected");
  }

  /** The connection is new: nothing asked for on the last one comes any more. */
  forget(): void {
    this.#wanted = [];
  }

  async receive(message: Saved | Loaded): Promise<void> {
    const page = this.#page;
    if (message.type === "loaded") {
      const { missing, notice } = message;
      if (notice !== null && notice !== undefined) page.notices.add(notice);
      else if (missing.length === 0) page.say("The view is restored");
      else page.say(`The view is restored, without ${missing.join(", ")}`);
      return;
    }
    const view = message.view as View;
    if (this.#wanted.shift() === "link") {
      await this.#copyLink(view);
    } else {
      const text = `${JSON.stringify(view, null, 2)}\n`;
      download(`${this.#fileName()}.json`, "application/json", text);
    }
  }

  /** Saves a picture of what the page shows, with all of it loaded. */
  async savePicture(): Promise<void> {
    const page = this.#page;
    page.say("The picture is being taken");
    try {
      download(`${this.#fileName()}.png`, "image/png", await page.picture());
      page.say("The picture is saved");
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      page.notices.add({ kind: "source", message: `There is no picture: ${message}` });
    }
  }

  #fileName(): string {
    return this.#page.title.peek().replaceAll(/[^\p{L}\p{N}._-]+/gu, "-");
  }

  async #copyLink(view: View): Promise<void> {
    const link = `${location.href.split("#")[0] ?? ""}${MARK}${await encodeView(forLink(view))}`;
    if (link.length > LONGEST) {
      this.#page.say("Too much for a link: save the view to a file instead");
      return;
    }
    try {
      await navigator.clipboard.writeText(link);
      this.#page.say("Link copied");
    } catch {
      // Without a secure context, or leave, there is no clipboard: the address bar holds it.
      history.replaceState(null, "", link);
      this.#page.say("The link is in the address bar");
    }
  }

  /** Has the user choose a file, and shows its view. */
  choose(): void {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = ".json,application/json";
    input.onchange = () => {
      const file = input.files?.[0];
      if (file !== undefined) void this.open(file);
    };
    input.click();
  }

  async open(file: Blob & { readonly name: string }): Promise<void> {
    try {
      this.#load(asView(JSON.parse(await file.text())));
    } catch {
      this.#page.say(`${file.name} holds no saved view`);
    }
  }

  /** Shows the view of the link that the page was opened by, once. */
  async followLink(): Promise<void> {
    if (!location.hash.startsWith(MARK)) return;
    const letters = location.hash.slice(MARK.length);
    history.replaceState(null, "", location.href.split("#")[0]);
    try {
      this.#load(await decodeView(letters));
    } catch {
      this.#page.say("The link was cut, and shows no view");
    }
  }

  #load(view: View): void {
    this.#page.store.flush();
    if (!this.#page.send({ type: "load", view })) this.#page.say("Python is not connected");
  }
}
