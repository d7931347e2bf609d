"""What opening a file gives, and how one of several arrays in it is chosen."""

from __future__ import annotations

import importlib
import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import msgspec

from viewer.errors import InvalidDataError, MissingExtraError, NotFoundError, ViewerError
from viewer.sources.description import Description
from viewer.sources.geometry import check_array, check_dtype

LISTED = 12
"""Arrays that a message names."""

PICTURE_EDGE = 8
"""Voxels along two axes from which on an array is taken for an image, and not for a table."""


class Opened(msgspec.Struct, frozen=True):
    """What of a file is shown, and how to let go of the file.

    Parameters
    ----------
    shown : tuple of Description
    close : callable
    files : tuple of path
        All that was opened, where it is more than the one that was named.
    told : dict, optional
        What the server says of a file behind an address: `RemoteFile.told`.
    """

    shown: tuple[Description, ...]
    close: Callable[[], None]
    files: tuple[str | os.PathLike[str], ...] = ()
    told: Mapping[str, Any] | None = None


class Hold:
    """An open file that several layers share, closed with the last of them.

    Parameters
    ----------
    close : callable
    count : int
        Number of layers, at least one.
    """

    def __init__(self, close: Callable[[], None], count: int) -> None:
        self._close = close
        self._count = count
        self._lock = threading.Lock()

    def release(self) -> None:
        """One layer is done with the file."""
        with self._lock:
            self._count -= 1
            last = self._count == 0
        if last:
            self._close()


class Entry(msgspec.Struct, frozen=True):
    """An array in a file, before it is chosen."""

    name: str
    shape: tuple[int, ...]
    dtype: Any
    about: str = ""
    """What it shows, where names don't tell."""

    def __str__(self) -> str:
        shape = " × ".join(map(str, self.shape)) or "a single value"
        about = self.about and f"{self.about}, "
        return f"{self.name} ({about}{shape}, {getattr(self.dtype, 'name', self.dtype)})"

    @property
    def showable(self) -> bool:
        """Whether it can be shown at all."""
        try:
            check_dtype(self.dtype)
        except ViewerError:
            return False
        return 2 <= len(self.shape) <= 6 and 0 not in self.shape

    @property
    def image_like(self) -> bool:
        """Whether it can be shown and is no table: two axes of some length."""
        return self.showable and sum(n >= PICTURE_EDGE for n in self.shape) >= 2


def choose(entries: Sequence[Entry], dataset: str | None, path: str) -> Entry:
    """The entry with the name of `dataset`, or without one the only one that is image-like.

    Raises
    ------
    NotFoundError
        When there is none of that name; lists what there is.
    InvalidDataError
        When nothing or more than one can be meant; lists what there is.
    """
    if dataset is not None:
        wanted = dataset.strip("/")
        for entry in entries:
            if entry.name.strip("/") == wanted:
                return entry
        raise NotFoundError(f"There is no {dataset!r} in {path}.", hint=_has(entries))
    for kind in ("image_like", "showable"):
        fitting = [entry for entry in entries if getattr(entry, kind)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise InvalidDataError(
                f"{path} holds {len(fitting)} arrays that can be shown.",
                hint=f"Choose one, e.g. {suffixed(path, fitting[0].name)} or "
                f"dataset={fitting[0].name!r}. {_has(fitting)}",
            )
    hint = _has(entries)
    if len(entries) == 1:
        try:
            check_array(entries[0].shape, entries[0].dtype)
        except ViewerError as error:
            hint = f"{hint} {error.hint}"
    raise InvalidDataError(f"{path} holds no array that can be shown.", hint=hint)


def suffixed(path: str, name: str) -> str:
    """``FILE:DATASET`` as the command line has it."""
    return f"{PurePosixPath(path.replace(chr(92), '/')).name}:{name}"


def _has(entries: Sequence[Entry]) -> str:
    if not entries:
        return "It holds no arrays."
    more = f", and {len(entries) - LISTED} more" if len(entries) > LISTED else ""
    return f"It has {', '.join(map(str, entries[:LISTED]))}{more}."


def load_extra(module: str, extra: str, what: str, *, alone: bool = False) -> Any:
    """An optional library, of one of our extras unless it stands `alone`.

    Raises
    ------
    MissingExtraError
        When it is not installed; names the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        library = module.partition(".")[0]
        wanted = library if alone else f"'voxelview[{extra}]'"
        raise MissingExtraError(
            f"Opening {what} needs the library {library} ({error}).",
            hint=f"Install it: pip install {wanted}",
        ) from None


def stem_of(path: str, suffixes: Sequence[str]) -> str:
    """Name of a file or folder, or the last part of a URL, without the format's suffix."""
    last = re.split(r"[/\\]", path.rstrip("/\\"))[-1].partition("?")[0]
    for suffix in sorted(suffixes, key=len, reverse=True):
        if last.lower().endswith(suffix) and len(last) > len(suffix):
            return last[: -len(suffix)]
    return last
