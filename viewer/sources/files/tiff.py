"""TIFF and OME-TIFF, ImageJ's and slide scanners' included, by tifffile.

Uncompressed files are mapped into memory; others are read tile by tile (or strip by strip) where
they are looked at. A series with smaller copies of itself is a source with levels.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import zarr
from msgspec.structs import replace

from viewer.sources.description import (
    RGB,
    Channel,
    Description,
    Suggestions,
    Transform,
    length_unit,
)
from viewer.sources.files.opened import Entry, Opened, choose, load_extra, stem_of, suffixed
from viewer.sources.files.remote import RemoteFile, is_remote
from viewer.sources.reordered import reorder
from viewer.space import conversion

SUFFIXES = (".ome.tiff", ".ome.tif", ".tiff", ".tif", ".btf", ".lsm", ".stk", ".svs", ".ndpi")

ALIKE_PART = 4
"""A series is worth mentioning from this part of the first one's voxels on."""

_NAMES = {"S": "channel", "C": "c", "T": "t", "Z": "z", "Y": "y", "X": "x"}
_ALIKE = ("I", "Q")
"""Letters of a stack of pages of which the file does not say what they are."""


def open_tiff(path: str, dataset: str | None) -> Opened:
    """One series of a TIFF file: the first, or that of the name or number `dataset`."""
    tifffile = load_extra("tifffile", "tiff", "TIFF files")
    remote = RemoteFile(path) if is_remote(path) else None
    try:
        if remote is None:
            file = tifffile.TiffFile(path)
        else:
            file = tifffile.TiffFile(remote.open(), name=stem_of(path, ()))
    except BaseException:
        if remote is not None:
            remote.close()
        raise

    def close() -> None:
        file.close()
        if remote is not None:
            remote.close()

    try:
        series = file.series[0] if dataset is None else _named(file, dataset, path)
        described = _describe(tifffile, file, series, path)
        if dataset is None:
            described = _tell_others(described, file.series, path)
    except BaseException:
        close()
        raise
    files = () if remote is not None else _files(file, path)
    return Opened((described,), close, files=files, told=None if remote is None else remote.told)


def _files(file: Any, path: str) -> tuple[Path, ...]:
    """The file, and those that it says its pages are in, by OME-XML."""
    try:
        root = ElementTree.fromstring(file.ome_metadata or "<OME/>")
    except ElementTree.ParseError:
        return ()
    folder = Path(path).parent
    named = {folder / uuid.get("FileName", "") for uuid in root.findall(".//{*}UUID")}
    named.discard(Path(path))
    return (Path(path), *sorted(other for other in named if other.is_file()))


def _tell_others(described: Description, series: Any, path: str) -> Description:
    """With a notice that the file holds more than the series shown: other places, or scenes."""
    least = math.prod(series[0].shape) // ALIKE_PART
    others = [
        number for number, one in enumerate(series) if number and math.prod(one.shape) > least
    ]
    if not others:  # what is small is the thumbnail, or the label of a slide
        return described
    said = described.suggestions
    notice = (
        f"{Path(path).name} holds {len(others) + 1} images, of which the first is shown; "
        f"dataset='{others[0]}' or {suffixed(path, str(others[0]))} opens the next."
    )
    return replace(described, suggestions=replace(said, notices=(*said.notices, notice)))


def _named(file: Any, dataset: str, path: str) -> Any:
    names = [str(number) for number in range(len(file.series))]
    if dataset not in names:
        names = [series.name or str(number) for number, series in enumerate(file.series)]
    entries = [
        Entry(name, tuple(series.shape), series.dtype)
        for name, series in zip(names, file.series, strict=True)
    ]
    return file.series[entries.index(choose(entries, dataset, path))]


def _describe(tifffile: Any, file: Any, series: Any, path: str) -> Description:
    number = [other is series for other in file.series].index(True)
    parts = [_part(tifffile, series, path, number, level) for level in range(len(series.levels))]
    sizes, units, channels = read_metadata(file, number)
    name = stem_of(path, SUFFIXES)
    return arrange(parts, _letters(series.axes), name, sizes, units, channels)


def arrange(
    parts: list[Any],
    letters: list[str],
    name: str,
    sizes: dict[str, float],
    units: str,
    channels: tuple[Channel, ...] = (),
) -> Description:
    """Levels with axes of these letters, as (…, z, y, x).

    Parameters
    ----------
    parts : list of array_like
        Finest first.
    letters : list of str
        Of tifffile, one an axis.
    name : str
    sizes : dict
        Voxel size in `units` by letter.
    units : str
    channels : tuple of Channel
    """
    channel = next((axis for axis, letter in enumerate(letters) if letter in "CS"), None)
    order = _order(letters, channel)
    parts = [reorder(part, order) for part in parts]
    letters = [letters[axis] for axis in order]
    shape = parts[0].shape
    channel = None if channel is None or len(order) < 3 else order.index(channel)
    if channel is not None and letters[channel] == "S":
        channels = RGB[: shape[channel]]
    scale = tuple(sizes.get(letter, 1.0) for letter in letters)
    return Description(
        parts[0],
        tuple(parts),
        tuple(_NAMES.get(letter, letter.lower()) for letter in letters),
        (Transform(scale, (0.0,) * len(scale)),),
        units,
        Suggestions(
            name=name,
            channel_axis=channel,
            channels=channels if channel is None or len(channels) == shape[channel] else (),
        ),
    )


def _letters(axes: str) -> list[str]:
    """Tifffile's letters of the axes, with a stack of who knows what taken for depth."""
    letters = list(axes)
    unknown = [axis for axis, letter in enumerate(letters) if letter in _ALIKE]
    if unknown and "Z" not in letters:
        letters[unknown[-1]] = "Z"
    return letters


def _order(letters: list[str], channel: int | None) -> tuple[int, ...]:
    """Spatial axes last, the channel (which mostly gets layers of its own) first."""
    spatial = [letters.index(letter) for letter in "ZYX" if letter in letters]
    rest = [axis for axis in range(len(letters)) if axis not in spatial and axis != channel]
    first = [] if channel is None else [channel]
    return (*first, *rest, *spatial)


def _part(tifffile: Any, series: Any, path: str, number: int, level: int) -> Any:
    if (
        not is_remote(path) and series.levels[level].dataoffset is not None
    ):  # uncompressed, in one piece
        try:
            return tifffile.memmap(path, series=number, level=level, mode="r")
        except (ValueError, OSError):
            pass  # of a byte order or packing that NumPy does not have
    return zarr.open_array(series.aszarr(level=level), mode="r")


def read_metadata(file: Any, number: int) -> tuple[dict[str, float], str, tuple[Channel, ...]]:
    """Voxel size by axis letter, its unit, and channels of a series, as far as the file says."""
    sizes, units, channels = _read_ome(file, number)
    if not sizes:
        sizes, units = _read_imagej(file)
    return sizes, units, channels


def _read_ome(file: Any, number: int) -> tuple[dict[str, float], str, tuple[Channel, ...]]:
    """Voxel size by axis letter, its unit, and channels, from OME-XML."""
    try:
        root = ElementTree.fromstring(file.ome_metadata or "<OME/>")
    except ElementTree.ParseError:
        return {}, "", ()
    images = root.findall("{*}Image/{*}Pixels")
    if number >= len(images):
        return {}, "", ()
    pixels = images[number]
    units = length_unit(pixels.get("PhysicalSizeXUnit", "µm"))
    sizes = {}
    for letter in "ZYX":
        size = _positive(pixels.get(f"PhysicalSize{letter}"))
        own = length_unit(pixels.get(f"PhysicalSize{letter}Unit", "µm"))
        if size is not None:
            sizes[letter] = size * conversion(own, units)
    step = _positive(pixels.get("TimeIncrement"))
    if step is not None:
        sizes["T"] = step
    channels = tuple(
        Channel(channel.get("Name", ""), _color(channel.get("Color")))
        for channel in pixels.findall("{*}Channel")
    )
    return sizes, units if sizes else "", channels


def _color(text: str | None) -> str | None:
    """OME's colour, RGBA as one signed number of 32 bit. White, its default, says nothing."""
    try:
        number = int(text or "-1") & 0xFFFFFFFF
    except ValueError:
        return None
    return None if number >> 8 == 0xFFFFFF else f"#{number >> 8:06x}"


def _read_imagej(file: Any) -> tuple[dict[str, float], str]:
    """Voxel size as ImageJ writes it: pixels per unit in the tags, the rest as text."""
    said = file.imagej_metadata or {}
    units = length_unit(str(said.get("unit", "")).replace("\\u00B5", "µ"))
    if not units:
        return {}, ""
    sizes = {}
    for letter in "XY":
        tag = file.pages[0].tags.get(f"{letter}Resolution")
        size = _positive(tag.value[1] / tag.value[0]) if tag is not None and tag.value[0] else None
        if size is not None:
            sizes[letter] = size
    depth = _positive(said.get("spacing"))
    if depth is not None:
        sizes["Z"] = depth
    return sizes, units


def _positive(given: Any) -> float | None:
    try:
        number = float(given)
    except (TypeError, ValueError):
        return None
    return number if 0 < number < math.inf else None
