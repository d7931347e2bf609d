"""NumPy arrays as a source, and everything that is sliced like one.

The smallest protocol: `shape`, `dtype` and ``data[slices]``. For NumPy a read is a view and costs
nothing; the one copy is made where the voxels are needed.
"""

from __future__ import annotations

import contextlib
import math
import mmap
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from viewer.errors import SourceError
from viewer.sources.file_part import FilePart, open_again
from viewer.sources.geometry import Geometry, check_dtype
from viewer.sources.identity import file_identity
from viewer.sources.protocol import Array
from viewer.sources.reading import attempt
from viewer.space import Box
from viewer.state import Axis, Level

FEW_BYTES = 16 << 10
"""Of a mapped file: what is read for a few voxels here and there, as for a first contrast window,
and never for a brick."""

APART_BYTES = 16 << 10
"""From this distance on it is better to read each voxel of a mapped file than all between them."""


class ArraySource:
    """An object that is sliced like an array.

    Parameters
    ----------
    data : array_like
        Has `shape`, `dtype` and ``data[slices]``; its `chunks`, if it has some, a number an axis,
        say what is decoded at once.
    geometry : Geometry
        Where it lies.
    file : FilePart, optional
        Which part of an opened file it is.
    """

    def __init__(self, data: Any, geometry: Geometry, file: FilePart | None = None) -> None:
        self.dtype: np.dtype[Any] = check_dtype(data.dtype)
        self.axes: tuple[Axis, ...] = geometry.axes
        self.levels: tuple[Level, ...] = (geometry.level,)
        self.units: str = geometry.units
        self.chunks: tuple[int, ...] | None = _chunks(data)
        # A plain view: slicing a subclass (np.memmap) runs Python code for every slice.
        self._steps: bool | None = None
        self._data: Any = data.view(np.ndarray) if isinstance(data, np.ndarray) else data
        self._geometry = geometry
        self.file: FilePart | None = file

    def __reduce__(self) -> tuple[Any, ...]:
        """For workers in other processes, which open a file themselves."""
        if self.file is None:
            return type(self), (self._data, self._geometry)
        return open_again, (type(self), self._geometry, self.file)

    @property
    def identity(self) -> str | None:
        """See `IdentifiedSource.identity`: of data that was opened by its name."""
        return None if self.file is None else self.file.identity

    def read(self, level: int, box: Box) -> Array:
        """See `Source.read`."""
        return self._sliced(box.slices)

    def sample(
        self, start: Sequence[int], stop: Sequence[int], step: Sequence[int]
    ) -> Array | None:
        """See `SampledSource.sample`; whether the object knows steps is tried once."""
        if self._steps is None:
            self._steps = self._try_steps()
        return self._sliced(tuple(map(slice, start, stop, step))) if self._steps else None

    def close(self) -> None:
        """See `Source.close`."""
        self._data = None

    def _sliced(self, index: tuple[slice, ...]) -> Array:
        return attempt(
            lambda: np.asarray(self._data[index]),
            lambda: self._data is None,
            lambda: f"Reading the array at [{_spell(index)}]",
            "Check that data[...] works in Python, then call layer.refresh().",
        )

    def _try_steps(self) -> bool:
        corner = tuple(slice(0, min(n, 5)) for n in self.levels[0].shape)
        every_other = tuple(slice(0, part.stop, 2) for part in corner)
        voxels = self._sliced(corner)[tuple(slice(None, None, 2) for _ in corner)]
        try:
            stepped = self._sliced(every_other)
        except SourceError:
            return False
        return stepped.shape == voxels.shape and stepped.tobytes() == voxels.tobytes()


class MemorySource(ArraySource):
    """A NumPy array, in memory or memory-mapped: voxels far apart are read as they are."""

    def __init__(self, data: Any, geometry: Geometry, file: FilePart | None = None) -> None:
        super().__init__(data, geometry, file)
        mapped = _mapped(data)
        self.resident = mapped is None
        self._mapping = None if not isinstance(mapped, np.memmap) else _mapping(data, mapped)
        self._extent = _Extent(mapped)
        self._scattered = _Scattered(mapped)

    def read(self, level: int, box: Box) -> Array:
        """See `Source.read`."""
        self._extent.check()
        if self.resident or math.prod(box.shape) * self.dtype.itemsize > FEW_BYTES:
            return super().read(level, box)
        with self._scattered.reading():
            return np.array(super().read(level, box))

    def close(self) -> None:
        """See `Source.close`."""
        super().close()
        self._extent = _Extent(None)
        self._scattered = _Scattered(None)

    def __reduce__(self) -> tuple[Any, ...]:
        """For workers in other processes, which map the file themselves."""
        if self._mapping is None or self._data is None:
            return MemorySource, (self._data, self._geometry, self.file)
        filename, where = self._mapping
        data = self._data
        return _remapped, (filename, data.dtype, data.shape, where, self._geometry)

    @property
    def identity(self) -> str | None:
        """See `IdentifiedSource.identity`."""
        if self._mapping is None:
            return super().identity
        if self.file is not None and self.file.replaced:
            return None  # it is not known which of the two files is mapped
        filename, details = self._mapping
        return file_identity(filename, **details)

    def sample(self, start: Sequence[int], stop: Sequence[int], step: Sequence[int]) -> Array:
        """See `SampledSource.sample`."""
        self._extent.check()
        voxels = self._sliced(tuple(map(slice, start, stop, step)))
        if self.resident or not _far_apart(voxels):
            return voxels
        with self._scattered.reading():
            return np.array(voxels)  # now, not when somebody looks at it


class _Extent:
    """How far a mapped file must reach.

    Whoever reads a mapping behind the end of a file that has been cut off (``np.save`` onto the
    same name does so, for a moment) ends the whole process. So it is looked at before each read.

    Parameters
    ----------
    mapped : numpy.memmap, mmap.mmap or None
    """

    def __init__(self, mapped: Any) -> None:
        offset = int(getattr(mapped, "offset", 0))
        self._map = _map_of(mapped)
        self._bytes = 0
        if self._map is not None:
            self._bytes = offset - offset % mmap.ALLOCATIONGRANULARITY + len(self._map)

    def check(self) -> None:
        """Raise `SourceError` where the file has become too short."""
        if self._map is None:
            return
        try:
            there = self._map.size()
        except (OSError, ValueError):  # of no file
            return
        if there < self._bytes:
            raise SourceError(
                "The mapped file has become shorter than the array.",
                hint="When it has been written, call layer.refresh() if it was opened by its name, "
                "or add it again. A program that writes another file and renames it disturbs "
                "nobody.",
            )


class _Scattered:
    """Reading of voxels far apart in a mapped file.

    The kernel takes one look for the first of many, and reads on behind each: of a large file that
    is not in memory a hundred times what is wanted. Meanwhile it is told not to, wherever a
    mapping takes advice.

    Parameters
    ----------
    mapped : numpy.memmap, mmap.mmap or None
    """

    def __init__(self, mapped: Any) -> None:
        self._map = _map_of(mapped) if hasattr(mmap, "MADV_RANDOM") else None
        self._readers = 0
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """While voxels far apart are read."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        if self._map is None:
            return
        with self._lock, contextlib.suppress(OSError, ValueError):
            first, self._readers = self._readers == 0, self._readers + change
            if first or self._readers == 0:
                self._map.madvise(mmap.MADV_RANDOM if first else mmap.MADV_NORMAL)


def _far_apart(voxels: Array) -> bool:
    """Whether voxels lie alone, or a few together, with much between them."""
    steps = [(n - 1, abs(stride)) for n, stride in zip(voxels.shape, voxels.strides, strict=True)]
    near = sum(n * stride for n, stride in steps if stride < APART_BYTES)
    return near < APART_BYTES / 2 and any(n and stride >= APART_BYTES for n, stride in steps)


def _chunks(data: Any) -> tuple[int, ...] | None:
    """Shape of an array's chunks, if it tells one."""
    chunks = getattr(data, "chunks", None)
    if not isinstance(chunks, tuple) or len(chunks) != len(data.shape):
        return None
    return chunks if all(isinstance(n, int) and n > 0 for n in chunks) else None


def _mapped(data: Any) -> Any:
    """What maps the file that an array's memory is of; None for other memory."""
    found = None
    while data is not None:
        if isinstance(data, np.memmap):
            found = data
        elif isinstance(data, mmap.mmap):  # a copy of a np.memmap is one by name, and has none
            return data if found is None else found
        data = getattr(data, "base", None)
    return None


def _map_of(mapped: Any) -> mmap.mmap | None:
    while mapped is not None and not isinstance(mapped, mmap.mmap):
        mapped = getattr(mapped, "base", None)
    return mapped


def _remapped(
    filename: Any, dtype: Any, shape: tuple[int, ...], where: dict[str, Any], geometry: Geometry
) -> MemorySource:
    bytes_ = np.memmap(filename, np.uint8, mode="r")
    data: Array = np.ndarray(shape, dtype, bytes_, where["begin"], where["strides"])
    return MemorySource(data, geometry)


def _mapping(data: Any, mapped: np.memmap[Any, Any]) -> tuple[Any, dict[str, Any]]:
    """File of a mapped array, and where in it the array's voxels are."""
    begin = data.__array_interface__["data"][0] - mapped.__array_interface__["data"][0]
    return mapped.filename, {"begin": int(mapped.offset) + begin, "strides": data.strides}


def _spell(index: tuple[slice, ...]) -> str:
    return ", ".join(
        f"{part.start}:{part.stop}" + (f":{part.step}" if part.step else "") for part in index
    )
