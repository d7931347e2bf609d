"""Zarr arrays (formats 2 and 3) as a source. zarr-python is safe to read from many threads."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Any

import numpy as np

from viewer.sources.file_part import FilePart, open_again
from viewer.sources.geometry import Geometry, check_dtype
from viewer.sources.identity import address_identity, file_identity, folder_identity
from viewer.sources.protocol import Array, Storage
from viewer.sources.reading import attempt
from viewer.sources.zarr_storage import plan_storage
from viewer.space import Box
from viewer.state import Axis, Level

PROBED = 8
"""Chunks behind an address that are asked for their version, spread over the array."""

REMEDY = "Check that its store is whole and can be reached, then call layer.refresh()."


class ZarrSource:
    """An open ``zarr.Array``.

    Parameters
    ----------
    array : zarr.Array
        Of any store.
    geometry : Geometry
        Where it lies.
    file : FilePart, optional
        Which part of an opened file it is.
    """

    def __init__(self, array: Any, geometry: Geometry, file: FilePart | None = None) -> None:
        self.dtype: np.dtype[Any] = check_dtype(array.dtype)
        self.axes: tuple[Axis, ...] = geometry.axes
        self.levels: tuple[Level, ...] = (geometry.level,)
        self.units: str = geometry.units
        self.chunks: tuple[int, ...] | None = tuple(map(int, array.chunks))
        path = str(array.store_path) if file is None else file.path
        self._name = str(array.name or "").strip("/") or Path(path).name or path
        self._storage: Storage | None = plan_storage(array)
        self._geometry = geometry
        self.file: FilePart | None = file
        self._told: list[Any] | None = None
        self._array: Any = array

    def __reduce__(self) -> tuple[Any, ...]:
        """For workers in other processes, which open it themselves."""
        array = self._array
        if self.file is None or getattr(getattr(array, "store", None), "root", None) is not None:
            return ZarrSource, (array, self._geometry, self.file)
        return open_again, (ZarrSource, self._geometry, self.file)

    @property
    def identity(self) -> str | None:
        """See `IdentifiedSource.identity`: of arrays in a folder, in a zip file, or afar."""
        array = self._array
        store: Any = getattr(array, "store", None)
        if getattr(store, "root", None) is not None:
            return folder_identity(Path(store.root) / array.path)
        if type(store).__name__ == "ZipStore":
            return file_identity(store.path, array=array.path)
        if any(kind.__name__ == "FsspecStore" for kind in type(store).__mro__):
            if self._told is None:  # once, as it was when it was added
                self._told = _ask(array)
            address = store.fs.unstrip_protocol(store.path)
            return address_identity(address, self._told, array=array.path)
        return None if self.file is None else self.file.identity

    def read(self, level: int, box: Box) -> Array:
        """See `Source.read`."""
        return attempt(
            lambda: np.asarray(self._array[box.slices]),
            lambda: self._array is None,
            lambda: f"Reading {self._name!r} at {box}",
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
            lambda: f"Reading the chunk {index} of {self._name!r}",
            REMEDY,
        )

    def close(self) -> None:
        """See `Source.close`."""
        self._array = None


def _ask(array: Any) -> list[Any]:
    """What is told of an array's metadata, and of some of its chunks, by who has them."""
    from zarr.core.sync import sync

    units = array.shards or array.chunks
    counts = [-(-n // unit) for n, unit in zip(array.shape, units, strict=True)]
    last = math.prod(counts) - 1
    places = sorted({last * number // (PROBED - 1) for number in range(PROBED)})
    keys = ["zarr.json" if array.metadata.zarr_format == 3 else ".zarray"]
    for place in places:
        index = tuple(map(int, np.unravel_index(place, counts)))
        keys.append(array.metadata.encode_chunk_key(index))
    store = array.store

    async def info(key: str) -> Any:
        try:
            return await store.fs._info("/".join(filter(None, (store.path, array.path, key))))
        except FileNotFoundError:
            return None
        except Exception:  # whatever is wrong: then it is not known which version there is
            return {}

    async def ask() -> list[Any]:
        return list(await asyncio.gather(*map(info, keys)))

    return sync(ask())


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
