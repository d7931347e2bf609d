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
- ``{"type": "want", "generation": 12, "taken": 81920, "bricks": [5, 2, 0, 0, 1, …]}``: all bricks
  wanted now, best first, five integers each: volume, level, and index (z, y, x) in bricks. It
  replaces the former list: what is not in the new one is dropped, unless it is already on its way.
  `taken` tells how many bytes of brick messages the page had taken off the stream, since the
  connection began, when it made the list. So the server knows which of these bricks are on their
  way: those are not sent again, but for what has changed since. All others are, as often as they
  are wanted.
- ``{"type": "narrow", "bytes": 500000}``: first of all, from a page that has seen by its own files
  that little comes in a second: so many bytes of bricks at once are enough until it is measured.
- ``{"type": "credit", "taken": 65536}``: that number alone, while there is no new list. The server
  keeps as much unacknowledged as the page takes in two round trips and a tenth of a second, by
  its own measurement.

Server to page, binary, little-endian: one or more bricks of one volume a message, each at a
multiple of 8 bytes from its beginning:

| offset | type | what |
|---|---|---|
| 0 | uint32 | volume |
| 4 | uint8 | level |
| 5 | uint8 | flags: 1 constant (payload is one voxel), 2 failed (payload is JSON `Notice`) |
| 6 | uint16 | 0; or 2 or 4 if the labels travel as unsigned integers of so many bytes |
| 8 | uint32 × 3 | index (z, y, x) in bricks |
| 20 | uint32 | data generation (`Data.generation`) that the voxels are of |
| 24 | float64 | least value in the brick, NaN ignored (images; 0 for labels) |
| 32 | float64 | greatest value |
| 40 | uint32 | bytes of payload |
| 44 | uint32 | 0 (reserved) |
| 48 | … | payload: voxels, x fastest, of the dtype below; zeros up to a multiple of 8 |

Over a network messages that shrink by it are compressed (permessage-deflate, RFC 7692); `taken`
counts their bytes as the page sees them.

On the wire bool travels as uint8 and float16 as float32 (exact); all other dtypes as they are, but
for labels of 4 and 8 bytes: mostly they count from one, so a brick of them travels in as few bytes
as its own values need.
A brick wanted of a volume or index that does not exist comes back failed, as does one whose
source failed to be read; the page decides when to ask again.
"""

from __future__ import annotations

import math
import struct
from functools import cache
from typing import Any

import msgspec
import numpy as np

from viewer.errors import NotFoundError
from viewer.messages import Notice
from viewer.pyramids.pyramid import Cancelled, Key, Pyramid
from viewer.sources.protocol import Array
from viewer.space import Box

HEADER = struct.Struct("<IBBHIIIIddII")
"""What stands before a brick's payload, 48 bytes."""

ALIGNMENT = 8
"""Bytes. Bricks begin at multiples of it, so that the page can look at any voxels in place."""

CONSTANT = 1
FAILED = 2


@cache
def wire_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """What a brick's voxels travel as, for a layer of this dtype."""
    if dtype.kind == "b":
        return np.dtype("<u1")
    if dtype == np.float16:
        return np.dtype("<f4")
    return dtype.newbyteorder("<")


_NARROW = ((1 << 16, np.dtype("<u2")), (1 << 32, np.dtype("<u4")))
"""What labels below so much fit in."""


def narrow_dtype(dtype: np.dtype[Any], least: Any, most: Any) -> np.dtype[Any] | None:
    """What the labels of a brick travel as in fewer bytes than `dtype` has; None if they cannot.

    Signed ones of 4 bytes do not: the page's shaders tell negative ones by the dtype.
    """
    if dtype.itemsize < 4 or (dtype.kind == "i" and dtype.itemsize == 4) or least < 0:
        return None
    for end, narrow in _NARROW:
        if most < end and narrow.itemsize < dtype.itemsize:
            return narrow
    return None


def record_bytes(pyramid: Pyramid) -> int:
    """Bytes that a brick takes in a message, at most (unless it failed)."""
    voxels = math.prod(b + a for b, a in zip(pyramid.brick, pyramid.apron, strict=True))
    return _aligned(HEADER.size + voxels * wire_dtype(pyramid.dtype).itemsize)


def write_brick(
    buffer: bytearray,
    at: int,
    pyramid: Pyramid,
    volume: int,
    level: int,
    point: tuple[int, ...],
    index: tuple[int, int, int],
    cancelled: Cancelled | None = None,
) -> int:
    """Write one brick into a message; returns where it ends.

    Parameters
    ----------
    buffer : bytearray
        The message; `record_bytes` of it are needed.
    at : int
        Where the brick begins, a multiple of `ALIGNMENT`.
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
    (bz, by, bx), (az, ay, ax) = pyramid.brick, pyramid.apron
    first = at + HEADER.size
    dtype = wire_dtype(pyramid.dtype)
    voxels: Array = np.ndarray((bz + az, by + ay, bx + ax), dtype, buffer, first)
    inside = voxels[: lengths[0], : lengths[1], : lengths[2]]
    flat = inside if pyramid.spatial == 3 else inside[0]
    # A page hears of exact voxels, when they have come, and asks again.
    target = flat[(np.newaxis,) * len(point)] if point else flat
    pyramid.read_into(level, box, target, cancelled, soon=True)
    least, most, constant = _extent(inside)
    labels = pyramid.kind == "labels"
    flags = bytes_each = 0
    if constant:
        size, flags = voxels.itemsize, CONSTANT
    else:
        _repeat_border(voxels, lengths)
        narrow = narrow_dtype(dtype, least, most) if labels else None
        if narrow is not None:
            # Over what it is made of: NumPy sees that and copies first.
            np.ndarray(voxels.shape, narrow, buffer, first)[...] = voxels
            bytes_each = narrow.itemsize
        size = voxels.size * (bytes_each or voxels.itemsize)
    low, high = (0.0, 0.0) if labels else (float(least), float(most))
    HEADER.pack_into(
        buffer, at, volume, level, flags, bytes_each, *index, generation, low, high, size, 0
    )
    end = _aligned(first + size)
    buffer[first + size : end] = bytes(end - first - size)
    return end


def read_brick(
    pyramid: Pyramid, volume: int, level: int, point: tuple[int, ...], index: tuple[int, int, int]
) -> bytes:
    """A message of one brick; parameters and errors as `write_brick`."""
    buffer = bytearray(record_bytes(pyramid))
    end = write_brick(buffer, 0, pyramid, volume, level, point, index)
    return bytes(buffer[:end])


def is_current(
    pyramid: Pyramid, level: int, point: tuple[int, ...], index: tuple[int, int, int], since: int
) -> bool:
    """Whether a brick that was read at generation `since` is as it would be read now."""
    try:
        box, _ = _cover(pyramid, level, point, index)
    except NotFoundError:
        return True
    return pyramid.generation_of(level, box, since) <= since


def awaited(
    pyramid: Pyramid, level: int, point: tuple[int, ...], index: tuple[int, int, int]
) -> Key | None:
    """What must be read or made before a brick can be; see `Pyramid.awaited`."""
    try:
        box, _ = _cover(pyramid, level, point, index)
    except NotFoundError:
        return None
    return pyramid.awaited(level, box)


def failed_brick(
    volume: int, level: int, index: tuple[int, int, int], generation: int, notice: Notice
) -> bytes:
    """The message for a brick that could not be had; the payload says why."""
    text = msgspec.json.encode(notice)
    size = len(text)
    header = HEADER.pack(volume, level, FAILED, 0, *index, generation, 0.0, 0.0, size, 0)
    return header + text.ljust(_aligned(size), b"\0")


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _cover(
    pyramid: Pyramid, level: int, point: tuple[int, ...], index: tuple[int, int, int]
) -> tuple[Box, tuple[int, int, int]]:
    """The box of voxels that a brick holds, and its lengths (z, y, x); checks the address."""
    if not 0 <= level < len(pyramid.levels):
        raise NotFoundError(f"There is no level {level}; there are 0 to {len(pyramid.levels) - 1}.")
    shape = pyramid.levels[level].shape
    leading = len(shape) - pyramid.spatial
    if len(point) != leading or (
        leading and not all(0 <= i < n for i, n in zip(point, shape[:leading], strict=True))
    ):
        raise NotFoundError(f"{point} is no index into leading axes of shape {shape[:leading]}.")
    flat = 3 - pyramid.spatial
    extent = shape[leading:] if flat == 0 else (1,) * flat + shape[leading:]
    bricks, aprons = pyramid.brick, pyramid.apron
    start, stop = list(point), [i + 1 for i in point]
    lengths = [1, 1, 1]
    for axis in range(3):
        n, brick = extent[axis], bricks[axis]
        first = index[axis] * brick
        if not 0 <= first < n:
            raise NotFoundError(f"There is no brick {index} in level {level} of shape {shape}.")
        last = min(first + brick + aprons[axis], n)
        lengths[axis] = last - first
        if axis >= flat:
            start.append(first)
            stop.append(last)
    return Box(tuple(start), tuple(stop)), (lengths[0], lengths[1], lengths[2])


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
