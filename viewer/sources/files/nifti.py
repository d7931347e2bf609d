"""NIfTI files by nibabel, with their affine.

NIfTI stores (x, y, z, t), first axis fastest, in any of 48 orientations. The affine says where it
lies: where its axes are the world's, the array is turned (without copying it) to (t, z, y, x) with
all axes upwards, so that coordinates here are the scanner's, x to the right and y to the front.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from viewer.sources.description import Description, Suggestions, Transform
from viewer.sources.files.opened import Opened, load_extra, stem_of
from viewer.sources.reordered import reorder

SUFFIXES = (".nii.gz", ".nii", ".hdr", ".img", ".mgz", ".mgh")

OBLIQUE = 1e-3
"""Sine of the angle from which on an axis is no longer one of the world's."""

LABELS_INTENT = 1002
"""NIFTI_INTENT_LABEL: values are identities."""

_UNITS = {"mm": "mm", "meter": "m", "micron": "µm"}
_LEADING = ("t", "c", "p")
"""Names of NIfTI's axes after (x, y, z)."""


@dataclass(frozen=True, slots=True)
class Place:
    """How an array (x, y, z) lies in the world, for (z, y, x)."""

    axes: tuple[int, int, int]
    """Axis of the array that runs along the world's z, y and x."""
    flipped: tuple[bool, bool, bool]
    """Which of them run downwards."""
    scale: tuple[float, float, float]
    translate: tuple[float, float, float]
    oblique: bool = False


def open_nifti(path: str, dataset: str | None) -> Opened:
    """The image of a NIfTI file. A compressed one is read as a whole."""
    nibabel = load_extra("nibabel", "nifti", "NIfTI files")
    image = nibabel.load(path)
    voxels = _voxels(image)
    zooms = [abs(float(size)) or 1.0 for size in image.header.get_zooms()]
    place = plan_place(np.asarray(image.affine, float), voxels.shape, zooms)
    leading = tuple(reversed(range(3, len(voxels.shape))))
    names = tuple(_LEADING[axis - 3] for axis in leading)
    flipped = [len(leading) + i for i, turned in enumerate(place.flipped) if turned]
    part = reorder(voxels, (*leading, *place.axes), flipped)
    header = image.header
    unit = header.get_xyzt_units()[0] if hasattr(header, "get_xyzt_units") else "mm"
    notice = "Its affine is oblique: positions are along the array's own axes, by voxel size alone."
    labels = "intent_code" in header and int(header["intent_code"]) == LABELS_INTENT
    return Opened(
        (
            Description(
                part,
                (part,),
                (*names, "z", "y", "x"),
                (
                    Transform(
                        (*(zooms[axis] for axis in leading), *place.scale),
                        (*(0.0 for _ in leading), *place.translate),
                    ),
                ),
                _UNITS.get(unit, "mm"),
                Suggestions(
                    name=stem_of(path, SUFFIXES),
                    labels=labels,
                    notices=(notice,) if place.oblique else (),
                ),
            ),
        ),
        _nothing,
    )


def plan_place(affine: Any, shape: tuple[int, ...], zooms: list[float]) -> Place:
    """Where an array lies, as far as axes along the world's can say it."""
    matrix = affine[:3, :3]
    lengths = np.linalg.norm(matrix, axis=0)
    if np.isfinite(affine).all() and (lengths > 0).all():
        directions = matrix / lengths
        along = [int(axis) for axis in np.abs(directions).argmax(axis=0)]  # world's, by array's
        rest = [abs(directions[w, a]) for a in range(3) for w in range(3) if w != along[a]]
        if len(set(along)) == 3 and max(rest) < OBLIQUE:
            axes, flipped, scale, translate = [], [], [], []
            for world in (2, 1, 0):
                axis = along.index(world)
                step = float(matrix[world, axis])
                start = float(affine[world, 3])
                axes.append(axis)
                flipped.append(step < 0)
                scale.append(abs(step))
                translate.append(start + min(step, 0.0) * (shape[axis] - 1))
            return Place(tuple(axes), tuple(flipped), tuple(scale), tuple(translate))  # type: ignore[arg-type]
    return Place(
        (2, 1, 0), (False,) * 3, (zooms[2], zooms[1], zooms[0]), (0.0, 0.0, 0.0), oblique=True
    )


class _Scaled:
    """Voxels on the disk that are multiplied when they are read."""

    def __init__(self, proxy: Any) -> None:
        self.shape = proxy.shape
        self.dtype = np.asanyarray(proxy[tuple(slice(0, 1) for _ in proxy.shape)]).dtype
        self._proxy = proxy

    def __getitem__(self, index: tuple[slice, ...]) -> Any:
        return np.asanyarray(self._proxy[index])


def _voxels(image: Any) -> Any:
    """The array (x, y, z, …) of at least three axes, without axes of one entry at its end."""
    proxy = image.dataobj
    shape = tuple(proxy.shape)
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    shape += (1,) * (3 - len(shape))
    scaled = hasattr(proxy, "slope") and (proxy.slope, proxy.inter) != (1, 0)
    if scaled and shape == proxy.shape:
        unscaled = proxy.get_unscaled()
        mapped = isinstance(unscaled, np.memmap)
        del unscaled
        if mapped:
            return _Scaled(proxy)
    return np.asanyarray(proxy).reshape(shape, order="A")


def _nothing() -> None:
    """A mapped file is let go of with its array."""
