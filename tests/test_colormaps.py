"""Colour maps by name, as tables and previews."""

from __future__ import annotations

import re

import cmap
import numpy as np
import pytest

from viewer import colormaps
from viewer.errors import InvalidValueError


def table(name: str) -> np.ndarray:
    return np.frombuffer(colormaps.table(name), "u1").reshape(256, 4)


@pytest.mark.parametrize("name", ["viridis", "gray", "RdBu", "matplotlib:coolwarm"])
def test_a_table_is_that_of_cmap(name: str) -> None:
    expected = np.round(cmap.Colormap(name).lut(256) * 255)
    assert np.array_equal(table(name)[:, :3], expected[:, :3])
    assert (table(name)[:, 3] == 255).all()


def test_a_map_of_few_colours_gives_each_an_equal_share() -> None:
    entries = table("tab10")
    assert len(np.unique(entries, axis=0)) == 10
    assert np.array_equal(entries[0], entries[24])
    assert tuple(entries[0, :3]) == (31, 119, 180)


def test_names_end_in_r_to_be_reversed() -> None:
    assert np.array_equal(table("magma_r"), table("magma")[::-1])


@pytest.mark.parametrize(
    ("name", "end"),
    [("#ff8000", (255, 128, 0)), ("orange", (255, 165, 0)), ("red", (255, 0, 0)), ("tan", None)],
)
def test_a_colour_is_a_ramp_from_black(name: str, end: tuple[int, int, int] | None) -> None:
    entries = table(name).astype(int)
    assert tuple(entries[0]) == (0, 0, 0, 255)
    assert end is None or tuple(entries[-1, :3]) == end
    assert (np.diff(entries[:, :3], axis=0) >= 0).all()


def test_ambiguous_names_are_matplotlibs_and_warn_of_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert np.array_equal(table("coolwarm"), table("matplotlib:coolwarm"))
    colormaps.catalogue.__wrapped__()
    assert caplog.text == ""


def test_the_catalogue_has_previews_and_matplotlibs_maps_first() -> None:
    catalogue = colormaps.catalogue()
    names = [entry.name for entry in catalogue]
    assert names[0] == "viridis"
    assert len(set(names)) == len(names) > 150
    assert {"gray", "magma", "twilight", "tab20", "jet", "gist_ncar", "red", "batlow"} <= set(names)
    assert all(len(entry.colors) == 16 for entry in catalogue)
    assert all(re.fullmatch("#[0-9a-f]{6}", color) for e in catalogue for color in e.colors)
    for name in names:
        colormaps.check(name)


@pytest.mark.parametrize("name", ["virdis", "", "#12", "gray\n", "#ff88001", "no such map"])
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidValueError, match="is not known"):
        colormaps.check(name)
    with pytest.raises(InvalidValueError):
        colormaps.table(name)


@pytest.mark.parametrize("color", ["nocolour", (1, 2), 3, None, (np.nan, 0, 0), object()])
def test_what_is_no_colour_is_refused(color: object) -> None:
    with pytest.raises(InvalidValueError, match="not a colour"):
        colormaps.hex_color(color)
