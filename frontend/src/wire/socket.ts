// The page's connection to the document: opens it, keeps it alive, opens it again when it is lost,
// and knows when there is no point in trying.
import { decode, type PageMessage, type ServerMessage } from "./protocol";

export type Connection =
  | { readonly kind: "connecting"; readonly attempt: number }
  | { readonly kind: "open" }
  /** Lost; the next attempt starts at `retryAt` (milliseconds since the epoch). */
  | { readonly kind: "waiting"; readonly attempt: number; readonly retryAt: number }
  /** Over for good. */
  | { readonly kind: "closed"; readonly reason: string };

export interface SocketOptions {
  readonly url: string;
  message(message: ServerMessage): void;
  connection(connection: Connection): void;
  /** After a failed attempt: whether the address still leads to a viewer. */
  alive(): Promise<boolean>;
}

/** Milliseconds to the next attempt: quick at first (a suspended laptop), then patient. */
export function backoff(attempt: number): number {
  return Math.min(10_000, 500 * 2 ** Math.max(0, attempt - 1));
}

/** Milliseconds of silence after which the server is asked whether it is there. */
const QUIET = 10_000;
/** Milliseconds that it has for an answer. */
const PATIENCE = 5_000;

export class Socket {
  readonly #options: SocketOptions;
  #socket: WebSocket | null = null;
  #attempt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #ended = false;

  constructor(options: SocketOptions) {
    this.#options = options;
  }

  /** Opens the connection, or tries again at once. */
  connect(): void {
    if (this.#ended || this.#socket !== null) return;
    clearTimeout(this.#retry);
    this.#attempt += 1;
    this.#options.connection({ kind: "connecting", attempt: this.#attempt });
    const socket = new WebSocket(this.#options.url);
    this.#socket = socket;
    socket.onmessage = (event: MessageEvent<unknown>) => {
      if (this.#socket !== socket || typeof event.data !== "string") return;
      this.#listen();
      const message = decode(event.data);
      if (message === null) return;
      if (message.type === "hello") {
        this.#attempt = 0;
        this.#options.connection({ kind: "open" });
      }
      if (message.type === "closing") this.end(message.reason);
      else this.#options.message(message);
    };
    socket.onclose = () => {
      if (this.#socket === socket) this.#lost();
    };
  }

  /** Sends when the connection is open; false when it is not. */
  send(message: PageMessage): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Sends a binary frame when the connection is open; false when it is not. */
  sendBytes(bytes: ArrayBuffer): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(bytes);
    return true;
  }

  /** Drops the connection and opens a new one, which starts with a fresh snapshot. */
  restart(): void {
    this.#drop();
    this.connect();
  }

  /** Ends for good. */
  end(reason: string): void {
    this.#ended = true;
    this.#drop();
    clearTimeout(this.#retry);
    this.#options.connection({ kind: "closed", reason });
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#quiet);
    socket?.close();
  }

  #lost(): void {
    this.#drop();
    const delay = backoff(this.#attempt);
    this.#options.connection({
      kind: "waiting",
      attempt: this.#attempt,
      retryAt: Date.now() + delay,
    });
    this.#retry = setTimeout(() => this.connect(), delay);
    void this.#options.alive().then((alive) => {
      if (!alive && this.#socket === null) {
        this.end("The viewer behind this address is closed.");
      }
    });
  }

  /** A half-open connection says nothing, so silence is answered with a question. */
  #listen(): void {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => {
      this.send({ type: "ping", time: Date.now() / 1000 });
      this.#quiet = setTimeout(() => this.#lost(), PATIENCE);
    }, QUIET);
  }
}
