"""The one way to a layer's voxels: ``read(level, box)``, at any level.

Levels that the source does not have are made here: each from the level below, in blocks of
`Policy.block_edge`, by the mean for images and by the most frequent value for labels; of very
large arrays (`Policy.exact_voxels`) by that of a sample of their voxels. A block is computed when
somebody first asks for a box that it touches, and kept in the cache. Level 0 comes straight from
the source; where the source decodes whole chunks (HDF5, Zarr), through the cache as well, so that
a chunk is not decoded again for each brick that it holds.

Both doors to the voxels (`viewer.chunks`, `viewer.bricks`) and the mesher read from here, from
several threads at once.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from viewer.cache import CACHE, BlockCache, Partition, give_memory_back
from viewer.errors import (
    CancelledError,
    ClosedError,
    NotFoundError,
    SourceError,
    UnsupportedDataError,
)
from viewer.policy import MIB, POLICY
from viewer.sources.protocol import Array, SampledSource, Source
from viewer.space import Box
from viewer.state import Axis, Level

NOTABLE_BYTES = 64 * MIB
"""Bytes from which on a closed pyramid's memory is worth handing back to the system at once."""

Kind = Literal["image", "labels"]
Cancelled = Callable[[], bool]

LONGEST_BRICK = 256
"""Voxels. WebGL 2 promises 3-D textures of this edge, so no brick is longer."""

CHUNK_BLOCK_BYTES = 4 * MIB
"""Bytes. Small source chunks are read together up to this size: each read has a fixed cost."""


def plan_brick(shape: Sequence[int]) -> tuple[int, int, int]:
    """Voxels (z, y, x) of a brick for level-0 data of this spatial shape.

    A cube, unless the data is thin: an axis shorter than the cube is taken whole (rounded up to a
    power of two), and the others double, the shortest first, while the brick holds no more than
    `Policy.brick_voxels` and still has something to cover.
    """
    lengths = (1,) * (3 - len(shape)) + tuple(shape)
    return _grow(lengths, POLICY.brick_edge, POLICY.brick_voxels, LONGEST_BRICK)  # type: ignore[return-value]


def plan_block(shape: Sequence[int], spatial: int) -> tuple[int, ...]:
    """Shape of the blocks in which a level of this shape is made, cached and served as Zarr.

    One index on leading axes; `Policy.block_edge` on spatial ones, more where others are thin;
    never more than the level has.
    """
    leading = len(shape) - spatial
    edge = POLICY.block_edge
    grown = _grow(tuple(shape[leading:]), edge, edge**3, edge**2)
    return (1,) * leading + tuple(map(min, grown, shape[leading:]))


def _grow(lengths: tuple[int, ...], edge: int, voxels: int, longest: int) -> tuple[int, ...]:
    whole = [1 << (n - 1).bit_length() for n in lengths]
    grown = [min(edge, n) for n in whole]
    if all(n >= edge for n in lengths) and len(lengths) == 3:
        return tuple(grown)
    while True:
        # x before y before z among equals
        growing = [
            axis
            for axis in reversed(range(len(lengths)))
            if lengths[axis] >= edge and 2 * grown[axis] <= min(whole[axis], longest)
        ]
        if not growing or 2 * math.prod(grown) > voxels:
            return tuple(grown)
        grown[min(growing, key=grown.__getitem__)] *= 2


def plan_levels(given: tuple[Level, ...], spatial: int) -> tuple[Level, ...]:
    """The given levels and those to be made, until one fits in `Policy.coarsest_bricks` bricks.

    From level to level an axis is halved or left: those are halved whose voxels are shorter than
    twice the shortest, which brings voxels nearer to cubes. Leading axes are never touched, nor
    are axes of one voxel. A voxel's centre moves by half a finer voxel, hence `translate`.
    """
    levels = list(given)
    brick = plan_brick(given[0].shape[-spatial:])[-spatial:]
    while True:
        last = levels[-1]
        bricks = math.prod(map(lambda n, b: -(-n // b), last.shape[-spatial:], brick))
        if bricks <= POLICY.coarsest_bricks:
            return tuple(levels)
        leading = len(last.shape) - spatial
        shortest = min(
            step
            for step, n in zip(last.scale[leading:], last.shape[leading:], strict=True)
            if n > 1
        )
        factors = tuple(
            2 if axis >= leading and n > 1 and step < 2 * shortest else 1
            for axis, (step, n) in enumerate(zip(last.scale, last.shape, strict=True))
        )
        levels.append(
            Level(
                tuple(-(-n // f) for n, f in zip(last.shape, factors, strict=True)),
                tuple(s * f for s, f in zip(last.scale, factors, strict=True)),
                tuple(
                    t + (f - 1) / 2 * s
                    for t, s, f in zip(last.translate, last.scale, factors, strict=True)
                ),
            )
        )


def plan_source_block(
    shape: tuple[int, ...], chunks: tuple[int, ...], spatial: int, itemsize: int
) -> tuple[int, ...]:
    """Whole source chunks that are read and cached together.

    One chunk where chunks are large; else as many as cover a brick edge on each spatial axis,
    within `CHUNK_BLOCK_BYTES`.
    """
    block = [min(c, n) for c, n in zip(chunks, shape, strict=True)]
    for axis in reversed(range(len(shape) - spatial, len(shape))):
        chunk, n = block[axis], shape[axis]
        while block[axis] < min(POLICY.brick_edge, n):
            if 2 * math.prod(block) * itemsize > CHUNK_BLOCK_BYTES:
                break
            block[axis] = min(block[axis] + chunk, -(-n // chunk) * chunk)
    return tuple(block)


@dataclass(frozen=True, slots=True)
class _Epoch:
    """What one read works with from beginning to end, whatever is refreshed meanwhile."""

    source: Source
    partition: Partition[Array]
    generation: int


class Pyramid:
    """A source at all its levels.

    Parameters
    ----------
    source : Source
        The data; closed with the pyramid.
    kind : {"image", "labels"}
        Decides how levels are made: by the mean, or by the most frequent value.
    cache : BlockCache, optional
        Where blocks are kept; default that of the process.
    """

    def __init__(self, source: Source, kind: Kind, *, cache: BlockCache[Array] = CACHE) -> None:
        if kind == "labels" and source.dtype.kind not in "biu":
            raise UnsupportedDataError(
                f"Labels of dtype {source.dtype} cannot be shown: labels are integers.",
                hint="Add data.astype(np.uint32) as labels, or add it as an image.",
            )
        self.kind: Kind = kind
        self.dtype: np.dtype[Any] = source.dtype
        self.axes: tuple[Axis, ...] = source.axes
        self.units: str = source.units
        self.spatial: int = sum(axis.kind == "space" for axis in source.axes)
        """Number of spatial axes, 2 or 3."""
        self.levels: tuple[Level, ...] = plan_levels(source.levels, self.spatial)
        shape = self.levels[0].shape[-self.spatial :]
        self.brick: tuple[int, int, int] = plan_brick(shape)
        self.apron: tuple[int, int, int] = tuple(  # type: ignore[assignment]
            int(kind == "image" and b < n)
            for b, n in zip(self.brick, (1,) * (3 - len(shape)) + shape, strict=True)
        )
        self._cache = cache
        self._given = len(source.levels)
        self._blocks = tuple(plan_block(level.shape, self.spatial) for level in self.levels)
        self._source_block = (
            plan_source_block(shape, source.chunks, self.spatial, source.dtype.itemsize)
            if source.chunks is not None and (shape := self.levels[0].shape)
            else None
        )
        self._sampled = (
            isinstance(source, SampledSource)
            and math.prod(self.levels[0].shape[-self.spatial :]) > POLICY.exact_voxels
        )
        self._epoch: _Epoch | None = _Epoch(source, cache.partition(), 0)
        self._last_generation = 0
        self._lock = threading.Lock()

    @property
    def source(self) -> Source:
        """The data. Raises `ClosedError` after `close`."""
        return self._open().source

    @property
    def generation(self) -> int:
        """Number of refreshes so far. What is read afterwards is of this generation or newer."""
        epoch = self._epoch
        return self._last_generation if epoch is None else epoch.generation

    @property
    def source_block(self) -> tuple[int, ...] | None:
        """Shape of what is decoded at once at level 0; None where any box costs what it holds."""
        return self._source_block

    def block(self, level: int) -> tuple[int, ...]:
        """Shape of the blocks of a level: also that of its Zarr chunks."""
        return self._blocks[level]

    def read(self, level: int, box: Box, cancelled: Cancelled | None = None) -> Array:
        """Voxels of a box.

        Parameters
        ----------
        level : int
            Index into `levels`.
        box : Box
            On all axes, within the level's shape.
        cancelled : callable, optional
            Asked between blocks whether the caller has lost interest.

        Returns
        -------
        ndarray
            C-contiguous, native byte order, exactly of ``box.shape``, the caller's own.

        Raises
        ------
        NotFoundError
            No such level, or a box beyond it.
        SourceError
            The data could not be read.
        ClosedError
            The layer has been closed.
        CancelledError
            `cancelled` said so.
        """
        out = np.empty(box.shape, self.dtype)
        self.read_into(level, box, out, cancelled)
        return out

    def read_into(
        self, level: int, box: Box, out: Array, cancelled: Cancelled | None = None
    ) -> None:
        """As `read`, but into an array of the caller's, converted to its dtype."""
        epoch = self._open()
        if not 0 <= level < len(self.levels):
            raise NotFoundError(
                f"There is no level {level}; there are 0 to {len(self.levels) - 1}."
            )
        shape = self.levels[level].shape
        if len(box.stop) != len(shape) or any(map(int.__gt__, box.stop, shape)):
            raise NotFoundError(f"{box} is not within level {level} of shape {shape}.")
        self._copy(epoch, level, box, out, cancelled)

    def refresh(self) -> None:
        """Forget everything read or made of the data: it has changed."""
        with self._lock:
            epoch = self._open()
            # One assignment moves generation and cache together: nobody can take the new number
            # and then old blocks.
            self._epoch = _Epoch(epoch.source, self._cache.partition(), epoch.generation + 1)
        epoch.partition.close()

    def place(self, first: Level) -> None:
        """Move the data in the world: scale and translate of level 0 become those of `first`.

        Voxels, levels' shapes and the cache stay; the generation counts up, since meshes are in
        world coordinates.
        """
        with self._lock:
            epoch = self._open()
            old = self.levels[0]
            ratio = [b / a for a, b in zip(old.scale, first.scale, strict=True)]
            coarse = tuple(
                Level(
                    level.shape,
                    tuple(s * r for s, r in zip(level.scale, ratio, strict=True)),
                    tuple(
                        b + (t - a) * r
                        for t, a, b, r in zip(
                            level.translate, old.translate, first.translate, ratio, strict=True
                        )
                    ),
                )
                for level in self.levels[1:]
            )
            self.levels = (Level(old.shape, first.scale, first.translate), *coarse)
            self._epoch = _Epoch(epoch.source, epoch.partition, epoch.generation + 1)

    def close(self) -> None:
        """Let go of the data and of everything made of it; idempotent."""
        with self._lock:
            self._last_generation = self.generation
            epoch, self._epoch = self._epoch, None
        if epoch is not None:
            freed = epoch.partition.close()
            epoch.source.close()
            if freed > NOTABLE_BYTES:
                give_memory_back()

    def _open(self) -> _Epoch:
        epoch = self._epoch
        if epoch is None:
            raise ClosedError("The layer has been closed.")
        return epoch

    def _copy(
        self, epoch: _Epoch, level: int, box: Box, out: Array, cancelled: Cancelled | None
    ) -> None:
        cell = self._source_block if level == 0 else self._blocks[level]
        if cell is None or 0 < level < self._given:
            _check(cancelled)
            _take(epoch.source, level, box, out)
            return
        for index in box.cells(cell):
            _check(cancelled)
            whole = Box(
                tuple(i * n for i, n in zip(index, cell, strict=True)),
                tuple(
                    min((i + 1) * n, end)
                    for i, n, end in zip(index, cell, self.levels[level].shape, strict=True)
                ),
            )
            block = epoch.partition.get(
                (level, index),
                lambda whole=whole: self._make(epoch, level, whole, cancelled),  # type: ignore[misc]
                cancelled,
            )
            source, target = [], []
            for a, b, start, stop in zip(box.start, box.stop, whole.start, whole.stop, strict=True):
                source.append(slice(max(a, start) - start, min(b, stop) - start))
                target.append(slice(max(a, start) - a, min(b, stop) - a))
            np.copyto(out[tuple(target)], block[tuple(source)], casting="unsafe")

    def _make(self, epoch: _Epoch, level: int, whole: Box, cancelled: Cancelled | None) -> Array:
        if level == 0:
            out = np.empty(whole.shape, self.dtype)
            _take(epoch.source, 0, whole, out)
            return out
        from viewer.kernels.downsample import mean, mode

        if level > 1 and self._sampled:
            return self._sample(epoch, level, whole)
        below, here = self.levels[level - 1], self.levels[level]
        factors = tuple(2 if a != b else 1 for a, b in zip(below.shape, here.shape, strict=True))
        box = Box(
            tuple(a * f for a, f in zip(whole.start, factors, strict=True)),
            tuple(min(b * f, n) for b, f, n in zip(whole.stop, factors, below.shape, strict=True)),
        )
        fine = np.empty(box.shape, self.dtype)
        self._copy(epoch, level - 1, box, fine, cancelled)
        return (mean if self.kind == "image" else mode)(fine, factors)

    def _sample(self, epoch: _Epoch, level: int, whole: Box) -> Array:
        """A block made of one voxel for each of the level below: the one in its middle."""
        from viewer.kernels.downsample import mean, mode

        finest, below, here = self.levels[0], self.levels[level - 1], self.levels[level]
        factors = tuple(2 if a != b else 1 for a, b in zip(below.shape, here.shape, strict=True))
        start, stop, steps = [], [], []
        for axis, factor in enumerate(factors):
            step = 1
            for a, b in zip(self.levels[: level - 1], self.levels[1:level], strict=True):
                step *= 2 if a.shape[axis] != b.shape[axis] else 1
            first = whole.start[axis] * factor
            last = min(whole.stop[axis] * factor, below.shape[axis]) - 1
            offset = min(step // 2, finest.shape[axis] - 1 - last * step)
            start.append(first * step + offset)
            stop.append(last * step + offset + 1)
            steps.append(step)
        assert isinstance(epoch.source, SampledSource)
        part = epoch.source.sample(start, stop, steps)
        fine = np.empty(part.shape, self.dtype)
        np.copyto(fine, part)
        return (mean if self.kind == "image" else mode)(fine, factors)


def _check(cancelled: Cancelled | None) -> None:
    if cancelled is not None and cancelled():
        raise CancelledError("Nobody waits for these voxels any more.")


def _take(source: Source, level: int, box: Box, out: Array) -> None:
    part = source.read(level, box)
    shape = part.shape
    if shape == out.shape:
        np.copyto(out, part, casting="unsafe")
        return
    del part  # a view of the user's array, which the traceback would keep alive
    raise SourceError(
        f"The array gave voxels of shape {shape} where {out.shape} were asked for.",
        hint="Its shape has changed since it was added: add it again.",
    )
