"""Meshes of a labels layer: label → surface in the world, made once, kept under a budget.

The way of a mesh: the index of bounds (`viewer.bounds`) tells the label's box; the finest level
at which that box is small enough is chosen before anything is allocated; its voxels are read slab
by slab into a mask; `viewer.kernels.marching_cubes` makes the surface, `smooth_surface` takes the
stairs out of it and places it in the world. Several who ask for the same mesh wait for one.
"""

from __future__ import annotations

import itertools
import math
import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from viewer.bounds import Bounds, BoundsJob, LabelBounds, Progress
from viewer.cache import BlockCache, Partition
from viewer.errors import CancelledError, ClosedError, NotFoundError, TooLargeError
from viewer.policy import MIB, POLICY
from viewer.pyramid import Cancelled, Pyramid
from viewer.sources.protocol import Array
from viewer.space import Box

SMOOTHING = 6
"""Passes of polish by default: no stairs are left on a sphere of ten voxels' radius."""

SLAB_BYTES = 16 * MIB
"""Bytes of voxels read at once while a mask is filled."""

POINTS = 16
"""Indices of bounds kept at most: one for each point on the leading axes."""

MESHES = BlockCache(POLICY.mesh_cache_bytes)
"""The finished meshes of all layers."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """A closed surface.

    Attributes
    ----------
    vertices : float32 array (n, 3)
        (z, y, x) in the world, in the layer's units.
    faces : uint32 array (m, 3)
        Three vertices each. ``cross(b - a, c - a)`` of their (z, y, x) points outwards; in
        (x, y, z) the order is to be reversed (`viewer.mesh_formats` does).
    normals : float32 array (n, 3)
        Outwards, of length 1, smooth.
    """

    vertices: Array
    faces: Array
    normals: Array

    def _pack(self) -> Array:
        """All in one array of bytes, which is what the cache keeps."""
        head = np.array([len(self.vertices), len(self.faces)], np.int64)
        parts = (head, self.vertices, self.normals, self.faces)
        return np.concatenate([part.reshape(-1).view(np.uint8) for part in parts])

    @classmethod
    def _unpack(cls, packed: Array) -> Mesh:
        vertices, faces = map(int, packed[:16].view(np.int64))
        ends = list(itertools.accumulate((16, 12 * vertices, 12 * vertices, 12 * faces)))
        return cls(
            packed[ends[0] : ends[1]].view(np.float32).reshape(-1, 3),
            packed[ends[2] : ends[3]].view(np.uint32).reshape(-1, 3),
            packed[ends[1] : ends[2]].view(np.float32).reshape(-1, 3),
        )


@dataclass(slots=True)
class _Epoch:
    """Everything made of one generation of the data."""

    generation: int
    partition: Partition
    jobs: dict[tuple[int, ...], BoundsJob] = field(default_factory=dict)

    def close(self) -> None:
        self.partition.close()
        for job in self.jobs.values():
            job.stop()


class _TooManyVertices(Exception):
    """The label's surface is too large at this level."""


class Meshes:
    """The meshes of one labels layer; used from several threads at once.

    Parameters
    ----------
    pyramid : Pyramid
        Of kind labels; not closed with the meshes.
    on_progress : callable, optional
        Told the fraction of the index of bounds that is done, 0 to 1, from its thread.
    cache : BlockCache, optional
        Where meshes are kept; default that of the process.
    """

    def __init__(
        self,
        pyramid: Pyramid,
        *,
        on_progress: Progress | None = None,
        cache: BlockCache = MESHES,
    ) -> None:
        self._pyramid: Pyramid | None = pyramid
        self._on_progress = on_progress
        self._cache = cache
        self._lock = threading.Lock()
        self._epoch = _Epoch(pyramid.generation, cache.partition())

    def mesh(
        self,
        label: int,
        *,
        point: tuple[int, ...] = (),
        level: int | None = None,
        smoothing: int = SMOOTHING,
        cancelled: Cancelled | None = None,
    ) -> Mesh:
        """The surface of a label.

        Parameters
        ----------
        label : int
        point : tuple of int, optional
            Indices on the leading axes; default zeros.
        level : int, optional
            The finest level to use; default 0. A coarser one is taken where the label's box or
            surface is beyond `Policy.mesh_voxels` or `Policy.mesh_vertices`, a finer one where
            the label has vanished.
        smoothing : int, optional
            Passes of polish after terraces have become slopes; 0 gives plain marching cubes. The
            surface stays within half a voxel of the voxels' own at any number.
        cancelled : callable, optional
            Asked now and then whether the caller has lost interest.

        Raises
        ------
        NotFoundError
            No such label, level or point; label 0; or the layer is 2-D.
        TooLargeError
            The label is too large at every level, or there are too many labels.
        CancelledError
            `cancelled` said so.
        ClosedError
            The layer has been closed.
        """
        for _ in range(3):
            pyramid, epoch = self._current()
            point = self._check(pyramid, point)
            if level is not None and not 0 <= level < len(pyramid.levels):
                raise NotFoundError(
                    f"There is no level {level}; there are 0 to {len(pyramid.levels) - 1}."
                )
            try:
                found = self._job(pyramid, epoch, point).wait(cancelled).find(label)
                packed = epoch.partition.get(
                    (label, point, level or 0, smoothing),
                    lambda found=found: _make(  # type: ignore[misc]
                        pyramid,
                        found,
                        point,
                        level or 0,
                        smoothing,
                        cancelled,  # noqa: B023
                    )._pack(),
                    cancelled,
                )
            except CancelledError:
                if cancelled is not None and cancelled():
                    raise
                if epoch.generation == self._current()[1].generation:
                    raise
                continue  # the data was refreshed meanwhile
            if epoch.generation == pyramid.generation:
                break
        # Data that changes faster than it is meshed gives a mixture, like any reading of it.
        return Mesh._unpack(packed)

    def bounds(self, *, point: tuple[int, ...] = (), cancelled: Cancelled | None = None) -> Bounds:
        """The index of all labels at a point of the leading axes (default zeros); see `mesh`."""
        pyramid, epoch = self._current()
        return self._job(pyramid, epoch, self._check(pyramid, point)).wait(cancelled)

    def refresh(self) -> None:
        """Forget everything made of the data: it has changed."""
        pyramid = self._open()
        with self._lock:
            old, self._epoch = (
                self._epoch,
                _Epoch(pyramid.generation, self._cache.partition()),
            )
        old.close()

    def close(self) -> None:
        """Let go of the pyramid and of everything made of it; idempotent."""
        with self._lock:
            self._pyramid = None
        self._epoch.close()

    def _open(self) -> Pyramid:
        pyramid = self._pyramid
        if pyramid is None:
            raise ClosedError("The layer has been closed.")
        return pyramid

    def _current(self) -> tuple[Pyramid, _Epoch]:
        pyramid = self._open()
        with self._lock:
            epoch = self._epoch
        if epoch.generation == pyramid.generation:
            return pyramid, epoch
        self.refresh()
        return pyramid, self._epoch

    def _job(self, pyramid: Pyramid, epoch: _Epoch, point: tuple[int, ...]) -> BoundsJob:
        with self._lock:
            if self._pyramid is None:
                raise ClosedError("The layer has been closed.")
            job = epoch.jobs.pop(point, None)
            if job is None or job.failed:
                job = BoundsJob(pyramid, point, self._on_progress)
            epoch.jobs[point] = job  # last in order: the most recently used
            while len(epoch.jobs) > POINTS:
                epoch.jobs.pop(next(iter(epoch.jobs))).stop()
            return job

    @staticmethod
    def _check(pyramid: Pyramid, point: tuple[int, ...]) -> tuple[int, ...]:
        """The point, zeros if none was given; refuse layers without meshes."""
        if pyramid.spatial != 3:
            raise NotFoundError(
                "This layer has two spatial axes: meshes need 3-D labels.",
                hint="Give a volume (z, y, x) to have meshes.",
            )
        leading = pyramid.levels[0].shape[:-3]
        if not point:
            return (0,) * len(leading)
        if len(point) != len(leading) or not all(
            0 <= i < n for i, n in zip(point, leading, strict=True)
        ):
            raise NotFoundError(f"{point} is no index into leading axes of shape {leading}.")
        return tuple(point)


def plan_crop(pyramid: Pyramid, box: Box, level: int) -> Box:
    """The box of a coarser level that covers a level-0 box, (z, y, x).

    Through the world, since given levels may have any scale; a voxel wider on coarser levels,
    where what is left of a label may reach beyond it.
    """
    fine, coarse = pyramid.levels[0], pyramid.levels[level]
    if level == 0:
        return box
    start, stop = [], []
    for axis in range(3):
        i = len(fine.shape) - 3 + axis
        step, origin = fine.scale[i], fine.translate[i]
        ends = [
            (edge * step + origin - coarse.translate[i]) / coarse.scale[i] + 0.5
            for edge in (box.start[axis] - 0.5, box.stop[axis] - 0.5)
        ]
        low = max(0, math.floor(ends[0]) - 1)
        start.append(min(low, coarse.shape[i] - 1))
        stop.append(max(start[-1] + 1, min(math.ceil(ends[1]) + 1, coarse.shape[i])))
    return Box(tuple(start), tuple(stop))


def plan_attempts(pyramid: Pyramid, box: Box, level: int) -> list[int]:
    """Levels to try for a label of this box, in order.

    First the finest one, from `level` on, whose crop holds at most `Policy.mesh_voxels`. Then
    those finer than it, for labels that vanish there: their crops may be larger, up to eight
    times, since a label that vanishes has a small surface.
    """
    sizes = [
        math.prod(n + 2 for n in plan_crop(pyramid, box, at).shape)
        for at in range(len(pyramid.levels))
    ]
    first = next(
        (at for at in range(level, len(sizes)) if sizes[at] <= POLICY.mesh_voxels), len(sizes)
    )
    finer = [at for at in reversed(range(first)) if sizes[at] <= 8 * POLICY.mesh_voxels]
    return ([first] if first < len(sizes) else []) + finer


def _make(
    pyramid: Pyramid,
    found: LabelBounds,
    point: tuple[int, ...],
    level: int,
    smoothing: int,
    cancelled: Cancelled | None,
) -> Mesh:
    attempts = plan_attempts(pyramid, found.box, level)
    crowded = -1  # the coarsest level at which the surface was too large
    while attempts:
        at = attempts.pop(0)
        if at <= crowded:
            continue
        try:
            mesh = _make_at(pyramid, found, point, at, smoothing, cancelled)
        except _TooManyVertices:
            crowded = at
            if at + 1 < len(pyramid.levels):
                attempts.insert(0, at + 1)
            continue
        if mesh is not None:
            return mesh
        # vanished: what is left of the attempts is finer
    raise TooLargeError(
        f"Label {found.label} is too large for one mesh: {found.voxels:,} voxels in a box of "
        f"{found.box.shape}."
    )


def _make_at(
    pyramid: Pyramid,
    found: LabelBounds,
    point: tuple[int, ...],
    level: int,
    smoothing: int,
    cancelled: Cancelled | None,
) -> Mesh | None:
    """The mesh at one level, or None if the label has vanished there."""
    from viewer.kernels.marching_cubes import count_surface, marching_cubes
    from viewer.kernels.smooth_surface import place_surface, smooth_surface

    def check() -> None:
        if cancelled is not None and cancelled():
            raise CancelledError("Nobody waits for this mesh any more.")

    crop = plan_crop(pyramid, found.box, level)
    mask = _read_mask(pyramid, found.label, level, point, crop, cancelled)
    vertices, faces = count_surface(mask, check)
    if vertices == 0:
        return None
    if vertices > POLICY.mesh_vertices:
        raise _TooManyVertices
    surface = marching_cubes(mask, vertices, faces, check)
    del mask
    check()
    smooth_surface(surface, smoothing)
    check()
    here = pyramid.levels[level]
    scale, translate = here.scale[-3:], here.translate[-3:]
    # voxel (1, 1, 1) of the padded mask is the first one of the crop
    origin = tuple(
        (first - 1) * step + shift
        for first, step, shift in zip(crop.start, scale, translate, strict=True)
    )
    placed, normals = place_surface(surface, scale, origin)
    if math.prod(scale) < 0:  # mirrored
        surface.faces = np.ascontiguousarray(surface.faces[:, ::-1])
    return Mesh(placed, surface.faces, normals)


def _read_mask(
    pyramid: Pyramid,
    label: int,
    level: int,
    point: tuple[int, ...],
    crop: Box,
    cancelled: Cancelled | None,
) -> Array:
    """1 where the label is, padded; read in slabs along z."""
    from viewer.kernels.marching_cubes import padded_mask

    shape: Any = crop.shape
    mask = padded_mask(shape)
    value = pyramid.dtype.type(label)
    after = tuple(i + 1 for i in point)
    plane = shape[1] * shape[2] * pyramid.dtype.itemsize
    step = max(1, SLAB_BYTES // plane)
    if pyramid.source_block is not None:  # whole chunks, so that none is decoded twice
        step = max(step, pyramid.source_block[-3])
    for z in range(0, shape[0], step):
        end = min(z + step, shape[0])
        box = Box(
            (*point, crop.start[0] + z, *crop.start[1:]),
            (*after, crop.start[0] + end, *crop.stop[1:]),
        )
        voxels = pyramid.read(level, box, cancelled).reshape(box.shape[-3:])
        inside = mask[1 + z : 1 + end, 1 : 1 + shape[1], 1 : 1 + shape[2]]
        np.equal(voxels, value, out=inside.view(np.bool_))
    return mask
