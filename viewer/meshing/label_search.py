"""Where one label is: found by comparing voxels, and nothing else, at the speed of memory.

The whole level is searched, or, where reading it takes long and somebody has pointed at a voxel,
the blocks around that voxel, outward as far as the label goes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from viewer.errors import CancelledError, NotFoundError, TooLargeError
from viewer.kernels.crew import THREADS, in_parallel
from viewer.pyramids.pyramid import Cancelled, Pyramid
from viewer.sources.protocol import Array
from viewer.space import Box

if TYPE_CHECKING:
    import numpy.typing as npt

INDEX_VOXELS = 1 << 22
"""Voxels read at a time: few enough to stay in memory and to cancel soon."""

GROWTH_EDGE = 64
"""Voxels. Edge of the blocks in which a search goes outward from a seed: read in milliseconds."""

MEMORY_CELL = (16, 32, 512)
"""Voxels. The same of an array in memory: long rows are read at the speed of memory, while short
ones wait for each of them."""

Index = tuple[int, int, int]


class Found(msgspec.Struct, frozen=True):
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
    _check(pyramid, label, shape)
    box = Box.whole(shape) if box is None else box
    block = (1, 1, 1) if level else spatial_block(pyramid)
    boxes = list(plan_scan(box.shape, block, box.start))
    parts: list[npt.NDArray[np.uint64]] = [np.empty(0, np.uint64)] * len(boxes)
    number = 0

    def work(place: int, part: Box) -> None:
        nonlocal number
        if number > most_runs:
            return
        voxels = voxels_of(pyramid, level, part, point, cancelled)
        parts[place] = find_runs(voxels, three(part.start), shape[1], label, most_runs)
        number += len(parts[place])

    in_parallel([partial(work, place, part) for place, part in enumerate(boxes)])
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


def grow_label(
    pyramid: Pyramid,
    label: int,
    point: tuple[int, ...],
    seed: tuple[int, ...],
    *,
    level: int,
    most_runs: int,
    most_voxels: int,
    cancelled: Cancelled | None = None,
) -> Found | None:
    """The voxels of one label that hang together with those around a seed.

    Block by block, outward: what lies beyond a side of a block is read if the label reaches that
    side. So some voxels may be found that are connected to nothing.

    Parameters
    ----------
    pyramid : Pyramid
        Of labels with three axes of space.
    label : int
    point : tuple of int
        Indices on the leading axes.
    seed : tuple of int
        Voxel (z, y, x) of the level; its whole block is looked at.
    level : int
        Of the pyramid.
    most_runs, most_voxels : int
        The search ends when more are found, or have been read.
    cancelled : callable, optional
        Asked between blocks whether the caller has lost interest.

    Returns
    -------
    Found, optional
        None where the seed's block has no voxel of the label.
    """
    from viewer.kernels.runs import find_runs, measure

    shape = pyramid.levels[level].shape[-3:]
    _check(pyramid, label, shape)
    resident = is_resident(pyramid)
    cell = MEMORY_CELL if resident else plan_cell(shape, pyramid.chunks(level))

    def box_of(index: Index) -> Box:
        return Box.of_cell(index, cell, shape)

    def scan(index: Index) -> npt.NDArray[np.uint64]:
        box = box_of(index)
        voxels = voxels_of(pyramid, level, box, point, cancelled)
        return find_runs(voxels, three(box.start), shape[1], label, most_runs)

    wave: list[Index] = [three(tuple(i // n for i, n in zip(seed, cell, strict=True)))]
    seen = set(wave)
    parts: list[npt.NDArray[np.uint64]] = []
    runs = 0
    while wave:
        # To start a thread takes as long as to look at a block that lies in memory.
        threads = 1 + len(wave) // 8 if resident else THREADS
        if runs > most_runs or len(seen) * math.prod(cell) > max(most_voxels, math.prod(cell)):
            return found(np.concatenate(parts), shape[1], complete=False)
        reached: list[Index] = []
        scanned = in_parallel([partial(scan, index) for index in wave], min(threads, THREADS))
        for index, part in zip(wave, scanned, strict=True):
            if part is None or not len(part):
                continue
            parts.append(part)
            runs += len(part)
            row, _ = measure(part, shape[1])
            within = Box(tuple(row[1:4].tolist()), tuple(row[4:7].tolist()))
            reached.extend(_beyond(index, within, box_of(index), shape))
        wave = [index for index in dict.fromkeys(reached) if index not in seen]
        seen.update(wave)
    if not parts:
        return None
    return found(np.concatenate(parts), shape[1], complete=runs <= most_runs)


def _beyond(index: Index, within: Box, block: Box, shape: Sequence[int]) -> Iterator[Index]:
    """The blocks next to those sides of a block that a box in it reaches."""
    for axis in range(3):
        one = tuple(int(axis == other) for other in range(3))
        if within.start[axis] == block.start[axis] and block.start[axis] > 0:
            yield three(tuple(i - k for i, k in zip(index, one, strict=True)))
        if within.stop[axis] == block.stop[axis] and block.stop[axis] < shape[axis]:
            yield three(tuple(i + k for i, k in zip(index, one, strict=True)))


def plan_cell(shape: Sequence[int], chunks: Sequence[int] | None) -> tuple[int, int, int]:
    """Shape of the blocks in which a search goes outward: whole chunks, `GROWTH_EDGE` or more a
    side where that is not too much to read at once.
    """
    chunk = (1, 1, 1) if chunks is None else chunks[-3:]
    cell = [min(n, m) for n, m in zip(chunk, shape, strict=True)]
    for axis in (2, 1, 0):
        room = max(INDEX_VOXELS // math.prod(cell), 1)
        times = min(-(-GROWTH_EDGE // cell[axis]), room)
        cell[axis] *= max(times, 1)
    return three(tuple(cell))


def _check(pyramid: Pyramid, label: int, shape: Sequence[int]) -> None:
    """Refuse what cannot be searched, or cannot be there."""
    if not is_addressable(shape):
        raise TooLargeError(
            f"A volume of shape {tuple(shape)} is too large for surfaces of its finest level."
        )
    info = np.iinfo(pyramid.dtype) if pyramid.dtype.kind != "b" else np.iinfo(np.uint8)
    if not info.min <= label <= info.max:
        raise missing(label)


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


def voxels_of(
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


def is_addressable(shape: Sequence[int]) -> bool:
    """Whether runs can say where the voxels of such a volume are."""
    from viewer.kernels.runs import MOST_ROWS, WIDEST

    return shape[2] <= WIDEST and shape[0] * shape[1] <= MOST_ROWS


def spatial_block(pyramid: Pyramid) -> tuple[int, ...]:
    """What the source decodes at once, (z, y, x); one voxel where any box costs what it holds."""
    block = pyramid.source_block
    return (1, 1, 1) if block is None else block[-3:]


def three(place: tuple[int, ...]) -> tuple[int, int, int]:
    """The same as three numbers."""
    z, y, x = place
    return z, y, x
