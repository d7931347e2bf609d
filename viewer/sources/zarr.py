"""Zarr arrays (formats 2 and 3) as a source. zarr-python is safe to read from many threads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from viewer.sources.geometry import Geometry, check_dtype
from viewer.sources.identity import folder_identity
from viewer.sources.protocol import Array, Storage
from viewer.sources.reading import attempt
from viewer.sources.zarr_storage import plan_storage
from viewer.space import Box
from viewer.state import Axis, Level

REMEDY = "Check that its store is whole and can be reached, then call layer.refresh()."


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
        self._storage: Storage | None = plan_storage(array)
        self._array: Any = array

    @property
    def identity(self) -> str | None:
        """See `IdentifiedSource.identity`: of arrays in a folder."""
        array = self._array
        root = getattr(getattr(array, "store", None), "root", None)
        return None if root is None else folder_identity(Path(root) / array.path)

    def read(self, level: int, box: Box) -> Array:
        """See `Source.read`."""
        return attempt(
            lambda: np.asarray(self._array[box.slices]),
            lambda: self._array is None,
            lambda: f"Reading the Zarr array {self._name!r} at {box}",
            REMEDY,
        )

    def storage(self, level: int) -> Storage | None:
        """See `StoredSource.storage`."""
        return self._storage

    def read_stored(self, level: int, index: tuple[int, ...]) -> bytes | None:
        """See `StoredSource.read_stored`."""
        return attempt(
            lambda: _stored(self._array, index),
            lambda: self._array is None,
            lambda: f"Reading the chunk {index} of the Zarr array {self._name!r}",
            REMEDY,
        )

    def close(self) -> None:
        """See `Source.close`."""
        self._array = None


def _stored(array: Any, index: tuple[int, ...]) -> bytes | None:
    """Bytes of a chunk as the store has them."""
    key = array.metadata.encode_chunk_key(index)
    root = getattr(array.store, "root", None)
    if isinstance(root, Path):  # a file: by far quicker than by zarr-python's event loop
        try:
            file: Path = root / array.path / key
            return file.read_bytes()
        except FileNotFoundError:
            return None
    from zarr.core.buffer import default_buffer_prototype
    from zarr.core.sync import sync

    path = f"{array.path}/{key}" if array.path else key
    found = sync(array.store.get(path, prototype=default_buffer_prototype()))
    return None if found is None else bytes(found.to_bytes())
