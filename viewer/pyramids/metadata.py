"""What a pyramid's levels say of themselves: OME-Zarr 0.5, in Zarr format 3.

The same is said over HTTP (`viewer.chunks`) and in the folder of a pyramid that has been built
(`viewer.pyramids.stored`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from viewer.space import OME_NAMES
from viewer.state import Axis, Level

RAW = {"name": "bytes", "configuration": {"endian": "little"}}
"""The codec of voxels as they are, the lowest byte of each first."""


def image_metadata(
    name: str,
    kind: str,
    axes: Iterable[Axis],
    levels: Mapping[int, Level],
) -> dict[str, Any]:
    """The ``ome`` attribute of a group.

    Parameters
    ----------
    name : str
        Of the image.
    kind : {"image", "labels"}
        Decides how levels were made, too.
    axes : iterable of Axis
    levels : mapping of int to Level
        Those in the group, finest first; each in an array that is called by its number.
    """
    datasets = [
        {
            "path": str(number),
            "coordinateTransformations": [
                {"type": "scale", "scale": list(level.scale)},
                {"type": "translation", "translation": list(level.translate)},
            ],
        }
        for number, level in levels.items()
    ]
    multiscale = {
        "name": name,
        "axes": [_axis(axis) for axis in axes],
        "datasets": datasets,
        "type": "mean" if kind == "image" else "mode",
    }
    ome: dict[str, Any] = {"version": "0.5", "multiscales": [multiscale]}
    if kind == "labels":
        ome["image-label"] = {}
    return ome


def group_document(ome: Mapping[str, Any]) -> dict[str, Any]:
    """The ``zarr.json`` of a group."""
    return {"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}}


def array_document(
    shape: Sequence[int],
    dtype: np.dtype[Any],
    chunk: Sequence[int],
    axes: Iterable[Axis],
    codecs: Sequence[Mapping[str, Any]],
    fill_value: Any = None,
) -> dict[str, Any]:
    """The ``zarr.json`` of a level.

    Parameters
    ----------
    shape, chunk : sequence of int
        Of the level, and of its chunks.
    dtype : dtype
    axes : iterable of Axis
    codecs : sequence of mapping
        As the format has them.
    fill_value : object
        As the format has it; default 0.
    """
    if fill_value is None:
        fill_value = {"b": False, "f": 0.0}.get(dtype.kind, 0)
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunk)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": fill_value,
        "codecs": list(codecs),
        "dimension_names": [axis.name for axis in axes],
        "attributes": {},
    }


def _axis(axis: Axis) -> dict[str, str]:
    described = {"name": axis.name}
    if axis.kind != "other":
        described["type"] = axis.kind
    if axis.unit in OME_NAMES:
        described["unit"] = OME_NAMES[axis.unit]
    return described
