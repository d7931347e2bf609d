"""Halving an array: the mean for images, the most frequent value for labels.

Every output voxel covers eight input voxels. Where an axis is not halved, or its odd last voxel
has no partner, a voxel is counted twice instead, which changes neither a mean nor a most frequent
value: one loop serves all factors and all borders.

`mean` and `mode` are serial, for blocks that worker threads make side by side; `halve` spreads one
whole level over all cores.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np

from viewer.errors import CancelledError
from viewer.kernels.crew import in_parallel
from viewer.kernels.halving import mean_float_kernel, mean_kernel, mode_kernel

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

SLAB_BYTES = 8 << 20
"""Bytes of input that `halve` gives a thread at once: enough to forget the cost of doing so, few
enough that cores finish together and that nobody waits long for a cancelled level."""


def mean(data: Array, factors: Sequence[int], out: Array | None = None) -> Array:
    """Half the array on some axes, by the mean.

    Parameters
    ----------
    data : ndarray
        Any real dtype in native byte order; at most the last three axes are halved.
    factors : sequence of int
        1 or 2 for each axis.
    out : ndarray, optional
        Where the result is written: of its shape and dtype, in any layout.

    Returns
    -------
    ndarray
        Of the same dtype and of ``ceil(n / factor)`` voxels on each axis. Integers are rounded
        half to even, without overflow at any width. Floats: the mean of those that are not NaN,
        to within three roundings, NaN where all are. Bools: True where at least half are.
    """
    kind, size = data.dtype.kind, data.dtype.itemsize
    if kind == "b":  # on a tie the most frequent value is the one that is not 0
        return mode(data, factors, out)
    if kind == "f":
        if size > 2:
            return _run(mean_float_kernel, data, factors, out)
        halved = _run(mean_float_kernel, data.astype(np.float32), factors, None)
        if out is None:
            return halved.astype(data.dtype)
        np.copyto(out, halved, casting="same_kind")
        return out
    return _run(mean_kernel, data, factors, out)


def mode(data: Array, factors: Sequence[int], out: Array | None = None) -> Array:
    """Half the array on some axes, by the most frequent value.

    On a tie 0 gives way, so that thin objects survive; then the smallest wins (negative labels
    count as larger than all others).

    Parameters
    ----------
    data : ndarray
        Integers or bools in native byte order; at most the last three axes are halved.
    factors : sequence of int
        1 or 2 for each axis.
    out : ndarray, optional
        Where the result is written: of its shape and dtype, in any layout.

    Returns
    -------
    ndarray
        Of the same dtype and of ``ceil(n / factor)`` voxels on each axis.
    """
    bits = np.dtype(f"u{data.dtype.itemsize}")
    if data.dtype == bits:
        return _run(mode_kernel, data, factors, out)
    halved = _run(mode_kernel, data.view(bits), factors, None if out is None else out.view(bits))
    return halved.view(data.dtype) if out is None else out


def halve(
    data: Array,
    kind: Literal["image", "labels"],
    factors: Sequence[int],
    *,
    out: Array | None = None,
    threads: int | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Array:
    """A whole level from the level below, on all cores.

    Parameters
    ----------
    data : ndarray
        In any layout and byte order; it is read slab by slab and never copied as a whole.
    kind : {"image", "labels"}
        By `mean` or by `mode`.
    factors : sequence of int
        1 or 2 for each axis; 2 only on the last three.
    out : ndarray, optional
        Where the result is written: of its shape and dtype, in any layout.
    threads : int, optional
        Default one for each core; the calling thread is one of them.
    cancelled : callable, optional
        Asked between slabs, from any of the threads.

    Returns
    -------
    ndarray
        As of `mean` or `mode`, in native byte order; axes lie in memory in the input's order.

    Raises
    ------
    CancelledError
        `cancelled` said so.
    """
    kernel = mean if kind == "image" else mode
    # Longest strides first, so that rows are rows in memory also of a Fortran-ordered array. Axes
    # before the last three stay: kernels halve only the last three.
    leading = max(0, data.ndim - 3)
    order = (
        *range(leading),
        *sorted(range(leading, data.ndim), key=lambda axis: -abs(data.strides[axis])),
    )
    fine = data.transpose(order)
    steps = [factors[axis] for axis in order]
    shape = [-(-n // f) for n, f in zip(fine.shape, steps, strict=True)]
    back = sorted(range(data.ndim), key=order.__getitem__)
    if out is None:
        out = np.empty(shape, data.dtype.newbyteorder("=")).transpose(back)
    coarse = out.transpose(order)

    plane = math.prod(fine.shape[leading + 1 :]) * data.dtype.itemsize * steps[leading]
    thickness = max(1, SLAB_BYTES // max(1, plane))
    slabs = [
        (index, start)
        for index in np.ndindex(*shape[:leading])
        for start in range(0, shape[leading], thickness)
    ]

    def make(index: tuple[int, ...], start: int) -> None:
        if cancelled is not None and cancelled():
            raise CancelledError("Nobody waits for this level any more.")
        stop = start + thickness
        part = fine[index][start * steps[leading] : stop * steps[leading]]
        part = part.astype(coarse.dtype, copy=False)
        kernel(part, steps[leading:], coarse[index][start:stop])

    in_parallel([partial(make, *slab) for slab in slabs], threads or os.cpu_count() or 1)
    return out


def _run(kernel: Any, data: Array, factors: Sequence[int], out: Array | None) -> Array:
    """Run a kernel over each index of the axes before the last three."""
    shape = tuple(-(-n // f) for n, f in zip(data.shape, factors, strict=True))
    result = np.empty(shape, data.dtype) if out is None else out
    target = result if _rows_are_runs(result) else np.empty(shape, data.dtype)
    source = data if _rows_are_runs(data) else data.copy()
    pad = (None,) * (3 - data.ndim)
    steps = ((1,) * len(pad) + tuple(factors))[-3:]
    fine, coarse = source[pad], target[pad]
    for index in np.ndindex(*fine.shape[:-3]):
        if target.size:
            kernel(*_flat(fine[index], True), *_flat(coarse[index], False), steps)
    if target is not result:
        np.copyto(result, target)
    return result


def _rows_are_runs(data: Array) -> bool:
    """Whether a kernel can walk it: rows without gaps, going forward, at whole elements."""
    size = data.dtype.itemsize
    return (
        data.flags.aligned
        and data.dtype.isnative
        and (data.strides[-1] == size or data.shape[-1] == 1)
        and all(stride >= 0 and stride % size == 0 for stride in data.strides)
    )


def _flat(data: Array, read_only: bool) -> tuple[Array, tuple[int, int], tuple[int, int, int]]:
    """One run of memory that spans the array, strides of planes and rows in it, the shape."""
    size = data.dtype.itemsize
    plane, row = data.strides[0] // size, data.strides[1] // size
    depth, height, width = data.shape
    if data.flags.c_contiguous:
        run = data.reshape(-1)
    else:
        span = (depth - 1) * plane + (height - 1) * row + width
        run = np.lib.stride_tricks.as_strided(data, (span,), (size,))
    if read_only:
        run.flags.writeable = False
    return run, (plane, row), (depth, height, width)
