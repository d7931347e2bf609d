"""Coarse levels kept in a folder: an OME-Zarr 0.5 image of levels 1 and above.

Any Zarr program reads the folder; `voxelview.json` beside the metadata says what it was made of.
A chunk is written under another name and then renamed, so a chunk that is there is whole, and the
chunks that are there are all that a build needs to know in order to go on after it was killed.

    f3a9….zarr/ voxelview.json  lock  zarr.json  1/ zarr.json  c/0/0/0 …  2/ …
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np
from msgspec.structs import asdict

from viewer.errors import BusyError, SourceError
from viewer.pyramids.metadata import RAW, array_document, group_document, image_metadata
from viewer.pyramids.transfer import paste
from viewer.sources.protocol import Array
from viewer.space import Box
from viewer.state import Axis, Level

try:
    import fcntl
except ImportError:  # Windows: nobody is kept from clearing a pyramid that is in use
    fcntl = None  # type: ignore[assignment]

ABOUT = "voxelview.json"
FORMAT = 1
"""Version of the folder's layout; another one is made anew."""

ZSTD_LEVEL = 1
"""Voxels are read far more often than written, and coarse levels are small: fast before dense."""


class About(msgspec.Struct, frozen=True):
    """What a folder holds, as `voxelview.json` has it.

    Parameters
    ----------
    identity : str
        Of the data that the levels were made of: see `IdentifiedSource`.
    source : str
        The same for people to read.
    kind : str
        ``"image"`` or ``"labels"``.
    dtype : str
        NumPy's name.
    shapes : tuple of tuple of int
        Of all levels, the source's own included.
    blocks : tuple of tuple of int
        Of the chunks of all levels.
    first : int
        The finest level that is here.
    complete : bool
    bytes : int
        On the disk, once complete.
    """

    identity: str
    source: str
    kind: str
    dtype: str
    shapes: tuple[tuple[int, ...], ...]
    blocks: tuple[tuple[int, ...], ...]
    first: int
    complete: bool = False
    bytes: int = 0
    format: int = FORMAT

    def alike(self, other: About) -> bool:
        """Whether chunks made for the one are good for the other."""
        return all(
            getattr(self, name) == getattr(other, name)
            for name in ("identity", "kind", "dtype", "shapes", "blocks", "first", "format")
        )


def read_about(folder: Path) -> About | None:
    """What a folder holds, or None when it is no pyramid of ours."""
    try:
        said = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        for name in ("shapes", "blocks"):
            said[name] = tuple(map(tuple, said[name]))
        return About(**said)
    except (OSError, ValueError, TypeError, KeyError):
        return None


class StoredLevels:
    """An open folder of coarse levels. Nobody clears it before `close`.

    Parameters
    ----------
    folder : Path
    about : About
        What it holds.
    lock : file, optional
        Locked, and closed with this.
    """

    def __init__(self, folder: Path, about: About, lock: IO[bytes] | None = None) -> None:
        from numcodecs.zstd import Zstd

        self.folder = folder
        self.about = about
        self.first = about.first
        self._dtype = np.dtype(about.dtype).newbyteorder("<")
        self._codec = Zstd(level=ZSTD_LEVEL)
        self._lock = lock

    def __reduce__(self) -> tuple[Any, ...]:
        """On its way to a worker; the lock stays here."""
        return StoredLevels, (self.folder, self.about)

    @classmethod
    def open(cls, folder: Path, wanted: About) -> StoredLevels | None:
        """The finished levels in a folder, or None where there are none like the wanted ones."""
        about = read_about(folder)
        if about is None or not about.complete or not about.alike(wanted):
            return None
        try:
            lock = lock_folder(folder, exclusive=False)
        except (BusyError, OSError):
            return None
        with contextlib.suppress(OSError):  # a disk that is only read keeps no such times
            os.utime(folder / ABOUT)  # was used just now
        return cls(folder, about, lock)

    @classmethod
    def create(
        cls,
        folder: Path,
        about: About,
        axes: Sequence[Axis],
        levels: Sequence[Level],
        *,
        resume: bool,
    ) -> StoredLevels:
        """A folder to write levels into, with the chunks that an earlier attempt has left.

        Parameters
        ----------
        folder : Path
            Made when it is missing; a pyramid that is there is taken up, or replaced.
        about : About
        axes, levels
            For the metadata.
        resume : bool
            Whether chunks of an unfinished attempt may be kept.

        Raises
        ------
        BusyError
            When somebody else writes or reads it.
        SourceError
            When it cannot be written, or holds something else.
        """
        try:
            if folder.exists() and any(folder.iterdir()) and not (folder / ABOUT).exists():
                raise SourceError(
                    f"{folder} is there already and holds no pyramid.",
                    hint="Name a folder that does not exist yet.",
                )
            folder.mkdir(parents=True, exist_ok=True)
            lock = lock_folder(folder, exclusive=True)
            try:
                former = read_about(folder)
                if not (resume and former and not former.complete and former.alike(about)):
                    _empty(folder)
                _write_metadata(folder, about, axes, levels)
            except BaseException:
                lock.close()
                raise
        except OSError as error:
            if isinstance(error, SourceError):
                raise
            raise _unwritable(folder, error) from None
        return cls(folder, about, lock)

    def has(self, level: int, index: tuple[int, ...]) -> bool:
        """Whether a chunk has been written."""
        return self._path(level, index).exists()

    def write(self, level: int, index: tuple[int, ...], block: Array) -> None:
        """Write a chunk; at the array's far border `block` is smaller than the chunk."""
        chunk = self.about.blocks[level]
        padded = block
        if block.shape != chunk:
            padded = np.zeros(chunk, self._dtype)
            padded[tuple(map(slice, block.shape))] = block
        path = self._path(level, index)
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_bytes(self._codec.encode(np.ascontiguousarray(padded, self._dtype)))
            fresh.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise _unwritable(self.folder, error) from None

    def read(self, level: int, index: tuple[int, ...]) -> Array:
        """A chunk, cut to the level's shape; `SourceError` when it is not there or not whole."""
        chunk, shape = self.about.blocks[level], self.about.shapes[level]
        try:
            data = self._codec.decode(self._path(level, index).read_bytes())
            block = np.frombuffer(data, self._dtype).reshape(chunk)
        except (OSError, RuntimeError, ValueError) as error:
            raise SourceError(
                f"The pyramid in {self.folder} is damaged: {type(error).__name__}: {error}.",
                hint="layer.build_pyramid() makes it anew.",
            ) from None
        return block[
            tuple(slice(min(c, n - i * c)) for c, n, i in zip(chunk, shape, index, strict=True))
        ]

    def read_box(self, level: int, box: Box) -> Array:
        """Any box of a level."""
        chunk, shape = self.about.blocks[level], self.about.shapes[level]
        out = np.empty(box.shape, self._dtype.newbyteorder("="))
        for index in box.cells(chunk):
            paste(self.read(level, index), Box.of_cell(index, chunk, shape), box, out)
        return out

    def finish(self) -> None:
        """All chunks are there: say so, and let others read."""
        size = sum(entry.stat().st_size for entry in _files(self.folder))
        self.about = About(**{**asdict(self.about), "complete": True, "bytes": size})
        _write_json(self.folder / ABOUT, asdict(self.about))
        if fcntl is not None and self._lock is not None:
            fcntl.flock(self._lock, fcntl.LOCK_SH)

    def close(self) -> None:
        """Let others clear the folder."""
        if self._lock is not None:
            self._lock.close()

    def __del__(self) -> None:
        self.close()

    def _path(self, level: int, index: tuple[int, ...]) -> Path:
        return self.folder.joinpath(str(level), "c", *map(str, index))


def lock_folder(folder: Path, *, exclusive: bool) -> IO[bytes]:
    """A file that says that the folder is in use, for as long as it is open.

    The system lets go of it when the process ends, however it ends.

    Raises
    ------
    BusyError
        When somebody holds it in a way that excludes this one.
    """
    try:
        file: IO[bytes] = (folder / "lock").open("ab")
    except OSError:
        if exclusive:
            raise
        file = (folder / "lock").open("rb")  # where we may only read, others can still be shut out
    if fcntl is not None:
        mode = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        try:
            fcntl.flock(file, mode | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise BusyError(
                f"The pyramid in {folder} is in use.",
                hint="Wait for the other program, or name another folder.",
            ) from None
    return file


def _empty(folder: Path) -> None:
    import shutil

    for entry in list(folder.iterdir()):
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != "lock":
            entry.unlink()


def _write_metadata(
    folder: Path, about: About, axes: Sequence[Axis], levels: Sequence[Level]
) -> None:
    _write_json(folder / ABOUT, asdict(about))
    dtype = np.dtype(about.dtype)
    zstd = {"name": "zstd", "configuration": {"level": ZSTD_LEVEL, "checksum": False}}
    codecs = [RAW if dtype.itemsize > 1 else {"name": "bytes"}, zstd]
    stored = range(about.first, len(levels))
    for number in stored:
        (folder / str(number)).mkdir(exist_ok=True)
        document = array_document(about.shapes[number], dtype, about.blocks[number], axes, codecs)
        _write_json(folder / str(number) / "zarr.json", document)
    ome = image_metadata(about.source, about.kind, axes, {n: levels[n] for n in stored})
    _write_json(folder / "zarr.json", group_document(ome))


def _write_json(path: Path, value: Any) -> None:
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    fresh.write_text(json.dumps(value, indent=1), encoding="utf-8")
    fresh.replace(path)


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path))
        else:
            yield entry


def _unwritable(folder: Path, error: OSError) -> SourceError:
    return SourceError(
        f"The pyramid cannot be written to {folder}: {error.strerror or error}.",
        hint="Name a folder on a disk with room: layer.build_pyramid(path).",
    )


def folder_bytes(folder: Path) -> int:
    """Bytes of all files in a folder."""
    about = read_about(folder)
    if about is not None and about.complete:
        return about.bytes
    with contextlib.suppress(OSError):
        return sum(entry.stat().st_size for entry in _files(folder))
    return 0
