"""The options of `Viewer.add_image` and `Viewer.add_labels`, and what they default to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from viewer import state
from viewer.errors import InvalidValueError


class ImageOptions(TypedDict, total=False):
    """Keywords of `Viewer.add_image` besides ``channel_axis``; it says what they mean."""

    name: str | Sequence[str] | None
    scale: Sequence[float] | float | None
    translate: Sequence[float] | float | None
    units: str | None
    axis_labels: Sequence[str] | None
    colormap: str | Sequence[str] | None
    contrast_limits: Sequence[float] | Sequence[Sequence[float]] | None
    gamma: float
    opacity: float
    blending: state.Blending | None
    visible: bool
    interpolation: state.Interpolation
    rendering: state.Rendering
    metadata: Mapping[str, Any] | None


class LabelsOptions(TypedDict, total=False):
    """Keywords of `Viewer.add_labels`; it says what they mean."""

    name: str | None
    scale: Sequence[float] | float | None
    translate: Sequence[float] | float | None
    units: str | None
    axis_labels: Sequence[str] | None
    opacity: float
    visible: bool
    selected: Iterable[int]
    colors: Mapping[int, object] | None
    metadata: Mapping[str, Any] | None


IMAGE_OPTIONS = frozenset(ImageOptions.__annotations__) | {"channel_axis"}
LABELS_OPTIONS = frozenset(LabelsOptions.__annotations__)

LABEL_TYPES = ("bool", "uint32", "uint64")
"""dtypes that `Viewer.add` takes for labels: masks, and what segmentation programs write."""


def default_name(data: Any, kind: str) -> str:
    """Last part of the name of an HDF5 dataset or Zarr array, else `kind`."""
    name = getattr(data, "name", None)
    last = name.rstrip("/").rsplit("/", 1)[-1] if isinstance(name, str) else ""
    return last or kind


def each(option: str, value: Any, count: int, *, single: type) -> list[Any] | None:
    """A value for each channel, when `value` is a list of them; None when it is one for all.

    Parameters
    ----------
    option : str
        Its name, for the message.
    value : object
    count : int
        Number of channels.
    single : {str, float}
        Whether one value is a text, or numbers.

    Raises
    ------
    InvalidValueError
        When there are not as many as channels.
    """
    if value is None or isinstance(value, str) or not hasattr(value, "__len__"):
        return None
    if single is float and len(value) and not hasattr(value[0], "__len__"):
        return None  # (low, high)
    if len(value) != count:
        raise InvalidValueError(
            f"{option} has {len(value)} entries for {count} channels.",
            hint="Give one for each channel, or a single one for all.",
        )
    return list(value)
