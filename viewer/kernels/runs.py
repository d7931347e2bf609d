"""Runs: the voxels of a label, as pieces of rows; found at the speed of memory.

A run is eight bytes: row << 32 | first x << 16 | length - 1, where row = z * height + y counts the
rows of the volume. So a volume may have 65,536 voxels a row and 2³² rows. Sorted, runs are in the
order of memory.

Both scans look at 64 voxels at once: the vector instructions that compare them leave 64 bits, and
only bits that are set cost time. What follows costs as much as the object, not as its box.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_instructions: Any = intrinsic
"""Numba's decorator, whose types know nothing of what it returns: a compiled function."""

Block = npt.NDArray[np.generic]
Keys = npt.NDArray[np.uint64]

WIDEST = 1 << 16
"""Voxels in a row at most."""

MOST_ROWS = 1 << 32
"""Rows of a volume at most."""

COLUMNS = 10
"""Row of the index: count; start z, y, x; stop z, y, x (exclusive); sum of z, y, x."""

NO_LIMIT = 1 << 62


@_instructions
def _first(typing_context, word):  # type: ignore[no-untyped-def]
    """Number of the lowest bit that is set; the word must not be 0."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


def _load(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    """64 elements of a contiguous array, aligned or not, as one vector."""
    data = context.make_array(kind)(context, builder, array).data
    element = context.get_value_type(kind.dtype)
    place = builder.gep(data, [index])
    vector = ir.VectorType(element, 64)
    loaded = builder.load(builder.bitcast(place, vector.as_pointer()))
    loaded.align = kind.dtype.bitwidth // 8
    return loaded


@_instructions
def _equal(typing_context, array, index, value):  # type: ignore[no-untyped-def]
    """Which of the 64 elements from `index` on have a value: bit k for the k-th."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        loaded = _load(context, builder, signature.args[0], values[0], values[1])
        lane = ir.Constant(ir.IntType(32), 0)
        empty = ir.Constant(loaded.type, ir.Undefined)
        same = builder.shuffle_vector(
            builder.insert_element(empty, values[2], lane),
            empty,
            ir.Constant(ir.VectorType(ir.IntType(32), 64), [0] * 64),
        )
        return builder.bitcast(builder.icmp_unsigned("==", loaded, same), ir.IntType(64))

    return types.uint64(array, types.int64, array.dtype), generate


@_instructions
def _differ(typing_context, array, index):  # type: ignore[no-untyped-def]
    """Which of the 64 elements from `index` on differ from the one before."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        kind = signature.args[0]
        one = ir.Constant(values[1].type, 1)
        here = _load(context, builder, kind, values[0], values[1])
        before = _load(context, builder, kind, values[0], builder.sub(values[1], one))
        return builder.bitcast(builder.icmp_unsigned("!=", here, before), ir.IntType(64))

    return types.uint64(array, types.int64), generate


@numba.njit(nogil=True, cache=True)
def _find(flat, shape, start, height, label, limit):  # type: ignore[no-untyped-def]
    depth, rows, width = shape
    runs = np.empty(256, np.uint64)
    number = 0
    for z in range(depth):
        for y in range(rows):
            if number + width > len(runs):
                if number > limit:
                    return runs[:number]
                longer = np.empty(2 * len(runs) + width, np.uint64)
                longer[:number] = runs[:number]
                runs = longer
            base = (z * rows + y) * width
            row = np.uint64((start[0] + z) * height + start[1] + y) << np.uint64(32)
            opened = -1
            carry = np.uint64(0)
            x = 0
            while x < width:
                if x + 64 <= width:
                    word = _equal(flat, base + x, label)
                elif width >= 64:
                    word = _equal(flat, base + width - 64, label) >> np.uint64(x + 64 - width)
                else:
                    word = np.uint64(0)
                    for k in range(width):
                        word |= np.uint64(flat[base + k] == label) << np.uint64(k)
                change = word ^ (word << np.uint64(1) | carry)
                carry = word >> np.uint64(63)
                while change:
                    here = x + _first(change)
                    change &= change - np.uint64(1)
                    if opened < 0:
                        opened = here
                    else:
                        place = np.uint64(start[2] + opened) << np.uint64(16)
                        runs[number] = row | place | np.uint64(here - opened - 1)
                        number += 1
                        opened = -1
                x += 64
            if opened >= 0:
                place = np.uint64(start[2] + opened) << np.uint64(16)
                runs[number] = row | place | np.uint64(width - opened - 1)
                number += 1
    return runs[:number]


@numba.njit(nogil=True, cache=True)
def _slot(slots, keys, key):  # type: ignore[no-untyped-def]
    last = len(slots) - 1
    place = np.int64((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) & last
    while slots[place] >= 0 and keys[slots[place]] != key:
        place = (place + 1) & last
    return place


@numba.njit(nogil=True, cache=True)
def _grow(keys, rows, number):  # type: ignore[no-untyped-def]
    """Twice the table of labels."""
    more = np.empty(2 * number, np.uint64)
    longer = np.empty((2 * number, 10), np.int64)
    more[:number] = keys
    longer[:number] = rows
    slots = np.full(8 * number, -1, np.int32)
    for i in range(number):
        slots[_slot(slots, keys, keys[i])] = i
    return more, longer, slots


@numba.njit(nogil=True, cache=True)
def _index(flat, shape, start, height, limit):  # type: ignore[no-untyped-def]
    depth, lines, width = shape
    slots = np.full(4096, -1, np.int32)
    keys = np.empty(1024, np.uint64)
    rows = np.empty((1024, 10), np.int64)
    labels = 0
    runs = np.empty(4096, np.uint64)
    owners = np.empty(4096, np.uint32)
    number = 0
    keep = True
    ends = np.empty(width + 1, np.int32)
    for z in range(depth):
        for y in range(lines):
            if keep and number + width > len(runs):
                if number > limit:
                    keep = False
                    number = 0
                else:
                    longer = np.empty(2 * len(runs) + width, np.uint64)
                    longer[:number] = runs[:number]
                    runs = longer
                    wider = np.empty(len(runs), np.uint32)
                    wider[:number] = owners[:number]
                    owners = wider
            base = (z * lines + y) * width
            amount = 0
            x = 1
            while x < width:
                if x + 64 <= width:
                    word = _differ(flat, base + x)
                elif width > 64:
                    word = _differ(flat, base + width - 64) >> np.uint64(x + 64 - width)
                else:
                    word = np.uint64(0)
                    for k in range(1, width):
                        word |= np.uint64(flat[base + k] != flat[base + k - 1]) << np.uint64(k - 1)
                while word:
                    ends[amount] = x + _first(word)
                    amount += 1
                    word &= word - np.uint64(1)
                x += 64
            ends[amount] = width
            line = np.uint64((start[0] + z) * height + start[1] + y) << np.uint64(32)
            first = 0
            for i in range(amount + 1):
                stop = ends[i]
                label = flat[base + first]
                if label == 0:
                    first = stop
                    continue
                key = np.uint64(label)
                place = _slot(slots, keys, key)
                row = slots[place]
                if row < 0:
                    if labels == len(keys):
                        keys, rows, slots = _grow(keys, rows, labels)
                        place = _slot(slots, keys, key)
                    row = labels
                    labels += 1
                    slots[place] = row
                    keys[row] = key
                    rows[row, 0] = 0
                    for column in range(1, 10):
                        rows[row, column] = 1 << 62 if column < 4 else 0
                length = stop - first
                here = start[2] + first
                rows[row, 0] += length
                rows[row, 1] = min(rows[row, 1], start[0] + z)
                rows[row, 2] = min(rows[row, 2], start[1] + y)
                rows[row, 3] = min(rows[row, 3], here)
                rows[row, 4] = max(rows[row, 4], start[0] + z + 1)
                rows[row, 5] = max(rows[row, 5], start[1] + y + 1)
                rows[row, 6] = max(rows[row, 6], here + length)
                rows[row, 7] += length * (start[0] + z)
                rows[row, 8] += length * (start[1] + y)
                rows[row, 9] += length * here + length * (length - 1) // 2
                if keep:
                    runs[number] = line | np.uint64(here) << np.uint64(16) | np.uint64(length - 1)
                    owners[number] = row
                    number += 1
                first = stop
    if not keep:
        number = 0
    return keys[:labels], rows[:labels], runs[:number], owners[:number], keep


@numba.njit(nogil=True, cache=True)
def _deal(runs, owners, to, cursors, out):  # type: ignore[no-untyped-def]
    """Put every run behind those of its label."""
    for i in range(len(runs)):
        label = to[owners[i]]
        out[cursors[label]] = runs[i]
        cursors[label] += 1


@numba.njit(nogil=True, cache=True)
def _tally(owners, to, counts):  # type: ignore[no-untyped-def]
    for i in range(len(owners)):
        counts[to[owners[i]]] += 1


@numba.njit(nogil=True, cache=True)
def _measure(runs, height):  # type: ignore[no-untyped-def]
    """Row of the index of one label, and whether its runs are in order."""
    row = np.zeros(10, np.int64)
    row[1:4] = 1 << 62
    ordered = True
    former = np.uint64(0)
    for run in runs:
        ordered &= run >= former
        former = run
        line = np.int64(run >> np.uint64(32))
        z = line // height
        y = line - z * height
        x = np.int64((run >> np.uint64(16)) & np.uint64(0xFFFF))
        length = np.int64(run & np.uint64(0xFFFF)) + 1
        row[0] += length
        row[1], row[4] = min(row[1], z), max(row[4], z + 1)
        row[2], row[5] = min(row[2], y), max(row[5], y + 1)
        row[3], row[6] = min(row[3], x), max(row[6], x + length)
        row[7] += length * z
        row[8] += length * y
        row[9] += length * x + length * (length - 1) // 2
    return row, ordered


def _unsigned(block: Block) -> Block:
    """A contiguous block of integers or truth values, as unsigned integers of the same size."""
    flat = block.reshape(-1).view(f"u{block.dtype.itemsize}")
    flat.flags.writeable = False  # one compilation for arrays of either sort
    return flat


def find_runs(
    block: Block, start: tuple[int, int, int], height: int, label: int, limit: int = NO_LIMIT
) -> npt.NDArray[np.uint64]:
    """Runs of one label in a block, ascending.

    Parameters
    ----------
    block : integer or bool ndarray (z, y, x)
        C-contiguous.
    start : tuple of int
        Where the block lies in the volume, (z, y, x).
    height : int
        Rows in a plane of the volume.
    label : int
        Of the block's dtype.
    limit : int
        The search ends early once there are more runs than this.
    """
    flat = _unsigned(block)
    wanted = flat.dtype.type(label & ((1 << 8 * flat.dtype.itemsize) - 1))
    return _find(flat, block.shape, start, height, wanted, limit)  # type: ignore[no-any-return]


def index_block(
    block: Block, start: tuple[int, int, int], height: int, limit: int = NO_LIMIT
) -> tuple[Keys, npt.NDArray[np.int64], Keys, npt.NDArray[np.uint32], bool]:
    """All labels of a block but 0, and their runs.

    Parameters
    ----------
    block : integer or bool ndarray (z, y, x)
        C-contiguous.
    start : tuple of int
        Where the block lies in the volume, (z, y, x).
    height : int
        Rows in a plane of the volume.
    limit : int
        Beyond so many runs none are kept.

    Returns
    -------
    keys : uint64 ndarray (n,)
        The labels in order of appearance, negative ones as their two's complement in 64 bits.
    rows : int64 ndarray (n, COLUMNS)
        In voxels of the volume.
    runs : uint64 ndarray (m,)
        In order of memory.
    owners : uint32 ndarray (m,)
        Row of the label of each run.
    complete : bool
        Whether the runs were kept.
    """
    keys, rows, runs, owners, complete = _index(_unsigned(block), block.shape, start, height, limit)
    if block.dtype.kind == "i":
        small = keys.astype(f"u{block.dtype.itemsize}").view(block.dtype)
        keys = small.astype(np.int64).view(np.uint64)
    return keys, rows, runs, owners, complete


def measure(runs: npt.NDArray[np.uint64], height: int) -> tuple[npt.NDArray[np.int64], bool]:
    """Row of the index (`COLUMNS`) of one label's runs, and whether they are in order."""
    return _measure(runs, height)  # type: ignore[no-any-return]


def deal(
    runs: Keys,
    owners: npt.NDArray[np.uint32],
    to: npt.NDArray[np.int64],
    cursors: npt.NDArray[np.int64],
    out: Keys,
) -> None:
    """Write the runs of a block into `out`, each at its label's cursor, which moves on.

    Parameters
    ----------
    runs, owners
        Of `index_block`.
    to : int64 ndarray
        Label of the volume for each row of the block.
    cursors : int64 ndarray
        Place of the next run of each label of the volume; altered.
    out : uint64 ndarray
    """
    _deal(runs, owners, to, cursors, out)


def tally(
    owners: npt.NDArray[np.uint32], to: npt.NDArray[np.int64], labels: int
) -> npt.NDArray[np.int64]:
    """Number of runs of each label of the volume in one block."""
    counts = np.zeros(labels, np.int64)
    _tally(owners, to, counts)
    return counts


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
