"""Large segmentations for the benchmarks of meshes: cells with warped borders, and thin tubes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

CELL = 64
"""Voxels from one seed of a cell to the next, about."""


@numba.njit(nogil=True, cache=True)
def _cells(out, seeds, first, stop, cell):  # type: ignore[no-untyped-def]
    edge = out.shape[1]
    number = seeds.shape[0]
    for z in range(first, stop):
        for y in range(edge):
            for x in range(edge):
                # Waves bend the planes that cells would have as borders.
                wz = z + 6 * np.sin(y / 17.0) + 3 * np.sin(x / 9.0)
                wy = y + 6 * np.sin(x / 19.0) + 3 * np.sin(z / 7.0)
                wx = x + 6 * np.sin(z / 15.0) + 3 * np.sin(y / 8.0)
                best = np.inf
                label = 0
                for i in range(max(0, int(wz) // cell - 1), min(number, int(wz) // cell + 2)):
                    for j in range(max(0, int(wy) // cell - 1), min(number, int(wy) // cell + 2)):
                        for k in range(
                            max(0, int(wx) // cell - 1), min(number, int(wx) // cell + 2)
                        ):
                            dz = seeds[i, j, k, 0] - wz
                            dy = seeds[i, j, k, 1] - wy
                            dx = seeds[i, j, k, 2] - wx
                            distance = dz * dz + dy * dy + dx * dx
                            if distance < best:
                                best = distance
                                label = (i * number + j) * number + k + 1
                out[z, y, x] = label


def cells(edge: int) -> np.ndarray:
    """A uint32 segmentation of edge³ voxels without background, one label a cell of about 64³."""
    number = -(-edge // CELL) + 1
    grid = np.moveaxis(np.indices((number,) * 3), 0, -1)
    seeds = (grid + np.random.default_rng(4).random(grid.shape)) * CELL
    out = np.zeros((edge,) * 3, np.uint32)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda z: _cells(out, seeds, z, min(z + 16, edge), CELL), range(0, edge, 16)))
    return out


def tubes(edge: int, number: int = 1200) -> np.ndarray:
    """A uint32 segmentation of edge³ voxels: winding tubes of one to four voxels' radius."""
    rng = np.random.default_rng(5)
    out = np.zeros((edge,) * 3, np.uint32)
    for label in range(1, number + 1):
        radius = rng.uniform(1, 4)
        reach = int(radius) + 1
        offsets = np.moveaxis(np.indices((2 * reach + 1,) * 3) - reach, 0, -1).reshape(-1, 3)
        ball = offsets[(offsets**2).sum(1) <= radius**2]
        turns = np.cumsum(rng.normal(0, 0.08, (edge, 3)), 0) + rng.normal(0, 1, 3)
        steps = turns / np.linalg.norm(turns, axis=1, keepdims=True)
        path = np.cumsum(steps, 0) + rng.uniform(0, edge, 3)
        voxels = (np.rint(path)[:, None].astype(int) + ball).reshape(-1, 3)
        z, y, x = voxels[((voxels >= 0) & (voxels < edge)).all(1)].T
        out[z, y, x] = label
    return out
