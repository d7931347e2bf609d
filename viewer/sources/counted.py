"""Labels that a program has written as floating-point numbers, as the integers that they are.

Many programs of medicine save every result so. Voxels are turned as they are read; a number that is
not whole is no label, and said so.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from viewer.sources.protocol import Array
from viewer.sources.sliced import Sliced


class Counted(Sliced):
    """An array of whole floating-point numbers, seen as integers.

    Parameters
    ----------
    data : array_like
        Has `shape`, `dtype` and ``data[slices]``.
    """

    def __init__(self, data: Any) -> None:
        self.shape = tuple(map(int, data.shape))
        self.dtype = counted_dtype(data.dtype)
        self.chunks: tuple[int, ...] | None = getattr(data, "chunks", None)
        self._data = data

    def _take(self, index: tuple[slice, ...]) -> Array:
        return count(np.asarray(self._data[index]))


def counted_dtype(dtype: Any) -> np.dtype[Any]:
    """The integers that whole numbers of a floating-point dtype become."""
    return np.dtype(np.int32 if np.dtype(dtype).itemsize <= 4 else np.int64)


def count(voxels: Array) -> Array:
    """Whole numbers as integers; NaN, which some programs write for nothing, is 0.

    Raises
    ------
    ValueError
        For a number that is not whole.
    """
    with np.errstate(invalid="ignore"):
        labels = np.nan_to_num(voxels, nan=0.0).astype(counted_dtype(voxels.dtype))
    wrong = (labels != voxels) & ~np.isnan(voxels)
    if wrong.any():
        raise ValueError(f"{voxels[wrong][0]} is no label: labels are whole numbers")
    return labels
