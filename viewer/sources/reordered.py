"""An array with its axes in another order, and some of them backwards, without copying it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from viewer.sources.protocol import Array
from viewer.sources.sliced import Sliced


class Reordered(Sliced):
    """Something that is sliced like an array, seen with other axes.

    Parameters
    ----------
    data : array_like
        Has `shape`, `dtype` and ``data[slices]``.
    order : sequence of int
        Which axis of `data` is the first, the second, …; each once.
    flipped : sequence of int
        Axes of the result that run backwards along `data`.
    """

    def __init__(self, data: Any, order: Sequence[int], flipped: Sequence[int] = ()) -> None:
        self.shape = tuple(int(data.shape[axis]) for axis in order)
        self.dtype = np.dtype(data.dtype)
        chunks: Any = getattr(data, "chunks", None)
        # a grid that begins at the far end has its border chunk first
        aligned = chunks is not None and all(
            self.shape[axis] % chunks[order[axis]] == 0 for axis in flipped
        )
        self.chunks: tuple[int, ...] | None = (
            tuple(chunks[axis] for axis in order) if aligned else None
        )
        self._data = data
        self._order = tuple(order)
        self._flipped = frozenset(flipped)

    def _take(self, index: tuple[slice, ...]) -> Array:
        own: list[slice] = [slice(None)] * len(self.shape)
        for axis, part in enumerate(index):
            start, stop, step = part.indices(self.shape[axis])
            if axis in self._flipped:  # ascending in the data; turned round below
                count = len(range(start, stop, step))
                last = self.shape[axis] - 1 - start
                start, stop = (last - (count - 1) * step, last + 1) if count else (0, 0)
            own[self._order[axis]] = slice(start, stop, step)
        voxels = np.asarray(self._data[tuple(own)]).transpose(self._order)
        turned = tuple(
            slice(None, None, -1) if axis in self._flipped else slice(None)
            for axis in range(len(self.shape))
        )
        return voxels[turned]


def reorder(data: Any, order: Sequence[int], flipped: Sequence[int] = ()) -> Any:
    """`data` with other axes: a view of a NumPy array, a `Reordered` of everything else."""
    if tuple(order) == tuple(range(len(data.shape))) and not flipped:
        return data
    if isinstance(data, np.ndarray):
        turned = tuple(
            slice(None, None, -1) if axis in set(flipped) else slice(None)
            for axis in range(data.ndim)
        )
        return data.transpose(order)[turned]
    return Reordered(data, order, flipped)
