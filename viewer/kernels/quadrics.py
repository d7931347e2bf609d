"""Quadrics of a mesh's vertices: how far a place is off the planes that have gone into a vertex.

The squared distance from the planes of all faces around a vertex is a polynomial of ten numbers
(Garland and Heckbert, Surface simplification using quadric error metrics, SIGGRAPH 1997). Of two
vertices that become one the polynomials are added up; the vertex that remains goes where the sum is
least.

What belongs together lies together, as memory is what a large mesh waits for: every vertex has a
row in the table of quadrics, one among the places (z, y, x and `ERROR`), and one of counters; every
face has its three vertices and `GONE`. Indices are unsigned: Numba takes signed ones for counted
from the end, and asks each time.
"""

from __future__ import annotations

import numba
import numpy as np

COLUMNS = 12
"""Numbers of a quadric: zz, zy, zx, zd, yy, yx, yd, xx, xd, dd, and then"""
FACES, LOCKED = 10, 11
"""the faces that went into it, and whether its vertex is on a border and must stay."""

ERROR = 3
"""Column of the places: how far away the surface may be from what has gone into the vertex."""

COUNTERS = 4
HEAD, VALENCE, CHANGED, MARK = range(COUNTERS)
"""Of a vertex: its first corner, its faces, the pass that moved it last, a stamp."""

GONE = 3
"""Column of the faces, not 0 once a face is collapsed."""


@numba.njit(nogil=True, cache=True)
def place_of(places, vertex):  # type: ignore[no-untyped-def]
    """z, y, x of a vertex."""
    return (
        np.float64(places[vertex, 0]),
        np.float64(places[vertex, 1]),
        np.float64(places[vertex, 2]),
    )


@numba.njit(nogil=True, cache=True)
def sum_planes(faces, places, table):  # type: ignore[no-untyped-def]
    """Add to the quadrics the planes of all faces, each to those of its three vertices."""
    for face in range(len(faces)):
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        az, ay, ax = place_of(places, a)
        uz, uy, ux = places[b, 0] - az, places[b, 1] - ay, places[b, 2] - ax
        vz, vy, vx = places[c, 0] - az, places[c, 1] - ay, places[c, 2] - ax
        nz, ny, nx = uy * vx - ux * vy, ux * vz - uz * vx, uz * vy - uy * vz
        area = np.sqrt(nz * nz + ny * ny + nx * nx)
        # (unit normal, distance) squared, from the normal as long as twice the area: a small face
        # counts as much as a large one, which keeps the corners of stairs.
        scale = 1 / (area * area) if area > 0 else 0.0
        d = -(nz * az + ny * ay + nx * ax)
        zz, zy, zx, zd = nz * nz * scale, nz * ny * scale, nz * nx * scale, nz * d * scale
        yy, yx, yd = ny * ny * scale, ny * nx * scale, ny * d * scale
        xx, xd, dd = nx * nx * scale, nx * d * scale, d * d * scale
        for k in range(3):
            vertex = faces[face, k]
            table[vertex, 0] += zz
            table[vertex, 1] += zy
            table[vertex, 2] += zx
            table[vertex, 3] += zd
            table[vertex, 4] += yy
            table[vertex, 5] += yx
            table[vertex, 6] += yd
            table[vertex, 7] += xx
            table[vertex, 8] += xd
            table[vertex, 9] += dd
            table[vertex, FACES] += 1


@numba.njit(nogil=True, cache=True)
def error_at(t, a, b, z, y, x):  # type: ignore[no-untyped-def]
    """How far a place is off the planes of two vertices: the sum of squares."""
    error = z * (
        (t[a, 0] + t[b, 0]) * z
        + 2 * ((t[a, 1] + t[b, 1]) * y + (t[a, 2] + t[b, 2]) * x + t[a, 3] + t[b, 3])
    )
    error += y * ((t[a, 4] + t[b, 4]) * y + 2 * ((t[a, 5] + t[b, 5]) * x + t[a, 6] + t[b, 6]))
    error += x * ((t[a, 7] + t[b, 7]) * x + 2 * (t[a, 8] + t[b, 8])) + t[a, 9] + t[b, 9]
    return max(error, 0.0)


@numba.njit(nogil=True, cache=True)
def best_place(t, p, a, b, stay):  # type: ignore[no-untyped-def]
    """Where the vertex of a collapsed edge is best, (z, y, x), and its error.

    At one of the edge's ends if it shall `stay` on the surface.
    """
    if stay:
        az, ay, ax = place_of(p, a)
        bz, by, bx = place_of(p, b)
        one, other = error_at(t, a, b, az, ay, ax), error_at(t, a, b, bz, by, bx)
        return (az, ay, ax, one) if one <= other else (bz, by, bx, other)
    # Of all places that are equally good, the one nearest the edge's middle: a little weight
    # pulls there, which also makes the equations solvable where the surface is flat.
    pull = 1e-3 * (t[a, FACES] + t[b, FACES])
    az, ay, ax = place_of(p, a)
    bz, by, bx = place_of(p, b)
    z, y, x = 0.5 * (az + bz), 0.5 * (ay + by), 0.5 * (ax + bx)
    zz, zy, zx = t[a, 0] + t[b, 0] + pull, t[a, 1] + t[b, 1], t[a, 2] + t[b, 2]
    yy, yx, xx = t[a, 4] + t[b, 4] + pull, t[a, 5] + t[b, 5], t[a, 7] + t[b, 7] + pull
    rz = pull * z - t[a, 3] - t[b, 3]
    ry = pull * y - t[a, 6] - t[b, 6]
    rx = pull * x - t[a, 8] - t[b, 8]
    c00, c01, c02 = yy * xx - yx * yx, zx * yx - zy * xx, zy * yx - zx * yy
    determinant = zz * c00 + zy * c01 + zx * c02
    if determinant > 0:
        c11, c12, c22 = zz * xx - zx * zx, zy * zx - zz * yx, zz * yy - zy * zy
        z = (c00 * rz + c01 * ry + c02 * rx) / determinant
        y = (c01 * rz + c11 * ry + c12 * rx) / determinant
        x = (c02 * rz + c12 * ry + c22 * rx) / determinant
    return z, y, x, error_at(t, a, b, z, y, x)


@numba.njit(nogil=True, cache=True)
def price(table, places, counters, faces, begin, end, turn, stay, costs):  # type: ignore[no-untyped-def]
    """Costs of the edges whose ends changed in the turn before; each edge at one of its faces."""
    former = np.uint32(turn - 1)
    for face in range(begin, end):
        if faces[face, GONE]:
            continue
        for k in range(3):
            a, b = faces[face, k], faces[face, (k + 1) % 3]
            if a > b or not (counters[a, CHANGED] == former or counters[b, CHANGED] == former):
                continue
            if table[a, LOCKED] or table[b, LOCKED]:
                costs[face, k] = np.inf
            else:
                costs[face, k] = best_place(table, places, a, b, stay)[3]
