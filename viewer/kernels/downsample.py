"""Halving an array: the mean for images, the most frequent value for labels.

Every output voxel covers eight input voxels. Where an axis is not halved, or its odd last voxel
has no partner, a voxel is counted twice instead, which changes neither a mean nor a most frequent
value: one loop serves all factors and all borders.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numba
import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


def mean(data: Array, factors: Sequence[int]) -> Array:
    """Half the array on some axes, by the mean.

    Parameters
    ----------
    data : ndarray
        Any real dtype; at most the last three axes are halved.
    factors : sequence of int
        1 or 2 for each axis.

    Returns
    -------
    ndarray
        Of the same dtype and of ``ceil(n / factor)`` voxels on each axis. Integers are rounded
        half to even, without overflow at any width. Floats: the mean of those that are not NaN,
        NaN where all are. Bools: True where at least half are.
    """
    if data.dtype.kind == "b":  # on a tie the most frequent value is the one that is not 0
        return mode(data, factors)
    if data.dtype == np.float16:
        return mean(data.astype(np.float32), factors).astype(np.float16)
    if data.dtype == np.uint64:  # moved by 2**63, an even number: means move along
        moved = mean((data ^ np.uint64(1 << 63)).view(np.int64), factors)
        return moved.view(np.uint64) ^ np.uint64(1 << 63)
    if data.dtype.kind == "f":
        return _run(_mean_float, data, factors, np.float64)
    if data.dtype.itemsize == 8:
        return _run(_mean_wide, data, factors, np.int64)
    return _run(_mean_integer, data, factors, np.int64 if data.dtype.itemsize == 4 else np.int32)


def mode(data: Array, factors: Sequence[int]) -> Array:
    """Half the array on some axes, by the most frequent value.

    On a tie 0 gives way, so that thin objects survive; then the smallest wins (negative labels
    count as larger than all others).

    Parameters
    ----------
    data : ndarray
        Integers or bools; at most the last three axes are halved.
    factors : sequence of int
        1 or 2 for each axis.

    Returns
    -------
    ndarray
        Of the same dtype and of ``ceil(n / factor)`` voxels on each axis.
    """
    bits = np.dtype(f"u{data.dtype.itemsize}")
    return _run(_mode, data.view(bits), factors, bits).view(data.dtype)


def _run(kernel: Any, data: Array, factors: Sequence[int], scratch: Any) -> Array:
    """Run a kernel over each index of the axes before the last three."""
    pad = (1,) * max(0, 3 - data.ndim)
    fine = pad + data.shape
    coarse = tuple(-(-n // f) for n, f in zip(fine, pad + tuple(factors), strict=True))
    out = np.empty(coarse[len(pad) :], data.dtype)
    leading = math.prod(fine[:-3])
    stack = np.ascontiguousarray(data).reshape(leading, *fine[-3:])
    halved = out.reshape(leading, *coarse[-3:])
    line = np.empty(max(8, fine[-1] + 1), scratch)  # room for a row and a duplicate of its last
    for index in range(leading):
        kernel(stack[index], halved[index], line, *(pad + tuple(factors))[-3:])
    return out


@numba.njit(nogil=True, cache=True)
def _mean_integer(data, out, total, fz, fy, fx):  # type: ignore[no-untyped-def]
    """Integers of at most 32 bit: sums of eight fit an int64."""
    depth, height, width = data.shape
    for z in range(out.shape[0]):
        z0 = z * fz
        z1 = min(z0 + fz, depth) - 1
        for y in range(out.shape[1]):
            y0 = y * fy
            y1 = min(y0 + fy, height) - 1
            a, b, c, d = data[z0, y0], data[z0, y1], data[z1, y0], data[z1, y1]
            for x in range(width):
                total[x] = a[x] + b[x] + c[x] + d[x]
            total[width] = total[width - 1]
            row = out[z, y]
            for x in range(out.shape[2]):
                s = total[x * fx] + total[x * fx + fx - 1]
                # >> rounds down; 3 and the quotient's lowest bit make it round half to even
                row[x] = (s + 3 + ((s >> 3) & 1)) >> 3


@numba.njit(nogil=True, cache=True)
def _mean_wide(data, out, total, fz, fy, fx):  # type: ignore[no-untyped-def]
    """int64: eighths and remainders are summed apart, as sums of eight would overflow."""
    depth, height, width = data.shape
    for z in range(out.shape[0]):
        z0 = z * fz
        z1 = min(z0 + fz, depth) - 1
        for y in range(out.shape[1]):
            y0 = y * fy
            y1 = min(y0 + fy, height) - 1
            a, b, c, d = data[z0, y0], data[z0, y1], data[z1, y0], data[z1, y1]
            row = out[z, y]
            for x in range(out.shape[2]):
                p = x * fx
                q = min(p + fx, width) - 1
                eighths = (
                    (a[p] >> 3) + (b[p] >> 3) + (c[p] >> 3) + (d[p] >> 3)
                    + (a[q] >> 3) + (b[q] >> 3) + (c[q] >> 3) + (d[q] >> 3)
                )  # fmt: skip
                rest = (
                    (a[p] & 7) + (b[p] & 7) + (c[p] & 7) + (d[p] & 7)
                    + (a[q] & 7) + (b[q] & 7) + (c[q] & 7) + (d[q] & 7)
                )  # fmt: skip
                eighths += rest >> 3
                row[x] = eighths + (((rest & 7) + 3 + (eighths & 1)) >> 3)


@numba.njit(nogil=True, cache=True)
def _mean_float(data, out, total, fz, fy, fx):  # type: ignore[no-untyped-def]
    """Floats, summed as float64; the rare sum that is not finite is looked at value by value."""
    depth, height, width = data.shape
    for z in range(out.shape[0]):
        z0 = z * fz
        z1 = min(z0 + fz, depth) - 1
        for y in range(out.shape[1]):
            y0 = y * fy
            y1 = min(y0 + fy, height) - 1
            a, b, c, d = data[z0, y0], data[z0, y1], data[z1, y0], data[z1, y1]
            for x in range(width):
                total[x] = (np.float64(a[x]) + b[x]) + (np.float64(c[x]) + d[x])
            total[width] = total[width - 1]
            row = out[z, y]
            for x in range(out.shape[2]):
                p = x * fx
                q = min(p + fx, width) - 1
                s = (total[p] + total[q]) * 0.125
                if not np.isfinite(s):
                    s = 0.0
                    count = 0
                    for line in (a, b, c, d):
                        for v in (line[p], line[q]):
                            count += v == v
                    for line in (a, b, c, d):
                        for v in (line[p], line[q]):
                            if v == v:
                                s += np.float64(v) / count
                    if count == 0:
                        s = np.nan
                row[x] = s


@numba.njit(nogil=True, cache=True)
def _mode(data, out, values, fz, fy, fx):  # type: ignore[no-untyped-def]
    depth, height, width = data.shape
    for z in range(out.shape[0]):
        z0 = z * fz
        z1 = min(z0 + fz, depth) - 1
        for y in range(out.shape[1]):
            y0 = y * fy
            y1 = min(y0 + fy, height) - 1
            a, b, c, d = data[z0, y0], data[z0, y1], data[z1, y0], data[z1, y1]
            row = out[z, y]
            for x in range(out.shape[2]):
                p = x * fx
                q = min(p + fx, width) - 1
                v = a[p]
                if (
                    (v == a[q]) & (v == b[p]) & (v == b[q]) & (v == c[p])
                    & (v == c[q]) & (v == d[p]) & (v == d[q])
                ):  # fmt: skip
                    row[x] = v
                    continue
                values[0], values[1], values[2], values[3] = v, a[q], b[p], b[q]
                values[4], values[5], values[6], values[7] = c[p], c[q], d[p], d[q]
                best = v
                most = 0
                for i in range(8):
                    candidate = values[i]
                    count = 0
                    for j in range(8):
                        count += candidate == values[j]
                    if count > most or (
                        count == most and candidate != 0 and (best == 0 or candidate < best)
                    ):
                        best = candidate
                        most = count
                row[x] = best
