"""A surface as everybody gets it, and how the lattice's triangles become one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from viewer.affine import compose, mirrors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from viewer.kernels.marching_cubes import Surface
    from viewer.state import Affine

SMOOTHING = 0.45
"""Voxels. A vertex moves at most so far along each axis: nearly to the next voxel centre, which a
slope between two voxels' heights needs, and never beyond it."""

NORMAL_PASSES = 3
"""Averages of a fine mesh's normals over neighbours: shading tells the object, not its voxels."""


@dataclass(frozen=True)
class Mesh:
    """A surface in world coordinates.

    Parameters
    ----------
    vertices : float32 ndarray (n, 3)
        (z, y, x) in the layer's units.
    faces : uint32 ndarray (m, 3)
        Indices of vertices; outward by the right-hand rule in (z, y, x) coordinates.
    level : int
        Level of the pyramid that it was made of.
    note : str
        What a user should know about it: that it is coarser than asked for; mostly nothing.
    passes : int
        How often `normals` are averaged over neighbours.
    whole : bool
        False where only a piece of the label has been found so far.
    """

    vertices: npt.NDArray[np.float32]
    faces: npt.NDArray[np.uint32]
    level: int = 0
    note: str = ""
    passes: int = NORMAL_PASSES
    whole: bool = True

    @cached_property
    def normals(self) -> npt.NDArray[np.float32]:
        """Unit vectors (n, 3) pointing outward, (z, y, x); made when first asked for."""
        from viewer.kernels.smoothing import vertex_normals

        return vertex_normals(self.vertices, self.faces, self.passes)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays, with the normals that may come."""
        return 2 * self.vertices.nbytes + self.faces.nbytes


def finish(
    surface: Surface,
    origin: tuple[int, int, int],
    scale: Sequence[float],
    translate: Sequence[float],
    affine: Affine,
    smoothing: float,
    *,
    level: int = 0,
    note: str = "",
    going_on: Callable[[], None] = lambda: None,
) -> Mesh:
    """Smooth a surface on the lattice, and place it in the world.

    Parameters
    ----------
    surface : Surface
        Of `viewer.kernels.marching_cubes`; its vertices are altered.
    origin : tuple of int
        Voxel (z, y, x) at which its coordinates begin.
    scale, translate : sequence of float
        Of the voxels, (z, y, x).
    affine : Affine
        What is applied after them.
    smoothing : float
        The most that a vertex moves along each axis, in voxels, 0 to 0.5.
    level : int
        Told in the mesh.
    note : str
        Told in the mesh.
    going_on : callable, optional
        Called now and then; may raise to end the work.
    """
    from viewer.kernels.smoothing import relax, transform

    relax(surface.vertices, surface.faces, surface.kinds, smoothing, going_on)
    matrix, offset = compose(affine, scale, translate)
    vertices = transform(surface.vertices, origin, matrix, offset)
    faces = surface.faces
    if mirrors(affine):
        faces = np.ascontiguousarray(faces[:, ::-1])  # outward again
    elif faces.base is not None and faces.base.nbytes > 1.1 * faces.nbytes:
        faces = faces.copy()  # the estimate was too high: let go of the rest
    return Mesh(vertices, faces, level, note)


def opened(surface: Surface, start: Sequence[int], shape: Sequence[int]) -> Surface:
    """A surface without what closes it on the volume's border.

    Parameters
    ----------
    surface : Surface
    start : sequence of int
        Voxel (z, y, x) at which its coordinates begin.
    shape : sequence of int
        Of the volume.
    """
    from viewer.kernels.marching_cubes import HIGH_ALONE, LOW_ALONE, Surface

    place = surface.vertices[:, :3] + np.asarray(start, np.float32)
    outside = (place < 0) | (place > np.asarray(shape, np.float32) - 1)
    beyond = np.logical_or.reduce(outside, axis=1)
    faces = surface.faces[~beyond[surface.faces].any(1)]
    used = np.zeros(len(beyond), bool)
    used[faces] = True
    number = np.cumsum(used, dtype=np.uint32) - np.uint32(1)
    return Surface(
        surface.vertices[used],
        number[faces].reshape(-1, 3),
        surface.kinds[used] & ~np.uint8(LOW_ALONE | HIGH_ALONE),
    )
