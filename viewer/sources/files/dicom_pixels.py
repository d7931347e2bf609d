"""Voxels of DICOM slices, each read from its file where it is looked at, in the values' own unit.

pydicom reads what is stored as it is, run-length encoded or, by Pillow, as JPEG. What scanners and
archives compress else is decoded by imagecodecs, which our other formats use, and outside of
Python's lock, so that slices are decoded beside each other.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import struct
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from viewer.errors import InvalidDataError, ViewerError
from viewer.sources.files.dicom_headers import Plane
from viewer.sources.files.opened import load_extra
from viewer.sources.protocol import Array
from viewer.sources.sliced import Sliced

PALETTE = "PALETTE COLOR"

LOCATED = 64
"""Files of many frames of which is remembered where these are."""

_STORED = (
    "SamplesPerPixel PhotometricInterpretation PlanarConfiguration NumberOfFrames Rows Columns "
    "BitsAllocated BitsStored PixelRepresentation ExtendedOffsetTable ExtendedOffsetTableLengths"
).split()

_PIXELS = {
    (0x7FE0, 0x0008): "FloatPixelData",
    (0x7FE0, 0x0009): "DoubleFloatPixelData",
    (0x7FE0, 0x0010): "PixelData",
}

DECODER_DEPENDENCIES = {
    f"1.2.840.10008.1.2.4.{number}": ("imagecodecs",)
    for number in (51, 57, 70, 80, 81, 90, 91, 201, 202, 203)
}
"""Transfer syntaxes that imagecodecs decodes; pydicom's name for it."""

_LOSSLESS = ("57", "70")
_JPEG_LS = ("80", "81")
_EXTENDED = ("51",)


class Frames(Sliced):
    """Slices of one file or many, as (…, row, column), or with red, green and blue behind.

    Parameters
    ----------
    planes : sequence of Plane
        The last axis before the row counts fastest.
    counts : sequence of int
        Entries along the axes before the row.
    """

    def __init__(self, planes: Sequence[Plane], counts: Sequence[int]) -> None:
        first = planes[0].header
        colored = first.samples > 1 or first.photometric == PALETTE
        plane_shape = (*first.shape, *((3,) if colored else ()))
        self.shape = (*counts, *plane_shape)
        self.dtype = values_dtype(planes)
        self.chunks = (*(1 for _ in counts), *plane_shape)
        self._planes = tuple(planes)
        self._counts = tuple(counts)
        self._plane_shape = plane_shape

    def _take(self, index: tuple[slice, ...]) -> Array:
        leading = len(self._counts)
        ranges = [
            range(*part.indices(n)) for part, n in zip(index[:leading], self._counts, strict=True)
        ]
        places = [
            int(np.ravel_multi_index(place, self._counts)) if place else 0
            for place in itertools.product(*ranges)
        ]
        inside = index[leading:]
        shape = tuple(map(len, ranges))
        own = np.empty(self._plane_shape, np.void)[inside].shape
        voxels = np.empty((len(places), *own), self.dtype)
        for out, place in zip(voxels, places, strict=True):
            out[...] = self._read(self._planes[place], inside)
        return voxels.reshape(*shape, *own)

    def _read(self, plane: Plane, inside: tuple[slice, ...]) -> Array:
        try:
            voxels = read_frame(plane)
        except ViewerError:
            raise
        except Exception as error:
            raise OSError(f"{plane.header.file}: {error}") from None
        if voxels.shape != self._plane_shape:
            raise InvalidDataError(
                f"{plane.header.file} has changed: it holds {voxels.shape} now.",
                hint="Open it again.",
            )
        return as_values(voxels[inside], plane, self.dtype)


def values_dtype(planes: Sequence[Plane]) -> np.dtype[Any]:
    """Of the values: integers, as long as the slices are scaled by whole numbers."""
    header = planes[0].header
    stored = np.dtype(header.stored)
    if header.photometric == PALETTE:
        return np.dtype("u1")
    if all((plane.slope, plane.intercept) == (1, 0) for plane in planes):
        return stored
    scales = {(plane.slope, plane.intercept) for plane in planes}
    if stored.kind == "f" or any(a % 1 or b % 1 for a, b in scales):
        return np.dtype("f4")
    if header.modality == "CT":  # of Hounsfield; what lies beyond is no tissue, but padding
        return np.dtype("i2")
    bits = min(header.bits, 8 * stored.itemsize)
    low, high = (
        (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if stored.kind == "i" else (0, 2**bits - 1)
    )
    ends = [slope * end + intercept for slope, intercept in scales for end in (low, high)]
    for name in ("i2", "i4"):
        info = np.iinfo(name)
        if info.min <= min(ends) and max(ends) <= info.max:
            return np.dtype(name)
    return np.dtype("f4")


def as_values(stored: Array, plane: Plane, dtype: np.dtype[Any]) -> Array:
    """Stored numbers in the unit of the values; those beyond the dtype as its ends."""
    if (plane.slope, plane.intercept) == (1, 0):
        scaled = stored
    elif dtype.kind == "f":
        return (stored * np.float32(plane.slope) + np.float32(plane.intercept)).astype(dtype)
    else:
        narrow = stored.itemsize <= 2 and abs(plane.slope) == 1 and abs(plane.intercept) < 2**30
        scaled = stored.astype("i4" if narrow else "i8")
        if plane.slope != 1:
            scaled *= int(plane.slope)
        scaled += int(plane.intercept)
    if dtype.kind in "iu" and scaled.itemsize > dtype.itemsize:
        info = np.iinfo(dtype)
        scaled = np.clip(scaled, info.min, info.max)
    return scaled.astype(dtype, copy=False)


def read_frame(plane: Plane) -> Array:
    """The stored numbers of a slice; colours as red, green and blue."""
    pixels = load_extra("pydicom.pixels", "dicom", "DICOM files")
    _teach_pydicom()
    header = plane.header
    file = header.file if header.plain else _read_whole(header.file)
    if header.photometric != PALETTE:
        if header.plain and header.frames > 1:
            return _read_one_of_many(header.file, plane.frame)
        return np.asarray(pixels.pixel_array(file, index=plane.frame))
    dataset = load_extra("pydicom", "dicom", "DICOM files").Dataset() if header.plain else file
    stored = pixels.pixel_array(file, index=plane.frame, ds_out=dataset)
    colors = np.asarray(pixels.apply_color_lut(stored, dataset))
    return colors if colors.itemsize == 1 else (colors >> 8).astype("u1")


def _read_one_of_many(file: str, frame: int) -> Array:
    """A frame, without going through what the header says of all of them each time."""
    start, options = _locate(file, Path(file).stat().st_mtime_ns)
    decoder = load_extra("pydicom.pixels", "dicom", "DICOM files").get_decoder(
        options["transfer_syntax_uid"]
    )
    with Path(file).open("rb") as opened:
        opened.seek(start)
        return np.asarray(decoder.as_array(opened, index=frame, **options)[0])


@functools.lru_cache(maxsize=LOCATED)
def _locate(file: str, changed: int) -> tuple[int, dict[str, Any]]:
    """Where in a file the voxels begin, and how they are stored, as pydicom's decoders ask it."""
    pydicom = load_extra("pydicom", "dicom", "DICOM files")
    pixels = load_extra("pydicom.pixels", "dicom", "DICOM files")
    with Path(file).open("rb") as opened:
        data = pydicom.dcmread(opened, stop_before_pixels=True, specific_tags=_STORED)
        start = opened.tell()
        head = opened.read(12)
    syntax = data.file_meta.TransferSyntaxUID
    tag = struct.unpack("<HH" if syntax.is_little_endian else ">HH", head[:4])
    options = pixels.as_pixel_options(data, transfer_syntax_uid=syntax, pixel_keyword=_PIXELS[tag])
    if syntax.is_implicit_VR:
        return start + 8, options
    return start + 12, {**options, "pixel_vr": head[4:6].decode()}


def _read_whole(file: str) -> Any:
    """A file of which pydicom takes no part by its name."""
    data = load_extra("pydicom", "dicom", "DICOM files").dcmread(file, force=True)
    if "TransferSyntaxUID" not in data.file_meta:
        implicit, _ = data.original_encoding
        data.file_meta.TransferSyntaxUID = f"1.2.840.10008.1.2{'' if implicit else '.1'}"
    return data


# --- compressed slices --------------------------------------------------------------------------

_LABEL = "imagecodecs"
_TEACHING = threading.Lock()


@functools.cache
def _teach_pydicom() -> None:
    """Have pydicom decode by imagecodecs what we know of; once."""
    pixels = load_extra("pydicom.pixels", "dicom", "DICOM files")
    with _TEACHING:
        for syntax in DECODER_DEPENDENCIES:
            with contextlib.suppress(ValueError):  # it knows
                pixels.get_decoder(syntax).add_plugin(_LABEL, (__name__, "decode_frame"))


def is_available(uid: str) -> bool:
    """Whether a transfer syntax can be decoded; pydicom asks."""
    try:
        import imagecodecs  # noqa: F401
    except ImportError:
        return False
    return uid in DECODER_DEPENDENCIES


def decode_frame(source: bytes, runner: Any) -> bytes:
    """The numbers of one compressed slice; pydicom calls it, and is told what they are."""
    import imagecodecs

    number = str(runner.transfer_syntax).rsplit(".", 1)[-1]
    if number in _LOSSLESS:
        voxels = imagecodecs.ljpeg_decode(source)
    elif number in _JPEG_LS:
        voxels = imagecodecs.jpegls_decode(source)
    elif number in _EXTENDED:
        voxels = imagecodecs.jpeg8_decode(source)
    else:
        voxels = imagecodecs.jpeg2k_decode(source)
        if runner.photometric_interpretation in ("YBR_ICT", "YBR_RCT"):
            runner.set_option("photometric_interpretation", "RGB")
    runner.set_option("bits_allocated", 8 * voxels.itemsize)
    if voxels.ndim > 2:
        runner.set_option("planar_configuration", 0)
    return bytes(voxels.tobytes())
