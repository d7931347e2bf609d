"""How long a change takes: from Python to the drawn frame, and from a page to Python.

Both viewers show the same small volume, which lies on the GPU already, so that nothing but the
way of the change is measured: the edit, the message, the page's reaction, the drawing. The page
says when a frame differs: after every animation frame one pixel of the picture is read back, which
waits for the GPU, and a change of it is stamped with the page's clock, which is this machine's, as
Python's is. The way back is the same for both, a position set in the page.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from tests.benchmarks.page_timer import Page, fresh_page
from tests.benchmarks.table import Figure, Row, Skipped, middle

EDGE = 64
"""Voxels on each axis."""

TIMES = 60
"""Changes that are measured, each way and each viewer, in turn."""

REST = 0.12
"""Seconds between changes, and a part more or less, so that they fall anywhere in a frame."""

PATIENCE = 3.0
"""Seconds until a change counts as lost."""

WATCH = """
(() => {
  const pixel = new Uint8Array(4);
  const later = window.requestAnimationFrame.bind(window);
  let last = "", stamp = 0;
  const look = () => {
    const canvas = [...document.querySelectorAll("canvas")].sort(
      (a, b) => b.width * b.height - a.width * a.height,
    )[0];
    const gl = canvas?.getContext("webgl2");
    if (!gl) return;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    // the middle of the panel, beside lines and letters
    gl.readPixels(400, gl.drawingBufferHeight - 330, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
    const seen = pixel.join();
    if (seen !== last) stamp = performance.timeOrigin + performance.now();
    last = seen;
  };
  window.requestAnimationFrame = (callback) => later((time) => { callback(time); look(); });
  window.stamp = () => stamp;
})()
"""


@dataclass
class Side:
    """One of the two viewers."""

    page: Page
    put: Callable[[int], None]
    """Set the slice from Python."""
    push: str
    """Set the slice ``%d`` in the page: JavaScript."""
    heard: list[float]
    """When Python was told of changes, seconds since the epoch."""


def ramp() -> np.ndarray:
    """Every slice has a grey of its own."""
    values = np.arange(EDGE, dtype=np.uint8) * 3 + 40
    return np.broadcast_to(values[:, None, None], (EDGE,) * 3).copy()


@contextmanager
def our_side(chromium: str) -> Iterator[Side]:
    import viewer

    with viewer.Viewer() as v, fresh_page(chromium) as page:
        v.add_image(ramp(), contrast_limits=(0, 255))
        v.view.layout = "xy"
        heard: list[float] = []
        v.events.view.connect(lambda: heard.append(time.time()))
        page.open(v.url, first=WATCH)
        page.evaluate(
            """(async () => {
              while (!(window.voxelview?.document()?.order.length === 1)) {
                await new Promise((resolve) => setTimeout(resolve, 20));
              }
              await window.voxelview.settled();
            })()"""
        )
        middle_ = EDGE / 2

        def put(slice_: int) -> None:
            v.view.center = (slice_, middle_, middle_)

        key = "window.dispatchEvent(new KeyboardEvent('keydown', {key: '%s', bubbles: true}))"
        yield Side(page, put, key, heard)


@contextmanager
def their_side(chromium: str) -> Iterator[Side]:
    import neuroglancer

    space = neuroglancer.CoordinateSpace(names=["z", "y", "x"], units="nm", scales=[1, 1, 1])
    v = neuroglancer.Viewer()
    middle_ = EDGE / 2
    with v.txn() as state:
        state.dimensions = space
        state.layers["image"] = neuroglancer.ImageLayer(
            source=neuroglancer.LocalVolume(ramp(), space, volume_type="image")
        )
        state.position = [middle_] * 3
        state.layout = "xy"
        state.cross_section_scale = 0.2
        state.show_axis_lines = False
    heard: list[float] = []
    v.shared_state.add_changed_callback(lambda: heard.append(time.time()))

    def put(slice_: int) -> None:
        with v.txn() as state:
            state.position = [slice_ + 0.5, middle_, middle_]

    try:
        with fresh_page(chromium) as page:
            page.open(v.get_viewer_url(), first=WATCH)
            page.evaluate(
                """(async () => {
                  const wait = () => new Promise((resolve) => setTimeout(resolve, 50));
                  while (!(window.viewer?.layerManager.managedLayers.length === 1
                           && window.viewer.isReady())) await wait();
                })()"""
            )
            push = (
                "window.viewer.navigationState.position.value = "
                f"Float32Array.from([%d + 0.5, {middle_}, {middle_}])"
            )
            yield Side(page, put, push, heard)
    finally:
        neuroglancer.stop()


def to_page(side: Side, slice_: int) -> float:
    """Milliseconds from setting a slice in Python until it is drawn."""
    before = side.page.evaluate("window.stamp()")
    start = time.time()
    side.put(slice_)
    while (stamp := side.page.evaluate("window.stamp()")) == before:
        if time.time() - start > PATIENCE:
            raise RuntimeError("A change was never drawn.")
        time.sleep(0.03)
    return float(stamp) - 1000 * start


def to_python(side: Side, push: str) -> float:
    """Milliseconds from setting a slice in the page until Python is told."""
    del side.heard[:]
    stamp = side.page.evaluate(f"({{t: performance.timeOrigin + performance.now(), v: {push}}}).t")
    end = time.time() + PATIENCE
    while not side.heard:
        if time.time() > end:
            raise RuntimeError("Python was never told of a change.")
        time.sleep(0.002)
    return 1000 * side.heard[0] - float(stamp)


def run(chromium: str) -> list[Row | Skipped | Figure]:
    """Measure in turn."""
    titles = ("Python sets → frame drawn", "page sets → Python is told")
    if importlib.util.find_spec("neuroglancer") is None:
        return [Skipped(title, "neuroglancer is not installed") for title in titles]
    random = np.random.default_rng(1)
    out: tuple[list[float], list[float]] = ([], [])
    back: tuple[list[float], list[float]] = ([], [])
    with our_side(chromium) as ours, their_side(chromium) as theirs:
        sides = (ours, theirs)
        for visit in range(EDGE):
            for side in sides:
                side.put(visit)
                time.sleep(0.02)
        for number in range(TIMES):
            slice_ = 5 + (number * 17) % 50
            for side, times in zip(sides, out, strict=True):
                time.sleep(REST * random.uniform(0.7, 1.3))
                times.append(to_page(side, slice_))
        for number in range(TIMES):
            for side, times in zip(sides, back, strict=True):
                time.sleep(0.5 * random.uniform(0.7, 1.3))
                push = side.push % ("." if side is ours else 5 + (number * 17) % 50)
                if side is ours and number % 20 > 9:
                    push = side.push % ","
                times.append(to_python(side, push))
    rows: list[Row | Skipped | Figure] = []
    for title, times, target in zip(titles, (out, back), (0.5, None), strict=True):
        late = [float(np.percentile(part, 95)) for part in times]
        rows += [
            Row(f"{title}, median", *map(middle, times), "ms", "neuroglancer", target=target),
            Row(f"{title}, 95 %", *late, "ms", "neuroglancer", target=target),
        ]
    return rows
