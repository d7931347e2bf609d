import { describe, expect, test } from "vitest";
import { alongAxis, cross, dot, minus, moved, type Panel } from "../../src/math/panel";
import { frameOf, screenToWorld, worldToView } from "../../src/math/view";
import { applyChanges } from "../../src/state/changes";
import { CAMERA_VIEWS } from "../../src/ui/camera-views";
import { panelsFor } from "../../src/ui/layout";
import * as navigation from "../../src/ui/navigation";
import type { Change, Document } from "../../src/wire/types";
import { exampleDocument } from "./example-document";

const PANELS = panelsFor("4panel", [0.5, 0.5], 800, 600);

function panel(kind: Panel["kind"]): Panel {
  const found = PANELS.find((candidate) => candidate.kind === kind);
  if (found === undefined) throw new Error(kind);
  return found;
}

function after(document: Document, changes: readonly Change[]): Document {
  return applyChanges(document, changes);
}

const ASLANT: [number, number, number, number] = [0.2, -0.4, 0.4, 0.8];

function aslant(): Document {
  const document = exampleDocument();
  document.view.orientation = [...ASLANT];
  return document;
}

const PLACES = [
  ["xy", exampleDocument],
  ["xz", exampleDocument],
  ["yz", exampleDocument],
  ["xy", aslant],
  ["xz", aslant],
  ["yz", aslant],
] as const;

describe.each(PLACES)("in the %s panel, %o", (kind, start) => {
  test("what is under the cursor stays there while zooming", () => {
    const before = start();
    const [x, y] = [panel(kind).left + 50, panel(kind).top + 80];
    const fixed = screenToWorld(before, PANELS, panel(kind), x, y);
    const zoomed = after(before, navigation.zoomAt(before, PANELS, panel(kind), 1.7, x, y));
    const now = screenToWorld(zoomed, PANELS, panel(kind), x, y);
    for (const axis of [0, 1, 2] as const) expect(now[axis]).toBeCloseTo(fixed[axis], 6);
  });

  test("what is under the pointer follows it while panning", () => {
    const before = start();
    const [x, y] = [panel(kind).left + 100, panel(kind).top + 100];
    const grabbed = screenToWorld(before, PANELS, panel(kind), x, y);
    const panned = after(before, navigation.pan(before, PANELS, panel(kind), 30, -12));
    const now = screenToWorld(panned, PANELS, panel(kind), x + 30, y - 12);
    for (const axis of [0, 1, 2] as const) expect(now[axis]).toBeCloseTo(grabbed[axis], 6);
  });

  test("a step goes to the next slice and stops at the last", () => {
    const before = start();
    const now = navigation.slices(before, kind);
    const stepped = after(before, navigation.stepSlice(before, kind, 1));
    expect(navigation.slices(stepped, kind)?.index).toBe((now?.index ?? 0) + 1);
    const far = after(before, navigation.stepSlice(before, kind, 10_000));
    expect(navigation.slices(far, kind)?.index).toBe((now?.count ?? 0) - 1);
  });

  test("a step leads along the panel's normal and nowhere else", () => {
    const before = start();
    const { normal } = frameOf(before, kind);
    const stepped = after(before, navigation.stepSlice(before, kind, 3));
    const way = minus(stepped.view.center, before.view.center);
    expect(dot(way, normal)).toBeCloseTo(3 * (navigation.slices(before, kind)?.step ?? NaN), 6);
    expect(Math.hypot(...minus(way, moved([0, 0, 0], normal, dot(way, normal))))).toBeCloseTo(0, 6);
  });

  test("a slice is gone to by its number", () => {
    const before = start();
    const there = after(before, navigation.goToSlice(before, kind, 7));
    expect(navigation.slices(there, kind)?.index).toBe(7);
  });

  test("tilting the slices turns the others with it, and keeps the centre", () => {
    const before = start();
    const tilted = after(before, navigation.tiltSlices(before, kind, 50, 0));
    expect(tilted.view.center).toEqual(before.view.center);
    expect(Math.hypot(...tilted.view.orientation)).toBeCloseTo(1, 12);
    const [was, now] = [before, tilted].map((document) => frameOf(document, kind));
    // About the panel's own vertical, so that stays.
    expect(dot(was!.down, now!.down)).toBeCloseTo(1, 12);
    expect(dot(was!.right, now!.right)).toBeCloseTo(Math.cos(0.4), 12);
    // What lay before the slice comes to lie further right.
    const front = moved([0, 0, 0], cross(was!.right, was!.down), -1);
    expect(dot(front, now!.right)).toBeGreaterThan(0);
  });

  test("turning them in their plane keeps the slice, and turns the picture clockwise", () => {
    const before = start();
    const turned = after(before, navigation.turnSlices(before, kind, "away", Math.PI / 6));
    const [was, now] = [before, turned].map((document) => frameOf(document, kind));
    expect(dot(was!.normal, now!.normal)).toBeCloseTo(1, 12);
    // What was to the right has gone down.
    expect(dot(was!.right, now!.down)).toBeCloseTo(0.5, 12);
  });

  test("six turns by 15° are a quarter, and the way back is exact", () => {
    let document = exampleDocument();
    for (let count = 0; count < 6; count += 1) {
      document = after(document, navigation.turnSlices(document, kind, "right", Math.PI / 12));
    }
    const { right, down, normal } = frameOf(document, kind);
    expect([right, down, normal].map(alongAxis)).not.toContain(null);
    document = after(document, navigation.straightenSlices(document));
    expect(navigation.isStraight(document)).toBe(true);
  });
});

test("slices are counted as Python counts: 0 is the first voxel's centre", () => {
  const document = exampleDocument();
  expect(navigation.slices(document, "xy")).toEqual({
    origin: 0,
    step: 40,
    count: 64,
    index: 32,
    first: 0,
    last: 63,
  });
  const first = after(document, navigation.goToSlice(document, "xy", 0));
  expect(first.view.center).toEqual([0, 512, 1024]);
});

test("slices go on where the layer that counts them ends and another does not", () => {
  const document = exampleDocument();
  const level = document.layers["l3"]!.data.levels[0]!;
  level.translate = [0, -400, 0, 0];
  level.scale = [0.1, 80, 4, 4];
  const reach = navigation.slices(document, "xy");
  expect(reach).toMatchObject({ count: 64, first: -10, last: 116 });
  const below = after(document, navigation.stepSlice(document, "xy", -40));
  expect(navigation.slices(below, "xy")?.index).toBe(-8);
  const far = after(below, navigation.stepSlice(below, "xy", 1000));
  expect(navigation.slices(far, "xy")?.index).toBe(116);
  document.layers["l3"]!.visible = false;
  expect(navigation.slices(document, "xy")).toMatchObject({ first: 0, last: 63 });
});

test("a drag to the right turns the front of the 3-D picture to the right", () => {
  const turned = after(exampleDocument(), navigation.rotate(exampleDocument(), 40, 0));
  const front = worldToView(turned, [-1, 0, 0]);
  expect(front[0]).toBeGreaterThan(0);
});

test("a drag down turns the front of the 3-D picture down", () => {
  const turned = after(exampleDocument(), navigation.rotate(exampleDocument(), 0, 40));
  const front = worldToView(turned, [-1, 0, 0]);
  expect(front[1]).toBeGreaterThan(0);
});

test("the camera's orientation stays a unit quaternion", () => {
  let document = exampleDocument();
  for (let step = 0; step < 500; step += 1) {
    document = after(document, navigation.rotate(document, 7, -3));
  }
  expect(Math.hypot(...document.view.camera.orientation)).toBeCloseTo(1, 9);
});

test.each([
  ["xy", [0, 0, 1], [0, 1, 0]],
  ["xz", [0, 0, 1], [1, 0, 0]],
  ["yz", [1, 0, 0], [0, 1, 0]],
] as const)("the 3-D view named %s has the axes of that panel", (kind, right, down) => {
  const document = exampleDocument();
  document.view.camera.orientation = [...CAMERA_VIEWS[kind]];
  expect(worldToView(document, right)[0]).toBeCloseTo(1, 6);
  expect(worldToView(document, down)[1]).toBeCloseTo(1, 6);
});

test("straight slices and named 3-D views stand as the data does", () => {
  const document = exampleDocument();
  const halfTurn = [1, 0, 0, 0] as const;
  document.view.upright = [...halfTurn];
  expect(navigation.isStraight(document)).toBe(false);
  const straight = after(document, navigation.straightenSlices(document));
  expect(navigation.isStraight(straight)).toBe(true);
  const { right, down } = frameOf(straight, "xz");
  expect([right, down]).toEqual([
    [0, 0, 1],
    [-1, 0, 0],
  ]);
  const facing = after(straight, navigation.face(straight, "xz"));
  expect(worldToView(facing, right)[0]).toBeCloseTo(1, 6);
  expect(worldToView(facing, down)[1]).toBeCloseTo(1, 6);
});

test("the next slice is the one that the data counts next, also of slices turned round", () => {
  const document = exampleDocument();
  document.view.orientation = [1, 0, 0, 0];
  const next = after(document, navigation.stepSlice(document, "xy", 1));
  expect(navigation.slices(next, "xy")?.index).toBe(33);
});

test("fitting centres the data on a slice and leaves the zoom to the panels", () => {
  const document = exampleDocument();
  document.view.zoom = 3;
  document.view.center = [1e6, 0, 0];
  const fitted = after(document, navigation.fit(document));
  expect(fitted.view.zoom).toBeNull();
  expect(fitted.view.center[0] % 40).toBe(0);
  expect(fitted.view.center[2]).toBeGreaterThan(1000);
});

test("the last sample of an axis is exactly its end", () => {
  const document = exampleDocument();
  const [slider] = document.view.sliders;
  if (slider === undefined) throw new Error("no slider");
  const tricky = { ...slider, start: 0.1, stop: 0.7, step: 0.1 };
  const last = applyChanges(document, navigation.goToSample(tricky, 99));
  expect(last.view.position["t"]).toBe(0.7);
});

test("stepping along an axis comes round at its ends", () => {
  const document = exampleDocument();
  const [slider] = document.view.sliders;
  if (slider === undefined) throw new Error("no slider");
  const back = after(document, navigation.stepSample(document, slider, -1));
  expect(navigation.sliderIndex(back, slider)).toBe(4);
  const on = after(back, navigation.stepSample(back, slider, 1));
  expect(navigation.sliderIndex(on, slider)).toBe(0);
});
