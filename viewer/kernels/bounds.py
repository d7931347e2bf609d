"""Where every label lies, how many voxels it has and where its middle is, in one pass.

Rows are read as runs of equal voxels, so the table of labels is looked up once a run. Labels are
handled as unsigned bit patterns: one kernel for each width serves every integer dtype, up to
uint64 above 2**63 and negative labels.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numba
import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

EMPTY = np.int32(-1)
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
"""2**64 / golden ratio: products spread neighbouring labels over the whole table."""


class BoundsTable:
    """Collects labels block by block; label 0 is background and left out.

    Attributes
    ----------
    count : int
        Labels so far. The first `count` rows of the arrays below are theirs, in the order of
        first appearance.
    labels : uint64 array
        Bit patterns.
    boxes : int64 array (n, 6)
        First voxel (z, y, x) and last voxel (z, y, x), inclusive.
    voxels : int64 array
    sums : float64 array (n, 3)
        Of the voxels' indices (z, y, x); exact up to 2**53.
    """

    def __init__(self) -> None:
        self.count = 0
        self.labels: Array = np.empty(0, np.uint64)
        self.boxes: Array = np.empty((0, 6), np.int64)
        self.voxels: Array = np.empty(0, np.int64)
        self.sums: Array = np.empty((0, 3), np.float64)
        self._slots: Array = np.empty(0, np.int32)
        self._grow(1 << 10)

    def add(self, block: Array, origin: tuple[int, int, int], limit: int) -> bool:
        """Take in a block of voxels.

        Parameters
        ----------
        block : ndarray
            C-contiguous (z, y, x), bool or integers in native byte order.
        origin : tuple of int
            Index of its first voxel in the volume.
        limit : int
            Most labels to collect.

        Returns
        -------
        bool
            False if there are more labels than the limit; the table is of no use then.
        """
        bits = block.view(np.dtype(f"u{block.dtype.itemsize}"))
        z = y = 0
        while True:
            self.count, z, y = _collect(
                bits, *origin, z, y,
                self._slots, self.labels, self.boxes, self.voxels, self.sums, self.count,
            )  # fmt: skip
            if self.count > limit:
                return False
            if z == bits.shape[0]:
                return True
            self._grow(2 * len(self.labels) + bits.shape[2])

    def _grow(self, capacity: int) -> None:
        def longer(array: Array) -> Array:
            out = np.empty((capacity, *array.shape[1:]), array.dtype)
            out[: self.count] = array[: self.count]
            return out

        self.labels, self.boxes = longer(self.labels), longer(self.boxes)
        self.voxels, self.sums = longer(self.voxels), longer(self.sums)
        self._slots = np.full(1 << (2 * capacity - 1).bit_length(), EMPTY, np.int32)
        _rehash(self._slots, self.labels, self.count)


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _rehash(slots, labels, count):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(slots) - 1)
    for row in range(count):
        product = labels[row] * MULTIPLIER
        slot = (product ^ (product >> np.uint64(32))) & mask
        while slots[slot] != EMPTY:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = row


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _collect(  # type: ignore[no-untyped-def]
    block, oz, oy, ox, z_start, y_start, slots, labels, boxes, voxels, sums, count
):
    """Go on from a row; stop before the first one whose labels might not find room."""
    depth, height, width = block.shape
    mask = np.uint64(len(slots) - 1)
    y = y_start
    for z in range(z_start, depth):
        while y < height:
            if count + width > len(labels):
                return count, z, y
            line = block[z, y]
            start = 0
            while start < width:
                value = line[start]
                stop = start + 1
                while stop < width and line[stop] == value:
                    stop += 1
                if value != 0:
                    label = np.uint64(value)
                    product = label * MULTIPLIER
                    slot = (product ^ (product >> np.uint64(32))) & mask
                    row = slots[slot]
                    while row != EMPTY and labels[row] != label:
                        slot = (slot + np.uint64(1)) & mask
                        row = slots[slot]
                    if row == EMPTY:
                        row = count
                        count += 1
                        slots[slot] = row
                        labels[row] = label
                        boxes[row, 0] = boxes[row, 3] = z + oz
                        boxes[row, 1] = boxes[row, 4] = y + oy
                        boxes[row, 2] = start + ox
                        boxes[row, 5] = stop - 1 + ox
                        voxels[row] = 0
                        sums[row, 0] = sums[row, 1] = sums[row, 2] = 0.0
                    length = stop - start
                    boxes[row, 0] = min(boxes[row, 0], z + oz)
                    boxes[row, 1] = min(boxes[row, 1], y + oy)
                    boxes[row, 2] = min(boxes[row, 2], start + ox)
                    boxes[row, 3] = max(boxes[row, 3], z + oz)
                    boxes[row, 4] = max(boxes[row, 4], y + oy)
                    boxes[row, 5] = max(boxes[row, 5], stop - 1 + ox)
                    voxels[row] += length
                    sums[row, 0] += length * (z + oz)
                    sums[row, 1] += length * (y + oy)
                    sums[row, 2] += length * (0.5 * (start + stop - 1) + ox)
                start = stop
            y += 1
        y = 0
    return count, depth, 0
