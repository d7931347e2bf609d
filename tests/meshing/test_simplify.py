"""Simplified surfaces: closed, of the same topology, near the surface they came from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from tests.benchmarks.surfaces import distances, is_closed
from viewer.kernels.marching_cubes import surface
from viewer.meshing.mesh import Mesh, finish, opened
from viewer.meshing.simplify import simplified
from viewer.state import IDENTITY

masks = hnp.arrays(
    np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, max_side=7), elements={"max_value": 1}
)


def mesh_of(mask: np.ndarray, smoothing: float = 0.45, scale: tuple[int, ...] = (1, 1, 1)) -> Mesh:
    return finish(surface(mask), (0, 0, 0), scale, (0, 0, 0), IDENTITY, smoothing)


def euler(mesh: Mesh) -> int:
    return len(mesh.vertices) - len(mesh.faces) // 2


def ball(radius: int, hole: float = 0.0) -> np.ndarray:
    size = radius + 2
    z, y, x = np.mgrid[-size : size + 1, -size : size + 1, -size : size + 1]
    return (z**2 + y**2 + x**2 <= radius**2) & (y**2 + x**2 >= hole**2)


@given(masks)
@settings(deadline=None)
def test_any_surface_stays_closed_and_keeps_its_euler_characteristic(mask: np.ndarray) -> None:
    fine = mesh_of(mask)
    coarse = simplified(fine, faces=len(fine.faces) // 4)
    assert is_closed(coarse.faces)
    assert euler(coarse) == euler(fine)


@pytest.mark.parametrize("hole", [0.0, 5.0])
@pytest.mark.parametrize("stay", [False, True])
def test_a_sixth_of_the_faces_is_reached_at_a_small_error(hole: float, stay: bool) -> None:
    fine = mesh_of(ball(20, hole))
    coarse = simplified(fine, faces=len(fine.faces) // 6, stay=stay)
    assert len(coarse.faces) <= len(fine.faces) // 6
    assert distances(coarse.vertices, coarse.faces, fine.vertices).mean() < 0.06


@pytest.mark.parametrize("tolerance", [0.1, 0.5])
def test_a_tolerance_bounds_the_error_in_world_units(tolerance: float) -> None:
    fine = mesh_of(ball(20), scale=(1, 1, 1))
    coarse = simplified(fine, tolerance=tolerance)
    assert len(coarse.faces) < 0.5 * len(fine.faces)
    assert distances(coarse.vertices, coarse.faces, fine.vertices).max() <= tolerance


def test_a_larger_tolerance_leaves_fewer_faces() -> None:
    fine = mesh_of(ball(15))
    amounts = [len(simplified(fine, tolerance=t).faces) for t in (0.05, 0.2, 1.0)]
    assert amounts == sorted(amounts, reverse=True)


def test_the_border_of_an_open_surface_stays_where_it_is() -> None:
    mask = np.ones((12, 12, 12), bool)
    mask[6:] = False
    open_surface = opened(surface(mask), (0, 0, 0), mask.shape)
    fine = finish(open_surface, (0, 0, 0), (1, 1, 1), (0, 0, 0), IDENTITY, 0)
    coarse = simplified(fine, tolerance=0.5)
    assert len(coarse.faces) < len(fine.faces)
    assert coarse.vertices.min(0).tolist() == fine.vertices.min(0).tolist()
    assert coarse.vertices.max(0).tolist() == fine.vertices.max(0).tolist()


def test_nothing_simplified_is_nothing() -> None:
    assert len(simplified(mesh_of(np.zeros((2, 2, 2), bool))).faces) == 0


def test_a_single_voxel_is_left_as_a_solid() -> None:
    coarse = simplified(mesh_of(np.ones((1, 1, 1), bool)), faces=1)
    assert is_closed(coarse.faces)
    assert len(coarse.faces) >= 4
