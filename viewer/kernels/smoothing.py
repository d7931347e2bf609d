"""Smoothing of a voxel surface within a bound, and normals of its vertices.

The surface of a binary mask has stairs that the object did not: on a gentle slope they are
terraces, as wide as the slope is flat. Three steps take them out.

1. The surface is drawn taut, like a skin: each vertex goes to the middle of its neighbours, with
   the swing of the round before, so that ten rounds reach across terraces of some twenty voxels
   (Polyak's heavy ball). It does not go further than `LEASH` bounds: what is round sinks in.
2. How far each vertex was drawn in along its normal is averaged in the same way. Terraces, one half
   too high and one too low, cancel; what is left is what the object lost, and it gets that back.
3. It is put back into the box of half-width `bound` voxels around the place where marching cubes
   put it, as in Gibson's constrained elastic surface nets (MICCAI 1998), so the error is known; and
   the creases of that are smoothed by a step in and one out (Taubin, A signal processing approach
   to fair surface design, SIGGRAPH 1995).

Where a part or a gap is a single voxel wide, a vertex does not move into it along its lattice edge:
lines and sheets of one voxel keep the volume that marching cubes gives them.

Vertices have four numbers, z, y, x and 1: four fit a vector register, and the fourth of a sum
over neighbours is how many there were.
"""

from __future__ import annotations

from collections.abc import Callable
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
"""Rounds of drawing taut, and of averaging what that took: more would flatten what is round."""

SHARE = 0.8
"""Share of the way to the neighbours' middle that a vertex goes in a round."""

SWING = 0.7
"""Share of a round's way that the next one adds: waves of up to some twenty voxels settle in ten
rounds, where without it they would take a hundred."""

LEASH = 1.5
"""Bounds that a vertex may be away while the surface is taut. On a shorter leash what is round
hangs on its outermost voxels, with facets between."""

AVERAGES = 1
"""Averages of the normals along which the surface is given back what it lost: those that it had as
voxels, as a thin rod has none when it is taut."""

INWARD, OUTWARD = 0.8, -0.87
"""Shares of the way in the last two rounds. Taubin's pass band 1 / 0.8 - 1 / 0.87: what is larger
than some ten voxels stays."""


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


@_instructions
def _move_row(typing_context, vertices, total, last, home, row, part, stay, bound, swing):  # type: ignore[no-untyped-def]
    """What `_step` does with a row, four numbers in one instruction."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        rows = [_row(context, builder, signature.args[i], values[i], values[4]) for i in range(4)]
        loads = [builder.load(place) for place in rows]
        for load in loads:
            load.align = 4
        here, summed, before, middle = loads
        whole = ir.Constant(here.type, ir.Undefined)
        first = ir.Constant(ir.VectorType(ir.IntType(32), 4), None)
        part, stay, bound, swing = (
            builder.shuffle_vector(
                builder.insert_element(whole, v, ir.Constant(ir.IntType(32), 0)), whole, first
            )
            for v in values[5:]
        )
        place = builder.fadd(builder.fmul(stay, here), builder.fmul(part, summed))
        low, high = builder.fsub(middle, bound), builder.fadd(middle, bound)
        place = builder.select(builder.fcmp_ordered("<", place, low), low, place)
        place = builder.select(builder.fcmp_ordered(">", place, high), high, place)
        ahead = builder.fmul(swing, builder.fsub(place, before))
        builder.store(builder.fadd(place, ahead), rows[0]).align = 4
        builder.store(place, rows[2]).align = 4
        return context.get_dummy_value()

    kinds = (vertices, total, last, home, types.int64, *[types.float32] * 4)
    return types.void(*kinds), generate


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
def _step(vertices, total, last, home, kinds, bound, share, swing):  # type: ignore[no-untyped-def]
    """Move towards the middle of the neighbours, whose sum is in `total`, and swing on."""
    stay = np.float32(1) - share
    for vertex in range(len(vertices)):
        number = total[vertex, 3]
        if number == 0:
            continue
        part = share / number
        kind = kinds[vertex]
        if not kind & 12:
            _move_row(vertices, total, last, home, vertex, part, stay, bound, swing)
            continue
        axis = kind & 3
        for k in range(3):
            place = stay * vertices[vertex, k] + part * total[vertex, k]
            middle = home[vertex, k]
            low = middle if k == axis and kind & 4 else middle - bound
            high = middle if k == axis and kind & 8 else middle + bound
            place = min(max(place, low), high)
            vertices[vertex, k] = place + swing * (place - last[vertex, k])
            last[vertex, k] = place


@numba.njit(nogil=True, cache=True)
def _lost(vertices, home, normals, lost):  # type: ignore[no-untyped-def]
    """How far the vertices are below their homes, along their normals."""
    for vertex in range(len(vertices)):
        way = np.float32(0)
        for k in range(3):
            way += (home[vertex, k] - vertices[vertex, k]) * normals[vertex, k]
        lost[vertex] = way


@numba.njit(nogil=True, cache=True)
def _spread(values, faces, shares, total, last, share, swing):  # type: ignore[no-untyped-def]
    """The same as `_sum_neighbours` and `_step`, for one number a vertex, without bounds."""
    for vertex in range(len(total)):
        total[vertex] = 0
    for face in range(len(faces)):
        a, b, c = np.int64(faces[face, 0]), np.int64(faces[face, 1]), np.int64(faces[face, 2])
        total[a] += values[b]
        total[b] += values[c]
        total[c] += values[a]
    for vertex in range(len(total)):
        value = values[vertex]
        value += shares[vertex] * total[vertex] - share * value
        values[vertex] = value + swing * (value - last[vertex])
        last[vertex] = value


@numba.njit(nogil=True, cache=True)
def _give_back(vertices, normals, lost):  # type: ignore[no-untyped-def]
    for vertex in range(len(vertices)):
        for k in range(3):
            vertices[vertex, k] += lost[vertex] * normals[vertex, k]


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


def _average(normals: Vertices, faces: Faces, total: Vertices, passes: int) -> None:
    """Unit vectors of sums over faces, each averaged with its neighbours so many times."""
    total[:] = 0
    _normalize(normals, total)
    for _ in range(passes):
        _sum_neighbours(normals, faces, total)
        _normalize(normals, total)


def relax(
    vertices: Vertices,
    faces: Faces,
    kinds: npt.NDArray[np.uint8],
    bound: float,
    going_on: Callable[[], None] = lambda: None,
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
    going_on : callable, optional
        Called between rounds; may raise to end the work.
    """
    if bound <= 0:
        return
    home, last, total = vertices.copy(), vertices.copy(), np.empty_like(vertices)
    swings = [SWING] * (ROUNDS - 1) + [0.0]

    def step(limit: float, share: float, swing: float) -> None:
        _step(vertices, total, last, home, kinds, *map(np.float32, (limit, share, swing)))

    for swing in swings:
        going_on()
        _sum_neighbours(vertices, faces, total)
        step(LEASH * bound, SHARE, swing)
    shares = np.float32(SHARE) / np.maximum(total[:, 3], 1)
    # What has served is used again: large meshes fill the memory.
    normals = last
    normals[:] = 0
    _normals(home, faces, normals)
    _average(normals, faces, total, AVERAGES)
    lost, before, sums = total.reshape(-1)[: 3 * len(vertices)].reshape(3, -1)
    _lost(vertices, home, normals, lost)
    before[:] = lost
    for swing in swings:
        going_on()
        _spread(lost, faces, shares, sums, before, np.float32(SHARE), np.float32(swing))
    _give_back(vertices, normals, lost)
    total[:] = 1  # neighbours, who do not count yet
    step(bound, 0.0, 0.0)
    for share in (INWARD, OUTWARD):
        going_on()
        _sum_neighbours(vertices, faces, total)
        step(bound, share, 0.0)


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
    _average(normals, faces, total, passes)
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
