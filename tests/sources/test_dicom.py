"""DICOM: slices in files of any name, put in order by where they lie in the patient."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread, uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate

import viewer
from tests.sources.suite import SHAPE, Fallible
from tests.sources.test_files import FileSuite, lies_at, opened, read
from viewer.errors import InvalidDataError, NotFoundError, SourceError, UnsupportedDataError
from viewer.opening import find_format, parse_location
from viewer.orientation import STRAIGHT, Z_UP
from viewer.sources import as_source
from viewer.state import IDENTITY

AXIAL = (1, 0, 0, 0, 1, 0)
SERIES = "1.2.826.0.1.3680043.8.498.1"


def write(path: Path, voxels: np.ndarray, **said: Any) -> Path:
    """A file of one slice, or of several frames, that says of itself what is given."""
    file = Dataset()
    file.file_meta = FileMetaDataset()
    syntax = said.pop("syntax", uid.ExplicitVRLittleEndian)
    file.file_meta.TransferSyntaxUID = syntax
    colored = voxels.shape[-1] == 3
    rows, columns = voxels.shape[-3:-1] if colored else voxels.shape[-2:]
    bits = 8 * voxels.itemsize
    usual: dict[str, Any] = {
        "SOPClassUID": uid.CTImageStorage,
        "SOPInstanceUID": uid.generate_uid(),
        "SeriesInstanceUID": SERIES,
        "SeriesNumber": 3,
        "Modality": "MR",
        "Rows": rows,
        "Columns": columns,
        "SamplesPerPixel": 3 if colored else 1,
        "PhotometricInterpretation": "RGB" if colored else "MONOCHROME2",
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(voxels.dtype.kind == "i"),
        "PixelData": said.pop("encoded", voxels.tobytes()),
    }
    if colored:
        usual["PlanarConfiguration"] = 0
    for name, value in {**usual, **said}.items():
        setattr(file, name, value)
    file.save_as(path, enforce_file_format=True)
    return path


def at(z: float, **said: Any) -> dict[str, Any]:
    """What a slice across the body says, with voxels of (any, 1.5, 0.5) mm."""
    place = {"ImagePositionPatient": [-7, -3, z], "ImageOrientationPatient": list(AXIAL)}
    return {**place, "PixelSpacing": [1.5, 0.5], **said}


def write_scan(folder: Path, volume: np.ndarray, order: Sequence[int] = (), **said: Any) -> Path:
    """A slice in each of some files, with names that say nothing of their order."""
    folder.mkdir(exist_ok=True)
    for number, place in enumerate(order or range(len(volume))):
        write(folder / f"IM{number:06d}", volume[place], **at(2.0 * place, **said))
    return folder


def items(**said: Any) -> list[Dataset]:
    """A sequence of one item."""
    item = Dataset()
    for name, value in said.items():
        setattr(item, name, value)
    return [item]


class TestDicomFolder(Fallible, FileSuite):
    """Slices in no order, among other files and folders."""

    units = "mm"
    scale = (2.0, 1.5, 0.5)
    chunks = (1, *SHAPE[1:])

    def write(self, arrays: list[np.ndarray], folder: Path) -> Path:
        scan = write_scan(folder / "disc", arrays[0][:4])
        (scan / "ST1").mkdir()
        for place in (8, 5, 4, 7, 6):
            write(scan / "ST1" / f"a{place}.dcm", arrays[0][place], **at(2.0 * place))
        (scan / "DICOMDIR").write_bytes(b"of a disc")
        (scan / "README.TXT").write_text("of a Monday")
        (scan / "run").write_bytes(b"MZ")
        return scan

    def break_(self, data: Any, folder: Path) -> None:
        for file in (folder / "disc").rglob("IM*"):
            file.write_bytes(file.read_bytes()[:600])

    def test_its_voxels_lie_in_the_patient(self, source: Any) -> None:
        assert source.levels[0].translate == (0.0, -3.0, -7.0)


class TestDicomSagittal(FileSuite):
    """Slices along the body: columns run to the back, rows downwards, slices from the left."""

    units = "mm"
    scale = (1.5, 0.5, 2.0)
    chunks = (SHAPE[0], SHAPE[1], 1)

    def write(self, arrays: list[np.ndarray], folder: Path) -> Path:
        for x in range(SHAPE[2]):
            said = at(0, ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
            said["ImagePositionPatient"] = [2.0 * x, 0, 1.5 * (SHAPE[0] - 1)]
            write(folder / f"{x:03d}.IMA", arrays[0][::-1, :, x], **said)
        return folder


class TestDicomFrames(FileSuite):
    """All slices in one file, which says of each where it lies."""

    units = "mm"
    scale = (2.0, 1.5, 0.5)
    chunks = (1, *SHAPE[1:])

    def write(self, arrays: list[np.ndarray], folder: Path) -> Path:
        order = [3, 1, 0, 2, *range(4, SHAPE[0])]
        frames = []
        for place in order:
            position = items(ImagePositionPatient=[0, 0, 2.0 * place])
            frames += items(PlanePositionSequence=position)
        shared = items(
            PlaneOrientationSequence=items(ImageOrientationPatient=list(AXIAL)),
            PixelMeasuresSequence=items(PixelSpacing=[1.5, 0.5], SliceThickness=9.0),
        )
        return write(
            folder / "enhanced",
            arrays[0][order],
            NumberOfFrames=len(order),
            SharedFunctionalGroupsSequence=shared,
            PerFrameFunctionalGroupsSequence=frames,
        )


VOLUME = np.random.default_rng(0).integers(0, 4096, (4, 20, 30)).astype("u2")


# --- values ------------------------------------------------------------------------------------


def test_values_are_hounsfield_units_in_the_window_that_the_file_asks_for(tmp_path: Path) -> None:
    said = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024, "BitsStored": 12}
    said |= {"WindowCenter": [40, 600], "WindowWidth": [400, 2800]}
    (shown,) = opened(write_scan(tmp_path / "a", VOLUME, **said)).shown
    np.testing.assert_array_equal(read(shown), VOLUME.astype("i2") - 1024)
    assert read(shown).dtype == "int16"
    assert shown.suggestions.channels[0].window == (-160, 239)
    assert shown.suggestions.metadata == {"modality": "CT", "unit": "HU"}


def test_every_slice_has_a_scale_of_its_own(tmp_path: Path) -> None:
    for place, slope in enumerate((0.5, 1.25)):
        write(tmp_path / f"{place}", VOLUME[place], **at(place, RescaleSlope=slope))
    voxels = read(opened(tmp_path).shown[0])
    assert voxels.dtype == "float32"
    np.testing.assert_array_equal(voxels[1], VOLUME[1] * np.float32(1.25))


def test_negative_values_are_kept_and_padding_does_not_wrap(tmp_path: Path) -> None:
    stored = VOLUME.astype("i2") - 2000
    stored[0, 0, 0] = -32768
    said = {"Modality": "CT", "RescaleIntercept": -1024, "RescaleSlope": 1}
    voxels = read(opened(write_scan(tmp_path / "a", stored, **said)).shown[0])
    assert voxels.dtype == "int16" and voxels[0, 0, 0] == -32768
    np.testing.assert_array_equal(voxels[1:], stored[1:] - 1024)


def test_the_least_values_of_a_radiograph_may_be_white(
    tmp_path: Path, viewer_: viewer.Viewer
) -> None:
    path = write(tmp_path / "a.dcm", VOLUME[0], PhotometricInterpretation="MONOCHROME1")
    (layer,) = viewer_.open(path)
    assert isinstance(layer, viewer.ImageLayer)
    assert (layer.shape, layer.colormap) == ((20, 30), "gray_r")


def test_colours_are_red_green_and_blue(tmp_path: Path) -> None:
    colors = np.random.default_rng(0).integers(0, 255, (5, 20, 30, 3)).astype("u1")
    path = write(tmp_path / "a.dcm", colors, NumberOfFrames=5, FrameTime=40)
    (shown,) = opened(path).shown
    assert shown.names == ("channel", "t", "y", "x")
    assert [channel.name for channel in shown.suggestions.channels] == ["red", "green", "blue"]
    np.testing.assert_array_equal(read(shown), np.moveaxis(colors, -1, 0))


@pytest.mark.parametrize(
    ("syntax", "encode"),
    [
        (uid.JPEGLosslessSV1, imagecodecs.ljpeg_encode),
        (uid.JPEGLSLossless, imagecodecs.jpegls_encode),
        (uid.JPEG2000Lossless, lambda a: imagecodecs.jpeg2k_encode(a, level=0, codecformat="j2k")),
    ],
)
def test_compressed_slices_are_what_they_were(tmp_path: Path, syntax: str, encode: Any) -> None:
    for place, plane in enumerate(VOLUME):
        encoded = encapsulate([encode(plane)])
        write(tmp_path / f"{place}", plane, syntax=syntax, encoded=encoded, **at(place))
    np.testing.assert_array_equal(read(opened(tmp_path).shown[0]), VOLUME)


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


# --- which files -------------------------------------------------------------------------------


def test_files_are_known_by_their_bytes_and_folders_by_their_files(disc: Path) -> None:
    (disc / "DICOMDIR").write_bytes(b"")
    for path in (disc, disc / "scout", disc / "a", disc / "DICOMDIR"):
        assert find_format(parse_location(path)).name == "DICOM"
    assert read(opened(disc / "DICOMDIR", "4").shown[0]).shape == (3, 20, 30)


@pytest.mark.parametrize("implicit", [False, True])
def test_old_files_without_a_head_are_known_by_their_name(tmp_path: Path, implicit: bool) -> None:
    path = write(tmp_path / "a.dcm", VOLUME[0])
    file = dcmread(path)
    del file.file_meta, file.preamble
    file.save_as(path, implicit_vr=implicit, little_endian=True)
    np.testing.assert_array_equal(read(opened(path).shown[0]), VOLUME[0])


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(b"not at all" * 200)
    with pytest.raises(SourceError, match="cannot be opened as DICOM"):
        opened(tmp_path / "a.dcm")
