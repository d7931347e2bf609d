"""Datasets of an open HDF5 file as a source.

The HDF5 library is not built for several threads, and its file objects may be closed at any time
by their owner. So all reads of the process go through one lock, and each looks first whether the
file is still open.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from viewer.errors import ClosedError, SourceError
from viewer.sources.geometry import Geometry, check_dtype
from viewer.sources.protocol import Array
from viewer.space import Box
from viewer.state import Axis, Level

HDF5_LOCK = threading.Lock()
"""Held during every call into the HDF5 library, whichever file it is for."""


class Hdf5Source:
    """An open ``h5py.Dataset``.

    Parameters
    ----------
    dataset : h5py.Dataset
        Of an open file, which must stay open while the layer is shown.
    geometry : Geometry
        Where it lies.
    """

    def __init__(self, dataset: Any, geometry: Geometry) -> None:
        self.dtype: np.dtype[Any] = check_dtype(dataset.dtype)
        self.axes: tuple[Axis, ...] = geometry.axes
        self.levels: tuple[Level, ...] = (geometry.level,)
        self.units: str = geometry.units
        chunks = dataset.chunks
        self.chunks: tuple[int, ...] | None = None if chunks is None else tuple(map(int, chunks))
        self._name = str(dataset.name)
        self._dataset: Any = dataset

    def read(self, level: int, box: Box) -> Array:
        """See `Source.read`."""
        reason = ""
        with HDF5_LOCK:
            try:
                # No local name for the dataset: a traceback would keep it alive.
                if self._dataset:
                    return np.asarray(self._dataset[box.slices])
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
        if self._dataset is None:
            raise ClosedError("The layer has been closed.")
        if not reason:
            raise file_closed(self._name)
        raise SourceError(
            f"Reading the HDF5 dataset {self._name!r} at {box} failed: {reason}.",
            hint="Check that the file is whole and still there, then call layer.refresh().",
        )

    def close(self) -> None:
        """See `Source.close`."""
        self._dataset = None


def file_closed(name: str | None = None) -> SourceError:
    """The error for a dataset whose file is not open any more; such a dataset is false."""
    return SourceError(
        f"The file of the HDF5 dataset{f' {name!r}' if name else ''} has been closed.",
        hint="Keep the file open while the layer is shown; open it and add the dataset again.",
    )
