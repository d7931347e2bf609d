"""The options of `Viewer.add_image` and `Viewer.add_labels`, and what they default to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import ArrayLike

from viewer import state
from viewer.colormaps import CHANNEL_TINTS
from viewer.errors import InvalidValueError
from viewer.sources.channel import MOST_CHANNELS
from viewer.sources.description import Channel, Description

PHOTOGRAPH_EDGE = 16
"""Pixels along both edges from which on three values at the end are taken for colours."""


class ImageOptions(TypedDict, total=False):
    """Keywords of `Viewer.add_image` besides ``channel_axis``; it says what they mean."""

    name: str | Sequence[str] | None
    scale: Sequence[float] | float | None
    translate: Sequence[float] | float | None
    affine: ArrayLike | None
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
    affine: ArrayLike | None
    units: str | None
    axis_labels: Sequence[str] | None
    opacity: float
    visible: bool
    selected: Iterable[int]
    hidden: Iterable[int]
    show_selected_only: bool
    colors: Mapping[int, object] | None
    seed: int
    contour: int
    show_meshes: bool
    mesh_opacity: float
    silhouette: float
    metadata: Mapping[str, Any] | None


class SurfaceOptions(TypedDict, total=False):
    """Keywords of `Viewer.add_surface`; it says what they mean."""

    name: str | None
    scale: Sequence[float] | float | None
    translate: Sequence[float] | float | None
    affine: ArrayLike | None
    units: str | None
    colormap: str
    contrast_limits: Sequence[float] | None
    gamma: float
    color: object
    opacity: float
    silhouette: float
    visible: bool
    metadata: Mapping[str, Any] | None


IMAGE_OPTIONS = frozenset(ImageOptions.__annotations__) | {"channel_axis"}
LABELS_OPTIONS = frozenset(LabelsOptions.__annotations__)
SURFACE_OPTIONS = frozenset(SurfaceOptions.__annotations__)

LABEL_TYPES = ("bool", "uint32", "uint64")
"""dtypes that `Viewer.add` takes for labels: masks, and what segmentation programs write."""


class ImageLook(msgspec.Struct, frozen=True):
    """How one image layer starts: what was asked for, else suggested by the data, else usual."""

    name: str
    colormap: Any
    limits: Any
    """Contrast limits; None to find them."""
    visible: bool = True


def plan_looks(
    described: Description,
    channels: int | None,
    *,
    name: Any,
    colormap: Any,
    contrast_limits: Any,
) -> list[ImageLook]:
    """The look of an image, or of each of its channels.

    Parameters
    ----------
    described : Description
        Of the data.
    channels : int or None
        How many layers are made along a channel axis; None when it is not split.
    name, colormap, contrast_limits
        As given to `Viewer.add_image`.

    Raises
    ------
    InvalidValueError
        For lists of another length than there are channels.
    """
    said = described.suggestions
    base = default_name(described, "image") if name is None else name
    if channels is None:
        only = said.channel(0) if len(said.channels) == 1 else Channel()
        return [
            ImageLook(
                base,
                (only.color or "gray") if colormap is None else colormap,
                only.window if contrast_limits is None else contrast_limits,
                only.visible,
            )
        ]
    names = each("name", name, channels, single=str)
    colormaps = each("colormap", colormap, channels, single=str)
    pairs = each("contrast_limits", contrast_limits, channels, single=float)
    looks = []
    for index in range(channels):
        own = said.channel(index)
        suggested = own.name if name is None else ""
        tint = own.color or CHANNEL_TINTS[index % len(CHANNEL_TINTS)]
        window = own.window if contrast_limits is None else contrast_limits
        looks.append(
            ImageLook(
                names[index] if names else suggested or f"{base} [{index}]",
                colormaps[index] if colormaps else tint if colormap is None else colormap,
                pairs[index] if pairs else window,
                own.visible,
            )
        )
    return looks


def split_axis(described: Description) -> int | None:
    """The axis whose entries get layers of their own when a file is opened."""
    axis = described.suggestions.channel_axis
    if axis is None or not 1 < described.parts[0].shape[axis] <= MOST_CHANNELS:
        return None
    return axis


def tell_photograph(described: Description) -> Description:
    """With a notice where an array (y, x, 3 or 4) seems to be a picture of colours."""
    part = described.parts[0]
    shape, dtype = tuple(part.shape), np.dtype(part.dtype)
    if described.names is not None or len(shape) != 3 or shape[-1] not in (3, 4):
        return described
    if min(shape[:2]) < PHOTOGRAPH_EDGE or not (dtype.kind == "f" or dtype in ("u1", "u2")):
        return described
    said = described.suggestions
    notice = (
        f"Data of shape {shape} is shown as a volume, {shape[-1]} voxels wide. If it is a picture "
        "of red, green and blue, add data[..., :3] with channel_axis=-1 and "
        "colormap=['red', 'green', 'blue']."
    )
    return replace(described, suggestions=replace(said, notices=(*said.notices, notice)))


def default_name(described: Description, kind: str) -> str:
    """What data is called: by itself, or as a dataset in its file; else `kind`."""
    if described.suggestions.name:
        return described.suggestions.name
    data = described.data
    # a dask array's name is a hash
    name = None if type(data).__module__.startswith("dask.") else getattr(data, "name", None)
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
