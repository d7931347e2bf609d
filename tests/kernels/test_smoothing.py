"""Smoothing stays within its bound and takes the stairs away; normals point outward."""

from __future__ import annotations

import numpy as np
import pytest

from viewer.kernels.marching_cubes import surface
from viewer.kernels.smoothing import relax, vertex_normals


def ball(radius: int) -> np.ndarray:
    z, y, x = np.mgrid[-radius - 2 : radius + 3, -radius - 2 : radius + 3, -radius - 2 : radius + 3]
    return (z**2 + y**2 + x**2 <= radius**2).astype(np.uint8)


@pytest.mark.parametrize("bound", [0.0, 0.25, 0.5])
def test_no_vertex_leaves_its_bound(bound: float) -> None:
    vertices, faces, kinds = surface(ball(6))
    before = vertices.copy()
    relax(vertices, faces, kinds, bound)
    assert np.abs(vertices - before).max() <= bound + 1e-6


def test_a_ball_becomes_rounder() -> None:
    vertices, faces, kinds = surface(ball(15))
    middle = (np.array(ball(15).shape) - 1) / 2
    rough = np.linalg.norm(vertices[:, :3] - middle, axis=1).std()
    relax(vertices, faces, kinds, 0.5)
    assert np.linalg.norm(vertices[:, :3] - middle, axis=1).std() < 0.6 * rough


def enclosed(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (vertices[faces[:, k], :3].astype(np.float64) for k in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


@pytest.mark.parametrize("thickness", [1, 2, 3, 5])
def test_a_thin_rod_keeps_most_of_its_volume(thickness: int) -> None:
    mask = np.zeros((12, 12, 40), np.uint8)
    mask[3 : 3 + thickness, 3 : 3 + thickness, 3:-3] = 1
    vertices, faces, kinds = surface(mask)
    relax(vertices, faces, kinds, 0.5)
    assert enclosed(vertices, faces) == pytest.approx(mask.sum(), rel=0.25)


def test_normals_of_a_ball_are_its_radii() -> None:
    vertices, faces, kinds = surface(ball(15))
    middle = (np.array(ball(15).shape) - 1) / 2
    relax(vertices, faces, kinds, 0.5)
    radii = vertices[:, :3] - middle
    radii /= np.linalg.norm(radii, axis=1, keepdims=True)
    assert (
        (vertex_normals(vertices[:, :3].copy(), faces) * radii).sum(1) > np.cos(np.radians(12))
    ).all()
