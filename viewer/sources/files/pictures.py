"""PNG and JPEG files by Pillow: a picture, and a folder of them, one slice each, as one volume.

A picture in colours has its red, green and blue in 8 bit each, which is all that Pillow reads.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from viewer.sources.description import Description
from viewer.sources.files.opened import Entry, Opened, choose, stem_of
from viewer.sources.files.tiff import arrange
from viewer.sources.files.tiff_folder import Stack, check_alike, slices_in, some_of
from viewer.sources.protocol import Array

SUFFIXES = (".png", ".jpg", ".jpeg")

_DTYPES = {"1": "?", "L": "u1", "I;16": "u2", "I;16B": "u2", "I": "i4", "F": "f4"}
"""Of Pillow's modes of one value a pixel; all others are read as colours."""


def open_picture(path: str, dataset: str | None) -> Opened:
    """A picture, as a whole."""
    voxels = read_picture(Path(path))
    name = stem_of(path, SUFFIXES)
    choose([Entry(name, voxels.shape, voxels.dtype)], dataset, path)
    return Opened((_describe(voxels, name, []),), _nothing)


def open_picture_folder(path: str, dataset: str | None) -> Opened:
    """All pictures of a folder, along z; where there are several kinds, of the kind of the most."""
    files = slices_in(Path(path), SUFFIXES)
    kinds = Counter(file.suffix.lower() for file in files)
    files = [file for file in files if file.suffix.lower() == kinds.most_common(1)[0][0]]
    first = _look_at(files[0])
    for file in some_of(files):
        check_alike(file.name, _look_at(file), first.name, first.shape, first.dtype)
    data = Stack(files, first.shape, first.dtype, read_picture)
    name = stem_of(path, ())
    choose([Entry(name, data.shape, data.dtype)], dataset, path)
    return Opened((_describe(data, name, ["Z"]),), _nothing, files=(path, *files))


def read_picture(file: Path) -> Array:
    """Values (y, x), or red, green and blue behind."""
    from PIL import Image

    with Image.open(file, formats=("PNG", "JPEG")) as picture:
        dtype = _DTYPES.get(picture.mode)
        return np.asarray(picture if dtype else picture.convert("RGB"), dtype)


def _look_at(file: Path) -> Entry:
    """What `read_picture` gives, by the file's head."""
    from PIL import Image

    with Image.open(file, formats=("PNG", "JPEG")) as picture:
        dtype = _DTYPES.get(picture.mode)
        shape = (picture.height, picture.width, *(() if dtype else (3,)))
    return Entry(file.name, shape, np.dtype(dtype or "u1"))


def _describe(data: Any, name: str, before: list[str]) -> Description:
    letters = [*before, "Y", "X", *(["S"] if len(data.shape) > len(before) + 2 else [])]
    return arrange([data], letters, name, {}, "")


def _nothing() -> None:
    """No file is open but while it is read."""
