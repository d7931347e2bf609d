"""Blocks of voxels, at every level: whence they come, and how large they are.

A block of a level comes from the source, from the level below, from a sample, or from where it has
been stored; `Blocks.copy` brings together what a box needs of them, out of the cache or made now.
Which way it is depends on the `Epoch`: what there is to read from at the moment, and on how long
the reader can wait (`Wanted`).
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from typing import Any, Literal

import msgspec
import numpy as np

from viewer.cache import BlockCache
from viewer.errors import CancelledError, ClosedError, SourceError
from viewer.policy import MIB, POLICY
from viewer.pyramids.backlog import Backlog
from viewer.pyramids.history import History
from viewer.pyramids.levels import (
    made_of,
    plan_block,
    plan_exact,
    plan_factors,
    plan_made,
    plan_refined,
    plan_slabs,
    plan_source_block,
    plan_steps_to,
    plan_view,
    project,
)
from viewer.pyramids.preview import sample_cells, sample_steps
from viewer.pyramids.stored import StoredLevels
from viewer.pyramids.transfer import chunks_of, copy_same, paste, take
from viewer.pyramids.whole import WholeLevels
from viewer.sources.protocol import Array, ResidentSource, Source
from viewer.space import Box
from viewer.state import Level

PATIENCE_SECONDS = 0.25
"""Seconds that a reader waits for levels that are being made at once; then he makes his own."""

SKETCHED_BYTES = 4 * MIB
"""Bytes of a preview made at once, if chunks are large planes: all of it from the same few."""

Kind = Literal["image", "labels"]
Cancelled = Callable[[], bool]
Way = Literal["made", "preview", "stored"]
Wanted = Literal["soon", "fair", "exact"]
"""Of a reader: hears of exact voxels later, so that a preview will do for now; takes previews only
where a block takes much reading; never takes any."""
Key = tuple[int, tuple[int, ...], Way]
"""Of a block: level, index, and how it was had, which decides how large it is."""

APART: Key = (-1, (), "made")
"""Stands for voxels that are read for themselves alone."""


class Epoch(msgspec.Struct, frozen=True):
    """What one read works with from beginning to end, whatever is refreshed meanwhile."""

    source: Source
    history: History
    begun: int = 0
    """Generation from which on the data is that of this source."""
    whole: WholeLevels | None = None
    stored: StoredLevels | None = None
    stale: tuple[Box, ...] = ()
    """Boxes of level 0 that have changed since what is stored was made."""


_Make = Callable[[Epoch, int, Box, Cancelled | None], Array]


class Blocks:
    """The blocks of one pyramid.

    Parameters
    ----------
    source : Source
    kind : {"image", "labels"}
    levels : tuple of Level
        Of the pyramid; the first are the source's.
    spatial : int
        Number of spatial axes.
    cache : BlockCache
        Where blocks are kept.
    """

    def __init__(
        self,
        source: Source,
        kind: Kind,
        levels: tuple[Level, ...],
        spatial: int,
        cache: BlockCache[Array],
    ) -> None:
        self.epoch: Epoch | None = Epoch(source, History())
        """What there is to read from now; None once closed. The pyramid sets it."""
        self.levels = levels
        """Shapes count here, not places."""
        self.partition = cache.partition()
        self.on_damage: weakref.WeakMethod[Callable[[], None]] | None = None
        """Called when what is stored cannot be read; weak, so that nobody waits for the collector
        of cycles."""
        self.on_preview: Callable[[], None] | None = None
        """Called once, when a preview is made that will not be replaced by itself."""
        self.backlog: Backlog | None = None
        """What is made exactly in the background; None where nobody hears of it."""
        self._kind: Kind = kind
        self._dtype: np.dtype[Any] = source.dtype
        self.given = len(source.levels)
        self.shapes = tuple(plan_block(level.shape, spatial) for level in self.levels)
        self.chunks = tuple(chunks_of(source, level) for level in range(self.given))
        cells = [
            None
            if chunks is None
            else plan_source_block(level.shape, chunks, spatial, source.dtype.itemsize)
            for level, chunks in zip(source.levels, self.chunks, strict=True)
        ]
        self.cells = [*cells, *self.shapes[self.given :]]
        """What is made and cached together, by level; None for what is read as it is."""
        self.resident = isinstance(source, ResidentSource) and source.resident
        below, itemsize = self.chunks[-1], self._dtype.itemsize
        if self.given < len(self.levels):
            made = self.levels[self.given]
            factors = plan_factors(self.levels[self.given - 1], made)
            block = self.shapes[self.given]
            self.cells[self.given] = plan_made(made.shape, block, factors, below, itemsize)
        self.exact = plan_exact(
            self.levels, self.shapes, self.given, below, itemsize, resident=self.resident
        )
        """Number of the levels that can be made exactly when somebody asks."""
        self.refined = plan_refined(
            self.levels, self.shapes, self.given, below, itemsize, self.exact
        )
        """The levels of which readers who want something soon get previews first."""
        self.sketches = [
            shape
            if below is None or level < self.given
            else plan_made(
                self.levels[level].shape,
                shape,
                plan_steps_to(self.levels, self.given - 1, level),
                below,
                itemsize,
                SKETCHED_BYTES,
            )
            for level, shape in enumerate(self.shapes)
        ]
        """Shape of what of a preview is made and cached together, by level."""
        self._quick = self.exact == len(self.levels)

    def open(self) -> Epoch:
        """What there is to read from; `ClosedError` when there is nothing any more."""
        epoch = self.epoch
        if epoch is None:
            raise ClosedError("The layer has been closed.")
        return epoch

    def project(self, level: int, box: Box) -> Box:
        """The voxels of a level that a box of level 0 goes into."""
        return project(self.levels, self.given, level, box)

    def copy_at_hand(self, level: int, box: Box, out: Array) -> bool:
        """As `read_into` where all the voxels are in memory; else False, and nothing is done.

        Nothing is computed or waited for: the server's loop does this itself. `box` is not checked.
        """
        epoch = self.open()
        cell, whole = self.cells[level], epoch.whole
        if cell is None:
            if self.resident:
                take(epoch.source, level, box, out)
            return self.resident
        if whole is not None and level >= whole.first and whole.ready:
            np.copyto(out, whole.read(level, box), casting="unsafe")
            return True
        blocks: list[tuple[Array, Box]] = []
        _, way = self._way(epoch, level)
        for index in box.cells(self._cell(level, way)):
            block = self.partition.peek((level, index, way))
            if block is None:
                return False
            blocks.append((block, self.cell_box(level, index, way)))
        for block, part in blocks:
            paste(block, part, box, out)
        return True

    def view_at_hand(self, level: int, box: Box) -> Array | None:
        """See `Pyramid.view_at_hand`."""
        epoch = self.open()
        whole = epoch.whole
        if self.cells[level] is None and self.resident:
            return epoch.source.read(level, box)
        if whole is not None and level >= whole.first and whole.ready:
            return whole.read(level, box)
        return None

    def awaited(self, level: int, box: Box) -> Key | None:
        """See `Pyramid.awaited`."""
        epoch = self.open()
        if self.cells[level] is None:
            return None if self.resident else APART
        whole = epoch.whole
        if whole is not None and level >= whole.first and whole.ready:
            return None
        _, way = self._way(epoch, level, "soon")
        first: Key | None = None
        for index in box.cells(self._cell(level, way)):
            if not self.partition.has((level, index, way)):
                first = (level, index, way)
                break
        if first is None or way != "preview" or level not in self.refined:
            return first
        # What has been made exactly needs no preview.
        made = box.cells(self._cell(level, "made"))
        return first if any(not self.partition.has((level, i, "made")) for i in made) else None

    def previews(self, epoch: Epoch) -> range:
        """The levels that are made of a sample of the voxels, if only for some and at first."""
        stop = len(self.levels)
        if epoch.stored is not None:
            stop = epoch.stored.first
        elif epoch.whole is not None and epoch.whole.ready:
            stop = epoch.whole.first
        first = self.exact if self.backlog is None else self.refined.start
        return range(first, max(first, stop))

    def copy(
        self,
        epoch: Epoch,
        level: int,
        box: Box,
        out: Array,
        cancelled: Cancelled | None,
        wanted: Wanted = "fair",
    ) -> None:
        """The voxels of a box, into an array of its shape."""
        cell, whole = self.cells[level], epoch.whole
        if cell is None:
            _check(cancelled)
            take(epoch.source, level, box, out)
            return
        if (whole is not None and level >= whole.first) and (
            whole.ready or (self._quick and whole.wait(PATIENCE_SECONDS, cancelled))
        ):
            np.copyto(out, whole.read(level, box), casting="unsafe")
            return
        make, way = self._way(epoch, level, wanted)
        if way == "preview" and level in self.refined:
            self._copy_refined(level, box, out, cancelled, wanted)
        else:
            self._copy(make, way, level, box, out, cancelled)

    def _copy(
        self,
        make: _Make,
        way: Way,
        level: int,
        box: Box,
        out: Array,
        cancelled: Cancelled | None,
    ) -> None:
        for index in box.cells(self._cell(level, way)):
            _check(cancelled)
            part = self.cell_box(level, index, way)
            # Of what there is now: what has changed since this read began is not for the cache.
            block = self.partition.get(
                (level, index, way),
                lambda part=part: make(self.open(), level, part, cancelled),  # type: ignore[misc]
                cancelled,
            )
            paste(block, part, box, out)

    def _copy_refined(
        self,
        level: int,
        box: Box,
        out: Array,
        cancelled: Cancelled | None,
        wanted: Wanted,
    ) -> None:
        """What has been made exactly, and a preview of all else."""
        for index in box.cells(self._cell(level, "made")):
            part = self.cell_box(level, index, "made").meet(box)
            target = out[part.within(box)]
            block = self.partition.peek((level, index, "made"))
            if block is not None:
                paste(block, self.cell_box(level, index, "made"), part, target)
                continue
            self._copy(self._preview, "preview", level, part, target, cancelled)
            if self.backlog is not None and wanted == "soon":
                self.backlog.want(level, index)

    def make_exactly(self, level: int, index: tuple[int, ...], cancelled: Cancelled) -> None:
        """Make a block, whatever that takes, and keep it in the cache."""
        part = self.cell_box(level, index, "made")
        self.partition.get(
            (level, index, "made"),
            lambda: self._make(self.open(), level, part, cancelled),
            cancelled,
        )

    def is_cheap(self, level: int) -> bool:
        """Whether a block of this level is made of so little that it does not matter."""
        return level < self.exact

    def _way(self, epoch: Epoch, level: int, wanted: Wanted = "fair") -> tuple[_Make, Way]:
        """How blocks of a level are had."""
        if epoch.stored is not None and level >= epoch.stored.first:
            return self._load, "stored"
        if (
            level in self.previews(epoch)
            and wanted != "exact"
            and (level >= self.exact or wanted == "soon")
        ):
            return self._preview, "preview"
        return (self._fetch if level < self.given else self._make), "made"

    def _fetch(self, epoch: Epoch, level: int, part: Box, cancelled: Cancelled | None) -> Array:
        """As the source has it."""
        out = np.empty(part.shape, self._dtype)
        take(epoch.source, level, part, out)
        return out

    def _load(self, epoch: Epoch, level: int, part: Box, cancelled: Cancelled | None) -> Array:
        """From where it is stored, unless it has changed since."""
        stored = epoch.stored
        if stored is None:
            make, _ = self._way(epoch, level)
            return make(epoch, level, part, cancelled)
        if any(self.project(level, box).overlaps(part) for box in epoch.stale):
            return self._make(epoch, level, part, cancelled)
        index = tuple(a // b for a, b in zip(part.start, self.shapes[level], strict=True))
        try:
            return np.array(stored.read(level, index), self._dtype)
        except SourceError:
            detach = self.on_damage() if self.on_damage is not None else None
            if self.epoch is epoch and detach is not None:
                detach()
            raise

    def _make(self, epoch: Epoch, level: int, part: Box, cancelled: Cancelled | None) -> Array:
        """From the level below."""
        chunks = self.chunks[-1] if level == self.given else None
        if chunks is None:
            return self._halved(self._gather(epoch, level, part, cancelled), level)
        out = np.empty(part.shape, self._dtype)
        factors = plan_factors(self.levels[level - 1], self.levels[level])
        # Chunks that go into no other block are not kept: of use is what is made of them.
        below = self._below(level, part)
        alone = all(
            a % c == 0 and (b % c == 0 or b == n)
            for a, b, c, n in zip(
                below.start, below.stop, chunks, self.levels[level - 1].shape, strict=True
            )
        )
        for slab in plan_slabs(part, factors, chunks, self._dtype.itemsize):
            _check(cancelled)
            if alone:
                fine = self._fetch(epoch, level - 1, self._below(level, slab), cancelled)
            else:
                fine = self._gather(epoch, level, slab, cancelled)
            out[slab.within(part)] = self._halved(fine, level)
        return out

    def _gather(self, epoch: Epoch, level: int, part: Box, cancelled: Cancelled | None) -> Array:
        """What a box of a level is made of."""
        box = self._below(level, part)
        fine = np.empty(box.shape, self._dtype)
        self.copy(epoch, level - 1, box, fine, cancelled, "exact")
        return fine

    def _below(self, level: int, part: Box) -> Box:
        """The voxels of the level below that a box of a made level is made of."""
        below = self.levels[level - 1]
        return made_of(part, plan_factors(below, self.levels[level]), below.shape)

    def _halved(self, fine: Array, level: int) -> Array:
        from viewer.kernels.downsample import mean, mode

        factors = plan_factors(self.levels[level - 1], self.levels[level])
        return (mean if self._kind == "image" else mode)(fine, factors)

    def _preview(self, epoch: Epoch, level: int, part: Box, cancelled: Cancelled | None) -> Array:
        refined = self.backlog is not None and level in self.refined
        if epoch.whole is None and not refined:
            tell, self.on_preview = self.on_preview, None
            if tell is not None:
                tell()
        base = self.given - 1
        shape = self.levels[base].shape
        steps = plan_steps_to(self.levels, base, level)
        if base == 0 and self.chunks[0] is None:
            sample = sample_steps(epoch.source, part, steps, shape)
            if sample is not None:
                out = np.empty(part.shape, self._dtype)
                copy_same(sample, out)
                return out

        def read(box: Box) -> Array:
            _check(cancelled)
            out = np.empty(box.shape, self._dtype)
            take(epoch.source, base, box, out)
            return out

        cell = self.sketches[level]
        view = plan_view(self.levels[level].shape, cell)
        blocks = math.prod(cell) // math.prod(self.shapes[level])
        if refined:
            budget = min(POLICY.sketch_bytes * blocks, POLICY.sketch_view_bytes // view)
        else:
            budget = min(POLICY.preview_bytes * blocks, POLICY.preview_view_bytes // view)
        chunks = self.chunks[base]
        if chunks is None:
            return sample_cells(read, part, steps, shape, None, self._dtype, budget)
        # Of chunks that are decoded anyway, voxels for the level below: less noise, no thin holes.
        steps = plan_steps_to(self.levels, base, level - 1)
        box = self._below(level, part)
        fine = sample_cells(read, box, steps, shape, chunks, self._dtype, budget)
        return self._halved(fine, level)

    def _cell(self, level: int, way: Way) -> tuple[int, ...]:
        """Shape of what is had at once of a level."""
        if way == "preview":
            return self.sketches[level]
        cell = self.cells[level] if way == "made" else self.shapes[level]
        assert cell is not None
        return cell

    def cell_box(self, level: int, index: tuple[int, ...], way: Way) -> Box:
        """The box of what `_copy` gets at once."""
        return Box.of_cell(index, self._cell(level, way), self.levels[level].shape)


def _check(cancelled: Cancelled | None) -> None:
    if cancelled is not None and cancelled():
        raise CancelledError("Nobody waits for these voxels any more.")
