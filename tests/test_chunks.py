"""The OME-Zarr door, judged by zarr-python on a store filled from our functions."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.core.buffer import cpu
from zarr.storage import MemoryStore

from viewer.chunks import array_metadata, grid_of, group_metadata, parse_key, read_chunk
from viewer.errors import NotFoundError
from viewer.pyramids.pyramid import Pyramid
from viewer.sources import as_source
from viewer.space import Box

DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DTYPES += ["float16", "float32", "float64"]


def store_of(pyramid: Pyramid) -> MemoryStore:
    """Everything that the door serves, under its keys."""
    files: dict[str, bytes] = {"zarr.json": json.dumps(group_metadata(pyramid, "cells")).encode()}
    for level, described in enumerate(pyramid.levels):
        metadata = array_metadata(pyramid, level)
        files[f"{level}/zarr.json"] = json.dumps(metadata).encode()
        chunk = metadata["chunk_grid"]["configuration"]["chunk_shape"]
        counts = [range(-(-n // c)) for n, c in zip(described.shape, chunk, strict=True)]
        for index in itertools.product(*counts):
            key = "/".join(["c", *map(str, index)])
            assert parse_key(key, grid_of(pyramid, level)) == index
            files[f"{level}/{key}"] = bytes(read_chunk(pyramid, level, index))
    return MemoryStore({key: cpu.Buffer.from_bytes(value) for key, value in files.items()})


def check(data: np.ndarray, kind: Any = "image") -> None:
    pyramid = Pyramid(as_source(data), kind)
    group = zarr.open_group(store_of(pyramid), mode="r")
    for index, level in enumerate(pyramid.levels):
        array = group[str(index)]
        assert array.dtype == data.dtype.newbyteorder("=")
        expected = pyramid.read(index, Box.whole(level.shape))
        assert array[...].tobytes() == expected.tobytes()
    np.testing.assert_array_equal(group["0"][...], data)


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [
        (dtype, kind)
        for dtype in DTYPES
        for kind in ("image", "labels")
        if kind == "image" or "float" not in dtype
    ],
)
def test_zarr_python_reads_every_dtype_back_to_the_bit(dtype, kind):
    kind_of_dtype = np.dtype(dtype)
    raw = np.random.default_rng(1).bytes(67 * 65 * 33 * kind_of_dtype.itemsize)
    if dtype == "bool":
        data = (np.frombuffer(raw, np.uint8) & 1).astype(bool)
    else:
        data = np.frombuffer(raw, kind_of_dtype)
    data = data.reshape(67, 65, 33)
    if kind_of_dtype.kind == "f":  # bit patterns of NaN are checked too, at level 0
        pyramid = Pyramid(as_source(data), "image")
        assert zarr.open_group(store_of(pyramid), mode="r")["0"][...].tobytes() == data.tobytes()
    else:
        check(data, kind)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=6), st.integers(0, 5))
def test_odd_shapes_read_back(shape, long_axis):
    shape[long_axis % len(shape)] += 70 if len(shape) < 4 else 9
    check(np.arange(np.prod(shape), dtype=">i4").reshape(shape))


def test_memory_layout_does_not_show():
    data = np.arange(70 * 30 * 20, dtype=np.uint16).reshape(70, 30, 20)
    check(np.asfortranarray(data))
    check(data[::-1, ::2, ::-1])


def test_group_metadata_is_ome_zarr():
    source = as_source(np.zeros((3, 80, 80, 80), np.uint16), scale=(40, 4, 4), units="nm")
    pyramid = Pyramid(source, "image")
    ome = group_metadata(pyramid, "cells", window=(3, 1000), color="#00ff7f")["attributes"]["ome"]
    assert ome["version"] == "0.5"
    (scales,) = ome["multiscales"]
    assert scales["name"] == "cells"
    assert scales["axes"][0] == {"name": "t", "type": "time"}
    assert scales["axes"][3] == {"name": "x", "type": "space", "unit": "nanometer"}
    assert scales["datasets"][0] == {
        "path": "0",
        "coordinateTransformations": [
            {"type": "scale", "scale": [1, 40, 4, 4]},
            {"type": "translation", "translation": [0, 0, 0, 0]},
        ],
    }
    assert scales["datasets"][1]["coordinateTransformations"] == [
        {"type": "scale", "scale": [1, 40, 8, 8]},
        {"type": "translation", "translation": [0, 0, 2, 2]},
    ]
    assert ome["omero"]["channels"] == [
        {
            "label": "cells",
            "active": True,
            "color": "00FF7F",
            "window": {"min": 0, "max": 65535, "start": 3, "end": 1000},
        }
    ]


def test_each_channel_has_its_window():
    pyramid = Pyramid(as_source(np.zeros((2, 4, 5, 5, 5))), "image")
    ome = group_metadata(pyramid, "a", window=(0, 1))["attributes"]["ome"]
    assert len(ome["omero"]["channels"]) == 4


def test_labels_say_that_they_are_labels():
    ome = group_metadata(Pyramid(as_source(np.zeros((5, 5), int)), "labels"), "cells")
    assert "image-label" in ome["attributes"]["ome"]


@pytest.fixture
def pyramid() -> Pyramid:
    return Pyramid(as_source(np.zeros((100, 100, 100), np.uint8)), "image")


@pytest.mark.parametrize(
    "key",
    [
        *("", "c", "c/", "c/0", "c/0/0", "c/0/0/0/0", "c/0/0/0/", "/c/0/0/0", "c//0/0/0"),
        *("c/00/0/0", "c/+1/0/0", "c/-1/0/0", "c/ 0/0/0", "c/0/0/1e0", "c/0/٠/0", "c/0/0/0\n"),
        *("c/0/0/2", "c/2/0/0", "c/0/0/99999999999999999999999"),
        *("C/0/0/0", "c.0.0.0", "0/0/0", "c/0/0/0x", "zarr.json"),
    ],
)
def test_every_other_spelling_of_a_key_is_not_found(pyramid, key):
    with pytest.raises(NotFoundError):
        parse_key(key, grid_of(pyramid, 0))


@given(st.text(max_size=20))
def test_any_text_is_a_key_or_not_found(text):
    pyramid = Pyramid(as_source(np.zeros((100, 100), np.uint8)), "image")
    try:
        index = parse_key(text, grid_of(pyramid, 0))
    except NotFoundError:
        return
    assert text == "/".join(["c", *map(str, index)])


def test_levels_that_do_not_exist_are_not_found(pyramid):
    for level in (-1, len(pyramid.levels)):
        with pytest.raises(NotFoundError):
            array_metadata(pyramid, level)
        with pytest.raises(NotFoundError):
            grid_of(pyramid, level)
        with pytest.raises(NotFoundError):
            read_chunk(pyramid, level, (0, 0, 0))


def test_chunks_that_are_read_one_after_another_into_the_same_memory_are_whole() -> None:
    data = np.random.default_rng(0).integers(1, 99, (70, 70, 70), dtype=np.uint16)
    pyramid = Pyramid(as_source(data), "labels")
    for index in itertools.product(range(2), repeat=3):
        kept = bytes(read_chunk(pyramid, 0, index))
        assert bytes(read_chunk(pyramid, 0, index, brief=True)) == kept
