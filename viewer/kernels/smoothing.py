"""Smoothing of a voxel surface within a bound, and normals of its vertices.

The surface of a binary mask has stairs that the object did not. Each vertex is moved towards the
middle of its neighbours, and in the next round a little further away from it, which takes the
stairs out and leaves the volume (Taubin, A signal processing approach to fair surface design,
SIGGRAPH 1995). It never leaves the box of half-width `bound` voxels around the place where
marching cubes put it (as in Gibson's constrained elastic surface nets, MICCAI 1998), so the error
is known and thin parts cannot vanish.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

ROUNDS = 20
"""Passes over all vertices, an even number: half of them inward, half outward."""

NORMAL_PASSES = 3
"""Averages of normals over neighbours. On a ball of 15 voxels' radius the mean error falls from 6
to 2.5 degrees, at voxels of 5 × 1 × 1 from 17 to 10."""

INWARD, OUTWARD = 0.5, -0.53
"""Share of the way to the neighbours' middle, by turns. Taubin's pass band 1 / 0.5 - 1 / 0.53:
what is smaller than some ten voxels is smoothed, what is larger keeps its size."""


@numba.njit(nogil=True, cache=True)
def _relax(vertices, faces, bound, rounds):  # type: ignore[no-untyped-def]
    origin = vertices.copy()
    number = len(vertices)
    neighbours = np.zeros(number, np.int32)
    total = np.zeros((number, 3), np.float32)
    for face in range(len(faces)):
        for corner in range(3):
            neighbours[faces[face, corner]] += 1
    for turn in range(rounds):
        share = np.float32(INWARD if turn % 2 == 0 else OUTWARD)
        total[:] = 0
        for face in range(len(faces)):
            a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
            for k in range(3):
                # On a closed surface each neighbour of a vertex follows it in just one face.
                total[a, k] += vertices[b, k]
                total[b, k] += vertices[c, k]
                total[c, k] += vertices[a, k]
        for vertex in range(number):
            if neighbours[vertex] == 0:
                continue
            for k in range(3):
                here = vertices[vertex, k]
                moved = here + share * (total[vertex, k] / neighbours[vertex] - here)
                low = origin[vertex, k] - bound
                high = origin[vertex, k] + bound
                vertices[vertex, k] = min(max(moved, low), high)


@numba.njit(nogil=True, cache=True)
def _normals(vertices, faces, normals, passes):  # type: ignore[no-untyped-def]
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
    _normalize(normals)
    for _ in range(passes):
        before = normals.copy()
        for face in range(len(faces)):
            a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
            for k in range(3):
                normals[a, k] += before[b, k]
                normals[b, k] += before[c, k]
                normals[c, k] += before[a, k]
        _normalize(normals)


@numba.njit(nogil=True, cache=True)
def _normalize(normals):  # type: ignore[no-untyped-def]
    for vertex in range(len(normals)):
        length = np.sqrt(
            normals[vertex, 0] ** 2 + normals[vertex, 1] ** 2 + normals[vertex, 2] ** 2
        )
        if length > 0:
            for k in range(3):
                normals[vertex, k] /= length


def relax(
    vertices: npt.NDArray[np.float32],
    faces: npt.NDArray[np.uint32],
    bound: float,
    rounds: int = ROUNDS,
) -> None:
    """Smooth a closed surface in place.

    Parameters
    ----------
    vertices : float32 ndarray (n, 3)
        In voxels; altered.
    faces : uint32 ndarray (m, 3)
    bound : float
        The most that a vertex moves along each axis, in voxels, 0 to 0.5.
    rounds : int
        Passes over all vertices.
    """
    if bound > 0:
        _relax(vertices, faces, np.float32(bound), rounds)


def vertex_normals(
    vertices: npt.NDArray[np.float32], faces: npt.NDArray[np.uint32], passes: int = NORMAL_PASSES
) -> npt.NDArray[np.float32]:
    """Unit normals (n, 3) of the vertices of a closed surface.

    Averaged over a vertex's faces by area, then `passes` times over its neighbours: shading tells
    the shape of the object, not of its voxels. They point outward as the faces do, by the
    right-hand rule in the order of the coordinates.
    """
    normals = np.zeros(vertices.shape, np.float64)
    _normals(vertices.astype(np.float64), faces, normals, passes)
    return normals.astype(np.float32)
