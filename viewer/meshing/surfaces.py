"""Surfaces that the user brings: what `Viewer.add_surface` takes, checked once, and its bytes.

A surface stands in the document like any layer. Where it is, everybody reads as *one voxel that
spans its bounding box*: so views are centred, units converted and bounds drawn for surfaces as
for volumes. The triangles themselves travel to the page as bytes (`encode_surface`), like
those of labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from viewer.affine import apply, mirrors, plan_affine
from viewer.errors import InvalidDataError
from viewer.meshing.mesh import Mesh
from viewer.policy import POLICY
from viewer.pyramids.pyramid import Pyramid
from viewer.sources import as_source
from viewer.sources.geometry import plan_geometry
from viewer.state import Affine, Level

THIN = 1e-6
"""Part of the largest extent that the box of a flat surface has across it: it must have some."""

REMEDY = "Give (vertices, faces) or (vertices, faces, values), as napari does."


class Place(msgspec.Struct, frozen=True):
    """Where vertices lie in the world: by scale and translate, then by an affine map."""

    level: Level
    affine: Affine

    def of(self, vertices: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Vertices (n, 3) in the world."""
        return apply(self.affine, vertices * np.array(self.level.scale) + self.level.translate)

    def turn(self, faces: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """Faces that still look outwards, also where the map mirrors."""
        return np.ascontiguousarray(faces[:, ::-1]) if mirrors(self.affine) else faces


@dataclass(frozen=True, slots=True)
class Surface:
    """Triangles, as the user gave them.

    Parameters
    ----------
    vertices : float64 ndarray (n, 3)
        (z, y, x), before scale and translate.
    faces : uint32 ndarray (m, 3)
        Indices of vertices.
    values : float32 ndarray (n,), optional
        A value for each vertex.
    passes : int
        How often normals are averaged over neighbours, for shading: 0 shows the triangles as they
        are, more the shape of an object that voxels tell.
    """

    vertices: npt.NDArray[np.float64]
    faces: npt.NDArray[np.uint32]
    values: npt.NDArray[np.float32] | None = None
    passes: int = 0

    def limits(self) -> tuple[float, float]:
        """Least and greatest finite value, apart from one another; (0, 1) where there are none."""
        finite = None if self.values is None else self.values[np.isfinite(self.values)]
        if finite is None or not len(finite):
            return 0.0, 1.0
        low, high = float(finite.min()), float(finite.max())
        return (low, high) if low < high else (low, low + max(1.0, abs(low) * 1e-3))

    def box(self, place: Place) -> Level:
        """The one voxel that spans the surface in the world."""
        moved = place.of(self.vertices)
        low, high = moved.min(0), moved.max(0)
        extent = high - low
        extent = np.maximum(extent, (float(extent.max()) or 1.0) * THIN)
        return Level((1, 1, 1), tuple(extent.tolist()), tuple(((low + high) / 2).tolist()))

    def mesh(self, place: Place) -> Mesh:
        """In world coordinates."""
        moved = place.of(self.vertices).astype(np.float32)
        return Mesh(moved, place.turn(self.faces), passes=self.passes)


def as_surface(data: Any) -> Surface:
    """Check what the user gave.

    Parameters
    ----------
    data : tuple of arrays, or Surface
        ``(vertices, faces)`` or ``(vertices, faces, values)``; a surface of ours is returned.

    Raises
    ------
    InvalidDataError
        For what is no surface, saying which part of it and why.
    """
    if isinstance(data, Surface):
        return data
    if not isinstance(data, (tuple, list)) or not 2 <= len(data) <= 3:
        raise InvalidDataError(
            f"A surface is no {type(data).__name__} of this length."
            if isinstance(data, (tuple, list))
            else f"A surface is no {type(data).__name__}.",
            hint=REMEDY,
        )
    try:
        vertices = np.array(data[0], np.float64)
        faces = np.asarray(data[1])
        values = None if len(data) == 2 or data[2] is None else np.array(data[2], np.float32)
    except (TypeError, ValueError) as error:
        raise InvalidDataError(f"The surface cannot be read: {error}", hint=REMEDY) from None
    if vertices.ndim != 2 or vertices.shape[1] != 3 or not len(vertices):
        raise InvalidDataError(
            f"The vertices have shape {vertices.shape}.", hint="Give (n, 3): z, y, x of each."
        )
    if not np.isfinite(vertices).all():
        raise InvalidDataError("Some vertices are NaN or infinite.", hint="Leave them out.")
    if faces.ndim != 2 or faces.shape[1] != 3 or not len(faces) or faces.dtype.kind not in "iu":
        raise InvalidDataError(
            f"The faces have shape {faces.shape} and dtype {faces.dtype}.",
            hint="Give (m, 3) integers: the three vertices of each triangle.",
        )
    if int(faces.min()) < 0 or int(faces.max()) >= len(vertices):
        raise InvalidDataError(
            f"The faces name vertices {faces.min()} to {faces.max()}; there are {len(vertices)}.",
            hint="Vertices count from 0.",
        )
    if len(faces) > POLICY.mesh_faces * 4:
        raise InvalidDataError(
            f"The surface has {len(faces):,} faces; {POLICY.mesh_faces * 4:,} can be shown.",
            hint="Simplify it.",
        )
    if values is not None and values.shape != (len(vertices),):
        raise InvalidDataError(
            f"There are values of shape {values.shape} for {len(vertices)} vertices.",
            hint="Give one for each vertex.",
        )
    return Surface(vertices, faces.astype(np.uint32), values)


def plan_place(scale: Any = None, translate: Any = None, affine: Any = None) -> Place:
    """Where a surface's vertices lie, said as of three spatial axes."""
    geometry = plan_geometry((1, 1, 1), scale=scale, translate=translate)
    return Place(geometry.level, plan_affine(affine, geometry.axes))


def box_pyramid(surface: Surface, place: Place, units: str | None) -> Pyramid:
    """The one voxel that stands for a surface (see this module's docstring)."""
    box = surface.box(place)
    voxel = np.zeros((1, 1, 1), np.uint8)
    source = as_source(voxel, scale=box.scale, translate=box.translate, units=units)
    return Pyramid(source, "image")


def encode_surface(surface: Surface, place: Place) -> bytes:
    """What the page is sent of a surface: see `_encode`."""
    from viewer.kernels.smoothing import vertex_normals

    moved, faces = place.of(surface.vertices), place.turn(surface.faces)
    near = (moved - moved.mean(0)).astype(np.float32)
    normals = vertex_normals(near, faces, surface.passes)
    return _encode(moved, faces, normals, surface.values)


def encode_mesh(mesh: Mesh) -> bytes:
    """What the page is sent of a label's mesh: see `_encode`."""
    return _encode(mesh.vertices, mesh.faces, mesh.normals, None)


def _encode(
    vertices: npt.NDArray[np.floating[Any]],
    faces: npt.NDArray[np.uint32],
    normals: npt.NDArray[np.float32],
    values: npt.NDArray[np.float32] | None,
) -> bytes:
    """Triangles as they go to the GPU, so that the page has nothing to compute; little-endian.

    uint32 vertices, uint32 faces, uint32 whether there are values, uint32 0; float64 (x, y, z) of
    the origin; float32 (x, y, z) of each vertex from there, which serves however far it is from
    zero; uint32 corners of each face; int16 (x, y, z, 0) of each normal, of length 32767; float32
    values. In the layer's units.
    """
    origin = np.zeros(3)
    if len(vertices):
        origin = (vertices.min(0).astype(np.float64) + vertices.max(0)) / 2
    placed = (vertices - origin).astype(np.float32)
    turned = np.zeros((len(vertices), 4), "<i2")
    turned[:, :3] = normals[:, ::-1] * 32767
    head = np.array([len(vertices), len(faces), values is not None, 0], "<u4")
    return b"".join(
        (
            head.tobytes(),
            origin[::-1].astype("<f8").tobytes(),
            np.ascontiguousarray(placed[:, ::-1], "<f4").tobytes(),
            # Swapping the order of coordinates mirrors space: corners are swapped too.
            np.ascontiguousarray(faces[:, ::-1], "<u4").tobytes(),
            turned.tobytes(),
            b"" if values is None else values.astype("<f4").tobytes(),
        )
    )
