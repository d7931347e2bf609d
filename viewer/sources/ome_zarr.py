"""OME-Zarr groups, formats 0.1 to 0.5: what their metadata says.

All of it is optional but the list of levels, and files in the wild leave out or garble most of it.
So what is missing is guessed, and what makes no sense is passed over: wrong metadata must never be
the reason that voxels cannot be seen.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from viewer.errors import InvalidDataError, SourceError, ViewerError, reason_of
from viewer.sources.description import Channel, Description, Suggestions, Transform, length_unit
from viewer.sources.geometry import axis_kind
from viewer.sources.multiscale import check_parts
from viewer.space import conversion

OLD_AXES = ("t", "c", "z", "y", "x")
"""Axes before format 0.3, which introduced names."""

_HEX = re.compile(r"#?([0-9a-fA-F]{6})(?:[0-9a-fA-F]{2})?")


def metadata_of(group: Any) -> Mapping[str, Any]:
    """The OME metadata of a group: below ``ome`` since 0.5, else the attributes themselves."""
    attributes = dict(group.attrs)
    ome = attributes.get("ome")
    return ome if isinstance(ome, Mapping) else attributes


def is_image(group: Any) -> bool:
    """Whether a zarr.Group is an OME-Zarr image (or labels)."""
    return bool(_multiscales(metadata_of(group)))


def label_names(group: Any) -> list[str]:
    """Paths of the label images that belong to an image, relative to its group."""
    try:
        labels = group.get("labels")
    except Exception:  # a store that cannot answer for what is not there
        return []
    if labels is None or not hasattr(labels, "attrs"):
        return []
    names = metadata_of(labels).get("labels")
    if not isinstance(names, Sequence) or isinstance(names, str):
        return []
    return [f"labels/{name}" for name in names if isinstance(name, str)]


def wells(group: Any) -> list[str]:
    """Paths of the wells of a plate, relative to its group; none where it is no plate."""
    return _paths(metadata_of(group).get("plate"), "wells")


def fields(group: Any) -> list[str]:
    """Paths of the images of a well, relative to its group; none where it is no well."""
    return _paths(metadata_of(group).get("well"), "images")


def _paths(holder: object, name: str) -> list[str]:
    given = holder.get(name) if isinstance(holder, Mapping) else None
    entries = given if isinstance(given, list) else []
    found = [entry.get("path") for entry in entries if isinstance(entry, Mapping)]
    return [path for path in found if isinstance(path, str) and path]


def describe_group(group: Any) -> Description:
    """An OME-Zarr image with all of its levels.

    Raises
    ------
    InvalidDataError
        When no level can be opened.
    """
    ome = metadata_of(group)
    multiscale = _multiscales(ome)[0]
    notices: list[str] = []
    parts, transforms = _open_levels(group, multiscale, notices)
    ndim = len(parts[0].shape)
    names, units = _read_axes(multiscale, ndim)
    spatial = [
        unit if axis_kind(name) == "other" else "" for name, unit in zip(names, units, strict=True)
    ]
    unit = next((unit for unit in reversed(spatial) if unit), "")
    factors = [conversion(own, unit) for own in spatial]
    common = _read_transform(multiscale.get("coordinateTransformations"), ndim) or _none(ndim)
    placed = []
    for transform in transforms:
        if transform is None:
            break  # this level and the coarser ones follow from their shapes
        together = _after(transform, common)
        placed.append(
            Transform(
                tuple(s * f for s, f in zip(together.scale, factors, strict=True)),
                tuple(t * f for t, f in zip(together.translate, factors, strict=True)),
            )
        )
    return Description(
        group,
        tuple(parts),
        names,
        tuple(placed),
        unit,
        _read_suggestions(ome, multiscale, names, parts[0].shape, notices),
    )


def _multiscales(ome: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    given = ome.get("multiscales")
    return [
        entry
        for entry in (given if isinstance(given, list) else [])
        if isinstance(entry, Mapping) and _datasets(entry)
    ]


def _datasets(multiscale: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    given = multiscale.get("datasets")
    return [
        entry
        for entry in (given if isinstance(given, list) else [])
        if isinstance(entry, Mapping) and isinstance(entry.get("path"), str)
    ]


def _open_levels(
    group: Any, multiscale: Mapping[str, Any], notices: list[str]
) -> tuple[list[Any], list[Transform | None]]:
    parts: list[Any] = []
    transforms: list[Transform | None] = []
    for entry in _datasets(multiscale):
        path = entry["path"]
        try:
            part = group[path]
            if not hasattr(part, "shape"):
                raise InvalidDataError(f"{path!r} is a group.")
            check_parts([*parts, part])
        except Exception as error:
            if not parts:
                if isinstance(error, ViewerError):
                    raise
                raise SourceError(
                    f"Level {path!r} of the OME-Zarr image {_name_of(group)!r} cannot be opened: "
                    f"{_reason(error)}.",
                    hint="Check that its store is whole and can be reached.",
                ) from None
            notices.append(f"Level {path!r} and coarser ones are not used: {_reason(error)}.")
            break
        parts.append(part)
        transforms.append(_read_transform(entry.get("coordinateTransformations"), len(part.shape)))
    return parts, transforms


def _read_axes(multiscale: Mapping[str, Any], ndim: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names, and canonical units of length, of all axes."""
    names, units = [], []
    given = multiscale.get("axes")
    for axis in given if isinstance(given, list) else []:
        said = axis if isinstance(axis, Mapping) else {"name": axis}
        name, kind = str(said.get("name", "")), said.get("type")
        if kind in ("time", "channel") and axis_kind(name) != kind:
            name = str(kind)
        names.append(name)
        units.append(length_unit(said.get("unit")))
    if len(names) != ndim or len(set(names)) != ndim or not all(names):
        count = min(ndim, len(OLD_AXES))
        extra = tuple(f"axis {number}" for number in range(ndim - count))
        return extra + OLD_AXES[-count:], ("",) * ndim
    return tuple(names), tuple(units)


def _none(ndim: int) -> Transform:
    return Transform((1.0,) * ndim, (0.0,) * ndim)


def _after(first: Transform, then: Transform) -> Transform:
    return Transform(
        tuple(a * b for a, b in zip(first.scale, then.scale, strict=True)),
        tuple(
            t * s + u for t, s, u in zip(first.translate, then.scale, then.translate, strict=True)
        ),
    )


def _read_transform(given: object, ndim: int) -> Transform | None:
    """Scale, then translation, of a list of transformations; None when there is none of use."""
    whole = _none(ndim)
    found = False
    for entry in given if isinstance(given, list) else []:
        kind = entry.get("type") if isinstance(entry, Mapping) else None
        if kind == "scale":
            numbers = _numbers(entry.get("scale"), ndim)
            if numbers is not None and all(n > 0 for n in numbers):
                whole = _after(whole, Transform(numbers, (0.0,) * ndim))
                found = True
        elif kind == "translation":
            numbers = _numbers(entry.get("translation"), ndim)
            if numbers is not None:
                whole = _after(whole, Transform((1.0,) * ndim, numbers))
                found = True
        elif kind == "identity":
            found = True
    return whole if found else None


def _numbers(given: object, count: int) -> tuple[float, ...] | None:
    if not isinstance(given, list) or len(given) != count:
        return None
    if not all(isinstance(n, (int, float)) and math.isfinite(n) for n in given):
        return None
    return tuple(map(float, given))


def _read_suggestions(
    ome: Mapping[str, Any],
    multiscale: Mapping[str, Any],
    names: tuple[str, ...],
    shape: Sequence[int],
    notices: list[str],
) -> Suggestions:
    label = ome.get("image-label")
    axis = next((i for i, name in enumerate(names) if axis_kind(name) == "channel"), None)
    omero = ome.get("omero")
    given = omero.get("channels") if isinstance(omero, Mapping) else None
    channels = tuple(_read_channel(entry) for entry in given or [] if isinstance(entry, Mapping))
    counted = axis is not None and len(channels) == shape[axis]
    if axis is not None and not counted:
        channels = ()
    said = multiscale.get("name")
    return Suggestions(
        # names that programs write without being asked say less than the file's
        name=said if isinstance(said, str) and said not in ("", "/", "0", "image") else "",
        labels=isinstance(label, Mapping),
        channel_axis=axis if counted else None,
        channels=channels,
        label_colors=_read_colors(label),
        notices=tuple(notices),
    )


def _read_channel(given: Mapping[str, Any]) -> Channel:
    label, color, window = given.get("label"), given.get("color"), given.get("window")
    match = _HEX.fullmatch(color) if isinstance(color, str) else None
    limits = None
    if isinstance(window, Mapping):
        pair = _numbers([window.get("start"), window.get("end")], 2)
        if pair is not None and pair[0] < pair[1]:
            limits = (pair[0], pair[1])
    return Channel(
        name=str(label) if isinstance(label, (str, int)) else "",
        color=f"#{match[1].lower()}" if match else None,
        window=limits,
        visible=given.get("active") is not False,
    )


def _read_colors(label: object) -> dict[int, str]:
    entries: Any = label.get("colors") if isinstance(label, Mapping) else None
    colors: dict[int, str] = {}
    for entry in entries if isinstance(entries, Iterable) else ():
        if not isinstance(entry, Mapping):
            continue
        value, rgba = entry.get("label-value"), entry.get("rgba")
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if (
            whole
            and isinstance(rgba, list)
            and len(rgba) in (3, 4)
            and all(isinstance(n, int) and 0 <= n <= 255 for n in rgba)
        ):
            colors[int(value)] = "#{:02x}{:02x}{:02x}".format(*rgba[:3])  # type: ignore[arg-type]
    colors.pop(0, None)  # the background is never drawn
    return colors


def _reason(error: Exception) -> str:
    if isinstance(error, (KeyError, FileNotFoundError)):
        return "it is not there"
    return error.message.rstrip(".") if isinstance(error, ViewerError) else reason_of(error)


def _name_of(group: Any) -> str:
    return str(group.name.strip("/") or group.store_path)
