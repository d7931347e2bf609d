"""What values an image holds: the first contrast window and the histogram, from a bounded sample.

Never the whole array: it may be larger than memory. Where the source decodes whole chunks, some of
them are read, spread over the volume, and thinned out; of other arrays many short runs of voxels.
"""

from __future__ import annotations

import math
import time

import msgspec
import numpy as np

from viewer.policy import POLICY
from viewer.pyramids.pyramid import Pyramid
from viewer.sources.protocol import Array
from viewer.space import Box
from viewer.state import Histogram

BINS = 128
"""Bins of the histogram at most: as many as the control has pixels to draw them."""

DISCRETE = 32
"""Integers that span less have a bin each and empty ones between: that they are few is seen."""

EXACT = 2.0**52
"""Below it float64 tells integers apart."""

LOW, HIGH = 0.1, 99.9
"""Percentiles of the finite values that the first contrast window spans."""

RUN = (1, 16, 64)
"""Voxels (z, y, x) read at one place of an array in memory or memory-mapped: few rows, so that
few pages of a file are touched; 256 places make up the sample."""

CHUNK_VOXELS = 1 << 22
"""Voxels decoded at most for a sample, apart from a least number of chunks."""

FEWEST = 8
"""Places looked at although a source is slow, unless that takes twice as long as it should."""

GOLDEN = (5**0.5 - 1) / 2

LARGEST = float(np.finfo(np.float64).max) / 4
"""Limits are kept within this, so that their difference is finite."""


class Statistics(msgspec.Struct, frozen=True):
    """Contrast window and histogram of a sample.

    Parameters
    ----------
    limits : tuple of float
        (low, high), finite, low < high.
    histogram : Histogram
        `BINS` bins around the limits.
    """

    limits: tuple[float, float]
    histogram: Histogram


def sample_statistics(pyramid: Pyramid) -> Statistics:
    """Statistics of an image, from about `Policy.sample_voxels` values."""
    ordered = _order(sample(pyramid))
    limits = plan_limits(ordered)
    return Statistics(limits, _histogram(ordered, limits))


def _order(values: Array) -> Array:
    """The finite ones, sorted: percentiles, extremes and counts are then there to be looked up."""
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    # Of 8 and 16 bits the stable sort is a radix sort, ten times faster.
    return np.sort(values, axis=None, kind="stable" if values.dtype.itemsize <= 2 else None)


def plan_limits(ordered: Array) -> tuple[float, float]:
    """The contrast window for finite values in ascending order.

    Percentiles of them. Where nearly all are equal (a few bright spots on nothing), the whole
    range. Of one value only, limits at whose upper end it is, so that it is seen: (0, c) for a
    positive c; but (0, 1) for 0, without any value, and for bools.
    """
    if ordered.dtype.kind == "b" or not ordered.size:
        return 0.0, 1.0
    # Values of the array themselves: interpolating between them might overflow.
    low, high = (float(ordered[round(p / 100 * (ordered.size - 1))]) for p in (LOW, HIGH))
    if low == high:
        low, high = float(ordered[0]), float(ordered[-1])
    low, high = max(low, -LARGEST), min(high, LARGEST)
    if not low < high:
        high = max(-LARGEST, min(high, LARGEST))
        low = high - abs(high) if high else 0.0
        high = high or 1.0
    return low, high


def sample(pyramid: Pyramid) -> Array:
    """About `Policy.sample_voxels` values of the coarsest stored level, one-dimensional."""
    level = len(pyramid.source.levels) - 1
    shape = pyramid.levels[level].shape
    budget = POLICY.sample_voxels
    cell = pyramid.source_block if level == 0 else None
    if math.prod(shape) <= budget or (cell is None and math.prod(shape) <= 4 * budget):
        return _thin(pyramid.read(level, Box.whole(shape)), budget)
    if cell is None:
        run = RUN[3 - pyramid.spatial :]
        leading = len(shape) - pyramid.spatial
        cell = (1,) * leading + tuple(map(min, run, shape[leading:]))
        places = budget // math.prod(cell)
    else:
        places = min(64, max(4, CHUNK_VOXELS // math.prod(cell)))
    boxes = plan_places(shape, cell, places)
    begun, patience = time.monotonic(), POLICY.sample_seconds
    taken: list[Array] = []
    for box in boxes:
        seconds = time.monotonic() - begun
        if taken and seconds > (patience if len(taken) >= FEWEST else 2 * patience):
            break
        taken.append(_thin(pyramid.read(level, box), budget // len(boxes)))
    return np.concatenate(taken)


def plan_places(shape: tuple[int, ...], cell: tuple[int, ...], places: int) -> list[Box]:
    """At most so many cells of the array's grid, spread evenly, as are the first few of them.

    Steps of the generalised golden ratio along each axis, from the middle: any number of points
    fills the box evenly, and no axis runs in step with another. Where all cells are taken, they
    come in the order in which steps of the golden ratio pass them.
    """
    counts = [-(-n // c) for n, c in zip(shape, cell, strict=True)]
    if math.prod(counts) <= places:
        cells = enumerate(Box.whole(tuple(counts)).cells((1,) * len(shape)))
        spread = sorted(cells, key=lambda numbered: numbered[0] * GOLDEN % 1)
        return [Box.of_cell(index, cell, shape) for _, index in spread]
    ratio = 2.0
    for _ in range(32):
        ratio = (1 + ratio) ** (1 / (len(shape) + 1))
    chosen = {
        tuple(
            int(count * ((0.5 + place * ratio ** -(axis + 1)) % 1))
            for axis, count in enumerate(counts)
        ): None
        for place in range(places)
    }
    return [Box.of_cell(index, cell, shape) for index in chosen]


def _thin(block: Array, count: int) -> Array:
    flat = block.reshape(-1)
    # An odd step does not walk along one column of an array whose rows have an even length.
    step = max(1, -(-flat.size // count))
    return flat[:: step | 1] if step > 1 else flat


def _histogram(ordered: Array, limits: tuple[float, float]) -> Histogram:
    if ordered.dtype.kind == "b":
        ordered = ordered.view(np.uint8)
    low, high = limits
    width = high - low
    start, stop = low, high
    if ordered.size:  # one window's width to either side, as far as there are values
        start = min(low, max(float(ordered[0]), low - width))
        stop = max(high, min(float(ordered[-1]), high + width))
    start, stop = min(low, max(start, -LARGEST)), max(high, min(stop, LARGEST))
    if ordered.dtype.kind in "iu" and stop - start >= DISCRETE and max(stop, -start) < EXACT:
        # Each bin holds as many integers as the next: else the picture would be that of a comb.
        each = math.ceil((stop - start + 1) / BINS)
        edges = math.floor(start) + each * np.arange(math.ceil((stop - start + 1) / each) + 1.0)
        start, stop = float(edges[0]), float(edges[-1])
    else:
        edges = start + (stop - start) * (np.arange(BINS + 1) / BINS)
    places = np.searchsorted(ordered, edges)
    places[-1] = np.searchsorted(ordered, stop, side="right")
    return Histogram(start, stop, tuple(np.diff(places).tolist()))
