import { beforeEach, expect, test } from "vitest";
import { change, removal } from "../../src/state/changes";
import { Store } from "../../src/state/store";
import type { Edit } from "../../src/wire/types";
import { exampleDocument } from "../ui/example-document";

/** A store whose frames and connection are stepped by hand. */
class Bench {
  readonly sent: Edit[] = [];
  readonly frames: (() => void)[] = [];
  connected = true;
  resyncs = 0;
  readonly store = new Store({
    send: (edit) => {
      if (this.connected) this.sent.push(edit);
      return this.connected;
    },
    schedule: (run) => this.frames.push(run),
    resync: () => {
      this.resyncs += 1;
    },
  });

  frame(): void {
    for (const run of this.frames.splice(0)) run();
  }

  zoom(value: number): void {
    this.store.edit([change(value, "view", "zoom")]);
  }

  get shown(): number | null | undefined {
    return this.store.document.value?.view.zoom;
  }
}

let bench: Bench;

beforeEach(() => {
  bench = new Bench();
  bench.store.receive({ type: "snapshot", version: 5, document: exampleDocument() });
});

test("an edit shows at once and is sent with the next frame", () => {
  bench.zoom(2);
  expect(bench.shown).toBe(2);
  expect(bench.sent).toEqual([]);
  bench.frame();
  expect(bench.sent).toEqual([
    { type: "edit", request: 1, base: 5, changes: [change(2, "view", "zoom")] },
  ]);
});

test("the edits of one frame become one message with the last values", () => {
  for (const zoom of [1, 2, 3]) bench.zoom(zoom);
  bench.frame();
  expect(bench.sent.map((edit) => edit.changes)).toEqual([[change(3, "view", "zoom")]]);
});

test("an echo of an earlier edit doesn't undo a later one", () => {
  bench.zoom(2);
  bench.frame();
  bench.zoom(3);
  bench.store.receive({ type: "accepted", request: 1, version: 6 });
  bench.store.receive({ type: "patch", base: 5, version: 6, changes: [change(2, "view", "zoom")] });
  expect(bench.shown).toBe(3);
});

test("an accepted edit stays on top until the patch that covers it has come", () => {
  bench.zoom(2);
  bench.frame();
  bench.store.receive({ type: "accepted", request: 1, version: 6 });
  expect(bench.shown).toBe(2);
  expect(bench.store.clean).toBe(false);
  bench.store.receive({ type: "patch", base: 5, version: 6, changes: [change(2, "view", "zoom")] });
  expect(bench.shown).toBe(2);
  expect(bench.store.clean).toBe(true);
});

test("once acknowledged, what others do shows", () => {
  bench.zoom(2);
  bench.frame();
  bench.store.receive({ type: "patch", base: 5, version: 6, changes: [change(2, "view", "zoom")] });
  bench.store.receive({ type: "accepted", request: 1, version: 6 });
  bench.store.receive({ type: "patch", base: 6, version: 7, changes: [change(9, "view", "zoom")] });
  expect(bench.shown).toBe(9);
});

test("a refused edit gives way to the present value", () => {
  bench.zoom(2);
  bench.frame();
  bench.store.receive({
    type: "rejected",
    request: 1,
    version: 6,
    notice: { kind: "conflict", message: "somebody else was quicker" },
    present: [change(7, "view", "zoom")],
  });
  expect(bench.shown).toBe(7);
  expect(bench.store.clean).toBe(true);
});

test("a refusal takes back nothing newer", () => {
  bench.zoom(2);
  bench.frame();
  bench.store.receive({ type: "patch", base: 5, version: 7, changes: [change(9, "view", "zoom")] });
  bench.store.receive({
    type: "rejected",
    request: 1,
    version: 6,
    notice: { kind: "conflict", message: "somebody else was quicker" },
    present: [change(7, "view", "zoom")],
  });
  expect(bench.shown).toBe(9);
});

test("edits made while the connection is away are kept and sent afterwards", () => {
  bench.connected = false;
  bench.zoom(2);
  bench.frame();
  expect(bench.shown).toBe(2);
  bench.connected = true;
  bench.store.receive({ type: "snapshot", version: 9, document: exampleDocument() });
  expect(bench.shown).toBe(2);
  bench.frame();
  expect(bench.sent).toEqual([
    { type: "edit", request: 1, base: 9, changes: [change(2, "view", "zoom")] },
  ]);
});

test("nothing is sent on a new connection before its snapshot", () => {
  bench.store.disconnected();
  bench.zoom(2);
  bench.frame();
  expect(bench.sent).toEqual([]);
  bench.store.receive({ type: "snapshot", version: 9, document: exampleDocument() });
  bench.frame();
  expect(bench.sent).toHaveLength(1);
});

test("edits that a lost connection swallowed are sent again", () => {
  bench.zoom(2);
  bench.frame();
  bench.store.receive({ type: "snapshot", version: 9, document: exampleDocument() });
  bench.frame();
  expect(bench.sent.at(-1)).toMatchObject({ base: 9, changes: [change(2, "view", "zoom")] });
});

test("a slow server gets few messages, and the last value in the end", () => {
  for (let zoom = 1; zoom <= 100; zoom += 1) {
    bench.zoom(zoom);
    bench.frame();
  }
  expect(bench.sent.length).toBeLessThanOrEqual(16);
  bench.store.receive({ type: "accepted", request: 1, version: 6 });
  bench.store.receive({ type: "patch", base: 5, version: 6, changes: [change(1, "view", "zoom")] });
  bench.frame();
  expect(bench.sent.at(-1)?.changes).toEqual([change(100, "view", "zoom")]);
});

test("a gap between patches asks for a new snapshot", () => {
  bench.store.receive({ type: "patch", base: 8, version: 9, changes: [] });
  expect(bench.resyncs).toBe(1);
});

test("nothing is edited before the first snapshot", () => {
  const early = new Bench();
  early.zoom(2);
  early.frame();
  expect(early.sent).toEqual([]);
  expect(early.store.document.value).toBeNull();
});

test("at an address for looking only edits show here and are never sent", () => {
  bench.store.setReadOnly(true);
  bench.zoom(2);
  bench.frame();
  expect(bench.shown).toBe(2);
  expect(bench.sent).toEqual([]);
  expect(bench.store.apart.value).toBe(true);
  // what was not touched goes on to follow
  const changes = [change(3, "view", "zoom"), change("elsewhere", "title")];
  bench.store.receive({ type: "patch", base: 5, version: 6, changes });
  expect(bench.shown).toBe(2);
  expect(bench.store.document.value?.title).toBe("elsewhere");
  bench.store.rejoin();
  expect(bench.shown).toBe(3);
  expect(bench.store.apart.value).toBe(false);
});

test("at an address for looking only layers come, go and are named by others", () => {
  bench.store.setReadOnly(true);
  const before = bench.store.document.value;
  const id = before?.order[0] ?? "";
  bench.store.edit([removal("layers", id), change([], "order"), change("x", "layers", id, "name")]);
  expect(bench.store.document.value).toEqual(before);
  bench.store.edit([change(false, "layers", id, "visible")]);
  expect(bench.store.document.value?.layers[id]?.visible).toBe(false);
});
