"""NumPy arrays as a source, and everything that is sliced like one.

The smallest protocol: `shape`, `dtype` and ``data[slices]``. For NumPy a read is a view and costs
nothing; the one copy is made where the voxels are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from viewer.errors import ClosedError, SourceError
from viewer.sources.geometry import Geometry, check_dtype
from viewer.sources.protocol import Array
from viewer.space import Box
from viewer.state import Axis, Level


class ArraySource:
    """An object that is sliced like an array.

    Parameters
    ----------
    data : array_like
        Has `shape`, `dtype` and ``data[slices]``.
    geometry : Geometry
        Where it lies.
    """

    def __init__(self, data: Any, geometry: Geometry) -> None:
        self.dtype: np.dtype[Any] = check_dtype(data.dtype)
        self.axes: tuple[Axis, ...] = geometry.axes
        self.levels: tuple[Level, ...] = (geometry.level,)
        self.units: str = geometry.units
        self.chunks: tuple[int, ...] | None = None
        # A plain view: slicing a subclass (np.memmap) runs Python code for every slice.
        self._data: Any = data.view(np.ndarray) if isinstance(data, np.ndarray) else data

    def read(self, level: int, box: Box) -> Array:
        """See `Source.read`."""
        try:
            # No local name for the array: a traceback would keep it alive.
            return np.asarray(self._data[box.slices])
        except Exception as error:
            closed = self._data is None
            reason = f"{type(error).__name__}: {error}"
        if closed:
            raise ClosedError("The layer has been closed.")
        raise SourceError(
            f"Reading the array at {box} failed: {reason}.",
            hint="Check that data[...] works in Python, then call layer.refresh().",
        )

    def close(self) -> None:
        """See `Source.close`."""
        self._data = None


class MemorySource(ArraySource):
    """A NumPy array, in memory or memory-mapped: voxels far apart are read as they are."""

    def sample(self, start: Sequence[int], stop: Sequence[int], step: Sequence[int]) -> Array:
        """See `SampledSource.sample`."""
        data = self._data
        if data is None:
            raise ClosedError("The layer has been closed.")
        return np.asarray(data[tuple(map(slice, start, stop, step))])
