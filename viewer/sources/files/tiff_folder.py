"""A folder of TIFF files, one slice each, as one volume: files are read as they are looked at."""

from __future__ import annotations

import re
from collections.abc import Sequence
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


def slices_in(folder: Path) -> list[Path]:
    """The TIFF files of a folder, by the numbers in their names: 9 before 10."""
    found = (file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
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
    for file in (*files[1 :: len(files) // LOOKED_AT + 1], files[-1]):
        with tifffile.TiffFile(file) as other:
            _check(file.name, other.series[0], files[0].name, shape, dtype)
    if len(letters.replace("S", "")) != 2:
        raise InvalidDataError(
            f"{files[0].name} in {path} is no slice: its axes are {letters} {shape}.",
            hint="Open one of its files. A folder is opened whose files are a slice each.",
        )
    data = _Stack(files, shape, dtype)
    name = stem_of(path, ())
    choose([Entry(name, data.shape, dtype)], dataset, path)
    shown = arrange([data], ["Z", *letters], name, sizes, units)
    return Opened((shown,), _nothing, files=(path, *files))


class _Stack(Sliced):
    """Files of one slice each, as (z, …)."""

    def __init__(self, files: Sequence[Path], shape: tuple[int, ...], dtype: Any) -> None:
        self.shape = (len(files), *shape)
        self.dtype = np.dtype(dtype)
        self.chunks = (1, *shape)
        self._files = tuple(files)

    def _take(self, index: tuple[slice, ...]) -> Array:
        depth = range(index[0].start, index[0].stop, index[0].step or 1)
        slices = [self._read(place)[index[1:]] for place in depth]
        if not slices:
            return np.empty((0, *self.shape[1:]), self.dtype)[(slice(None), *index[1:])]
        return np.stack(slices)

    def _read(self, place: int) -> Array:
        import tifffile

        voxels = np.asarray(tifffile.imread(self._files[place]))
        _check(self._files[place].name, voxels, self._files[0].name, self.shape[1:], self.dtype)
        return voxels


def _check(name: str, found: Any, first: str, shape: tuple[int, ...], dtype: Any) -> None:
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
