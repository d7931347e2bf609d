"""Fewer triangles for nearly the same surface: edges are collapsed, the cheapest first.

What a collapse costs is told by quadrics (`viewer.kernels.quadrics`). Instead of a queue there are
passes: each collapses the edges below a threshold that rises from pass to pass, and touches no
vertex twice, so costs are computed once a pass and memory is walked in order. After a pass what is
left moves together.

A collapse that would change the surface's topology is refused (Dey, Edelsbrunner, Guha and
Nekhayev, Topology preserving edge contraction, 1999): the two vertices must have exactly two
neighbours in common, and none of those may have three faces only. So a closed surface stays
closed, with the same Euler characteristic. One that would turn a face over is refused as well.

Quadrics are blind along an edge or a spike, so where a tolerance is asked for, every vertex also
knows how far away the surface may be from the vertices that it stands for: the distances of the
ends of every collapsed edge from the new faces, added up.

A corner is 4 * face + k. The corners of a vertex are a linked list, copied into a small table
(`_fan`) before anything is computed with it.
"""

from __future__ import annotations

import numba
import numpy as np

from viewer.kernels.quadrics import (
    CHANGED,
    COLUMNS,
    ERROR,
    FACES,
    GONE,
    HEAD,
    LOCKED,
    MARK,
    VALENCE,
    best_place,
    error_at,
    place_of,
)

MOST_FACES = 20
"""Faces around a vertex at most: beyond it triangles become needles, and collapses slow."""

LEAST_COSINE = 0.25
"""Cosine of the most that a face may turn."""

NONE = np.uint32(0xFFFFFFFF)
"""No corner."""

_one, _two, _three = np.uint32(1), np.uint32(2), np.uint32(3)
_NEXT, _BEFORE = np.uint32(0b001001), np.uint32(0b010010)
"""Two bits for each corner of a face: which one comes next, and which before."""


@numba.njit(nogil=True, cache=True)
def link(faces, counters, nexts):  # type: ignore[no-untyped-def]
    """Make the list of every vertex' corners, and count them."""
    for vertex in range(len(counters)):
        counters[vertex, HEAD] = NONE
        counters[vertex, VALENCE] = 0
    for face in range(len(faces)):
        for k in range(3):
            vertex, corner = faces[face, k], np.uint32(4 * face + k)
            nexts[corner] = counters[vertex, HEAD]
            counters[vertex, HEAD] = corner
            counters[vertex, VALENCE] += _one


@numba.njit(nogil=True, cache=True)
def lock(faces, table):  # type: ignore[no-untyped-def]
    """Lock the vertices on borders: one of their edges has a face on one side only."""
    balance = np.zeros(len(table), np.int64)
    for face in range(len(faces)):
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        # Of a closed fan every neighbour is once the next and once the one before.
        mixed_a, mixed_b, mixed_c = _mix(a), _mix(b), _mix(c)
        balance[a] += mixed_b - mixed_c
        balance[b] += mixed_c - mixed_a
        balance[c] += mixed_a - mixed_b
    for vertex in range(len(table)):
        table[vertex, LOCKED] = balance[vertex] != 0


@numba.njit(nogil=True, cache=True)
def _mix(number):  # type: ignore[no-untyped-def]
    mixed = np.uint64(number) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64((mixed ^ (mixed >> np.uint64(29))) >> np.uint64(8))


@numba.njit(nogil=True, cache=True)
def _fan(faces, counters, nexts, vertex, fan):  # type: ignore[no-untyped-def]
    """Write the faces around a vertex, and unlink those that are gone; the number of them.

    Each as its corner at the vertex, the vertex that follows it in the face, and the other.
    """
    number = 0
    former = NONE
    corner = counters[vertex, HEAD]
    while corner != NONE:
        face, k = corner >> _two, corner & _three
        following = nexts[corner]
        if faces[face, GONE]:
            if former == NONE:
                counters[vertex, HEAD] = following
            else:
                nexts[former] = following
        else:
            fan[number, 0] = corner
            fan[number, 1] = faces[face, (_NEXT >> (k + k)) & _three]
            fan[number, 2] = faces[face, (_BEFORE >> (k + k)) & _three]
            number += 1
            former = corner
        corner = following
    return number


@numba.njit(nogil=True, cache=True)
def _turns_over(places, a, fan, number, other, z, y, x):  # type: ignore[no-untyped-def]
    """Whether moving a vertex turns one of its faces; those that hold `other` disappear."""
    az, ay, ax = place_of(places, a)
    for i in range(number):
        b, c = fan[i, 1], fan[i, 2]
        if b == other or c == other:
            continue
        bz, by, bx = place_of(places, b)
        cz, cy, cx = places[c, 0] - bz, places[c, 1] - by, places[c, 2] - bx
        oz, oy, ox = az - bz, ay - by, ax - bx
        wz, wy, wx = z - bz, y - by, x - bx
        oldz, oldy, oldx = cy * ox - cx * oy, cx * oz - cz * ox, cz * oy - cy * oz
        newz, newy, newx = cy * wx - cx * wy, cx * wz - cz * wx, cz * wy - cy * wz
        dot = oldz * newz + oldy * newy + oldx * newx
        old = oldz * oldz + oldy * oldy + oldx * oldx
        new = newz * newz + newy * newy + newx * newx
        if old > 0 and (dot <= 0 or dot * dot < LEAST_COSINE**2 * old * new):
            return True
        # A needle, longer than a hundred times its height.
        if new < 1e-4 * (cz * cz + cy * cy + cx * cx) ** 2:
            return True
    return False


@numba.njit(nogil=True, cache=True)
def _from_triangle(p, a, b, c):  # type: ignore[no-untyped-def]
    """Squared distance of a point from a triangle."""
    uz, uy, ux = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    vz, vy, vx = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    wz, wy, wx = p[0] - a[0], p[1] - a[1], p[2] - a[2]
    uu, vv = uz * uz + uy * uy + ux * ux, vz * vz + vy * vy + vx * vx
    uv = uz * vz + uy * vy + ux * vx
    uw, vw = uz * wz + uy * wy + ux * wx, vz * wz + vy * wy + vx * wx
    area = uu * vv - uv * uv
    s, t = vv * uw - uv * vw, uu * vw - uv * uw
    if area > 0 and s >= 0 and t >= 0 and s + t <= area:
        s /= area
        t /= area
        wz, wy, wx = wz - s * uz - t * vz, wy - s * uy - t * vy, wx - s * ux - t * vx
        return wz * wz + wy * wy + wx * wx
    # On one of the sides.
    ww = wz * wz + wy * wy + wx * wx
    k = min(max(uw / uu, 0.0), 1.0) if uu > 0 else 0.0
    best = ww - 2 * k * uw + k * k * uu
    k = min(max(vw / vv, 0.0), 1.0) if vv > 0 else 0.0
    best = min(best, ww - 2 * k * vw + k * k * vv)
    ee, ew = uu + vv - 2 * uv, vw - uw - uv + uu
    k = min(max(ew / ee, 0.0), 1.0) if ee > 0 else 0.0
    return max(min(best, ww - 2 * uw + uu - 2 * k * ew + k * k * ee), 0.0)


@numba.njit(nogil=True, cache=True)
def _distance(places, fan, number, other, place, point):  # type: ignore[no-untyped-def]
    """Squared distance of a point from the faces of a fan once its vertex is at a place."""
    best = np.inf
    for i in range(number):
        p, q = fan[i, 1], fan[i, 2]
        if p != other and q != other:
            triangle = (place, place_of(places, p), place_of(places, q))
            best = min(best, _from_triangle(point, *triangle))
    return best


@numba.njit(nogil=True, cache=True)
def _drift(places, a, b, fan_a, number_a, fan_b, number_b, place):  # type: ignore[no-untyped-def]
    """How far the surface may be from all that a collapsed edge stands for."""
    drift = 0.0
    for vertex in (a, b):
        point = place_of(places, vertex)
        nearest = min(
            _distance(places, fan_a, number_a, b, place, point),
            _distance(places, fan_b, number_b, a, place, point),
        )
        drift = max(drift, np.sqrt(nearest))
    return drift + max(places[a, ERROR], places[b, ERROR])


@numba.njit(nogil=True, cache=True)
def collapse(  # type: ignore[no-untyped-def]
    table,
    places,
    counters,
    faces,
    nexts,
    costs,
    threshold,
    tolerance,
    turn,
    stay,
    left,
    target,
    stamp,
):
    """Collapse what costs less than the threshold; the faces left, and the last stamp."""
    fan_a = np.empty((MOST_FACES + 4, 3), np.uint32)
    fan_b = np.empty((MOST_FACES + 4, 3), np.uint32)
    now = np.uint32(turn)
    for face in range(len(faces)):
        if left <= target:
            break
        if faces[face, GONE]:
            continue
        for k in range(3):
            if not costs[face, k] <= threshold:
                continue
            a, b, c = faces[face, k], faces[face, (k + 1) % 3], faces[face, (k + 2) % 3]
            if a > b or counters[a, CHANGED] == now or counters[b, CHANGED] == now:
                continue
            together = np.int64(counters[a, VALENCE]) + np.int64(counters[b, VALENCE]) - 4
            if together < 3 or together > MOST_FACES or counters[c, VALENCE] < 4:
                continue
            number_a = _fan(faces, counters, nexts, a, fan_a)
            number_b = _fan(faces, counters, nexts, b, fan_b)
            stamp += 2
            seen, twice = np.uint32(stamp), np.uint32(stamp + 1)
            for i in range(number_a):
                counters[fan_a[i, 1], MARK] = seen
                counters[fan_a[i, 2], MARK] = seen
            common = 0
            shared = 0
            opposite = c
            beyond = np.int64(-1)
            for i in range(number_b):
                p, q = fan_b[i, 1], fan_b[i, 2]
                if p == a or q == a:
                    shared += 1
                    here = np.int64(fan_b[i, 0] >> _two)
                    if here != face:
                        beyond = here
                        opposite = q if p == a else p
                if counters[p, MARK] == seen and p != a:
                    counters[p, MARK] = twice
                    common += 1
                if counters[q, MARK] == seen and q != a:
                    counters[q, MARK] = twice
                    common += 1
            if common != 2 or shared != 2 or counters[opposite, VALENCE] < 4 or beyond < 0:
                continue
            z, y, x, _ = best_place(table, places, a, b, stay)
            bad = True
            for attempt in range(3):
                if attempt:  # the best place turns a face over: an end may not
                    end = a if attempt == 1 else b
                    z, y, x = place_of(places, end)
                    if error_at(table, a, b, z, y, x) > threshold:
                        continue
                bad = _turns_over(places, a, fan_a, number_a, b, z, y, x) or _turns_over(
                    places, b, fan_b, number_b, a, z, y, x
                )
                if not bad:
                    break
            if bad:
                continue
            if tolerance < np.inf:
                error = _drift(places, a, b, fan_a, number_a, fan_b, number_b, (z, y, x))
                if error > tolerance:
                    costs[face, k] = np.inf
                    continue
                places[a, ERROR] = error
            for i in range(number_b):
                corner = fan_b[i, 0]
                faces[corner >> _two, corner & _three] = a
            nexts[fan_b[number_b - 1, 0]] = fan_a[0, 0]
            counters[a, HEAD] = fan_b[0, 0]
            counters[b, HEAD] = NONE
            faces[face, GONE] = 1
            faces[beyond, GONE] = 1
            counters[a, VALENCE] = together
            counters[b, VALENCE] = 0
            counters[c, VALENCE] -= _one
            counters[opposite, VALENCE] -= _one
            counters[a, CHANGED] = now
            for i in range(FACES + 1):
                table[a, i] += table[b, i]
            places[a, 0], places[a, 1], places[a, 2] = z, y, x
            left -= 2
            break
    return left, stamp


@numba.njit(nogil=True, cache=True)
def sample(faces, costs, step, out):  # type: ignore[no-untyped-def]
    """Costs of every so many edges; their number."""
    number = 0
    for face in range(0, len(faces), step):
        if faces[face, GONE]:
            continue
        for k in range(3):
            if faces[face, k] < faces[face, (k + 1) % 3] and number < len(out):
                out[number] = costs[face, k]
                number += 1
    return number


@numba.njit(nogil=True, cache=True)
def close_up(table, places, counters, faces, costs):  # type: ignore[no-untyped-def]
    """Move what is left to the front, in the same order; the numbers of vertices and faces.

    Corners have to be linked anew.
    """
    amount = 0
    for vertex in range(len(counters)):
        counters[vertex, MARK] = amount  # its new number
        if counters[vertex, VALENCE] > 0:
            for k in range(4):
                places[amount, k] = places[vertex, k]
            for k in range(COLUMNS):
                table[amount, k] = table[vertex, k]
            counters[amount, CHANGED] = counters[vertex, CHANGED]
            amount += 1
    left = 0
    for face in range(len(faces)):
        if not faces[face, GONE]:
            for k in range(3):
                faces[left, k] = counters[faces[face, k], MARK]
                costs[left, k] = costs[face, k]
            faces[left, GONE] = 0
            left += 1
    for vertex in range(amount):
        counters[vertex, MARK] = 0
    return amount, left
