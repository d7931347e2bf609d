"""Values as they travel between processes: JSON, and arrays beside it.

What JSON cannot say is an object with one key that begins with ``$``:

=====================================  ============================================
``{"$array": 3}``                      the array that came before, with this number
``{"$tuple": […]}``, ``{"$set": […]}``  a tuple, a set
``{"$dict": [[key, value], …]}``       a dict whose keys are not all plain strings
``{"$slice": [start, stop, step]}``    a slice
``{"$ellipsis": true}``                ``...``
``{"$float": "nan"}``                  ``"inf"``, ``"-inf"`` and ``"nan"``
``{"$layer": "l3"}``                   a layer, by its id
``{"$path": "/data/x.h5"}``            a path
``{"$notice": {…}}``                   a `viewer.messages.Notice`
=====================================  ============================================

An array travels as pieces, `viewer.messages.Piece`, one binary frame each, so that neither side
ever holds more of it twice than a piece, and other messages pass in between.
"""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from typing import Any

import msgspec
import numpy as np

from viewer.errors import InvalidValueError, TooLargeError, UnsupportedDataError
from viewer.messages import Notice, Piece

PIECE_BYTES = 768 << 10
"""Bytes of voxels in one frame: below `Policy.body_bytes` also where nothing compresses."""

KINDS = "biufcSUV"
"""Kinds of dtypes that travel: numbers, text and records of them."""

SLAB_VOXELS = 1 << 24
"""Voxels of a slab as thick as a source's chunks, read at once, at most."""

SMALL_BYTES = 1 << 10
"""Bytes. Below, compressing saves nothing."""


class Encoder:
    """Turns values into JSON, and keeps the arrays that must travel before.

    Parameters
    ----------
    number : callable
        Gives each array its number.
    """

    def __init__(self, number: Callable[[], int]) -> None:
        self._number = number
        self.arrays: dict[int, Any] = {}

    def encode(self, value: Any) -> Any:
        """`value` as JSON-like builtins.

        Raises
        ------
        UnsupportedDataError
            For what does not travel.
        """
        match value:
            case None | bool() | str():
                return value
            case np.generic():
                return self.encode(value.item())
            case int() if -(2**63) <= value < 2**64:
                return int(value)
            case float():
                return float(value) if math.isfinite(value) else {"$float": repr(float(value))}
            case list():
                return [self.encode(item) for item in value]
            case tuple():
                return {"$tuple": [self.encode(item) for item in value]}
            case set() | frozenset():
                return {"$set": [self.encode(item) for item in value]}
            case dict():
                if all(isinstance(key, str) and not key.startswith("$") for key in value):
                    return {key: self.encode(item) for key, item in value.items()}
                return {"$dict": [[self.encode(k), self.encode(v)] for k, v in value.items()]}
            case slice():
                return {"$slice": [self.encode(e) for e in (value.start, value.stop, value.step)]}
            case PurePath():
                return {"$path": str(value)}
            case Notice():
                return {"$notice": msgspec.to_builtins(value)}
        if value is Ellipsis:
            return {"$ellipsis": True}
        if isinstance(getattr(value, "id", None), str) and hasattr(value, "zarr_url"):
            return {"$layer": value.id}
        if _is_array(value):
            number = self._number()
            self.arrays[number] = value
            return {"$array": number}
        if hasattr(value, "items") and hasattr(value, "keys"):
            return self.encode(dict(value.items()))
        if hasattr(value, "__iter__") and hasattr(value, "__len__"):
            return self.encode(set(value) if hasattr(value, "isdisjoint") else list(value))
        raise UnsupportedDataError(
            f"{type(value).__name__} objects do not travel to another process.",
            hint="Numbers, text, lists, dicts, slices, arrays and layers do.",
        )


def decode(value: Any, array: Callable[[int], Any], layer: Callable[[str], Any]) -> Any:
    """What `Encoder.encode` was given.

    Parameters
    ----------
    value : JSON-like builtins
    array, layer : callable
        Find an array by its number, and a layer by its id.

    Raises
    ------
    InvalidValueError
        For what is no value.
    """

    def each(item: Any) -> Any:
        return decode(item, array, layer)

    if isinstance(value, list):
        return [each(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) != 1 or not next(iter(value)).startswith("$"):
        return {key: each(item) for key, item in value.items()}
    ((tag, inner),) = value.items()
    try:
        match tag:
            case "$array":
                return array(int(inner))
            case "$tuple":
                return tuple(each(item) for item in inner)
            case "$set":
                return {each(item) for item in inner}
            case "$dict":
                return {each(key): each(item) for key, item in inner}
            case "$slice":
                return slice(*(each(item) for item in inner))
            case "$ellipsis":
                return ...
            case "$float":
                return float(inner)
            case "$layer":
                return layer(str(inner))
            case "$path":
                return Path(inner)
            case "$notice":
                return msgspec.convert(inner, Notice)
    except (TypeError, ValueError) as error:
        if isinstance(error, InvalidValueError):
            raise
        raise InvalidValueError(f"{{{tag!r}: …}} is no value: {error}.") from None
    raise InvalidValueError(f"{tag!r} is no kind of value.", hint="See docs/wire.md.")


def pieces(number: int, data: Any, *, compress: bool = True) -> Iterator[Piece]:
    """An array in pieces, in C order, read from front to back and never as a whole.

    Parameters
    ----------
    number : int
        Its number on the connection.
    data : array
        Has ``shape``, ``dtype`` and ``data[slices]``.
    compress : bool, default True
        With zstd, where that makes a piece smaller.

    Raises
    ------
    UnsupportedDataError
        For a dtype that does not travel, as Python objects.
    """
    dtype = np.dtype(data.dtype)
    if dtype.hasobject or dtype.kind not in KINDS:
        raise UnsupportedDataError(
            f"Arrays of dtype {dtype} do not travel to another process.",
            hint="Numbers do: data.astype(float).",
        )
    shape = tuple(int(n) for n in data.shape)
    described = dtype.descr if dtype.names else dtype.str
    total = math.prod(shape) * dtype.itemsize
    offset = 0
    for part in _slabs(data, shape, max(PIECE_BYTES // max(dtype.itemsize, 1), 1)):
        slab = np.ascontiguousarray(part, dtype=dtype)
        flat = slab.reshape(-1).view(np.uint8) if slab.nbytes else np.empty(0, np.uint8)
        for start in range(0, max(len(flat), 1), PIECE_BYTES):
            raw = flat[start : start + PIECE_BYTES].tobytes()
            body, coding = _compressed(raw, compress)
            yield Piece(number, described, shape, total, offset + start, len(raw), coding, body)
        offset += len(flat)


class Arrays:
    """Arrays that come in pieces, until somebody takes them.

    Parameters
    ----------
    budget : Budget, optional
        What they may take in memory, also after they were taken.
    """

    def __init__(self, budget: Budget | None = None) -> None:
        self._budget = budget
        self._arrays: dict[int, tuple[Any, int]] = {}
        self._lock = threading.Lock()

    def receive(self, piece: Piece) -> None:
        """Put a piece where it belongs; pieces of one array come in order.

        Raises
        ------
        InvalidValueError
            For a piece that does not fit.
        TooLargeError
            For more than the budget allows.
        """
        with self._lock:
            if piece.offset == 0 and piece.array not in self._arrays:
                self._arrays[piece.array] = (self._room(piece), 0)
            array, filled = self._arrays.get(piece.array, (None, -1))
        if filled != piece.offset:
            raise InvalidValueError(
                f"A piece of array {piece.array} begins at byte {piece.offset}, not {filled}.",
                hint="Send the pieces of an array in order.",
            )
        body = _expanded(piece)
        flat = array.reshape(-1).view(np.uint8) if array.nbytes else np.empty(0, np.uint8)
        if len(body) > min(flat.size - filled, PIECE_BYTES):
            raise InvalidValueError(f"A piece of array {piece.array} is too long.")
        flat[filled : filled + len(body)] = np.frombuffer(body, np.uint8)
        with self._lock:
            self._arrays[piece.array] = (array, filled + len(body))

    def take(self, number: int) -> Any:
        """The array of this number, once.

        Raises
        ------
        InvalidValueError
            When it has not come as a whole.
        """
        with self._lock:
            array, filled = self._arrays.pop(number, (None, 0))
        if array is None or filled < array.nbytes:
            raise InvalidValueError(
                f"Array {number} has not come as a whole.",
                hint="Send its pieces before the message that names it.",
            )
        return array

    def clear(self) -> None:
        """Let go of what nobody has taken."""
        with self._lock:
            self._arrays.clear()

    def _room(self, piece: Piece) -> Any:
        try:
            described: Any = piece.dtype
            if not isinstance(described, str):
                described = [tuple(_field(part) for part in field) for field in described]
            dtype = np.dtype(described)
            size = math.prod(piece.shape) * dtype.itemsize
        except (TypeError, ValueError) as error:
            raise InvalidValueError(f"dtype={piece.dtype!r} is none: {error}.") from None
        if dtype.hasobject or dtype.kind not in KINDS or not dtype.itemsize:
            raise InvalidValueError(f"dtype={piece.dtype!r} does not travel.")
        if size != piece.size or any(n < 0 for n in piece.shape) or len(piece.shape) > 32:
            raise InvalidValueError(f"Shape {piece.shape} of {dtype} has not {piece.size} bytes.")
        if self._budget is None:
            return np.empty(piece.shape, dtype)
        self._budget.take(size)
        try:
            array = np.empty(piece.shape, dtype)
        except MemoryError:
            self._budget.give(size)
            raise TooLargeError(f"There is no memory for {size:,} bytes.") from None
        # views keep the array itself alive, so this runs when the last of them is gone
        weakref.finalize(array, self._budget.give, size)
        return array


class Budget:
    """Bytes that arrays from other processes may take, all together."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """Bytes that they take now."""
        return self._taken

    def take(self, size: int) -> None:
        """Count `size` bytes more; `TooLargeError` where that is too much."""
        with self._lock:
            if self._taken + size > self._limit:
                raise TooLargeError(
                    f"{size:,} bytes more than the {self._taken:,} already sent to this viewer "
                    f"are too many: it takes {self._limit:,}.",
                    hint="Save the data where the viewer's computer can read it, and use "
                    "open(path); or remove layers.",
                )
            self._taken += size

    def give(self, size: int) -> None:
        """Count `size` bytes less."""
        with self._lock:
            self._taken -= size


def _is_array(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype") and hasattr(value, "__getitem__")


def _field(part: Any) -> Any:
    return tuple(part) if isinstance(part, list) else part


def _slabs(data: Any, shape: tuple[int, ...], voxels: int) -> Iterator[Any]:
    """Parts of `data` that follow each other in C order, of about so many voxels each."""
    if not shape or math.prod(shape) <= voxels:
        yield data[()] if not shape else np.asarray(data[(slice(None),) * len(shape)])
        return
    row = math.prod(shape[1:])
    if row > voxels and isinstance(data, np.ndarray):
        for part in data:
            yield from _slabs(part, shape[1:], voxels)
        return
    # stored chunks are read once each where a slab is as thick as they are
    chunk = (getattr(data, "chunks", None) or (1,))[0]
    chunk = chunk[0] if isinstance(chunk, tuple) else chunk
    step = max(voxels // row, 1)
    if chunk and chunk * row <= SLAB_VOXELS:
        step = max(step, int(chunk))
    for start in range(0, shape[0], step):
        stop = min(start + step, shape[0])
        yield np.asarray(data[(slice(start, stop), *(slice(None),) * (len(shape) - 1))])


def _compressed(body: bytes, compress: bool) -> tuple[bytes, str]:
    if compress and len(body) > SMALL_BYTES:
        from numcodecs.zstd import compress as zstd

        packed = bytes(zstd(body, 1))
        if len(packed) < len(body):
            return packed, "zstd"
    return body, ""


def _expanded(piece: Piece) -> bytes | bytearray:
    if not 0 <= piece.length <= PIECE_BYTES:
        raise InvalidValueError(
            f"A piece of {piece.length} bytes is too long.", hint=f"At most {PIECE_BYTES}."
        )
    if piece.coding == "":
        return piece.body
    if piece.coding != "zstd":
        raise InvalidValueError(f"coding={piece.coding!r} is not known.", hint="Use 'zstd' or ''.")
    from numcodecs.zstd import decompress

    # a frame of a few bytes could expand to gigabytes: the room it is given bounds it
    room = bytearray(piece.length)
    try:
        decompress(piece.body, room)
    except (RuntimeError, ValueError) as error:
        raise InvalidValueError(f"A piece of array {piece.array} is damaged: {error}.") from None
    return room
