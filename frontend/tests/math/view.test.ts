import { describe, expect, it } from "vitest";
import type { Panel } from "../../src/math/panel";
import {
  effectiveCameraZoom,
  effectiveZoom,
  isOutOfView,
  screenToWorld,
  sliceStep,
  worldBounds,
  worldToScreen,
} from "../../src/math/view";
import { exampleData, type ExampleOptions } from "../bricks/example-data";
import { exampleDocument } from "../render/example-document";

const panels: readonly Panel[] = [
  { kind: "xy", left: 0, top: 0, width: 400, height: 300 },
  { kind: "yz", left: 400, top: 0, width: 400, height: 300 },
  { kind: "xz", left: 0, top: 300, width: 400, height: 300 },
  { kind: "3d", left: 400, top: 300, width: 400, height: 300 },
];

function documentOf(...layers: ExampleOptions[]): ReturnType<typeof exampleDocument> {
  return exampleDocument(layers.map((options) => exampleData(options)));
}

describe("worldBounds", () => {
  it("reaches half a voxel beyond the outermost centres", () => {
    const document = documentOf({ shape: [10, 20, 30], scale: [4, 1, 1], translate: [0, 5, 0] });
    expect(worldBounds(document)).toEqual({ low: [-2, 4.5, -0.5], high: [38, 24.5, 29.5] });
  });

  it("takes nothing along z from data that has no z", () => {
    const document = documentOf(
      { shape: [10, 20, 30], translate: [100, 0, 0] },
      { shape: [20, 30] },
    );
    expect(worldBounds(document)?.low[0]).toBe(99.5);
  });

  it("is null without layers", () => {
    expect(worldBounds(documentOf())).toBeNull();
  });
});

describe("effectiveZoom", () => {
  it("fits the data into every slice panel with one zoom", () => {
    const document = documentOf({ shape: [100, 50, 20] });
    // z is down in xz (300 pixels high) and to the right in yz (400 wide).
    for (const panel of panels.slice(0, 3)) {
      expect(effectiveZoom(document, panels, panel)).toBeCloseTo((0.95 * 300) / 100, 12);
    }
  });

  it("fits each panel by itself where one zoom would make a dot of a long volume", () => {
    const document = documentOf({ shape: [256, 256, 256], scale: [40, 4, 4] });
    const [xy, yz, xz] = panels.slice(0, 3).map((panel) => effectiveZoom(document, panels, panel));
    expect(xy).toBeCloseTo((0.95 * 300) / 1024, 12);
    expect(yz).toBeCloseTo(xz ?? 0, 12);
    expect(xz).toBeCloseTo((0.95 * 300) / 10240, 12);
  });

  it("leaves nothing too thin to be seen, though it does not fit lengthwise then", () => {
    const row = documentOf({ shape: [1, 1000] });
    expect(effectiveZoom(row, panels, panels[0]!)).toBe(8);
    const sheet = documentOf({ shape: [1, 512, 512] });
    const [xy, yz, xz] = panels.slice(0, 3).map((panel) => effectiveZoom(sheet, panels, panel));
    expect(xy).toBeCloseTo((0.95 * 300) / 512, 12);
    expect([yz, xz]).toEqual([8, 8]);
  });

  it("fits what is seen of the data aslant", () => {
    const document = documentOf({ shape: [100, 100, 100] });
    const straight = effectiveZoom(document, panels, panels[0]!);
    document.view.orientation = [0, 0, Math.sin(Math.PI / 8), Math.cos(Math.PI / 8)];
    expect(effectiveZoom(document, panels, panels[0]!)).toBeCloseTo(straight / Math.SQRT2, 9);
  });

  it("never jumps while slices are turned", () => {
    const document = documentOf({ shape: [256, 256, 256], scale: [40, 16, 16] });
    for (const panel of panels.slice(0, 3)) {
      const zooms = Array.from({ length: 91 }, (_, degrees) => {
        const half = (degrees * Math.PI) / 360;
        document.view.orientation = [Math.sin(half), 0, 0, Math.cos(half)];
        return effectiveZoom(document, panels, panel);
      });
      zooms.slice(1).forEach((zoom, before) => {
        expect(Math.abs(Math.log(zoom / zooms[before]!))).toBeLessThan(0.05);
      });
    }
  });

  it("is the view's own when it has one", () => {
    const document = documentOf({ shape: [100, 50, 20] });
    document.view.zoom = 7;
    for (const panel of panels.slice(0, 3)) {
      expect(effectiveZoom(document, panels, panel)).toBe(7);
    }
  });
});

describe("isOutOfView", () => {
  it("tells when the camera looks past all data", () => {
    const document = documentOf({ shape: [100, 50, 20] });
    const panel = panels[3]!;
    expect(isOutOfView(document, panel)).toBe(false);
    document.view.center = [50, 25, 500];
    document.view.camera.zoom = 4;
    expect(isOutOfView(document, panel)).toBe(true);
    // From within, too, something is seen.
    document.view.center = [50, 25, 10];
    document.view.camera.zoom = 1000;
    expect(isOutOfView(document, panel)).toBe(false);
  });
});

describe("screenToWorld", () => {
  const document = documentOf({ shape: [100, 50, 20], scale: [40, 4, 4] });
  document.view.center = [2000, 100, 40];
  document.view.camera.orientation = [0.35, 0.5, 0.1, 0.78];
  const length = Math.hypot(...document.view.camera.orientation);
  document.view.camera.orientation = document.view.camera.orientation.map(
    (part) => part / length,
  ) as [number, number, number, number];

  const turned = structuredClone(document);
  turned.view.orientation = [...document.view.camera.orientation];

  for (const panel of panels) {
    it(`is undone by worldToScreen in ${panel.kind}, also aslant`, () => {
      const [x, y] = [panel.left + 13, panel.top + 250];
      const world = screenToWorld(turned, panels, panel, x, y);
      const back = worldToScreen(turned, panels, panel, world);
      expect(back[0]).toBeCloseTo(x, 6);
      expect(back[1]).toBeCloseTo(y, 6);
    });

    it(`is undone by worldToScreen in ${panel.kind}`, () => {
      for (const [x, y] of [
        [panel.left + 200, panel.top + 150],
        [panel.left + 13, panel.top + 250],
      ] as const) {
        const world = screenToWorld(document, panels, panel, x, y);
        const back = worldToScreen(document, panels, panel, world);
        expect(back[0]).toBeCloseTo(x, 6);
        expect(back[1]).toBeCloseTo(y, 6);
      }
    });
  }

  it("has the centre in the middle of every panel", () => {
    for (const panel of panels) {
      const [x, y] = worldToScreen(document, panels, panel, document.view.center);
      expect([x, y]).toEqual([panel.left + 200, panel.top + 150]);
    }
  });
});

describe("the 3-D camera", () => {
  it("sees x to the right, y down and z away before it is turned", () => {
    const document = documentOf({ shape: [64, 64, 64] });
    document.view.center = [31.5, 31.5, 31.5];
    const panel = panels[3]!;
    const zoom = effectiveCameraZoom(document, panel);
    const [x, y] = worldToScreen(document, panels, panel, [31.5, 31.5 + 10, 31.5 + 5]);
    expect(x).toBeCloseTo(600 + 5 * zoom, 6);
    expect(y).toBeCloseTo(450 + 10 * zoom, 6);
    const far = worldToScreen(document, panels, panel, [60, 31.5, 31.5 + 5]);
    expect(far[0]).toBeLessThan(x);
  });

  it("fits the bounds however it is turned", () => {
    const document = documentOf({ shape: [64, 64, 64] });
    const zoom = effectiveCameraZoom(document, panels[3]!);
    expect(zoom * 64 * Math.sqrt(3)).toBeCloseTo(0.95 * 300, 6);
  });
});

describe("sliceStep", () => {
  it("is the active layer's voxel along the panel's normal", () => {
    const document = documentOf({ scale: [40, 4, 3] }, { scale: [1, 1, 1] });
    document.active = "l1";
    expect(["xy", "xz", "yz"].map((kind) => sliceStep(document, kind as "xy"))).toEqual([40, 4, 3]);
  });

  it("is one voxel long, counted in voxels, aslant", () => {
    const document = documentOf({ scale: [40, 4, 4] });
    // xy looks half way between z and y.
    document.view.orientation = [Math.sin(Math.PI / 8), 0, 0, Math.cos(Math.PI / 8)];
    const step = sliceStep(document, "xy");
    expect(Math.hypot(step / Math.SQRT2 / 40, step / Math.SQRT2 / 4)).toBeCloseTo(1, 12);
    expect(sliceStep(document, "yz")).toBe(4);
  });

  it("passes over a hidden layer, though it is active", () => {
    const document = documentOf({ scale: [40, 4, 3] }, { scale: [5, 6, 7] });
    document.active = "l1";
    document.layers["l1"]!.visible = false;
    expect(sliceStep(document, "xy")).toBe(5);
  });

  it("is the finest of all when no layer is active", () => {
    const document = documentOf({ scale: [40, 4, 3] }, { scale: [5, 6, 7] }, { shape: [64, 64] });
    expect(sliceStep(document, "xy")).toBe(5);
  });
});
