"""How one label becomes a surface.

The label's voxels are found as *runs*, from the index of all labels when it is there
(`label_index`), else by a search for this label alone (`label_search`); marching cubes draws their
boundary (`viewer.kernels.marching_cubes`), closed also where the label leaves the volume; the
stairs of the voxels are smoothed by a fraction of a voxel; the vertices are put into world
coordinates (`mesh`).

How large the surface will be is known before it is made. One that exceeds `Policy.mesh_faces` is
made of a coarser level, and says so.

Where reading all voxels takes long and the index is not there yet, a label that somebody clicked on
is made of the piece that hangs together with the voxel under the click; the mesh says that it is
not the whole.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Protocol

import msgspec
import numpy as np

from viewer.errors import CancelledError, NotFoundError, TooLargeError
from viewer.meshing.label_index import LabelIndex
from viewer.meshing.label_search import Found, find_label, found, grow_label, is_resident, missing
from viewer.meshing.mesh import SMOOTHING, Mesh, finish, opened
from viewer.policy import MIB, POLICY
from viewer.pyramids.pyramid import Cancelled, Pyramid
from viewer.space import Box
from viewer.state import IDENTITY

COARSEST_SURVIVING = 8
"""Voxels. A label that has fewer at a coarse level is taken from a finer one."""

FACES_PER_RUN = 4
"""Faces that a run of voxels has at the least: two crossings, which are vertices, and a closed
surface has nearly twice as many faces as vertices."""

EXPLICIT = 4
"""Times `Policy.mesh_faces` that are made when somebody asks for just this level."""

SCANNED_BYTES = 256 * MIB
"""Bytes. An array in memory up to this size is searched for a label rather than grown in: that
takes some hundredths of a second, and what comes is the whole label."""

GROWN_SHARE = 8
"""Of an array in memory no more than one in so many voxels is read to grow a label: block by block
they cost several times what they cost in a search, which so is never much later."""

GROWN_RUNS = 1 << 15
"""Runs of a label that is grown in memory: some 300,000 faces, which are smoothed in a tenth of
a second. A larger one is searched for, and comes coarse first."""


class Places(Protocol):
    """What is known of where labels are."""

    def present(self, point: tuple[int, ...]) -> LabelIndex | None:
        """The index, if it has been made already."""

    def index(
        self, *, point: tuple[int, ...] = (), cancelled: Cancelled | None = None
    ) -> LabelIndex:
        """The index, made if it is not there."""

    def known(self, label: int, point: tuple[int, ...], box: Box) -> None:
        """Told where a label was found."""


class Order(msgspec.Struct, frozen=True):
    """Which mesh is to be made: what `Meshes.mesh` was asked for, checked."""

    label: int
    point: tuple[int, ...]
    level: int | None
    smoothing: float
    closed: bool
    seed: tuple[int, ...] | None = None
    """Voxel (z, y, x) of level 0 that the label was clicked at; None for the whole label."""


def is_scanned_soon(pyramid: Pyramid) -> bool:
    """Whether looking at all voxels is so quick that no piece of a label need be shown before."""
    voxels = math.prod(pyramid.levels[0].shape[-3:])
    return is_resident(pyramid) and voxels * pyramid.dtype.itemsize <= SCANNED_BYTES


class Making:
    """One mesh in the making.

    Parameters
    ----------
    pyramid : Pyramid
        Of labels with three axes of space.
    places : Places
    order : Order
    cancelled : callable, optional
        Asked now and then whether the caller has lost interest.
    """

    def __init__(
        self, pyramid: Pyramid, places: Places, order: Order, cancelled: Cancelled | None
    ) -> None:
        self._pyramid, self._places, self._order = pyramid, places, order
        self._label, self._point, self._level = order.label, order.point, order.level
        self._cancelled = cancelled
        self._most = POLICY.mesh_faces * (1 if order.level is None else EXPLICIT)

    def check(self) -> None:
        """Raise `CancelledError` when nobody waits any more."""
        if self._cancelled is not None and self._cancelled():
            raise CancelledError("Nobody waits for this mesh any more.")

    def make(self) -> Mesh:
        """Find, extract, smooth and place."""
        if self._label == 0:
            raise NotFoundError("Label 0 is background and has no surface.")
        self.check()
        if self._order.seed is not None and (piece := self._piece(self._order.seed)) is not None:
            return piece
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

    def _piece(self, seed: tuple[int, ...]) -> Mesh | None:
        """What hangs together with a seed, as fine as allowed; None where nothing is found soon.

        Of levels that the source has and of exact ones: a sample may hold no thread together.
        """
        levels, previews = self._pyramid.levels, self._pyramid.previews
        level = min(self._level or 0, len(self._pyramid.source.levels) - 1)
        voxels = self._grow(level, seed)
        while level and (voxels is None or voxels.count < COARSEST_SURVIVING):
            level -= 1
            voxels = self._grow(level, seed)
        if voxels is None:
            return None
        first = level
        while True:
            if voxels is not None and voxels.complete:
                mesh = self._extract(level, voxels, coarser=level > first)
                if mesh is not None:
                    return replace(mesh, whole=False)
            level += 1
            if level == len(levels) or level in previews or is_resident(self._pyramid):
                return None
            voxels = self._grow(level, seed)

    def _grow(self, level: int, seed: tuple[int, ...]) -> Found | None:
        shape = self._pyramid.levels[level].shape[-3:]
        start, _ = self._project(level, Box(seed, tuple(i + 1 for i in seed)))
        runs, room = self._most // FACES_PER_RUN, POLICY.mesh_voxels
        if is_resident(self._pyramid):
            runs, room = min(runs, GROWN_RUNS), math.prod(shape) // GROWN_SHARE
        return grow_label(
            self._pyramid,
            self._label,
            self._point,
            tuple(min(i, n - 1) for i, n in zip(start, shape, strict=True)),
            level=level,
            most_runs=runs,
            most_voxels=room,
            cancelled=self._cancelled,
        )

    def _finest(self) -> tuple[Found | None, Box | None]:
        """The label at level 0, and its box; None for what would take too much reading."""
        index = self._places.present(self._point)
        resident = is_resident(self._pyramid)
        if index is None and not resident:
            index = self._places.index(point=self._point, cancelled=self._cancelled)
        box = None
        if index is not None:
            row = index.row(self._label)
            box = index.box(row)
            self._places.known(self._label, self._point, box)
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
            self._places.known(self._label, self._point, box)
        return voxels, box

    def _at(self, level: int, finest: Found | None, box: Box | None) -> Found | None:
        """The label at a level; `box` is where it lies at level 0, if that is known."""
        if level == 0:
            return finest
        if box is None:
            return self._find(level, None)
        return self._find(level, Box(*self._project(level, box)))

    def _project(self, level: int, box: Box) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Start and stop at a level of a box of level 0."""
        shape = self._pyramid.levels[level].shape[-3:]
        start, stop = [], []
        for a, b, n, m in zip(
            box.start, box.stop, self._pyramid.levels[0].shape[-3:], shape, strict=True
        ):
            # Levels are halved by rounding up, so the factor is the nearest power of two.
            factor = 1 << round(math.log2(n / m))
            start.append(min(a // factor, m - 1))
            stop.append(min(max(-(-b // factor), start[-1] + 1), m))
        return tuple(start), tuple(stop)

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
        if not self._order.closed:
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
            self._pyramid.affine,
            self._order.smoothing,
            level=level,
            note=note,
            going_on=self.check,
        )


def warm(dtype: np.dtype[Any]) -> None:
    """Have everything compiled, or read from Numba's cache, that meshes of such labels need."""
    from viewer.kernels.runs import find_runs, index_block
    from viewer.meshing.simplify import simplified

    block = np.zeros((3, 3, 70), dtype)
    block[1, 1, 1:65] = 1
    index_block(block, (0, 0, 0), 3)
    voxels = found(find_runs(block, (0, 0, 0), 3, 1), 3)
    from viewer.kernels.marching_cubes import Extraction

    start: tuple[int, int, int] = voxels.box.start  # type: ignore[assignment]
    surface = Extraction(voxels.runs, start, voxels.box.stop, 3).surface()  # type: ignore[arg-type]
    simplified(finish(surface, start, (1, 1, 1), (0, 0, 0), IDENTITY, SMOOTHING), tolerance=0.1)
