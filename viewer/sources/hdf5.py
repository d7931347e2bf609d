"""Datasets of an open HDF5 file as a source.

The HDF5 library is not built for several threads, and its file objects may be closed at any time
by their owner. So all reads of the process go through one lock, and each looks first whether the
file is still open. Of compressed chunks only the bytes are fetched under the lock: see
`viewer.sources.hdf5_chunks`.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np

from viewer.errors import ClosedError, SourceError, reason_of
from viewer.sources.file_part import FilePart, open_again
from viewer.sources.geometry import Geometry, check_dtype
from viewer.sources.hdf5_chunks import ChunkCoding, missing_filters, plan_coding
from viewer.sources.identity import file_identity
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
    file : FilePart, optional
        Which part of an opened file it is.
    """

    def __init__(self, dataset: Any, geometry: Geometry, file: FilePart | None = None) -> None:
        self.dtype: np.dtype[Any] = check_dtype(dataset.dtype)
        self.axes: tuple[Axis, ...] = geometry.axes
        self.levels: tuple[Level, ...] = (geometry.level,)
        self.units: str = geometry.units
        chunks = dataset.chunks
        self.chunks: tuple[int, ...] | None = None if chunks is None else tuple(map(int, chunks))
        self._coding = plan_coding(dataset)
        self._missing = ", ".join(missing_filters(dataset))
        self._name = str(dataset.name)
        self._geometry = geometry
        self.file: FilePart | None = file
        self._dataset: Any = dataset

    def __reduce__(self) -> tuple[Any, ...]:
        """For workers in other processes, which open the file themselves."""
        filename = self._filename()
        if filename is not None:
            return _reopened, (filename, self._name, self._geometry)
        if self.file is not None:
            return open_again, (Hdf5Source, self._geometry, self.file)
        with HDF5_LOCK:
            if not self._dataset:
                raise file_closed(self._name)
        raise SourceError(f"The file of the HDF5 dataset {self._name!r} is not on the disk.")

    @property
    def identity(self) -> str | None:
        """See `IdentifiedSource.identity`."""
        filename = self._filename()
        if filename is None:
            return None if self.file is None else self.file.identity
        if self.file is not None and self.file.replaced:
            return None  # it is not known which of the two files is open
        return file_identity(filename, dataset=self._name)

    def follow(self) -> bool:
        """Look into the file anew, which another program writes; False where it is not that file.

        As long as it is open the library never gives anything but what it remembers of it, however
        often one opens it.

        Raises
        ------
        SourceError
            When nothing in it is where it was.
        """
        path, reason = None if self.file is None else self.file.path, ""
        with HDF5_LOCK:
            try:
                if path is None or not self._dataset or not Path(path).exists():
                    return False
                opened = os.fstat(self._dataset.file.id.get_vfd_handle())
                if not os.path.samestat(opened, Path(path).stat()):
                    return False
                self._dataset.id.refresh()
            except Exception as error:
                reason = reason_of(error)
        if reason:
            raise SourceError(
                f"{path} was written anew while it was open, and cannot be read: {reason}.",
                hint="Remove the layers that are of it and open it again. A program that writes "
                "another file and renames it disturbs nobody.",
            )
        return True

    def read(self, level: int, box: Box) -> Array:
        """See `Source.read`."""
        if self._coding is not None:
            decoded = self._read_chunks(self._coding, box)
            if decoded is not None:
                return decoded
        reason = ""
        with HDF5_LOCK:
            try:
                # No local name for the dataset: a traceback would keep it alive.
                if self._dataset:
                    return np.asarray(self._dataset[box.slices])
            except Exception as error:
                reason = reason_of(error)
        if self._dataset is None:
            raise ClosedError("The layer has been closed.")
        if not reason:
            raise file_closed(self._name)
        if self._missing:
            raise SourceError(
                f"The HDF5 dataset {self._name!r} is compressed by a filter that is not here: "
                f"{self._missing}.",
                hint="Install it: pip install hdf5plugin; then open the file again.",
            )
        raise SourceError(
            f"Reading the HDF5 dataset {self._name!r} at {box} failed: {reason}.",
            hint="Check that the file is whole and still there, then call layer.refresh().",
        )

    def close(self) -> None:
        """See `Source.close`."""
        self._dataset = None

    def _filename(self) -> str | None:
        """The name of the file, if it is open and on the disk."""
        with HDF5_LOCK:
            file = self._dataset.file if self._dataset else None
            if file is None or file.driver == "fileobj":
                return None
            name = os.fsdecode(file.filename)
        return name if Path(name).exists() else None

    def _read_chunks(self, coding: ChunkCoding, box: Box) -> Array | None:
        """Voxels decoded here; None for the library's way, which also knows what is wrong."""
        out: Array | None = None
        for index in box.cells(coding.shape):
            start = tuple(i * n for i, n in zip(index, coding.shape, strict=True))
            try:
                with HDF5_LOCK:
                    if not self._dataset:
                        return None
                    mask, stored = self._dataset.id.read_direct_chunk(start)
                chunk = coding.decode(mask, stored)
            except Exception:  # it was never written, or is damaged
                return None
            source, target = [], []
            for a, b, first, n in zip(box.start, box.stop, start, coding.shape, strict=True):
                source.append(slice(max(a - first, 0), min(b - first, n)))
                target.append(slice(max(first - a, 0), min(first + n, b) - a))
            part = chunk[tuple(source)]
            if part.shape == box.shape:
                return part
            out = np.empty(box.shape, self.dtype) if out is None else out
            out[tuple(target)] = part
        return out


def _reopened(filename: str, name: str, geometry: Geometry) -> Hdf5Source:
    import h5py

    with HDF5_LOCK:
        return Hdf5Source(h5py.File(filename, "r")[name], geometry)


def file_closed(name: str | None = None) -> SourceError:
    """The error for a dataset whose file is not open any more; such a dataset is false."""
    return SourceError(
        f"The file of the HDF5 dataset{f' {name!r}' if name else ''} has been closed.",
        hint="Keep the file open while the layer is shown; open it and add the dataset again.",
    )
