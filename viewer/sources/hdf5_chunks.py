"""HDF5 chunks decoded by ourselves, so that the library's lock is held for reading bytes alone.

The library inflates a chunk while it holds the lock of the process: however many threads ask,
one works. For the common filters (gzip, with or without shuffle) the stored bytes are taken out
under the lock, and decoded outside, on as many threads as there are. Everything else goes the
library's way.
"""

from __future__ import annotations

import contextlib
import importlib
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from viewer.sources.protocol import Array

PLUGINS = {
    307: "bzip2",
    32001: "Blosc",
    32004: "LZ4",
    32008: "bitshuffle",
    32013: "ZFP",
    32015: "Zstandard",
    32017: "SZ",
    32026: "Blosc2",
}
"""Registered numbers of filters that hdf5plugin brings."""

_GZIP, _SHUFFLE = 1, 2
"""Numbers of filters, as the HDF5 format has them."""


@dataclass(frozen=True, slots=True)
class ChunkCoding:
    """How a dataset's chunks are stored."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    """Of the stored values, with their byte order."""
    filters: tuple[int, ...]
    """Numbers of the filters, in the order in which they were applied."""

    def decode(self, mask: int, stored: bytes) -> Array:
        """The voxels of a chunk.

        Parameters
        ----------
        mask : int
            Bit i is set where filter i was left out for this chunk.
        stored : bytes

        Raises
        ------
        ValueError, zlib.error
            For bytes that are no such chunk.
        """
        raw: Any = stored
        for position in reversed(range(len(self.filters))):
            if mask >> position & 1:
                continue
            if self.filters[position] == _GZIP:
                raw = zlib.decompress(raw, bufsize=self.nbytes)
            else:
                raw = _unshuffle(raw, self.dtype.itemsize)
        return np.frombuffer(raw, self.dtype).reshape(self.shape)

    @property
    def nbytes(self) -> int:
        """Size of a decoded chunk."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


def plan_coding(dataset: Any) -> ChunkCoding | None:
    """How the chunks of an ``h5py.Dataset`` can be decoded here; None where they cannot."""
    import h5py

    if dataset.chunks is None or not hasattr(dataset.id, "read_direct_chunk"):
        return None
    properties = dataset.id.get_create_plist()
    filters = tuple(properties.get_filter(i)[0] for i in range(properties.get_nfilters()))
    # without compression there is nothing to do outside of the lock
    if _GZIP not in filters or not {_GZIP, _SHUFFLE}.issuperset(filters):
        return None
    # values of odd widths or encodings are converted by the library
    if not h5py.h5t.py_create(dataset.dtype, logical=True).equal(dataset.id.get_type()):
        return None
    return ChunkCoding(tuple(map(int, dataset.chunks)), dataset.dtype, filters)


def missing_filters(dataset: Any) -> list[str]:
    """Names of the filters without which the chunks cannot be read, after looking for them.

    hdf5plugin has most of those that HDF5 has not; it only needs to be imported.
    """
    import h5py

    properties = dataset.id.get_create_plist()
    numbers = [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
    if not all(map(h5py.h5z.filter_avail, numbers)):
        with contextlib.suppress(ImportError):
            importlib.import_module("hdf5plugin")
    return [
        PLUGINS.get(number, f"number {number}")
        for number in numbers
        if not h5py.h5z.filter_avail(number)
    ]


def _unshuffle(shuffled: bytes, width: int) -> Any:
    """Bytes of values whose first bytes come first, then all second ones, and so on."""
    planes = np.frombuffer(shuffled, np.uint8).reshape(width, -1)
    if width <= 4:  # as numbers, which the processor puts together many at once
        values = planes[-1].astype(f"<u{width}")
        for plane in planes[-2::-1]:
            values <<= 8
            values |= plane
        return values
    separate = np.empty(planes.shape[::-1], np.uint8)
    for byte, plane in enumerate(planes):
        separate[:, byte] = plane
    return separate.reshape(-1)
