"""Brick messages, decoded independently and held against plain slices."""

from __future__ import annotations

import itertools
import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewer.bricks import failed_brick, read_brick
from viewer.errors import NotFoundError
from viewer.messages import Notice
from viewer.pyramids.pyramid import Pyramid
from viewer.sources import as_source
from viewer.space import Box

DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DTYPES += ["float16", "float32", "float64"]
WIRE = {"bool": "|u1", "float16": "<f4"}


def decode(message: bytes, pyramid: Pyramid) -> tuple[dict[str, object], np.ndarray]:
    names = ["volume", "level", "flags", "bytes_each", "z", "y", "x", "generation", "low", "high"]
    names += ["size", "reserved"]
    header = dict(zip(names, struct.unpack("<IBBHIIIIddII", message[:48]), strict=True))
    name = pyramid.dtype.name
    size = header["size"]
    assert len(message) == 48 + -(-size // 8) * 8
    assert not any(message[48 + size :])
    travels = WIRE.get(name, np.dtype(name).newbyteorder("<"))
    if header["bytes_each"]:
        travels = f"<u{header['bytes_each']}"
    voxels = np.frombuffer(message[48 : 48 + size], travels)
    stored = [b + a for b, a in zip(pyramid.brick, pyramid.apron, strict=True)]
    if header["flags"] == 1:
        assert voxels.size == 1
        return header, np.broadcast_to(voxels, stored)
    return header, voxels.reshape(stored)


def check_all(pyramid: Pyramid, point: tuple[int, ...] = ()) -> None:
    for number, level in enumerate(pyramid.levels):
        whole = pyramid.read(number, Box.whole(level.shape))[point]
        whole = whole.reshape((1,) * (3 - whole.ndim) + whole.shape)
        counts = [range(-(-n // b)) for n, b in zip(whole.shape, pyramid.brick, strict=True)]
        for index in itertools.product(*counts):
            header, voxels = decode(read_brick(pyramid, 5, number, point, index), pyramid)
            cut = [
                np.minimum(np.arange(i * b, i * b + b + a), n - 1)
                for i, b, a, n in zip(index, pyramid.brick, pyramid.apron, whole.shape, strict=True)
            ]
            expected = whole[np.ix_(*cut)]
            np.testing.assert_array_equal(voxels, expected)
            assert (header["volume"], header["level"], header["reserved"]) == (5, number, 0)
            assert pyramid.kind == "labels" or not header["bytes_each"]
            assert (header["z"], header["y"], header["x"]) == index
            if pyramid.kind == "labels":
                assert (header["low"], header["high"]) == (0, 0)
            else:
                assert header["low"] == float(expected.min())
                assert header["high"] == float(expected.max())


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_arrives_exactly(dtype):
    data = np.random.default_rng(0).integers(0, 100, (70, 40, 35)).astype(dtype)
    check_all(Pyramid(as_source(data.astype(np.dtype(dtype).newbyteorder(">"))), "image"))
    if not dtype.startswith("float"):
        check_all(Pyramid(as_source(data), "labels"))


@pytest.mark.parametrize("value", [2**64 - 1, 2**53 + 1])
def test_uint64_keeps_its_last_bit(value):
    data = np.arange(value - 5 * 5 * 5 + 1, value + 1, dtype=np.uint64).reshape(5, 5, 5)
    check_all(Pyramid(as_source(data), "labels"))


@pytest.mark.parametrize(
    ("dtype", "largest", "bytes_each"),
    [
        ("uint16", 9, 0),
        ("uint32", 2**16 - 1, 2),
        ("uint32", 2**16, 0),
        ("int32", 9, 0),
        ("uint64", 9, 2),
        ("uint64", 2**16, 4),
        ("uint64", 2**32 - 1, 4),
        ("uint64", 2**32, 0),
        ("int64", 9, 2),
    ],
)
def test_labels_travel_in_as_few_bytes_as_they_need(dtype, largest, bytes_each):
    data = np.zeros((8, 8, 8), dtype)
    data[3, 4, 5] = largest
    pyramid = Pyramid(as_source(data), "labels")
    header, voxels = decode(read_brick(pyramid, 5, 0, (), (0, 0, 0)), pyramid)
    assert header["bytes_each"] == bytes_each
    np.testing.assert_array_equal(voxels, data)


def test_negative_labels_travel_as_they_are():
    data = np.zeros((8, 8, 8), np.int64)
    data[3, 4, 5] = -1
    pyramid = Pyramid(as_source(data), "labels")
    header, voxels = decode(read_brick(pyramid, 5, 0, (), (0, 0, 0)), pyramid)
    assert header["bytes_each"] == 0
    np.testing.assert_array_equal(voxels, data)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 70), min_size=2, max_size=3), st.sampled_from(["image", "labels"]))
def test_borders_repeat_the_last_voxel(shape, kind):
    data = np.arange(np.prod(shape), dtype=np.uint32).reshape(shape)
    check_all(Pyramid(as_source(data), kind))


def test_leading_axes_are_addressed_by_a_point():
    data = np.random.default_rng(0).integers(0, 9, (2, 3, 40, 5, 6)).astype("i2")
    pyramid = Pyramid(as_source(data), "image")
    check_all(pyramid, (1, 2))
    check_all(Pyramid(as_source(data[0, 0], axis_labels=("t", "y", "x")), "image"), (7,))


def test_a_constant_brick_is_one_voxel():
    data = np.full((64, 64, 64), 7, np.uint16)
    message = read_brick(Pyramid(as_source(data), "image"), 1, 0, (), (1, 1, 1))
    assert len(message) == 56
    found = struct.unpack("<IBBHIIIIddIIQ", message)
    assert found == (1, 0, 1, 0, 1, 1, 1, 0, 7, 7, 2, 0, 7)


def test_least_and_greatest_leave_nan_out():
    data = np.arange(5.0**3).reshape(5, 5, 5)
    data[0] = np.nan
    header, _ = decode(read_brick(p := Pyramid(as_source(data), "image"), 1, 0, (), (0, 0, 0)), p)
    assert (header["flags"], header["low"], header["high"]) == (0, 25, 124)


def test_one_nan_among_equals_is_not_constant():
    data = np.ones((5, 5, 5))
    data[2, 2, 2] = np.nan
    pyramid = Pyramid(as_source(data), "image")
    header, voxels = decode(read_brick(pyramid, 1, 0, (), (0, 0, 0)), pyramid)
    assert (header["flags"], header["low"], header["high"]) == (0, 1, 1)
    assert np.isnan(voxels).any()


def test_nothing_but_nan_is_constant():
    pyramid = Pyramid(as_source(np.full((5, 5, 5), np.nan, np.float32)), "image")
    message = read_brick(pyramid, 1, 0, (), (0, 0, 0))
    assert np.isnan(struct.unpack_from("<f", message, 48))


def test_a_brick_tells_the_generation():
    pyramid = Pyramid(as_source(np.zeros((5, 5))), "image")
    pyramid.refresh()
    header, _ = decode(read_brick(pyramid, 1, 0, (), (0, 0, 0)), pyramid)
    assert header["generation"] == 1


@pytest.mark.parametrize(
    ("level", "point", "index"),
    [
        (9, (0,), (0, 0, 0)),
        (-1, (0,), (0, 0, 0)),
        (0, (), (0, 0, 0)),
        (0, (2,), (0, 0, 0)),
        (0, (-1,), (0, 0, 0)),
        (0, (0, 0), (0, 0, 0)),
        (0, (0,), (0, 0, 2)),
        (0, (0,), (-1, 0, 0)),
    ],
)
def test_an_address_that_does_not_exist_is_not_found(level, point, index):
    pyramid = Pyramid(as_source(np.zeros((2, 40, 40, 40))), "image")
    with pytest.raises(NotFoundError):
        read_brick(pyramid, 1, level, point, index)


def test_a_failed_brick_carries_its_notice():
    message = failed_brick(3, 2, (4, 5, 6), 7, Notice("source", "closed", "open it", "l1"))
    header = struct.unpack("<IBBHIIIIddII", message[:48])
    assert header[:10] == (3, 2, 2, 0, 4, 5, 6, 7, 0, 0)
    assert json.loads(message[48 : 48 + header[10]])["hint"] == "open it"
    assert len(message) % 8 == 0
