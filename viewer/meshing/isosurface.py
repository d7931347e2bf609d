"""The surface on which an image has one value."""

from __future__ import annotations

import math

import numpy as np

from viewer.errors import InvalidValueError, NotFoundError
from viewer.meshing.label_search import found
from viewer.meshing.mesh import NORMAL_PASSES, opened
from viewer.meshing.surfaces import Place, Surface
from viewer.policy import POLICY
from viewer.pyramids.pyramid import Pyramid
from viewer.space import Box
from viewer.state import Level

SLAB_VOXELS = 1 << 22
"""Voxels compared at once."""


def isosurface(pyramid: Pyramid, value: float, point: tuple[int, ...]) -> tuple[Surface, int]:
    """The surface in the image's units, and the level that it was made of.

    Parameters
    ----------
    pyramid : Pyramid
        Of an image.
    value : float
    point : tuple of int
        Indices on the leading axes.

    Raises
    ------
    NotFoundError
        When no voxels have values on both sides of `value`, or there is no z axis.
    """
    from viewer.kernels.crossings import slide
    from viewer.kernels.marching_cubes import Extraction
    from viewer.kernels.runs import find_runs

    if pyramid.spatial < 3:
        raise NotFoundError("An image without a z axis has no isosurface.")
    if not math.isfinite(value):
        raise InvalidValueError(f"level={value} is not a finite number.")
    sizes = [math.prod(level.shape[-3:]) for level in pyramid.levels]
    number = next((n for n, size in enumerate(sizes) if size <= POLICY.isosurface_voxels), None)
    number = len(sizes) - 1 if number is None else number
    level = pyramid.levels[number]
    shape = level.shape[-3:]
    box = Box((*point, 0, 0, 0), (*(i + 1 for i in point), *shape))
    volume = pyramid.read(number, box).reshape(shape).astype(np.float32)
    if min(shape) < 2 or not np.nanmin(volume) < value < np.nanmax(volume):
        raise NotFoundError(
            f"No surface of the image has the value {value:g}.",
            hint=f"Its values go from {np.nanmin(volume):g} to {np.nanmax(volume):g}.",
        )
    # In slabs: the comparison's result is as large as the image.
    slab = max(1, SLAB_VOXELS // (shape[1] * shape[2]))
    runs = np.concatenate(
        [
            find_runs((volume[z : z + slab] >= value).view(np.uint8), (z, 0, 0), shape[1], 1)
            for z in range(0, shape[0], slab)
        ]
    )
    inside = found(runs, shape[1]).box
    start, stop = inside.start, inside.stop
    surface = Extraction(runs, start, stop, shape[1]).surface()  # type: ignore[arg-type]
    slide(surface.vertices, surface.kinds, volume, start, value)  # type: ignore[arg-type]
    surface = opened(surface, start, shape)
    vertices = surface.vertices[:, :3].astype(np.float64) + start
    place = Place(Level((1, 1, 1), level.scale[-3:], level.translate[-3:]), pyramid.affine)
    found_there = Surface(place.of(vertices), place.turn(surface.faces), passes=NORMAL_PASSES)
    return found_there, number
