"""A folder of TIFF files, one slice each, as one volume: files are read as they are looked at."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from viewer.errors import InvalidDataError
from viewer.sources.files.opened import Entry, Opened, choose, load_extra, stem_of
from viewer.sources.files.tiff import arrange, read_metadata
from viewer.sources.protocol import Array
from viewer.sources.sliced import Sliced

SUFFIXES = (".tif", ".tiff")

LOOKED_AT = 16
"""Files that are looked into, of all, before the folder is taken for a volume."""


def slices_in(folder: Path, suffixes: Sequence[str] = SUFFIXES) -> list[Path]:
    """The files of a kind in a folder, by the numbers in their names: 9 before 10."""
    found = (file for file in folder.iterdir() if file.suffix.lower() in suffixes)
    # those that macOS puts beside others are none
    return sorted((file for file in found if not file.name.startswith("._")), key=_numbered)


def open_tiff_folder(path: str, dataset: str | None) -> Opened:
    """All TIFF files of a folder, along z."""
    tifffile = load_extra("tifffile", "tiff", "TIFF files")
    files = slices_in(Path(path))
    with tifffile.TiffFile(files[0]) as first:
        series = first.series[0]
        letters, shape, dtype = str(series.axes), tuple(series.shape), np.dtype(series.dtype)
        sizes, units, _ = read_metadata(first, 0)
    for file in some_of(files):
        with tifffile.TiffFile(file) as other:
            check_alike(file.name, other.series[0], files[0].name, shape, dtype)
    if len(letters.replace("S", "")) != 2:
        raise InvalidDataError(
            f"{files[0].name} in {path} is no slice: its axes are {letters} {shape}.",
            hint="Open one of its files. A folder is opened whose files are a slice each.",
        )
    data = Stack(files, shape, dtype, _read)
    name = stem_of(path, ())
    choose([Entry(name, data.shape, dtype)], dataset, path)
    shown = arrange([data], ["Z", *letters], name, sizes, units)
    return Opened((shown,), _nothing, files=(path, *files))


def _read(file: Path) -> Array:
    import tifffile

    return np.asarray(tifffile.imread(file))


def some_of(files: Sequence[Path]) -> Sequence[Path]:
    """Those that are looked into: spread over all, and the last."""
    return (*files[1 :: len(files) // LOOKED_AT + 1], files[-1])


class Stack(Sliced):
    """Files of one slice each, as (z, …).

    Parameters
    ----------
    files : sequence of Path
    shape : tuple of int
        Of a slice.
    dtype : dtype_like
    read : callable
        Gives the voxels of a file.
    """

    def __init__(
        self,
        files: Sequence[Path],
        shape: tuple[int, ...],
        dtype: Any,
        read: Callable[[Path], Array],
    ) -> None:
        self.shape = (len(files), *shape)
        self.dtype = np.dtype(dtype)
        self.chunks = (1, *shape)
        self._files = tuple(files)
        self._read_file = read

    def _take(self, index: tuple[slice, ...]) -> Array:
        depth = range(index[0].start, index[0].stop, index[0].step or 1)
        slices = [self._read(place)[index[1:]] for place in depth]
        if not slices:
            return np.empty((0, *self.shape[1:]), self.dtype)[(slice(None), *index[1:])]
        return np.stack(slices)

    def _read(self, place: int) -> Array:
        voxels = self._read_file(self._files[place])
        first = self._files[0].name
        check_alike(self._files[place].name, voxels, first, self.shape[1:], self.dtype)
        return voxels


def check_alike(name: str, found: Any, first: str, shape: tuple[int, ...], dtype: Any) -> None:
    """Refuse a slice that is not as the first."""
    if tuple(found.shape) != shape or found.dtype != dtype:
        raise InvalidDataError(
            f"{name} holds {found.dtype} {tuple(found.shape)}, and {first} {dtype} {shape}: "
            "they are no slices of one volume.",
            hint="Open files one by one, or move what does not belong there out of the folder.",
        )


def _numbered(file: Path) -> list[Any]:
    parts = re.split(r"(\d+)", file.name.lower())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def _nothing() -> None:
    """No file is open but while it is read."""
