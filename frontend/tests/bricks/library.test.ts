import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Library } from "../../src/bricks/library";
import { HEADER_BYTES } from "../../src/bricks/message";
import type { Volume } from "../../src/bricks/volume";
import type { Data } from "../../src/wire/types";
import { exampleData } from "./example-data";

/** The browser's WebSocket, with a server that sends nothing by itself. */
class Socket {
  static readonly OPEN = 1;
  static last: Socket;
  readyState = Socket.OPEN;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  readonly sent: { type: string; volume?: number; bricks?: number[] }[] = [];

  constructor() {
    Socket.last = this;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as { type: string });
  }

  close(): void {
    this.readyState = 3;
  }

  /** A brick (0, 0, x) of level 0. */
  deliver(volume: number, x: number, generation: number, flags = 0): void {
    const text = new TextEncoder().encode('{"kind": "source", "message": "gone"}');
    const payload = flags === 2 ? text : new Uint8Array(33 ** 3);
    const data = new ArrayBuffer(HEADER_BYTES + Math.ceil(payload.length / 8) * 8);
    const view = new DataView(data);
    view.setUint32(0, volume, true);
    view.setUint8(5, flags);
    view.setUint32(16, x, true);
    view.setUint32(20, generation, true);
    view.setUint32(40, payload.length, true);
    new Uint8Array(data).set(payload, HEADER_BYTES);
    this.onmessage?.({ data });
  }
}

const first = exampleData({ shape: [32, 32, 128] });
let library: Library;

beforeEach(() => {
  vi.stubGlobal("WebSocket", Socket);
  library = new Library("ws://host/bricks", 2 ** 30, {
    arrived: () => undefined,
    connection: () => undefined,
  });
});

afterEach(() => {
  library.disconnect();
  vi.unstubAllGlobals();
});

function look(data: Data, point: number[] = []): Volume {
  library.begin();
  const volume = library.select("l1", "image", data, point);
  library.settle();
  return volume;
}

/** All bricks of the row, received at a generation. */
function fill(volume: Volume, generation: number, flags = 0): void {
  library.want([0, 1, 2, 3].map((number) => ({ volume, number })));
  const number = Socket.last.sent.findLast(({ type }) => type === "open")?.volume ?? 0;
  for (const x of [0, 1, 2, 3]) Socket.last.deliver(number, x, generation, flags);
}

const edited: Data = {
  ...first,
  generation: 1,
  changes: [{ generation: 1, level: 0, start: [0, 0, 40], stop: [32, 32, 50] }],
};

describe("Library", () => {
  it("keeps showing what a refresh touches, and asks for nothing else", () => {
    const volume = look(first);
    fill(volume, 0);
    expect(look(edited)).toBe(volume);
    expect([0, 1, 2, 3].map((x) => library.state(volume, x))).toEqual([
      "ready",
      "stale",
      "ready",
      "ready",
    ]);
    expect(library.brick(volume, 1)).not.toBeNull();
  });

  it("remembers that a brick has outlived changes that are told of no more", () => {
    const volume = look(first);
    fill(volume, 0);
    look(edited);
    expect(library.state(volume, 0)).toBe("ready");
    const later = [{ generation: 2, level: 0, start: [0, 0, 100], stop: [1, 1, 101] }];
    look({ ...first, generation: 2, changes: later });
    expect(library.state(volume, 0)).toBe("ready");
    expect(library.state(volume, 1)).toBe("stale");
  });

  it("asks again for failed bricks that a refresh touches", () => {
    const volume = look(first);
    fill(volume, 0, 2);
    look(edited);
    expect(library.state(volume, 0)).toBe("failed");
    expect(library.state(volume, 1)).toBe("missing");
  });

  it("drops bricks of volumes that it has closed, and counts them", () => {
    const series = exampleData({ shape: [2, 32, 32, 128] });
    fill(look(series, [0]), 0);
    look(series, [1]);
    const number = Socket.last.sent.findLast(({ type }) => type === "close")?.volume ?? 0;
    Socket.last.deliver(number, 0, 1);
    expect(library.counts).toMatchObject({ held: 4, received: 5, dropped: 1, pending: 0 });
  });

  it("gives memory back at once when its budget is lowered", () => {
    const series = exampleData({ shape: [3, 32, 32, 128] });
    for (const point of [0, 1, 2]) fill(look(series, [point]), 0);
    look(series, [2]);
    expect(library.counts.held).toBe(12);
    library.budget = 1;
    library.begin();
    expect(library.counts.held).toBeLessThan(12);
  });

  it("closes volumes that nobody looks at, and forgets the oldest of many", () => {
    const series = exampleData({ shape: [100, 32, 32, 32] });
    for (let point = 0; point < 100; point += 1) fill(look(series, [point]), 0);
    const open = Socket.last.sent.filter(({ type }) => type === "open").length;
    const closed = Socket.last.sent.filter(({ type }) => type === "close").length;
    expect(open - closed).toBe(1);
    const before = library.bytes;
    for (let point = 0; point < 100; point += 1) fill(look(series, [point]), 0);
    expect(library.bytes).toBe(before);
  });
});
