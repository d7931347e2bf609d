"""A layer as a standard OME-Zarr 0.5 image in Zarr format 3, made up as it is asked for.

Three kinds of keys exist below a layer: ``zarr.json`` (`group_metadata`), ``<level>/zarr.json``
(`array_metadata`) and ``<level>/c/<i>/<j>/…`` (`parse_key`, `read_chunk`). Each has one canonical
spelling. Chunks are the pyramid's blocks, or aligned to the source's own (`viewer.chunk_grid`),
raw little-endian C order, padded with zeros at the far borders, as the format wants it. Where the
source's own chunks can be handed on as they are stored, undecoded, the metadata names their codecs.
"""

from __future__ import annotations

import re
import sys
import threading
from typing import Any

import numpy as np

from viewer.chunk_grid import ChunkGrid, grids_of
from viewer.errors import NotFoundError
from viewer.pyramids.metadata import RAW, array_document, group_document, image_metadata
from viewer.pyramids.pyramid import Cancelled, Pyramid
from viewer.sources.protocol import Array, StoredSource
from viewer.space import Box

_LITTLE = sys.byteorder == "little"
_KEY = re.compile(r"c(?:/(?:0|[1-9][0-9]{0,15})){2,6}", re.ASCII)

SCRATCH_BYTES = 4 << 20
"""Bytes that each thread keeps for chunks of which it needs the voxels briefly: a chunk of 64³ of
64 bits takes half of it. New memory of megabytes comes from the system page by page, which takes
three times as long as copying the voxels."""


class _Scratch(threading.local):
    """Memory that each thread has for itself."""

    def __init__(self) -> None:
        self.memory = np.empty(SCRATCH_BYTES, np.uint8)


_scratch = _Scratch()


def group_metadata(
    pyramid: Pyramid,
    name: str,
    *,
    window: tuple[float, float] | None = None,
    color: str | None = None,
) -> dict[str, Any]:
    """Content of the layer's ``zarr.json``.

    Parameters
    ----------
    pyramid : Pyramid
    name : str
        The layer's name.
    window : tuple of float, optional
        (low, high) that an image is shown with; its `omero` block is left out without.
    color : str, optional
        ``"#rrggbb"`` of the brightest value; default white.

    Returns
    -------
    dict
        Ready for JSON.
    """
    ome = image_metadata(name, pyramid.kind, pyramid.axes, dict(enumerate(pyramid.levels)))
    if pyramid.kind == "image" and window is not None:
        ome["omero"] = {"channels": _channels(pyramid, name, window, color)}
    return group_document(ome)


def array_metadata(pyramid: Pyramid, level: int) -> dict[str, Any]:
    """Content of a level's ``zarr.json``; `NotFoundError` for a level that does not exist."""
    grid = grid_of(pyramid, level)
    storage = grid.storage
    return array_document(
        grid.shape,
        pyramid.dtype,
        grid.chunk,
        pyramid.axes,
        [RAW] if storage is None else storage.codecs,
        None if storage is None else storage.fill_value,
    )


def grid_of(pyramid: Pyramid, level: int) -> ChunkGrid:
    """How a level is divided; `NotFoundError` for a level that does not exist."""
    grids = grids_of(pyramid)
    if not 0 <= level < len(grids):
        raise NotFoundError(f"There is no level {level}; there are 0 to {len(grids) - 1}.")
    return grids[level]


def parse_key(text: str, grid: ChunkGrid) -> tuple[int, ...]:
    """Index of the chunk that a key names.

    Parameters
    ----------
    text : str
        What follows ``<level>/`` in the path: ``"c/0/12/3"``.
    grid : ChunkGrid
        The level's.

    Returns
    -------
    tuple of int
        In chunks, one entry an axis.

    Raises
    ------
    NotFoundError
        For every other spelling, and beyond the level's chunks.
    """
    if _KEY.fullmatch(text):
        index = tuple(map(int, text[2:].split("/")))
        if grid.has(index):
            return index
    counts = tuple(-(-n // b) for n, b in zip(grid.shape, grid.chunk, strict=True))
    raise NotFoundError(
        f"{text[:80]!r} is no chunk of this level.",
        hint=f"Keys are c/{'/'.join('ijklmn'[: len(counts)])}, with fewer than {counts} chunks.",
    )


def generation_of(pyramid: Pyramid, level: int, index: tuple[int, ...]) -> int:
    """The newest generation that changed any voxel of a chunk; see `Pyramid.generation_of`."""
    history = pyramid.history
    if not history.steps:  # as in most volumes: then nobody needs the box
        return history.base
    return pyramid.generation_of(level, grid_of(pyramid, level).box(index))


def read_chunk(
    pyramid: Pyramid,
    level: int,
    index: tuple[int, ...],
    cancelled: Cancelled | None = None,
    *,
    room: int = 0,
    brief: bool = False,
) -> memoryview:
    """A decoded chunk, little-endian in C order.

    Parameters
    ----------
    pyramid, level : Pyramid, int
    index : tuple of int
        As `parse_key` gives it.
    cancelled : callable, optional
        See `Pyramid.read`, which also raises the errors.
    room : int, default 0
        Bytes left free before the voxels, for whoever sends them: a multiple of 8.
    brief : bool, default False
        Whether the caller needs it only until this thread reads the next chunk so.
    """
    grid = grid_of(pyramid, level)
    box = grid.box(index)
    buffer, voxels = _allocate(pyramid, grid, box, room, brief)
    pyramid.read_into(level, box, voxels, cancelled)
    return buffer.data


def read_chunk_at_hand(
    pyramid: Pyramid, level: int, index: tuple[int, ...], *, room: int = 0, brief: bool = False
) -> memoryview | None:
    """As `read_chunk`, if the voxels are in memory and need but be copied; else None, at once."""
    grid = grid_of(pyramid, level)
    box = grid.box(index)
    buffer, voxels = _allocate(pyramid, grid, box, room, brief)
    return buffer.data if pyramid.read_at_hand(level, box, voxels) else None


def view_chunk_at_hand(pyramid: Pyramid, level: int, index: tuple[int, ...]) -> Array | None:
    """The voxels of a chunk where they lie in memory, if they do and as they are to be sent."""
    grid = grid_of(pyramid, level)
    box = grid.box(index)
    if not _LITTLE or box.shape != grid.chunk:
        return None
    voxels = pyramid.view_at_hand(level, box)
    fits = voxels is not None and voxels.shape == grid.chunk and voxels.dtype == pyramid.dtype
    return voxels if fits else None


def read_stored_chunk(pyramid: Pyramid, level: int, index: tuple[int, ...]) -> bytes | None:
    """A chunk as the source stores it, undecoded; None for one that is not stored.

    Only of levels whose grid has a `Storage`.
    """
    source = pyramid.source
    assert isinstance(source, StoredSource)
    return source.read_stored(level, index)


def _allocate(
    pyramid: Pyramid, grid: ChunkGrid, box: Box, room: int, brief: bool = False
) -> tuple[Array, Array]:
    """Memory for a chunk, and the part of it that has voxels."""
    whole, nbytes = box.shape == grid.chunk, room + grid.nbytes
    if not brief or nbytes > SCRATCH_BYTES:
        buffer = (np.empty if whole else np.zeros)(nbytes, np.uint8)
    else:
        buffer = _scratch.memory[:nbytes]
        if not whole:
            buffer.fill(0)
    voxels = buffer[room:].view(pyramid.dtype).reshape(grid.chunk)
    if not _LITTLE:
        voxels = voxels.view(pyramid.dtype.newbyteorder("<"))
    return buffer, voxels if whole else voxels[tuple(map(slice, box.shape))]


def _channels(
    pyramid: Pyramid, name: str, window: tuple[float, float], color: str | None
) -> list[dict[str, Any]]:
    low, high = window
    if pyramid.dtype.kind == "f":
        least, most = low, high
    elif pyramid.dtype.kind == "b":
        least, most = 0.0, 1.0
    else:
        span = np.iinfo(pyramid.dtype)
        least, most = float(span.min), float(span.max)
    count = 1
    for axis, n in zip(pyramid.axes, pyramid.levels[0].shape, strict=True):
        if axis.kind == "channel":
            count = n
    channel = {
        "label": name,
        "active": True,
        "color": (color or "#ffffff").removeprefix("#").upper(),
        "window": {"min": least, "max": most, "start": low, "end": high},
    }
    return [dict(channel) for _ in range(count)]
