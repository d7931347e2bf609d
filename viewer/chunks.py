"""A layer as a standard OME-Zarr 0.5 image in Zarr format 3, made up as it is asked for.

Three kinds of keys exist below a layer: ``zarr.json`` (`group_metadata`), ``<level>/zarr.json``
(`array_metadata`) and ``<level>/c/<i>/<j>/…`` (`parse_key`, `read_chunk`). Each has one canonical
spelling. Chunks are the pyramid's blocks, raw little-endian C order, padded with zeros at the far
borders, as the format wants it.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from viewer.errors import NotFoundError
from viewer.pyramid import Cancelled, Pyramid
from viewer.space import OME_NAMES, Box
from viewer.state import Axis

_KEY = re.compile(r"c(?:/(?:0|[1-9][0-9]{0,15})){2,6}", re.ASCII)


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
    ome: dict[str, Any] = {
        "version": "0.5",
        "multiscales": [
            {
                "name": name,
                "axes": [_axis(axis) for axis in pyramid.axes],
                "datasets": [
                    {
                        "path": str(index),
                        "coordinateTransformations": [
                            {"type": "scale", "scale": list(level.scale)},
                            {"type": "translation", "translation": list(level.translate)},
                        ],
                    }
                    for index, level in enumerate(pyramid.levels)
                ],
                "type": "mean" if pyramid.kind == "image" else "mode",
            }
        ],
    }
    if pyramid.kind == "labels":
        ome["image-label"] = {}
    elif window is not None:
        ome["omero"] = {"channels": _channels(pyramid, name, window, color)}
    return {"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}}


def array_metadata(pyramid: Pyramid, level: int) -> dict[str, Any]:
    """Content of a level's ``zarr.json``; `NotFoundError` for a level that does not exist."""
    _check_level(pyramid, level)
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(pyramid.levels[level].shape),
        "data_type": pyramid.dtype.name,
        "chunk_grid": {
            "name": "regular",
            "configuration": {"chunk_shape": list(pyramid.block(level))},
        },
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": {"b": False, "f": 0.0}.get(pyramid.dtype.kind, 0),
        "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        "dimension_names": [axis.name for axis in pyramid.axes],
        "attributes": {},
    }


def parse_key(text: str, pyramid: Pyramid, level: int) -> tuple[int, ...]:
    """Index of the chunk that a key names.

    Parameters
    ----------
    text : str
        What follows ``<level>/`` in the path: ``"c/0/12/3"``.
    pyramid : Pyramid
    level : int

    Returns
    -------
    tuple of int
        In chunks, one entry an axis.

    Raises
    ------
    NotFoundError
        For every other spelling, and beyond the level's chunks.
    """
    _check_level(pyramid, level)
    shape, block = pyramid.levels[level].shape, pyramid.block(level)
    if _KEY.fullmatch(text):
        index = tuple(map(int, text.split("/")[1:]))
        if len(index) == len(shape) and all(
            i * b < n for i, b, n in zip(index, block, shape, strict=True)
        ):
            return index
    counts = tuple(-(-n // b) for n, b in zip(shape, block, strict=True))
    raise NotFoundError(
        f"{text[:80]!r} is no chunk of level {level}.",
        hint=f"Keys are c/{'/'.join('ijklmn'[: len(shape)])}, with fewer than {counts} chunks.",
    )


def read_chunk(
    pyramid: Pyramid, level: int, index: tuple[int, ...], cancelled: Cancelled | None = None
) -> bytes:
    """The chunk as Zarr stores it; `index` as `parse_key` gives it, errors as `Pyramid.read`."""
    _check_level(pyramid, level)
    block = pyramid.block(level)
    start = tuple(i * b for i, b in zip(index, block, strict=True))
    box = Box(start, tuple(s + b for s, b in zip(start, block, strict=True)))
    box = box.clip(pyramid.levels[level].shape)
    dtype = pyramid.dtype.newbyteorder("<")
    if box.shape == block:
        out = np.empty(block, dtype)
        pyramid.read_into(level, box, out, cancelled)
    else:
        out = np.zeros(block, dtype)
        pyramid.read_into(level, box, out[tuple(map(slice, box.shape))], cancelled)
    return out.tobytes()


def _axis(axis: Axis) -> dict[str, str]:
    described = {"name": axis.name}
    if axis.kind != "other":
        described["type"] = axis.kind
    if axis.unit in OME_NAMES:
        described["unit"] = OME_NAMES[axis.unit]
    return described


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


def _check_level(pyramid: Pyramid, level: int) -> None:
    if not 0 <= level < len(pyramid.levels):
        raise NotFoundError(f"There is no level {level}; there are 0 to {len(pyramid.levels) - 1}.")
