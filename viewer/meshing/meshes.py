"""Surfaces of labels, made when somebody asks, and kept until a refresh touches them.

How one is made stands in `viewer.meshing.making`; faces that add nothing are taken out where a
tolerance allows (`viewer.meshing.simplify`).

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
from viewer.errors import InvalidValueError, NotFoundError, ViewerError
from viewer.meshing.label_index import LabelIndex, make_index
from viewer.meshing.label_search import is_resident
from viewer.meshing.making import Making, Order, is_scanned_soon, warm
from viewer.meshing.mesh import SMOOTHING, Mesh
from viewer.policy import POLICY
from viewer.pyramids.pyramid import Cancelled, Pyramid
from viewer.space import Box
from viewer.state import Changed

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
        seed: tuple[int, ...] | None = None,
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
        seed : tuple of int, optional
            Voxel (z, y, x) of level 0 at which the label was clicked. Where the index of labels is
            not there and reading everything takes long, the mesh is that of the piece around it,
            with `Mesh.whole` False.
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
        key: Key = (label, point, level, smoothing, closed, None)
        if seed is not None and self._needs_seed(seed, key):
            key = (*key[:-1], seed)
        task = Making(self._pyramid, self, Order(*key), cancelled)
        if not tolerance:
            return made.get(key, task.make, cancelled)  # type: ignore[no-any-return]

        def simplify() -> Mesh:
            from viewer.meshing.simplify import simplified

            fine = made.get(key, task.make, cancelled)
            return simplified(fine, tolerance=tolerance, stay=smoothing == 0, going_on=task.check)

        return made.get((*key, tolerance), simplify, cancelled)  # type: ignore[no-any-return]

    def _needs_seed(self, seed: tuple[int, ...], key: Key) -> bool:
        """Whether a piece of the label is to be had much sooner than all of it."""
        shape = self._pyramid.levels[0].shape[-3:]
        if len(seed) != 3 or not all(map(lambda i, n: 0 <= i < n, seed, shape)):
            raise InvalidValueError(f"seed={seed} is no voxel of a volume of shape {shape}.")
        if is_scanned_soon(self._pyramid) or self._made.peek(key) is not None:
            return False
        return self.present(key[1]) is None

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
            if key[5] is not None:  # where a piece lies has not been noted
                return True
            box = boxes.get((key[0], point))
            if box is None or _touch(box, space):
                return True
            if point not in entered:
                entered[point] = self._labels_in(space, point)
            return (labels := entered[point]) is None or key[0] in labels

        # Labels are looked for before the cache's lock is taken: it is held for a moment only.
        for label, point in boxes:
            touched((label, point, None, SMOOTHING, True, None))
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


MESHES: BlockCache[Any] = BlockCache(POLICY.mesh_cache_bytes)
"""Finished meshes and indexes of the process."""
