"""How a pyramid is built: into which pieces the work is cut, and how one is made.

A `Recipe` can be sent to other processes: a worker opens the source once and makes boxes of chunks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from viewer.cluster import Packed
from viewer.errors import CancelledError
from viewer.pyramids.levels import made_of, plan_factors, plan_made, plan_slabs
from viewer.pyramids.pyramid import Kind
from viewer.pyramids.stored import StoredLevels
from viewer.sources.protocol import Array, Source
from viewer.space import Box
from viewer.state import Level


def plan_tasks(
    shape: Sequence[int],
    chunk: Sequence[int],
    factors: Sequence[int],
    below: Sequence[int] | None,
    itemsize: int,
) -> Iterator[Box]:
    """Boxes of whole chunks that cover a level, each made at once.

    Parameters
    ----------
    shape, chunk : sequence of int
        Of the level, and of its chunks.
    factors : sequence of int
        From the level below, 1 or 2 on each axis.
    below : sequence of int or None
        What is decoded together of the level below; a box covers whole ones, if it may.
    itemsize : int
        Bytes of a voxel.
    """
    cell = plan_made(shape, chunk, factors, below, itemsize)
    for index in Box.whole(tuple(shape)).cells(cell):
        yield Box.of_cell(index, cell, tuple(shape))


@dataclass(frozen=True)
class Recipe:
    """All that a worker needs to make chunks; it may be in another process.

    Parameters
    ----------
    source : Source
    kind : {"image", "labels"}
    levels : tuple of Level
    given : int
        Levels of the source.
    chunks : tuple of int, optional
        What the source decodes together at its coarsest level.
    stored : StoredLevels
    """

    source: Source
    kind: Kind
    levels: tuple[Level, ...]
    given: int
    chunks: tuple[int, ...] | None
    stored: StoredLevels

    def decoded_below(self, level: int) -> tuple[int, ...] | None:
        """What is decoded together of the level below."""
        if level == self.given:
            return self.chunks
        return self.stored.about.blocks[level - 1]

    def make(self, level: int, box: Box, cancelled: Callable[[], bool]) -> int:
        """Make and write the chunks of a box; returns the bytes of voxels made."""
        from viewer.kernels.downsample import mean, mode

        factors = plan_factors(self.levels[level - 1], self.levels[level])
        chunk, dtype = self.stored.about.blocks[level], self.source.dtype
        size = math.prod(box.shape) * dtype.itemsize
        missing = [index for index in box.cells(chunk) if not self.stored.has(level, index)]
        if not missing:
            return size
        out = np.empty(box.shape, dtype)
        for slab in plan_slabs(box, factors, self.decoded_below(level), dtype.itemsize):
            if cancelled():
                raise CancelledError("The pyramid is not built any further.")
            fine = self._read(level - 1, made_of(slab, factors, self.levels[level - 1].shape))
            made = (mean if self.kind == "image" else mode)(fine, factors)
            out[slab.within(box)] = made
        for index in missing:
            part = Box.of_cell(index, chunk, box.stop)
            self.stored.write(level, index, out[part.within(box)])
        return size

    def _read(self, level: int, box: Box) -> Array:
        if level >= self.given:
            return self.stored.read_box(level, box)
        part = self.source.read(level, box)
        return np.ascontiguousarray(part, part.dtype.newbyteorder("="))


def make_chunks(
    packed: Packed[Recipe], level: int, start: tuple[int, ...], stop: tuple[int, ...]
) -> int:
    """A task of a cluster: see `Recipe.make`."""
    return packed.unpack().make(level, Box(start, stop), lambda: False)
