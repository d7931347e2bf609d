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
from tests.sources.test_files import FileSuite, opened, read
from viewer.errors import SourceError

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


@pytest.mark.parametrize("syntax", [uid.JPEGLSLossless, uid.ExplicitVRBigEndian])
def test_frames_of_one_file_are_read_one_by_one(tmp_path: Path, syntax: uid.UID) -> None:
    frames = VOLUME.astype("u2" if syntax.is_little_endian else ">u2")
    encoded = encapsulate([imagecodecs.jpegls_encode(plane) for plane in VOLUME])
    said = {"NumberOfFrames": len(VOLUME), "syntax": syntax, "SpacingBetweenSlices": 4}
    if syntax.is_compressed:
        said["encoded"] = encoded
    (shown,) = opened(write(tmp_path / "a.dcm", frames, **said)).shown
    np.testing.assert_array_equal(shown.parts[0][2], VOLUME[2])
    np.testing.assert_array_equal(read(shown), VOLUME)


# --- which files -------------------------------------------------------------------------------


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
