"""Axes, units and boxes: the frozen values that say where a voxel is.

Arrays are (…, z, y, x). The last two or three axes are *spatial*, those before them are
*leading* (time, channel, …) and get a slider each. World position of voxel ``i`` is
``i * scale + translate``; a voxel spans ``[i - 1/2, i + 1/2)`` (as in OME-Zarr and napari).
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import add, mul

import msgspec

from viewer.errors import InvalidValueError

METRES: dict[str, float] = {
    "pm": 1e-12,
    "Å": 1e-10,
    "nm": 1e-9,
    "µm": 1e-6,
    "mm": 1e-3,
    "cm": 1e-2,
    "m": 1.0,
    "km": 1e3,
}
"""Length of one unit in metres, by canonical spelling."""

_ALIASES: dict[str, str] = {
    "": "",
    "pixel": "",
    "voxel": "",
    "px": "",
    "picometer": "pm",
    "angstrom": "Å",
    "A": "Å",
    "nanometer": "nm",
    "um": "µm",
    "μm": "µm",
    "micron": "µm",
    "micrometer": "µm",
    "millimeter": "mm",
    "centimeter": "cm",
    "meter": "m",
    "kilometer": "km",
}

OME_NAMES: dict[str, str] = {
    "pm": "picometer",
    "Å": "angstrom",
    "nm": "nanometer",
    "µm": "micrometer",
    "mm": "millimeter",
    "cm": "centimeter",
    "m": "meter",
    "km": "kilometer",
}
"""Canonical unit → the spelling of the OME-Zarr specification."""


def canonical_unit(unit: str | None) -> str:
    """Canonical spelling of a unit of length.

    Parameters
    ----------
    unit : str or None
        ``"nm"``, ``"um"``, ``"micrometer"``, … ; None, ``""`` and ``"pixel"`` mean "no unit".

    Returns
    -------
    str
        A key of `METRES`, or ``""`` for no unit.

    Raises
    ------
    InvalidValueError
        For a unit that is not a length; the message lists the known ones.
    """
    if unit is None:
        return ""
    name = str(unit)
    if name in METRES:
        return name
    for alias in (name, name.lower(), name.lower().removesuffix("s").replace("metre", "meter")):
        if alias in _ALIASES:
            return _ALIASES[alias]
    raise InvalidValueError(
        f"units={unit!r} is not a known unit of length.",
        hint=f"Use one of {', '.join(METRES)}, or None for voxels.",
    )


def conversion(unit: str, to: str) -> float:
    """Factor from canonical `unit` to canonical `to`; 1.0 when either is ``""`` (no unit)."""
    if not unit or not to:
        return 1.0
    # 12 digits: 1e-6 / 1e-9 is 999.9999999999999 in binary
    return float(f"{METRES[unit] / METRES[to]:.12g}")


class Box(msgspec.Struct, frozen=True):
    """A half-open box of voxel indices: ``start <= index < stop`` on every axis.

    Parameters
    ----------
    start, stop : tuple of int
        One entry an axis, array order; ``0 <= start <= stop``.
    """

    start: tuple[int, ...]
    stop: tuple[int, ...]

    def __post_init__(self) -> None:
        right = len(self.start) == len(self.stop)
        for a, b in zip(self.start, self.stop, strict=False):  # a loop: boxes are made by the brick
            right = right and 0 <= a <= b
        if not right:
            raise InvalidValueError(f"Box({self.start}, {self.stop}) is not a box.")

    def __str__(self) -> str:
        """As an index is written: ``[0:16, 32:64]``."""
        spans = (f"{a}:{b}" for a, b in zip(self.start, self.stop, strict=True))
        return f"[{', '.join(spans)}]"

    @classmethod
    def whole(cls, shape: tuple[int, ...]) -> Box:
        """The box of a whole array of this shape."""
        return cls((0,) * len(shape), tuple(shape))

    @classmethod
    def of_cell(cls, index: tuple[int, ...], cell: tuple[int, ...], shape: tuple[int, ...]) -> Box:
        """One cell of a grid with this cell shape; smaller at the far borders of an array."""
        start = tuple(map(mul, index, cell))
        return cls(start, tuple(map(min, map(add, start, cell), shape)))

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of voxels along every axis."""
        return tuple(b - a for a, b in zip(self.start, self.stop, strict=True))

    @property
    def slices(self) -> tuple[slice, ...]:
        """The box as an index for an array."""
        return tuple(slice(a, b) for a, b in zip(self.start, self.stop, strict=True))

    @property
    def empty(self) -> bool:
        """Whether the box holds no voxel."""
        return any(a == b for a, b in zip(self.start, self.stop, strict=True))

    def overlaps(self, other: Box) -> bool:
        """Whether the boxes have voxels in common."""
        return all(
            max(a, c) < min(b, d)
            for a, b, c, d in zip(self.start, self.stop, other.start, other.stop, strict=True)
        )

    def meet(self, other: Box) -> Box:
        """The part of the box that lies in another one, which it overlaps."""
        return Box(tuple(map(max, self.start, other.start)), tuple(map(min, self.stop, other.stop)))

    def within(self, other: Box) -> tuple[slice, ...]:
        """The box as an index for an array that holds `other`, in which it lies."""
        return tuple(
            slice(a - origin, b - origin)
            for a, b, origin in zip(self.start, self.stop, other.start, strict=True)
        )

    def cells(self, cell: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        """Indices of all cells of a grid with this cell shape that the box touches."""
        import itertools

        return itertools.product(
            *(
                range(a // n, -(-b // n))
                for a, b, n in zip(self.start, self.stop, cell, strict=True)
            )
        )
