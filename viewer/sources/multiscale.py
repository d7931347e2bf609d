"""Several arrays, each coarser than the one before, as the levels of one source."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from viewer.errors import ClosedError, InvalidDataError
from viewer.sources.description import Description
from viewer.sources.file_part import FilePart
from viewer.sources.protocol import (
    Array,
    FiledSource,
    IdentifiedSource,
    Source,
    Storage,
    StoredSource,
)
from viewer.space import Box
from viewer.state import Axis, Level


class MultiscaleSource:
    """Levels that are sources themselves.

    Parameters
    ----------
    parts : sequence of Source
        Of one level each, finest first; closed with this one.
    levels : tuple of Level
        Where each of them lies.
    """

    def __init__(self, parts: Sequence[Source], levels: tuple[Level, ...]) -> None:
        first = parts[0]
        self.dtype: np.dtype[Any] = first.dtype
        self.axes: tuple[Axis, ...] = first.axes
        self.levels: tuple[Level, ...] = levels
        self.units: str = first.units
        self.chunks: tuple[int, ...] | None = first.chunks
        self._parts: tuple[Source, ...] = tuple(parts)

    @property
    def identity(self) -> str | None:
        """See `IdentifiedSource.identity`: the coarser levels are of the same data."""
        first = self._part(0)
        return first.identity if isinstance(first, IdentifiedSource) else None

    @property
    def file(self) -> FilePart | None:
        """See `FiledSource.file`: that of the finest level."""
        first = self._part(0)
        return first.file if isinstance(first, FiledSource) else None

    def chunks_of(self, level: int) -> tuple[int, ...] | None:
        """See `LeveledSource.chunks_of`."""
        return self._part(level).chunks

    def read(self, level: int, box: Box) -> Array:
        """See `Source.read`."""
        return self._part(level).read(0, box)

    def storage(self, level: int) -> Storage | None:
        """See `StoredSource.storage`."""
        part = self._part(level)
        return part.storage(0) if isinstance(part, StoredSource) else None

    def read_stored(self, level: int, index: tuple[int, ...]) -> bytes | None:
        """See `StoredSource.read_stored`."""
        part = self._part(level)
        assert isinstance(part, StoredSource)
        return part.read_stored(0, index)

    def close(self) -> None:
        """See `Source.close`."""
        parts, self._parts = self._parts, ()
        for part in parts:
            part.close()

    def _part(self, level: int) -> Source:
        parts = self._parts
        if not parts:
            raise ClosedError("The layer has been closed.")
        return parts[level]


def describe_list(data: Sequence[Any]) -> Description:
    """A list of arrays as levels, as in napari."""
    return Description(data, tuple(data))


def check_parts(parts: Sequence[Any]) -> None:
    """Refuse arrays that are not the levels of one image.

    Raises
    ------
    InvalidDataError
        Unless they have as many axes and the same dtype, and each is smaller than the one before.
    """
    shapes = [tuple(map(int, part.shape)) for part in parts]
    if any(len(shape) != len(shapes[0]) for shape in shapes):
        raise InvalidDataError(
            f"Levels of shapes {_listed(shapes)} have different numbers of axes.",
            hint="Give each array its own layer, or levels with the same axes.",
        )
    kinds = [np.dtype(part.dtype).newbyteorder("=") for part in parts]
    if any(kind != kinds[0] for kind in kinds):
        raise InvalidDataError(
            f"Levels have different dtypes: {', '.join(map(str, dict.fromkeys(kinds)))}.",
            hint="Convert them, e.g. [level.astype(levels[0].dtype) for level in levels].",
        )
    for fine, coarse in itertools.pairwise(shapes):
        if fine == coarse or any(n < m for n, m in zip(fine, coarse, strict=True)):
            raise InvalidDataError(
                f"A list of arrays of shapes {_listed(shapes)} is no multiscale image: each level "
                "must be smaller than the one before.",
                hint="Arrays of one shape become one volume with np.stack(arrays); different "
                "images are added one by one.",
            )


def check_leading(levels: Sequence[Level], axes: Sequence[Axis]) -> None:
    """Refuse levels that are reduced along an axis that is not spatial."""
    for position, axis in enumerate(axes):
        lengths = {level.shape[position] for level in levels}
        if axis.kind != "space" and len(lengths) > 1:
            raise InvalidDataError(
                f"Levels have different lengths along the axis {axis.name!r}: "
                f"{', '.join(map(str, sorted(lengths, reverse=True)))}.",
                hint="Only spatial axes, which come last, get coarser from level to level.",
            )


def _listed(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes[:6])) + (", …" if len(shapes) > 6 else "")
