"""Where an array lies in the world: names, kinds, scale and offset of its axes.

Everything that a user can say about axes is checked here, once, when the data is added. Arrays
are (…, z, y, x): the trailing two or three axes are spatial, unless their name says time or
channel; each axis before them gets a slider.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np

from viewer.errors import InvalidDataError, InvalidValueError, UnsupportedDataError
from viewer.space import canonical_unit
from viewer.state import Axis, Level

DEFAULT_NAMES: dict[int, tuple[str, ...]] = {
    2: ("y", "x"),
    3: ("z", "y", "x"),
    4: ("t", "z", "y", "x"),
    5: ("t", "c", "z", "y", "x"),
    6: ("p", "t", "c", "z", "y", "x"),
}
"""Names of the axes by their number, when none are given."""

_KINDS = {"t": "time", "time": "time", "c": "channel", "channel": "channel"}
_SPATIAL_NAMES = {"z", "y", "x"}


class Geometry(msgspec.Struct, frozen=True):
    """Axes, level 0 and spatial unit of an array, checked."""

    axes: tuple[Axis, ...]
    level: Level
    units: str


def plan_geometry(
    shape: Iterable[int],
    *,
    scale: Sequence[float] | float | None = None,
    translate: Sequence[float] | float | None = None,
    units: str | None = None,
    axis_labels: Sequence[str] | None = None,
) -> Geometry:
    """Names, kinds and transform for an array of this shape.

    Parameters
    ----------
    shape : iterable of int
        Voxels along every axis, 2 to 6 axes.
    scale : sequence of float, optional
        Distance of neighbouring voxels: one positive number for each axis, or for each spatial
        one; a single number counts for all spatial axes. Default 1.
    translate : sequence of float, optional
        World position of voxel 0, given like `scale`. Default 0.
    units : str, optional
        Unit of the spatial axes, as ``"nm"`` or ``"micrometer"``.
    axis_labels : sequence of str, optional
        A name for each axis; `DEFAULT_NAMES` otherwise.

    Raises
    ------
    InvalidDataError, InvalidValueError
        For a shape or names that make no picture, for numbers that make no transform.
    """
    shape = tuple(int(n) for n in shape)
    _check_shape(shape)
    unit = canonical_unit(units)
    names = _plan_names(shape, axis_labels)
    spatial = _count_spatial(names)
    leading = len(shape) - spatial
    axes = tuple(
        Axis(name, "space", unit) if position >= leading else Axis(name, axis_kind(name))  # type: ignore[arg-type]
        for position, name in enumerate(names)
    )
    steps = _numbers("scale", scale, leading, spatial, default=1.0)
    if any(step <= 0 for step in steps):
        raise InvalidValueError(
            f"scale={scale!r} must be positive on every axis.",
            hint="To mirror an axis, flip the array: data[..., ::-1].",
        )
    offsets = _numbers("translate", translate, leading, spatial, default=0.0)
    return Geometry(axes, Level(shape, steps, offsets), unit)


def axis_kind(name: str) -> str:
    """``"time"``, ``"channel"`` or ``"other"``, by an axis's name."""
    return _KINDS.get(name.lower(), "other")


def scale_levels(shapes: Sequence[tuple[int, ...]], first: Level) -> tuple[Level, ...]:
    """Levels of these shapes, finest first, that fill the same box in the world as the first.

    Reduced sizes are rounded: 5 voxels become 2 or 3. A whole factor that explains a size is
    taken for the factor. A voxel's centre moves with its size, corners stay.
    """
    levels = []
    for shape in shapes:
        factors = [_factor(n, m) for n, m in zip(first.shape, shape, strict=True)]
        levels.append(
            Level(
                shape,
                tuple(s * f for s, f in zip(first.scale, factors, strict=True)),
                tuple(
                    t + (f - 1) / 2 * s
                    for t, s, f in zip(first.translate, first.scale, factors, strict=True)
                ),
            )
        )
    return tuple(levels)


def _factor(fine: int, coarse: int) -> float:
    whole = max(round(fine / coarse), 1)
    # between the two roundings lie those programs that drop a rest and those that keep it
    return whole if fine // whole <= coarse <= -(-fine // whole) else fine / coarse


def place_levels(levels: Sequence[Level], first: Level) -> tuple[Level, ...]:
    """The levels moved and scaled together, so that the first lies like `first`."""
    old = levels[0]
    ratio = [b / a for a, b in zip(old.scale, first.scale, strict=True)]
    return tuple(
        Level(
            level.shape,
            tuple(s * r for s, r in zip(level.scale, ratio, strict=True)),
            tuple(
                b + (t - a) * r
                for t, a, b, r in zip(
                    level.translate, old.translate, first.translate, ratio, strict=True
                )
            ),
        )
        for level in levels
    )


def check_dtype(dtype: Any) -> np.dtype[Any]:
    """`dtype` in native byte order, if it is one that can be shown.

    Raises
    ------
    UnsupportedDataError
        With the remedy, for everything but bool, integers and floats of 8 to 64 bit.
    """
    try:
        kind: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        raise UnsupportedDataError(
            f"dtype {dtype!r} is not a NumPy dtype.", hint="Add np.asarray(data) instead."
        ) from None
    if kind.kind in "biu" or (kind.kind == "f" and kind.itemsize <= 8):
        native: np.dtype[Any] = kind.newbyteorder("=")
        return native
    if kind.names:
        hint = f"Add one of its fields, e.g. data[{kind.names[0]!r}]."
    else:
        hint = {
            "c": "Add np.abs(data) or data.real instead.",
            "f": "Add data.astype(np.float64) instead.",
            "O": "Add data.astype(np.float32) or another number type, if the objects are numbers.",
            "M": "Add data.astype(np.int64) instead.",
            "m": "Add data.astype(np.int64) instead.",
        }.get(kind.kind, "Add an array of numbers, e.g. data.astype(np.float32).")
    raise UnsupportedDataError(
        f"Arrays of dtype {kind} cannot be shown; bool, integers and floats of 8 to 64 bit can.",
        hint=hint,
    )


def check_array(shape: tuple[int, ...], dtype: Any) -> None:
    """Refuse what cannot be shown, with the remedy: by `check_dtype`, and for its shape.

    Raises
    ------
    UnsupportedDataError, InvalidDataError
    """
    check_dtype(dtype)
    _check_shape(shape)


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) < 2:
        raise InvalidDataError(
            f"An array of {len(shape)} axes (shape {shape}) is not a picture; 2 to 6 axes are.",
            hint="Add data[np.newaxis] to show a row of values as an image."
            if shape
            else "Add an array of at least two axes.",
        )
    if len(shape) > 6:
        raise InvalidDataError(
            f"An array of {len(shape)} axes (shape {shape}) is too many; 2 to 6 axes can be shown.",
            hint="Add a part of it, e.g. data[0], or merge axes with data.reshape.",
        )
    if 0 in shape:
        raise InvalidDataError(
            f"An array of shape {shape} is empty.", hint="Add one with a voxel on every axis."
        )


def _plan_names(shape: tuple[int, ...], labels: Sequence[str] | None) -> tuple[str, ...]:
    if labels is None:
        return DEFAULT_NAMES[len(shape)]
    names = tuple(labels) if isinstance(labels, Iterable) else ()
    if (
        len(names) != len(shape)
        or len(set(names)) != len(names)
        or not all(isinstance(name, str) and name for name in names)
    ):
        raise InvalidDataError(
            f"axis_labels={labels!r} must be {len(shape)} different names, one for each axis of "
            f"the shape {shape}.",
            hint=f"For example {DEFAULT_NAMES[len(shape)]}.",
        )
    return names


def _count_spatial(names: tuple[str, ...]) -> int:
    count = 0
    for name in reversed(names[-3:]):
        if name.lower() in _KINDS:
            break
        count += 1
    before = names[: len(names) - count]
    if sum(name.lower() not in _KINDS for name in names) < 2:
        raise InvalidDataError(
            f"Axes {names} have fewer than two spatial axes.",
            hint="Add data[..., np.newaxis, :] with a name more to show values along one axis.",
        )
    if count < 2 or any(name.lower() in _SPATIAL_NAMES for name in before):
        position = len(before) - 1
        raise InvalidDataError(
            f"Axes {names} have {names[position]!r} after a spatial axis; spatial axes come last.",
            hint=f"Add np.moveaxis(data, {position}, 0), with axis_labels in the same order.",
        )
    return count


def _numbers(
    what: str,
    given: Sequence[float] | float | None,
    leading: int,
    spatial: int,
    *,
    default: float,
) -> tuple[float, ...]:
    if given is None:
        return (default,) * (leading + spatial)
    values: tuple[float, ...] = ()
    try:
        numbers = np.asarray(given)
    except ValueError:  # of ragged nesting
        numbers = np.asarray("")
    if numbers.dtype.kind in "iuf" and numbers.ndim <= 1:
        values = tuple(map(float, numbers if numbers.ndim else (numbers.item(),) * spatial))
    if len(values) == spatial:
        values = (default,) * leading + values
    if len(values) != leading + spatial:
        raise InvalidValueError(
            f"{what}={given!r} must be {spatial} numbers, one for each spatial axis"
            + (f", or {leading + spatial}, one for each axis." if leading else "."),
        )
    if not all(map(math.isfinite, values)):
        raise InvalidValueError(f"{what}={given!r} must be finite on every axis.")
    return values
