"""NIfTI files by nibabel, with their affine.

NIfTI stores (x, y, z, t), first axis fastest, in any of 48 orientations. The affine says where it
lies: the array is turned (without copying it) to (t, z, y, x) with all axes upwards, as near to the
world's as they are, and what is left of the affine is the layer's. So coordinates here are the
scanner's, x to the right and y to the front, and heads are shown upright.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
from numpy.lib.recfunctions import structured_to_unstructured

from viewer.affine import to_affine
from viewer.orientation import YZ_UP
from viewer.sources.description import RGB, Description, Suggestions, Transform
from viewer.sources.files.opened import Opened, load_extra, stem_of
from viewer.sources.protocol import Array
from viewer.sources.reordered import reorder
from viewer.sources.sliced import Sliced
from viewer.state import IDENTITY, Affine

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

    axes: tuple[int, ...]
    """Axis of the array that runs along the world's z, y and x."""
    flipped: tuple[bool, ...]
    """Which of them run downwards."""
    scale: tuple[float, ...]
    translate: tuple[float, ...]
    affine: Affine = IDENTITY
    """Of an oblique one."""


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
    order, names = (*leading, *place.axes), (*names, "z", "y", "x")
    scale = (*(zooms[axis] for axis in leading), *place.scale)
    translate = (*(0.0 for _ in leading), *place.translate)
    colored = voxels.dtype.names is not None
    if colored:
        voxels, order = _split_colors(voxels), (voxels.ndim, *order)
        flipped = [axis + 1 for axis in flipped]
        names, scale, translate = ("channel", *names), (1.0, *scale), (0.0, *translate)
    part = reorder(voxels, order, flipped)
    header = image.header
    unit = header.get_xyzt_units()[0] if hasattr(header, "get_xyzt_units") else "mm"
    labels = "intent_code" in header and int(header["intent_code"]) == LABELS_INTENT
    return Opened(
        (
            Description(
                part,
                (part,),
                names,
                (Transform(scale, translate),),
                _UNITS.get(unit, "mm"),
                Suggestions(
                    name=stem_of(path, SUFFIXES),
                    labels=labels,
                    channel_axis=0 if colored else None,
                    channels=RGB if colored else (),
                    upright=YZ_UP,
                ),
                place.affine,
            ),
        ),
        _nothing,
        files=_files(image),
    )


def _files(image: Any) -> tuple[str, ...]:
    """A header may have its voxels in another file."""
    names = (getattr(holder, "filename", None) for holder in image.file_map.values())
    return tuple(sorted({str(name) for name in names if name}))


def plan_place(affine: Any, shape: tuple[int, ...], zooms: list[float]) -> Place:
    """Where an array lies. One whose affine makes no sense lies along its own axes."""
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    along = _nearest(affine[:3, :3] / np.where(lengths > 0, lengths, 1))
    if not np.isfinite(affine).all() or not (lengths > 0).all() or along is None:
        return Place((2, 1, 0), (False,) * 3, (zooms[2], zooms[1], zooms[0]), (0.0, 0.0, 0.0))
    axes = tuple(along.index(world) for world in (2, 1, 0))
    steps = affine[:3, axes][::-1]  # rows z, y, x of the world; a column for each axis of ours
    start = affine[2::-1, 3].astype(float)
    flipped = tuple(bool(steps[i, i] < 0) for i in range(3))
    for i, axis in enumerate(axes):
        if flipped[i]:
            start = start + steps[:, i] * (shape[axis] - 1)
            steps[:, i] *= -1
    scale = np.linalg.norm(steps, axis=0)
    directions = steps / scale
    if np.abs(directions - np.diag(np.diag(directions))).max() < OBLIQUE:
        return Place(axes, flipped, tuple(np.diag(steps).tolist()), tuple(start.tolist()))
    turned = to_affine(directions, start)
    return Place(axes, flipped, tuple(scale.tolist()), (0.0, 0.0, 0.0), turned)


def _nearest(directions: Any) -> list[int] | None:
    """For each axis of the array the world's that it runs along most, each once."""
    orders = [list(order) for order in permutations(range(3))]
    fit = [float(np.prod([abs(directions[w, a]) for a, w in enumerate(o)])) for o in orders]
    return orders[int(np.argmax(fit))] if max(fit) > 0 else None


class _Scaled(Sliced):
    """Voxels on the disk that are multiplied when they are read."""

    def __init__(self, proxy: Any) -> None:
        self.shape = proxy.shape
        self.dtype = np.asanyarray(proxy[tuple(slice(0, 1) for _ in proxy.shape)]).dtype
        self._proxy = proxy

    def _take(self, index: tuple[slice, ...]) -> Array:
        return np.asarray(self._proxy[index])


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


def _split_colors(voxels: Array) -> Array:
    """Voxels of red, green and blue with an axis for these at the end, without copying them."""
    return np.asanyarray(structured_to_unstructured(voxels[["R", "G", "B"]]))


def _nothing() -> None:
    """A mapped file is let go of with its array."""
