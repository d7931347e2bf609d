"""Surfaces of labels, made when somebody asks.

The way of a mesh: the label's voxels are found as *runs*, from the index of all labels when it is
there (`viewer.label_index`), else by a search for this label alone; marching cubes draws their
boundary (`viewer.kernels.marching_cubes`), closed also where the label leaves the volume; the
stairs of the voxels are smoothed by a fraction of a voxel; the vertices are put into world
coordinates (`viewer.mesh`); faces that add nothing are taken out where a tolerance allows.

How large the surface will be is known before it is made. One that exceeds `Policy.mesh_faces` is
made of a coarser level, and says so.

Several threads may ask at once. Nothing is made twice: the index and every mesh are kept under a
budget of bytes, and whoever asks for what another is making waits for it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from viewer.cache import BlockCache, Partition
from viewer.errors import (
    CancelledError,
    InvalidValueError,
    NotFoundError,
    TooLargeError,
    ViewerError,
)
from viewer.label_index import (
    Found,
    LabelIndex,
    find_label,
    found,
    is_resident,
    make_index,
    missing,
)
from viewer.mesh import SMOOTHING, Mesh, finish, opened
from viewer.policy import POLICY
from viewer.pyramid import Cancelled, Pyramid
from viewer.space import Box
from viewer.state import Changed

COARSEST_SURVIVING = 8
"""Voxels. A label that has fewer at a coarse level is taken from a finer one."""

FACES_PER_RUN = 4
"""Faces that a run of voxels has at the least: two crossings, which are vertices, and a closed
surface has nearly twice as many faces as vertices."""

EXPLICIT = 4
"""Times `Policy.mesh_faces` that are made when somebody asks for just this level."""

PREPARE_SECONDS = 1.0
"""Seconds from adding a layer until its labels are indexed: its first pictures go before."""

NOTABLE_VOXELS = 1 << 26
"""Voxels. The index of a smaller volume, made beforehand, is no news: it takes half a second."""

Progress = Callable[[str, float], None]
Key = tuple[Any, ...]


class Meshes:
    """The surfaces of one labels layer.

    Parameters
    ----------
    pyramid : Pyramid
        Of the layer; its history decides what is stale.
    on_progress : callable, optional
        Called with a phrase and a fraction (1 ends it) while the index is made, on the threads
        that make it.
    """

    def __init__(self, pyramid: Pyramid, *, on_progress: Progress | None = None) -> None:
        self._pyramid = pyramid
        self._on_progress = on_progress
        self._made = MESHES.partition()
        self._boxes: dict[tuple[int, tuple[int, ...]], Box] = {}
        self._given: dict[int, Mesh] = {}
        self._generation = pyramid.generation
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def prepare(self, delay: float = PREPARE_SECONDS) -> None:
        """Start the index in the background, where reading all of the volume is cheap enough.

        Before that kernels are compiled, or read from Numba's cache, so that the first mesh need
        not wait.

        Parameters
        ----------
        delay : float
            Seconds until it starts: the first pictures go before.
        """
        pyramid = self._pyramid
        if pyramid.spatial < 3:
            return
        voxels = math.prod(pyramid.levels[0].shape[-3:])

        def work() -> None:
            if self._closing.wait(delay):
                return
            with suppress(ViewerError):  # whoever asks for it is told
                cheap = voxels * pyramid.dtype.itemsize <= POLICY.exact_bytes
                warm(pyramid.dtype)
                if cheap or is_resident(pyramid):
                    quiet = voxels <= NOTABLE_VOXELS
                    self._index(self._point(()), self._closing.is_set, quiet=quiet)

        with suppress(RuntimeError):  # Python is about to end
            threading.Thread(target=work, name="voxelview-index", daemon=True).start()

    def index(
        self, *, point: tuple[int, ...] = (), cancelled: Cancelled | None = None
    ) -> LabelIndex:
        """Where all labels are, for one point of the leading axes.

        Parameters
        ----------
        point : tuple of int
            Indices on the leading axes; default the first of each.
        cancelled : callable, optional
            Asked between blocks whether the caller has lost interest.
        """
        return self._index(self._point(point), cancelled)

    def _index(
        self, point: tuple[int, ...], cancelled: Cancelled | None, *, quiet: bool = False
    ) -> LabelIndex:
        def make() -> LabelIndex:
            tell = (lambda done: None) if quiet else self._tell
            return make_index(self._pyramid, point, cancelled=cancelled, tell=tell)

        return self._current().get(("index", point), make, cancelled)  # type: ignore[no-any-return]

    def bounds(self, label: int, *, point: tuple[int, ...] = ()) -> Box:
        """Bounding box (z, y, x) of a label in voxels of level 0, half-open.

        Raises
        ------
        NotFoundError
            When no voxel has this label.
        """
        index = self.index(point=point)
        return index.box(index.row(label))

    def mesh(
        self,
        label: int,
        *,
        point: tuple[int, ...] = (),
        level: int | None = None,
        smoothing: float = SMOOTHING,
        tolerance: float = 0.0,
        closed: bool = True,
        cancelled: Cancelled | None = None,
    ) -> Mesh:
        """The surface of one label.

        Parameters
        ----------
        label : int
        point : tuple of int
            Indices on the leading axes; default the first of each.
        level : int, optional
            Of the pyramid; default the finest at which the surface has no more than
            `Policy.mesh_faces`.
        smoothing : float, default 0.45
            The most that a vertex moves off the voxel surface along each axis, in voxels, 0 to
            0.5; 0 gives plain marching cubes, whose volume differs from that of the voxels by no
            more than a sixth of a voxel for each voxel face between inside and outside.
        tolerance : float, default 0
            Error in world units that simplification may make; 0 keeps every face.
        closed : bool, default True
            Whether the surface is closed where the label lies at the volume's border.
        cancelled : callable, optional
            Asked now and then whether the caller has lost interest.

        Returns
        -------
        Mesh
            Voxels that touch only by an edge or a corner are apart.

        Raises
        ------
        NotFoundError
            For a label without voxels, label 0, or data without a z axis.
        InvalidValueError
            For a level, a smoothing, a tolerance or a point that does not exist.
        TooLargeError
            For a surface that no level makes small enough.
        """
        if not 0 <= smoothing <= 0.5:
            raise InvalidValueError(f"smoothing={smoothing} is not between 0 and 0.5 voxels.")
        if not 0 <= tolerance < math.inf:
            raise InvalidValueError(f"tolerance={tolerance} is not a length, 0 or more.")
        levels = len(self._pyramid.levels)
        if level is not None and not 0 <= level < levels:
            raise InvalidValueError(f"level={level} does not exist; there are 0 to {levels - 1}.")
        point = self._point(point)
        if (given := self._given.get(label)) is not None:
            return given
        made = self._current()
        task = _Task(self, label, point, level, smoothing, closed, cancelled)
        key = (label, point, level, smoothing, closed)
        if not tolerance:
            return made.get(key, task.make, cancelled)  # type: ignore[no-any-return]

        def simplify() -> Mesh:
            from viewer.simplify import simplified

            fine = made.get(key, task.make, cancelled)
            return simplified(fine, tolerance=tolerance, stay=smoothing == 0, going_on=task.check)

        return made.get((*key, tolerance), simplify, cancelled)  # type: ignore[no-any-return]

    def refresh(self, region: Box | None = None) -> None:
        """Forget what was made of a part of the data: it has changed.

        Parameters
        ----------
        region : Box, optional
            On all axes, in voxels of level 0; default everything.
        """
        if region is None:
            with self._lock:
                made, self._made = self._made, MESHES.partition()
                self._boxes.clear()
            made.close()
            return
        self._drop(0, region)

    def forget(self) -> None:
        """Drop the meshes, to free memory; the index stays."""
        self._made.drop(lambda key: key[0] != "index")

    def give(self, label: int, mesh: Mesh | None) -> None:
        """Answer with this surface for a label, whatever its voxels; None ends that."""
        if mesh is None:
            self._given.pop(label, None)
        else:
            self._given[label] = mesh

    def follow(self) -> None:
        """Forget what the pyramid's refreshes have made stale since the last look."""
        self._current()

    def close(self) -> None:
        """Forget everything for good."""
        self._closing.set()
        self._made.close()

    def _current(self) -> Partition[Any]:
        history = self._pyramid.history
        with self._lock:
            since, self._generation = self._generation, history.generation
        if since != history.generation:
            steps = [step for step in history.told if step.generation > since]
            if len(steps) < history.generation - since:
                self.refresh()
            for step in steps:
                self._apply(step)
        return self._made

    def _apply(self, step: Changed) -> None:
        box = Box(step.start, step.stop)
        if box.empty:  # the volume was moved: the labels are where they were in it
            self.forget()
        else:
            self._drop(step.level, box)

    def _drop(self, level: int, region: Box) -> None:
        """Drop what a change of some voxels touches, at a level and the coarser ones."""
        if region.empty:
            return
        leading = len(region.start) - 3
        lows, highs = region.start[:leading], region.stop[:leading]
        space = Box(region.start[leading:], region.stop[leading:])
        with self._lock:
            boxes = dict(self._boxes)
        entered: dict[tuple[int, ...], set[int] | None] = {}

        def touched(key: Key) -> bool:
            index = key[0] == "index"
            point = key[1]
            if any(not a <= i < b for i, a, b in zip(point, lows, highs, strict=True)):
                return False
            if index:
                return level == 0
            if level and key[2] is not None and key[2] < level:
                return False
            box = boxes.get((key[0], point))
            if box is None or _touch(box, space):
                return True
            if point not in entered:
                entered[point] = self._labels_in(space, point)
            return (labels := entered[point]) is None or key[0] in labels

        # Labels are looked for before the cache's lock is taken: it is held for a moment only.
        for label, point in boxes:
            touched((label, point, None))
        self._made.drop(touched)

    def _labels_in(self, space: Box, point: tuple[int, ...]) -> set[int] | None:
        """Labels that a region holds now; None where it is too large to look."""
        if math.prod(space.shape) > POLICY.mesh_voxels:
            return None
        whole = Box((*point, *space.start), (*(i + 1 for i in point), *space.stop))
        try:
            voxels = self._pyramid.read(0, whole)
        except ViewerError:
            return None
        return set(np.unique(voxels).tolist())

    def _point(self, point: tuple[int, ...]) -> tuple[int, ...]:
        pyramid = self._pyramid
        if pyramid.spatial < 3:
            raise NotFoundError(
                "Labels without a z axis have no surface.", hint="Meshes need 3-D labels."
            )
        shape = pyramid.levels[0].shape[:-3]
        point = point or (0,) * len(shape)
        if len(point) != len(shape) or not all(map(lambda i, n: 0 <= i < n, point, shape)):
            raise InvalidValueError(f"{point} is no index into leading axes of shape {shape}.")
        return point

    def _tell(self, done: float) -> None:
        if self._on_progress is not None:
            self._on_progress("indexing labels", done)

    def known(self, label: int, point: tuple[int, ...], box: Box) -> None:
        """Remember where a label is, which decides what a refresh touches."""
        with self._lock:
            if len(self._boxes) > 1 << 20:
                self._boxes.clear()
            self._boxes[label, point] = box

    def adopt(self, point: tuple[int, ...], index: LabelIndex) -> None:
        """Take an index that somebody else has made, of all labels that will be asked for."""
        self._current().get(("index", point), lambda: index)

    def present(self, point: tuple[int, ...]) -> LabelIndex | None:
        """The index, if it has been made already."""
        return self._made.peek(("index", point))


def _touch(one: Box, other: Box) -> bool:
    """Whether a change of one box can alter a surface that fills the other: they need not overlap,
    smoothing and levels reach a little beyond.
    """
    return all(
        a <= d and c <= b
        for a, b, c, d in zip(one.start, one.stop, other.start, other.stop, strict=True)
    )


class _Task:
    """One mesh in the making."""

    def __init__(
        self,
        meshes: Meshes,
        label: int,
        point: tuple[int, ...],
        level: int | None,
        smoothing: float,
        closed: bool,
        cancelled: Cancelled | None,
    ) -> None:
        self._meshes, self._pyramid = meshes, meshes._pyramid
        self._label, self._point, self._level = label, point, level
        self._smoothing, self._closed, self._cancelled = smoothing, closed, cancelled
        self._most = POLICY.mesh_faces * (1 if level is None else EXPLICIT)

    def check(self) -> None:
        """Raise `CancelledError` when nobody waits any more."""
        if self._cancelled is not None and self._cancelled():
            raise CancelledError("Nobody waits for this mesh any more.")

    def make(self) -> Mesh:
        """Find, extract, smooth and place."""
        if self._label == 0:
            raise NotFoundError("Label 0 is background and has no surface.")
        self.check()
        finest, box = self._finest()
        enough = COARSEST_SURVIVING if finest is None else min(COARSEST_SURVIVING, finest.count)
        first = level = self._level or 0
        voxels = self._at(level, finest, box)
        while level and voxels is not None and voxels.count < enough:
            level -= 1
            first = level
            voxels = self._at(level, finest, box)
        while True:
            if voxels is not None and voxels.complete and voxels.count >= enough:
                mesh = self._extract(level, voxels, coarser=level > first)
                if mesh is not None:
                    return mesh
            if self._level is not None or level + 1 == len(self._pyramid.levels):
                raise TooLargeError(
                    f"The surface of label {self._label} has more than {self._most:,} faces"
                    f" at level {level}.",
                    hint="A coarser level has fewer." if self._level is not None else "",
                )
            level += 1
            voxels = self._at(level, finest, box)

    def _finest(self) -> tuple[Found | None, Box | None]:
        """The label at level 0, and its box; None for what would take too much reading."""
        index = self._meshes.present(self._point)
        resident = is_resident(self._pyramid)
        if index is None and not resident:
            index = self._meshes.index(point=self._point, cancelled=self._cancelled)
        box = None
        if index is not None:
            row = index.row(self._label)
            box = index.box(row)
            self._meshes.known(self._label, self._point, box)
            runs = index.runs_of(row)
            if runs is not None:
                return found(runs, self._pyramid.levels[0].shape[-2]), box
            if not resident and math.prod(box.shape) > POLICY.mesh_voxels:
                return None, box
        voxels = self._find(0, box)
        if not voxels.count:
            raise missing(self._label)
        if voxels.complete:
            box = voxels.box
            self._meshes.known(self._label, self._point, box)
        return voxels, box

    def _at(self, level: int, finest: Found | None, box: Box | None) -> Found | None:
        """The label at a level; `box` is where it lies at level 0, if that is known."""
        if level == 0:
            return finest
        if box is None:
            return self._find(level, None)
        shape = self._pyramid.levels[level].shape[-3:]
        start, stop = [], []
        for a, b, n, m in zip(
            box.start, box.stop, self._pyramid.levels[0].shape[-3:], shape, strict=True
        ):
            # Levels are halved by rounding up, so the factor is the nearest power of two.
            factor = 1 << round(math.log2(n / m))
            start.append(min(a // factor, m - 1))
            stop.append(min(max(-(-b // factor), start[-1] + 1), m))
        return self._find(level, Box(tuple(start), tuple(stop)))

    def _find(self, level: int, box: Box | None) -> Found:
        return find_label(
            self._pyramid,
            self._label,
            self._point,
            level=level,
            box=box,
            most_runs=self._most // FACES_PER_RUN,
            cancelled=self._cancelled,
        )

    def _extract(self, level: int, voxels: Found, *, coarser: bool) -> Mesh | None:
        """The mesh, unless it has too many faces."""
        from viewer.kernels.marching_cubes import Extraction

        if len(voxels.runs) * FACES_PER_RUN > self._most:
            return None
        place = self._pyramid.levels[level]
        start, stop = voxels.box.start, voxels.box.stop
        extraction = Extraction(voxels.runs, start, stop, place.shape[-2], self.check)  # type: ignore[arg-type]
        if extraction.faces > self._most:
            return None
        surface = extraction.surface()
        if not self._closed:
            surface = opened(surface, start, place.shape[-3:])
        self.check()
        note = ""
        if coarser:
            note = f"Label {self._label} is too large to be shown finer than level {level}."
        return finish(
            surface,
            start,  # type: ignore[arg-type]
            place.scale[-3:],
            place.translate[-3:],
            self._smoothing,
            level=level,
            note=note,
        )


def warm(dtype: np.dtype[Any]) -> None:
    """Have everything compiled, or read from Numba's cache, that meshes of such labels need."""
    from viewer.kernels.runs import find_runs, index_block
    from viewer.simplify import simplified

    block = np.zeros((3, 3, 70), dtype)
    block[1, 1, 1:65] = 1
    index_block(block, (0, 0, 0), 3)
    voxels = found(find_runs(block, (0, 0, 0), 3, 1), 3)
    from viewer.kernels.marching_cubes import Extraction

    start: tuple[int, int, int] = voxels.box.start  # type: ignore[assignment]
    surface = Extraction(voxels.runs, start, voxels.box.stop, 3).surface()  # type: ignore[arg-type]
    simplified(finish(surface, start, (1, 1, 1), (0, 0, 0), SMOOTHING), tolerance=0.1)


MESHES: BlockCache[Any] = BlockCache(POLICY.mesh_cache_bytes)
"""Finished meshes and indexes of the process."""
