"""xarray.DataArray: names, coordinates and units of the axes from the data itself.

The voxels come from what the DataArray wraps: a NumPy array in memory, a dask array, or a file
that xarray reads when it is sliced.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from viewer.sources.description import Description, Suggestions, Transform, length_unit
from viewer.sources.geometry import axis_kind
from viewer.sources.protocol import Array
from viewer.sources.sliced import Sliced
from viewer.space import conversion

REGULAR = 1e-3
"""Part of a step by which coordinates may miss a regular grid: float32 files do."""

_COUNTED = "so positions along it count voxels"


class Deferred(Sliced):
    """A DataArray that is read from its file, or computed, when it is sliced."""

    def __init__(self, data: Any) -> None:
        self.shape = data.shape
        self.dtype = data.dtype
        self.chunks = data.encoding.get("chunksizes")
        self._data = data

    def _take(self, index: tuple[slice, ...]) -> Array:
        return np.asarray(self._data[index].to_numpy())


def describe_xarray(data: Any) -> Description:
    """Axes of a DataArray from its dims, coords and their ``units``.

    Coordinates in equal steps upwards become scale and translate. Others cannot be drawn on a
    regular grid: such an axis counts voxels, and a notice says so. Names and dates (time, channel)
    are not positions, and are left out.
    """
    names = tuple(map(str, data.dims))
    notices: list[str] = []
    said = [
        getattr(data.coords.get(dim), "attrs", {}).get("units")
        if axis_kind(name) == "other"
        else ""
        for dim, name in zip(data.dims, names, strict=True)
    ]
    units = [length_unit(unit) for unit in said]
    given = [isinstance(unit, str) and bool(unit) for unit in said]
    if any(a and not b for a, b in zip(given[-3:], units[-3:], strict=True)):
        units = [""] * len(units)  # depth in metres over degrees: no length is true of both
    unit = next((unit for unit in reversed(units) if unit), "")
    scale, translate = [], []
    for dim, name, own in zip(data.dims, names, units, strict=True):
        step, start, trouble = 1.0, 0.0, ""
        if dim in data.coords:
            step, start, trouble = _plan_steps(data.coords[dim].values)
        if trouble and axis_kind(name) == "other":
            notices.append(f"Coordinates of the axis {name!r} {trouble}.")
        factor = conversion(own, unit)
        scale.append(step * factor)
        translate.append(start * factor)
    part: Any
    if data.chunks is not None:
        part = data.data  # dask
    elif getattr(data.variable, "_in_memory", False):
        part = data.to_numpy()
    else:
        part = Deferred(data)
    return Description(
        data,
        (part,),
        names,
        (Transform(tuple(scale), tuple(translate)),),
        unit,
        Suggestions(name="" if data.name is None else str(data.name), notices=tuple(notices)),
    )


def _plan_steps(values: Any) -> tuple[float, float, str]:
    """Step and start of regular coordinates; 1, 0 and what is wrong with others."""
    numbers = np.asarray(values)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iuf":
        return 1.0, 0.0, f"are not numbers, {_COUNTED}"
    positions: Sequence[float] | Any = numbers.astype(float)
    if not np.isfinite(positions).all():
        return 1.0, 0.0, f"are not all finite, {_COUNTED}"
    if len(positions) == 1:
        return 1.0, float(positions[0]), ""
    step = float(positions[-1] - positions[0]) / (len(positions) - 1)
    expected = positions[0] + step * np.arange(len(positions))
    if step == 0 or np.abs(positions - expected).max() > REGULAR * abs(step):
        return 1.0, 0.0, f"are not in equal steps, {_COUNTED}"
    if step < 0:
        return abs(step), 0.0, "run downwards, so positions along it start at 0 and run upwards"
    return step, float(positions[0]), ""
