"""How far apart surfaces are, and whether one is closed."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

POINTS = 4000
"""Points measured of a surface."""

NEAR = 8
"""Faces looked at first; a few of them are not enough where large and small ones meet."""


def spread(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Points all over a surface, as many on equal areas."""
    rng = np.random.default_rng(8)
    corners = vertices[faces].astype(float)
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    areas = np.linalg.norm(np.cross(u, v), axis=1)
    place = rng.choice(len(faces), POINTS, p=areas / areas.sum())
    s, t = rng.random((2, POINTS, 1))
    s, t = np.where(s + t > 1, 1 - s, s), np.where(s + t > 1, 1 - t, t)
    return corners[place, 0] + s * u[place] + t * v[place]


def distances(vertices: np.ndarray, faces: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Distance of some of the points from a surface."""
    rng = np.random.default_rng(7)
    if len(points) > POINTS:
        points = points[rng.integers(0, len(points), POINTS)]
    points = points.astype(float)
    corners = vertices[faces].astype(float)
    middles = corners.mean(1)
    reach = np.linalg.norm(corners - middles[:, None], axis=2).max(1)
    tree = cKDTree(middles)
    near = tree.query(points, min(NEAR, len(faces)))[1].reshape(len(points), -1)
    found = np.min([_from_triangles(points, corners[n]) for n in near.T], axis=0)
    largest = float(reach.max())
    far = np.flatnonzero(found > 0.05)  # there, a larger triangle further off may be nearer
    others = tree.query_ball_point(points[far], found[far] + largest)
    counts = np.fromiter(map(len, others), int, len(far))
    far = far[counts > 0]
    if len(far):
        own = np.repeat(points[far], counts[counts > 0], 0)
        off = _from_triangles(own, corners[np.concatenate(others).astype(int)])
        starts = np.cumsum(counts[counts > 0]) - counts[counts > 0]
        found[far] = np.minimum(found[far], np.minimum.reduceat(off, starts))
    return found


def _from_triangles(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    u, v, w = b - a, c - a, points - a
    uu, uv, vv = (u * u).sum(1), (u * v).sum(1), (v * v).sum(1)
    uw, vw = (u * w).sum(1), (v * w).sum(1)
    area = uu * vv - uv * uv + 1e-30
    s, t = (vv * uw - uv * vw) / area, (uu * vw - uv * uw) / area
    flat = w - s[:, None] * u - t[:, None] * v
    inside = (s >= 0) & (t >= 0) & (s + t <= 1)
    best = np.where(inside, (flat * flat).sum(1), np.inf)
    for start, stop in ((a, b), (b, c), (a, c)):
        side, own = stop - start, points - start
        share = np.clip((own * side).sum(1) / ((side * side).sum(1) + 1e-30), 0, 1)
        off = own - share[:, None] * side
        best = np.minimum(best, (off * off).sum(1))
    return np.sqrt(best)


def is_closed(faces: np.ndarray) -> bool:
    """Whether every edge has one face on either side, turned the same way round."""
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    there = np.sort(pairs[:, 0] << 32 | pairs[:, 1])
    back = np.sort(pairs[:, 1] << 32 | pairs[:, 0])
    return len(np.unique(there)) == len(there) and np.array_equal(there, back)
