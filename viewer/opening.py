"""From the name of a file, folder or address to data that can be shown.

`open_data` finds the format, by the name and else by the first bytes, and lets the format's own
module in `viewer.sources.files` open it. Whether the voxels are labels is said by the file or
guessed by `is_labels`; nothing here knows of viewers.
"""

from __future__ import annotations

import importlib
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace

from viewer.errors import (
    InvalidValueError,
    SourceError,
    UnsupportedDataError,
    ViewerError,
    reason_of,
)
from viewer.sources import Source, as_source
from viewer.sources.counted import Counted, count
from viewer.sources.description import Description
from viewer.sources.file_part import FilePart
from viewer.sources.files import dicom_headers
from viewer.sources.files.opened import Opened
from viewer.sources.files.remote import is_unreached, unreached
from viewer.sources.identity import address_identity, file_identity, files_identity

LABEL_WORDS = frozenset(
    "label labels labelled labeled seg dseg aseg segmentation segmentations parcellation "
    "mask masks".split()
)
"""Words in a dataset's or file's name that make integers labels."""


class Format(msgspec.Struct, frozen=True):
    """A kind of file.

    Parameters
    ----------
    name : str
        For messages.
    opener : str
        ``module:function`` below `viewer.sources.files`.
    suffixes : tuple of str
        Lower case, with the dot.
    magic : tuple of bytes
        What such a file begins with, for files by another name.
    remote : bool
        Whether it is also read behind an address.
    start : int
        Bytes before `magic`.
    """

    name: str
    opener: str
    suffixes: tuple[str, ...]
    magic: tuple[bytes, ...] = ()
    remote: bool = False
    start: int = 0


ZARR = Format("Zarr", "zarr:open_zarr", (".zarr", ".zarr.zip", ".ozx", ".zip"), remote=True)

PICTURE = Format(
    "PNG or JPEG",
    "pictures:open_picture",
    (".png", ".jpg", ".jpeg"),
    (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"),
)

FORMATS = (
    Format("NumPy", "numpy:open_npy", (".npy",), (b"\x93NUMPY",), remote=True),
    Format("NumPy archive", "numpy:open_npz", (".npz",), remote=True),
    Format(
        "HDF5",
        "hdf5:open_hdf5",
        (".h5", ".hdf5", ".hdf", ".he5", ".h5ad", ".nwb", ".ims", ".mat", ".jld2"),
        (b"\x89HDF\r\n\x1a\n",),
        remote=True,
    ),
    ZARR,
    Format(
        "TIFF",
        "tiff:open_tiff",
        (".tif", ".tiff", ".btf", ".lsm", ".stk", ".svs", ".ndpi", ".scn", ".bif", ".qptiff"),
        (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
        remote=True,
    ),
    Format("NIfTI", "nifti:open_nifti", (".nii", ".nii.gz", ".hdr", ".img", ".mgz", ".mgh")),
    Format("NRRD", "nrrd:open_nrrd", (".nrrd", ".nhdr"), (b"NRRD000",)),
    Format(
        "DICOM",
        "dicom:open_dicom",
        (*dicom_headers.SUFFIXES, dicom_headers.INDEX),
        (dicom_headers.MAGIC,),
        start=dicom_headers.PREAMBLE,
    ),
    Format(
        "MRC",
        "mrc:open_mrc",
        (".mrc", ".mrcs", ".map", ".rec", ".ali", ".ccp4", ".st", ".mrc.gz", ".mrc.bz2"),
    ),
    PICTURE,
    Format(
        "FITS",
        "fits:open_fits",
        (".fits", ".fit", ".fts", ".fits.gz", ".fits.fz"),
        (b"SIMPLE  =",),
    ),
)


TIFF_FOLDER = Format("TIFF", "tiff_folder:open_tiff_folder", ())
"""Slices in a file each."""

DICOM_FOLDER = Format("DICOM", "dicom:open_dicom_folder", ())
"""Slices of one scan, or of many."""

PICTURE_FOLDER = Format("PNG or JPEG", "pictures:open_picture_folder", ())
"""As of TIFF files, without a word about the size of voxels."""

START_BYTES = max(format.start + len(magic) for format in FORMATS for magic in format.magic)
"""Of a file, by which its kind is known."""


class Location(msgspec.Struct, frozen=True):
    """Where data is.

    Parameters
    ----------
    path : str
        Of a file or folder, or an address with a protocol.
    dataset : str or None
        Which of the arrays in it.
    """

    path: str
    dataset: str | None = None

    @property
    def remote(self) -> bool:
        """Whether it is behind an address."""
        return bool(_ADDRESS.match(self.path))


_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")

_NAMED = re.compile(
    rf"(\w[\w+.-]*://[^/]+/.*(?:{'|'.join(re.escape(s) for f in FORMATS for s in f.suffixes)})/?)"
    r":([^:]+)",
    re.IGNORECASE,
)
"""An address with the name of an array behind it; never what stands before a port."""


def parse_location(given: object, dataset: str | None = None) -> Location:
    """Where ``FILE``, ``FILE:DATASET`` or an address leads.

    A colon divides only where what stands before it is there, and the whole is not: names with
    colons stay as they are. In an address it divides after a suffix that is known, ``.zarr:``.
    """
    if not isinstance(given, (str, os.PathLike)):
        several = isinstance(given, (list, tuple))
        raise InvalidValueError(
            f"path={given!r} is no path.",
            hint="Open one after the other: for path in paths: v.open(path)."
            if several
            else "Give the name of a file or folder, or an address.",
        )
    text = str(given)
    if not text:
        raise InvalidValueError("There is no file with an empty name.", hint="Give a path.")
    if text.startswith("file://"):
        text = text.removeprefix("file://")
    if _ADDRESS.match(text):
        match = _NAMED.fullmatch(text)
        if match and dataset is None:
            return Location(match[1], match[2])
        return Location(text, dataset)
    text = str(Path(text).expanduser())
    before, mark, after = text.rpartition(":")
    if dataset is None and mark and after and Path(before).exists() and not Path(text).exists():
        return Location(before, after)
    return Location(text, dataset)


def open_data(location: Location) -> Opened:
    """What is at a location; the files stay open until `Opened.close`.

    Raises
    ------
    SourceError
        When it is not there, or damaged.
    UnsupportedDataError
        For a kind of file that cannot be opened; lists those that can.
    InvalidDataError, NotFoundError
        When it holds none or several arrays, or not that one; lists what it holds.
    MissingExtraError
        When a library is missing; names the command that installs it.
    """
    found = find_format(location)
    opener = load_opener(found)
    before = None if location.remote else file_identity(location.path)
    try:
        opened = opener(location.path, location.dataset)
    except ViewerError:
        raise
    except Exception as error:
        reason = reason_of(error)
        hint = "Check that the file is whole, and what its name says."
        if isinstance(error, BlockingIOError):
            hint = (
                "Another program has it open for writing. Wait until it has closed it, or open it "
                "with h5py.File(path, locking=False) and add the dataset. If that program ended "
                "before it closed the file, run h5clear -s on it."
            )
        elif location.remote and is_unreached(error):
            raise unreached(location.path) from None
    else:
        stamp, files = _stamp(location, opened, before)
        path = location.path if location.remote else str(Path(location.path).absolute())
        part = FilePart(opener, path, location.dataset, stamp, files)
        return replace(
            opened,
            shown=tuple(
                replace(
                    _guessed(described), file=replace(part, names=described.names, number=number)
                )
                for number, described in enumerate(opened.shown)
            ),
        )
    raise SourceError(
        f"{location.path} cannot be opened as {found.name}: {reason}.",
        hint=hint,
    )


def load_opener(found: Format) -> Callable[[str, str | None], Opened]:
    """The function that opens files of a format."""
    module, _, function = found.opener.partition(":")
    opener: Callable[[str, str | None], Opened] = getattr(
        importlib.import_module(f"viewer.sources.files.{module}"), function
    )
    return opener


def find_format(location: Location) -> Format:
    """The format of what is at a location, by its name, else by its first bytes."""
    path = location.path
    if location.remote:
        format = _by_suffix(path.partition("?")[0].rstrip("/"))
        if format is not None and not format.remote:
            able = ", ".join(dict.fromkeys(format.name for format in FORMATS if format.remote))
            raise UnsupportedDataError(
                f"{path} is {format.name}, which is not opened from afar, as {able} are.",
                hint="Download the file and open it from the disk.",
            )
        return format or ZARR
    file = Path(path)
    if not file.exists():
        hint = "Check the path."
        if any(mark in path for mark in "*?["):
            hint = f"Names are taken as they are: for path in sorted(glob.glob({path!r})): …"
        raise SourceError(f"There is no file {path}.", hint=hint)
    if file.is_dir():
        return _find_folder(file)
    by_name = _by_suffix(file.name)
    if by_name is not None:
        return by_name
    try:
        with file.open("rb") as opened:
            start = opened.read(START_BYTES)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}.") from None
    for format in FORMATS:
        if start.startswith(format.magic, format.start):
            return format
    known = ", ".join(f"{format.name} ({format.suffixes[0]})" for format in FORMATS)
    raise UnsupportedDataError(
        f"{path} is of no kind that can be opened.", hint=f"These can: {known}."
    )


def is_labels(described: Description) -> bool:
    """Whether data are labels: when it says so, or for integers whose name says so."""
    said = described.suggestions
    if said.labels or said.quantity:
        return said.labels
    dtype: Any = described.parts[0].dtype
    words = re.split(r"[^a-z]+", said.name.lower())
    return getattr(dtype, "kind", "") in "biu" and not LABEL_WORDS.isdisjoint(words)


def as_labels(described: Description) -> Description:
    """Data as labels also where they are written as floating-point numbers."""
    if any(np.dtype(part.dtype).kind != "f" for part in described.parts):
        return described
    parts: list[Any] = []
    for part in described.parts:
        if type(part) is not np.ndarray:
            parts.append(Counted(part))
            continue
        try:
            parts.append(count(part))
        except ValueError as error:
            raise UnsupportedDataError(
                f"{described.suggestions.name!r} holds no labels: {error}.",
                hint="Open it as an image.",
            ) from None
    file = described.file and replace(described.file, counted=True)
    return replace(described, parts=tuple(parts), file=file)


def inform(described: Description, kind: str | None = None) -> str:
    """What would be shown, for people to read: shape, dtype, axes, levels and chunks."""
    source = as_source(as_labels(described) if kind == "labels" else described)
    try:
        first = source.levels[0]
        kind = kind or ("labels" if is_labels(described) else "image")
        unit = f" {source.units}" if source.units else ""
        axes = ", ".join(
            f"{axis.name} {n} × {step:g}{unit if axis.kind == 'space' else ''}"
            for axis, n, step in zip(source.axes, first.shape, first.scale, strict=True)
        )
        lines = [
            f"{kind} {described.suggestions.name!r}",
            f"shape   {_times(first.shape)}, {source.dtype}, {_bytes(source)}",
            f"axes    {axes}",
            f"levels  {', '.join(_times(level.shape) for level in source.levels)}",
            f"chunks  {'none' if source.chunks is None else _times(source.chunks)}",
        ]
    finally:
        source.close()
    return "\n  ".join((*lines, *described.suggestions.notices))


def _times(numbers: tuple[int, ...]) -> str:
    return " × ".join(map(str, numbers))


def _bytes(source: Source) -> str:
    size = float(math.prod(source.levels[0].shape) * source.dtype.itemsize)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


def _stamp(
    location: Location, opened: Opened, before: str | None
) -> tuple[str | None, tuple[str, ...]]:
    """What was opened is called, by which files; None, by none, if it has changed since `before`.

    Nor does a folder tell what becomes of the arrays that Zarr has in it.
    """
    if location.remote:
        return address_identity(location.path, [opened.told or {}]), ()
    path = Path(location.path)
    if file_identity(path) != before or (not opened.files and path.is_dir()):
        return None, ()
    files = tuple(str(Path(file).absolute()) for file in opened.files or (path,))
    return files_identity(files), files


def _guessed(described: Description) -> Description:
    said = described.suggestions
    return replace(described, suggestions=replace(said, labels=is_labels(described)))


def _find_folder(folder: Path) -> Format:
    """What a folder holds: a Zarr array or group, where nothing else is found."""
    if any((folder / mark).exists() for mark in ("zarr.json", ".zgroup", ".zarray", ".zattrs")):
        return ZARR
    try:
        names = [file.name.lower() for file in folder.iterdir()]
    except OSError:
        return ZARR
    names = [name for name in names if not name.startswith(".")]
    if any(name.endswith((".tif", ".tiff")) for name in names):
        return TIFF_FOLDER
    if dicom_headers.holds_dicom(folder):
        return DICOM_FOLDER
    return PICTURE_FOLDER if any(name.endswith(PICTURE.suffixes) for name in names) else ZARR


def _by_suffix(name: str) -> Format | None:
    lower = name.lower()
    fitting = [
        (len(suffix), number)
        for number, format in enumerate(FORMATS)
        for suffix in format.suffixes
        if lower.endswith(suffix)
    ]
    return FORMATS[max(fitting)[1]] if fitting else None
