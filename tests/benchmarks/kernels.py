"""The kernels against the yardstick of what they move, and meshes against scikit-image."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from tests.benchmarks.table import Row, Skipped, middle
from tests.benchmarks.volumes import image_like, segmentation

RUNS = 5

MESHES = 10
"""Labels meshed; the largest ones."""


def milliseconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """Median time of `work` after one call that warms up."""
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return middle(times)


def halving(labels: np.ndarray, image: np.ndarray) -> list[Row | Skipped]:
    """A level from the level before it, against copying the level before it."""
    from viewer.kernels import downsample

    cases = {
        "mean of 256³ uint8 by 2 × 2 × 2": (downsample.mean, image),
        "mean of 256³ float32 by 2 × 2 × 2": (downsample.mean, image.astype(np.float32)),
        "mode of 256³ uint32 by 2 × 2 × 2": (downsample.mode, labels),
    }
    rows: list[Row | Skipped] = []
    for name, (kernel, data) in cases.items():
        ours = milliseconds(lambda kernel=kernel, data=data: kernel(data, (2, 2, 2)))  # type: ignore[misc]
        rows.append(Row(name, ours, milliseconds(data.copy), "ms", "numpy copy of the input"))
    return rows


def meshing(labels: np.ndarray) -> list[Row | Skipped]:
    """Meshes of the largest labels, against marching cubes on the same boxes."""
    from scipy.ndimage import find_objects
    from skimage.measure import marching_cubes

    from viewer.meshes import Meshes
    from viewer.pyramid import Pyramid
    from viewer.sources import as_source

    counts = np.bincount(labels.ravel())
    counts[0] = 0
    largest = [int(label) for label in np.argsort(counts)[::-1][:MESHES]]
    renumbered = np.zeros(labels.max() + 1, np.int32)
    renumbered[largest] = range(1, len(largest) + 1)
    boxes = find_objects(renumbered[labels])
    pyramid = Pyramid(as_source(labels), "labels")

    def ours() -> None:
        meshes = Meshes(pyramid)
        for label in largest:
            meshes.mesh(label, level=0)
        meshes.close()

    def theirs() -> None:
        for label, box in zip(largest, boxes, strict=True):
            marching_cubes(np.pad(labels[box] == label, 1).astype(np.float32), 0.5)

    name = f"meshes of the {len(largest)} largest labels"
    return [Row(name, milliseconds(ours, 3), milliseconds(theirs, 3), "ms", "scikit-image")]


def run() -> list[Row | Skipped]:
    """All of them."""
    labels = segmentation()
    return halving(labels, image_like(labels)) + meshing(labels)
