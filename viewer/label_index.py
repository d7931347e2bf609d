"""Where every label is: bounding box, size, centre, and its runs of voxels; in one pass.

The volume is read block by block, by several threads: arrays in memory where they lie, everything
else through the pyramid. Memory stays bounded: where the runs of all labels would take more than
`RUNS`, only boxes and sizes are kept, and a mesh reads its box again.

One label alone is found much sooner than all are indexed: `find_label` compares, and does nothing
else, so that it runs at the speed of memory.
"""

from __future__ import annotations

import itertools
import math
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from viewer.errors import CancelledError, NotFoundError, TooLargeError
from viewer.pyramid import Cancelled, Pyramid
from viewer.sources.protocol import Array
from viewer.space import Box

INDEX_VOXELS = 1 << 22
"""Voxels read at a time: few enough to stay in memory and to cancel soon."""

RUNS = 1 << 24
"""Runs kept at most for one volume, of 8 bytes each."""

PENDING_ROWS = 1 << 18
"""Rows of blocks' indexes kept until they are merged, of 88 bytes each."""

THREADS = min(16, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 4)
"""Threads of one pass: memory is busy long before there are more."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LabelIndex:
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


@dataclass(frozen=True, slots=True)
class Found:
    """One label, found.

    Parameters
    ----------
    runs : uint64 ndarray (n,)
        Ascending.
    box : Box
        Bounding box (z, y, x) in voxels of the level.
    count : int
        Voxels.
    complete : bool
        False where the search ended early, because of too many runs.
    """

    runs: npt.NDArray[np.uint64]
    box: Box
    count: int
    complete: bool = True


def missing(label: int) -> NotFoundError:
    """What to raise when no voxel has a label."""
    return NotFoundError(
        f"There is no label {label} in the volume.",
        hint="Label 0 is background and has no surface." if label == 0 else "",
    )


def is_resident(pyramid: Pyramid) -> bool:
    """Whether looking at all voxels costs no more than reading memory (`ResidentSource`)."""
    # asked for every mesh: isinstance of a protocol takes a tenth of a small mesh's time
    return bool(getattr(pyramid.source, "resident", False))


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
    if not _addressable(shape):
        most_runs = -1
    boxes = list(plan_scan(shape, _spatial_block(pyramid)))
    collected = _Collected(len(boxes), most_runs, tell)

    def work(number: int, box: Box) -> None:
        block = _voxels(pyramid, 0, box, point, cancelled)
        limit = most_runs if collected.keep else -1
        collected.add(number, kernel.index_block(block, _three(box.start), shape[1], limit))

    in_parallel([_call(work, number, box) for number, box in enumerate(boxes)])
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
                    _call(deal, part[2], part[3], to, cursor, runs)
                    for part, to, cursor in zip(there, targets, cursors, strict=False)
                ]
            )
        self._tell(1.0)
        return LabelIndex(
            keys, rows[:, 0], rows[:, 1:4], rows[:, 4:7], rows[:, 7:10] / rows[:, :1], runs, offsets
        )


def find_label(
    pyramid: Pyramid,
    label: int,
    point: tuple[int, ...],
    *,
    level: int = 0,
    box: Box | None = None,
    most_runs: int,
    cancelled: Cancelled | None = None,
) -> Found:
    """The voxels of one label.

    Parameters
    ----------
    pyramid : Pyramid
        Of labels with three axes of space.
    label : int
    point : tuple of int
        Indices on the leading axes.
    level : int
        Of the pyramid.
    box : Box, optional
        Where to look, (z, y, x) in voxels of the level; default everywhere.
    most_runs : int
        The search ends when there are more.
    cancelled : callable, optional
        Asked between blocks whether the caller has lost interest.
    """
    from viewer.kernels.runs import find_runs

    shape = pyramid.levels[level].shape[-3:]
    if not _addressable(shape):
        raise TooLargeError(
            f"A volume of shape {shape} is too large for surfaces of its finest level."
        )
    box = Box.whole(shape) if box is None else box
    info = np.iinfo(pyramid.dtype) if pyramid.dtype.kind != "b" else np.iinfo(np.uint8)
    if not info.min <= label <= info.max:
        raise missing(label)
    block = (1, 1, 1) if level else _spatial_block(pyramid)
    boxes = list(plan_scan(box.shape, block, box.start))
    parts: list[npt.NDArray[np.uint64]] = [np.empty(0, np.uint64)] * len(boxes)
    number = 0

    def work(place: int, part: Box) -> None:
        nonlocal number
        if number > most_runs:
            return
        voxels = _voxels(pyramid, level, part, point, cancelled)
        parts[place] = find_runs(voxels, _three(part.start), shape[1], label, most_runs)
        number += len(parts[place])

    in_parallel([_call(work, place, part) for place, part in enumerate(boxes)])
    return found(np.concatenate(parts), shape[1], complete=number <= most_runs)


def found(runs: npt.NDArray[np.uint64], height: int, *, complete: bool = True) -> Found:
    """Runs put in order, and the box that they fill."""
    from viewer.kernels.runs import measure

    row, ordered = measure(runs, height)
    if not ordered:
        runs = np.sort(runs)
    if not len(runs):
        return Found(runs, Box((0, 0, 0), (0, 0, 0)), 0, complete)
    return Found(
        runs, Box(tuple(row[1:4].tolist()), tuple(row[4:7].tolist())), int(row[0]), complete
    )


def plan_scan(
    shape: Sequence[int], block: Sequence[int], start: Sequence[int] = (0, 0, 0)
) -> Iterator[Box]:
    """Boxes of about `INDEX_VOXELS` that cover a box, whole blocks of the source each.

    Slabs across z as wide as they may be: rows of voxels stay long. Blocks count from `start`
    rounded down, so that none is decoded for two boxes.
    """
    first = [a // b * b for a, b in zip(start, block, strict=True)]
    stop = [a + n for a, n in zip(start, shape, strict=True)]
    span = [b - a for a, b in zip(first, stop, strict=True)]
    cell = [min(n, b) for n, b in zip(span, block, strict=True)]
    for axis in (2, 1, 0):
        others = math.prod(cell) // cell[axis]
        length = max(INDEX_VOXELS // others, cell[axis])
        cell[axis] = min(span[axis], length // block[axis] * block[axis] or block[axis])
    for corner in itertools.product(
        *(range(a, b, step) for a, b, step in zip(first, stop, cell, strict=True))
    ):
        yield Box(
            tuple(max(a, b) for a, b in zip(corner, start, strict=True)),
            tuple(min(a + c, b) for a, c, b in zip(corner, cell, stop, strict=True)),
        )


def in_parallel(tasks: Sequence[Callable[[], T]], threads: int = THREADS) -> list[T | None]:
    """Results of some tasks, done by this thread and a few more; the first error is raised.

    The others are daemons: they never hold up the end of the interpreter.
    """
    results: list[T | None] = [None] * len(tasks)
    numbers = iter(range(len(tasks)))
    lock = threading.Lock()
    errors: list[BaseException] = []

    def labour() -> None:
        while not errors:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                results[number] = tasks[number]()
            except BaseException as error:
                errors.append(error)

    crew = [
        threading.Thread(target=labour, name="voxelview-scan", daemon=True)
        for _ in range(min(threads, len(tasks)) - 1)
    ]
    for helper in crew:
        helper.start()
    labour()
    for helper in crew:
        helper.join()
    if errors:
        raise errors[0]
    return results


def _call(function: Callable[..., T], *arguments: Any) -> Callable[[], T]:
    return lambda: function(*arguments)


def _voxels(
    pyramid: Pyramid, level: int, box: Box, point: tuple[int, ...], cancelled: Cancelled | None
) -> Array:
    """A block (z, y, x), C-contiguous; of an array in memory possibly a view of it."""
    if cancelled is not None and cancelled():
        raise CancelledError("Nobody waits for these labels any more.")
    whole = Box((*point, *box.start), (*(i + 1 for i in point), *box.stop))
    if level or not is_resident(pyramid):
        return pyramid.read(level, whole, cancelled).reshape(box.shape)
    block = pyramid.source.read(0, whole).reshape(box.shape)
    plain = block.dtype.isnative and block.flags.aligned
    return np.ascontiguousarray(block if plain else block.astype(pyramid.dtype))


def _addressable(shape: Sequence[int]) -> bool:
    from viewer.kernels.runs import MOST_ROWS, WIDEST

    return shape[2] <= WIDEST and shape[0] * shape[1] <= MOST_ROWS


def _spatial_block(pyramid: Pyramid) -> tuple[int, ...]:
    block = pyramid.source_block
    return (1, 1, 1) if block is None else block[-3:]


def _three(place: tuple[int, ...]) -> tuple[int, int, int]:
    z, y, x = place
    return z, y, x
