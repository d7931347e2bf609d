"""What the headers of DICOM files say: a `Plane` for every slice, in a file of its own or not.

Files are known by their first bytes, since most have names like ``IM000017``. Headers are read
once, voxels not at all.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from viewer.errors import UnsupportedDataError

SUFFIXES = (".dcm", ".dicom", ".ima")

PREAMBLE = 128
"""Bytes of anything before `MAGIC`."""

MAGIC = b"DICM"

SNIFFED = 256
"""Files of a folder that are looked into for one of DICOM, and folders in it."""

INDEX = "dicomdir"
"""Name of the table of contents of a disc, lower case."""

SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")

DEFLATED = "1.2.840.10008.1.2.1.99"
"""The transfer syntax of files that are compressed as a whole."""

_OTHERS = frozenset(
    ".gif .htm .html .jpeg .jpg .json .md .npy .pdf .png .py .tif .tiff .txt .xml .zip".split()
)
"""What lies beside and is not looked into."""

_TAGS = (
    "SOPClassUID SOPInstanceUID SeriesInstanceUID SeriesNumber SeriesDescription Modality "
    "ImageType Units RescaleType Rows Columns SamplesPerPixel PhotometricInterpretation "
    "BitsAllocated BitsStored PixelRepresentation NumberOfFrames FrameTime CineRate "
    "ImagePositionPatient ImageOrientationPatient PixelSpacing ImagerPixelSpacing SliceThickness "
    "SpacingBetweenSlices GridFrameOffsetVector DoseGridScaling DoseUnits RescaleSlope "
    "RescaleIntercept WindowCenter WindowWidth TemporalPositionIdentifier AcquisitionNumber "
    "EchoTime TriggerTime DiffusionBValue InstanceNumber SharedFunctionalGroupsSequence "
    "PerFrameFunctionalGroupsSequence"
).split()


class Header(msgspec.Struct, frozen=True):
    """What all slices of a file share."""

    file: str
    uid: str
    series: str
    """UID of the series."""
    number: int | None
    """Of the series."""
    description: str
    modality: str
    unit: str
    """Of the values, as ``"HU"``."""
    shape: tuple[int, int]
    """Rows and columns."""
    samples: int
    photometric: str
    stored: str
    """NumPy's name of the values as they are stored, as ``"i2"``."""
    bits: int
    """How many of them are used."""
    frames: int
    movie: bool
    """Whether its frames follow each other in time."""
    plain: bool
    """Whether its voxels are found without reading all: not in old files, and deflated ones."""


class Plane(msgspec.Struct, frozen=True):
    """One slice."""

    header: Header
    frame: int
    """Within its file, from 0."""
    position: tuple[float, ...] | None
    """Of the centre of its first pixel, (x, y, z) in mm: to the left, to the back and up."""
    directions: tuple[float, ...] | None
    """In which columns, and rows, are counted: six parts of two vectors (x, y, z)."""
    spacing: tuple[float, float] | None
    """Of rows, and of columns, in mm."""
    step: float | None
    """To the next slice in mm, where the header says it."""
    slope: float
    intercept: float
    window: tuple[float, float] | None
    echo: float
    """Time of the echo in ms."""
    order: tuple[float | str, ...]
    """Of slices at one place."""


def holds_dicom(folder: Path) -> bool:
    """Whether one of the first files in a folder, and those in it, is of DICOM."""
    first = itertools.islice(files_in(folder, SNIFFED), SNIFFED)
    return any(file.name.lower() == INDEX or is_dicom(file) for file in first)


def files_in(folder: Path, most: int | None = None) -> Iterator[Path]:
    """The files that may be of DICOM by their names: of a folder, and of `most` in it."""
    for place, folders, names in itertools.islice(os.walk(folder), most):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if any(name in names for name in ("zarr.json", ".zgroup", ".zarray")):
            folders.clear()
            continue
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() not in _OTHERS:
                yield Path(place, name)


def is_dicom(file: Path) -> bool:
    """Whether a file is of DICOM, by its first bytes, or else its name."""
    try:
        with file.open("rb") as opened:
            start = opened.read(PREAMBLE + len(MAGIC))
    except OSError:
        return False
    return start[PREAMBLE:] == MAGIC or file.suffix.lower() in SUFFIXES


def read_planes(pydicom: Any, file: Path) -> list[Plane]:
    """The slices of a file.

    Raises
    ------
    UnsupportedDataError
        For a file that holds something else.
    """
    # old files lack the first bytes; the name has said what they are
    data = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=_TAGS, force=True)
    kind = str(data.get("SOPClassUID", ""))
    if not kind:
        pydicom.dcmread(file, stop_before_pixels=True, specific_tags=[])  # says what is wrong
    if kind in SEGMENTATIONS:
        raise UnsupportedDataError(
            f"{file.name} is a segmentation in DICOM, of which only images are opened.",
            hint="Convert it to NRRD or NIfTI, as dcmqi's segimage2itkimage does, and open that.",
        )
    if not data.get("Rows") or not data.get("Columns") or not data.get("BitsAllocated"):
        what = getattr(data.get("SOPClassUID"), "name", "").removesuffix(" Storage")
        if not what or what.endswith("Image"):
            raise ValueError("it ends before it says what its voxels are")
        raise UnsupportedDataError(
            f"{file.name} holds no image: its kind is {what}.",
            hint="Open a file, or a folder with files, that hold one.",
        )
    shared = _first(data, "SharedFunctionalGroupsSequence")
    each = data.get("PerFrameFunctionalGroupsSequence") or ()
    places = [
        (each[frame] if frame < len(each) else None, shared, data)
        for frame in range(int(data.get("NumberOfFrames") or 1))
    ]
    values = _find(places[0], "PixelValueTransformationSequence")
    header = _read_header(data, values, file)
    return [_read_plane(header, frame, place) for frame, place in enumerate(places)]


def _read_header(data: Any, values: Any, file: Path) -> Header:
    bits = int(data.BitsAllocated)
    kind = "u" if not int(data.get("PixelRepresentation") or 0) else "i"
    if "PixelRepresentation" not in data and bits >= 32:  # of Float Pixel Data
        kind = "f"
    number = _some(data.get("SeriesNumber"))
    description = str(data.get("SeriesDescription") or "")
    unit = data.get("Units") or data.get("DoseUnits") or values.get("RescaleType") or ""
    if unit in ("", "US"):  # unspecified
        unit = "HU" if data.get("Modality") == "CT" and "RescaleIntercept" in values else ""
    return Header(
        str(file),
        str(data.get("SOPInstanceUID") or file),
        str(data.get("SeriesInstanceUID") or ""),
        None if number is None else int(number),
        "".join(letter for letter in description if letter.isprintable()).strip(),
        str(data.get("Modality") or ""),
        str(unit),
        (int(data.Rows), int(data.Columns)),
        int(data.get("SamplesPerPixel") or 1),
        str(data.get("PhotometricInterpretation") or "MONOCHROME2"),
        f"{kind}{max(bits // 8, 1)}",
        int(data.get("BitsStored") or bits),
        int(data.get("NumberOfFrames") or 1),
        bool(data.get("FrameTime") or data.get("CineRate")),
        getattr(data.file_meta, "TransferSyntaxUID", DEFLATED) != DEFLATED,
    )


def _read_plane(header: Header, frame: int, places: Sequence[Any]) -> Plane:
    """A slice, by what is said of it, else of all in the file."""
    data = places[-1]
    measures = _find(places, "PixelMeasuresSequence")
    values = _find(places, "PixelValueTransformationSequence")
    window = _find(places, "FrameVOILUTSequence")
    echo = _some(_find(places, "MREchoSequence").get("EffectiveEchoTime") or data.get("EchoTime"))
    content = _find(places, "FrameContentSequence")
    diffusion = _find(places, "MRDiffusionSequence")
    position = _numbers(_find(places, "PlanePositionSequence").get("ImagePositionPatient"), 3)
    directions = _numbers(
        _find(places, "PlaneOrientationSequence").get("ImageOrientationPatient"), 6
    )
    if position is None or directions is None or not np.cross(directions[:3], directions[3:]).any():
        position = directions = None
    offsets = data.get("GridFrameOffsetVector")
    if offsets is not None and position and directions and frame < len(offsets):  # of doses
        along = float(offsets[frame]) * np.cross(directions[:3], directions[3:])
        position = tuple((np.array(position) + along).tolist())
    spacing = _numbers(measures.get("PixelSpacing") or data.get("ImagerPixelSpacing"), 2)
    steps = measures.get("SpacingBetweenSlices"), measures.get("SliceThickness")
    slope = values.get("RescaleSlope") or data.get("DoseGridScaling")
    return Plane(
        header,
        frame,
        position,
        directions,
        (spacing[0], spacing[1]) if spacing and min(spacing) > 0 else None,
        next((abs(step) for step in map(_some, steps) if step), None),
        _some(slope) or 1.0,
        _some(values.get("RescaleIntercept")) or 0.0,
        _read_window(window),
        echo or 0.0,
        (
            _some(content.get("TemporalPositionIndex")) or 0.0,
            _some(data.get("TemporalPositionIdentifier")) or 0.0,
            _some(data.get("AcquisitionNumber")) or 0.0,
            echo or 0.0,
            _some(data.get("TriggerTime")) or 0.0,
            _some(diffusion.get("DiffusionBValue")) or 0.0,
            "\\".join(map(str, data.get("ImageType") or ())),
            _some(data.get("InstanceNumber")) or 0.0,
            float(frame),
        ),
    )


def _read_window(data: Any) -> tuple[float, float] | None:
    """Values at the ends of the grey scale: the first of the windows that are offered."""
    center, width = (_some(data.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if center is None or width is None or not width > 1:
        return None
    middle = center - 0.5
    return middle - (width - 1) / 2, middle + (width - 1) / 2


def _find(places: Sequence[Any], sequence: str) -> Any:
    """What a sequence says, for the frame or for all; the file itself where there is none."""
    found = (_first(place, sequence) for place in places if place is not None)
    return next((one for one in found if one is not None), places[-1])


def _first(data: Any, sequence: str) -> Any:
    items = data.get(sequence)
    return items[0] if items else None


def _some(value: Any) -> float | None:
    """A number, the first of several; None for what is none, which costs no picture."""
    several = not isinstance(value, str) and hasattr(value, "__len__")
    try:
        number = float(value[0] if several else value)
    except (TypeError, ValueError, IndexError):
        return None
    return number if math.isfinite(number) else None


def _numbers(value: Any, count: int) -> tuple[float, ...] | None:
    if value is None or not hasattr(value, "__len__") or len(value) != count:
        return None
    numbers = tuple(number for number in map(_some, value) if number is not None)
    return numbers if len(numbers) == count else None
