"""Where built pyramids are kept, to be found again: a folder of the user's, within a bound.

``VOXELVIEW_CACHE`` names another one. The least recently used pyramids go first, but none that is
in use by any process.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from viewer.cache import CACHE
from viewer.errors import BusyError, InvalidValueError
from viewer.policy import POLICY
from viewer.pyramids.stored import ABOUT, About, folder_bytes, lock_folder, read_about

_disk_limit = POLICY.pyramid_bytes


@dataclass(frozen=True, slots=True)
class KeptPyramid:
    """A pyramid in the cache folder.

    Parameters
    ----------
    path : Path
        Its folder, an OME-Zarr image.
    source : str
        What it was made of.
    bytes : int
        On the disk.
    complete : bool
        False for one whose making was interrupted.
    """

    path: Path
    source: str
    bytes: int
    complete: bool


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """What is kept, in memory and on the disk.

    Parameters
    ----------
    memory_bytes, memory_limit : int
        Blocks of voxels of all layers, and their budget.
    folder : Path
        Where built pyramids are.
    disk_bytes, disk_limit : int
        Of these, and their budget.
    pyramids : tuple of KeptPyramid
        The most recently used first.
    """

    memory_bytes: int
    memory_limit: int
    folder: Path
    disk_bytes: int
    disk_limit: int
    pyramids: tuple[KeptPyramid, ...]


def cache_folder() -> Path:
    """The folder of built pyramids; it may not exist yet."""
    named = os.environ.get("VOXELVIEW_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        return base / "voxelview" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "voxelview"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "voxelview"


def cache_info() -> CacheInfo:
    """What is kept of the data shown: blocks in memory, and pyramids on the disk."""
    kept = tuple(_kept(folder) for folder in reversed(_folders()))
    return CacheInfo(
        memory_bytes=CACHE.bytes + CACHE.reserved,
        memory_limit=CACHE.limit,
        folder=cache_folder(),
        disk_bytes=sum(pyramid.bytes for pyramid in kept),
        disk_limit=_disk_limit,
        pyramids=kept,
    )


def clear_cache() -> None:
    """Forget blocks in memory, and remove the pyramids in the cache folder that nobody uses."""
    CACHE.clear()
    for folder in _folders():
        _remove(folder)
    with contextlib.suppress(OSError):
        for pointer in cache_folder().glob("*.json"):
            pointer.unlink()


def set_cache_limit(*, memory: int | None = None, disk: int | None = None) -> None:
    """Change how much is kept at most.

    Parameters
    ----------
    memory : int, optional
        Bytes of blocks of voxels, for all layers together.
    disk : int, optional
        Bytes of built pyramids in the cache folder.
    """
    global _disk_limit
    for name, value in (("memory", memory), ("disk", disk)):
        if value is not None and (not isinstance(value, int) or value < 0):
            raise InvalidValueError(f"{name}={value!r} is no number of bytes.")
    if memory is not None:
        CACHE.resize(memory)
    if disk is not None:
        _disk_limit = disk
        tidy()


def place(about: About) -> Path:
    """The folder in the cache for levels of this kind and origin."""
    key = json.dumps(
        [about.identity, about.kind, about.dtype, about.shapes, about.blocks, about.first]
    )
    return cache_folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.zarr"


def point(about: About, folder: Path) -> None:
    """Remember that levels of this kind and origin are in a folder elsewhere."""
    pointer = place(about).with_suffix(".json")
    with contextlib.suppress(OSError):
        pointer.parent.mkdir(parents=True, exist_ok=True)
        pointer.write_text(json.dumps(str(folder)), encoding="utf-8")


def places(about: About) -> list[Path]:
    """Folders where such levels may be."""
    found = [place(about)]
    with contextlib.suppress(OSError, ValueError):
        pointer = found[0].with_suffix(".json")
        found.insert(0, Path(json.loads(pointer.read_text(encoding="utf-8"))))
    return found


def tidy() -> None:
    """Remove pyramids that nobody uses, the least recently used first, to keep the bound."""
    with contextlib.suppress(OSError, ValueError):
        for pointer in cache_folder().glob("*.json"):
            if not Path(json.loads(pointer.read_text(encoding="utf-8"))).exists():
                pointer.unlink()
    folders = _folders()
    sizes = [folder_bytes(folder) for folder in folders]
    total = sum(sizes)
    for folder, size in zip(folders, sizes, strict=True):
        if total <= _disk_limit:
            return
        if _remove(folder):
            total -= size


def _folders() -> list[Path]:
    """The pyramids in the cache folder, the least recently used first."""

    def used(folder: Path) -> float:
        try:
            return (folder / ABOUT).stat().st_mtime
        except OSError:
            return 0.0

    try:
        return sorted(cache_folder().glob("*.zarr"), key=used)
    except OSError:
        return []


def _kept(folder: Path) -> KeptPyramid:
    about = read_about(folder)
    return KeptPyramid(
        folder,
        "" if about is None else about.source,
        folder_bytes(folder),
        about is not None and about.complete,
    )


def _remove(folder: Path) -> bool:
    try:
        with lock_folder(folder, exclusive=True):
            shutil.rmtree(folder)
    except (BusyError, OSError):
        return False
    return True
