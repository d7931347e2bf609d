"""Building a pyramid: all coarse levels, written to a folder and shown from there.

Each level is made from the one below, box by box (`plan_tasks`), by a few threads or by a
``dask.distributed`` cluster; a box takes bounded memory however large the volume is. A build that
was interrupted goes on where it stopped: chunks that are there are not made again.

    level 0, the source   ██▒▒   a box is read in slabs of whole source chunks, halved, written
    level 1, in the folder  █▒   … then level 2 from level 1
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from viewer.cluster import Packed, work_off, work_off_here
from viewer.errors import CancelledError, InvalidValueError
from viewer.pyramids import shelf
from viewer.pyramids.levels import plan_factors
from viewer.pyramids.pyramid import Pyramid
from viewer.pyramids.recipe import Recipe, make_chunks, plan_tasks
from viewer.pyramids.stored import About, StoredLevels
from viewer.sources.protocol import IdentifiedSource, ResidentSource
from viewer.space import Box

Told = Callable[[str, float], None]


def find(pyramid: Pyramid, source: str = "") -> StoredLevels | None:
    """The levels of this pyramid that were built earlier, if any."""
    if not shelf.cache_folder().is_dir():
        return None
    about = plan_about(pyramid, source)
    if about is None or not about.identity:
        return None
    for folder in shelf.places(about):
        if folder.is_dir() and (stored := StoredLevels.open(folder, about)) is not None:
            return stored
    return None


def build(
    pyramid: Pyramid,
    path: Path | None,
    *,
    source: str = "",
    client: Any = None,
    told: Told = lambda task, done: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Path | None:
    """Build all coarse levels and show them.

    Parameters
    ----------
    pyramid : Pyramid
    path : Path or None
        The folder; default one in the cache folder.
    source : str
        What the data is, for people.
    client : dask.distributed.Client, optional
        Who does the work; default threads of this process.
    told : callable
        Called with what is being done and which part of all is.
    cancelled : callable
        Asked between pieces of work.

    Returns
    -------
    Path or None
        The folder; None where there are no levels to be made.

    Raises
    ------
    InvalidValueError
        Without a path for data that has no identity.
    CancelledError, SourceError, ClosedError, BusyError
        What was built so far stays, for the next attempt.
    """
    about = plan_about(pyramid, source)
    if about is None:
        return None
    history, touched = pyramid.history, pyramid.changed_here
    if touched and _is_resident(pyramid):
        about = replace(about, identity="")  # changed here, and not in its file
    if path is None and not about.identity:
        raise InvalidValueError(
            "path=None is for data as it is in a file: only that is found again.",
            hint="Say where the levels go: layer.build_pyramid('levels.zarr').",
        )
    folder = shelf.place(about) if path is None else path
    if about.identity and not touched:
        ready = StoredLevels.open(folder, about)
        if ready is not None:
            pyramid.attach(ready, history.generation)
            return folder
    pyramid.detach()
    resume = not touched
    if not about.identity:
        about = _fingerprinted(about, pyramid)
    stored = StoredLevels.create(folder, about, pyramid.axes, pyramid.levels, resume=resume)
    try:
        _Build(pyramid, stored, client, told, cancelled).run()
        stored.finish()
    except BaseException:
        stored.close()
        raise
    if path is not None and about.identity:
        shelf.point(about, path)
    pyramid.attach(stored, history.generation)
    shelf.tidy()
    return folder


def plan_about(pyramid: Pyramid, source: str) -> About | None:
    """What a folder with this pyramid's levels says; None where there are none to be made."""
    data = pyramid.source
    first = len(data.levels)
    if first == len(pyramid.levels):
        return None
    identity = data.identity if isinstance(data, IdentifiedSource) else None
    return About(
        identity or "",
        source,
        pyramid.kind,
        pyramid.dtype.name,
        tuple(level.shape for level in pyramid.levels),
        tuple(pyramid.block(level) for level in range(len(pyramid.levels))),
        first,
    )


class _Build:
    """One build under way."""

    def __init__(
        self,
        pyramid: Pyramid,
        stored: StoredLevels,
        client: Any,
        told: Told,
        cancelled: Callable[[], bool],
    ) -> None:
        given = len(pyramid.source.levels)
        self._recipe = Recipe(
            pyramid.source,
            pyramid.kind,
            pyramid.levels,
            given,
            pyramid.chunks(given - 1),
            stored,
        )
        # To send an array that is in memory costs more than to halve it.
        self._client: Any = None if _is_resident(pyramid) else client
        self._told = told
        self._cancelled = cancelled
        self._ended = threading.Event()
        levels = range(given, len(pyramid.levels))
        itemsize = pyramid.dtype.itemsize
        self._total = sum(math.prod(pyramid.levels[n].shape) for n in levels) * itemsize
        self._made = 0

    def run(self) -> None:
        recipe = self._recipe
        for level in range(recipe.given, len(recipe.levels)):
            about = recipe.stored.about
            tasks = plan_tasks(
                about.shapes[level],
                about.blocks[level],
                plan_factors(recipe.levels[level - 1], recipe.levels[level]),
                recipe.decoded_below(level),
                recipe.source.dtype.itemsize,
            )
            self._tell(level)
            made = (
                self._by_threads(level, tasks)
                if self._client is None
                else self._by_cluster(level, tasks)
            )
            with contextlib.closing(made):  # the threads, too, if we are interrupted
                for size in made:
                    self._made += size
                    self._tell(level)

    def _tell(self, level: int) -> None:
        phrase = f"building the pyramid, level {level} of {len(self._recipe.levels) - 1}"
        self._told(phrase, self._made / self._total)

    def _stop(self) -> bool:
        return self._ended.is_set() or self._cancelled()

    def _by_threads(self, level: int, tasks: Iterator[Box]) -> Generator[int, None, None]:
        calls = ((level, box, self._stop) for box in tasks)
        return work_off_here("voxelview-build", self._recipe.make, calls, self._ended.set)

    def _check(self) -> None:
        if self._stop():
            raise CancelledError("The pyramid is not built any further.")

    def _by_cluster(self, level: int, tasks: Iterator[Box]) -> Generator[int, None, None]:
        packed = Packed(self._recipe)
        calls = ((packed, level, box.start, box.stop) for box in tasks)
        try:
            yield from work_off(self._client, make_chunks, calls, self._check)
        finally:
            packed.close()


def _is_resident(pyramid: Pyramid) -> bool:
    source = pyramid.source
    return isinstance(source, ResidentSource) and source.resident


def _fingerprinted(about: About, pyramid: Pyramid) -> About:
    """With an identity good enough to go on after an interruption: of a sample of the voxels."""
    import hashlib

    from viewer.pyramids.statistics import sample

    digest = hashlib.sha256(np.ascontiguousarray(sample(pyramid)).tobytes()).hexdigest()
    return replace(about, identity=f"sample {digest}")
