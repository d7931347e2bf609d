"""Surface of one label: marching cubes on a binary mask, with shared vertices.

The cubes' corners are voxel centres, so vertices lie midway between a voxel inside and a
neighbour outside. Each lattice edge that the surface crosses gives one vertex, shared by the four
cubes around it; nothing is merged afterwards.

The triangles of each of the 256 cases come not from the printed table of Lorensen and Cline
(SIGGRAPH 1987), which leaves holes, but from tracing the surface across the cube's six faces: on
a face whose inside corners are diagonal, the corners are kept apart. That rule depends on the
face alone, so both cubes at a face agree: the surface is closed, and every vertex has one disc of
triangles around it, whatever the mask. Voxels that touch only by an edge or a corner are apart.
"""

from __future__ import annotations

import functools

import numba
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.uint8]

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


@functools.cache
def case_table() -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """Triangles of every case.

    Returns
    -------
    counts : int8 ndarray (256,)
        Number of triangles.
    triangles : int8 ndarray (256, 36)
        Three cube edges a triangle, padded with -1; outward by the right hand in (z, y, x).
    """
    edge_of = {frozenset(ends): number for number, ends in enumerate(EDGES)}
    cases = [_triangles(case, edge_of) for case in range(256)]
    counts = np.array([len(c) for c in cases], np.int8)
    triangles = np.full((256, 3 * int(counts.max())), -1, np.int8)
    for case, found in enumerate(cases):
        flat = [edge for triangle in found for edge in triangle]
        triangles[case, : len(flat)] = flat
    return counts, triangles


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
    """Triangles of a loop of cube edges, with no diagonal that lies in a face of the cube.

    The cube beyond that face might draw the same diagonal, and four triangles would share it.
    """
    if len(loop) == 3:
        return [(loop[0], loop[2], loop[1])]
    for shift in range(len(loop)):
        turned = loop[shift:] + loop[:shift]
        for ear in range(2, len(loop) - 1):
            pieces = turned[: ear + 1], [turned[0], *turned[ear:]]
            if not _share_a_face(turned[0], turned[ear]):
                try:
                    return _fan(pieces[0]) + _fan(pieces[1])
                except LookupError:
                    continue
    raise LookupError(f"No triangulation of {loop}.")


def _share_a_face(first: int, second: int) -> bool:
    corners = {*EDGES[first], *EDGES[second]}
    return any(corners <= set(face) for face in _FACES)


@numba.njit(nogil=True, cache=True)
def _count(mask, counts):  # type: ignore[no-untyped-def]
    depth, height, width = mask.shape
    vertices = 0
    faces = 0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                here = mask[z, y, x]
                vertices += x + 1 < width and mask[z, y, x + 1] != here
                vertices += y + 1 < height and mask[z, y + 1, x] != here
                vertices += z + 1 < depth and mask[z + 1, y, x] != here
            if z + 1 == depth or y + 1 == height:
                continue
            case = 0
            for x in range(width):
                case = (case >> 1) & 0x55
                case |= mask[z, y, x] << 1 | mask[z, y + 1, x] << 3
                case |= mask[z + 1, y, x] << 5 | mask[z + 1, y + 1, x] << 7
                if x and case != 0 and case != 255:
                    faces += counts[case]
    return vertices, faces


@numba.njit(nogil=True, cache=True)
def _fill(mask, counts, triangles, vertices, faces):  # type: ignore[no-untyped-def]
    depth, height, width = mask.shape
    # Vertex on the edge that leaves (y, x) of a plane along x, along y; of this plane and of the
    # one before; and along z from the plane before to this one.
    along_x = np.empty((2, height, width), np.int32)
    along_y = np.empty((2, height, width), np.int32)
    along_z = np.empty((height, width), np.int32)
    vertex = 0
    face = 0
    for z in range(depth):
        now = z & 1
        for y in range(height):
            for x in range(width):
                here = mask[z, y, x]
                if x + 1 < width and mask[z, y, x + 1] != here:
                    along_x[now, y, x] = vertex
                    vertices[vertex, 0] = z
                    vertices[vertex, 1] = y
                    vertices[vertex, 2] = x + 0.5
                    vertex += 1
                if y + 1 < height and mask[z, y + 1, x] != here:
                    along_y[now, y, x] = vertex
                    vertices[vertex, 0] = z
                    vertices[vertex, 1] = y + 0.5
                    vertices[vertex, 2] = x
                    vertex += 1
                if z and mask[z - 1, y, x] != here:
                    along_z[y, x] = vertex
                    vertices[vertex, 0] = z - 0.5
                    vertices[vertex, 1] = y
                    vertices[vertex, 2] = x
                    vertex += 1
        if z == 0:
            continue
        for y in range(height - 1):
            case = 0
            for x in range(width):
                case = (case >> 1) & 0x55
                case |= mask[z - 1, y, x] << 1 | mask[z - 1, y + 1, x] << 3
                case |= mask[z, y, x] << 5 | mask[z, y + 1, x] << 7
                if x == 0 or case == 0 or case == 255:
                    continue
                for i in range(3 * counts[case]):
                    edge = triangles[case, i]
                    low = edge & 1
                    high = edge >> 1 & 1
                    if edge < 4:  # (0,1) (2,3) (4,5) (6,7): along x at y = low, z = high
                        corner = along_x[now if high else 1 - now, y + low, x - 1]
                    elif edge < 8:  # (0,2) (1,3) (4,6) (5,7): along y at x = low, z = high
                        corner = along_y[now if high else 1 - now, y, x - 1 + low]
                    else:  # (0,4) (1,5) (2,6) (3,7): along z at x = low, y = high
                        corner = along_z[y + high, x - 1 + low]
                    faces[face, i % 3] = corner
                    if i % 3 == 2:
                        face += 1


def surface(mask: Mask) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint32]]:
    """Boundary of the voxels that are 1.

    Parameters
    ----------
    mask : uint8 ndarray (z, y, x)
        0 or 1. The surface is open where voxels that are 1 lie on the array's border: pad by one
        voxel of 0 to close it.

    Returns
    -------
    vertices : float32 ndarray (n, 3)
        (z, y, x) in voxels; each midway between two neighbouring voxel centres.
    faces : uint32 ndarray (m, 3)
        Outward by the right-hand rule in (z, y, x) coordinates.
    """
    counts, triangles = case_table()
    number, amount = _count(mask, counts)
    vertices = np.empty((number, 3), np.float32)
    faces = np.empty((amount, 3), np.uint32)
    _fill(mask, counts, triangles, vertices, faces)
    return vertices, faces
