"""Surfaces of labels, made when somebody asks.

The way of a mesh: the *index* says in which box a label lies (one pass over the volume, started
by the first request and kept); the box is read, at a coarser level where it would be too large;
marching cubes draws its boundary, closed also where the label leaves the volume; the stairs of
the voxels are smoothed by a fraction of a voxel; the vertices are put into world coordinates.

Several threads may ask at once. Nothing is made twice: the index and every mesh are kept under a
budget of bytes, and whoever asks for what another is making waits for it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.cache import BlockCache, Partition
from viewer.errors import CancelledError, InvalidValueError, NotFoundError
from viewer.policy import POLICY
from viewer.pyramid import Cancelled, Pyramid
from viewer.space import Box

INDEX_VOXELS = 1 << 22
"""Voxels read at a time for the index: few enough to stay in memory and to cancel soon."""

COARSEST_SURVIVING = 8
"""Voxels. A label that has fewer at a coarse level is taken from a finer one."""

SMOOTHING = 0.3
"""Voxels. A vertex moves at most so far: more makes parts of one voxel's width too thin."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Mesh:
    """A closed surface in world coordinates.

    Parameters
    ----------
    vertices : float32 ndarray (n, 3)
        (z, y, x) in the layer's units.
    faces : uint32 ndarray (m, 3)
        Indices of vertices; outward by the right-hand rule in (z, y, x) coordinates.
    normals : float32 ndarray (n, 3)
        Unit vectors pointing outward, (z, y, x).
    level : int
        Level of the pyramid that it was made of.
    """

    vertices: npt.NDArray[np.float32]
    faces: npt.NDArray[np.uint32]
    normals: npt.NDArray[np.float32]
    level: int = 0

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.vertices.nbytes + self.faces.nbytes + self.normals.nbytes


@dataclass(frozen=True, slots=True)
class LabelIndex:
    """Where all labels of one volume are.

    Parameters
    ----------
    keys : uint64 ndarray (n,)
        The labels but 0, ascending; negative ones as their two's complement.
    counts : int64 ndarray (n,)
        Voxels of each.
    starts, stops : int64 ndarray (n, 3)
        Bounding boxes (z, y, x) in voxels of level 0, half-open.
    centroids : float64 ndarray (n, 3)
        Mean position (z, y, x) in voxels.
    """

    keys: npt.NDArray[np.uint64]
    counts: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    stops: npt.NDArray[np.int64]
    centroids: npt.NDArray[np.float64]

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return len(self.keys) * 88

    def row(self, label: int) -> int:
        """Row of a label; `NotFoundError` when there is none."""
        key = np.uint64(label & 0xFFFFFFFFFFFFFFFF)
        row = int(np.searchsorted(self.keys, key))
        if row == len(self.keys) or self.keys[row] != key:
            raise NotFoundError(
                f"There is no label {label} in the volume.",
                hint="Label 0 is background and has no surface." if label == 0 else "",
            )
        return row


class Meshes:
    """The surfaces of one labels layer.

    Parameters
    ----------
    pyramid : Pyramid
        Of the layer; its generation decides what is stale.
    on_progress : callable, optional
        Called with a phrase and a fraction (1 ends it) while the index is made, on the thread
        that makes it.
    """

    def __init__(self, pyramid: Pyramid, *, on_progress: Progress | None = None) -> None:
        self._pyramid = pyramid
        self._on_progress = on_progress
        self._made = MESHES.partition()
        self._generation = pyramid.generation

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
        point = self._point(point)
        made = self._current()
        return made.get(("index", point), lambda: self._scan(point, cancelled), cancelled)  # type: ignore[no-any-return]

    def bounds(self, label: int, *, point: tuple[int, ...] = ()) -> Box:
        """Bounding box (z, y, x) of a label in voxels of level 0, half-open.

        Raises
        ------
        NotFoundError
            When no voxel has this label.
        """
        index = self.index(point=point)
        row = index.row(label)
        return Box(tuple(index.starts[row].tolist()), tuple(index.stops[row].tolist()))

    def mesh(
        self,
        label: int,
        *,
        point: tuple[int, ...] = (),
        level: int | None = None,
        smoothing: float = SMOOTHING,
        cancelled: Cancelled | None = None,
    ) -> Mesh:
        """The surface of one label.

        Parameters
        ----------
        label : int
        point : tuple of int
            Indices on the leading axes; default the first of each.
        level : int, optional
            Of the pyramid; default the finest at which the label's box has no more than
            `Policy.mesh_voxels`.
        smoothing : float, default 0.3
            The most that a vertex moves off the voxel surface along each axis, in voxels, 0 to
            0.5; 0 gives plain marching cubes.
        cancelled : callable, optional
            Asked between blocks whether the caller has lost interest.

        Returns
        -------
        Mesh
            Closed; voxels that touch only by an edge or a corner are apart.

        Raises
        ------
        NotFoundError
            For a label without voxels, label 0, or data without a z axis.
        InvalidValueError
            For a level, a smoothing or a point that does not exist.
        """
        if not 0 <= smoothing <= 0.5:
            raise InvalidValueError(f"smoothing={smoothing} is not between 0 and 0.5 voxels.")
        levels = len(self._pyramid.levels)
        if level is not None and not 0 <= level < levels:
            raise InvalidValueError(f"level={level} does not exist; there are 0 to {levels - 1}.")
        point = self._point(point)
        made = self._current()
        return made.get(  # type: ignore[no-any-return]
            (label, point, level, smoothing),
            lambda: self._make(label, point, level, smoothing, cancelled),
            cancelled,
        )

    def refresh(self) -> None:
        """Forget everything: the data has changed."""
        made, self._made = self._made, MESHES.partition()
        made.close()

    def close(self) -> None:
        """Forget everything for good."""
        self._made.close()

    def _current(self) -> Partition[Any]:
        if self._generation != self._pyramid.generation:
            self._generation = self._pyramid.generation
            self.refresh()
        return self._made

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

    def _scan(self, point: tuple[int, ...], cancelled: Cancelled | None) -> LabelIndex:
        from viewer.kernels.bounds import merge, scan_block

        pyramid = self._pyramid
        boxes = list(plan_scan(pyramid.levels[0].shape[-3:], _spatial_block(pyramid)))
        parts = []
        for number, box in enumerate(boxes):
            self._tell(number / len(boxes))
            block = pyramid.read(0, _extend(box, point), cancelled)
            parts.append(scan_block(block.reshape(box.shape), box.start))  # type: ignore[arg-type]
        self._tell(1.0)
        keys, rows = merge(parts)
        return LabelIndex(keys, rows[:, 0], rows[:, 1:4], rows[:, 4:7], rows[:, 7:10] / rows[:, :1])

    def _tell(self, done: float) -> None:
        if self._on_progress is not None:
            self._on_progress("indexing labels", done)

    def _make(
        self,
        label: int,
        point: tuple[int, ...],
        level: int | None,
        smoothing: float,
        cancelled: Cancelled | None,
    ) -> Mesh:
        if label == 0:
            raise NotFoundError("Label 0 is background and has no surface.")
        index = self.index(point=point, cancelled=cancelled)
        row = index.row(label)
        start, stop = index.starts[row], index.stops[row]
        chosen = self._choose(start, stop) if level is None else level
        while True:
            mask, origin = self._mask(label, point, chosen, start, stop, cancelled)
            survivors = int(np.count_nonzero(mask))
            if survivors >= min(COARSEST_SURVIVING, int(index.counts[row])) or not chosen:
                break
            chosen -= 1
        if cancelled is not None and cancelled():
            raise CancelledError("Nobody waits for this mesh any more.")
        from viewer.kernels.marching_cubes import surface
        from viewer.kernels.smoothing import relax, vertex_normals

        vertices, faces = surface(mask)
        relax(vertices, faces, smoothing)
        place = self._pyramid.levels[chosen]
        scale = np.asarray(place.scale[-3:])
        world = (vertices + (origin - 1)) * scale + np.asarray(place.translate[-3:])
        normals = vertex_normals((vertices * scale).astype(np.float32), faces)
        return Mesh(world.astype(np.float32), faces, normals, chosen)

    def _choose(self, start: npt.NDArray[np.int64], stop: npt.NDArray[np.int64]) -> int:
        """The finest level at which the box is not too large to be meshed at once."""
        shape = np.asarray(self._pyramid.levels[0].shape[-3:])
        for level, place in enumerate(self._pyramid.levels):
            share = np.asarray(place.shape[-3:]) / shape
            if math.prod((stop - start) * share) <= POLICY.mesh_voxels:
                return level
        return len(self._pyramid.levels) - 1

    def _mask(
        self,
        label: int,
        point: tuple[int, ...],
        level: int,
        start: npt.NDArray[np.int64],
        stop: npt.NDArray[np.int64],
        cancelled: Cancelled | None,
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Which voxels of the label's box have it, within a border of none; and its start."""
        shape = self._pyramid.levels[level].shape[-3:]
        # Levels are halved by rounding up, so the factor is the nearest power of two.
        factor = np.array(
            [
                1 << round(math.log2(n / m))
                for n, m in zip(self._pyramid.levels[0].shape[-3:], shape, strict=True)
            ]
        )
        low = np.minimum(start // factor, np.asarray(shape) - 1)
        high = np.clip(-(-stop // factor), low + 1, np.asarray(shape))
        whole = Box(tuple(low.tolist()), tuple(high.tolist()))
        mask = np.zeros(tuple(n + 2 for n in whole.shape), np.uint8)
        wanted = self._pyramid.dtype.type(label)
        for box in plan_scan(whole.shape, _spatial_block(self._pyramid)):
            part = Box(
                tuple(a + b for a, b in zip(box.start, whole.start, strict=True)),
                tuple(a + b for a, b in zip(box.stop, whole.start, strict=True)),
            )
            voxels = self._pyramid.read(level, _extend(part, point), cancelled)
            inside = mask[
                tuple(slice(a + 1, b + 1) for a, b in zip(box.start, box.stop, strict=True))
            ]
            np.equal(voxels.reshape(box.shape), wanted, out=inside.view(np.bool_))
        return mask, low


def plan_scan(shape: tuple[int, ...], block: tuple[int, ...]) -> Iterator[Box]:
    """Boxes of about `INDEX_VOXELS` that cover a volume, whole blocks of the source each.

    Slabs across z as wide as they may be: rows of voxels stay long.
    """
    cell = [min(n, -(-min(n, 64) // b) * b) for n, b in zip(shape, block, strict=True)]
    for axis in (2, 1, 0):
        others = math.prod(cell) // cell[axis]
        length = max(INDEX_VOXELS // others, cell[axis])
        cell[axis] = min(shape[axis], length // block[axis] * block[axis] or block[axis])
    for start in itertools.product(
        *(range(0, n, step) for n, step in zip(shape, cell, strict=True))
    ):
        yield Box(start, tuple(min(a + c, n) for a, c, n in zip(start, cell, shape, strict=True)))


def _spatial_block(pyramid: Pyramid) -> tuple[int, ...]:
    block = pyramid.source_block
    return (1, 1, 1) if block is None else block[-3:]


def _extend(box: Box, point: tuple[int, ...]) -> Box:
    """A box of space at one index of the leading axes."""
    return Box((*point, *box.start), (*(i + 1 for i in point), *box.stop))


MESHES: BlockCache[Any] = BlockCache(POLICY.mesh_cache_bytes)
"""Finished meshes and indexes of the process."""
