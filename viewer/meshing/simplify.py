"""Coarser meshes: fewer faces, to an error or to a number."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from viewer.kernels.crew import THREADS, in_parallel
from viewer.meshing.mesh import Mesh

if TYPE_CHECKING:
    import numpy.typing as npt

SHARE = 0.3
"""Share of the edges, the cheapest ones, that one pass may collapse: fewer give a better surface,
more a faster one."""

SHARE_STAYING = 0.1
"""The same where vertices stay: what costs nothing must go before what costs little."""

LEAST_PROGRESS = 0.01
"""Share of the faces that a pass must take out, at the last threshold, to be followed by one."""

CLOSED_UP = 0.9
"""Part of the faces below which those that are left move together: less memory to walk."""

PRICED_AT_ONCE = 1 << 14
"""Faces that are worth a thread, of which each takes a twentieth of a millisecond to start."""

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
    from viewer.kernels import quadrics
    from viewer.kernels import simplify as kernel

    if not len(mesh.faces):
        return mesh
    # Quadrics square coordinates: they must be near 0.
    middle = mesh.vertices.mean(0, dtype=np.float64)
    amount, left = len(mesh.vertices), len(mesh.faces)
    places = np.zeros((amount, 4), np.float32)
    places[:, :3] = mesh.vertices - middle
    corners = np.zeros((left, 4), np.uint32)
    corners[:, :3] = mesh.faces
    table = np.zeros((amount, quadrics.COLUMNS))
    counters = np.zeros((amount, quadrics.COUNTERS), np.uint32)
    nexts = np.empty(4 * left, np.uint32)
    costs = np.full((left, 3), np.inf, np.float32)
    sample = np.empty(SAMPLE, np.float32)
    share = SHARE_STAYING if stay else SHARE
    quadrics.sum_planes(corners, places, table)
    kernel.link(corners, counters, nexts)
    kernel.lock(corners, table)
    # What an edge costs when the planes of all faces at its ends are off by the tolerance.
    limit = tolerance * tolerance * 2 * float(table[:, quadrics.FACES].mean())
    stamp = 0
    for turn in range(1, PASSES + 1):
        going_on()
        _price(table, places, counters, corners, costs, turn, stay)
        number = kernel.sample(corners, costs, max(1, len(corners) // SAMPLE), sample)
        there = np.sort(sample[:number])
        threshold = min(limit, float(there[int(share * (number - 1))]) if number else limit)
        before = left
        left, stamp = kernel.collapse(
            table,
            places,
            counters,
            corners,
            nexts,
            costs,
            threshold,
            SAFETY * tolerance,
            turn,
            stay,
            left,
            faces,
            stamp,
        )
        done = left <= faces or (
            before - left < LEAST_PROGRESS * before and (threshold >= limit or turn > 40)
        )
        if done or left < CLOSED_UP * len(corners):
            amount, left = kernel.close_up(table, places, counters, corners, costs)
            table, places, counters = table[:amount], places[:amount], counters[:amount]
            corners, costs, stamp = corners[:left], costs[:left], 0
            if done:
                break
            kernel.link(corners, counters, nexts)
    vertices = (places[:, :3] + middle).astype(np.float32)
    return replace(mesh, vertices=vertices, faces=corners[:, :3].copy(), passes=0)


def _price(
    table: npt.NDArray[np.float64],
    places: npt.NDArray[np.float32],
    counters: npt.NDArray[np.uint32],
    corners: npt.NDArray[np.uint32],
    costs: npt.NDArray[np.float32],
    turn: int,
    stay: bool,
) -> None:
    """Costs of the edges that changed, by several threads if they are many."""
    from viewer.kernels import quadrics

    parts = min(THREADS, len(corners) // PRICED_AT_ONCE + 1)
    ends = [len(corners) * part // parts for part in range(parts + 1)]
    price: Callable[..., None] = quadrics.price
    in_parallel(
        [
            partial(
                price,
                table,
                places,
                counters,
                corners,
                *ends[part : part + 2],
                turn,
                stay,
                costs,
            )
            for part in range(parts)
        ]
    )
