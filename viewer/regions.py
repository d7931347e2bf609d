"""A part of an array, said as one indexes it: ``np.s_[60:80]``, ``np.s_[..., -5:]``, a `Box`."""

from __future__ import annotations

import operator
from typing import Any

from viewer.errors import InvalidValueError
from viewer.space import Box

HINT = "Write it as an index: np.s_[60:80], np.s_[..., 100:200], np.s_[3, :, -1]."


def plan_region(region: Any, shape: tuple[int, ...]) -> Box:
    """The box that a region names.

    Parameters
    ----------
    region : None, int, slice, ``...``, tuple of them, or Box
        As an index into the array: negative numbers count from the end, slices end at the
        array's end, axes left out are whole. A slice with a step stands for all that it spans.
        None is the whole array.
    shape : tuple of int
        Of the array.

    Returns
    -------
    Box
        Within the array; possibly empty.

    Raises
    ------
    InvalidValueError
        For anything else, too many axes, and an index beyond the array.
    """
    if region is None:
        return Box.whole(shape)
    if isinstance(region, Box):
        if len(region.stop) != len(shape) or any(map(operator.gt, region.stop, shape)):
            raise InvalidValueError(
                f"region={region} is not within an array of shape {shape}.", hint=HINT
            )
        return region
    parts = list(region) if isinstance(region, tuple) else [region]
    dots = [place for place, part in enumerate(parts) if part is Ellipsis]
    if len(dots) > 1:
        raise InvalidValueError(f"region={region!r} has more than one '...'.", hint=HINT)
    given = len(parts) - len(dots)
    if given > len(shape):
        raise InvalidValueError(
            f"region={region!r} has {given} axes; the array has {len(shape)}.", hint=HINT
        )
    place = dots[0] if dots else len(parts)
    parts[place : place + 1] = [slice(None)] * (len(shape) - given)
    spans = [_span(part, n, region, shape) for part, n in zip(parts, shape, strict=True)]
    return Box(tuple(span[0] for span in spans), tuple(span[1] for span in spans))


def _span(part: Any, n: int, region: Any, shape: tuple[int, ...]) -> tuple[int, int]:
    if isinstance(part, slice):
        try:
            indices = range(*part.indices(n))
        except (TypeError, ValueError) as error:
            raise InvalidValueError(f"region={region!r}: {error}.", hint=HINT) from None
        return (min(indices), max(indices) + 1) if indices else (0, 0)
    try:
        if isinstance(part, bool):
            raise TypeError
        index = operator.index(part)
    except TypeError:
        raise InvalidValueError(
            f"region={region!r} is not allowed: {part!r} is neither a slice nor an integer.",
            hint=HINT,
        ) from None
    if not -n <= index < n:
        raise InvalidValueError(
            f"region={region!r}: {index} is beyond an axis of {n} in an array of shape {shape}.",
            hint=HINT,
        )
    return index % n, index % n + 1
