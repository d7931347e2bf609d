"""The user's data behind one protocol: one adapter a file, and `as_source`, which finds it.

Data is taken in two steps. `describe` says what it consists of: its levels, and what it knows
about its axes and looks. `as_source` makes that one `Source`. Adapters are recognised without
importing their library: an ``h5py.Dataset`` can only exist in a process where h5py has been
imported already.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace

from viewer.errors import InvalidDataError, UnsupportedDataError
from viewer.sources.description import Description
from viewer.sources.file_part import FilePart
from viewer.sources.geometry import (
    Geometry,
    check_dtype,
    place_levels,
    plan_geometry,
    scale_levels,
)
from viewer.sources.multiscale import MultiscaleSource, check_leading, check_parts, describe_list
from viewer.sources.protocol import Array, Source
from viewer.state import Level

__all__ = ["Array", "Description", "Source", "adapt", "as_source", "describe"]

_NEEDED = ("shape", "dtype", "__getitem__")


def describe(data: Any) -> Description:
    """What data consists of, and says about itself.

    Parameters
    ----------
    data : object
        See `as_source`. A Description is returned as it is.

    Raises
    ------
    InvalidDataError, SourceError
        For an OME-Zarr group of which no level can be opened.
    """
    if isinstance(data, Description):
        return data
    if isinstance(data, _loaded("zarr", "Group")):
        from viewer.sources.ome_zarr import describe_group, is_image

        if is_image(data):
            return describe_group(data)
    if isinstance(data, _loaded("xarray", "DataArray")):
        from viewer.sources.xarray import describe_xarray

        return describe_xarray(data)
    if isinstance(data, (list, tuple)) and data and not any(map(_missing, data)):
        return describe_list(data)
    return Description(data, (data,))


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
    data : array, list of arrays, zarr.Group, or Description
        2 to 6 axes (…, z, y, x) of bool, integers or floats: numpy.ndarray, h5py.Dataset,
        zarr.Array, dask.array.Array, xarray.DataArray, or anything with `shape`, `dtype` and
        ``data[slices]``. A list of them, finest first, or an OME-Zarr group is one source with
        levels.
    scale, translate, units, axis_labels
        See `viewer.sources.geometry.plan_geometry`; by default what the data says of itself.

    Returns
    -------
    Source

    Raises
    ------
    UnsupportedDataError
        For an object or dtype that cannot be shown; names what is missing or the remedy.
    InvalidDataError
        For an array without voxels, or with too few or too many axes, or arrays that are no levels
        of one image.
    InvalidValueError
        For a scale, translate or unit that makes no transform.
    SourceError
        For a dataset whose file has been closed.
    """
    described = describe(data)
    for part in described.parts:
        _check_part(part)
    geometry = plan_geometry(
        described.parts[0].shape, **described.options(scale, translate, units, axis_labels)
    )
    source = adapt(described, geometry)
    check_leading(source.levels, source.axes)
    return source


def adapt(described: Description, geometry: Geometry) -> Source:
    """The source for data whose level 0 lies as planned."""
    parts = described.parts
    for part in parts:
        _check_part(part)
    if len(parts) == 1:
        return _adapt_array(parts[0], geometry, described.file)
    check_parts(parts)
    levels = _plan_levels(described, geometry.level)
    return MultiscaleSource(
        [
            _adapt_array(
                part,
                Geometry(geometry.axes, level, geometry.units),
                described.file and replace(described.file, level=number),
            )
            for number, (part, level) in enumerate(zip(parts, levels, strict=True))
        ],
        levels,
    )


def _plan_levels(described: Description, first: Level) -> tuple[Level, ...]:
    """Where all levels lie, with the first as planned: as the data says, as far as it does."""
    shapes = [tuple(map(int, part.shape)) for part in described.parts]
    said = [
        Level(shape, transform.scale, transform.translate)
        for shape, transform in zip(shapes, described.transforms, strict=False)
    ]
    if len(said) < 2:
        return scale_levels(shapes, first)
    known = place_levels(said, first)
    return (*known, *scale_levels(shapes, first)[len(known) :])


def _check_part(data: Any) -> None:
    _refuse_containers(data)
    if isinstance(data, _loaded("h5py", "Dataset")) and not data:
        from viewer.sources.hdf5 import file_closed

        raise file_closed()
    missing = _missing(data)
    if missing:
        raise UnsupportedDataError(
            f"An object of type {type(data).__name__} is not an array: it lacks "
            f"{', '.join(missing)}.",
            hint="Add np.asarray(data), an open h5py.Dataset or a zarr.Array instead"
            + (", or open the file with viewer.open(path)." if _is_path(data) else "."),
        )
    if isinstance(data, _loaded("numpy.ma", "MaskedArray")):
        raise UnsupportedDataError(
            "Masked arrays cannot be shown: the mask would be lost.",
            hint="Add data.filled(0) or, for floats, data.filled(np.nan) instead.",
        )
    if data.shape is None:  # h5py.Empty
        raise InvalidDataError("The dataset is empty.", hint="Add one that holds voxels.")
    if any(n != n for n in data.shape):  # of dask: NaN
        raise InvalidDataError(
            f"The array's shape {data.shape} is not known yet.",
            hint="Call data.compute_chunk_sizes() first.",
        )
    check_dtype(data.dtype)


def _adapt_array(data: Any, geometry: Geometry, file: FilePart | None) -> Source:
    """The adapter for an array that has been checked."""
    if isinstance(data, _loaded("h5py", "Dataset")):
        from viewer.sources.hdf5 import Hdf5Source

        return Hdf5Source(data, geometry, file)
    if isinstance(data, _loaded("zarr", "Array")):
        from viewer.sources.zarr import ZarrSource

        return ZarrSource(data, geometry, file)
    if isinstance(data, _loaded("dask.array", "Array")):
        from viewer.sources.dask import DaskSource

        return DaskSource(data, geometry)
    from viewer.sources.array import ArraySource, MemorySource

    return (MemorySource if isinstance(data, np.ndarray) else ArraySource)(data, geometry, file)


def _is_path(data: Any) -> bool:
    return isinstance(data, (str, os.PathLike))


def _missing(data: Any) -> list[str]:
    """What an object lacks to be an array."""
    return [name for name in _NEEDED if isinstance(data, type) or not hasattr(data, name)]


def _refuse_containers(data: Any) -> None:
    containers: tuple[Any, ...] = (
        *_loaded("h5py", "Group"),
        *_loaded("zarr", "Group"),
        *_loaded("xarray", "Dataset"),
    )
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
