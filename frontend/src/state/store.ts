// The document as this page shows it: what the server says, with the page's own unacknowledged
// edits laid on top, so that a drag is never a round trip behind the hand.
//
// An edit goes through three stages. *Queued*: applied here, not sent; a frame's edits become one
// message. *In flight*: sent, not yet part of the server's document. When the answer has come and
// the patch that covers it too, the truth contains the edit and the layer on top goes away; when it
// is refused, the layer goes away and what the server says shows again.
//
// At an address for looking only nothing is sent. What somebody scrolls, zooms or colours there is
// laid on top for this page alone, and the rest goes on to follow the viewer.
import { computed, signal, type ReadonlySignal } from "@preact/signals";
import type { Accepted, Change, Document, Edit, Patch, Rejected, Snapshot } from "../wire/types";
import { applyChanges, coalesce } from "./changes";

export interface StoreOptions {
  /** Sends an edit; false when there is no connection. */
  send(edit: Edit): boolean;
  /** Runs the function once, at the next frame. */
  schedule(run: () => void): void;
  /** A patch is missing: a new snapshot is needed. */
  resync(): void;
}

interface Flight {
  readonly request: number;
  readonly changes: readonly Change[];
  /** Version of the document that contains it, once accepted. */
  version: number | null;
}

/** Which layers there are, and what they are called, is not a matter of looks. */
function isLook(change: Change): boolean {
  const [field, , part] = change.path;
  if (field === "layers") return part === "style" || part === "visible";
  return field === "view" || field === "active" || field === "theme";
}

/** Edits on their way at once: at 60 frames a second enough for 250 ms to the server and back. */
const IN_FLIGHT = 16;

export class Store {
  readonly #options: StoreOptions;
  readonly #document = signal<Document | null>(null);
  #truth: Document | null = null;
  #version = 0;
  #request = 0;
  #queued: Change[] = [];
  #flights: Flight[] = [];
  #scheduled = false;
  /** Whether the present connection has said what is true; before, edits have no base. */
  #greeted = false;
  readonly #readOnly = signal(false);
  /** Edits that stay on this page, where nothing may be sent. */
  readonly #own = signal<readonly Change[]>([]);

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  /** What is shown; null until the first snapshot. */
  get document(): ReadonlySignal<Document | null> {
    return this.#document;
  }

  /** Whether every edit has become part of the server's document. */
  get clean(): boolean {
    return this.#queued.length === 0 && this.#flights.length === 0;
  }

  /** Whether the address is for looking only. */
  get readOnly(): ReadonlySignal<boolean> {
    return this.#readOnly;
  }

  /** Whether this page, for looking only, shows something else than the viewer does. */
  readonly apart = computed(() => this.#own.value.length > 0);

  /** What the greeting says of the address. */
  setReadOnly(readOnly: boolean): void {
    this.#readOnly.value = readOnly;
  }

  /** Shows what the viewer shows again. */
  rejoin(): void {
    this.#own.value = [];
    this.#show();
  }

  /** Changes the document: here at once, at the server with the next frame. */
  edit(changes: readonly Change[]): void {
    const present = this.#document.peek();
    if (present === null || changes.length === 0) return;
    if (this.#readOnly.peek()) {
      this.#own.value = coalesce([...this.#own.peek(), ...changes.filter(isLook)]);
      this.#show();
      return;
    }
    this.#queued = coalesce([...this.#queued, ...changes]);
    this.#document.value = applyChanges(present, changes);
    this.#flushSoon();
  }

  /** The connection is lost: edits are kept until the next one's snapshot. */
  disconnected(): void {
    this.#greeted = false;
  }

  /** Sends what is queued; called before a page is left, too, which has no next frame. */
  flush(): void {
    if (!this.#greeted || this.#queued.length === 0 || this.#flights.length >= IN_FLIGHT) return;
    const changes = this.#queued;
    const request = this.#request + 1;
    if (!this.#options.send({ type: "edit", request, base: this.#version, changes })) return;
    this.#request = request;
    this.#queued = [];
    this.#flights.push({ request, changes, version: null });
  }

  receive(message: Snapshot | Patch | Accepted | Rejected): void {
    switch (message.type) {
      case "snapshot":
        this.#truth = message.document;
        this.#version = message.version;
        this.#greeted = true;
        // A new connection knows nothing of what was under way on the last one: send it again.
        this.#queued = coalesce([
          ...this.#flights.flatMap((flight) => flight.changes),
          ...this.#queued,
        ]);
        this.#flights = [];
        this.#request = 0;
        this.#flushSoon();
        break;
      case "patch":
        if (this.#truth === null || message.base > this.#version) {
          this.#options.resync();
          return;
        }
        this.#truth = applyChanges(this.#truth, message.changes);
        this.#version = Math.max(this.#version, message.version);
        break;
      case "accepted":
        for (const flight of this.#flights) {
          if (flight.request === message.request) flight.version = message.version;
        }
        break;
      case "rejected":
        this.#flights = this.#flights.filter((flight) => flight.request !== message.request);
        // What was true when the edit was refused, unless newer values have come since.
        if (this.#truth !== null && message.version >= this.#version) {
          this.#truth = applyChanges(this.#truth, message.present);
        }
        break;
    }
    this.#flights = this.#flights.filter(
      (flight) => flight.version === null || flight.version > this.#version,
    );
    this.#show();
    if (this.#queued.length > 0) this.#flushSoon();
  }

  #show(): void {
    if (this.#truth === null) return;
    const own = [
      ...this.#own.peek(),
      ...this.#flights.flatMap((flight) => flight.changes),
      ...this.#queued,
    ];
    this.#document.value = applyChanges(this.#truth, own);
  }

  #flushSoon(): void {
    if (this.#scheduled || this.#queued.length === 0) return;
    this.#scheduled = true;
    this.#options.schedule(() => {
      this.#scheduled = false;
      this.flush();
    });
  }
}
