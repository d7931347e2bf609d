"""The one way to a layer's voxels: ``read(level, box)``, at any level.

Levels that the source does not have are made here: each from the level below, by the mean for
images and by the most frequent value for labels. How, depends on what reading costs:

- of an array in memory whole levels are made in the background as soon as it is there
  (`whole`);
- of everything else blocks of `Policy.block_edge`, when somebody first asks for a box that they
  touch, kept in the cache; but where one of them would take much reading (`plan_exact`), a
  preview out of a sample (`preview`). Pages get previews also where all that they look at would
  take long; exact blocks are made in the background then (`backlog`).

Level 0 comes straight from the source; where the source decodes whole chunks (HDF5, Zarr), through
the cache as well, so that a chunk is not decoded again for each brick that it holds.

Both doors to the voxels (`viewer.chunks`, `viewer.bricks`) and the mesher read from here, from
several threads at once.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from msgspec.structs import replace

from viewer.cache import CACHE, BlockCache, give_memory_back
from viewer.errors import (
    NotFoundError,
    UnsupportedDataError,
)
from viewer.policy import MIB
from viewer.pyramids.backlog import Backlog
from viewer.pyramids.blocks import APART as APART
from viewer.pyramids.blocks import Blocks, Epoch
from viewer.pyramids.blocks import Cancelled as Cancelled
from viewer.pyramids.blocks import Key as Key
from viewer.pyramids.blocks import Kind as Kind
from viewer.pyramids.history import History
from viewer.pyramids.levels import (
    origin,
    plan_brick,
    plan_levels,
)
from viewer.pyramids.stored import StoredLevels
from viewer.pyramids.whole import WholeLevels, plan_first
from viewer.sources.geometry import place_levels
from viewer.sources.protocol import Array, Source
from viewer.space import Box
from viewer.state import IDENTITY, Affine, Axis, Level

NOTABLE_BYTES = 64 * MIB
"""Bytes from which on a closed pyramid's memory is worth handing back to the system at once."""

STALE_BOXES = 64
"""Refreshed regions up to which the rest of what is stored is used: each is looked at for each
block."""


class Pyramid:
    """A source at all its levels.

    Parameters
    ----------
    source : Source
        The data; closed with the pyramid.
    kind : {"image", "labels"}
        Decides how levels are made: by the mean, or by the most frequent value.
    affine : Affine, optional
        Where the source's world lies in that of the viewer.
    cache : BlockCache, optional
        Where blocks are kept; default that of the process.
    """

    def __init__(
        self,
        source: Source,
        kind: Kind,
        *,
        affine: Affine = IDENTITY,
        cache: BlockCache[Array] = CACHE,
    ) -> None:
        if kind == "labels" and source.dtype.kind not in "biu":
            raise UnsupportedDataError(
                f"Labels of dtype {source.dtype} cannot be shown: labels are integers.",
                hint="Add data.astype(np.uint32) as labels, or add it as an image.",
            )
        self.kind: Kind = kind
        self.dtype: np.dtype[Any] = source.dtype
        self.axes: tuple[Axis, ...] = source.axes
        self.units: str = source.units
        self.affine: Affine = affine
        """Of what scale and translate of the levels make of voxels."""
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
        self._blocks = Blocks(source, kind, self.levels, self.spatial, cache)
        self._blocks.on_damage = weakref.WeakMethod(self.detach)
        self._on_news: Callable[[], None] | None = None
        self._last_history = History()
        self._lock = threading.Lock()

    @property
    def source(self) -> Source:
        """The data. Raises `ClosedError` after `close`."""
        return self._blocks.open().source

    @property
    def generation(self) -> int:
        """Number of refreshes so far. What is read afterwards is of this generation or newer."""
        return self.history.generation

    @property
    def history(self) -> History:
        """The generation, and what its last steps changed."""
        epoch = self._blocks.epoch
        return self._last_history if epoch is None else epoch.history

    def is_settling(self, levels: Iterable[int]) -> bool:
        """Whether previews of these levels, which pages have got, are still to become exact.

        Who asks waits for them, so that they come before others.
        """
        epoch, backlog = self._blocks.epoch, self._blocks.backlog
        whole = None if epoch is None else epoch.whole
        return (whole is not None and not whole.over) or (
            backlog is not None and backlog.hurry(frozenset(levels))
        )

    def generation_of(self, level: int, box: Box, since: int = -1) -> int:
        """The newest generation that changed any voxel of a box: the same as long as they are.

        If none after `since` did, it is any that is not newer than that.
        """

        def touches(changed: Box) -> bool:
            return self._blocks.project(level, changed).overlaps(box)

        return self.history.generation_of(level, touches, since)

    @property
    def source_block(self) -> tuple[int, ...] | None:
        """Shape of what is decoded at once at level 0; None where any box costs what it holds."""
        return self._blocks.cells[0]

    @property
    def previews(self) -> range:
        """The levels that are made of a sample of the voxels at present."""
        epoch = self._blocks.epoch
        return range(0) if epoch is None else self._blocks.previews(epoch)

    def chunks(self, level: int) -> tuple[int, ...] | None:
        """What the source decodes at once at a level that it has."""
        return self._blocks.chunks[level]

    def block(self, level: int) -> tuple[int, ...]:
        """Shape of the blocks of a level: also that of its Zarr chunks."""
        return self._blocks.shapes[level]

    def read(
        self, level: int, box: Box, cancelled: Cancelled | None = None, *, soon: bool = False
    ) -> Array:
        """Voxels of a box.

        Parameters
        ----------
        level : int
            Index into `levels`.
        box : Box
            On all axes, within the level's shape.
        cancelled : callable, optional
            Asked between blocks whether the caller has lost interest.
        soon : bool
            Whether a preview will do where exact voxels take long. These are then made in the
            background, if somebody listens (`prepare`), and are of a new generation.

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
        self.read_into(level, box, out, cancelled, soon=soon)
        return out

    def read_into(
        self,
        level: int,
        box: Box,
        out: Array,
        cancelled: Cancelled | None = None,
        *,
        soon: bool = False,
    ) -> None:
        """As `read`, but into an array of the caller's, converted to its dtype."""
        epoch = self._blocks.open()
        if not 0 <= level < len(self.levels):
            raise NotFoundError(
                f"There is no level {level}; there are 0 to {len(self.levels) - 1}."
            )
        shape = self.levels[level].shape
        if len(box.stop) != len(shape) or any(map(int.__gt__, box.stop, shape)):
            raise NotFoundError(f"{box} is not within level {level} of shape {shape}.")
        backlog = self._blocks.backlog if soon else None
        if backlog is None:
            self._blocks.copy(epoch, level, box, out, cancelled)
            return
        with backlog.reading(level):
            self._blocks.copy(epoch, level, box, out, cancelled, "soon")

    def read_at_hand(self, level: int, box: Box, out: Array) -> bool:
        """As `read_into` where all the voxels are in memory; else False, and nothing is done.

        Nothing is computed or waited for: the server's loop does this itself. `box` is not checked.
        """
        return self._blocks.copy_at_hand(level, box, out)

    def view_at_hand(self, level: int, box: Box) -> Array | None:
        """The voxels of a box where they lie in memory; None where they lie in blocks, or nowhere.

        To be read at once and let go: it is the user's array. `box` is not checked.
        """
        return self._blocks.view_at_hand(level, box)

    def awaited(self, level: int, box: Box) -> Key | None:
        """What somebody who reads a box `soon` has to wait for first; nothing is done.

        None where all is in memory; `APART` where reading costs what the box holds. Else the
        first block that must be read or made: it serves other boxes, too. `box` is not checked.
        """
        return self._blocks.awaited(level, box)

    def is_under_way(self, key: Key) -> bool:
        """Whether somebody is reading or making a block already."""
        return self._blocks.partition.is_under_way(key)

    def prepare(
        self,
        on_news: Callable[[], None],
        on_preview: Callable[[], None] | None = None,
        on_progress: Callable[[str, float], None] = lambda task, done: None,
    ) -> None:
        """Make coarse levels unasked: of an array in memory all, of others what is looked at.

        Parameters
        ----------
        on_news : callable
            Called, on another thread, when the generation went up by itself: exact levels have
            taken the place of previews.
        on_preview : callable, optional
            Called, on the reader's thread, when the first preview is handed out that will not be
            replaced by itself.
        on_progress : callable, optional
            Called, on another thread, with what is being done and which part of it is.
        """
        with self._lock:
            epoch = self._blocks.open()
            self._on_news = on_news
            if self._blocks.refined:
                self._blocks.backlog = Backlog(
                    self._blocks.make_exactly,
                    self._blocks.is_cheap,
                    self._refined,
                    lambda done: on_progress("reading coarse levels", done),
                )
            self._blocks.on_preview = on_preview
            self._blocks.epoch = replace(epoch, whole=self._begin(epoch.source))

    @property
    def changed_here(self) -> bool:
        """Whether the data has been changed since the source was opened."""
        epoch = self._blocks.open()
        return any(
            step.level == 0 and step.generation > epoch.begun for step in epoch.history.steps
        )

    def refresh(self, box: Box | None = None, source: Source | None = None) -> None:
        """Forget what was read or made of a part of the data: it has changed.

        Parameters
        ----------
        box : Box, optional
            On all axes, within level 0; default the whole. An empty one changes nothing.
        source : Source, optional
            What to read from now on: as the one before in everything but its voxels, which differ
            in this part only. Reads that are under way may finish with the old one, which is not
            closed.
        """
        box = Box.whole(self.levels[0].shape) if box is None else box
        with self._lock:
            epoch = self._blocks.open()
            if box.empty:
                return
            changed = [self._blocks.project(level, box) for level in range(len(self.levels))]

            def touched(key: Key) -> bool:
                return changed[key[0]].overlaps(self._blocks.cell_box(*key))

            if source is not None:
                epoch = replace(epoch, source=source, begun=epoch.history.generation + 1)
            whole = epoch.whole
            if whole is not None and not whole.update(box, epoch.source):
                self._give_up(whole)
                whole = self._begin(epoch.source)
            stored, stale = epoch.stored, (*epoch.stale, box)
            if stored is not None and (
                len(stale) > STALE_BOXES or box.shape == self.levels[0].shape
            ):
                stored.close()
                stored = None
            # In this order: a block begun after the drop is of the new data, and whoever has the
            # new number asks after the drop.
            epoch = replace(
                epoch, whole=whole, stored=stored, stale=() if stored is None else stale
            )
            self._blocks.epoch = epoch
            self._blocks.partition.drop(touched)
            if self._blocks.backlog is not None:
                self._blocks.backlog.forget()
            self._blocks.epoch = replace(epoch, history=epoch.history.after(0, box))

    def attach(self, stored: StoredLevels, generation: int) -> None:
        """Show levels that have been stored, from data of this generation.

        Closes them in the end, also when they do not fit because too much has changed since.
        """
        with self._lock:
            epoch = self._blocks.epoch
            steps = () if epoch is None else epoch.history.steps
            stale = tuple(
                Box(step.start, step.stop)
                for step in steps
                if step.generation > generation and step.level == 0
            )
            full = any(box.shape == self.levels[0].shape for box in stale)
            if epoch is None or full or len(stale) > STALE_BOXES:
                stored.close()
                return
            if epoch.stored is not None:
                epoch.stored.close()
            before = self._blocks.previews(epoch)
            if self._blocks.backlog is not None:
                self._blocks.backlog.clear()
            epoch = replace(epoch, stored=stored, stale=stale)
            self._blocks.partition.drop(lambda key: bool(key[2] == "stored"))
            tell = self._replace_previews(epoch, before)
        if tell is not None:
            tell()

    def detach(self) -> None:
        """Show levels that are made of the source as it is now, not those that are stored."""
        with self._lock:
            epoch = self._blocks.open()
            if epoch.stored is None:
                return
            epoch.stored.close()
            level = epoch.stored.first
            self._blocks.partition.drop(lambda key: bool(key[2] == "stored"))
            history = epoch.history.after(level, Box.whole(self.levels[0].shape))
            self._blocks.epoch = replace(epoch, history=history, stored=None, stale=())
            tell = self._on_news
        if tell is not None:
            tell()

    def place(self, first: Level, affine: Affine) -> None:
        """Move the data in the world: scale and translate of level 0 become those of `first`.

        Voxels, levels' shapes and the cache stay; the generation counts up, since meshes are in
        world coordinates, by a step that changes no voxel.
        """
        with self._lock:
            epoch = self._blocks.open()
            coarse = place_levels(self.levels, first)[1:]
            self.levels = (
                Level(self.levels[0].shape, first.scale, first.translate),
                *coarse,
            )
            self.affine = affine
            none = Box((0,) * len(first.shape), (0,) * len(first.shape))
            history = epoch.history.after(len(self.levels), none)
            self._blocks.epoch = replace(epoch, history=history)

    def close(self) -> None:
        """Let go of the data and of everything made of it; idempotent."""
        with self._lock:
            self._last_history = self.history
            epoch, self._blocks.epoch = self._blocks.epoch, None
        if epoch is not None:
            self._on_news = self._blocks.on_preview = None
            backlog, self._blocks.backlog = self._blocks.backlog, None
            if backlog is not None:
                backlog.close()
            if epoch.whole is not None:
                self._give_up(epoch.whole)
            if epoch.stored is not None:
                epoch.stored.close()
            freed = self._blocks.partition.close()
            epoch.source.close()
            if freed > NOTABLE_BYTES:
                give_memory_back()

    def _begin(self, source: Source) -> WholeLevels | None:
        """Start making the levels of an array in memory, as many as there is room for."""
        if self._blocks.given > 1 or not self._blocks.resident:
            return None
        first = plan_first(self.levels, self.dtype, self._cache)
        if first is None:
            return None
        whole = WholeLevels(source, self.kind, self.levels, first, self._arrived)
        self._cache.reserve(whole.nbytes)
        whole.start()
        return whole

    def _give_up(self, whole: WholeLevels) -> None:
        whole.cancel()
        self._cache.reserve(-whole.nbytes)

    def _arrived(self, whole: WholeLevels) -> None:
        """Exact levels have come: where there were previews, they are of a new generation."""
        with self._lock:
            epoch = self._blocks.epoch
            if epoch is None or epoch.whole is not whole:
                return
            first = self._blocks.exact
            before = range(first, len(self.levels) if epoch.stored is None else first)
            tell = self._replace_previews(epoch, before)
        if tell is not None:
            tell()

    def _refined(self, level: int, indices: list[tuple[int, ...]]) -> None:
        """Blocks of a level are exact now: what they cover is of a new generation."""
        with self._lock:
            epoch = self._blocks.epoch
            if epoch is None or level not in self._blocks.previews(epoch):
                return
            boxes = [self._blocks.cell_box(level, index, "made") for index in indices]
            box = Box(
                tuple(map(min, *(b.start for b in boxes), boxes[0].start)),
                tuple(map(max, *(b.stop for b in boxes), boxes[0].stop)),
            )
            box = origin(self.levels, self._blocks.given, level, box)
            self._blocks.epoch = replace(epoch, history=epoch.history.after(level, box))
            tell = self._on_news
        if tell is not None:
            tell()

    def _replace_previews(self, epoch: Epoch, before: range) -> Callable[[], None] | None:
        """Go on with levels that are exact; whom to tell, if there were previews before."""
        self._blocks.epoch = epoch
        if not before:
            return None
        self._blocks.partition.drop(lambda key: bool(key[2] == "preview"))
        box = Box.whole(self.levels[0].shape)
        self._blocks.epoch = replace(epoch, history=epoch.history.after(before[0], box))
        return self._on_news
