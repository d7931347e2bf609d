"""What the data path asks of data: a few attributes and one method.

A source is the user's array with names on it. It knows nothing of pyramids, caches or clients,
and it is read from several threads at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

from viewer.space import Box
from viewer.state import Axis, Level

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

    def sample(self, start: Sequence[int], stop: Sequence[int], step: Sequence[int]) -> Array:
        """One voxel of every `step` on each axis of level 0, from `start` to before `stop`."""
