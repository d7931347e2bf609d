"""Imaris files (.ims): HDF5 by a fixed plan, with levels, times, channels and a place.

    /DataSet/ResolutionLevel 0/TimePoint 0/Channel 0/Data     (z, y, x), padded to whole chunks
    /DataSetInfo/Image                                        extent in the world, unit
    /DataSetInfo/Channel 0                                    name, colour, range

How much of an array is image stands beside it (`ImageSizeX` …); numbers are texts of one-letter
strings.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from viewer.sources.description import Channel, Description, Suggestions, Transform, length_unit
from viewer.sources.files.opened import stem_of
from viewer.sources.geometry import plan_geometry
from viewer.sources.hdf5 import Hdf5Source
from viewer.sources.protocol import Array
from viewer.sources.sliced import Sliced
from viewer.space import Box

_FIRST = "DataSet/ResolutionLevel 0/TimePoint 0/Channel 0/Data"


def is_imaris(file: Any) -> bool:
    """Whether an open HDF5 file has Imaris's plan."""
    return _FIRST in file


def describe_imaris(file: Any, path: str) -> Description:
    """The image in an open file; the lock of HDF5 must be held."""
    levels = _numbered(file["DataSet"], "ResolutionLevel")
    parts = [_Level(level) for level in levels]
    # What has grown no smaller is no level of its own.
    parts = [
        part
        for index, part in enumerate(parts)
        if not index or math.prod(part.shape) < math.prod(parts[index - 1].shape)
    ]
    image = file.get("DataSetInfo/Image")
    sizes = parts[0].shape[-3:]
    scale, translate = [1.0] * 3, [0.0] * 3
    unit = "" if image is None else length_unit(_text(image, "Unit") or "um")
    for axis, name in enumerate("210"):  # of x, y and z Imaris counts x first
        low, high = (
            _number(image, f"{end}{name}") if image is not None else None
            for end in ("ExtMin", "ExtMax")
        )
        if low is not None and high is not None and high > low:
            scale[axis] = (high - low) / sizes[axis]
            translate[axis] = low + scale[axis] / 2
    names = parts[0].names
    leading = len(names) - 3
    count = parts[0].shape[names.index("c")] if "c" in names else 1
    channels = tuple(_channel(file, index) for index in range(count))
    return Description(
        file,
        tuple(parts),
        names,
        (Transform((1.0,) * leading + tuple(scale), (0.0,) * leading + tuple(translate)),),
        unit,
        Suggestions(
            name=stem_of(path, [".ims", ".h5", ".hdf5"]),
            channel_axis=names.index("c") if "c" in names else None,
            channels=channels,
        ),
    )


class _Level(Sliced):
    """A level as one array (t, c, z, y, x) without padding, nor t and c where there is one."""

    def __init__(self, group: Any) -> None:
        times = [_numbered(time, "Channel") for time in _numbered(group, "TimePoint")]
        first = times[0][0]
        data = first["Data"]
        self.dtype = data.dtype
        size = tuple(
            min(int(_number(first, f"ImageSize{name}") or n), n)
            for name, n in zip("ZYX", data.shape, strict=True)
        )
        leading = (len(times), min(map(len, times)))
        self._kept = tuple(axis for axis in (0, 1) if leading[axis] > 1)
        self.names = (*("tc"[axis] for axis in self._kept), "z", "y", "x")
        self.shape = (*(leading[axis] for axis in self._kept), *size)
        chunks = data.chunks
        self.chunks = None if chunks is None else ((1,) * len(self._kept) + tuple(chunks))
        geometry = plan_geometry(data.shape)
        self._sources = [
            [Hdf5Source(channel["Data"], geometry) for channel in channels[: leading[1]]]
            for channels in times
        ]

    def _take(self, index: tuple[slice, ...]) -> Array:
        if any(part.step not in (None, 1) for part in index):
            raise IndexError("steps are not known here")
        spans = [range(1), range(1)]
        for axis, part in zip(self._kept, index, strict=False):
            spans[axis] = range(part.start, part.stop)
        inside = index[-3:]
        box = Box(tuple(part.start for part in inside), tuple(part.stop for part in inside))
        out = np.empty((len(spans[0]), len(spans[1]), *box.shape), self.dtype)
        for i, time in enumerate(spans[0]):
            for j, channel in enumerate(spans[1]):
                out[i, j] = self._sources[time][channel].read(0, box)
        return out.reshape(tuple(part.stop - part.start for part in index))


def _numbered(group: Any, name: str) -> list[Any]:
    """Groups of this name, in the order of their numbers."""
    found: list[Any] = []
    while (key := f"{name} {len(found)}") in group:
        found.append(group[key])
    return found


def _channel(file: Any, index: int) -> Channel:
    group = file.get(f"DataSetInfo/Channel {index}")
    if group is None:
        return Channel()
    color = _numbers(group, "Color")
    window = _numbers(group, "ColorRange")
    return Channel(
        _text(group, "Name"),
        "#" + "".join(f"{round(255 * min(max(part, 0), 1)):02x}" for part in color)
        if len(color) == 3
        else None,
        (window[0], window[1]) if len(window) == 2 and window[0] < window[1] else None,
    )


def _text(group: Any, name: str) -> str:
    """An attribute, which Imaris writes letter by letter."""
    value = np.asarray(group.attrs.get(name, ""))
    letters = [
        part.decode("latin-1") if isinstance(part, bytes) else str(part) for part in value.flat
    ]
    return "".join(letters).strip("\0 ")


def _numbers(group: Any, name: str) -> list[float]:
    try:
        numbers = [float(part) for part in _text(group, name).split()]
    except ValueError:
        return []
    return numbers if all(map(math.isfinite, numbers)) else []


def _number(group: Any, name: str) -> float | None:
    numbers = _numbers(group, name)
    return numbers[0] if len(numbers) == 1 else None
