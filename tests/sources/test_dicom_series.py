"""Which slices of DICOM files make a volume, in which order, and where it lies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset

import viewer
from tests.sources.test_dicom import SERIES, VOLUME, at, write, write_scan
from tests.sources.test_files import lies_at, opened, read
from viewer.errors import InvalidDataError, NotFoundError, SourceError, UnsupportedDataError
from viewer.opening import find_format, parse_location
from viewer.orientation import STRAIGHT, Z_UP
from viewer.sources import as_source
from viewer.state import IDENTITY

# --- places ------------------------------------------------------------------------------------


def test_oblique_slices_lie_where_they_say(tmp_path: Path) -> None:
    cosine, sine = np.cos(0.3), np.sin(0.3)
    normal = np.array([0, -sine, cosine])
    data = np.arange(4 * 5 * 6, dtype="u2").reshape(4, 5, 6)
    for place, plane in enumerate(data):
        said = at(0, ImageOrientationPatient=[1, 0, 0, 0, cosine, sine])
        said["ImagePositionPatient"] = [1, 2, 3] + 2.5 * place * normal
        said["ImagePositionPatient"] = [round(x, 9) for x in said["ImagePositionPatient"]]
        write(tmp_path / f"{9 - place}", plane, **said)
    (shown,) = opened(tmp_path).shown
    expected = np.array([1 + 5 * 0.5, 2 + 4 * 1.5 * cosine, 3 + 4 * 1.5 * sine]) + 7.5 * normal
    assert lies_at(shown, read(shown), data[3, 4, 5]) == pytest.approx(expected)
    assert shown.affine != IDENTITY and shown.suggestions.upright == Z_UP


def test_a_tilted_gantry_shears_the_volume(tmp_path: Path) -> None:
    data = np.arange(VOLUME.size, dtype="u2").reshape(VOLUME.shape)
    for place, plane in enumerate(data):
        said = at(5.0 * place)
        said["ImagePositionPatient"] = [0, 2.0 * place, 5.0 * place]
        write(tmp_path / f"{place}", plane, **said)
    (shown,) = opened(tmp_path).shown
    value = data[3, 0, 0]
    assert lies_at(shown, read(shown), value) == pytest.approx([0, 6, 15])
    assert shown.suggestions.notices == ()


def test_points_in_time_at_the_same_places_are_an_axis(tmp_path: Path) -> None:
    data = np.random.default_rng(0).integers(0, 99, (3, 4, 20, 30)).astype("u2")
    for t, volume in enumerate(data):
        for z, plane in enumerate(volume):
            said = at(z, TemporalPositionIdentifier=t + 1, InstanceNumber=100 - 10 * t - z)
            write(tmp_path / f"{z}-{t}", plane, **said)
    (shown,) = opened(tmp_path).shown
    assert shown.names == ("t", "z", "y", "x")
    np.testing.assert_array_equal(read(shown), data)


def test_echoes_are_an_axis_of_their_name(tmp_path: Path) -> None:
    for place, plane in enumerate(VOLUME):
        write(tmp_path / f"{place}", plane, **at(place % 2, EchoTime=[9, 9, 4, 4][place]))
    (shown,) = opened(tmp_path).shown
    assert shown.names == ("echo", "z", "y", "x")
    np.testing.assert_array_equal(read(shown)[1], VOLUME[:2])


def test_a_gap_is_said_and_ends_stay_where_they_are(tmp_path: Path) -> None:
    for place, z in enumerate((0, 2, 4, 10)):
        write(tmp_path / f"{place}", VOLUME[place], **at(z))
    (shown,) = opened(tmp_path).shown
    (notice,) = shown.suggestions.notices
    assert "from 2 to 6 mm, the widest after slice 2" in notice
    assert as_source(shown).levels[0].scale[0] == pytest.approx(10 / 3)


def test_a_slice_too_many_is_said(tmp_path: Path) -> None:
    scan = write_scan(tmp_path / "a", VOLUME)
    write(scan / "other", VOLUME[0], **at(2.0, InstanceNumber=9))
    with pytest.raises(InvalidDataError, match="2 slices at 1 of its 4 places, 1 at others"):
        opened(scan)


def test_copies_of_a_slice_count_once(tmp_path: Path) -> None:
    scan = write_scan(tmp_path / "a", VOLUME)
    (scan / "copy").write_bytes((scan / "IM000001").read_bytes())
    (shown,) = opened(scan).shown
    assert read(shown).shape == VOLUME.shape
    assert shown.suggestions.notices == ("1 of the slices is there more than once.",)


def test_slices_without_a_place_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for place, plane in enumerate(VOLUME):
        write(tmp_path / f"{9 - place}", plane, InstanceNumber=place, PixelSpacing=[1.5, 0.5])
    (shown,) = opened(tmp_path).shown
    np.testing.assert_array_equal(read(shown), VOLUME)
    assert as_source(shown).levels[0].scale == (1, 1.5, 0.5)
    assert shown.suggestions.upright == STRAIGHT
    assert "order of their numbers" in shown.suggestions.notices[0]


# --- which series ------------------------------------------------------------------------------


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    """Two series of a patient in folders, a picture for planning, and a report."""
    folder = tmp_path / "disc"
    folder.mkdir()
    write_scan(folder / "a", VOLUME, SeriesDescription="Thorax 1.0")
    write_scan(folder / "b", VOLUME[:3], SeriesInstanceUID="1.2.3", SeriesNumber=4, Modality="PT")
    write(folder / "scout", VOLUME[0], SeriesInstanceUID="1.2.4", SeriesNumber=1)
    report = Dataset()
    report.file_meta = FileMetaDataset()
    report.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    report.SOPClassUID, report.SOPInstanceUID = uid.BasicTextSRStorage, uid.generate_uid()
    report.save_as(folder / "report", enforce_file_format=True)
    return folder


def test_several_series_are_listed_with_what_they_show(disc: Path) -> None:
    with pytest.raises(InvalidDataError, match="holds 3 arrays") as caught:
        opened(disc)
    assert (
        "3 (MR Thorax 1.0, 4 × 20 × 30, uint16), 4 (PT, 3 × 20 × 30, uint16)" in caught.value.hint
    )


@pytest.mark.parametrize("name", ["3", SERIES])
def test_a_series_is_chosen_by_its_number_or_uid(disc: Path, name: str) -> None:
    (shown,) = opened(f"{disc}:{name}").shown
    assert shown.suggestions.name == "Thorax 1.0"
    np.testing.assert_array_equal(read(shown), VOLUME)


def test_a_series_that_is_not_there_is_answered_with_those_that_are(disc: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        opened(disc, "7")
    assert "4 (PT, 3 × 20 × 30, uint16), 1 (MR, 20 × 30, uint16)." in caught.value.hint


def test_the_only_volume_is_opened_and_the_rest_is_told(disc: Path) -> None:
    for file in (disc / "b").iterdir():
        file.unlink()
    (shown,) = opened(disc).shown
    np.testing.assert_array_equal(read(shown), VOLUME)
    assert shown.suggestions.notices == (
        "disc also holds series 1 (MR, 20 × 30, uint16); disc:1 opens it.",
    )


def test_slices_of_other_directions_in_one_series_are_apart(tmp_path: Path) -> None:
    scan = write_scan(tmp_path / "a", VOLUME)
    other = at(0, ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    write(scan / "other", VOLUME[0], **other)
    assert read(opened(scan).shown[0]).shape == VOLUME.shape
    assert read(opened(scan, "3b").shown[0]).shape == (20, 30, 1)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    scan = write_scan(tmp_path / "a", VOLUME)
    (scan / "odd").write_bytes(bytes(128) + b"DICM" + b"\xff" * 20)
    (shown,) = opened(scan).shown
    assert read(shown).shape == VOLUME.shape
    assert shown.suggestions.notices[0].startswith("odd (")


def test_a_slice_that_ends_too_early_is_named(tmp_path: Path) -> None:
    scan = write_scan(tmp_path / "a", VOLUME)
    (scan / "IM000002").write_bytes((scan / "IM000002").read_bytes()[:-100])
    (shown,) = opened(scan).shown
    with pytest.raises(SourceError, match="IM000002"):
        read(shown)


def test_numbers_that_are_none_cost_no_picture(tmp_path: Path) -> None:
    said = {"WindowCenter": ["", ""], "WindowWidth": "", "EchoTime": None, "SliceThickness": ""}
    (shown,) = opened(write_scan(tmp_path / "a", VOLUME, **said)).shown
    np.testing.assert_array_equal(read(shown), VOLUME)
    assert shown.suggestions.channels[0].window is None


def test_a_folder_without_images_says_what_it_holds(disc: Path) -> None:
    for file in disc.rglob("*"):
        if file.is_file() and file.name != "report":
            file.unlink()
    with pytest.raises(InvalidDataError, match="report holds no image: its kind is Basic Text SR"):
        opened(disc)


def test_a_segmentation_is_said_to_be_none_of_ours(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", VOLUME[0], SOPClassUID=uid.SegmentationStorage)
    with pytest.raises(UnsupportedDataError, match="is a segmentation in DICOM"):
        opened(path)


def test_what_a_series_is_called_makes_no_labels_of_it(disc: Path, viewer_: viewer.Viewer) -> None:
    write_scan(disc / "b", VOLUME, SeriesDescription="cine_seg mask")
    (layer,) = viewer_.open(disc / "b")
    assert isinstance(layer, viewer.ImageLayer)


def test_files_are_known_by_their_bytes_and_folders_by_their_files(disc: Path) -> None:
    (disc / "DICOMDIR").write_bytes(b"")
    for path in (disc, disc / "scout", disc / "a", disc / "DICOMDIR"):
        assert find_format(parse_location(path)).name == "DICOM"
    assert read(opened(disc / "DICOMDIR", "4").shown[0]).shape == (3, 20, 30)
