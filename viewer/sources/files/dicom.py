"""DICOM by pydicom: folders of slices, of one series or of many, and single files.

Headers are read once, the voxels of a slice when it is looked at. Like NRRD's, coordinates are the
patient's: x to the left, y to the back, z to the head, in mm; the array is turned (without copying
it) so that its axes are as near to these as they are, and what is left is the layer's affine.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from viewer.errors import InvalidDataError, ViewerError
from viewer.orientation import STRAIGHT, Z_UP
from viewer.sources.description import RGB, Channel, Description, Suggestions, Transform
from viewer.sources.files.dicom_headers import (
    INDEX,
    SUFFIXES,
    Plane,
    files_in,
    is_dicom,
    read_planes,
)
from viewer.sources.files.dicom_pixels import Frames
from viewer.sources.files.dicom_series import Stack, Volume, plan_stacks, plan_volume
from viewer.sources.files.nifti import plan_place
from viewer.sources.files.opened import Entry, Opened, choose, load_extra, stem_of, suffixed
from viewer.sources.reordered import reorder
from viewer.state import IDENTITY


def open_dicom(path: str, dataset: str | None) -> Opened:
    """The slices of one file, or of the folder of a DICOMDIR."""
    file = Path(path)
    if file.name.lower() == INDEX:
        return open_dicom_folder(str(file.parent), dataset)
    planes = read_planes(load_extra("pydicom", "dicom", "DICOM files"), file)
    return _open(planes, path, dataset, [])


def open_dicom_folder(path: str, dataset: str | None) -> Opened:
    """One series of those in a folder and the folders in it: by its number, or UID."""
    pydicom = load_extra("pydicom", "dicom", "DICOM files")
    planes: list[Plane] = []
    others: list[str] = []
    broken: list[str] = []
    for file in files_in(Path(path)):
        if file.name.lower() == INDEX or not is_dicom(file):
            continue
        try:
            planes += read_planes(pydicom, file)
        except ViewerError as error:  # a report, or a plan, beside the images
            others.append(error.message)
        except Exception as error:
            broken.append(f"{file.name} ({type(error).__name__}: {error})")
    notices = []
    if broken:
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        notices = [f"{broken[0]}{more} cannot be read, and nothing of it is shown."]
    if not planes:
        raise InvalidDataError(
            f"{path} holds no image in DICOM.", hint=" ".join((*others[:3], *notices))
        )
    return _open(planes, path, dataset, notices)


def _open(planes: list[Plane], path: str, dataset: str | None, notices: list[str]) -> Opened:
    # volumes first, in the list of what there is
    stacks = sorted(plan_stacks(planes), key=lambda stack: len(stack.planes) == 1)
    entries = [stack.entry for stack in stacks]
    chosen = _choose(stacks, entries, dataset, path)
    volume = plan_volume(chosen)
    if dataset is None and len(stacks) > 1:
        one, *more = [entry for entry in entries if entry.name != chosen.name]
        also = f" and {len(more)} more" if more else ""
        opens = f"{suffixed(path, one.name)} opens it"
        notices = [*notices, f"{stem_of(path, ())} also holds series {one}{also}; {opens}."]
    described = _describe(chosen, volume, path, (*notices, *volume.notices))
    files = tuple(dict.fromkeys(plane.header.file for plane in volume.planes))
    return Opened((described,), _nothing, files=files)


def _choose(
    stacks: Sequence[Stack], entries: Sequence[Entry], dataset: str | None, path: str
) -> Stack:
    """The stack that is meant: the only volume, where nothing was said."""
    if dataset is not None:
        same = [stack.name for stack in stacks if stack.header.series == dataset]
        dataset = same[0] if len(same) == 1 else dataset
    else:
        volumes = [stack for stack in stacks if len(stack.planes) > 1]
        if len(volumes) == 1:  # and what it was planned by
            return volumes[0]
    return stacks[entries.index(choose(entries, dataset, path))]


def _describe(stack: Stack, volume: Volume, path: str, notices: tuple[str, ...]) -> Description:
    header = stack.header
    data: Any = Frames(volume.planes, volume.counts)
    names = [*volume.names, "y", "x"]
    leading = len(names) - 3 if "z" in names else len(names) - 2
    scale, translate = [1.0] * len(names), [0.0] * len(names)
    affine = IDENTITY
    order, flipped = list(range(len(names))), []
    if volume.affine is not None:
        rows, columns = header.shape
        shape = (columns, rows, volume.counts[-1])
        place = plan_place(volume.affine, shape, [1.0, 1.0, 1.0])
        order[leading:] = [leading + 2 - axis for axis in place.axes]
        flipped = [leading + i for i, turned in enumerate(place.flipped) if turned]
        scale[leading:], translate[leading:] = place.scale, place.translate
        affine = place.affine
    elif volume.spacing is not None:
        scale[leading:] = volume.spacing[leading - len(names) :]
    colored = len(data.shape) > len(names)
    if colored:
        order = [len(names), *order]
        flipped = [axis + 1 for axis in flipped]
        names, scale, translate = ["channel", *names], [1.0, *scale], [0.0, *translate]
    data = reorder(data, order, flipped)
    middle = volume.planes[len(volume.planes) // 2]
    said = {"modality": header.modality, "unit": header.unit}
    return Description(
        data,
        (data,),
        tuple(names),
        (Transform(tuple(scale), tuple(translate)),),
        "mm" if volume.affine is not None or volume.spacing is not None else "",
        Suggestions(
            name=header.description or stem_of(path, SUFFIXES),
            quantity=True,
            channel_axis=0 if colored else None,
            channels=RGB if colored else (_look(middle),),
            metadata={key: value for key, value in said.items() if value},
            upright=STRAIGHT if volume.affine is None else Z_UP,
            notices=notices,
        ),
        affine,
    )


def _look(plane: Plane) -> Channel:
    """The window in which a slice is looked at, and whether its least values are white."""
    inverse = plane.header.photometric == "MONOCHROME1"
    return Channel(color="gray_r" if inverse else None, window=plane.window)


def _nothing() -> None:
    """No file is open but while it is read."""
