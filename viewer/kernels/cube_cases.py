"""The cases of marching cubes, derived from one rule instead of copied from a table.

A cube has a voxel centre at each of its eight corners, inside the label or not: 256 cases. The
surface cuts every cube edge between an inside and an outside corner, in one vertex. On each of
the six faces the cuts are joined by segments; where all four edges of a face are cut, each inside
corner is cut off alone (voxels that touch along an edge only are not connected). The rule looks
at nothing but the face, so two cubes always agree on the face they share: the surface has no
holes, whatever the data. The segments of a cube form closed loops, which are cut into triangles
by diagonals that never lie in a face, where the neighbour could choose the same diagonal: every
edge of the surface belongs to exactly two triangles.

::

    corner bit = 4·x + 2·z + y        edge = 4·axis + 2·u + w, where u < w are the other axes
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Corner = tuple[int, int, int]
Triangles = list[tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class CubeCases:
    """Everything the kernels look up, by case; axes are (z, y, x).

    Attributes
    ----------
    triangles : int8 array (rows, 3)
        Edges on which the corners of a triangle lie, counter-clockwise seen from outside the
        label in a frame where (z, y, x) is right-handed.
    triangle_start : int32 array (257,)
        Rows of case c: ``triangle_start[c]`` to ``triangle_start[c + 1]``.
    links : int8 array (rows, 3)
        For each cut edge: itself, the edge to which its segment leads, and the slot (0 to 3) of
        that neighbour: towards lower u, higher u, lower w, higher w.
    link_start : int32 array (257,)
    """

    triangles: Array
    triangle_start: Array
    links: Array
    link_start: Array


@cache
def cube_cases() -> CubeCases:
    """The tables; made once, in some milliseconds."""
    triangles: Triangles = []
    links: Triangles = []
    triangle_start, link_start = [0], [0]
    for case in range(256):
        follower = _segments(case)
        links += [(a, b, slot) for a, (b, slot) in sorted(follower.items())]
        for loop in _loops({a: b for a, (b, _) in follower.items()}):
            triangles += _triangulate(loop)[1]
        triangle_start.append(len(triangles))
        link_start.append(len(links))
    return CubeCases(
        np.array(triangles, np.int8),
        np.array(triangle_start, np.int32),
        np.array(links, np.int8),
        np.array(link_start, np.int32),
    )


def _inside(case: int, corner: Corner) -> bool:
    z, y, x = corner
    return bool(case >> (4 * x + 2 * z + y) & 1)


def _others(axis: int) -> tuple[int, int]:
    u, w = (other for other in range(3) if other != axis)
    return u, w


def _ends(edge: int) -> tuple[Corner, Corner]:
    axis = edge >> 2
    u, w = _others(axis)
    corner = [0, 0, 0]
    corner[u], corner[w] = edge >> 1 & 1, edge & 1
    low = (corner[0], corner[1], corner[2])
    corner[axis] = 1
    return low, (corner[0], corner[1], corner[2])


def _middle(edge: int) -> Array:
    return np.mean(_ends(edge), axis=0)


def _in_face(edge: int, axis: int, side: int) -> bool:
    return all(end[axis] == side for end in _ends(edge))


def _segments(case: int) -> dict[int, tuple[int, int]]:
    """Cut edge → (edge where the surface goes on, slot), around the inside as the loops run."""
    follower: dict[int, tuple[int, int]] = {}
    for axis, side in itertools.product(range(3), range(2)):
        outward = np.zeros(3)
        outward[axis] = 2 * side - 1
        for a, b, inwards in _joined(case, axis, side):
            # Going a → b with the face's outside up, the inside is to be on the right.
            if np.dot(np.cross(_middle(b) - _middle(a), outward), inwards) < 0:
                a, b = b, a
            follower[a] = (b, _slot(a, axis))
    return follower


def _joined(case: int, axis: int, side: int) -> Iterator[tuple[int, int, Array]]:
    """Pairs of cut edges of a face that a segment joins, and the direction of its inside."""
    edges = [edge for edge in range(12) if _in_face(edge, axis, side)]
    cut = [e for e in edges if _inside(case, _ends(e)[0]) != _inside(case, _ends(e)[1])]
    corners = sorted({end for edge in edges for end in _ends(edge)})
    inner = [corner for corner in corners if _inside(case, corner)]
    if len(cut) == 2:
        outer = [corner for corner in corners if not _inside(case, corner)]
        yield cut[0], cut[1], np.mean(inner, axis=0) - np.mean(outer, axis=0)
    elif len(cut) == 4:
        for corner in inner:
            a, b = (edge for edge in cut if corner in _ends(edge))
            yield a, b, np.array(corner) - (_middle(a) + _middle(b)) / 2


def _slot(edge: int, face: int) -> int:
    """Where the neighbour across a face's square lies, seen from a vertex on `edge`."""
    u, w = _others(edge >> 2)
    along = w if face == u else u
    upwards = _ends(edge)[0][along] == 0
    return 2 * (along == w) + upwards


def _loops(follower: dict[int, int]) -> Iterator[list[int]]:
    left = dict(follower)
    while left:
        start = min(left)
        loop = [start]
        while (edge := left.pop(loop[-1])) != start:
            loop.append(edge)
        yield loop


def _triangulate(loop: list[int]) -> tuple[float, Triangles]:
    """The triangulation with the shortest diagonals, none of them in a face of the cube."""
    if len(loop) < 3:
        return 0.0, []
    first, last = loop[0], loop[-1]
    best: tuple[float, Triangles] = (np.inf, [])
    for k in range(1, len(loop) - 1):
        cost = (_diagonal(first, loop[k]) if k > 1 else 0.0) + (
            _diagonal(loop[k], last) if k < len(loop) - 2 else 0.0
        )
        if cost < best[0]:
            near, far = _triangulate(loop[: k + 1]), _triangulate(loop[k:])
            cost += near[0] + far[0]
            if cost < best[0]:
                best = cost, [(first, loop[k], last), *near[1], *far[1]]
    return best


def _diagonal(a: int, b: int) -> float:
    if any(
        _in_face(a, *face) and _in_face(b, *face) for face in itertools.product(range(3), (0, 1))
    ):
        return np.inf
    return float(np.sum((_middle(a) - _middle(b)) ** 2))
