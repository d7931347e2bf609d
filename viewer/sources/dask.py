"""dask arrays as a source.

A read computes what it asks for, and nothing stays: what is asked for again is in the pyramid's
cache. It is computed by the `distributed.Client` that is active when it is read, and by dask's own
choice (its configuration, else threads) when there is none.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from viewer.sources.geometry import Geometry, check_dtype
from viewer.sources.protocol import Array
from viewer.sources.reading import attempt
from viewer.space import Box
from viewer.state import Axis, Level


class DaskSource:
    """A ``dask.array.Array``.

    Parameters
    ----------
    array : dask.array.Array
        All chunks' sizes must be known.
    geometry : Geometry
        Where it lies.
    """

    def __init__(self, array: Any, geometry: Geometry) -> None:
        self.dtype: np.dtype[Any] = check_dtype(array.dtype)
        self.axes: tuple[Axis, ...] = geometry.axes
        self.levels: tuple[Level, ...] = (geometry.level,)
        self.units: str = geometry.units
        # the longest, where chunks differ
        self.chunks: tuple[int, ...] | None = tuple(int(max(sizes)) for sizes in array.chunks)
        self._name = str(array.name)
        self._array: Any = array

    def read(self, level: int, box: Box) -> Array:
        """See `Source.read`."""
        return attempt(
            lambda: np.asarray(self._array[box.slices].compute(**_scheduler())),
            lambda: self._array is None,
            lambda: f"Computing the dask array {self._name!r} at {box}",
            "Check that data[...].compute() works in Python, then call layer.refresh().",
        )

    def close(self) -> None:
        """See `Source.close`."""
        self._array = None


def _scheduler() -> dict[str, Any]:
    """Keywords of ``compute``: the active client, if it is one that can be waited for."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return {}
    try:
        distributed.get_worker()
    except ValueError:  # this is no task of a cluster
        pass
    else:  # which would wait here for tasks of its own
        return {"scheduler": "threads"}
    try:
        client = distributed.default_client()
    except ValueError:  # there is none
        return {}
    usable = client.status == "running" and not client.asynchronous
    return {"scheduler": client} if usable else {"scheduler": "threads"}
