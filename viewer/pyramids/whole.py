"""The coarse levels of an array in memory, made at once in the background.

Reading memory is cheap: all levels above the array's own take little longer than one pass over it.
So they are not made block by block when somebody asks, but whole, from the moment the array is
added, slab by slab, each level from the one below while that is still in the processor's caches.
"""

from __future__ import annotations

import itertools
import math
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from viewer.cache import BlockCache
from viewer.errors import ViewerError
from viewer.policy import MIB
from viewer.pyramids.levels import made_of, plan_factors, project
from viewer.pyramids.transfer import prepare
from viewer.sources.protocol import Array, Source
from viewer.space import Box
from viewer.state import Level

SLAB_BYTES = 16 * MIB
"""Bytes of the array taken at once: so long does `close` wait at most, a few milliseconds."""

UPDATED_BYTES = 256 * MIB
"""Bytes. A larger region is not brought up to date at once, but all levels made anew."""

HEAD_START_SECONDS = 0.3
"""How long the first levels of a process wait for somebody who needs them, before they are made
unasked: importing the compiler holds the interpreter, and a page may just be loading."""

Kind = Literal["image", "labels"]

_TURN = threading.Lock()
"""Held by the one thread that is at work: its kernel uses all cores."""


class WholeLevels:
    """Levels `first` and above of an array in memory.

    Parameters
    ----------
    source : Source
        Whose ``read(0, box)`` gives views.
    kind : {"image", "labels"}
    levels : sequence of Level
        All of the pyramid.
    first : int
        The finest to be made, 1 or more.
    on_ready : callable
        Called on the thread that made them, once they are there.
    """

    def __init__(
        self,
        source: Source,
        kind: Kind,
        levels: Sequence[Level],
        first: int,
        on_ready: Callable[[WholeLevels], None],
    ) -> None:
        self.first = first
        self.ready = False
        self.over = False
        """Whether nothing more will come of it: made and announced, or given up."""
        self._source = source
        self._kind: Kind = kind
        self._levels = tuple(levels)
        self._factors = [plan_factors(a, b) for a, b in itertools.pairwise(self._levels)]
        self._arrays: dict[int, Array] = {}
        self._on_ready = on_ready
        self._cancelled = False
        self._ended = threading.Event()
        self._wanted = threading.Event()
        self._books = threading.Lock()
        self._changed: list[Box] = []  # while they are made
        self._at_work = threading.Lock()  # held while views of the array are in use

    @property
    def nbytes(self) -> int:
        """Bytes of the levels, made or not."""
        return whole_bytes(self._levels, self.first, self._source.dtype)

    def start(self) -> None:
        """Make them, in a thread."""
        threading.Thread(target=self._run, name="voxelview-levels", daemon=True).start()

    def wait(self, seconds: float, cancelled: Callable[[], bool] | None = None) -> bool:
        """Wait until they are made, but not longer than so; whether they are."""
        self._wanted.set()
        deadline = time.monotonic() + seconds
        while not (self._ended.wait(0.01) or (cancelled is not None and cancelled())):
            if time.monotonic() > deadline:
                break
        return self.ready

    def read(self, level: int, box: Box) -> Array:
        """A view of a level that is made."""
        return self._arrays[level][box.slices]

    def update(self, box: Box, source: Source | None = None) -> bool:
        """Bring the levels up to date after a box of level 0 has changed.

        Parameters
        ----------
        box : Box
        source : Source, optional
            Of the array from now on; default the same.

        Returns
        -------
        bool
            False where that would take long or cannot be done: make new ones.
        """
        self._source = source or self._source
        wanted = project(self._levels, 1, self.first, box)
        below = self._finest(wanted)
        if math.prod(below.shape) * self._source.dtype.itemsize > UPDATED_BYTES:
            return False
        with self._books:
            if not self.ready:
                self._changed.append(box)
                return not self._ended.is_set()
        try:
            self._renew(box, wanted, self._source.read(0, below))
        except ViewerError:
            return False
        return True

    def _renew(self, box: Box, wanted: Box, part: Array) -> None:
        self._cascade(part, wanted)
        for level in range(self.first + 1, len(self._levels)):
            wanted = project(self._levels, 1, level, box)
            part = self._arrays[level - 1][self._below(level, wanted).slices]
            self._halved(part, level, self._arrays[level][wanted.slices])

    def _cascade(self, part: Array, box: Box) -> None:
        """From what a box of level `first` is made of to that box."""
        for level in range(1, self.first):
            part = self._halved(part, level)
        self._halved(part, self.first, self._arrays[self.first][box.slices])

    def cancel(self) -> None:
        """Give up; afterwards the array is in use no more."""
        self._cancelled = True
        self._wanted.set()
        with self._at_work:
            pass

    def _run(self) -> None:
        if "viewer.kernels.downsample" not in sys.modules:
            self._wanted.wait(HEAD_START_SECONDS)
        try:
            while not _TURN.acquire(timeout=0.1):
                if self._cancelled:
                    return
            try:
                self._make()
            finally:
                _TURN.release()
            self._finish()
        except ViewerError:  # the array was closed, or fails: who reads it will be told
            return
        finally:
            self._ended.set()
            if self.ready:
                self._on_ready(self)
            self.over = True
            if self.ready:
                prepare()  # Numba is there, and nobody waits

    def _finish(self) -> None:
        """Bring up to date what has changed meanwhile."""
        while not self._cancelled:
            with self._books:
                if not self._changed:
                    self.ready = True
                    return
                box = self._changed.pop()
            with self._at_work:
                if not self._cancelled:
                    wanted = project(self._levels, 1, self.first, box)
                    self._renew(box, wanted, self._source.read(0, self._finest(wanted)))

    def _make(self) -> None:
        dtype, first = self._source.dtype, self.first
        # Compiled, if it must be, before the array is in use.
        tiny = np.zeros((2,) * len(self._levels[0].shape), dtype)
        self._halved(tiny, 1)
        self._arrays = {
            level: np.empty(self._levels[level].shape, dtype)
            for level in range(first, len(self._levels))
        }
        for box in plan_passes(self._levels, self._factors[:first], dtype.itemsize):
            with self._at_work:
                if self._cancelled:
                    return
                self._cascade(self._source.read(0, self._finest(box)), box)
        for level in range(first + 1, len(self._levels)):
            if self._cancelled:
                return
            self._halved(self._arrays[level - 1], level, self._arrays[level])

    def _finest(self, box: Box) -> Box:
        """The voxels of level 0 that a box of level `first` is made of."""
        for level in reversed(range(self.first)):
            box = self._below(level + 1, box)
        return box

    def _below(self, level: int, box: Box) -> Box:
        """The voxels of the level below that a box of this level is made of."""
        return made_of(box, self._factors[level - 1], self._levels[level - 1].shape)

    def _halved(self, data: Array, level: int, out: Array | None = None) -> Array:
        from viewer.kernels.downsample import halve

        # On all cores only what takes longer than starting threads.
        threads = 1 if data.nbytes < SLAB_BYTES // 2 else None
        return halve(data, self._kind, self._factors[level - 1], out=out, threads=threads)


def plan_passes(
    levels: Sequence[Level], factors: Sequence[Sequence[int]], itemsize: int
) -> list[Box]:
    """Boxes that cover level ``len(factors)``, each made of about `SLAB_BYTES` of level 0."""
    shape = levels[len(factors)].shape
    cell = list(shape)
    ratio = math.prod(math.prod(f) for f in factors)
    for axis in range(len(shape)):
        others = math.prod(cell) // cell[axis]
        cell[axis] = min(shape[axis], max(1, SLAB_BYTES // (others * ratio * itemsize)))
        if cell[axis] > 1:
            break
    return [Box.of_cell(index, tuple(cell), shape) for index in Box.whole(shape).cells(tuple(cell))]


def whole_bytes(levels: Sequence[Level], first: int, dtype: np.dtype[Any]) -> int:
    """Bytes of level `first` and all above it."""
    return sum(math.prod(level.shape) for level in levels[first:]) * dtype.itemsize


def plan_first(levels: Sequence[Level], dtype: np.dtype[Any], cache: BlockCache[Any]) -> int | None:
    """The finest level from which on all fit half of what the cache has; None for none."""
    for first in range(1, len(levels)):
        if whole_bytes(levels, first, dtype) <= (cache.limit - cache.reserved) // 2:
            return first
    return None
