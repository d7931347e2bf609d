"""NumPy files: .npy mapped into memory, and one array of an .npz."""

from __future__ import annotations

import zipfile
from typing import Any

import numpy as np
from numpy.lib import format as npy

from viewer.sources.description import Description, Suggestions
from viewer.sources.files.opened import Entry, Opened, choose, stem_of


def open_npy(path: str, dataset: str | None) -> Opened:
    """The array of an .npy file, read from the disk as it is looked at."""
    data = np.load(path, mmap_mode="r")
    entry = choose([Entry(stem_of(path, [".npy"]), data.shape, data.dtype)], dataset, path)
    return Opened((Description(data, (data,), suggestions=Suggestions(entry.name)),), _nothing)


def open_npz(path: str, dataset: str | None) -> Opened:
    """One array of an .npz file, which is read as a whole: it is compressed."""
    entry = choose(_list(path), dataset, path)
    with np.load(path) as file:
        data = file[entry.name]
    return Opened((Description(data, (data,), suggestions=Suggestions(entry.name)),), _nothing)


def _list(path: str) -> list[Entry]:
    entries = []
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if member.endswith(".npy"):
                with archive.open(member) as file:
                    shape, dtype = _header(file)
                entries.append(Entry(member.removesuffix(".npy"), shape, dtype))
    return entries


def _header(file: Any) -> tuple[tuple[int, ...], Any]:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


def _nothing() -> None:
    """A mapped file is let go of with its array."""
