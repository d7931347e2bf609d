"""Smoothing stays within its bound and takes the stairs away; normals point outward."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from viewer.kernels.marching_cubes import surface
from viewer.kernels.smoothing import relax, vertex_normals

Scale = tuple[float, float, float]


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


def plane(width: int) -> tuple[np.ndarray, np.ndarray]:
    """Everything below a plane that rises by a voxel in so many, and its normal."""
    slope = np.array([1, -0.3 / width, -0.95 / width])
    z, y, x = np.mgrid[:24, :64, :64] - np.array([11.6, 31.5, 31.5])[:, None, None, None]
    mask = slope[0] * z + slope[1] * y + slope[2] * x <= 0
    mask[0] = False
    return mask, slope


def ellipsoid(*radii: float) -> tuple[np.ndarray, np.ndarray]:
    """One, and the squares of its radii."""
    sizes = [int(radius) + 3 for radius in radii]
    places = np.mgrid[tuple(slice(-size, size + 1) for size in sizes)]
    squares = np.square(radii)
    return (places**2 / squares[:, None, None, None]).sum(0) <= 1, squares


def normal_error(
    mask: np.ndarray, true: Callable[[np.ndarray], np.ndarray], bound: float, scale: Scale
) -> float:
    """Degrees between the normals in the world and those of the object, at the mean."""
    vertices, faces, kinds = surface(mask)
    places = vertices[:, :3].astype(float)
    relax(vertices, faces, kinds, bound)
    world = (vertices[:, :3] * np.array(scale)).astype(np.float32)
    expected = true(places) / np.array(scale)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    cosines = (vertex_normals(world, faces) * expected).sum(1)
    if mask.shape[0] == 24:  # not where the slope ends
        middle = (np.array(mask.shape) - 1) / 2
        cosines = cosines[(np.abs(places - middle) < (10, 20, 20)).all(1)]
    return float(np.degrees(np.arccos(np.clip(cosines, -1, 1))).mean())


@pytest.mark.parametrize(("width", "factor"), [(3, 10), (6, 10), (10, 8), (16, 2.2), (25, 1.4)])
def test_a_slope_has_no_terraces(width: int, factor: float) -> None:
    mask, slope = plane(width)

    def true(places: np.ndarray) -> np.ndarray:
        return np.tile(slope, (len(places), 1))

    smooth, rough = (normal_error(mask, true, bound, (1, 1, 1)) for bound in (0.45, 0))
    assert smooth < rough / factor


@pytest.mark.parametrize(
    ("radii", "scale", "factor"),
    [
        ((20, 20, 20), (1, 1, 1), 2.0),
        ((30, 30, 30), (1, 1, 1), 2.5),
        ((12, 30, 40), (1, 1, 1), 1.8),
        ((8, 40, 40), (5, 1, 1), 2.5),
        ((5, 50, 50), (40, 4, 4), 2.0),
    ],
)
def test_what_is_round_is_shaded_as_round(radii: Scale, scale: Scale, factor: float) -> None:
    mask, squares = ellipsoid(*radii)
    middle = (np.array(mask.shape) - 1) / 2

    def true(places: np.ndarray) -> np.ndarray:
        return (places - middle) / squares

    smooth, rough = (normal_error(mask, true, bound, scale) for bound in (0.45, 0))
    assert smooth < rough / factor


@pytest.mark.parametrize("radius", [5, 12, 30])
def test_a_ball_keeps_its_volume(radius: int) -> None:
    mask, _ = ellipsoid(radius, radius, radius)
    vertices, faces, kinds = surface(mask)
    relax(vertices, faces, kinds, 0.45)
    assert enclosed(vertices, faces) == pytest.approx(mask.sum(), rel=0.02)


def test_smoothing_can_be_ended() -> None:
    vertices, faces, kinds = surface(ball(6))

    def going_on() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        relax(vertices, faces, kinds, 0.45, going_on)
