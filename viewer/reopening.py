"""What was opened by its name, opened again when another file may stand there.

Some data is read as a whole when it is opened, some is mapped, some has its header in memory: what
a program has written since then under the same name is seen after it has been opened again. Only
who refreshes a layer looks for that. The layer's pyramid goes on with the new source, for it has
been planned by shapes, chunks and dtype alone: these must be the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from viewer.errors import SourceError
from viewer.opening import Location, as_labels, open_data
from viewer.pyramids.transfer import chunks_of
from viewer.sources import adapt
from viewer.sources.channel import ChannelSource
from viewer.sources.file_part import FilePart
from viewer.sources.geometry import Geometry
from viewer.sources.hdf5 import Hdf5Source
from viewer.sources.protocol import ResidentSource, Source, StoredSource


class Anew(NamedTuple):
    """Data that was opened again."""

    data: Any
    """For the user."""
    source: Source
    close: Callable[[], None]
    """Closes the file."""


def open_anew(source: Source, part: FilePart) -> Anew | None:
    """A part of a file as it is now; None where `source`, which is of it, gives that.

    Parameters
    ----------
    source : Source
    part : FilePart

    Raises
    ------
    SourceError and others of `viewer.opening.open_data`
        When the file is gone or damaged, or not alike.
    """
    whole = source.whole if isinstance(source, ChannelSource) else source
    if part.files and not part.replaced:
        return None
    if isinstance(whole, Hdf5Source) and whole.follow():
        return None
    opened = open_data(Location(part.path, part.dataset))
    try:
        if part.number >= len(opened.shown):
            raise _unlike(part, "does not hold any more what it did")
        described = opened.shown[part.number]
        same = part.stamp is not None and described.file and described.file.stamp == part.stamp
        if same and _is_resident(whole):  # the user may have changed it there
            opened.close()
            return None
        if part.counted:
            described = as_labels(described)
        first = described.parts[0]
        shape = tuple(map(int, first.shape))
        dtype = np.dtype(first.dtype).newbyteorder("=")
        if (dtype, shape) != (whole.dtype, whole.levels[0].shape):
            before = f"{whole.dtype} {whole.levels[0].shape}"
            raise _unlike(part, f"held {before}, and holds {dtype} {shape} now")
        if described.names != part.names:
            before = _listed(part.names)
            raise _unlike(part, f"had the axes {before}, and has {_listed(described.names)} now")
        new = adapt(described, Geometry(whole.axes, whole.levels[0], whole.units))
        if _plan(new) != _plan(whole):
            raise _unlike(part, "has other levels, chunks or compression now, or is not whole")
    except BaseException:
        opened.close()
        raise
    new = source.of(new) if isinstance(source, ChannelSource) else new
    return Anew(described.data, new, opened.close)


def _plan(source: Source) -> list[Any]:
    """All by which a pyramid is planned, and what clients have been told of its chunks."""
    stored = source if isinstance(source, StoredSource) else None
    levels = [
        (level.shape, chunks_of(source, number), stored and stored.storage(number))
        for number, level in enumerate(source.levels)
    ]
    return [source.dtype, _is_resident(source), *levels]


def _is_resident(source: Source) -> bool:
    return isinstance(source, ResidentSource) and source.resident


def _listed(names: Sequence[str] | None) -> str:
    return f"({', '.join(names)})" if names else "without names"


def _unlike(part: FilePart, what: str) -> SourceError:
    return SourceError(
        f"{part.path} {what}.", hint="Remove the layer and open the file again: v.open(path)."
    )
