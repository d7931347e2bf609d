"""A label is found outward from a voxel of it, without reading the rest of the volume."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from viewer.errors import InvalidValueError
from viewer.meshing import making
from viewer.meshing.label_search import Found, grow_label, plan_cell
from viewer.meshing.meshes import Meshes
from viewer.pyramids.pyramid import Pyramid
from viewer.sources import as_source

MANY = 1 << 30


class Counted:
    """An array that is sliced and nothing more, and counts the voxels that were read."""

    def __init__(self, data: np.ndarray[Any, Any]) -> None:
        self._data = data
        self.shape, self.dtype = data.shape, data.dtype
        self.read = 0

    def __getitem__(self, index: Any) -> Any:
        part = self._data[index]
        self.read += part.size
        return part


def rods() -> np.ndarray[Any, Any]:
    """Label 7 as a rod along x and, far away, as a cube; label 9 in between."""
    data = np.zeros((256, 256, 256), np.uint16)
    data[30:34, 30:34, 10:150] = 7
    data[200:210, 200:210, 200:210] = 7
    data[100:104, 100:104, 100:104] = 9
    return data


@pytest.fixture
def counted() -> Counted:
    return Counted(rods())


def grow(data: object, seed: tuple[int, int, int], most_voxels: int = MANY) -> Found | None:
    pyramid = Pyramid(as_source(data), "labels")  # type: ignore[arg-type]
    return grow_label(pyramid, 7, (), seed, level=0, most_runs=MANY, most_voxels=most_voxels)


def test_it_is_followed_from_block_to_block(counted: Counted) -> None:
    found = grow(counted, (31, 31, 20))
    assert found is not None and found.complete
    assert found.count == 4 * 4 * 140
    assert (found.box.start, found.box.stop) == ((30, 30, 10), (34, 34, 150))
    assert counted.read == 3 * 64**3


def test_it_is_followed_against_the_axes_too() -> None:
    data = rods()
    found = grow(np.moveaxis(data, 2, 0), (149, 31, 31))
    assert found is not None
    assert found.box.start == (10, 30, 30)


def test_all_of_a_label_in_one_piece_is_what_a_search_finds() -> None:
    data = np.zeros((70, 150, 140), np.uint8)
    z, y, x = np.ogrid[:70, :150, :140]
    data[(z - 35) ** 2 + (y - 75) ** 2 + (x - 70) ** 2 < 66**2] = 7
    piece, whole = (
        Meshes(Pyramid(as_source(data), "labels")).mesh(7, level=0, seed=(35, 75, 70))
        for data in (Counted(data), data)
    )
    assert whole.whole and not piece.whole
    np.testing.assert_array_equal(piece.faces, whole.faces)
    np.testing.assert_array_equal(piece.vertices, whole.vertices)


def test_a_seed_without_the_label_nearby_finds_nothing(counted: Counted) -> None:
    assert grow(counted, (240, 10, 10)) is None
    assert counted.read == 64**3


def test_it_ends_when_too_much_has_been_read(counted: Counted) -> None:
    found = grow(counted, (31, 31, 20), most_voxels=64**3)
    assert found is not None and not found.complete


def test_blocks_are_whole_chunks() -> None:
    assert plan_cell((500, 500, 500), (1, 20, 30, 50)) == (80, 90, 100)
    assert plan_cell((500, 40, 500), None) == (64, 64, 64)
    assert plan_cell((500, 4096, 4096), (1, 4096, 4096)) == (1, 4096, 4096)


def test_a_clicked_label_is_meshed_before_its_volume_is_read(counted: Counted) -> None:
    meshes = Meshes(Pyramid(as_source(counted), "labels"))
    piece = meshes.mesh(7, level=0, seed=(31, 31, 20))
    assert not piece.whole
    assert counted.read < counted._data.size / 10
    assert piece.vertices.max(0) == pytest.approx([33.5, 33.5, 149.5], abs=0.5)
    meshes.index()
    whole = meshes.mesh(7, level=0, seed=(31, 31, 20))
    assert whole.whole
    assert whole.vertices.max(0) == pytest.approx([209.5, 209.5, 209.5], abs=0.5)


def test_a_seed_beside_its_label_gives_the_whole_mesh(counted: Counted) -> None:
    mesh = Meshes(Pyramid(as_source(counted), "labels")).mesh(9, level=0, seed=(10, 10, 10))
    assert mesh.whole and len(mesh.faces)


def test_of_an_array_in_memory_the_whole_label_comes_at_once() -> None:
    mesh = Meshes(Pyramid(as_source(rods()), "labels")).mesh(7, level=0, seed=(31, 31, 20))
    assert mesh.whole
    assert mesh.vertices.max() > 200


def test_of_a_large_array_in_memory_a_clicked_label_is_grown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(making, "SCANNED_BYTES", 1 << 20)
    meshes = Meshes(Pyramid(as_source(rods()), "labels"))
    piece = meshes.mesh(7, seed=(31, 31, 20))
    assert not piece.whole
    assert piece.vertices.max(0) == pytest.approx([33.5, 33.5, 149.5], abs=0.5)
    whole = meshes.mesh(7)
    assert whole.whole
    assert whole.vertices.max() > 200


def test_a_label_all_over_a_large_array_in_memory_is_searched_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(making, "SCANNED_BYTES", 1 << 20)
    data = np.zeros((64, 64, 1024), np.uint8)
    data[30:34, 30:34, 10:900] = 7
    assert Meshes(Pyramid(as_source(data), "labels")).mesh(7, seed=(31, 31, 20)).whole


@pytest.mark.parametrize("seed", [(1, 2), (0, 0, 256), (-1, 0, 0)])
def test_a_seed_outside_is_refused(counted: Counted, seed: tuple[int, ...]) -> None:
    with pytest.raises(InvalidValueError, match="seed"):
        Meshes(Pyramid(as_source(counted), "labels")).mesh(7, seed=seed)


def test_a_refresh_forgets_a_piece(counted: Counted) -> None:
    pyramid = Pyramid(as_source(counted), "labels")
    meshes = Meshes(pyramid)
    before = meshes.mesh(7, level=0, seed=(31, 31, 20))
    counted._data[30:34, 30:34, 140:150] = 0
    pyramid.refresh()
    after = meshes.mesh(7, level=0, seed=(31, 31, 20))
    assert after.vertices[:, 2].max() < before.vertices[:, 2].max() - 5
