"""NRRD files by pynrrd: raw ones mapped into memory, compressed ones read as a whole."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from viewer.affine import SINGULAR, to_affine
from viewer.orientation import STRAIGHT, YZ_UP, Z_UP, Quaternion
from viewer.sources.description import Description, Suggestions, Transform, length_unit
from viewer.sources.files.opened import Opened, load_extra, stem_of
from viewer.sources.reordered import reorder
from viewer.state import IDENTITY, Affine

SUFFIXES = (".nrrd", ".nhdr")

OBLIQUE = 1e-3
"""Sine of the angle from which on an axis is no longer one of the world's."""

_DOMAINS = ("domain", "space", "none", "???")
"""Kinds of axes along which voxels lie in space."""


_TYPES = {
    "int8": ("signed char", "int8", "int8_t"),
    "uint8": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "int16": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "uint16": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "int32": ("int", "signed int", "int32", "int32_t"),
    "uint32": ("uint", "unsigned int", "uint32", "uint32_t"),
    "int64": ("longlong", "long long", "long long int", "signed long long", "int64", "int64_t"),
    "uint64": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "float32": ("float",),
    "float64": ("double",),
}
"""NumPy's name → the format's."""


def open_nrrd(path: str, dataset: str | None) -> Opened:
    """The array of an NRRD file, as (…, z, y, x)."""
    nrrd = load_extra("nrrd", "nrrd", "NRRD files")
    with Path(path).open("rb") as file:
        header = nrrd.read_header(file)
        data = _map(Path(path), file.tell(), header)
    if data is None:
        data = nrrd.read(path, index_order="C")[0]
    detached = _detached(Path(path), header)
    files = () if detached is None else (path, detached)
    return Opened((_describe(header, data, path),), _nothing, files=files)


def _detached(path: Path, header: Mapping[str, Any]) -> Path | None:
    """The file of the voxels, where they are not behind the header."""
    name = header.get("data file", header.get("datafile"))
    return None if name is None else path.parent / str(name)


def _map(path: Path, offset: int, header: Mapping[str, Any]) -> Any:
    """The voxels where they lie in the file, if they lie there as they are."""
    kind = next((ours for ours, names in _TYPES.items() if header["type"] in names), None)
    skip = int(header.get("byte skip", header.get("byteskip", 0)))
    lines = int(header.get("line skip", header.get("lineskip", 0)))
    if header["encoding"] != "raw" or kind is None or lines or skip < 0:
        return None
    detached = _detached(path, header)
    if detached is not None:
        path, offset = detached, 0
        if not path.is_file():  # a list, or a pattern
            return None
    dtype = np.dtype(kind).newbyteorder(">" if header.get("endian") == "big" else "<")
    shape = tuple(int(n) for n in reversed(header["sizes"]))
    return np.memmap(path, dtype=dtype, mode="r", offset=offset + skip, shape=shape)


def _describe(header: Mapping[str, Any], data: Any, path: str) -> Description:
    """Axes in C order: the header counts them the other way round."""
    count = len(data.shape)
    kinds = list(header.get("kinds", ["domain"] * count))
    spatial = [axis for axis, kind in enumerate(kinds) if kind in _DOMAINS]
    if not 2 <= len(spatial) <= 3:
        spatial = list(range(min(count, 3)))
    steps, starts, affine = _read_steps(header, count, spatial)
    names = {axis: "xyz"[position] for position, axis in enumerate(spatial)}
    others = iter(("c", "t", "p", "q"))
    for axis in range(count):
        if axis not in names:
            names[axis] = "t" if kinds[axis] == "time" else next(others)
    channel = next((axis for axis in range(count) if names[axis] == "c"), None)
    order = [axis for axis in reversed(range(count)) if axis not in spatial]
    order += list(reversed(spatial))
    part = reorder(data, [count - 1 - axis for axis in order])
    units = [length_unit(str(unit)) for unit in header.get("space units", header.get("units", []))]
    unit = units[-1] if units else ""
    if not unit and "space directions" in header:
        unit = "mm"  # the format's medical spaces are in millimetres
    return Description(
        part,
        (part,),
        tuple(names[axis] for axis in order),
        (Transform(tuple(steps[axis] for axis in order), tuple(starts[axis] for axis in order)),),
        unit,
        Suggestions(
            name=stem_of(path, SUFFIXES),
            labels="Segment0_LabelValue" in header,
            channel_axis=None if channel is None else order.index(channel),
            label_colors=_read_colors(header),
            upright=_read_upright(header),
        ),
        affine,
    )


def _read_upright(header: Mapping[str, Any]) -> Quaternion:
    """Heads up, where the file's space is a patient's: "left-posterior-superior", or "RAS"."""
    space = str(header.get("space", "")).lower()
    short = "".join(part[0] for part in space.split("-") if part) if "-" in space else space
    if "space directions" not in header:
        return STRAIGHT
    return {"as": YZ_UP, "ps": Z_UP}.get(short[1:3], STRAIGHT)


def _read_colors(header: Mapping[str, Any]) -> dict[int, str]:
    """Colours of the segments of a .seg.nrrd file, as 3D Slicer writes them: "0.5 0.68 0.5"."""
    colors: dict[int, str] = {}
    number = 0
    while (label := header.get(f"Segment{number}_LabelValue")) is not None:
        said = str(header.get(f"Segment{number}_Color", "")).split()
        number += 1
        try:
            parts = [round(255 * min(max(float(part), 0.0), 1.0)) for part in said]
            value = int(label)
        except ValueError:
            continue
        if len(parts) == 3 and value > 0:
            colors.setdefault(value, "#{:02x}{:02x}{:02x}".format(*parts))
    return colors


def _read_steps(
    header: Mapping[str, Any], count: int, spatial: list[int]
) -> tuple[list[float], list[float], Affine]:
    """Voxel size and offset of every axis, and how axes lie that are not the world's."""
    steps, starts = [1.0] * count, [0.0] * count
    directions = header.get("space directions")
    if directions is None:
        for axis, step in enumerate(header.get("spacings", ())):
            if math.isfinite(step) and step > 0:
                steps[axis] = float(step)
        return steps, starts, IDENTITY
    rows = [None if row is None else np.asarray(row, float) for row in directions]
    oblique = False
    origin = header.get("space origin")
    for position, axis in enumerate(spatial):
        row = rows[axis] if axis < len(rows) else None
        length = 0.0 if row is None else float(np.linalg.norm(row))
        if row is None or not (math.isfinite(length) and length > 0):
            continue
        steps[axis] = length
        along = position < len(row) and row[position] / length > 1 - OBLIQUE**2
        oblique = oblique or not along
        if along and origin is not None and math.isfinite(origin[position]):
            starts[axis] = float(origin[position])
    if not oblique:
        return steps, starts, IDENTITY
    # turned and mirrored axes keep the array's own order
    return steps, [0.0] * count, _turned([rows[axis] for axis in spatial], origin)


def _turned(rows: list[Any], origin: Any) -> Affine:
    """Where axes (x, y, z) with these directions lie; along the array's where that is not said."""
    if len(rows) != 3 or any(row is None or len(row) != 3 for row in rows):
        return IDENTITY
    matrix = np.array(rows)[::-1, ::-1].T  # rows z, y, x of the world; a column for each of ours
    lengths = np.linalg.norm(matrix, axis=0)
    start = np.zeros(3) if origin is None else np.asarray(origin, float)[::-1]
    if not np.isfinite([*matrix.flat, *start]).all() or not (lengths > 0).all():
        return IDENTITY
    linear = matrix / lengths
    return to_affine(linear, start) if abs(np.linalg.det(linear)) > SINGULAR else IDENTITY


def _nothing() -> None:
    """A mapped file is let go of with its array."""
