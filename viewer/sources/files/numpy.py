"""NumPy files: .npy mapped into memory, and one array of an .npz.

Of an .npy file behind an address rows or planes are fetched as they are looked at; an .npz file is
compressed, so that its array travels whole.
"""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from viewer.sources.description import Description, Suggestions
from viewer.sources.files.opened import Entry, Opened, choose, stem_of
from viewer.sources.files.remote import RemoteFile, is_remote
from viewer.sources.protocol import Array
from viewer.sources.reordered import reorder
from viewer.sources.sliced import Sliced
from viewer.space import Box

PART_BYTES = 1 << 20
"""Bytes of an array behind an address that are fetched at once."""


def open_npy(path: str, dataset: str | None) -> Opened:
    """The array of an .npy file, read from the disk as it is looked at."""
    if is_remote(path):
        return _open_remote(path, dataset)
    with Path(path).open("rb") as file:
        shape, _, dtype = _header(file)
    # before it is mapped, which Python's objects cannot be
    entry = choose([Entry(stem_of(path, [".npy"]), shape, dtype)], dataset, path)
    data = np.load(path, mmap_mode="r")
    return Opened((Description(data, (data,), suggestions=Suggestions(entry.name)),), _nothing)


def open_npz(path: str, dataset: str | None) -> Opened:
    """One array of an .npz file, which is read as a whole: it is compressed."""
    remote = RemoteFile(path) if is_remote(path) else None
    try:
        file = path if remote is None else remote.open()
        entry = choose(_list(file), dataset, path)
        if remote is not None:
            file = remote.open()  # at its beginning
        with np.load(file) as archive:
            data = archive[entry.name]
    finally:
        if remote is not None:
            remote.close()
    shown = (Description(data, (data,), suggestions=Suggestions(entry.name)),)
    return Opened(shown, _nothing, told=None if remote is None else remote.told)


def _open_remote(path: str, dataset: str | None) -> Opened:
    remote = RemoteFile(path)
    try:
        file = remote.open()
        shape, fortran, dtype = _header(file)
        if dtype.hasobject:
            raise ValueError("it holds Python objects")
        start = file.tell()
        name = choose([Entry(stem_of(path, [".npy"]), shape, dtype)], dataset, path).name
        data: Any = _Parts(remote, start, shape[::-1] if fortran else shape, dtype)
        if fortran:
            data = reorder(data, tuple(reversed(range(len(shape)))))
    except BaseException:
        remote.close()
        raise
    shown = (Description(data, (data,), suggestions=Suggestions(name)),)
    return Opened(shown, remote.close, told=remote.told)


class _Parts(Sliced):
    """An array in C order in a file behind an address, read by rows or planes."""

    def __init__(
        self, remote: RemoteFile, start: int, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self.shape = shape
        self.dtype = dtype
        self.chunks = _plan_parts(shape, dtype.itemsize)
        self._remote = remote
        self._start = start
        self._steps = [math.prod(shape[axis + 1 :]) * dtype.itemsize for axis in range(len(shape))]

    def _take(self, index: tuple[slice, ...]) -> Array:
        if any(part.step not in (None, 1) for part in index):
            raise IndexError("steps are not known here")
        # Whole chunks: a file in pieces of a few bytes would take a request for each.
        start = tuple(p.start // c * c for p, c in zip(index, self.chunks, strict=True))
        stop = tuple(
            min(-(-p.stop // c) * c, n)
            for p, c, n in zip(index, self.chunks, self.shape, strict=True)
        )
        return self._fetch(Box(start, stop))[
            tuple(slice(p.start - a, p.stop - a) for p, a in zip(index, start, strict=True))
        ]

    def _fetch(self, box: Box) -> Array:
        # What lies together: whole axes at the end, and a span of the one before them.
        axis = len(box.shape) - 1
        while axis and box.shape[axis] == self.shape[axis]:
            axis -= 1
        first = self._start + sum(a * step for a, step in zip(box.start, self._steps, strict=True))
        starts = [
            first + sum(i * step for i, step in zip(at, self._steps[:axis], strict=True))
            for at in np.ndindex(box.shape[:axis])
        ]
        size = box.shape[axis] * self._steps[axis]
        found = self._remote.read(starts, [start + size for start in starts])
        if any(len(part) != size for part in found):
            raise OSError("the server gave other parts than were asked for")
        return np.frombuffer(b"".join(found), self.dtype).reshape(box.shape)


def _plan_parts(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """What is fetched at once: as many whole axes as fit, and a part of the one before."""
    chunk = [1] * len(shape)
    room = max(1, PART_BYTES // itemsize)
    for axis in reversed(range(len(shape))):
        chunk[axis] = max(1, min(shape[axis], room))
        if chunk[axis] < shape[axis]:
            break
        room //= shape[axis]
    return tuple(chunk)


def _list(file: Any) -> list[Entry]:
    entries = []
    with zipfile.ZipFile(file) as archive:
        for member in archive.namelist():
            if member.endswith(".npy"):
                with archive.open(member) as opened:
                    shape, _, dtype = _header(opened)
                entries.append(Entry(member.removesuffix(".npy"), shape, dtype))
    return entries


def _header(file: Any) -> tuple[tuple[int, ...], bool, Any]:
    """Shape, whether it is in Fortran's order, and dtype."""
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    return read(file)


def _nothing() -> None:
    """A mapped file is let go of with its array."""
