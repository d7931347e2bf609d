"""Blocks in memory: least recently used go first, and nothing is computed twice at once.

One cache serves all layers, under one budget. Each layer's pyramid has a `Partition` of it, and a
refresh replaces the partition by a fresh one: whatever is still being computed from the old data
finds its partition closed and is handed to those who wait for it, but never stored.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

import numpy as np

from viewer.errors import CancelledError, ViewerError
from viewer.policy import POLICY
from viewer.sources.protocol import Array


class Sized(Protocol):
    """What can be kept: an array, a mesh, an index."""

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""


T = TypeVar("T", bound=Sized)

POLL_SECONDS = 0.02
"""How often somebody who waits for another's computation looks whether he is cancelled."""


class BlockCache(Generic[T]):
    """Values by key under a budget of bytes, shared by all partitions.

    Parameters
    ----------
    limit : int
        Bytes kept at most.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.bytes = 0
        self._lock = threading.Lock()
        self._entries: OrderedDict[tuple[Partition[T], Hashable], T] = OrderedDict()

    def partition(self) -> Partition[T]:
        """A fresh part of this cache for one generation of one pyramid."""
        return Partition(self)

    def get(self, partition: Partition[T], key: Hashable) -> T | None:
        """The block, made the most recently used, or None."""
        with self._lock:
            block = self._entries.get((partition, key))
            if block is not None:
                self._entries.move_to_end((partition, key))
            return block

    def put(self, partition: Partition[T], key: Hashable, block: T) -> None:
        """Keep a block, unless its partition is closed or it alone exceeds the budget."""
        with self._lock:
            if partition.closed or block.nbytes > self.limit or (partition, key) in self._entries:
                return
            self._entries[partition, key] = block
            partition.keys.add(key)
            self.bytes += block.nbytes
            while self.bytes > self.limit:
                (owner, old), evicted = self._entries.popitem(last=False)
                owner.keys.discard(old)
                self.bytes -= evicted.nbytes

    def drop(self, partition: Partition[T]) -> int:
        """Close a partition and forget its blocks; returns how many bytes that were."""
        with self._lock:
            before = self.bytes
            partition.closed = True
            for key in partition.keys:
                self.bytes -= self._entries.pop((partition, key)).nbytes
            partition.keys.clear()
            return before - self.bytes


class _Flight(Generic[T]):
    """A computation under way, and what came of it."""

    __slots__ = ("block", "error", "landed")

    def __init__(self) -> None:
        self.landed = threading.Event()
        self.block: T | None = None
        self.error: tuple[type[ViewerError], str, str] | None = None


class Partition(Generic[T]):
    """One pyramid's part of the cache, for one generation of its data."""

    def __init__(self, cache: BlockCache[T]) -> None:
        self._cache = cache
        self._flights: dict[Hashable, _Flight[T]] = {}
        self._lock = threading.Lock()
        self.closed = False
        self.keys: set[Hashable] = set()

    def get(
        self,
        key: Hashable,
        make: Callable[[], T],
        cancelled: Callable[[], bool] | None = None,
    ) -> T:
        """The block of this key, made by one caller while the others wait.

        Parameters
        ----------
        key : hashable
            Names the block within the partition.
        make : callable
            Computes it; must not ask for the same key again.
        cancelled : callable, optional
            Tells whether the caller has lost interest.

        Returns
        -------
        object
            Shared; an array is made read-only.
        """
        while True:
            block = self._cache.get(self, key)
            if block is not None:
                return block
            with self._lock:
                flight = self._flights.get(key)
                mine = flight is None
                if flight is None:
                    flight = self._flights[key] = _Flight()
            if mine:
                return self._fly(key, flight, make)
            while not flight.landed.wait(POLL_SECONDS if cancelled else None):
                if cancelled and cancelled():
                    raise CancelledError("Nobody waits for this block any more.")
            if flight.block is not None:
                return flight.block
            if flight.error is not None:
                # A new error each: a shared one would grow by everybody's traceback.
                cls, message, hint = flight.error
                raise cls(message, hint=hint)
            # Its computer was cancelled or broke down: have a go ourselves.

    def _fly(self, key: Hashable, flight: _Flight[T], make: Callable[[], T]) -> T:
        try:
            # Between our look into the cache and taking off, another flight may have landed.
            block = self._cache.get(self, key)
            if block is None:
                block = make()
                if isinstance(block, np.ndarray):
                    block.flags.writeable = False
                self._cache.put(self, key, block)
            flight.block = block
            return block
        except CancelledError:
            raise
        except ViewerError as error:
            flight.error = (type(error), error.message, error.hint)
            raise
        finally:
            with self._lock:
                self._flights.pop(key, None)
            flight.landed.set()

    def close(self) -> int:
        """Forget all blocks, and store none that are still being computed; returns their bytes."""
        return self._cache.drop(self)


def give_memory_back() -> None:
    """Hand memory that is free back to the system, where the C library keeps it (glibc does).

    It takes up to a tenth of a second a GiB, so it is done in a thread; else the memory of a
    removed layer, in blocks of 256 KiB, would count as Python's until the end.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        with suppress(RuntimeError):  # Python is about to end
            threading.Thread(target=trim, args=(0,), name="voxelview-trim", daemon=True).start()


CACHE: BlockCache[Array] = BlockCache(POLICY.cache_bytes)
"""The cache of the process."""
