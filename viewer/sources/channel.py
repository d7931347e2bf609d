"""One channel of an array as a source of its own.

``add_image(data, channel_axis=0)`` makes a layer a channel. Each reads from the same data through
the data's own adapter, so HDF5 keeps its lock and Zarr its chunks; nothing is loaded or copied.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from viewer.errors import InvalidDataError, InvalidValueError
from viewer.sources import as_source
from viewer.sources.geometry import plan_geometry
from viewer.sources.protocol import Array, Source
from viewer.space import Box
from viewer.state import Axis, Level

MOST_CHANNELS = 64
"""Layers made of one array. More are a mistaken axis: nobody tells so many tints apart."""


class ChannelSource:
    """A source with one axis held at one index.

    Parameters
    ----------
    source : Source
        The data with all its axes; closed with the channel.
    axis : int
        Position of the axis that is left out, from 0.
    index : int
        Where it is held, from 0.
    axes, level, units
        What remains, as the layer has it.
    """

    def __init__(
        self,
        source: Source,
        axis: int,
        index: int,
        *,
        axes: tuple[Axis, ...],
        level: Level,
        units: str,
    ) -> None:
        self.dtype: np.dtype[Any] = source.dtype
        self.axes = axes
        self.levels: tuple[Level, ...] = (level,)
        self.units = units
        chunks = source.chunks
        self.chunks = None if chunks is None else chunks[:axis] + chunks[axis + 1 :]
        self._source = source
        self._axis = axis
        self._index = index

    def read(self, level: int, box: Box) -> Array:
        """See `Source.read`."""
        axis, index = self._axis, self._index
        whole = Box(
            (*box.start[:axis], index, *box.start[axis:]),
            (*box.stop[:axis], index + 1, *box.stop[axis:]),
        )
        voxels: Array = self._source.read(0, whole)
        return voxels.squeeze(axis) if voxels.shape[axis : axis + 1] == (1,) else voxels

    def close(self) -> None:
        """See `Source.close`."""
        self._source.close()


def channel_sources(
    data: Any,
    channel_axis: int,
    *,
    scale: Sequence[float] | float | None = None,
    translate: Sequence[float] | float | None = None,
    units: str | None = None,
    axis_labels: Sequence[str] | None = None,
) -> list[ChannelSource]:
    """A source for each channel of an array.

    Parameters
    ----------
    data : numpy.ndarray, h5py.Dataset, zarr.Array or array_like
        3 to 6 axes.
    channel_axis : int
        Which axis counts the channels; negative counts from the end.
    scale, translate, axis_labels
        As for `as_source`, with or without an entry for the channel axis.
    units : str, optional
        Unit of the spatial axes.

    Raises
    ------
    InvalidValueError
        For an axis that `data` does not have.
    InvalidDataError, UnsupportedDataError
        As for `as_source`.
    """
    try:
        shape = tuple(data.shape)
    except Exception:  # not an array, or of a closed file: this says which
        as_source(data)
        raise
    count = len(shape)
    try:
        axis = operator.index(channel_axis)
    except TypeError:
        axis = count
    if isinstance(channel_axis, bool) or not -count <= axis < count:
        raise InvalidValueError(
            f"channel_axis={channel_axis!r} is not an axis of data of shape {shape}.",
            hint=f"Use {-count} to {count - 1}." if count else "Leave it out.",
        )
    if count < 3:
        raise InvalidDataError(
            f"Data of shape {shape} leaves no picture without its channel axis.",
            hint="Leave channel_axis out.",
        )
    axis %= count
    if shape[axis] > MOST_CHANNELS:
        raise InvalidValueError(
            f"channel_axis={channel_axis!r} of data of shape {shape} would make {shape[axis]} "
            f"layers; at most {MOST_CHANNELS} are made.",
            hint="Without channel_axis, an axis before the spatial ones gets a slider.",
        )
    geometry = plan_geometry(
        shape[:axis] + shape[axis + 1 :],
        scale=_without(scale, axis, count),
        translate=_without(translate, axis, count),
        units=units,
        axis_labels=_without(axis_labels, axis, count),
    )
    # the adapter is used for its reads alone; names that mean nothing pass any order of axes
    names = [f"axis {number}" for number in range(count)]
    return [
        ChannelSource(
            as_source(data, axis_labels=names),
            axis,
            index,
            axes=geometry.axes,
            level=geometry.level,
            units=geometry.units,
        )
        for index in range(shape[axis])
    ]


def _without(values: Any, axis: int, count: int) -> Any:
    """`values` without the channel axis's entry, where they have one."""
    if values is None or np.ndim(values) != 1 or len(values) != count:
        return values
    return [value for number, value in enumerate(values) if number != axis]
