"""Colour maps by name: checked, as tables for the GPU, and as a catalogue with previews.

The names are matplotlib's, then those of the `cmap` library's collections; ``_r`` at the end
reverses. A colour (``"orange"``, ``"#ff8800"``) stands for the ramp from black to it. Where
several collections use one name, `_PRECEDENCE` decides, so that ``"coolwarm"`` is matplotlib's.
`cmap` is imported when a name first needs it.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from viewer.errors import InvalidValueError

if TYPE_CHECKING:
    import cmap

TABLE_ENTRIES = 256
"""Colours in a table: one for each value of an 8-bit image."""

PREVIEW_COLORS = 16
"""Colours in a preview: enough for a strip of 100 pixels to look smooth."""

_HEX = re.compile(r"#[0-9a-fA-F]{6}")

# matplotlib's own groups, the order in which people know them
_MATPLOTLIB: dict[str, str] = {
    "perceptual": "viridis plasma inferno magma cividis turbo",
    "sequential": "gray bone pink spring summer autumn winter cool Wistia hot afmhot gist_heat "
    "copper binary gist_yarg gist_gray Greys Purples Blues Greens Oranges Reds YlOrBr YlOrRd OrRd "
    "PuRd RdPu BuPu GnBu PuBu YlGnBu PuBuGn BuGn YlGn",
    "diverging": "PiYG PRGn BrBG PuOr RdGy RdBu RdYlBu RdYlGn Spectral coolwarm bwr seismic "
    "berlin managua vanimo",
    "cyclic": "twilight twilight_shifted hsv",
    "qualitative": "Pastel1 Pastel2 Paired Accent Dark2 Set1 Set2 Set3 tab10 tab20 tab20b tab20c "
    "okabe_ito",
    "miscellaneous": "flag prism ocean gist_earth terrain gist_stern gnuplot gnuplot2 CMRmap "
    "cubehelix brg gist_rainbow rainbow jet nipy_spectral gist_ncar",
}
_TINTS = "red green blue cyan magenta yellow orange white"
_OTHERS: dict[str, str] = {
    "microscopy": "fire ice GreenFireBlue HiLo I_Blue I_Green I_Orange I_Purple I_Red BOP_Blue "
    "BOP_Orange BOP_Purple",
    "ocean and earth": "thermal haline solar deep dense algae matter turbid speed amp tempo rain "
    "phase topo balance delta curl diff tarn",
    "scientific": "batlow acton bamako bilbao buda davos devon hawaii imola lajolla lapaz oslo "
    "tokyo turku broc cork vik lisbon tofino roma romaO vikO",
    "more": "rocket mako flare crest icefire vlag amber arctic bubblegum chroma cosmic eclipse "
    "ember emerald ghostlight gothic horizon jungle lavender neon nuclear ocean pepper rainforest "
    "sapphire sunburst torch voltage",
}

CHANNEL_TINTS = ("magenta", "green", "cyan", "yellow", "red", "blue", "orange")
"""Colour maps of the channels of an image, in turn; all black at zero, so that they add."""

_PRECEDENCE: tuple[str, ...] = (
    *("matplotlib", "bids", "cividis", "google", "matlab", "gnuplot", "yorick", "colorbrewer"),
    *("tableau", "cubehelix", "okabeito", "crameri", "cmap", "cmocean", "imagej"),
)


class Preview(Struct, frozen=True):
    """An entry of the catalogue."""

    name: str
    category: str
    colors: tuple[str, ...]
    """`PREVIEW_COLORS` colours ``"#rrggbb"``, from the low end to the high end."""


def check(name: str) -> None:
    """Refuse what is neither the name of a colour map nor a colour.

    Raises
    ------
    InvalidValueError
        With the nearest known name.
    """
    if name == "gray" or _HEX.fullmatch(name):  # by far the most frequent: without cmap
        return
    if _find(name) is None and _color(name) is None:
        raise InvalidValueError(
            f"colormap={name!r} is not known.",
            hint=f"{_suggestion(name)} A colour like 'orange' or '#ff8800' also works.",
        )


@functools.lru_cache(maxsize=256)
def table(name: str) -> bytes:
    """The colour map as 256 RGBA entries of 8 bit, low end first.

    Parameters
    ----------
    name : str
        A colour map or a colour.

    Returns
    -------
    bytes
        1024 of them; alpha is 255 throughout.

    Raises
    ------
    InvalidValueError
        For an unknown name.
    """
    return _sample(name, TABLE_ENTRIES).tobytes()


@functools.cache
def catalogue() -> tuple[Preview, ...]:
    """The colour maps to choose from: matplotlib's by its groups, single colours, and others."""
    groups = {**_MATPLOTLIB, "single colour": _TINTS, **_OTHERS}
    seen: set[str] = set()
    entries = []
    for category, names in groups.items():
        for name in names.split():
            if name in seen or (_find(name) is None and _color(name) is None):
                continue  # an older cmap may lack one
            seen.add(name)
            colors = tuple(
                f"#{r:02x}{g:02x}{b:02x}" for r, g, b, _ in _sample(name, PREVIEW_COLORS)
            )
            entries.append(Preview(name, category, colors))
    return tuple(entries)


def hex_color(color: object) -> str:
    """Any way to write a colour as ``"#rrggbb"``.

    Parameters
    ----------
    color : str or sequence of 3 or 4 numbers
        A CSS name, a hex code, or (red, green, blue) from 0 to 1; alpha is dropped.

    Raises
    ------
    InvalidValueError
        For what is no colour.
    """
    if isinstance(color, str) and _HEX.fullmatch(color):
        return color.lower()
    rgb = _color(color)
    if rgb is None:
        raise InvalidValueError(
            f"{color!r} is not a colour.",
            hint="Use a name like 'orange', '#ff8800', or (red, green, blue) from 0 to 1.",
        )
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def colormap_name(colormap: Any) -> Any:
    """Name of a colour map given by name, or as an object of matplotlib, cmap, napari or vispy."""
    if not isinstance(colormap, str) and isinstance(getattr(colormap, "name", None), str):
        return colormap.name
    return colormap


def _sample(name: str, count: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """`count` RGBA entries of the map, 0 to 255."""
    found = _find(name)
    if found is not None:
        colors = found.lut(count)
        if len(colors) != count:  # a map of a few distinct colours: each gets an equal share
            colors = colors[np.arange(count) * len(colors) // count]
    else:
        check(name)
        rgb = _color(name)
        assert rgb is not None
        colors = np.ones((count, 4))
        colors[:, :3] = np.linspace(0, 1, count)[:, None] * np.array(rgb) / 255
    entries: np.ndarray[tuple[int, int], np.dtype[np.uint8]] = np.round(
        np.clip(colors, 0, 1) * 255
    ).astype(np.uint8)
    entries[:, 3] = 255
    return entries


@functools.cache
def _index() -> dict[str, str]:
    """Lower-case short name → the name with its collection, of the preferred collection."""
    import cmap

    rank = {collection: number for number, collection in enumerate(_PRECEDENCE)}
    index: dict[str, str] = {}
    keys = cmap.Catalog().namespaced_keys()
    for key in sorted(keys, key=lambda k: (rank.get(k.split(":")[0], len(rank)), k)):
        index.setdefault(key.lower(), key)
        if not key.startswith("vispy:"):  # its "orange" starts at white, unlike every other tint
            index.setdefault(key.split(":", 1)[1].lower(), key)
    return index


@functools.lru_cache(maxsize=256)
def _find(name: str) -> cmap.Colormap | None:
    """The colour map of this name; None for an unknown one."""
    import cmap

    index = _index()
    lower = name.lower()
    if lower in index:
        return cmap.Colormap(index[lower])
    if lower.endswith("_r") and lower[:-2] in index:
        return cmap.Colormap(index[lower[:-2]]).reversed()
    return None


def _color(color: object) -> tuple[int, int, int] | None:
    """(red, green, blue) from 0 to 255; None for what is no colour."""
    import cmap

    try:
        value: Any = color if isinstance(color, str) else _floats(color)
        parsed = cmap.Color(value)
    except (ValueError, TypeError):
        return None
    red, green, blue = (round(255 * part) for part in parsed.rgba[:3])
    return red, green, blue


def _floats(color: object) -> tuple[float, ...]:
    return tuple(np.asarray(color, dtype=float).tolist())


def _suggestion(name: str) -> str:
    import difflib

    close = difflib.get_close_matches(name, [entry.name for entry in catalogue()], n=1)
    return f"Did you mean {close[0]!r}?" if close else "Try 'gray', 'viridis' or 'magma'."
