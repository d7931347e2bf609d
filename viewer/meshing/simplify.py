"""Coarser meshes: fewer faces, to an error or to a number."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from viewer.meshing.mesh import Mesh

SHARE = 0.3
"""Share of the edges, the cheapest ones, that one pass may collapse: fewer give a better surface,
more a faster one."""

SHARE_STAYING = 0.15
"""The same where vertices stay: what costs nothing must go before what costs little."""

LEAST_PROGRESS = 0.01
"""Share of the faces that a pass must take out, at the last threshold, to be followed by one."""

SAMPLE = 4096
"""Edges whose costs are looked at to find the threshold."""

PASSES = 60
"""Passes at most."""

SAFETY = 0.4
"""Part of the tolerance that estimated errors may use up: they are kept at vertices only, and the
true ones were measured up to 2.5 times as large."""


def simplified(
    mesh: Mesh,
    *,
    tolerance: float = math.inf,
    faces: int = 0,
    stay: bool = False,
    going_on: Callable[[], None] = lambda: None,
) -> Mesh:
    """A mesh of fewer faces, closed where it was and of the same Euler characteristic.

    Parameters
    ----------
    mesh : Mesh
    tolerance : float
        How far, in world units, the surface may be from the vertices of `mesh`.
    faces : int
        As soon as there are no more than so many, it is done.
    stay : bool
        Whether vertices remain some of those of `mesh`, which is nearer to a surface with stairs;
        default: they go where they are best, which takes the stairs out.
    going_on : callable, optional
        Called between passes; may raise to end the work.
    """
    from viewer.kernels import simplify as kernel

    if not len(mesh.faces):
        return mesh
    # Quadrics square coordinates: they must be near 0.
    middle = mesh.vertices.mean(0, dtype=np.float64)
    positions = mesh.vertices - middle
    corners = mesh.faces.astype(np.int32)
    amount, left = len(positions), len(corners)
    quadrics = np.zeros((amount, 11))
    heads = np.full(amount, -1, np.int32)
    nexts = np.empty(3 * left, np.int32)
    valences = np.zeros(amount, np.int32)
    locked = np.zeros(amount, np.uint8)
    gone = np.zeros(left, np.uint8)
    changed = np.zeros(amount, np.int32)
    marks = np.zeros(amount, np.int32)
    errors = np.zeros(amount if math.isfinite(tolerance) else 0)
    costs = np.full(3 * left, np.inf, np.float32)
    sample = np.empty(SAMPLE, np.float32)
    share = SHARE_STAYING if stay else SHARE
    stamp = 0
    kernel._begin(positions, corners, quadrics, heads, nexts, valences, locked)
    # What an edge costs when the planes of all faces at its ends are off by the tolerance.
    limit = tolerance * tolerance * 2 * float(quadrics[:, 10].mean())
    for turn in range(1, PASSES + 1):
        going_on()
        kernel._price(positions, quadrics, corners, gone, locked, changed, turn, stay, costs)
        step = max(1, left // SAMPLE)
        number = kernel._sample(corners, gone, costs, step, sample)
        there = np.sort(sample[:number])
        threshold = min(limit, float(there[int(share * (number - 1))]) if number else limit)
        before = left
        left, stamp = kernel._collapse(
            positions,
            quadrics,
            corners,
            gone,
            heads,
            nexts,
            valences,
            changed,
            marks,
            errors,
            SAFETY * tolerance,
            turn,
            stay,
            costs,
            threshold,
            left,
            faces,
            stamp,
        )
        if left <= faces or (
            before - left < LEAST_PROGRESS * before and (threshold >= limit or turn > 40)
        ):
            break
    amount, kept = kernel._compact(positions, corners, gone, valences)
    return replace(
        mesh,
        vertices=(positions[:amount] + middle).astype(np.float32),
        faces=corners[:kept].astype(np.uint32),
        passes=0,
    )
