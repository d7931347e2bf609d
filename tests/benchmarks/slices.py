"""Time to draw slices that move: three panels of an image with and without labels over it.

Both viewers show the same arrays in panels of the same size at the same scale, in windows of the
same size, each in a browser of its own. Every position is visited first, until everything is on
the GPU; then positions are set one by one, in turn here and there, and the clock runs from setting
a position until one pixel of the finished canvas has been read back, which waits for the GPU.
What neuroglancer plans in its worker is not counted; ours plans within the time measured.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from tests.benchmarks.page_timer import Page, fresh_page
from tests.benchmarks.table import Row, Skipped, middle
from tests.benchmarks.volumes import image_like, segmentation

ROUNDS = 7

STEPS = 12
"""Positions in one round."""

EDGE = 256
"""Voxels on each axis: all of it fits any GPU's memory."""

VOXELS_A_PIXEL = 0.7
"""Of the slices: a panel is about as wide as the volume."""

MOVE = 3.1
"""Voxels from one position to the next, on each axis."""

TOUR = """
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const readBack = () => gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
  const tour = async (step, values) => {
    const times = [];
    for (const value of values) {
      // The browser puts the former picture on the screen; that is not ours to measure.
      for (let frames = 0; frames < 3; frames += 1) await frame();
      readBack();
      times.push(step(value));
    }
    return times;
  };
"""
"""Steps in a row, each from rest, and how long each took."""

NEUROGLANCER = (
    f"""(() => {{ {TOUR}"""
    + """
  const viewer = window.viewer;
  const { display } = viewer;
  const gl = display.gl;
  const pixel = new Uint8Array(4);
  const timed = (set) => {
    const start = performance.now();
    set();
    display.draw();
    readBack();
    return performance.now() - start;
  };
  window.bench = {
    panels: () => [...display.panels].map(({ element }) => {
      const { left, top, width, height } = element.getBoundingClientRect();
      return { left, top, width, height };
    }),
    move: (centers) => tour((center) => timed(() => {
      viewer.navigationState.position.value = Float32Array.from(center);
    }), centers),
    turn: (orientations) => tour((orientation) => timed(() => {
      const { orientation: pose } = viewer.perspectiveNavigationState.pose;
      pose.orientation.set(orientation);
      pose.changed.dispatch();
    }), orientations),
    show: (labels) => viewer.layerManager.managedLayers[1].setVisible(labels),
    settle: async () => {
      for (let quiet = 0; quiet < 3; quiet += viewer.isReady() ? 1 : -quiet) await frame();
    },
  };
})()"""
)

OURS = (
    f"""(() => {{ {TOUR}"""
    + """
  const { renderer } = window.voxelview;
  const canvas = [...document.querySelectorAll("canvas")].sort(
    (a, b) => b.width * b.height - a.width * a.height,
  )[0];
  const gl = canvas.getContext("webgl2");
  const pixel = new Uint8Array(4);
  let present = structuredClone(window.voxelview.document());
  // The renderer's frames run within the time measured instead of when the browser pleases.
  const timed = (changed) => {
    const later = window.requestAnimationFrame;
    const due = [];
    window.requestAnimationFrame = (callback) => due.push(callback);
    const start = performance.now();
    present = changed;
    renderer.setDocument(present);
    while (due.length > 0) due.shift()(performance.now());
    readBack();
    const passed = performance.now() - start;
    window.requestAnimationFrame = later;
    return passed;
  };
  const view = (changes) => ({ ...present, view: { ...present.view, ...changes } });
  window.bench = {
    arrange: (panels) => renderer.setPanels(panels, [innerWidth, innerHeight], 1),
    move: (centers) => tour((center) => timed(view({ center })), centers),
    turn: (orientations) => tour(
      (orientation) => timed(view({ camera: { ...present.view.camera, orientation } })),
      orientations,
    ),
    show: (labels) => {
      const id = present.order[1];
      const layers = { ...present.layers, [id]: { ...present.layers[id], visible: labels } };
      timed({ ...present, layers });
    },
    settle: async () => {
      for (let quiet = 0; quiet < 3; quiet += window.voxelview.status().settled ? 1 : -quiet) {
        await frame();
      }
    },
  };
})()"""
)


def positions() -> list[list[float]]:
    """(z, y, x) of the middle, near the middle of the volume."""
    return [[EDGE / 2 + MOVE * (step - STEPS / 2)] * 3 for step in range(STEPS)]


def orientations() -> list[list[float]]:
    """Quaternions (x, y, z, w), turning about the vertical."""
    angles = 0.4 + 0.05 * np.arange(STEPS)
    return [[0.0, float(np.sin(angle)), 0.0, float(np.cos(angle))] for angle in angles]


@contextmanager
def our_page(
    chromium: str, image: np.ndarray, labels: np.ndarray, panels: list[dict[str, float]]
) -> Iterator[Page]:
    """Ours, with these panels: three of slices, or those and the 3-D panel."""
    import viewer

    with viewer.Viewer() as v, fresh_page(chromium) as page:
        v.add_image(image)
        v.add_labels(labels)
        v.view.center = tuple(n / 2 for n in image.shape)
        v.view.zoom = 1 / VOXELS_A_PIXEL
        page.open(v.url)
        page.evaluate(
            """(async () => {
              while (!(window.voxelview?.document()?.order.length === 2)) {
                await new Promise((resolve) => setTimeout(resolve, 20));
              }
              await window.voxelview.settled();
            })()"""
        )
        page.evaluate(OURS)
        kinds = ("xy", "xz", "yz", "3d")
        arranged = [{"kind": kind, **panel} for kind, panel in zip(kinds, panels, strict=False)]
        page.evaluate(f"window.bench.arrange({json.dumps(arranged)})")
        yield page


@contextmanager
def their_page(
    chromium: str, image: np.ndarray, labels: np.ndarray, with_space: bool
) -> Iterator[Page]:
    """Neuroglancer's."""
    import neuroglancer

    space = neuroglancer.CoordinateSpace(names=["z", "y", "x"], units="nm", scales=[1, 1, 1])
    v = neuroglancer.Viewer()
    with v.txn() as state:
        state.dimensions = space
        state.layers["image"] = neuroglancer.ImageLayer(
            source=neuroglancer.LocalVolume(image, space, volume_type="image")
        )
        state.layers["labels"] = neuroglancer.SegmentationLayer(
            source=neuroglancer.LocalVolume(labels, space, volume_type="segmentation"),
            mesh_silhouette_rendering=0,
        )
        state.position = [n / 2 for n in image.shape]
        state.cross_section_scale = VOXELS_A_PIXEL
        state.projection_scale = 2 * max(image.shape)
        state.show_axis_lines = False
        state.show_scale_bar = False
        if with_space:
            state.layout = "4panel"
        else:
            names = ["image", "labels"]
            state.layout = neuroglancer.row_layout(
                [
                    neuroglancer.LayerGroupViewer(layout=kind, layers=names)
                    for kind in ("xy", "xz", "yz")
                ]
            )
    try:
        with fresh_page(chromium) as page:
            page.open(v.get_viewer_url())
            page.evaluate(
                """(async () => {
                  const wait = () => new Promise((resolve) => setTimeout(resolve, 50));
                  const ready = () => {
                    const viewer = window.viewer;
                    if (viewer === undefined || viewer.display.panels.size < 3) return false;
                    const layers = viewer.layerManager.managedLayers;
                    return layers.length === 2 && viewer.isReady();
                  };
                  while (!ready()) await wait();
                })()"""
            )
            page.evaluate(NEUROGLANCER)
            yield page
    finally:
        neuroglancer.stop()


def visit(page: Page, places: list[list[float]]) -> None:
    """Go everywhere once, until everything there is on the GPU."""
    for place in places:
        page.evaluate(f"window.bench.move({json.dumps([place])})")
        page.evaluate("window.bench.settle()")


def tour(page: Page, name: str, values: list[list[float]]) -> list[float]:
    """Milliseconds of each step."""
    times: list[float] = page.evaluate(f"window.bench.{name}({json.dumps(values)})")
    return times


def compare(ours: Page, theirs: Page, name: str, values: list[list[float]]) -> tuple[float, float]:
    """Medians of a step, measured in turn; the first round only warms up."""
    times: tuple[list[float], list[float]] = ([], [])
    for round_ in range(ROUNDS + 1):
        for page, list_ in zip((ours, theirs), times, strict=True):
            found = tour(page, name, values)
            if round_:
                list_ += found
    return middle(times[0]), middle(times[1])


def run(chromium: str) -> list[Row | Skipped]:
    """Measure in turn."""
    title = f"moving slices, {EDGE}³, 3 panels"
    if importlib.util.find_spec("neuroglancer") is None:
        return [Skipped(title, "neuroglancer is not installed")]
    labels = segmentation(EDGE).astype(np.uint64)
    image = image_like(labels)
    rows: list[Row | Skipped] = []
    places = positions()
    with their_page(chromium, image, labels, with_space=False) as theirs:
        panels = theirs.evaluate("window.bench.panels()")
        with our_page(chromium, image, labels, panels) as ours:
            for with_labels, target in ((True, 0.35), (False, 0.7)):
                what = "image + uint64 labels" if with_labels else "image only"
                for page in (ours, theirs):
                    page.evaluate(f"window.bench.show({json.dumps(with_labels)})")
                    page.evaluate("window.bench.settle()")
                    visit(page, places)
                mine, other = compare(ours, theirs, "move", places)
                rows.append(
                    Row(f"{title}: {what}", mine, other, "ms", "neuroglancer", target=target)
                )
    with their_page(chromium, image, labels, with_space=True) as theirs:
        panels = theirs.evaluate("window.bench.panels()")
        with our_page(chromium, image, labels, panels) as ours:
            for page in (ours, theirs):
                page.evaluate("window.bench.settle()")
            mine, other = compare(ours, theirs, "turn", orientations())
    what = "turning the 3-D camera beside slices that stay"
    rows.append(Row(what, mine, other, "ms", "neuroglancer", target=1.0))
    return rows
