"""Slices of DICOM files put in order: which of them make a volume, and where it lies.

The world is the patient's, in mm: x to the left, y to the back, z to the head. Slices are counted
along their normal, by where they lie and never by the names of files. Several at each place are
points in time, or echoes, and get an axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from viewer.errors import InvalidDataError
from viewer.sources.files.dicom_headers import Header, Plane
from viewer.sources.files.opened import Entry

ALIKE = 1e-2
"""Sine of the angle within which slices are parallel: a shear of it shows nowhere."""

SAME_PLACE = 1e-2
"""Distance in mm below which slices are at one place."""

UNEVEN = 0.05
"""Part of the mean distance of slices by which two may lie nearer or further."""


class Stack(msgspec.Struct, frozen=True):
    """Slices of one series that fit together, in the order in which they were found."""

    name: str
    planes: tuple[Plane, ...]

    @property
    def header(self) -> Header:
        """What is the same for all of them."""
        return self.planes[0].header

    @property
    def entry(self) -> Entry:
        """For the list of what a folder holds."""
        header = self.header
        about = " ".join(part for part in (header.modality, header.description) if part)
        shape = header.shape if len(self.planes) == 1 else (len(self.planes), *header.shape)
        return Entry(self.name, shape, np.dtype(header.stored), about)


class Volume(msgspec.Struct, frozen=True):
    """Slices in order."""

    planes: tuple[Plane, ...]
    """The last of the axes before rows and columns counts fastest."""
    names: tuple[str, ...]
    """Of these axes."""
    counts: tuple[int, ...]
    """Entries along them."""
    affine: Any
    """From (column, row, slice) to the patient's (x, y, z); None where it is not said."""
    spacing: tuple[float, float, float] | None
    """Of slices, rows and columns in mm, where no affine says it."""
    notices: tuple[str, ...] = ()


def plan_stacks(planes: Sequence[Plane]) -> list[Stack]:
    """Slices that are of one series, parallel and alike, together.

    They are called by the number of their series; those of one number "3a", "3b", …
    """
    groups: dict[tuple[Any, ...], list[list[Plane]]] = {}
    for plane in planes:
        header = plane.header
        key = (header.series, header.shape, header.samples, header.photometric, header.stored)
        fitting = groups.setdefault(key, [])
        group = next((one for one in fitting if _are_parallel(one[0], plane)), None)
        if group is None:
            fitting.append([plane])
        else:
            group.append(plane)
    every = [group for fitting in groups.values() for group in fitting]
    # the largest first of those of one number
    every.sort(key=lambda group: (group[0].header.number or 0, group[0].header.series, -len(group)))
    names = [str(group[0].header.number or 0) for group in every]
    stacks = []
    for place, (name, group) in enumerate(zip(names, every, strict=True)):
        if names.count(name) > 1:
            name += _letters(names[:place].count(name))
        stacks.append(Stack(name, tuple(group)))
    return stacks


def plan_volume(stack: Stack) -> Volume:
    """The slices of a stack in order, and where they lie.

    Raises
    ------
    InvalidDataError
        When there are more slices at one place than at another.
    """
    planes = list({(plane.header.uid, plane.frame): plane for plane in stack.planes}.values())
    notices = []
    if len(planes) < len(stack.planes):
        more = len(stack.planes) - len(planes)
        notices.append(f"{more} of the slices {'is' if more == 1 else 'are'} there more than once.")
    if planes[0].directions is None:
        return _plan_unplaced(stack, planes, notices)
    normal = _normal(planes[0])
    planes.sort(key=lambda plane: float(np.dot(plane.position or (0, 0, 0), normal)))
    along = np.array([np.dot(plane.position or (0, 0, 0), normal) for plane in planes])
    firsts = [0, *(np.flatnonzero(np.diff(along) > SAME_PLACE) + 1).tolist()]
    places = [planes[a:b] for a, b in zip(firsts, [*firsts[1:], len(planes)], strict=True)]
    counts = [len(place) for place in places]
    if min(counts) < max(counts):
        raise InvalidDataError(
            f"Series {stack.name} has {max(counts)} slices at {counts.count(max(counts))} of its "
            f"{len(counts)} places, {min(counts)} at others: they make no volume.",
            hint="Files are missing, or of two scans. Open those that belong together from a "
            "folder of their own, or a file alone.",
        )
    for place in places:
        place.sort(key=lambda plane: plane.order)
    affine, told = _plan_affine([place[0] for place in places], normal)
    ordered = tuple(place[i] for i in range(counts[0]) for place in places)
    if counts[0] == 1:
        return Volume(ordered, ("z",), (len(places),), affine, None, (*notices, *told))
    name = "echo" if len({plane.echo for plane in places[0]}) == counts[0] else "t"
    shape = (counts[0], len(places))
    return Volume(ordered, (name, "z"), shape, affine, None, (*notices, *told))


def _plan_affine(planes: Sequence[Plane], normal: Any) -> tuple[Any, list[str]]:
    """Where (column, row, slice) lies of slices in order, and what is odd about it."""
    first, last = planes[0], planes[-1]
    directions = np.array(first.directions)
    start = np.array(first.position, float)
    rows, columns = first.spacing or (1.0, 1.0)
    step = normal * (first.step or 1.0)
    notices = []
    if len(planes) > 1:
        step = (np.array(last.position) - start) / (len(planes) - 1)
        length = float(np.linalg.norm(step))
        places = np.array([plane.position for plane in planes], float)
        gaps = np.diff(places @ normal)
        if np.ptp(gaps) > 2 * UNEVEN * length:
            widest = int(np.argmax(gaps))
            notices.append(
                f"Distances of slices are from {gaps.min():.4g} to {gaps.max():.4g} mm, the widest "
                f"after slice {widest}: slices may be missing. They are shown {length:.4g} mm "
                "apart."
            )
        aside = places - start - np.arange(len(planes))[:, None] * step
        aside -= np.outer(aside @ normal, normal)
        if np.linalg.norm(aside, axis=1).max() > max(rows, columns):
            notices.append("Slices do not lie above each other: they are shown as if they did.")
    affine = np.eye(4)
    affine[:3, 0] = directions[:3] * columns
    affine[:3, 1] = directions[3:] * rows
    affine[:3, 2] = step
    affine[:3, 3] = start
    return affine, notices


def _plan_unplaced(stack: Stack, planes: list[Plane], notices: list[str]) -> Volume:
    """Slices that don't say where they lie: as they were numbered."""
    planes.sort(key=lambda plane: plane.order)
    first = planes[0]
    spacing = first.spacing and (first.step or 1.0, *first.spacing)
    if len(planes) == 1:
        return Volume(tuple(planes), (), (), None, spacing, tuple(notices))
    if first.header.movie:
        return Volume(tuple(planes), ("t",), (len(planes),), None, spacing, tuple(notices))
    if len({plane.header.uid for plane in planes}) > 1:
        notices.append(
            f"Slices of series {stack.name} don't say where they lie: they are in the order of "
            "their numbers."
        )
    return Volume(tuple(planes), ("z",), (len(planes),), None, spacing, tuple(notices))


def _are_parallel(one: Plane, other: Plane) -> bool:
    if one.directions is None or other.directions is None:
        return one.directions is other.directions
    if one.position is None or other.position is None:
        return one.position is other.position
    return bool(np.abs(np.subtract(one.directions, other.directions)).max() < ALIKE)


def _normal(plane: Plane) -> Any:
    assert plane.directions is not None
    normal = np.cross(plane.directions[:3], plane.directions[3:])
    return normal / np.linalg.norm(normal)


def _letters(number: int) -> str:
    return (_letters(number // 26 - 1) if number >= 26 else "") + "abcdefghijklmnopqrstuvwxyz"[
        number % 26
    ]
