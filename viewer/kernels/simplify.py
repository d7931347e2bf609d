"""Fewer triangles for nearly the same surface: edges are collapsed, the cheapest first.

What a collapse costs is the quadric of Garland and Heckbert (Surface simplification using quadric
error metrics, SIGGRAPH 1997): the squared distance from the planes of all faces that have gone
into the two vertices; the vertex that remains goes where it is least. Instead
of a queue there are passes: each collapses the edges below a threshold that rises from pass to
pass, and touches no vertex twice, so costs are computed once a pass and memory is walked in order.

A collapse that would change the surface's topology is refused (Dey, Edelsbrunner, Guha and
Nekhayev, Topology preserving edge contraction, 1999): the two vertices must have exactly two
neighbours in common, and none of those may have three faces only. So a closed surface stays
closed, with the same Euler characteristic. One that would turn a face over is refused as well.

Quadrics are blind along an edge or a spike, so where a tolerance is asked for, every vertex also
knows how far away the surface may be from the vertices that it stands for: the distances of the
ends of every collapsed edge from the new faces, added up.
"""

from __future__ import annotations

import numba
import numpy as np

MOST_FACES = 20
"""Faces around a vertex at most: beyond it triangles become needles, and collapses slow."""

LEAST_COSINE = 0.25
"""Cosine of the most that a face may turn."""


@numba.njit(nogil=True, cache=True)
def _begin(positions, faces, quadrics, heads, nexts, valences, locked):  # type: ignore[no-untyped-def]
    for face in range(len(faces)):
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        az, ay, ax = positions[a, 0], positions[a, 1], positions[a, 2]
        uz, uy, ux = positions[b, 0] - az, positions[b, 1] - ay, positions[b, 2] - ax
        vz, vy, vx = positions[c, 0] - az, positions[c, 1] - ay, positions[c, 2] - ax
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
            q = quadrics[vertex]
            q[0] += zz
            q[1] += zy
            q[2] += zx
            q[3] += zd
            q[4] += yy
            q[5] += yx
            q[6] += yd
            q[7] += xx
            q[8] += xd
            q[9] += dd
            q[10] += 1
            corner = 3 * face + k
            nexts[corner] = heads[vertex]
            heads[vertex] = corner
            valences[vertex] += 1
    # A vertex is on a border if one of its edges has a face on one side only.
    for vertex in range(len(heads)):
        balance = np.int64(0)
        corner = heads[vertex]
        while corner >= 0:
            face, k = corner // 3, corner % 3
            # Of a closed fan every neighbour is once the next and once the one before.
            balance += _mix(faces[face, (k + 1) % 3]) - _mix(faces[face, (k + 2) % 3])
            corner = nexts[corner]
        locked[vertex] = balance != 0


@numba.njit(nogil=True, cache=True)
def _mix(number):  # type: ignore[no-untyped-def]
    mixed = np.uint64(number) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64((mixed ^ (mixed >> np.uint64(29))) >> np.uint64(8))


@numba.njit(nogil=True, cache=True)
def _error(quadrics, a, b, place):  # type: ignore[no-untyped-def]
    """How far a place is off the planes of two vertices: the sum of squares."""
    q, r = quadrics[a], quadrics[b]
    z, y, x = place[0], place[1], place[2]
    error = z * ((q[0] + r[0]) * z + 2 * ((q[1] + r[1]) * y + (q[2] + r[2]) * x + q[3] + r[3]))
    error += y * ((q[4] + r[4]) * y + 2 * ((q[5] + r[5]) * x + q[6] + r[6]))
    error += x * ((q[7] + r[7]) * x + 2 * (q[8] + r[8])) + q[9] + r[9]
    return max(error, 0.0)


@numba.njit(nogil=True, cache=True)
def _place(quadrics, positions, a, b, stay, place):  # type: ignore[no-untyped-def]
    """Where the vertex of a collapsed edge is best, written to `place`; its error.

    At one of the edge's ends if it shall `stay` on the surface.
    """
    if stay:
        one, other = _error(quadrics, a, b, positions[a]), _error(quadrics, a, b, positions[b])
        best = a if one <= other else b
        for i in range(3):
            place[i] = positions[best, i]
        return min(one, other)
    q, r = quadrics[a], quadrics[b]
    # Of all places that are equally good, the one nearest the edge's middle: a little weight
    # pulls there, which also makes the equations solvable where the surface is flat.
    pull = 1e-3 * (q[10] + r[10])
    zz, zy, zx = q[0] + r[0] + pull, q[1] + r[1], q[2] + r[2]
    yy, yx, xx = q[4] + r[4] + pull, q[5] + r[5], q[7] + r[7] + pull
    rz = pull * 0.5 * (positions[a, 0] + positions[b, 0]) - q[3] - r[3]
    ry = pull * 0.5 * (positions[a, 1] + positions[b, 1]) - q[6] - r[6]
    rx = pull * 0.5 * (positions[a, 2] + positions[b, 2]) - q[8] - r[8]
    c00, c01, c02 = yy * xx - yx * yx, zx * yx - zy * xx, zy * yx - zx * yy
    determinant = zz * c00 + zy * c01 + zx * c02
    if determinant > 0:
        c11, c12, c22 = zz * xx - zx * zx, zy * zx - zz * yx, zz * yy - zy * zy
        place[0] = (c00 * rz + c01 * ry + c02 * rx) / determinant
        place[1] = (c01 * rz + c11 * ry + c12 * rx) / determinant
        place[2] = (c02 * rz + c12 * ry + c22 * rx) / determinant
    else:
        for i in range(3):
            place[i] = 0.5 * (positions[a, i] + positions[b, i])
    return _error(quadrics, a, b, place)


@numba.njit(nogil=True, cache=True)
def _price(positions, quadrics, faces, gone, locked, changed, turn, stay, costs):  # type: ignore[no-untyped-def]
    """Costs of the edges whose ends changed in the turn before; each edge at one of its faces."""
    place = np.empty(3)
    for face in range(len(faces)):
        if gone[face]:
            continue
        for k in range(3):
            a, b = faces[face, k], faces[face, (k + 1) % 3]
            if a > b or not (changed[a] == turn - 1 or changed[b] == turn - 1):
                continue
            if locked[a] or locked[b]:
                costs[3 * face + k] = np.inf
            else:
                costs[3 * face + k] = _place(quadrics, positions, a, b, stay, place)


@numba.njit(nogil=True, cache=True)
def _turns_over(positions, faces, nexts, start, other, place):  # type: ignore[no-untyped-def]
    """Whether moving a vertex turns one of its faces; those that hold `other` disappear."""
    corner = start
    while corner >= 0:
        face, k = corner // 3, corner % 3
        corner = nexts[corner]
        b, c = faces[face, (k + 1) % 3], faces[face, (k + 2) % 3]
        if b == other or c == other:
            continue
        a = faces[face, k]
        bz, by, bx = positions[b, 0], positions[b, 1], positions[b, 2]
        cz, cy, cx = positions[c, 0] - bz, positions[c, 1] - by, positions[c, 2] - bx
        oz, oy, ox = positions[a, 0] - bz, positions[a, 1] - by, positions[a, 2] - bx
        wz, wy, wx = place[0] - bz, place[1] - by, place[2] - bx
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
def _distance(positions, faces, nexts, first, second, a, b, place, point):  # type: ignore[no-untyped-def]
    """Distance of a point from the faces that remain around a collapsed edge."""
    best = np.inf
    for start, other in ((first, b), (second, a)):
        corner = start
        while corner >= 0:
            face, k = corner // 3, corner % 3
            corner = nexts[corner]
            p, q = faces[face, (k + 1) % 3], faces[face, (k + 2) % 3]
            if p != other and q != other:
                best = min(best, _from_triangle(point, place, positions[p], positions[q]))
    return np.sqrt(best)


@numba.njit(nogil=True, cache=True)
def _alive(faces, gone, heads, nexts, vertex):  # type: ignore[no-untyped-def]
    """First corner of a vertex, once those of faces that are gone have been unlinked."""
    corner = heads[vertex]
    while corner >= 0 and gone[corner // 3]:
        corner = nexts[corner]
    heads[vertex] = corner
    former = corner
    while former >= 0:
        corner = nexts[former]
        while corner >= 0 and gone[corner // 3]:
            corner = nexts[corner]
        nexts[former] = corner
        former = corner
    return heads[vertex]


@numba.njit(nogil=True, cache=True)
def _collapse(  # type: ignore[no-untyped-def]
    positions,
    quadrics,
    faces,
    gone,
    heads,
    nexts,
    valences,
    changed,
    marks,
    errors,
    tolerance,
    turn,
    stay,
    costs,
    threshold,
    left,
    target,
    stamp,
):
    """Collapse what costs less than the threshold; the faces left, and the last stamp."""
    place = np.empty(3)
    for face in range(len(faces)):
        if left <= target:
            break
        if gone[face]:
            continue
        for k in range(3):
            if not costs[3 * face + k] <= threshold:
                continue
            a, b, c = faces[face, k], faces[face, (k + 1) % 3], faces[face, (k + 2) % 3]
            if a > b or changed[a] == turn or changed[b] == turn:
                continue
            together = valences[a] + valences[b] - 4
            if together < 3 or together > MOST_FACES or valences[c] < 4:
                continue
            first, second = (
                _alive(faces, gone, heads, nexts, a),
                _alive(faces, gone, heads, nexts, b),
            )
            stamp += 2
            corner = first
            while corner >= 0:
                here, j = corner // 3, corner % 3
                marks[faces[here, (j + 1) % 3]] = stamp
                marks[faces[here, (j + 2) % 3]] = stamp
                corner = nexts[corner]
            common = 0
            shared = 0
            opposite = c
            beyond = -1
            last = -1
            corner = second
            while corner >= 0:
                here, j = corner // 3, corner % 3
                p, q = faces[here, (j + 1) % 3], faces[here, (j + 2) % 3]
                if marks[p] == stamp and p != a:
                    marks[p] = stamp + 1
                    common += 1
                if marks[q] == stamp and q != a:
                    marks[q] = stamp + 1
                    common += 1
                if p == a or q == a:
                    shared += 1
                    if here != face:
                        beyond = here
                        opposite = q if p == a else p
                last = corner
                corner = nexts[corner]
            if common != 2 or shared != 2 or valences[opposite] < 4 or beyond < 0:
                continue
            _place(quadrics, positions, a, b, stay, place)
            bad = True
            for attempt in range(3):
                if attempt:  # the best place turns a face over: an end may not
                    end = a if attempt == 1 else b
                    for i in range(3):
                        place[i] = positions[end, i]
                    if _error(quadrics, a, b, place) > threshold:
                        continue
                bad = _turns_over(positions, faces, nexts, first, b, place) or _turns_over(
                    positions, faces, nexts, second, a, place
                )
                if not bad:
                    break
            if bad:
                continue
            if tolerance < np.inf:
                error = max(
                    _distance(positions, faces, nexts, first, second, a, b, place, positions[a]),
                    _distance(positions, faces, nexts, first, second, a, b, place, positions[b]),
                ) + max(errors[a], errors[b])
                if error > tolerance:
                    costs[3 * face + k] = np.inf
                    continue
                errors[a] = error
            corner = second
            while corner >= 0:
                faces[corner // 3, corner % 3] = a
                corner = nexts[corner]
            nexts[last] = first
            heads[a] = second
            heads[b] = -1
            gone[face] = gone[beyond] = 1
            valences[a] = together
            valences[b] = 0
            valences[c] -= 1
            valences[opposite] -= 1
            for i in range(3):
                positions[a, i] = place[i]
            for i in range(11):
                quadrics[a, i] += quadrics[b, i]
            changed[a] = turn
            left -= 2
            break
    return left, stamp


@numba.njit(nogil=True, cache=True)
def _sample(faces, gone, costs, step, out):  # type: ignore[no-untyped-def]
    """Costs of every so many edges; their number."""
    number = 0
    for face in range(0, len(faces), step):
        if gone[face]:
            continue
        for k in range(3):
            if faces[face, k] < faces[face, (k + 1) % 3] and number < len(out):
                out[number] = costs[3 * face + k]
                number += 1
    return number


@numba.njit(nogil=True, cache=True)
def _compact(positions, faces, gone, valences):  # type: ignore[no-untyped-def]
    """Move what is left to the front; the numbers of vertices and faces."""
    numbers = np.empty(len(positions), np.uint32)
    amount = 0
    for vertex in range(len(positions)):
        if valences[vertex] > 0:
            numbers[vertex] = amount
            for k in range(3):
                positions[amount, k] = positions[vertex, k]
            amount += 1
    kept = 0
    for face in range(len(faces)):
        if not gone[face]:
            for k in range(3):
                faces[kept, k] = numbers[faces[face, k]]
            kept += 1
    return amount, kept
