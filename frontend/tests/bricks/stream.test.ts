import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BrickStream } from "../../src/bricks/stream";
import { HEADER_BYTES, type BrickMessage } from "../../src/bricks/message";

/** The browser's WebSocket, stepped by hand. */
class Socket {
  static readonly OPEN = 1;
  static all: Socket[] = [];
  readyState = 0;
  binaryType = "";
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  readonly sent: { type: string; [key: string]: unknown }[] = [];

  constructor(readonly url: string) {
    Socket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as { type: string });
  }

  close(): void {
    this.readyState = 3;
    this.onclose?.();
  }

  open(): void {
    this.readyState = Socket.OPEN;
    this.onopen?.();
  }

  /** One message of so many bricks, each of so many bytes of payload. */
  deliver(volume: number, bytes: number, count = 1): void {
    const size = HEADER_BYTES + Math.ceil(bytes / 8) * 8;
    const data = new ArrayBuffer(size * count);
    const view = new DataView(data);
    for (let place = 0; place < count; place += 1) {
      view.setUint32(size * place, volume, true);
      view.setUint32(size * place + 16, place, true);
      view.setUint32(size * place + 40, bytes, true);
    }
    this.onmessage?.({ data });
  }
}

let bricks: BrickMessage[] = [];
let stream: BrickStream;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", Socket);
  Socket.all = [];
  bricks = [];
  stream = new BrickStream("ws://host/bricks", {
    brick: (message) => bricks.push(message),
    connection: () => undefined,
  });
});

afterEach(() => {
  stream.dispose();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("BrickStream", () => {
  it("tells of volumes and wants that were there before the connection", () => {
    const volume = stream.open({ layer: "l1", point: [7] });
    stream.want([volume, 0, 0, 0, 1]);
    Socket.all[0]!.open();
    expect(Socket.all[0]!.sent).toEqual([
      { type: "open", volume, layer: "l1", point: [7] },
      { type: "want", generation: 1, taken: 0, bricks: [volume, 0, 0, 0, 1] },
    ]);
  });

  it("tells of a narrow way first of all, on every connection", () => {
    const events = { brick: () => undefined, connection: () => undefined };
    const narrow = new BrickStream("ws://host/bricks", events, 300_000);
    const volume = narrow.open({ layer: "l1", point: [] });
    narrow.want([volume, 0, 0, 0, 1]);
    Socket.all[1]!.open();
    Socket.all[1]!.close();
    vi.advanceTimersByTime(10_000);
    Socket.all[2]!.open();
    for (const socket of Socket.all.slice(1)) {
      expect(socket.sent[0]).toEqual({ type: "narrow", bytes: 300_000 });
      expect(socket.sent.map(({ type }) => type)).toEqual(["narrow", "open", "want"]);
    }
    narrow.dispose();
  });

  it("counts generations up with every list", () => {
    Socket.all[0]!.open();
    const volume = stream.open({ layer: "l1", point: [] });
    stream.want([volume, 0, 0, 0, 1]);
    stream.want([]);
    stream.want([]);
    const wants = Socket.all[0]!.sent.filter(({ type }) => type === "want");
    expect(wants.map(({ generation }) => generation)).toEqual([1, 2]);
  });

  it("credits what it has taken, many bricks at once", () => {
    Socket.all[0]!.open();
    const volume = stream.open({ layer: "l1", point: [] });
    for (let count = 0; count < 10; count += 1) Socket.all[0]!.deliver(volume, 36_000);
    const credits = Socket.all[0]!.sent.filter(({ type }) => type === "credit");
    expect(credits).toEqual([{ type: "credit", taken: 8 * 36_048 }]);
    expect(bricks).toHaveLength(10);
  });

  it("says with each list what it has taken on this connection, and credits only the rest", () => {
    Socket.all[0]!.open();
    const volume = stream.open({ layer: "l1", point: [] });
    stream.want([volume, 0, 0, 0, 1]);
    Socket.all[0]!.deliver(volume, 36_000, 7);
    stream.want([volume, 0, 0, 0, 2]);
    Socket.all[0]!.deliver(volume, 36_000, 2);
    Socket.all[0]!.deliver(volume, 36_000, 6);
    const [first, second, credit, ...others] = Socket.all[0]!.sent.slice(1);
    expect(first).toMatchObject({ type: "want", taken: 0 });
    expect(second).toMatchObject({ type: "want", taken: 7 * 36_048 });
    expect(credit).toEqual({ type: "credit", taken: 15 * 36_048 });
    expect(others).toEqual([]);
    Socket.all[0]!.close();
    vi.advanceTimersByTime(250);
    Socket.all[1]!.open();
    expect(Socket.all[1]!.sent.at(-1)).toMatchObject({ type: "want", taken: 0 });
  });

  it("takes many bricks out of one message", () => {
    Socket.all[0]!.open();
    const volume = stream.open({ layer: "l1", point: [] });
    Socket.all[0]!.deliver(volume, 35_937, 8);
    expect(bricks.map(({ x }) => x)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(bricks.every(({ payload }) => payload.byteLength === 35_937)).toBe(true);
    expect(bricks.every(({ payload }) => payload.byteOffset % 8 === 0)).toBe(true);
  });

  it("reconnects, waiting longer each time, and says everything again", () => {
    const volume = stream.open({ layer: "l1", point: [] });
    stream.want([volume, 0, 0, 0, 0]);
    Socket.all[0]!.close();
    vi.advanceTimersByTime(249);
    expect(Socket.all).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(Socket.all).toHaveLength(2);
    Socket.all[1]!.close();
    vi.advanceTimersByTime(499);
    expect(Socket.all).toHaveLength(2);
    vi.advanceTimersByTime(1);
    Socket.all[2]!.open();
    expect(Socket.all[2]!.sent.map(({ type }) => type)).toEqual(["open", "want"]);
  });

  it("leaves a lost connection alone while nothing is wanted", () => {
    Socket.all[0]!.open();
    Socket.all[0]!.close();
    vi.advanceTimersByTime(60_000);
    expect(Socket.all).toHaveLength(1);
    stream.want([stream.open({ layer: "l1", point: [] }), 0, 0, 0, 0]);
    expect(Socket.all).toHaveLength(2);
  });
});
