"""The surface of a mask by marching cubes, with shared vertices and their neighbours.

The mask is padded by at least one empty voxel on every side, so the surface is closed, also where
the label ends at the volume's border. Every vertex lies on one edge between two voxel centres
(on the *axis* of the vertex), and the surface crosses the four squares around that edge: hence
each vertex has exactly four neighbours, in two planes. The later kernels (`smooth_surface`)
work on these alone.

Runs of empty and of full voxels are passed over eight at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numba
import numpy as np

from viewer.kernels.cube_cases import cube_cases

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

WORD = 8
"""Voxels. Rows of a mask are padded to a multiple of this, and read as 64-bit words."""

SLAB_VOXELS = 1 << 24
"""Voxels. Between slabs of this size the caller is asked whether he has lost interest."""

ALL_SET = np.uint64(0x0101010101010101)


@dataclass(slots=True)
class Surface:
    """A closed surface in voxel indices of the mask that was given to `padded_mask`.

    Attributes
    ----------
    position : float32 array (n, 3)
        (z, y, x) of every vertex, voxel centres at integers.
    axis : int8 array (n,)
        0, 1 or 2 for the axis on which the vertex lies; plus 4 where the label is on the side
        of lower indices.
    neighbours : int32 array (n, 4)
        Where the surface goes on: towards lower u, higher u, lower w, higher w, where u < w are
        the other two axes.
    faces : uint32 array (m, 3)
        Counter-clockwise seen from outside where (z, y, x) is right-handed.
    """

    position: Array
    axis: Array
    neighbours: Array
    faces: Array


def padded_mask(shape: tuple[int, int, int]) -> Array:
    """An empty mask for `marching_cubes`; the voxels go to ``[1:z + 1, 1:y + 1, 1:x + 1]``."""
    z, y, x = shape
    return np.zeros((z + 2, y + 2, -(-(x + 2) // WORD) * WORD), np.uint8)


def count_surface(mask: Array, cancelled: Callable[[], None] | None = None) -> tuple[int, int]:
    """Number of vertices and of faces that `marching_cubes` will make.

    Parameters
    ----------
    mask : uint8 array
        From `padded_mask`, with 1 for voxels of the label.
    cancelled : callable, optional
        Called between slabs; may raise.
    """
    cases = cube_cases()
    vertices = faces = 0
    for start, stop in _slabs(mask):
        if cancelled is not None:
            cancelled()
        more = _count(mask, mask.view(np.uint64), cases.triangle_start, start, stop)
        vertices, faces = vertices + more[0], faces + more[1]
    return vertices, faces


def marching_cubes(
    mask: Array, vertices: int, faces: int, cancelled: Callable[[], None] | None = None
) -> Surface:
    """The surface of a mask, every vertex halfway between two voxel centres.

    Parameters
    ----------
    mask : uint8 array
        From `padded_mask`, with 1 for voxels of the label.
    vertices, faces : int
        From `count_surface`.
    cancelled : callable, optional
        Called between slabs; may raise.
    """
    cases = cube_cases()
    surface = Surface(
        np.empty((vertices, 3), np.float32),
        np.empty(vertices, np.int8),
        np.empty((vertices, 4), np.int32),
        np.empty((faces, 3), np.uint32),
    )
    numbers = np.zeros((5, *mask.shape[1:]), np.int32)
    done = (0, 0)
    for start, stop in _slabs(mask):
        if cancelled is not None:
            cancelled()
        done = _march(
            mask, mask.view(np.uint64), start, stop, numbers,
            cases.triangles, cases.triangle_start, cases.links, cases.link_start,
            surface.position, surface.axis, surface.neighbours, surface.faces, *done,
        )  # fmt: skip
    return surface


def _slabs(mask: Array) -> list[tuple[int, int]]:
    layers = mask.shape[0] - 1  # of cubes
    step = max(1, SLAB_VOXELS // (mask.shape[1] * mask.shape[2]))
    return [(start, min(start + step, layers)) for start in range(0, layers, step)]


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _count(mask, words, triangle_start, start, stop):  # type: ignore[no-untyped-def]
    height, width = mask.shape[1] - 1, words.shape[2]
    vertices = 0
    faces = 0
    for z in range(start, stop):
        for y in range(height):
            a, b, c, d = mask[z, y], mask[z, y + 1], mask[z + 1, y], mask[z + 1, y + 1]
            wa, wb, wc, wd = words[z, y], words[z, y + 1], words[z + 1, y], words[z + 1, y + 1]
            column = 0
            for w in range(width):
                if column == 0 and wa[w] | wb[w] | wc[w] | wd[w] == 0:
                    continue
                if column == 15 and wa[w] & wb[w] & wc[w] & wd[w] == ALL_SET:
                    continue
                for x in range(8 * w, 8 * w + 8):
                    new = np.int64(a[x] | b[x] << 1 | c[x] << 2 | d[x] << 3)
                    case = column | new << 4
                    column = new
                    if case != 0 and case != 255:
                        faces += triangle_start[case + 1] - triangle_start[case]
                        corner = new >> 3
                        vertices += (
                            (corner ^ (case >> 3 & 1))
                            + (corner ^ (new >> 2 & 1))
                            + (corner ^ (new >> 1 & 1))
                        )
    return vertices, faces


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _march(  # type: ignore[no-untyped-def]
    mask, words, start, stop, numbers, triangles, triangle_start, links, link_start,
    position, axis, neighbours, faces, vertex, face,
):  # fmt: skip
    """Cubes in order of z, y, x; each makes the vertices on its last edge along each axis.

    `numbers` remembers vertices for the cubes that come later: those on x and on y edges for two
    planes of z each (by parity), those on z edges for the present layer.
    """
    height, width = mask.shape[1] - 1, words.shape[2]
    edge = np.empty(12, np.int32)
    along_z = numbers[4]
    for z in range(start, stop):
        x0, x1 = numbers[z & 1], numbers[(z + 1) & 1]
        y0, y1 = numbers[2 + (z & 1)], numbers[2 + ((z + 1) & 1)]
        for y in range(height):
            a, b, c, d = mask[z, y], mask[z, y + 1], mask[z + 1, y], mask[z + 1, y + 1]
            wa, wb, wc, wd = words[z, y], words[z, y + 1], words[z + 1, y], words[z + 1, y + 1]
            column = 0
            for w in range(width):
                if column == 0 and wa[w] | wb[w] | wc[w] | wd[w] == 0:
                    continue
                if column == 15 and wa[w] & wb[w] & wc[w] & wd[w] == ALL_SET:
                    continue
                for end in range(8 * w, 8 * w + 8):
                    new = np.int64(a[end] | b[end] << 1 | c[end] << 2 | d[end] << 3)
                    case = column | new << 4
                    column = new
                    if case == 0 or case == 255:
                        continue
                    x = end - 1
                    corner = new >> 3
                    if corner != new >> 1 & 1:
                        along_z[y + 1, end] = vertex
                        position[vertex, 0] = z - 0.5
                        position[vertex, 1] = y
                        position[vertex, 2] = x
                        axis[vertex] = 0 if corner else 4
                        vertex += 1
                    if corner != new >> 2 & 1:
                        y1[y, end] = vertex
                        position[vertex, 0] = z
                        position[vertex, 1] = y - 0.5
                        position[vertex, 2] = x
                        axis[vertex] = 1 if corner else 5
                        vertex += 1
                    if corner != case >> 3 & 1:
                        x1[y + 1, x] = vertex
                        position[vertex, 0] = z
                        position[vertex, 1] = y
                        position[vertex, 2] = x - 0.5
                        axis[vertex] = 2 if corner else 6
                        vertex += 1
                    edge[0], edge[1] = along_z[y, x], along_z[y, end]
                    edge[2], edge[3] = along_z[y + 1, x], along_z[y + 1, end]
                    edge[4], edge[5] = y0[y, x], y0[y, end]
                    edge[6], edge[7] = y1[y, x], y1[y, end]
                    edge[8], edge[9] = x0[y, x], x0[y + 1, x]
                    edge[10], edge[11] = x1[y, x], x1[y + 1, x]
                    for i in range(link_start[case], link_start[case + 1]):
                        neighbours[edge[links[i, 0]], links[i, 2]] = edge[links[i, 1]]
                    for i in range(triangle_start[case], triangle_start[case + 1]):
                        faces[face, 0] = edge[triangles[i, 0]]
                        faces[face, 1] = edge[triangles[i, 1]]
                        faces[face, 2] = edge[triangles[i, 2]]
                        face += 1
    return vertex, face
