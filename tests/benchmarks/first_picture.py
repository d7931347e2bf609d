"""Time to the first complete picture: a segmentation and an image in a fresh headless page.

Both viewers get the same arrays, window and part of space, new layers for each run, and a browser
of their own with an empty profile; they are measured in turn. The clock is the page's, from the
start of its navigation until two frames after everything in view has been loaded and drawn:

- ours: ``voxelview.settled()``;
- neuroglancer: every layer is ready and ``viewer.isReady()``, which is what its own screenshots
  wait for (all visible chunks of every panel are in GPU memory).
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.benchmarks.page_timer import SIZE, fresh_page
from tests.benchmarks.table import Row, Skipped, middle
from tests.benchmarks.volumes import image_like, segmentation

RUNS = 5

EDGES = {256: 0.7, 512: 0.5}
"""Voxels on each axis, and the ratio that we aim for."""

FRAMES = """
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const done = async () => { await frame(); await frame(); return performance.now(); };
"""

OURS = f"""(async () => {{ {FRAMES}
  while (window.voxelview === undefined) await frame();
  await window.voxelview.settled();
  return done();
}})()"""

NEUROGLANCER = f"""(async () => {{ {FRAMES}
  const ready = () => {{
    const viewer = window.viewer;
    if (viewer === undefined) return false;
    const layers = viewer.layerManager.managedLayers;
    return layers.length === 2 && layers.every((layer) => layer.isReady()) && viewer.isReady();
  }};
  while (!ready()) await frame();
  return done();
}})()"""


def measure(chromium: str, url: str, complete: str, picture: Path | None) -> float:
    """Milliseconds from navigation until the promise `complete` is kept."""
    with fresh_page(chromium) as page:
        page.open(url)
        milliseconds = float(page.evaluate(complete))
        if picture is not None:
            page.picture(picture)
        return milliseconds


def ours(labels: np.ndarray, image: np.ndarray) -> tuple[str, Callable[[], None]]:
    """Address of a new viewer of ours, and what closes it."""
    import viewer

    v = viewer.Viewer()
    v.add_image(image, name="image")
    v.add_labels(labels, name="labels")
    return v.url, v.close


def neuroglancer_with(
    encoding: str,
) -> Callable[[np.ndarray, np.ndarray], tuple[str, Callable[[], None]]]:
    """As `ours`, by neuroglancer; chunks are sent in this encoding."""

    def start(labels: np.ndarray, image: np.ndarray) -> tuple[str, Callable[[], None]]:
        import neuroglancer
        from neuroglancer import local_volume

        # its own is broken by NumPy 2.3, which took ndarray.tostring away
        local_volume.encode_raw = lambda chunk: chunk.tobytes("C")
        space = neuroglancer.CoordinateSpace(names=["z", "y", "x"], units="nm", scales=[1, 1, 1])
        v = neuroglancer.Viewer()
        with v.txn() as state:
            state.dimensions = space
            state.layers["image"] = neuroglancer.ImageLayer(
                source=neuroglancer.LocalVolume(
                    image, space, volume_type="image", encoding=encoding
                )
            )
            state.layers["labels"] = neuroglancer.SegmentationLayer(
                source=neuroglancer.LocalVolume(
                    labels, space, volume_type="segmentation", encoding=encoding
                )
            )
            state.layout = "4panel"
            state.position = [n / 2 for n in labels.shape]
            # the whole volume fits a panel, as it does in ours
            state.cross_section_scale = max(labels.shape) / (0.45 * SIZE[1])
            state.projection_scale = 2 * max(labels.shape)

        def close(kept: object = v) -> None:  # its server alone would forget the viewer
            neuroglancer.stop()

        return v.get_viewer_url(), close

    return start


def run(chromium: str, runs: int = RUNS) -> list[Row | Skipped]:
    """Measure in turn; the first round of each size only warms up and is thrown away."""
    if importlib.util.find_spec("neuroglancer") is None:
        return [Skipped("first complete picture", "neuroglancer is not installed")]
    rows: list[Row | Skipped] = []
    for edge, target in EDGES.items():
        rows += compare(chromium, edge, target, runs)
    return rows


def compare(chromium: str, edge: int, target: float, runs: int) -> list[Row | Skipped]:
    """Rows for volumes of this edge."""
    labels = segmentation(edge).astype(np.uint64)
    image = image_like(labels)
    folder = os.environ.get("VOXELVIEW_BENCH_PICTURES")
    contenders = {
        "ours": (ours, OURS),
        "neuroglancer": (neuroglancer_with("npz"), NEUROGLANCER),
        "neuroglancer, uncompressed": (neuroglancer_with("raw"), NEUROGLANCER),
    }
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for round_ in range(runs + 1):
        for name, (start, complete) in contenders.items():
            url, close = start(labels, image)
            picture = Path(folder, f"{name} {edge}.png") if folder and round_ == 0 else None
            try:
                milliseconds = measure(chromium, url, complete, picture)
            finally:
                close()
            if round_:
                times[name].append(milliseconds)
    title = f"first complete picture, {edge}³ uint8 + uint64 labels"
    mine = middle(times.pop("ours"))
    return [
        Row(title, mine, middle(values), "ms", name, target if name == "neuroglancer" else None)
        for name, values in times.items()
    ]
