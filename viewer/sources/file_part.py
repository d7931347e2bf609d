"""Which array of which opened file data is: to know it again tomorrow, and in other processes.

An object that a user hands over speaks for itself, as far as it can: an ``h5py.Dataset`` names its
file, a ``np.memmap``, too. What was opened by its name may have become anything, an array in memory
or an object that reads on demand; but how it was opened is known, and opening it again gives the
same.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable
from typing import Any

import msgspec

from viewer.errors import SourceError
from viewer.sources.counted import Counted
from viewer.sources.geometry import Geometry
from viewer.sources.identity import files_identity
from viewer.sources.protocol import Source


class FilePart(msgspec.Struct, frozen=True):
    """One level of one image in a file, a folder or behind an address.

    Parameters
    ----------
    opener : callable
        Takes path and dataset; gives an object with `shown` and `close`, `files.opened.Opened`.
        A function of a module, so that other processes find it.
    path : str
        Of the file or folder, or its address.
    dataset : str or None
        Which of the arrays in it.
    stamp : str or None
        What `viewer.sources.identity` called it when it was opened; None where that is not known.
    files : tuple of str
        All that `stamp` is made of; none where it comes from elsewhere, as of an address.
    names : tuple of str, optional
        What the file calls its axes.
    number : int
        Which of the images that are shown.
    level : int
    counted : bool
        Whether labels are made of floating-point numbers.
    """

    opener: Callable[[str, str | None], Any]
    path: str
    dataset: str | None
    stamp: str | None
    files: tuple[str, ...] = ()
    names: tuple[str, ...] | None = None
    number: int = 0
    level: int = 0
    counted: bool = False

    @property
    def identity(self) -> str | None:
        """See `IdentifiedSource.identity`: of the file as it was opened.

        What has been read of it may be in memory, and then does not change with it.
        """
        return None if self.stamp is None else f"{self.stamp} [{self.dataset!r}, {self.number}]"

    @property
    def replaced(self) -> bool:
        """Whether another file is known to stand where it was."""
        return bool(self.files) and files_identity(self.files) != self.stamp

    def open(self) -> tuple[Any, Callable[[], None]]:
        """The data, and what closes its file."""
        opened = self.opener(self.path, self.dataset)
        try:
            data = opened.shown[self.number].parts[self.level]
        except IndexError:
            opened.close()
            raise SourceError(
                f"{self.path} does not hold any more what it did.", hint="Open it again."
            ) from None
        return Counted(data) if self.counted else data, opened.close


def open_again(
    kind: Callable[[Any, Geometry, FilePart], Source], geometry: Geometry, part: FilePart
) -> Source:
    """A source of a file's part in another process; the file is closed when nobody has it any more.

    Parameters
    ----------
    kind : callable
        The source's class.
    geometry : Geometry
    part : FilePart
    """
    data, close = part.open()
    source = kind(data, geometry, part)
    close_after(source, close)
    return source


def close_after(source: Source, close: Callable[[], None]) -> None:
    """Close a file when nobody has its source any more, on a thread of its own.

    Whoever lets go of the last reference would do it, and by the garbage collector that is anybody:
    an event loop, where connections are closed that are waited for, or a reader within a lock.
    """
    weakref.finalize(source, _close_apart, close).atexit = False


def _close_apart(close: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # Python is about to end
        threading.Thread(target=close, name="voxelview-close", daemon=True).start()
