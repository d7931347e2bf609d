"""The kernels against the yardstick of what they move, and meshes against scikit-image."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

import numpy as np

from tests.benchmarks.table import Row, Skipped, middle
from tests.benchmarks.volumes import image_like, segmentation

RUNS = 5

MESHES = 10
"""Labels meshed; the largest ones."""


EDGE = 512
"""Voxels of the volumes that are halved, on each axis."""


def milliseconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """Median time of `work` after one call that warms up."""
    return alternating([work], runs)[0]


def alternating(works: list[Callable[[], object]], runs: int = RUNS) -> list[float]:
    """Median milliseconds of each, measured in turn, after one call each that warms up."""
    times: list[list[float]] = [[] for _ in works]
    for run in range(runs + 1):
        for work, mine in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            if run:
                mine.append(1000 * (time.perf_counter() - start))
    return [middle(mine) for mine in times]


def halving(labels: np.ndarray, image: np.ndarray) -> list[Row | Skipped]:
    """A level from the level before it: by one thread into memory that is there, and by all.

    The yardstick is copying the input into memory that is there.
    """
    rows: list[Row | Skipped] = []
    for dtype in ("uint8", "uint16", "float32"):
        rows += _halving("image", _grown(image).astype(dtype))
    for dtype in ("uint32", "uint64"):
        # rolled, for the borders of synthetic labels lie at even voxels
        rows += _halving("labels", _grown(np.roll(labels, 1, (0, 1, 2))).astype(dtype))
    return rows


def _grown(data: np.ndarray) -> np.ndarray:
    return np.tile(data, [-(-EDGE // n) for n in data.shape])[:EDGE, :EDGE, :EDGE]


def _halving(kind: Literal["image", "labels"], data: np.ndarray) -> list[Row | Skipped]:
    from viewer.kernels import downsample

    kernel = downsample.mean if kind == "image" else downsample.mode
    by_two = (2, 2, 2)
    spare = np.ones_like(data)
    out = np.ones([n // 2 for n in data.shape], data.dtype)
    one, every, memcpy = alternating(
        [
            lambda: kernel(data, by_two, out),
            lambda: downsample.halve(data, kind, by_two, out=out),
            lambda: np.copyto(spare, data),
        ],
        9,
    )
    name = f"{kernel.__name__} of {EDGE}³ {data.dtype} by 2 × 2 × 2"
    limit = 1.0 if kind == "image" else 1.3
    rows: list[Row | Skipped] = [
        Row(f"{name}, 1 thread", one, memcpy, "ms", "copy of the input", limit),
        Row(f"{name}, all cores", every, memcpy, "ms", "copy of the input", limit),
    ]
    for peer, target, find in _PEERS[kind]:
        try:
            theirs = find(data)
        except ImportError:
            rows.append(Skipped(name, f"{peer} is not installed"))
            continue
        mine, every, other = alternating(
            [
                lambda: kernel(data, by_two, out),
                lambda: downsample.halve(data, kind, by_two, out=out),
                theirs,
            ]
        )
        rows.append(Row(f"{name}, 1 thread", mine, other, "ms", peer))
        rows.append(Row(f"{name}, all cores", every, other, "ms", peer, target))
    return rows


def _neuroglancer(data: np.ndarray) -> Callable[[], object]:
    from neuroglancer.downsample import downsample_with_averaging

    return lambda: downsample_with_averaging(data, (2, 2, 2))


def _tinybrain_mode(data: np.ndarray) -> Callable[[], object]:
    from tinybrain import downsample_segmentation

    mirrored = data.T  # x, y, z, in Fortran's order: what it is made for
    return lambda: downsample_segmentation(mirrored, factor=(2, 2, 2))


def _tinybrain_mean(data: np.ndarray) -> Callable[[], object]:
    from tinybrain import downsample_with_averaging

    mirrored = data.T
    return lambda: downsample_with_averaging(mirrored, factor=(2, 2, 2))


_PEERS: dict[str, list[tuple[str, float | None, Callable[[np.ndarray], Callable[[], object]]]]] = {
    "image": [("neuroglancer", 1 / 50, _neuroglancer), ("tinybrain", None, _tinybrain_mean)],
    "labels": [("tinybrain", 1 / 3, _tinybrain_mode)],
}


def meshing(labels: np.ndarray) -> list[Row | Skipped]:
    """Meshes of the largest labels, against marching cubes on the same boxes."""
    from scipy.ndimage import find_objects
    from skimage.measure import marching_cubes

    from viewer.meshing.meshes import Meshes
    from viewer.pyramids.pyramid import Pyramid
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
