"""The user's data behind one protocol: one adapter a file, and `as_source`, which finds it.

Adapters are recognised without importing their library: an ``h5py.Dataset`` can only exist in a
process where h5py has been imported already.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from viewer.errors import InvalidDataError, UnsupportedDataError
from viewer.sources.geometry import check_dtype, plan_geometry
from viewer.sources.protocol import Array, Source

__all__ = ["Array", "Source", "as_source"]

_NEEDED = ("shape", "dtype", "__getitem__")


def as_source(
    data: Any,
    *,
    scale: Sequence[float] | float | None = None,
    translate: Sequence[float] | float | None = None,
    units: str | None = None,
    axis_labels: Sequence[str] | None = None,
) -> Source:
    """The source for what a user handed over.

    Parameters
    ----------
    data : numpy.ndarray, h5py.Dataset, zarr.Array or array_like
        2 to 6 axes (…, z, y, x) of bool, integers or floats.
    scale, translate, units, axis_labels
        See `viewer.sources.geometry.plan_geometry`.

    Returns
    -------
    Source

    Raises
    ------
    UnsupportedDataError
        For an object or dtype that cannot be shown; names what is missing or the remedy.
    InvalidDataError
        For an array without voxels, or with too few or too many axes.
    InvalidValueError
        For a scale, translate or unit that makes no transform.
    SourceError
        For a dataset whose file has been closed.
    """
    _refuse_containers(data)
    hdf5 = isinstance(data, _loaded("h5py", "Dataset"))
    if hdf5 and not data:
        from viewer.sources.hdf5 import file_closed

        raise file_closed()
    missing = [name for name in _NEEDED if isinstance(data, type) or not hasattr(data, name)]
    if missing:
        raise UnsupportedDataError(
            f"An object of type {type(data).__name__} is not an array: it lacks "
            f"{', '.join(missing)}.",
            hint="Add np.asarray(data), an open h5py.Dataset or a zarr.Array instead.",
        )
    if isinstance(data, np.ma.MaskedArray):
        raise UnsupportedDataError(
            "Masked arrays cannot be shown: the mask would be lost.",
            hint="Add data.filled(0) or, for floats, data.filled(np.nan) instead.",
        )
    if data.shape is None:  # h5py.Empty
        raise InvalidDataError("The dataset is empty.", hint="Add one that holds voxels.")
    check_dtype(data.dtype)
    geometry = plan_geometry(
        data.shape, scale=scale, translate=translate, units=units, axis_labels=axis_labels
    )
    if hdf5:
        from viewer.sources.hdf5 import Hdf5Source

        return Hdf5Source(data, geometry)
    if isinstance(data, _loaded("zarr", "Array")):
        from viewer.sources.zarr import ZarrSource

        return ZarrSource(data, geometry)
    from viewer.sources.array import ArraySource, MemorySource

    return (MemorySource if isinstance(data, np.ndarray) else ArraySource)(data, geometry)


def _refuse_containers(data: Any) -> None:
    containers: tuple[Any, ...] = (*_loaded("h5py", "Group"), *_loaded("zarr", "Group"))
    if isinstance(data, containers):
        names = ", ".join(repr(str(name)) for name in list(data)[:8]) if data else ""
        raise UnsupportedDataError(
            f"A {type(data).__module__.split('.')[0]} {type(data).__name__} holds several arrays"
            + (f": {names}." if names else "."),
            hint="Add one of its arrays, e.g. file['name'].",
        )


def _loaded(module: str, name: str) -> tuple[type, ...]:
    """The class, if its module has been imported: for isinstance without importing it."""
    cls = getattr(sys.modules.get(module), name, None)
    return (cls,) if isinstance(cls, type) else ()
