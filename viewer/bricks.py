"""The brick stream: our page's own way to voxels.

A brick is a small block of one level of one layer, cut for the GPU: all bricks of a layer have
the same number of voxels (`Data.brick` from one to the next, plus `Data.apron` beyond), so that
each fits any slot of an atlas texture. At the volume's far border the missing voxels repeat the
last one. Both this door and the OME-Zarr one read from the same `Pyramid.read(level, box)`.

The conversation on the binary WebSocket ``bricks``
---------------------------------------------------
The page declares what it looks at and asks; the server streams, best first.

Page to server, JSON text:

- ``{"type": "open", "volume": 5, "layer": "l3", "point": [7]}``: from now on 5 means layer l3 at
  index 7 of its leading axes (indices, array order; ``[]`` for 3-D data). Numbers are chosen by
  the page, unique on the connection.
- ``{"type": "close", "volume": 5}``
- ``{"type": "want", "generation": 12, "bricks": [5, 2, 0, 0, 1, …]}``: all bricks wanted now, best
  first, five integers each: volume, level, and index (z, y, x) in bricks. It replaces the former
  list: what is not in the new one is dropped, unless it is already on its way.
- ``{"type": "credit", "bytes": 65536}``: the page has taken so many bytes of brick messages off
  the stream. The server keeps at most `Policy.credit_bytes` unacknowledged.

Server to page, binary, one brick a message, little-endian:

| offset | type | what |
|---|---|---|
| 0 | uint32 | volume |
| 4 | uint8 | level |
| 5 | uint8 | flags: 1 constant (payload is one voxel), 2 failed (payload is JSON `Notice`) |
| 6 | uint16 | 0 (reserved) |
| 8 | uint32 × 3 | index (z, y, x) in bricks |
| 20 | uint32 | data generation (`Data.generation`) that the voxels are of |
| 24 | float64 | least value in the brick, NaN ignored (images; 0 for labels) |
| 32 | float64 | greatest value |
| 40 | … | voxels, x fastest, of the dtype below |

On the wire bool travels as uint8 and float16 as float32 (exact); all other dtypes as they are.
A brick wanted of a volume or index that does not exist comes back failed, as does one whose
source failed to be read; the page decides when to ask again.
"""

from __future__ import annotations

import struct
from typing import Any

import msgspec
import numpy as np

from viewer.errors import NotFoundError
from viewer.messages import Notice
from viewer.pyramid import Cancelled, Pyramid
from viewer.sources.protocol import Array
from viewer.space import Box

HEADER = struct.Struct("<IBBHIIIIdd")
"""The first 40 bytes of a message."""

CONSTANT = 1
FAILED = 2


def wire_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """What a brick's voxels travel as, for a layer of this dtype."""
    if dtype.kind == "b":
        return np.dtype("<u1")
    if dtype == np.float16:
        return np.dtype("<f4")
    return dtype.newbyteorder("<")


def read_brick(
    pyramid: Pyramid,
    volume: int,
    level: int,
    point: tuple[int, ...],
    index: tuple[int, int, int],
    cancelled: Cancelled | None = None,
) -> bytes:
    """The whole message for one brick.

    Parameters
    ----------
    pyramid : Pyramid
        Of the layer.
    volume : int
        The page's number for it.
    level : int
    point : tuple of int
        Indices on the leading axes.
    index : tuple of int
        (z, y, x) in bricks.
    cancelled : callable, optional
        See `Pyramid.read`.

    Raises
    ------
    NotFoundError
        For a level, point or brick that does not exist; other errors as `Pyramid.read`.
    """
    generation = pyramid.generation  # before the read: voxels may be newer than it, never older
    box, lengths = _cover(pyramid, level, point, index)
    stored = tuple(b + a for b, a in zip(pyramid.brick, pyramid.apron, strict=True))
    voxels = np.empty(stored, wire_dtype(pyramid.dtype))
    inside = voxels[tuple(map(slice, lengths))]
    flat = inside if pyramid.spatial == 3 else inside[0]
    pyramid.read_into(level, box, flat[(np.newaxis,) * len(point)], cancelled)
    least, most, constant = _extent(inside)
    if constant:
        payload: Array = inside[:1, :1, :1]
        flags = CONSTANT
    else:
        _repeat_border(voxels, lengths)
        payload = voxels
        flags = 0
    low, high = (0.0, 0.0) if pyramid.kind == "labels" else (float(least), float(most))
    header = HEADER.pack(volume, level, flags, 0, *index, generation, low, high)
    return b"".join((header, payload.data))


def failed_brick(
    volume: int, level: int, index: tuple[int, int, int], generation: int, notice: Notice
) -> bytes:
    """The message for a brick that could not be had; the payload says why."""
    header = HEADER.pack(volume, level, FAILED, 0, *index, generation, 0.0, 0.0)
    return header + msgspec.json.encode(notice)


def _cover(
    pyramid: Pyramid, level: int, point: tuple[int, ...], index: tuple[int, int, int]
) -> tuple[Box, tuple[int, int, int]]:
    """The box of voxels that a brick holds, and its lengths (z, y, x); checks the address."""
    if not 0 <= level < len(pyramid.levels):
        raise NotFoundError(f"There is no level {level}; there are 0 to {len(pyramid.levels) - 1}.")
    shape = pyramid.levels[level].shape
    leading = len(shape) - pyramid.spatial
    if len(point) != leading or not all(
        0 <= i < n for i, n in zip(point, shape[:leading], strict=True)
    ):
        raise NotFoundError(f"{point} is no index into leading axes of shape {shape[:leading]}.")
    flat = 3 - pyramid.spatial
    extent = (1,) * flat + shape[leading:]
    start, stop = [], []
    for i, brick, apron, n in zip(index, pyramid.brick, pyramid.apron, extent, strict=True):
        if not 0 <= i * brick < n:
            raise NotFoundError(f"There is no brick {index} in level {level} of shape {shape}.")
        start.append(i * brick)
        stop.append(min(i * brick + brick + apron, n))
    lengths = (stop[0] - start[0], stop[1] - start[1], stop[2] - start[2])
    box = Box(point + tuple(start[flat:]), tuple(i + 1 for i in point) + tuple(stop[flat:]))
    return box, lengths


def _extent(voxels: Array) -> tuple[Any, Any, bool]:
    """Least and greatest value, NaN ignored (NaN if there is nothing else); all voxels equal?"""
    least, most = voxels.min(), voxels.max()
    if least == most:
        return least, most, True
    if least == least:
        return least, most, False
    least, most = np.fmin.reduce(voxels, axis=None), np.fmax.reduce(voxels, axis=None)
    return least, most, bool(least != least)


def _repeat_border(voxels: Array, lengths: tuple[int, int, int]) -> None:
    z, y, x = lengths
    if x < voxels.shape[2]:
        voxels[:z, :y, x:] = voxels[:z, :y, x - 1 : x]
    if y < voxels.shape[1]:
        voxels[:z, y:] = voxels[:z, y - 1 : y]
    if z < voxels.shape[0]:
        voxels[z:] = voxels[z - 1 : z]
