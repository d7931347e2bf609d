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
from viewer.pyramid import Pyramid
from viewer.sources import as_source
from viewer.space import Box

DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DTYPES += ["float16", "float32", "float64"]
WIRE = {"bool": "|u1", "float16": "<f4"}


def decode(message: bytes, pyramid: Pyramid) -> tuple[dict[str, object], np.ndarray]:
    names = ["volume", "level", "flags", "reserved", "z", "y", "x", "generation", "low", "high"]
    header = dict(zip(names, struct.unpack("<IBBHIIIIdd", message[:40]), strict=True))
    name = pyramid.dtype.name
    voxels = np.frombuffer(message[40:], WIRE.get(name, np.dtype(name).newbyteorder("<")))
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
    assert len(message) == 42
    assert struct.unpack("<IBBHIIIIddH", message) == (1, 0, 1, 0, 1, 1, 1, 0, 7, 7, 7)


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
    assert len(message) == 44
    assert np.isnan(struct.unpack("<f", message[40:]))


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
    assert struct.unpack("<IBBHIIIIdd", message[:40]) == (3, 2, 2, 0, 4, 5, 6, 7, 0, 0)
    assert json.loads(message[40:])["hint"] == "open it"
