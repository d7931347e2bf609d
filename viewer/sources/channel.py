"""One channel of an array as a source of its own.

``add_image(data, channel_axis=0)`` makes a layer a channel. Each reads from the same data through
the data's own adapter, so HDF5 keeps its lock and Zarr its chunks; nothing is loaded or copied.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace

from viewer.errors import InvalidDataError, InvalidValueError
from viewer.sources import adapt, as_source, describe
from viewer.sources.file_part import FilePart
from viewer.sources.geometry import place_levels, plan_geometry
from viewer.sources.multiscale import check_leading
from viewer.sources.protocol import (
    Array,
    FiledSource,
    IdentifiedSource,
    LeveledSource,
    ResidentSource,
    SampledSource,
    Source,
    Storage,
    StoredSource,
)
from viewer.sources.zarr_storage import COMPRESSORS
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
    axes, levels, units
        What remains, as the layer has it.
    """

    def __init__(
        self,
        source: Source,
        axis: int,
        index: int,
        *,
        axes: tuple[Axis, ...],
        levels: tuple[Level, ...],
        units: str,
    ) -> None:
        self.dtype: np.dtype[Any] = source.dtype
        self.axes = axes
        self.levels = levels
        self.units = units
        self.chunks = _without_axis(source.chunks, axis)
        self._source = source
        self._axis = axis
        self._index = index

    @property
    def whole(self) -> Source:
        """The data with all its axes."""
        return self._source

    def of(self, source: Source) -> ChannelSource:
        """The same channel of other data."""
        return ChannelSource(
            source,
            self._axis,
            self._index,
            axes=self.axes,
            levels=self.levels,
            units=self.units,
        )

    def read(self, level: int, box: Box) -> Array:
        """See `Source.read`."""
        axis, index = self._axis, self._index
        whole = Box(
            (*box.start[:axis], index, *box.start[axis:]),
            (*box.stop[:axis], index + 1, *box.stop[axis:]),
        )
        voxels: Array = self._source.read(level, whole)
        return voxels.squeeze(axis) if voxels.shape[axis : axis + 1] == (1,) else voxels

    def chunks_of(self, level: int) -> tuple[int, ...] | None:
        """See `LeveledSource.chunks_of`."""
        source = self._source
        chunks = source.chunks_of(level) if isinstance(source, LeveledSource) else source.chunks
        return _without_axis(chunks, self._axis)

    def storage(self, level: int) -> Storage | None:
        """See `StoredSource.storage`: where a stored chunk holds one channel."""
        stored = self._source.storage(level) if isinstance(self._source, StoredSource) else None
        axis = self._axis
        if stored is None or stored.chunks[axis] != 1 or not _flat(stored.codecs):
            return None
        return replace(stored, chunks=stored.chunks[:axis] + stored.chunks[axis + 1 :])

    def read_stored(self, level: int, index: tuple[int, ...]) -> bytes | None:
        """See `StoredSource.read_stored`."""
        assert isinstance(self._source, StoredSource)
        axis = self._axis
        return self._source.read_stored(level, (*index[:axis], self._index, *index[axis:]))

    @property
    def resident(self) -> bool:
        """See `ResidentSource.resident`."""
        return isinstance(self._source, ResidentSource) and self._source.resident

    @property
    def file(self) -> FilePart | None:
        """See `FiledSource.file`."""
        return self._source.file if isinstance(self._source, FiledSource) else None

    @property
    def identity(self) -> str | None:
        """See `IdentifiedSource.identity`."""
        if not isinstance(self._source, IdentifiedSource) or self._source.identity is None:
            return None
        return f"{self._source.identity} [{self._axis}, {self._index}]"

    def sample(
        self, start: Sequence[int], stop: Sequence[int], step: Sequence[int]
    ) -> Array | None:
        """See `SampledSource.sample`."""
        if not isinstance(self._source, SampledSource):
            return None
        axis, index = self._axis, self._index
        voxels = self._source.sample(
            (*start[:axis], index, *start[axis:]),
            (*stop[:axis], index + 1, *stop[axis:]),
            (*step[:axis], 1, *step[axis:]),
        )
        return None if voxels is None else voxels.squeeze(axis)

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
    described = describe(data)
    try:
        shape = tuple(described.parts[0].shape)
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
    given = described.options(scale, translate, units, axis_labels)
    geometry = plan_geometry(
        shape[:axis] + shape[axis + 1 :],
        scale=_without(given["scale"], axis, count),
        translate=_without(given["translate"], axis, count),
        units=given["units"],
        axis_labels=_without(given["axis_labels"], axis, count),
    )
    # the adapter is used for its reads alone; names that mean nothing pass any order of axes
    names = [f"axis {number}" for number in range(count)]
    whole = plan_geometry(shape, **described.options(axis_labels=names))
    sources = [adapt(described, whole) for _ in range(shape[axis])]
    levels = place_levels(
        [
            Level(
                level.shape[:axis] + level.shape[axis + 1 :],
                level.scale[:axis] + level.scale[axis + 1 :],
                level.translate[:axis] + level.translate[axis + 1 :],
            )
            for level in sources[0].levels
        ],
        geometry.level,
    )
    check_leading(levels, geometry.axes)
    return [
        ChannelSource(source, axis, index, axes=geometry.axes, levels=levels, units=geometry.units)
        for index, source in enumerate(sources)
    ]


def _without_axis(numbers: tuple[int, ...] | None, axis: int) -> tuple[int, ...] | None:
    return None if numbers is None else numbers[:axis] + numbers[axis + 1 :]


def _flat(codecs: tuple[dict[str, Any], ...]) -> bool:
    """Whether codecs see nothing but bytes, so that an axis of one entry makes no difference."""
    return all(codec["name"] in ("bytes", *COMPRESSORS) for codec in codecs)


def _without(values: Any, axis: int, count: int) -> Any:
    """`values` without the channel axis's entry, where they have one."""
    if values is None or isinstance(values, str) or np.ndim(values) != 1 or len(values) != count:
        return values
    return [value for number, value in enumerate(values) if number != axis]
