"""A channel of an array: the same voxels, with one axis held."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from viewer.errors import ClosedError, SourceError
from viewer.sources.channel import channel_sources
from viewer.space import Box

DATA = np.arange(4 * 3 * 5 * 6, dtype="u2").reshape(4, 3, 5, 6)


@pytest.fixture(params=["numpy", "h5py", "zarr"])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "numpy":
        yield DATA
    elif request.param == "zarr":
        array = zarr.create_array(
            tmp_path / "a.zarr", shape=DATA.shape, chunks=(2, 1, 5, 6), dtype="u2"
        )
        array[...] = DATA
        yield array
    else:
        with h5py.File(tmp_path / "a.h5", "w") as file:
            yield file.create_dataset("a", data=DATA, chunks=(2, 1, 5, 6), compression="gzip")


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_a_channel_reads_what_numpy_would(data: Any, axis: int) -> None:
    sources = channel_sources(data, axis)
    assert len(sources) == DATA.shape[axis]
    for index, source in enumerate(sources):
        expected = np.take(DATA, index, axis)
        assert source.dtype == "uint16"
        assert source.levels[0].shape == expected.shape
        assert [a.name for a in source.axes] == ["z", "y", "x"]
        assert np.array_equal(source.read(0, Box.whole(expected.shape)), expected)
        assert np.array_equal(source.read(0, Box((1, 0, 2), (2, 3, 4))), expected[1:2, 0:3, 2:4])
        if not isinstance(data, np.ndarray):
            assert source.chunks == tuple(np.delete((2, 1, 5, 6), axis))


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_any_axis_of_any_shape(draw: st.DataObject) -> None:
    shape = tuple(draw.draw(st.lists(st.integers(1, 4), min_size=3, max_size=6)))
    axis = draw.draw(st.integers(-len(shape), len(shape) - 1))
    data = np.random.default_rng(0).integers(0, 99, shape)
    for index, source in enumerate(channel_sources(data, axis)):
        expected = np.take(data, index, axis)
        assert np.array_equal(source.read(0, Box.whole(expected.shape)), expected)


def test_transform_and_names_with_and_without_the_channel() -> None:
    (first, *_) = channel_sources(DATA, 1, scale=(4, 2, 1), units="nm")
    (second, *_) = channel_sources(
        DATA, 1, scale=(4, 9, 2, 1), axis_labels=("z", "c", "y", "x"), units="nm"
    )
    assert first.levels == second.levels
    assert first.axes == second.axes
    assert first.units == "nm"


def test_closing_one_channel_leaves_the_others() -> None:
    first, second, *_ = channel_sources(DATA, 0)
    first.close()
    box = Box.whole((3, 5, 6))
    with pytest.raises(ClosedError):
        first.read(0, box)
    assert np.array_equal(second.read(0, box), DATA[1])


def test_a_closed_file_is_a_source_error(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a"] = DATA
        source = channel_sources(file["a"], 0)[0]
    with pytest.raises(SourceError, match="closed"):
        source.read(0, Box.whole((3, 5, 6)))


def test_a_file_closed_before_is_a_source_error(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a"] = DATA
        dataset = file["a"]
    with pytest.raises(SourceError, match="closed"):
        channel_sources(dataset, 0)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_a_channel_of_an_array_is_sampled_in_steps(axis: int) -> None:
    for index, source in enumerate(channel_sources(DATA, axis)):
        expected = np.take(DATA, index, axis)
        assert source.resident
        sample = source.sample((0, 1, 0), expected.shape, (2, 1, 3))
        assert sample is not None
        assert np.array_equal(sample, expected[::2, 1:, ::3])
