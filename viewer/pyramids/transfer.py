"""Voxels on their way: from a source, or out of a block, into the array where they are needed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from viewer.errors import SourceError
from viewer.sources.protocol import Array, LeveledSource, Source
from viewer.space import Box

LONGEST = 1024
"""Bytes of a row, up to which the compiled loop is quicker than NumPy: longer ones the processor
sees coming by itself."""

_compiled: list[Callable[[Array, Array], None]] = []
"""The loop that copies rows, once it is there."""


def prepare() -> None:
    """Have rows copied by a compiled loop from now on, for which Numba is imported.

    Voxels are copied for somebody who waits, so it is done when nobody does.
    """
    from viewer.kernels.copying import copy_rows

    _compiled[:] = [copy_rows]


def chunks_of(source: Source, level: int) -> tuple[int, ...] | None:
    """What is decoded at once at a level that the source has; None where any box costs itself."""
    return source.chunks_of(level) if isinstance(source, LeveledSource) else source.chunks


def paste(block: Array, part: Box, box: Box, out: Array) -> None:
    """Copy what a block, of the voxels of `part`, has of `box` into `out`, which is of `box`."""
    source, target = [], []
    for a, b, start, stop in zip(box.start, box.stop, part.start, part.stop, strict=True):
        source.append(slice(max(a, start) - start, min(b, stop) - start))
        target.append(slice(max(a, start) - a, min(b, stop) - a))
    np.copyto(out[tuple(target)], block[tuple(source)], casting="unsafe")


def _has_rows(array: Array) -> bool:
    """Whether the last axis lies together in memory, and is worth being copied at once."""
    return array.ndim > 1 and array.shape[-1] > 1 and array.strides[-1] == array.itemsize


def take(source: Source, level: int, box: Box, out: Array) -> None:
    """Read a box of a source's level into an array of its shape."""
    copy_same(source.read(level, box), out)


def copy_same(part: Array, out: Array) -> None:
    """Copy what a source gave, and refuse it if it is not of the shape that was asked for."""
    shape = part.shape
    if shape == out.shape:
        if part.dtype == out.dtype and _has_rows(part) and _has_rows(out):
            while part.ndim > 3 and len(part) == 1:
                part, out = part[0], out[0]
            is_short = part.shape[-1] * part.itemsize <= LONGEST
            if _compiled and is_short and part.ndim == 3 and part.size:
                _compiled[0](part.view(np.uint8), out.view(np.uint8))
                return
            # NumPy copies rows of one element each nearly twice as fast as rows of many
            row = np.dtype((np.void, shape[-1] * part.itemsize))
            part, out = part.view(row), out.view(row)
        np.copyto(out, part, casting="unsafe")
        return
    del part  # a view of the user's array, which the traceback would keep alive
    raise SourceError(
        f"The array gave voxels of shape {shape} where {out.shape} were asked for.",
        hint="Its shape has changed since it was added: add it again.",
    )
