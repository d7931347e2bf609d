"""What the data path asks of data: a few attributes and one method.

A source is the user's array with names on it. It knows nothing of pyramids, caches or clients,
and it is read from several threads at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

import msgspec
import numpy as np

from viewer.space import Box
from viewer.state import Axis, Level

if TYPE_CHECKING:
    from viewer.sources.file_part import FilePart

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
"""An array of any shape and of one of the supported dtypes."""


@runtime_checkable
class Source(Protocol):
    """Chunked n-D data with named axes, a unit, a transform and one or more levels."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values, in native byte order."""

    @property
    def axes(self) -> tuple[Axis, ...]:
        """All axes, array order; two or three of kind ``"space"`` come last."""

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels that are stored, finest first, at least one; in the layer's own units."""

    @property
    def units(self) -> str:
        """Canonical unit of the spatial axes; ``""`` for none."""

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Shape of what is decoded at once at level 0; None where any box costs what it holds."""

    def read(self, level: int, box: Box) -> Array:
        """Voxels of `box`, in any memory layout and byte order; possibly a view of the data.

        Raises
        ------
        SourceError
            When the data cannot be read (any more).
        ClosedError
            After `close`.
        """

    def close(self) -> None:
        """Let go of the data; reads that are under way may still finish."""


@runtime_checkable
class SampledSource(Source, Protocol):
    """A source of which single voxels cost no more than themselves, however far apart."""

    def sample(
        self, start: Sequence[int], stop: Sequence[int], step: Sequence[int]
    ) -> Array | None:
        """One voxel of every `step` on each axis of level 0, from `start` to before `stop`.

        None where the data turns out not to be sliced in steps.
        """


@runtime_checkable
class ResidentSource(Source, Protocol):
    """A source that knows whether it is in memory."""

    @property
    def resident(self) -> bool:
        """Whether all voxels are in memory, and `read` gives views of them."""


@runtime_checkable
class LeveledSource(Source, Protocol):
    """A source whose levels are cut differently."""

    def chunks_of(self, level: int) -> tuple[int, ...] | None:
        """As `Source.chunks`, of any level that is stored."""


@runtime_checkable
class IdentifiedSource(Source, Protocol):
    """A source whose data can be told from all other data, also tomorrow."""

    @property
    def identity(self) -> str | None:
        """The same as long as the data is; None where that cannot be known."""


@runtime_checkable
class FiledSource(Source, Protocol):
    """A source that knows how it was opened."""

    @property
    def file(self) -> FilePart | None:
        """Which part of which file it is; None of an object that a user has handed over."""


class Storage(msgspec.Struct, frozen=True):
    """How a level's chunks are stored, in the words of Zarr v3's array metadata."""

    chunks: tuple[int, ...]
    """Shape of a chunk, all axes."""
    codecs: tuple[dict[str, Any], ...]
    """The ``codecs`` that decode a stored chunk."""
    separator: str = "/"
    """Between the indices of the chunk's key."""
    fill_value: Any = 0
    """Value of chunks that are not stored, as JSON has it."""


@runtime_checkable
class StoredSource(Source, Protocol):
    """A source whose chunks can be handed on as they are stored, without decoding them."""

    def storage(self, level: int) -> Storage | None:
        """How this level is stored; None where its chunks must be decoded to be of use."""

    def read_stored(self, level: int, index: tuple[int, ...]) -> bytes | None:
        """The stored bytes of one chunk, undecoded; None for a chunk that is not stored.

        Raises
        ------
        SourceError
            When the store cannot be read.
        ClosedError
            After `close`.
        """
