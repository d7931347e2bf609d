"""A block of a coarse level, made of a sample of the voxels below it.

Exact, a block of level 6 of a large volume takes a hundred gigabytes of reading. A preview takes a
bounded part of them, spread over the block: from arrays that are sliced in steps every so many
voxels; from what is decoded in chunks a few chunks, each drawn out over its neighbours: it looks
like the data, if not everywhere in its place.

    axis, in chunks     │ · │ █ │ · │ · │ █ │ · │      █ read
    voxels come from    └─ this ────┴─ this ────┘
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from viewer.policy import POLICY
from viewer.sources.protocol import Array, SampledSource, Source
from viewer.space import Box

Reads = Callable[[Box], Array]

SPOT = 4
"""Voxels. Edge of what is read at one place of a source that has neither chunks nor steps."""


def plan_steps(
    box: Box, steps: Sequence[int], shape: Sequence[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Start and stop (level 0) at which a step on each axis meets the middle of every voxel.

    Parameters
    ----------
    box : Box
        Voxels of a coarse level.
    steps : sequence of int
        Voxels of level 0 for each of them.
    shape : sequence of int
        Of level 0; the last voxel of an odd axis is met where there is something.
    """
    start, stop = [], []
    for a, b, step, n in zip(box.start, box.stop, steps, shape, strict=True):
        last = b - 1
        offset = min(step // 2, n - 1 - last * step)
        start.append(a * step + offset)
        stop.append(last * step + offset + 1)
    return tuple(start), tuple(stop)


def plan_spread(
    a: int, b: int, step: int, n: int, cell: int, most: int
) -> list[tuple[int, int, Array]]:
    """Along one axis: which cells are read, and which of their voxels stand for which.

    Parameters
    ----------
    a, b : int
        Half-open span of coarse voxels.
    step : int
        Fine voxels for each.
    n : int
        Fine voxels of the axis.
    cell : int
        Fine voxels that are decoded together.
    most : int
        Cells to be read at most, 1 or more.

    Returns
    -------
    list of (first, after, positions)
        For a span of coarse voxels the positions of fine ones, all in one cell; in order.
    """
    wanted = np.minimum(np.arange(a, b, dtype=np.int64) * step + step // 2, n - 1)
    inside = wanted // cell
    cells = np.unique(inside)
    sparse = len(cells) > most
    if sparse:
        cells = cells[(2 * np.arange(most) + 1) * len(cells) // (2 * most)]
        inside = cells[np.searchsorted((cells[:-1] + cells[1:]) / 2, inside)]
    borders = [0, *(np.flatnonzero(np.diff(inside)) + 1).tolist(), b - a]
    spans = []
    for i, j in itertools.pairwise(borders):
        positions = wanted[i:j]
        if sparse:
            low = int(inside[i]) * cell
            positions = low + (2 * np.arange(j - i) + 1) * min(cell, n - low) // (2 * (j - i))
        spans.append((i, j, positions))
    return spans


def plan_counts(cells: Sequence[int], most: int) -> list[int]:
    """How many cells to read on each axis, of so many, for at most `most` in all."""
    counts = list(cells)
    while math.prod(counts) > most:
        axis = max(range(len(counts)), key=counts.__getitem__)
        others = math.prod(counts) // counts[axis]
        # Not at once to what fits: then the others would stay whole.
        counts[axis] = max(1, most // others, counts[axis] * 3 // 4)
    return counts


def sample_steps(source: Source, box: Box, steps: Sequence[int], shape: Sequence[int]) -> Any:
    """One voxel for each of the box, or None where the source is not sliced in steps."""
    if not isinstance(source, SampledSource):
        return None
    start, stop = plan_steps(box, steps, shape)
    return source.sample(start, stop, steps)


def sample_cells(
    read: Reads,
    box: Box,
    steps: Sequence[int],
    shape: Sequence[int],
    chunks: tuple[int, ...] | None,
    dtype: np.dtype[Any],
    budget: int = POLICY.preview_bytes,
) -> Array:
    """One voxel for each of the box, out of a bounded number of chunks or small boxes.

    Parameters
    ----------
    read : callable
        Reads a box of fine voxels.
    box : Box
        Coarse voxels.
    steps, shape : sequence of int
        Fine voxels for each coarse one, and of the whole array.
    chunks : tuple of int, optional
        What is decoded together; None where any box costs what it holds.
    dtype : dtype
        Of the voxels.
    budget : int
        Bytes of chunks that may be read; one chunk always may.
    """
    if chunks is None:
        cell = tuple(min(SPOT, n) for n in shape)
        most = POLICY.preview_reads * 4
    else:
        cell = tuple(map(min, chunks, shape))
        size = math.prod(cell) * dtype.itemsize
        most = max(1, min(POLICY.preview_reads, budget // size))
    touched = [
        len({min(i * s + s // 2, n - 1) // c for i in range(a, b)})
        for a, b, s, n, c in zip(box.start, box.stop, steps, shape, cell, strict=True)
    ]
    counts = plan_counts(touched, most)
    spreads = [
        plan_spread(a, b, s, n, c, k)
        for a, b, s, n, c, k in zip(box.start, box.stop, steps, shape, cell, counts, strict=True)
    ]
    out = np.empty(box.shape, dtype)
    for parts in itertools.product(*spreads):
        low = [int(positions[0]) for _, _, positions in parts]
        high = [int(positions[-1]) + 1 for _, _, positions in parts]
        block = read(Box(tuple(low), tuple(high)))
        target = tuple(slice(i, j) for i, j, _ in parts)
        index = np.ix_(*(positions - a for (_, _, positions), a in zip(parts, low, strict=True)))
        out[target] = block[index]
    return out
