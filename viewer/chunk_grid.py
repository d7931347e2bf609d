"""How each level is divided into the chunks that other programs ask for; see `viewer.chunks`.

Planned once for a pyramid, from its shapes alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from operator import lt, mul
from weakref import WeakKeyDictionary

from viewer.pyramids.pyramid import Pyramid
from viewer.sources.protocol import Storage, StoredSource
from viewer.space import Box


@dataclass(frozen=True, slots=True)
class ChunkGrid:
    """The chunks of one level."""

    shape: tuple[int, ...]
    """Of the level."""
    chunk: tuple[int, ...]
    """Shape of a chunk, all axes."""
    nbytes: int
    """Bytes of a decoded chunk."""
    storage: Storage | None = None
    """How the source stores these very chunks, when they are handed on as they are."""

    def has(self, index: tuple[int, ...]) -> bool:
        """Whether there is such a chunk."""
        return len(index) == len(self.shape) and all(
            map(lt, map(mul, index, self.chunk), self.shape)
        )

    def box(self, index: tuple[int, ...]) -> Box:
        """The voxels of a chunk, smaller than `chunk` at the far borders."""
        return Box.of_cell(index, self.chunk, self.shape)


def grids_of(pyramid: Pyramid) -> tuple[ChunkGrid, ...]:
    """The grids of a pyramid's levels."""
    grids = _grids.get(pyramid)
    if grids is None:
        grids = _grids[pyramid] = tuple(_plan(pyramid, i) for i in range(len(pyramid.levels)))
    return grids


_grids: WeakKeyDictionary[Pyramid, tuple[ChunkGrid, ...]] = WeakKeyDictionary()


def plan_chunk(
    shape: tuple[int, ...], block: tuple[int, ...], stored: tuple[int, ...] | None
) -> tuple[int, ...]:
    """Shape of the chunks of a level: near `block`, and aligned to what the source decodes.

    A chunk across the border of two that are stored would make two be decoded for one; so each
    axis has whole stored chunks, or a whole part of one.

    Parameters
    ----------
    shape, block : tuple of int
        Of the level, and of the chunks that it would have otherwise.
    stored : tuple of int, optional
        Shape of what the source decodes at once; None where any box costs what it holds.
    """
    if stored is None:
        return block
    return tuple(_near(min(b, n), min(c, n)) for n, b, c in zip(shape, block, stored, strict=True))


def _near(wanted: int, stored: int) -> int:
    """The multiple or divisor of `stored` nearest to `wanted`, not more than twice off."""
    if stored <= wanted:
        return max(1, round(wanted / stored)) * stored
    parts = (stored // n for n in range(1, 2 * stored // wanted + 1) if stored % n == 0)
    best = min(parts, key=lambda part: abs(math.log(part / wanted)))
    return best if wanted <= 2 * best and best <= 2 * wanted else wanted


def _plan(pyramid: Pyramid, level: int) -> ChunkGrid:
    source, shape = pyramid.source, pyramid.levels[level].shape
    storage, chunk = None, pyramid.block(level)
    if level < len(source.levels):
        storage = source.storage(level) if isinstance(source, StoredSource) else None
        chunk = storage.chunks if storage else plan_chunk(shape, chunk, pyramid.chunks(level))
    return ChunkGrid(shape, chunk, math.prod(chunk) * pyramid.dtype.itemsize, storage)
