"""How slices and camera stand while nobody turns them: as the data's field shows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import nibabel
import nrrd
import numpy as np
import pytest
from astropy.io import fits

import viewer
from tests.test_orientation import rows
from viewer.errors import InvalidValueError

VOLUME = np.arange(24, dtype="uint8").reshape(2, 3, 4)
RIGHT, FRONT, HEAD = np.eye(3)  # as (x, y, z) of a NIfTI file's world
STRAIGHT = (0, 0, 0, 1)


@pytest.fixture
def v() -> Iterator[viewer.Viewer]:
    with viewer.Viewer() as shown:
        yield shown


@pytest.fixture
def head(tmp_path: Path) -> Path:
    path = tmp_path / "head.nii"
    nibabel.save(nibabel.Nifti1Image(VOLUME, np.diag([2, 2, 3, 1])), path)
    return path


def write_nrrd(path: Path, space: str) -> Path:
    nrrd.write(str(path), VOLUME, {"space": space, "space directions": np.eye(3)})
    return path


def test_a_head_of_a_nifti_file_stands_upright_with_its_front_on_top(
    v: viewer.Viewer, head: Path
) -> None:
    v.open(head)
    np.testing.assert_allclose(rows(v.view.orientation), [RIGHT, -FRONT, -HEAD], atol=1e-12)


@pytest.mark.parametrize(
    ("space", "right", "front"),
    [
        ("left-posterior-superior", -RIGHT, -FRONT),
        ("LPS", -RIGHT, -FRONT),
        ("right-anterior-superior", RIGHT, FRONT),
        ("RAS", RIGHT, FRONT),
    ],
)
def test_a_patient_of_an_nrrd_file_stands_upright_too(
    v: viewer.Viewer, tmp_path: Path, space: str, right: np.ndarray, front: np.ndarray
) -> None:
    v.open(write_nrrd(tmp_path / "a.nrrd", space))
    np.testing.assert_allclose(rows(v.view.orientation), [right, -front, -HEAD], atol=1e-12)


@pytest.mark.parametrize("space", ["scanner-xyz", "left-anterior-inferior"])
def test_of_other_nrrd_files_rows_run_downwards(
    v: viewer.Viewer, tmp_path: Path, space: str
) -> None:
    v.open(write_nrrd(tmp_path / "a.nrrd", space))
    assert v.view.orientation == STRAIGHT


def test_north_is_on_top_in_a_fits_image(v: viewer.Viewer, tmp_path: Path) -> None:
    fits.PrimaryHDU(VOLUME).writeto(tmp_path / "sky.fits")
    v.open(tmp_path / "sky.fits")
    right, down, _ = rows(v.view.orientation)
    np.testing.assert_allclose([right, down], [[1, 0, 0], [0, -1, 0]], atol=1e-12)


def test_the_layer_that_came_first_says_it(v: viewer.Viewer, head: Path) -> None:
    v.add_image(VOLUME)
    v.open(head)
    assert v.view.upright == v.view.orientation == STRAIGHT
    v.layers.clear()
    v.open(head)
    v.add_image(VOLUME)
    assert v.view.upright == v.view.orientation == (1, 0, 0, 0)


def test_what_somebody_has_turned_stays_as_it_is(v: viewer.Viewer, head: Path) -> None:
    v.view.slice_along((1, 1, 0))
    v.view.camera.orientation = (0, 1, 0, 0)
    turned = v.view.orientation
    v.open(head)
    assert v.view.orientation == turned
    assert v.view.camera.orientation == (0, 1, 0, 0)
    v.view.slice_along()
    assert v.view.orientation == v.view.upright


def test_the_camera_sees_upright_data_as_it_sees_arrays(v: viewer.Viewer, head: Path) -> None:
    before = rows(v.view.camera.orientation)
    v.open(head)
    expected = before @ rows(v.view.upright)
    np.testing.assert_allclose(rows(v.view.camera.orientation), expected, atol=1e-6)


@pytest.mark.parametrize("panel", ["xy", "xz", "yz"])
def test_the_camera_faces_a_panel(
    v: viewer.Viewer, head: Path, panel: Literal["xy", "xz", "yz"]
) -> None:
    v.open(head)
    v.view.camera.face(panel)
    seen, slices = rows(v.view.camera.orientation), rows(v.view.upright)
    across = {"xy": (0, 1), "xz": (0, 2), "yz": (2, 1)}[panel]
    np.testing.assert_allclose(seen[:2], slices[list(across)], atol=1e-6)
    with pytest.raises(InvalidValueError, match="'xy', 'xz', 'yz'"):
        v.view.camera.face("3d")  # type: ignore[arg-type]


def test_how_data_stands_is_no_part_of_a_saved_view(
    v: viewer.Viewer, head: Path, tmp_path: Path
) -> None:
    v.open(head)
    v.save(tmp_path / "view.json")
    assert '"upright"' not in (tmp_path / "view.json").read_text()
