"""What data says about itself: its levels, its axes, and how it would like to be seen.

An array says nothing, a NumPy array not even its axes. An OME-Zarr group, an xarray.DataArray or a
file says a lot, each in its own words; `Description` is the one form of it. What the user gives
stands above what the data says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from viewer.orientation import STRAIGHT, Quaternion
from viewer.sources.file_part import FilePart
from viewer.space import canonical_unit, conversion
from viewer.state import IDENTITY, Affine, Row


class Channel(msgspec.Struct, frozen=True):
    """How one channel, or an image without channels, would like to be seen."""

    name: str = ""
    color: str | None = None
    """``"#rrggbb"`` of the brightest value, or the name of a colour map."""
    window: tuple[float, float] | None = None
    """Contrast limits (low, high), low < high."""
    visible: bool = True


RGB = (Channel("red", "#ff0000"), Channel("green", "#00ff00"), Channel("blue", "#0000ff"))
"""The channels of a picture in colours."""


class Suggestions(msgspec.Struct, frozen=True):
    """How data would like to be seen: what is not said is left to the viewer."""

    name: str = ""
    labels: bool = False
    """Whether the values are identities."""
    quantity: bool = False
    """Whether they are known not to be, whatever the name."""
    channel_axis: int | None = None
    """The axis that counts channels, each of which is better seen as a layer of its own."""
    channels: tuple[Channel, ...] = ()
    label_colors: Mapping[int, str] = msgspec.field(default_factory=dict)
    """Label → ``"#rrggbb"``."""
    metadata: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """Worth keeping with the layer, as JSON has it."""
    upright: Quaternion = STRAIGHT
    """How the slices lie that show it as its field does."""
    notices: tuple[str, ...] = ()
    """What the user should know, as that coordinates could not be used."""

    def channel(self, index: int) -> Channel:
        """What is said of a channel; nothing of those beyond the list."""
        return self.channels[index] if index < len(self.channels) else Channel()


class Transform(msgspec.Struct, frozen=True):
    """Where a level lies: one entry an axis, space in the description's unit."""

    scale: tuple[float, ...]
    translate: tuple[float, ...]


class Description(msgspec.Struct, frozen=True):
    """Data in parts that can be read.

    Parameters
    ----------
    data : object
        What the user handed over, or what stands for a file that was opened.
    parts : tuple
        An array for each level, finest first.
    names : tuple of str, optional
        Of all axes.
    transforms : tuple of Transform, optional
        Of each level, or of the first alone: where the others lie then follows from their shapes.
    units : str
        Canonical unit of the spatial axes, ``""`` for none.
    suggestions : Suggestions
    affine : Affine
        Where what the transforms say lies in the world.
    file : FilePart, optional
        Of what was opened by its name: what it was.
    """

    data: Any
    parts: tuple[Any, ...]
    names: tuple[str, ...] | None = None
    transforms: tuple[Transform, ...] = ()
    units: str = ""
    suggestions: Suggestions = Suggestions()
    affine: Affine = IDENTITY
    file: FilePart | None = None

    def affine_in(self, units: str) -> tuple[Row, ...] | None:
        """The homogeneous matrix of `affine`, with lengths in `units`; None for the identity."""
        if self.affine == IDENTITY:
            return None
        factor = conversion(self.units, units)
        rows = [(z, y, x, offset * factor) for z, y, x, offset in self.affine]
        return (*rows, (0.0, 0.0, 0.0, 1.0))

    def options(
        self,
        scale: Sequence[float] | float | None = None,
        translate: Sequence[float] | float | None = None,
        units: str | None = None,
        axis_labels: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        """Keywords for `plan_geometry` of level 0: what is given, and else what the data says.

        What the data says is converted to the unit that is given.
        """
        factor = 1.0 if units is None else conversion(self.units, canonical_unit(units))
        if self.transforms:
            first = self.transforms[0]
            spatial = _spatial(self.names, len(first.scale))

            def own(numbers: tuple[float, ...]) -> tuple[float, ...]:
                return tuple(n * factor if s else n for n, s in zip(numbers, spatial, strict=True))

            scale = own(first.scale) if scale is None else scale
            translate = own(first.translate) if translate is None else translate
        return {
            "scale": scale,
            "translate": translate,
            "units": self.units if units is None else units,
            "axis_labels": self.names if axis_labels is None else axis_labels,
        }


def _spatial(names: tuple[str, ...] | None, count: int) -> tuple[bool, ...]:
    from viewer.sources.geometry import axis_kind

    if names is None:
        return tuple(axis >= count - 3 for axis in range(count))
    return tuple(axis_kind(name) == "other" for name in names)


def length_unit(unit: object) -> str:
    """Canonical spelling of a unit of length, and ``""`` for everything else."""
    if not isinstance(unit, str):
        return ""
    try:
        return canonical_unit(unit)
    except ValueError:
        return ""
