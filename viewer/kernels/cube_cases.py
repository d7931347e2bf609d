"""The triangles of marching cubes, derived instead of copied.

The triangles of each of the 256 cases come not from the printed table of Lorensen and Cline
(SIGGRAPH 1987), which leaves holes, but from tracing the surface across the cube's six faces: on
a face whose inside corners are diagonal, the corners are kept apart. That rule depends on the
face alone, so both cubes at a face agree: the surface is closed, and every vertex has one disc of
triangles around it, whatever the mask. Voxels that touch only by an edge or a corner are apart.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

# Corner k of a cube lies at (z, y, x) = (k >> 2 & 1, k >> 1 & 1, k & 1).
# Edge e joins corners EDGES[e]: four along x, four along y, four along z.
EDGES = tuple(
    (corner, corner | axis_bit)
    for axis_bit in (1, 2, 4)
    for corner in range(8)
    if not corner & axis_bit
)
# Corners around each face, in the order that turns to the right as seen from outside the cube.
_FACES = (
    (0, 1, 3, 2),
    (4, 6, 7, 5),
    (0, 4, 5, 1),
    (2, 3, 7, 6),
    (0, 2, 6, 4),
    (1, 5, 7, 3),
)


# Edges whose vertices' numbers are known when a walk along x comes to a cube: of each of the eight
# lines of edges that the walk touches one; and those that are known when it leaves the cube.
_COMING = (0, 1, 2, 3, 4, 6, 8, 10)
_LEAVING = (None, None, None, None, 5, 7, 9, 11)
_PLACES = {edge: place for place, edge in enumerate(_COMING + _LEAVING) if edge is not None}


class CaseTable(NamedTuple):
    """What to do in every case, for a walk along x with eight counters of vertices.

    There is one counter for each of the lines along x of a cube, in the order of `EDGES`, one for
    each of the two rows of edges along y, and one for each of those along z. The numbers of the
    twelve edges are found among the counters before a cube and, behind them, after it.
    """

    counts: npt.NDArray[np.uint8]
    """(256,): number of triangles."""
    triangles: npt.NDArray[np.uint8]
    """(256, 36): three places among the sixteen counters a triangle, padded with 0; outward by the
    right hand in (z, y, x)."""
    steps: npt.NDArray[np.uint32]
    """(256, 8): what each counter is raised by."""


@functools.cache
def case_table() -> CaseTable:
    """Triangles of every case."""
    edge_of = {frozenset(ends): number for number, ends in enumerate(EDGES)}
    cases = [_triangles(case, edge_of) for case in range(256)]
    counts = np.array([len(c) for c in cases], np.uint8)
    triangles = np.zeros((256, 3 * int(counts.max())), np.uint8)
    steps = np.zeros((256, len(_COMING)), np.uint32)
    for case, found in enumerate(cases):
        flat = [_PLACES[edge] for triangle in found for edge in triangle]
        triangles[case, : len(flat)] = flat
        for counter, (low, high) in enumerate(EDGES[edge] for edge in _COMING):
            steps[case, counter] = (case >> low ^ case >> high) & 1
    return CaseTable(counts, triangles, steps)


def _triangles(case: int, edge_of: dict[frozenset[int], int]) -> list[tuple[int, int, int]]:
    after: dict[int, int] = {}
    for face in _FACES:
        inside = [bool(case >> corner & 1) for corner in face]
        for i in range(4):
            # A segment runs from where the walk around the face leaves the inside back to where
            # it last came in: of two diagonal corners each gets a segment of its own.
            if inside[i] and not inside[(i + 1) % 4]:
                j = i
                while inside[j - 1]:
                    j -= 1
                leave = edge_of[frozenset((face[i], face[(i + 1) % 4]))]
                enter = edge_of[frozenset((face[j], face[j - 1]))]
                after[leave] = enter
    found = []
    while after:
        start = next(iter(after))
        loop = [start]
        while (edge := after.pop(loop[-1])) != start:
            loop.append(edge)
        found += _fan(loop)
    return found


def _fan(loop: list[int]) -> list[tuple[int, int, int]]:
    """Triangles of a loop of cube edges: those that bend least, of all that are allowed.

    Few different planes look calmer, and more of the triangles can be taken out again.
    """
    return min(_triangulations(tuple(loop)), key=_bending)


@functools.cache
def _triangulations(loop: tuple[int, ...]) -> list[list[tuple[int, int, int]]]:
    """All triangulations of a loop, with no diagonal that lies in a face of the cube.

    The cube beyond that face might draw the same diagonal, and four triangles would share it.
    """
    if len(loop) == 2:
        return [[]]
    found = []
    for third in range(2, len(loop)):
        # The triangle on the loop's first side; what it leaves on either side of it.
        diagonals = [(1, third)] * (third > 2) + [(0, third)] * (third < len(loop) - 1)
        if any(_share_a_face(loop[a], loop[b]) for a, b in diagonals):
            continue
        for one in _triangulations(loop[1 : third + 1]):
            for other in _triangulations((*loop[third:], loop[0])):
                found.append([(loop[0], loop[third], loop[1]), *one, *other])
    return found


def _bending(triangles: list[tuple[int, int, int]]) -> tuple[int, float]:
    """Number of different planes, and the surface's area."""
    planes, area = set(), 0.0
    for triangle in triangles:
        a, b, c = (_middle(edge) for edge in triangle)
        u, v = ([q - p for p, q in zip(a, end, strict=True)] for end in (b, c))
        normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
        length = sum(part * part for part in normal) ** 0.5
        planes.add(tuple(round(part / length, 6) + 0.0 for part in normal))
        area += length
    return len(planes), round(area, 6)


def _middle(edge: int) -> list[float]:
    low, high = EDGES[edge]
    return [((low >> bit & 1) + (high >> bit & 1)) / 2 for bit in (2, 1, 0)]


def _share_a_face(first: int, second: int) -> bool:
    corners = {*EDGES[first], *EDGES[second]}
    return any(corners <= set(face) for face in _FACES)
