"""What is read where it is sliced, as an array to those who index it.

Adapters slice with a start and a stop for every axis. Who opened a file and looks into
``layer.data`` writes ``data[3]``, ``data[..., ::2]`` or ``np.asarray(data)``, as of any array.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from viewer.regions import plan_region
from viewer.sources.protocol import Array


class Sliced(ABC):
    """Base of arrays that know how to read boxes.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @abstractmethod
    def _take(self, index: tuple[slice, ...]) -> Array:
        """The voxels of a slice for every axis: starts and stops within it, steps from 1 up.

        Raises
        ------
        IndexError
            For steps, where it does not know them.
        """

    def __getitem__(self, index: Any) -> Array:
        parts = index if isinstance(index, tuple) else (index,)
        if len(parts) == self.ndim and all(_plain(part) for part in parts):
            return self._take(tuple(map(_within, parts, self.shape)))
        voxels = self._take(plan_region(index, self.shape).slices)
        # what the box cannot say: single indices take their axis away, steps leave voxels out
        dots = self.ndim - sum(part is not Ellipsis for part in parts)
        local: list[Any] = []
        for part in parts:
            if part is Ellipsis:
                local += [slice(None)] * dots
            else:
                local.append(slice(None, None, part.step) if isinstance(part, slice) else 0)
        return np.asarray(voxels[tuple(local)])

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Array]:
        return (self[place] for place in range(len(self)))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("The voxels are not in memory: they cannot be had without a copy.")
        whole = self[...]
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def __repr__(self) -> str:
        return f"<data {self.dtype} {self.shape}>"

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)


def _plain(part: Any) -> bool:
    return isinstance(part, slice) and (part.step is None or part.step > 0)


def _within(part: slice, n: int) -> slice:
    start, stop, step = part.indices(n)
    return slice(start, max(start, stop), step)
