"""Blocks in memory: least recently used go first, and nothing is computed twice at once.

One cache serves all layers, under one budget. Each layer's pyramid has a `Partition` of it. When
the data has changed, `Partition.drop` forgets what the change touches, and whatever of it is being
computed from the old data: that is handed to those who wait for it already, but to nobody who asks
later, and never stored.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

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
        self.reserved = 0
        """Bytes of the budget that are used elsewhere."""
        self.lock = threading.Lock()
        """Held, and only for a moment, by whoever looks at entries, keys or flights."""
        self._entries: OrderedDict[tuple[Partition[T], Hashable], T] = OrderedDict()

    def partition(self) -> Partition[T]:
        """A fresh part of this cache, for one pyramid."""
        return Partition(self)

    def resize(self, limit: int) -> None:
        """Change the budget; what does not fit goes at once."""
        with self.lock:
            self.limit = limit
            self._evict()

    def clear(self) -> None:
        """Forget all blocks."""
        with self.lock:
            for partition, key in self._entries:
                partition.keys.discard(key)
            self._entries.clear()
            self.bytes = 0

    def reserve(self, count: int) -> None:
        """Take so many bytes off the budget, or give them back when negative."""
        with self.lock:
            self.reserved += count
            self._evict()

    def find(self, partition: Partition[T], key: Hashable) -> T | None:
        """The block, made the most recently used, or None; the lock must be held."""
        place = (partition, key)
        block = self._entries.get(place)
        if block is not None:
            self._entries.move_to_end(place)
        return block

    def keep(self, partition: Partition[T], key: Hashable, block: T) -> None:
        """Keep a block, unless it alone exceeds the budget; the lock must be held."""
        if block.nbytes > self.limit - self.reserved or (partition, key) in self._entries:
            return
        self._entries[partition, key] = block
        partition.keys.add(key)
        self.bytes += block.nbytes
        self._evict()

    def forget(self, partition: Partition[T], keys: Iterable[Hashable]) -> int:
        """Drop these blocks and return their bytes; the lock must be held."""
        before = self.bytes
        for key in keys:
            self.bytes -= self._entries.pop((partition, key)).nbytes
            partition.keys.discard(key)
        return before - self.bytes

    def _evict(self) -> None:
        while self._entries and self.bytes > self.limit - self.reserved:
            (owner, old), evicted = self._entries.popitem(last=False)
            owner.keys.discard(old)
            self.bytes -= evicted.nbytes


class _Flight(Generic[T]):
    """A computation under way, and what came of it."""

    __slots__ = ("block", "error", "landed", "stale")

    def __init__(self) -> None:
        self.landed = threading.Event()
        self.stale = False
        self.block: T | None = None
        self.error: tuple[type[ViewerError], str, str] | None = None


class Partition(Generic[T]):
    """One pyramid's part of the cache."""

    def __init__(self, cache: BlockCache[T]) -> None:
        self._cache = cache
        self._flights: dict[Hashable, _Flight[T]] = {}
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
            with self._cache.lock:
                block = self._cache.find(self, key)
                if block is not None:
                    return block
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

    def peek(self, key: Hashable) -> T | None:
        """The block of this key if it is there."""
        with self._cache.lock:
            return self._cache.find(self, key)

    def has(self, key: Hashable) -> bool:
        """Whether the block of this key is there; that is no use of it."""
        return key in self.keys

    def is_under_way(self, key: Hashable) -> bool:
        """Whether somebody is making the block of this key."""
        return key in self._flights

    def put(self, key: Hashable, block: T) -> None:
        """Keep a block that was made without being asked for."""
        if isinstance(block, np.ndarray):
            block.flags.writeable = False
        with self._cache.lock:
            if not self.closed:
                self._cache.keep(self, key, block)

    def _fly(self, key: Hashable, flight: _Flight[T], make: Callable[[], T]) -> T:
        try:
            block = make()
            if isinstance(block, np.ndarray):
                block.flags.writeable = False
            with self._cache.lock:
                if not (flight.stale or self.closed):
                    self._cache.keep(self, key, block)
            flight.block = block
            return block
        except CancelledError:
            raise
        except ViewerError as error:
            flight.error = (type(error), error.message, error.hint)
            raise
        finally:
            with self._cache.lock:
                if self._flights.get(key) is flight:
                    del self._flights[key]
            flight.landed.set()

    def drop(self, touched: Callable[[Any], bool]) -> int:
        """Forget the blocks whose key is `touched`, in the cache and under way; their bytes.

        Whoever asks from now on gets a block that was begun after this.
        """
        with self._cache.lock:
            for key in [key for key in self._flights if touched(key)]:
                self._flights.pop(key).stale = True
            return self._cache.forget(self, [key for key in self.keys if touched(key)])

    def close(self) -> int:
        """Forget all blocks, and store none that are still being computed; returns their bytes."""
        with self._cache.lock:
            self.closed = True
            return self._cache.forget(self, list(self.keys))


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
