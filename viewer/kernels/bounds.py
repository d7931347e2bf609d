"""Where every label of a block is: bounding box, voxel count, sum of coordinates; in one pass.

Labels come in runs along x, so the table is asked once a run, not once a voxel. The table is open
addressing over the label's 64 bits, grown when half full: no Python object is touched, and the
lock is free meanwhile.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

Block = npt.NDArray[np.generic]

COLUMNS = 10
"""Row of the index: count; start z, y, x; stop z, y, x (exclusive); sum of z, y, x."""


@numba.njit(nogil=True, cache=True)
def _slot(slots, keys, key):  # type: ignore[no-untyped-def]
    last = len(slots) - 1
    place = np.int64((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) & last
    while slots[place] >= 0 and keys[slots[place]] != key:
        place = (place + 1) & last
    return place


@numba.njit(nogil=True, cache=True)
def _scan(block, z0, y0, x0):  # type: ignore[no-untyped-def]
    slots = np.full(1024, -1, np.int32)
    keys = np.empty(512, np.uint64)
    rows = np.empty((512, 10), np.int64)
    number = 0
    depth, height, width = block.shape
    for z in range(depth):
        for y in range(height):
            x = 0
            while x < width:
                label = block[z, y, x]
                first = x
                x += 1
                while x < width and block[z, y, x] == label:
                    x += 1
                if label == 0:
                    continue
                key = np.uint64(label)
                place = _slot(slots, keys, key)
                row = slots[place]
                if row < 0:
                    if number == len(keys):
                        more = np.empty(2 * number, np.uint64)
                        longer = np.empty((2 * number, 10), np.int64)
                        slots = np.full(4 * number, -1, np.int32)
                        for i in range(number):
                            more[i] = keys[i]
                            for column in range(10):
                                longer[i, column] = rows[i, column]
                            slots[_slot(slots, keys, keys[i])] = i
                        keys = more
                        rows = longer
                        place = _slot(slots, keys, key)
                    row = number
                    number += 1
                    slots[place] = row
                    keys[row] = key
                    rows[row, 0] = 0
                    for column in range(1, 10):
                        rows[row, column] = 1 << 62 if column < 4 else 0
                run = x - first
                rows[row, 0] += run
                rows[row, 1] = min(rows[row, 1], z0 + z)
                rows[row, 2] = min(rows[row, 2], y0 + y)
                rows[row, 3] = min(rows[row, 3], x0 + first)
                rows[row, 4] = max(rows[row, 4], z0 + z + 1)
                rows[row, 5] = max(rows[row, 5], y0 + y + 1)
                rows[row, 6] = max(rows[row, 6], x0 + x)
                rows[row, 7] += run * (z0 + z)
                rows[row, 8] += run * (y0 + y)
                rows[row, 9] += run * (x0 + first) + run * (run - 1) // 2
    return keys[:number], rows[:number]


def scan_block(
    block: Block, start: tuple[int, int, int]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """All labels of a block but 0.

    Parameters
    ----------
    block : integer or bool ndarray (z, y, x)
    start : tuple of int
        Where the block lies in the volume, (z, y, x).

    Returns
    -------
    keys : uint64 ndarray (n,)
        The labels, negative ones as their two's complement.
    rows : int64 ndarray (n, COLUMNS)
        In voxels of the volume.
    """
    if block.dtype.kind == "b":
        block = block.view(np.uint8)
    return _scan(block, *start)  # type: ignore[no-any-return]


def merge(
    parts: list[tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]],
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """One index from those of blocks; keys ascending and unique."""
    if not parts:
        return np.empty(0, np.uint64), np.empty((0, COLUMNS), np.int64)
    keys = np.concatenate([part[0] for part in parts])
    rows = np.concatenate([part[1] for part in parts])
    order = np.argsort(keys, kind="stable")
    keys, rows = keys[order], rows[order]
    firsts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    if not len(keys):
        return keys, rows
    merged = np.add.reduceat(rows, firsts)
    merged[:, 1:4] = np.minimum.reduceat(rows[:, 1:4], firsts)
    merged[:, 4:7] = np.maximum.reduceat(rows[:, 4:7], firsts)
    return keys[firsts], merged
