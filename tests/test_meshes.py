"""Surfaces of a labels layer: placed in the world, made once, bounded, forgotten when stale."""

from __future__ import annotations

import numpy as np
import pytest

from viewer.errors import CancelledError, InvalidValueError, NotFoundError
from viewer.meshes import Mesh, Meshes, plan_scan
from viewer.policy import POLICY, Policy
from viewer.pyramid import Pyramid
from viewer.sources import as_source


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
    monkeypatch.setattr("viewer.meshes.POLICY", Policy(mesh_voxels=48**3))
    mesh = meshes_of(data).mesh(1, smoothing=0)
    assert mesh.level == 1
    assert mesh.vertices.min(0).tolist() == [-0.5] * 3
    assert mesh.vertices.max(0).tolist() == [95.5] * 3


def test_a_label_that_vanishes_in_coarse_levels_comes_from_a_finer_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = np.zeros((96, 96, 96), np.uint8)
    data[3, 3, 3] = data[90, 90, 90] = 5
    monkeypatch.setattr("viewer.meshes.POLICY", Policy(mesh_voxels=48**3))
    mesh = meshes_of(data).mesh(5, smoothing=0)
    assert volume(mesh) > 0


def test_a_checkerboard_is_meshed_and_closed() -> None:
    data = (np.indices((16, 16, 16)).sum(0) % 2).astype(np.uint8)
    mesh = meshes_of(data).mesh(1, smoothing=0)
    assert len(mesh.faces) == 8 * int(data.sum())


def test_the_index_reports_its_progress_to_the_end() -> None:
    told: list[float] = []
    pyramid = Pyramid(as_source(boxes()), "labels")
    Meshes(pyramid, on_progress=lambda task, done: told.append(done)).mesh(7)
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
