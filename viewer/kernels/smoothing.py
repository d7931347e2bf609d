"""Smoothing of a voxel surface within a bound, and normals of its vertices.

The surface of a binary mask has stairs that the object did not. Each vertex is moved towards the
middle of its neighbours, and in the next round a little further away from it, which takes the
stairs out and leaves the volume (Taubin, A signal processing approach to fair surface design,
SIGGRAPH 1995). It never leaves the box of half-width `bound` voxels around the place where
marching cubes put it (as in Gibson's constrained elastic surface nets, MICCAI 1998), so the error
is known. Where a part or a gap is a single voxel wide, a vertex does not move into it along its
lattice edge: lines and sheets of one voxel keep the volume that marching cubes gives them.

Vertices have four numbers, z, y, x and 1: four fit a vector register, and the fourth of a sum
over neighbours is how many there were.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_instructions: Any = intrinsic
"""Numba's decorator, whose types know nothing of what it returns: a compiled function."""

Vertices = npt.NDArray[np.float32]
Faces = npt.NDArray[np.uint32]

ROUNDS = 10
"""Passes over all vertices, an even number: half of them inward, half outward."""

INWARD, OUTWARD = 0.8, -0.87
"""Share of the way to the neighbours' middle, by turns. Taubin's pass band 1 / 0.8 - 1 / 0.87:
what is smaller than some ten voxels is smoothed, what is larger keeps its size."""


def _row(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    """Address of four float32 in a row of an array (n, 4)."""
    data = context.make_array(kind)(context, builder, array).data
    first = builder.shl(index, ir.Constant(index.type, 2))
    vector = ir.VectorType(ir.FloatType(), 4)
    return builder.bitcast(builder.gep(data, [first]), vector.as_pointer())


@_instructions
def _add_row(typing_context, total, a, source, b):  # type: ignore[no-untyped-def]
    """``total[a] += source[b]``, four numbers in one instruction."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        target = _row(context, builder, signature.args[0], values[0], values[1])
        source = _row(context, builder, signature.args[2], values[2], values[3])
        loads = [builder.load(place) for place in (target, source)]
        for load in loads:
            load.align = 4
        builder.store(builder.fadd(loads[0], loads[1]), target).align = 4
        return context.get_dummy_value()

    return types.void(total, types.int64, source, types.int64), generate


@numba.njit(nogil=True, cache=True)
def _sum_neighbours(values, faces, total):  # type: ignore[no-untyped-def]
    for vertex in range(len(total)):
        for k in range(4):
            total[vertex, k] = 0
    for face in range(len(faces)):
        a, b, c = np.int64(faces[face, 0]), np.int64(faces[face, 1]), np.int64(faces[face, 2])
        # On a closed surface each neighbour of a vertex follows it in just one face.
        _add_row(total, a, values, b)
        _add_row(total, b, values, c)
        _add_row(total, c, values, a)


@numba.njit(nogil=True, cache=True)
def _step(vertices, total, home, kinds, bound, share):  # type: ignore[no-untyped-def]
    for vertex in range(len(vertices)):
        number = total[vertex, 3]
        if number == 0:
            continue
        part = share / number
        kind = kinds[vertex]
        axis = kind & 3
        if not kind & 12:
            for k in range(3):
                here = vertices[vertex, k]
                place = here - share * here + part * total[vertex, k]
                middle = home[vertex, k]
                vertices[vertex, k] = min(max(place, middle - bound), middle + bound)
            continue
        for k in range(3):
            here = vertices[vertex, k]
            place = here - share * here + part * total[vertex, k]
            middle = home[vertex, k]
            low = middle if k == axis and kind & 4 else middle - bound
            high = middle if k == axis and kind & 8 else middle + bound
            vertices[vertex, k] = min(max(place, low), high)


@numba.njit(nogil=True, cache=True)
def _normals(vertices, faces, normals):  # type: ignore[no-untyped-def]
    for face in range(len(faces)):
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        az, ay, ax = vertices[a, 0], vertices[a, 1], vertices[a, 2]
        uz, uy, ux = vertices[b, 0] - az, vertices[b, 1] - ay, vertices[b, 2] - ax
        vz, vy, vx = vertices[c, 0] - az, vertices[c, 1] - ay, vertices[c, 2] - ax
        # As long as twice the area: larger faces count for more. Components in (z, y, x) order.
        nz, ny, nx = uy * vx - ux * vy, ux * vz - uz * vx, uz * vy - uy * vz
        for corner in (a, b, c):
            normals[corner, 0] += nz
            normals[corner, 1] += ny
            normals[corner, 2] += nx


@numba.njit(nogil=True, cache=True)
def _normalize(normals, more):  # type: ignore[no-untyped-def]
    """Unit vectors of the sums of two."""
    for vertex in range(len(normals)):
        z = normals[vertex, 0] + more[vertex, 0]
        y = normals[vertex, 1] + more[vertex, 1]
        x = normals[vertex, 2] + more[vertex, 2]
        length = np.sqrt(z * z + y * y + x * x)
        scale = np.float32(1) / length if length > 0 else np.float32(0)
        normals[vertex, 0] = z * scale
        normals[vertex, 1] = y * scale
        normals[vertex, 2] = x * scale


@numba.njit(nogil=True, cache=True)
def _transform(vertices, origin, matrix, offset, out):  # type: ignore[no-untyped-def]
    for vertex in range(len(vertices)):
        z = np.float64(vertices[vertex, 0]) + origin[0]
        y = np.float64(vertices[vertex, 1]) + origin[1]
        x = np.float64(vertices[vertex, 2]) + origin[2]
        for k in range(3):
            out[vertex, k] = matrix[k, 0] * z + matrix[k, 1] * y + matrix[k, 2] * x + offset[k]


def relax(
    vertices: Vertices,
    faces: Faces,
    kinds: npt.NDArray[np.uint8],
    bound: float,
    rounds: int = ROUNDS,
) -> None:
    """Smooth a closed surface in place.

    Parameters
    ----------
    vertices : float32 ndarray (n, 4)
        z, y, x in voxels, and 1; altered.
    faces : uint32 ndarray (m, 3)
    kinds : uint8 ndarray (n,)
        Of `viewer.kernels.marching_cubes.Surface`.
    bound : float
        The most that a vertex moves along each axis, in voxels, 0 to 0.5.
    rounds : int
        Passes over all vertices.
    """
    if bound <= 0:
        return
    home = vertices.copy()
    total = np.empty_like(vertices)
    for turn in range(rounds):
        _sum_neighbours(vertices, faces, total)
        share = INWARD if turn % 2 == 0 else OUTWARD
        _step(vertices, total, home, kinds, np.float32(bound), np.float32(share))


def vertex_normals(
    vertices: npt.NDArray[np.float32], faces: Faces, passes: int = 3
) -> npt.NDArray[np.float32]:
    """Unit normals (n, 3) of the vertices (n, 3) of a closed surface.

    Averaged over a vertex's faces by area, then `passes` times over its neighbours: shading tells
    the shape of the object, not of its voxels. They point outward as the faces do, by the
    right-hand rule in the order of the coordinates.
    """
    normals = np.zeros((len(vertices), 4), np.float32)
    total = np.zeros_like(normals)
    _normals(vertices, faces, normals)
    _normalize(normals, total)
    for _ in range(passes):
        _sum_neighbours(normals, faces, total)
        _normalize(normals, total)
    return np.ascontiguousarray(normals[:, :3])


def transform(
    vertices: Vertices,
    origin: tuple[float, float, float],
    matrix: npt.NDArray[np.float64],
    offset: npt.NDArray[np.float64],
) -> npt.NDArray[np.float32]:
    """World coordinates (n, 3): ``matrix @ (vertex + origin) + offset``, in double precision."""
    out = np.empty((len(vertices), 3), np.float32)
    _transform(vertices, np.asarray(origin, np.float64), matrix, offset, out)
    return out
