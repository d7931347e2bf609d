// The page's end of the brick stream: one WebSocket on which it says what it looks at and takes
// bricks as they come. Volumes keep their numbers over reconnections; the server is told of them,
// and of what is still wanted, anew. Nothing is wanted: nothing is sent, nothing reconnects.
import { decodeBricks, type BrickMessage, type StreamRequest } from "./message";

/** What the stream needs to know of a volume to open it. */
export interface StreamVolume {
  readonly layer: string;
  readonly point: readonly number[];
}

export interface BrickStreamEvents {
  /** Maybe of a volume that has been closed meanwhile. */
  brick(message: BrickMessage): void;
  /** The connection came or went. */
  connection(open: boolean): void;
}

/** Bytes taken before they are credited: a small part of what may be on its way. */
const CREDIT_BYTES = 256 * 1024;

/** Milliseconds until the first, and at most until any, attempt to reconnect. */
const BACKOFF_START = 250;
const BACKOFF_LIMIT = 8000;

export class BrickStream {
  readonly #url: string;
  readonly #events: BrickStreamEvents;
  readonly #firstBytes: number | null;
  readonly #volumes = new Map<number, StreamVolume>();
  #socket: WebSocket | null = null;
  #next = 1;
  #generation = 0;
  #wanted: readonly number[] = [];
  /** Bytes of messages taken on this connection, and how many of them the server has heard of. */
  #taken = 0;
  #told = 0;
  #backoff = BACKOFF_START;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #disposed = false;
  /** Messages sent and bytes received, for the statistics. */
  requests = 0;
  bytes = 0;

  /** `firstBytes` are enough on a narrow way until the server has measured it; null on others. */
  constructor(url: string, events: BrickStreamEvents, firstBytes: number | null = null) {
    this.#url = url;
    this.#events = events;
    this.#firstBytes = firstBytes;
    this.#connect();
  }

  /** A new number for the volume, known to the server from now on. */
  open(volume: StreamVolume): number {
    const number = this.#next;
    this.#next += 1;
    this.#volumes.set(number, volume);
    this.#send({ type: "open", volume: number, layer: volume.layer, point: volume.point });
    return number;
  }

  close(volume: number): void {
    if (this.#volumes.delete(volume)) this.#send({ type: "close", volume });
  }

  /** All bricks wanted now, best first: five numbers each, volume, level, z, y, x. */
  want(bricks: readonly number[]): void {
    if (bricks.length === 0 && this.#wanted.length === 0) return;
    this.#wanted = bricks;
    this.#generation += 1;
    if (this.#socket === null) {
      if (bricks.length > 0 && this.#timer === null) this.#connect();
      return;
    }
    this.#sendWanted();
  }

  /** For good: nothing more is asked for, and nothing reconnects. */
  dispose(): void {
    this.#disposed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
  }

  #sendWanted(): void {
    // What is beyond these bytes is on its way: of bricks that are wanted, the server knows which.
    this.#told = this.#taken;
    const [generation, taken, bricks] = [this.#generation, this.#taken, this.#wanted];
    this.#send({ type: "want", generation, taken, bricks });
  }

  #send(request: StreamRequest): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.requests += 1;
    this.#socket.send(JSON.stringify(request));
  }

  #connect(): void {
    this.#timer = null;
    if (this.#disposed) return;
    const socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#taken = 0;
    this.#told = 0;
    socket.onopen = () => {
      this.#backoff = BACKOFF_START;
      if (this.#firstBytes !== null) this.#send({ type: "narrow", bytes: this.#firstBytes });
      for (const [volume, { layer, point }] of this.#volumes) {
        this.#send({ type: "open", volume, layer, point });
      }
      if (this.#wanted.length > 0) this.#sendWanted();
      this.#events.connection(true);
    };
    socket.onmessage = (event: MessageEvent<unknown>) => {
      if (event.data instanceof ArrayBuffer) this.#take(event.data);
    };
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#events.connection(false);
      if (this.#wanted.length > 0 && !this.#disposed) {
        this.#timer = setTimeout(() => {
          this.#connect();
        }, this.#backoff);
        this.#backoff = Math.min(this.#backoff * 2, BACKOFF_LIMIT);
      }
    };
  }

  #take(buffer: ArrayBuffer): void {
    this.bytes += buffer.byteLength;
    this.#taken += buffer.byteLength;
    if (this.#taken - this.#told >= CREDIT_BYTES) {
      this.#told = this.#taken;
      this.#send({ type: "credit", taken: this.#taken });
    }
    for (const brick of decodeBricks(buffer)) {
      this.#events.brick(brick);
    }
  }
}
