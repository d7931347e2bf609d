"""Surfaces of a labels layer: placed in the world, made once, bounded, forgotten when stale."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.measure import marching_cubes

from tests.benchmarks.surfaces import distances, is_closed
from viewer.errors import (
    CancelledError,
    ClosedError,
    InvalidValueError,
    NotFoundError,
    TooLargeError,
)
from viewer.meshing.label_search import plan_scan
from viewer.meshing.mesh import Mesh
from viewer.meshing.meshes import Meshes
from viewer.policy import POLICY, Policy
from viewer.pyramids.pyramid import Pyramid
from viewer.sources import as_source
from viewer.space import Box
from viewer.state import Level


def meshes_of(data: np.ndarray, **options: object) -> Meshes:
    return Meshes(Pyramid(as_source(data, **options), "labels"))  # type: ignore[arg-type]


def boxes() -> np.ndarray:
    data = np.zeros((12, 14, 16), np.uint32)
    data[2:5, 3:7, 4:12] = 7
    data[8:, :4, 10:] = 9
    return data


def volume(mesh: Mesh) -> float:
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


def test_the_surface_of_a_box_of_voxels_spans_its_voxels() -> None:
    mesh = meshes_of(boxes()).mesh(7, smoothing=0)
    assert mesh.vertices.min(0).tolist() == [1.5, 2.5, 3.5]
    assert mesh.vertices.max(0).tolist() == [4.5, 6.5, 11.5]


def test_scale_and_translate_place_it_in_the_world() -> None:
    meshes = meshes_of(boxes(), scale=(40, 4, 2), translate=(1000, 0, -50), units="nm")
    mesh = meshes.mesh(7, smoothing=0)
    assert mesh.vertices.min(0).tolist() == [1.5 * 40 + 1000, 2.5 * 4, 3.5 * 2 - 50]


def test_a_label_at_the_border_of_the_volume_is_closed() -> None:
    mesh = meshes_of(boxes()).mesh(9)
    sides = {
        tuple(sorted(pair))
        for f in mesh.faces.tolist()
        for pair in zip(f, f[1:] + f[:1], strict=True)
    }
    assert len(mesh.vertices) - len(sides) + len(mesh.faces) == 2
    assert volume(mesh) > 0


def test_smoothing_moves_no_vertex_by_more_than_half_a_voxel() -> None:
    meshes = meshes_of(boxes(), scale=(40, 4, 2))
    moved = meshes.mesh(7).vertices - meshes.mesh(7, smoothing=0).vertices
    assert (np.abs(moved).max(0) <= np.array([20, 2, 1]) + 1e-4).all()


def test_bounds_are_half_open_voxels_of_level_zero() -> None:
    box = meshes_of(boxes()).bounds(7)
    assert (box.start, box.stop) == ((2, 3, 4), (5, 7, 12))


@pytest.mark.parametrize("label", [2**64 - 1, 2**63 + 5])
def test_labels_of_64_bits_are_found(label: int) -> None:
    data = np.zeros((4, 4, 4), np.uint64)
    data[1:3, 1:3, 1:3] = label
    assert len(meshes_of(data).mesh(label).faces) > 0


def test_negative_labels_are_found() -> None:
    data = np.zeros((4, 4, 4), np.int16)
    data[1:3, 1:3, 1:3] = -3
    assert len(meshes_of(data).mesh(-3).faces) > 0


def test_leading_axes_are_addressed_by_a_point() -> None:
    data = np.zeros((3, 6, 6, 6), np.uint8)
    data[2, 1:4, 1:4, 1:4] = 5
    meshes = meshes_of(data)
    assert meshes.bounds(5, point=(2,)).shape == (3, 3, 3)
    with pytest.raises(NotFoundError):
        meshes.mesh(5)
    with pytest.raises(InvalidValueError, match="leading axes"):
        meshes.mesh(5, point=(3,))


@pytest.mark.parametrize("label", [0, 8, -1, 2**70])
def test_a_label_that_is_not_there_says_so(label: int) -> None:
    with pytest.raises(NotFoundError):
        meshes_of(boxes()).mesh(label)


def test_flat_labels_have_no_surface() -> None:
    with pytest.raises(NotFoundError, match="3-D"):
        meshes_of(np.ones((5, 5), np.uint8)).mesh(1)


def test_the_same_mesh_is_made_once() -> None:
    meshes = meshes_of(boxes())
    assert meshes.mesh(7) is meshes.mesh(7)


def test_a_refresh_forgets_what_was_made() -> None:
    data = boxes()
    pyramid = Pyramid(as_source(data), "labels")
    meshes = Meshes(pyramid)
    before = meshes.mesh(7)
    data[5, 3:7, 4:12] = 7
    pyramid.refresh()
    assert volume(meshes.mesh(7)) > volume(before) * 1.2


def test_a_label_too_large_to_be_meshed_at_once_comes_from_a_coarser_level(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = np.ones((96, 96, 96), np.uint8)
    monkeypatch.setattr("viewer.meshing.making.POLICY", Policy(mesh_faces=40_000))
    mesh = meshes_of(data).mesh(1, smoothing=0)
    assert mesh.level == 1
    assert mesh.vertices.min(0).tolist() == [-0.5] * 3
    assert mesh.vertices.max(0).tolist() == [95.5] * 3


def test_a_label_that_vanishes_in_coarse_levels_comes_from_a_finer_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = np.zeros((96, 96, 96), np.uint8)
    data[3, 3, 3] = data[90, 90, 90] = 5
    monkeypatch.setattr("viewer.meshing.making.POLICY", Policy(mesh_faces=40_000))
    mesh = meshes_of(data).mesh(5, smoothing=0)
    assert volume(mesh) > 0


def test_a_checkerboard_is_meshed_and_closed() -> None:
    data = (np.indices((16, 16, 16)).sum(0) % 2).astype(np.uint8)
    mesh = meshes_of(data).mesh(1, smoothing=0)
    assert len(mesh.faces) == 8 * int(data.sum())


def test_the_index_reports_its_progress_to_the_end() -> None:
    told: list[float] = []
    pyramid = Pyramid(as_source(boxes()), "labels")
    Meshes(pyramid, on_progress=lambda task, done: told.append(done)).index()
    assert told[-1] == 1.0


def test_a_cancelled_mesh_is_not_made() -> None:
    with pytest.raises(CancelledError):
        meshes_of(boxes()).mesh(7, cancelled=lambda: True)


def test_the_scan_covers_every_voxel_once() -> None:
    seen = np.zeros((70, 300, 333), np.uint8)
    for box in plan_scan(seen.shape, (64, 64, 64)):
        seen[box.slices] += 1
    assert (seen == 1).all()
    assert POLICY.mesh_voxels > 0


def ball(radius: int) -> np.ndarray:
    size = radius + 3
    z, y, x = np.mgrid[-size : size + 1, -size : size + 1, -size : size + 1]
    return z**2 + y**2 + x**2 <= radius**2


@given(
    hnp.arrays(np.bool_, hnp.array_shapes(min_dims=3, max_dims=3, max_side=9)),
    st.sampled_from([0.0, 0.45]),
)
@settings(deadline=None, max_examples=30)
def test_any_label_has_a_closed_surface_near_that_of_scikit_image(
    mask: np.ndarray, smoothing: float
) -> None:
    if not mask.any():
        return
    mesh = meshes_of(mask.astype(np.uint16) * 300).mesh(300, smoothing=smoothing)
    assert is_closed(mesh.faces)
    theirs = marching_cubes(np.pad(mask, 1).astype(np.float32), 0.5)[:2]
    theirs[0][:] -= 1
    assert distances(mesh.vertices, mesh.faces, theirs[0]).max() <= 1
    assert distances(theirs[0], theirs[1], mesh.vertices).max() <= 1


def exposed(mask: np.ndarray) -> int:
    """Number of voxel faces between inside and outside."""
    padded = np.pad(mask, 1).astype(np.int8)
    return sum(int(np.abs(np.diff(padded, axis=axis)).sum()) for axis in range(3))


@given(hnp.arrays(np.bool_, hnp.array_shapes(min_dims=3, max_dims=3, max_side=9)))
@settings(deadline=None)
def test_marching_cubes_takes_off_a_sixth_of_a_voxel_at_most(mask: np.ndarray) -> None:
    if mask.any():
        mesh = meshes_of(mask).mesh(1, smoothing=0)
        assert abs(volume(mesh) - mask.sum()) <= exposed(mask) / 6 + 1e-3


@pytest.mark.parametrize("smoothing", [0.0, 0.3, 0.45])
@pytest.mark.parametrize("radius", [2, 5, 14])
def test_the_volume_of_a_ball_is_that_of_its_voxels(radius: int, smoothing: float) -> None:
    mask = ball(radius)
    mesh = meshes_of(mask.astype(np.uint8)).mesh(1, smoothing=smoothing)
    assert abs(volume(mesh) - mask.sum()) < exposed(mask) / 10
    assert len(mesh.vertices) - len(mesh.faces) // 2 == 2


def test_a_surface_left_open_ends_at_the_volume() -> None:
    data = np.zeros((8, 8, 8), np.uint8)
    data[:4] = 1
    mesh = meshes_of(data).mesh(1, closed=False, smoothing=0)
    assert np.unique(mesh.vertices[:, 0]).tolist() == [3.5]
    assert (mesh.vertices.min(0)[1:].tolist(), mesh.vertices.max(0)[1:].tolist()) == (
        [0, 0],
        [7, 7],
    )
    assert (mesh.normals == [1, 0, 0]).all()


def test_a_tolerance_takes_faces_out() -> None:
    meshes = meshes_of(ball(14).astype(np.uint8))
    fine, coarse = meshes.mesh(1), meshes.mesh(1, tolerance=0.3)
    assert len(coarse.faces) < len(fine.faces) / 3
    assert is_closed(coarse.faces)


@pytest.mark.parametrize("tolerance", [-1.0, float("nan"), float("inf")])
def test_a_tolerance_that_is_no_length_is_refused(tolerance: float) -> None:
    with pytest.raises(InvalidValueError, match="tolerance"):
        meshes_of(boxes()).mesh(7, tolerance=tolerance)


def test_the_mesh_is_the_same_with_and_without_an_index() -> None:
    data = np.random.default_rng(0).integers(0, 3, (20, 21, 90)).astype(np.uint32)
    cold, warm = meshes_of(data), meshes_of(data)
    warm.index()
    assert np.array_equal(cold.mesh(2).vertices, warm.mesh(2).vertices)
    assert np.array_equal(cold.mesh(2).faces, warm.mesh(2).faces)


def test_a_coarser_mesh_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viewer.meshing.making.POLICY", Policy(mesh_faces=40_000))
    assert "too large" in meshes_of(np.ones((96, 96, 96), np.uint8)).mesh(1).note
    assert not meshes_of(boxes()).mesh(7).note


def test_a_checkerboard_too_large_for_any_level_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("viewer.meshing.making.POLICY", Policy(mesh_faces=2000))
    data = (np.indices((32, 32, 32)).sum(0) % 2).astype(np.uint8)
    with pytest.raises(TooLargeError, match="faces"):
        meshes_of(data).mesh(1)


def test_a_level_asked_for_is_that_level_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    meshes = meshes_of(np.ones((96, 96, 96), np.uint8))
    assert meshes.mesh(1, level=1).level == 1
    monkeypatch.setattr("viewer.meshing.making.POLICY", Policy(mesh_faces=4000))
    with pytest.raises(TooLargeError, match="level 0"):
        meshes.mesh(1, level=0, smoothing=0.1)


def refreshed(region: Box) -> tuple[Meshes, dict[int, Mesh]]:
    """Meshes after a refresh, and the meshes before."""
    data = boxes()
    pyramid = Pyramid(as_source(data), "labels")
    meshes = Meshes(pyramid)
    before = {label: meshes.mesh(label) for label in (7, 9)}
    data[region.slices] = 9
    pyramid.refresh(region)
    return meshes, before


def test_a_refresh_of_a_region_keeps_meshes_that_it_does_not_touch() -> None:
    meshes, before = refreshed(Box((10, 0, 9), (12, 4, 12)))
    assert meshes.mesh(7) is before[7]
    assert volume(meshes.mesh(9)) > volume(before[9])


def test_a_label_that_has_come_into_the_region_is_made_anew() -> None:
    meshes, before = refreshed(Box((0, 12, 0), (2, 14, 2)))
    assert meshes.mesh(7) is before[7]
    assert volume(meshes.mesh(9)) > volume(before[9])


def test_a_refresh_by_hand_keeps_what_it_does_not_touch() -> None:
    meshes = meshes_of(boxes())
    before = {label: meshes.mesh(label) for label in (7, 9)}
    meshes.refresh(Box((0, 0, 0), (3, 4, 5)))
    assert meshes.mesh(9) is before[9]
    assert meshes.mesh(7) is not before[7]


def test_moving_the_volume_moves_the_meshes_and_keeps_the_index() -> None:
    pyramid = Pyramid(as_source(boxes()), "labels")
    meshes = Meshes(pyramid)
    index, before = meshes.index(), meshes.mesh(7)
    level = pyramid.levels[0]
    pyramid.place(Level(level.shape, (2.0, 2.0, 2.0), (0.0, 0.0, 0.0)), pyramid.affine)
    assert meshes.index() is index
    assert meshes.mesh(7).vertices == pytest.approx(2 * before.vertices)


def test_the_index_is_made_in_the_background_when_prepared() -> None:
    meshes = meshes_of(boxes())
    meshes.prepare(delay=0)
    deadline = time.monotonic() + 30
    while meshes.present(()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_source_that_is_closed_fails_new_meshes_and_no_others() -> None:
    pyramid = Pyramid(as_source(boxes()), "labels")
    meshes = Meshes(pyramid)
    kept = meshes.mesh(7)
    pyramid.close()
    with pytest.raises(ClosedError):
        meshes.mesh(9)
    assert meshes.mesh(7) is kept
