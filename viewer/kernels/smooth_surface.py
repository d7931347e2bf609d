"""From the stairs of voxels to a smooth surface, without leaving the voxels' bounds.

Every vertex slides on its own grid edge, between the centre of a voxel of the label and that of
a neighbour outside, and nowhere else. So the surface is never more than half a voxel off the
voxels' own, separates the same voxel centres as before, cannot fold over or cut itself, and a
thin label gets no thinner than a tenth of a voxel and no hole.

Two steps place the vertices:

1. *Terraces become slopes.* Seen along an axis, voxels form terraces with steps down on some
   sides and up on others. A vertex on a terrace goes to ``down / (down + up)`` of its edge, by
   the distances, in voxels along the surface, to the nearest step of each sort. A tilted plane
   comes out exactly plane, however coarse its steps: this is what makes data with voxels of
   40 × 4 × 4 nm look right. Terraces wider than `REACH` stay flat, as do ends (no step up).
2. *Polish.* Passes of alternating smoothing and widening (Taubin), which take out what is left of
   the grid and keep volume. A vertex is held against the straight line between its two
   neighbours in each of its two planes, so planes stay as they are at any tilt.

The normals come from the same neighbours: the cross product of the two lines, which is never
zero, averaged over the neighbours.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from viewer.kernels.marching_cubes import Array, Surface

REACH = 16.0
"""Voxels. Terraces up to this wide become slopes; up to twice this, less and less."""

MARGIN = 0.05
"""Voxels. How near to a voxel centre a vertex may slide."""

NORMAL_PASSES = 2
"""Times that normals are averaged over neighbours: the shading of a sphere of 10 voxels' radius
is within two degrees of the truth, and edges stay visible."""


def smooth_surface(surface: Surface, passes: int) -> None:
    """Slide the vertices of a surface, as told in the module; 0 passes leave it as it is."""
    if passes <= 0:
        return
    _slope(surface.position, surface.axis, surface.neighbours, REACH, MARGIN)
    _polish(surface.position, surface.axis, surface.neighbours, passes, MARGIN)


def place_surface(
    surface: Surface, scale: tuple[float, ...], origin: tuple[float, ...]
) -> tuple[Array, Array]:
    """Vertices and normals in the world.

    Parameters
    ----------
    surface : Surface
    scale : tuple of float
        World distance of neighbouring voxels on (z, y, x).
    origin : tuple of float
        World position of voxel (0, 0, 0).

    Returns
    -------
    vertices, normals : float32 arrays (n, 3)
        (z, y, x); positions are computed in float64 and rounded once. Normals point outwards and
        have length 1.
    """
    vertices = np.empty_like(surface.position)
    normals = np.empty_like(surface.position)
    _place(
        surface.position, surface.axis, surface.neighbours,
        np.array(scale, np.float64), np.array(origin, np.float64),
        vertices, normals, NORMAL_PASSES,
    )  # fmt: skip
    return vertices, normals


def _jit(function: Any) -> Any:
    return numba.njit(nogil=True, cache=True)(function)


@_jit
def _slope(position, axis, neighbours, reach, margin):  # type: ignore[no-untyped-def]
    count = position.shape[0]
    far = np.float32(4 * reach)
    # distance to the nearest step, where the surface goes on towards lower and higher positions
    down = np.full(count, far, np.float32)
    up = np.full(count, far, np.float32)
    half = np.float32(0.5)
    one = np.float32(1.0)
    for v in range(count):
        a = axis[v] & 3
        for slot in range(4):
            n = neighbours[v, slot]
            if axis[n] & 3 != a:
                if position[n, a] < position[v, a]:
                    down[v] = half
                else:
                    up[v] = half
    # Vertices are in order of z, y, x: a sweep there and one back carry distances all the way
    # over a terrace, two of each also around its corners.
    for sweep in range(4):
        for i in range(count):
            v = i if sweep & 1 == 0 else count - 1 - i
            a = axis[v] & 3
            lower = down[v]
            upper = up[v]
            if lower == half and upper == half:
                continue
            for slot in range(4):
                n = neighbours[v, slot]
                if axis[n] & 3 == a:
                    lower = min(lower, down[n] + one)
                    upper = min(upper, up[n] + one)
            down[v] = lower
            up[v] = upper
    for v in range(count):
        width = down[v] + up[v]
        if width < 2 * reach:
            trust = min(one, (2 * reach - width) / reach)
            slide = trust * (down[v] / width - half)
            limit = half - margin
            position[v, axis[v] & 3] += min(max(slide, -limit), limit)


@_jit
def _polish(position, axis, neighbours, passes, margin):  # type: ignore[no-untyped-def]
    count = position.shape[0]
    aims = np.empty(count, np.float32)
    half = np.float32(0.5)
    for step in range(2 * passes):
        # The widening is a little stronger than the smoothing: together they leave large forms.
        factor = np.float32(0.5) if step & 1 == 0 else np.float32(-0.53)
        for v in range(count):
            a = axis[v] & 3
            u = 1 if a == 0 else 0
            w = 1 if a == 2 else 2
            p, q = neighbours[v, 0], neighbours[v, 1]
            before = position[v, u] - position[p, u]
            after = position[q, u] - position[v, u]
            aim = (position[p, a] * after + position[q, a] * before) / (before + after)
            p, q = neighbours[v, 2], neighbours[v, 3]
            before = position[v, w] - position[p, w]
            after = position[q, w] - position[v, w]
            aim += (position[p, a] * after + position[q, a] * before) / (before + after)
            aims[v] = aim * half
        for v in range(count):
            a = axis[v] & 3
            here = position[v, a]
            floor = np.floor(here)
            here += factor * (aims[v] - here)
            position[v, a] = min(max(here, floor + margin), floor + 1 - margin)


@_jit
def _place(  # type: ignore[no-untyped-def]
    position, axis, neighbours, scale, origin, vertices, normals, passes
):
    count = position.shape[0]
    rough = np.empty((count, 3), np.float32)
    for v in range(count):
        a = axis[v] & 3
        u = 1 if a == 0 else 0
        w = 1 if a == 2 else 2
        # The two lines are (1, slope) in the planes (u, a) and (w, a). Slopes are steepest at
        # silhouettes of the grid, where one neighbour is nearly above the other: never vertical.
        p, q = neighbours[v, 0], neighbours[v, 1]
        slope_u = (position[q, a] - position[p, a]) / (position[q, u] - position[p, u])
        p, q = neighbours[v, 2], neighbours[v, 3]
        slope_w = (position[q, a] - position[p, a]) / (position[q, w] - position[p, w])
        sign = 1.0 if axis[v] & 4 else -1.0
        na = sign / scale[a]
        nu = -sign * slope_u / scale[u]
        nw = -sign * slope_w / scale[w]
        length = np.sqrt(na * na + nu * nu + nw * nw)
        normals[v, a] = na / length
        normals[v, u] = nu / length
        normals[v, w] = nw / length
        for i in range(3):
            vertices[v, i] = position[v, i] * scale[i] + origin[i]
    for _ in range(passes):
        rough[:] = normals
        for v in range(count):
            x, y, z = rough[v, 0], rough[v, 1], rough[v, 2]
            for slot in range(4):
                n = neighbours[v, slot]
                x += rough[n, 0]
                y += rough[n, 1]
                z += rough[n, 2]
            length = np.sqrt(x * x + y * y + z * z)
            if length > 0.01:  # else the neighbours of a sharp tip cancel out: it keeps its own
                normals[v, 0] = x / length
                normals[v, 1] = y / length
                normals[v, 2] = z / length
