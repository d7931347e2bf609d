"""Zarr arrays (formats 2 and 3) as a source. zarr-python is safe to read from many threads."""

from __future__ import annotations

from typing import Any

import numpy as np

from viewer.errors import ClosedError, SourceError
from viewer.sources.geometry import Geometry, check_dtype
from viewer.sources.protocol import Array
from viewer.space import Box
from viewer.state import Axis, Level


class ZarrSource:
    """An open ``zarr.Array``.

    Parameters
    ----------
    array : zarr.Array
        Of any store.
    geometry : Geometry
        Where it lies.
    """

    def __init__(self, array: Any, geometry: Geometry) -> None:
        self.dtype: np.dtype[Any] = check_dtype(array.dtype)
        self.axes: tuple[Axis, ...] = geometry.axes
        self.levels: tuple[Level, ...] = (geometry.level,)
        self.units: str = geometry.units
        self.chunks: tuple[int, ...] | None = tuple(map(int, array.chunks))
        self._name = str(array.name or array.store_path)
        self._array: Any = array

    def read(self, level: int, box: Box) -> Array:
        """See `Source.read`."""
        try:
            return np.asarray(self._array[box.slices])
        except Exception as error:
            closed = self._array is None
            reason = f"{type(error).__name__}: {error}"
        if closed:
            raise ClosedError("The layer has been closed.")
        raise SourceError(
            f"Reading the Zarr array {self._name!r} at {box} failed: {reason}.",
            hint="Check that its store is whole and can be reached, then call layer.refresh().",
        )

    def close(self) -> None:
        """See `Source.close`."""
        self._array = None
