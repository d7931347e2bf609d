"""How fast compressed HDF5 is read: by our decoding of its chunks, and by the library alone."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.benchmarks.table import Row, middle
from viewer.sources import Source, as_source
from viewer.sources.hdf5 import HDF5_LOCK
from viewer.space import Box

ROUNDS = 5
SHAPE = (192, 256, 256)


class Library:
    """The dataset read by h5py under the process's lock."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def read(self, level: int, box: Box) -> Any:
        with HDF5_LOCK:
            return self.dataset[box.slices]


def run() -> Sequence[Row]:
    """Measure chunks of two shapes, and with the shuffle filter."""
    rows = []
    ramp = np.indices(SHAPE).sum(0) // 3
    data = (ramp + np.random.default_rng(0).integers(0, 6, SHAPE)).astype("u2")
    with tempfile.TemporaryDirectory() as folder:
        for chunks, shuffle in (((64, 64, 64), False), ((64, 64, 64), True), ((1, 256, 256), True)):
            path = Path(folder) / "a.h5"
            with h5py.File(path, "w") as file:
                file.create_dataset(
                    "a", data=data, chunks=chunks, compression="gzip", shuffle=shuffle
                )
            with h5py.File(path) as file:
                rows += _measure(file["a"], chunks, "gzip + shuffle" if shuffle else "gzip")
    return rows


def _measure(dataset: Any, chunks: tuple[int, ...], name: str) -> list[Row]:
    ours, library = as_source(dataset), Library(dataset)
    boxes = [
        Box(
            tuple(i * c for i, c in zip(index, chunks, strict=True)),
            tuple((i + 1) * c for i, c in zip(index, chunks, strict=True)),
        )
        for index in Box.whole(SHAPE).cells(chunks)
    ]
    rates: dict[tuple[str, int], list[float]] = {}
    for _ in range(ROUNDS):
        for threads in (1, 2):
            for label, source in (("ours", ours), ("library", library)):
                rates.setdefault((label, threads), []).append(_rate(source, boxes, threads))
    ours.close()
    middles = {key: middle(values) for key, values in rates.items()}
    title = f"HDF5 {name}, chunks {' × '.join(map(str, chunks))}"
    return [
        Row(
            f"{title}: two threads",
            middles["ours", 2],
            middles["library", 2],
            "MB/s",
            "h5py on two",
        ),
        Row(
            f"{title}: two threads",
            middles["ours", 2],
            middles["library", 1],
            "MB/s",
            "h5py on one",
            least=1.7,
        ),
        Row(f"{title}: one thread", middles["ours", 1], middles["library", 1], "MB/s", "h5py"),
    ]


def _rate(source: Source | Library, boxes: list[Box], threads: int) -> float:
    """Decoded megabytes a second."""
    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(lambda box: source.read(0, box).shape, boxes):
            pass
    return float(np.prod(SHAPE)) * 2 / (time.perf_counter() - start) / 1e6
