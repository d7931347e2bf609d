"""Imaris files: levels, times and channels, without padding, in their place."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.sources.test_files import FileSuite
from viewer.opening import open_data, parse_location
from viewer.sources import as_source
from viewer.sources.files.opened import Opened
from viewer.space import Box

CHUNK = (8, 16, 16)


def letters(text: object) -> np.ndarray:
    return np.frombuffer(str(text).encode(), "S1")


def write(path: Path, levels: list[np.ndarray]) -> Path:
    """A file as Imaris writes it, of arrays (t, c, z, y, x)."""
    with h5py.File(path, "w") as file:
        for number, data in enumerate(levels):
            for t, c in np.ndindex(data.shape[:2]):
                group = file.create_group(
                    f"DataSet/ResolutionLevel {number}/TimePoint {t}/Channel {c}"
                )
                size = data.shape[2:]
                padded = np.zeros([-(-n // k) * k for n, k in zip(size, CHUNK, strict=True)], "u1")
                padded[...] = 255
                padded[tuple(map(slice, size))] = data[t, c]
                group.create_dataset("Data", data=padded, chunks=CHUNK, compression="gzip")
                for name, n in zip("ZYX", size, strict=True):
                    group.attrs[f"ImageSize{name}"] = letters(n)
        image = file.create_group("DataSetInfo/Image")
        for axis, n in enumerate(reversed(levels[0].shape[2:])):
            image.attrs[f"ExtMin{axis}"] = letters(10 * axis)
            image.attrs[f"ExtMax{axis}"] = letters(10 * axis + n * (axis + 1) / 2)
        image.attrs["Unit"] = letters("um")
        for c in range(levels[0].shape[1]):
            group = file.create_group(f"DataSetInfo/Channel {c}")
            group.attrs["Name"] = letters(f"dye {c}")
            group.attrs["Color"] = letters("1.000 0.500 0.000")
            group.attrs["ColorRange"] = letters(f"{c} 200.000")
    return path


def sample(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 200, shape).astype("u1")


@pytest.fixture
def movie(tmp_path: Path) -> tuple[Opened, np.ndarray]:
    data = sample((3, 2, 21, 70, 45))
    opened = open_data(
        parse_location(write(tmp_path / "cells.ims", [data, data[..., ::2, ::2, ::2]]))
    )
    yield opened, data
    opened.close()


class TestImaris(FileSuite):
    dtype = "uint8"
    levels = 2
    units = "µm"
    scale = (1.5, 1.0, 0.5)
    chunks = CHUNK

    def write(self, arrays: list[np.ndarray], folder: Path) -> Path:
        return write(folder / "a.ims", [data[None, None] for data in arrays])


def test_times_and_channels_are_axes_and_padding_is_cut(movie: tuple[Opened, np.ndarray]) -> None:
    opened, data = movie
    (described,) = opened.shown
    source = as_source(described)
    assert [axis.name for axis in source.axes] == ["t", "c", "z", "y", "x"]
    assert [level.shape for level in source.levels] == [(3, 2, 21, 70, 45), (3, 2, 11, 35, 23)]
    np.testing.assert_array_equal(source.read(0, Box.whole(data.shape)), data)
    box = Box((1, 1, 3, 4, 5), (3, 2, 9, 35, 20))
    np.testing.assert_array_equal(source.read(1, box), data[..., ::2, ::2, ::2][box.slices])


def test_the_extent_says_scale_and_place(movie: tuple[Opened, np.ndarray]) -> None:
    source = as_source(movie[0].shown[0])
    assert source.units == "µm"
    assert source.levels[0].scale == (1, 1, 1.5, 1, 0.5)
    assert source.levels[0].translate == (0, 0, 20.75, 10.5, 0.25)


def test_channels_have_names_colours_and_windows(movie: tuple[Opened, np.ndarray]) -> None:
    said = movie[0].shown[0].suggestions
    assert said.name == "cells"
    assert said.channel_axis == 1
    assert [channel.name for channel in said.channels] == ["dye 0", "dye 1"]
    assert said.channels[1].color == "#ff8000"
    assert said.channels[1].window == (1, 200)


def test_one_of_its_arrays_may_be_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ims", [sample((1, 1, 20, 30, 40))])
    opened = open_data(parse_location(path, "DataSet/ResolutionLevel 0/TimePoint 0/Channel 0/Data"))
    assert opened.shown[0].parts[0].shape == (24, 32, 48)
    opened.close()
