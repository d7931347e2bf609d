"""Where every label is: bounding box, size, centre, and its runs of voxels; in one pass.

The volume is read block by block, by several threads: arrays in memory where they lie, everything
else through the pyramid. Memory stays bounded: where the runs of all labels would take more than
`RUNS`, only boxes and sizes are kept, and a mesh reads its box again.

One label alone is found much sooner than all are indexed: see `viewer.meshing.label_search`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from viewer.kernels.crew import in_parallel
from viewer.meshing.label_search import (
    is_addressable,
    missing,
    plan_scan,
    spatial_block,
    three,
    voxels_of,
)
from viewer.pyramids.pyramid import Cancelled, Pyramid
from viewer.space import Box

if TYPE_CHECKING:
    import numpy.typing as npt

RUNS = 1 << 24
"""Runs kept at most for one volume, of 8 bytes each."""

PENDING_ROWS = 1 << 18
"""Rows of blocks' indexes kept until they are merged, of 88 bytes each."""


class LabelIndex(msgspec.Struct, frozen=True):
    """Where all labels of one volume are.

    Parameters
    ----------
    keys : uint64 ndarray (n,)
        The labels but 0, ascending; negative ones as their two's complement.
    counts : int64 ndarray (n,)
        Voxels of each.
    starts, stops : int64 ndarray (n, 3)
        Bounding boxes (z, y, x) in voxels of level 0, half-open.
    centroids : float64 ndarray (n, 3)
        Mean position (z, y, x) in voxels.
    runs : uint64 ndarray (m,), optional
        Runs of all labels (`viewer.kernels.runs`), label by label; None where they are too many.
    offsets : int64 ndarray (n + 1,), optional
        Where the runs of each label begin.
    """

    keys: npt.NDArray[np.uint64]
    counts: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    stops: npt.NDArray[np.int64]
    centroids: npt.NDArray[np.float64]
    runs: npt.NDArray[np.uint64] | None = None
    offsets: npt.NDArray[np.int64] | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return len(self.keys) * 96 + (0 if self.runs is None else self.runs.nbytes)

    def row(self, label: int) -> int:
        """Row of a label; `NotFoundError` when there is none."""
        key = np.uint64(label & 0xFFFFFFFFFFFFFFFF)
        row = int(np.searchsorted(self.keys, key))
        if row == len(self.keys) or self.keys[row] != key:
            raise missing(label)
        return row

    def box(self, row: int) -> Box:
        """Bounding box (z, y, x) of a row's label."""
        return Box(tuple(self.starts[row].tolist()), tuple(self.stops[row].tolist()))

    def runs_of(self, row: int) -> npt.NDArray[np.uint64] | None:
        """Runs of a row's label in no particular order; None where they are not kept."""
        if self.runs is None or self.offsets is None:
            return None
        return self.runs[self.offsets[row] : self.offsets[row + 1]]


def make_index(
    pyramid: Pyramid,
    point: tuple[int, ...],
    *,
    cancelled: Cancelled | None = None,
    tell: Callable[[float], None] = lambda done: None,
    most_runs: int | None = None,
) -> LabelIndex:
    """The index of all labels at one point of the leading axes.

    Parameters
    ----------
    pyramid : Pyramid
        Of labels with three axes of space.
    point : tuple of int
        Indices on the leading axes.
    cancelled : callable, optional
        Asked between blocks whether the caller has lost interest.
    tell : callable
        Told the fraction done, by several threads; 1 at the end.
    most_runs : int, optional
        Runs kept at most; default `RUNS`.
    """
    from viewer.kernels import runs as kernel

    most_runs = RUNS if most_runs is None else most_runs
    shape = pyramid.levels[0].shape[-3:]
    if not is_addressable(shape):
        most_runs = -1
    boxes = list(plan_scan(shape, spatial_block(pyramid)))
    collected = _Collected(len(boxes), most_runs, tell)

    def work(number: int, box: Box) -> None:
        block = voxels_of(pyramid, 0, box, point, cancelled)
        limit = most_runs if collected.keep else -1
        collected.add(number, kernel.index_block(block, three(box.start), shape[1], limit))

    in_parallel([partial(work, number, box) for number, box in enumerate(boxes)])
    return collected.index()


class _Collected:
    """Indexes of blocks, as they come in; merged when they are many."""

    def __init__(self, number: int, most_runs: int, tell: Callable[[float], None]) -> None:
        self.keep = most_runs >= 0
        self._most_runs, self._tell = most_runs, tell
        self._parts: list[Any] = [None] * number
        self._merged: list[Any] = []
        self._rows = self._runs = self._done = 0
        self._lock = threading.Lock()

    def add(self, number: int, part: Any) -> None:
        with self._lock:
            self._parts[number] = part
            self._rows += len(part[0])
            self._runs += len(part[2])
            self._done += 1
            if self.keep and (not part[4] or self._runs > self._most_runs):
                self.keep = False
            if not self.keep and self._rows > PENDING_ROWS:
                self._merge()
            self._tell(self._done / (len(self._parts) + 1))

    def _merge(self) -> None:
        from viewer.kernels.runs import merge

        there = [part[:2] for part in self._parts if part is not None]
        self._parts = [None] * len(self._parts)
        self._merged = [merge([*self._merged, *there])]
        self._rows = 0

    def index(self) -> LabelIndex:
        from viewer.kernels.runs import deal, merge, tally

        there = [part for part in self._parts if part is not None]
        keys, rows = merge([*self._merged, *(part[:2] for part in there)])
        runs, offsets = None, None
        if self.keep:
            targets = [np.searchsorted(keys, part[0]) for part in there]
            counts = [
                tally(part[3], to, len(keys)) for part, to in zip(there, targets, strict=True)
            ]
            offsets = np.zeros(len(keys) + 1, np.int64)
            np.cumsum(np.sum(counts, axis=0), out=offsets[1:])
            runs = np.empty(self._runs, np.uint64)
            # Every block's first run of each label goes behind those of the blocks before it.
            cursors = offsets[:-1] + np.cumsum([np.zeros(len(keys), np.int64), *counts], axis=0)
            in_parallel(
                [
                    partial(deal, part[2], part[3], to, cursor, runs)
                    for part, to, cursor in zip(there, targets, cursors, strict=False)
                ]
            )
        self._tell(1.0)
        return LabelIndex(
            keys, rows[:, 0], rows[:, 1:4], rows[:, 4:7], rows[:, 7:10] / rows[:, :1], runs, offsets
        )
