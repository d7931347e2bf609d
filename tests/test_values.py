"""Values and arrays reach another process as they were, and nonsense is refused."""

from __future__ import annotations

import gc
import itertools
import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewer import errors
from viewer.messages import Piece
from viewer.values import PIECE_BYTES, Arrays, Budget, Encoder, decode, pieces


def travelled(value: Any) -> Any:
    """`value` after a journey in JSON, with its arrays in binary frames."""
    numbers = itertools.count(1)
    encoder = Encoder(lambda: next(numbers))
    text = msgspec.json.encode(encoder.encode(value))
    arrays = Arrays()
    for number, array in encoder.arrays.items():
        for piece in pieces(number, array):
            arrays.receive(msgspec.msgpack.decode(msgspec.msgpack.encode(piece), type=Piece))
    return decode(msgspec.json.decode(text), arrays.take, lambda id: f"layer {id}")


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.integers() | st.text("$ab", max_size=3), inner, max_size=4)
    ),
    max_leaves=10,
)


@settings(deadline=None, max_examples=200)
@given(PLAIN)
def test_builtins_arrive_as_they_were(value: object) -> None:
    try:
        arrived = travelled(value)
    except errors.UnsupportedDataError:
        assert "int" in repr(type(value)) or isinstance(value, dict | list | tuple)
        return  # a key beyond 64 bits
    assert arrived == value and type(arrived) is type(value)


@pytest.mark.parametrize(
    "value",
    [np.s_[1:5, ..., ::2], {3, 4}, Path("a/b"), float("inf"), {1: "x"}, {"$array": 1}],
)
def test_so_do_other_values(value: object) -> None:
    assert travelled(value) == value


def test_not_a_number_arrives() -> None:
    assert math.isnan(travelled(float("nan")))


@pytest.mark.parametrize("dtype", ["?", "u1", "<i2", ">u4", "<f2", "<f8", "<c8", "<U3"])
@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (3, 4, 5), (2, 700, 800)])
def test_arrays_arrive(dtype: str, shape: tuple[int, ...]) -> None:
    count = math.prod(shape)
    array = (np.arange(count) % 251).astype(dtype).reshape(shape)
    arrived = travelled(array)
    assert arrived.dtype == array.dtype
    np.testing.assert_array_equal(arrived, array)


def test_views_and_records_arrive() -> None:
    array = np.arange(60).reshape(3, 4, 5)[::-1, :, ::2].transpose(2, 0, 1)
    np.testing.assert_array_equal(travelled(array), array)
    records = np.zeros(3, [("label", "u8"), ("centroid", "f8", (3,))])
    records["centroid"] = np.arange(9).reshape(3, 3)
    np.testing.assert_array_equal(travelled(records), records)


def test_what_is_sliced_is_never_read_as_a_whole() -> None:
    class Lazy:
        shape, dtype = (50, 1024, 1024), np.dtype("u1")
        largest = 0

        def __getitem__(self, index: Any) -> Any:
            sizes = [range(*s.indices(n)) for s, n in zip(index, self.shape, strict=True)]
            part = np.zeros([len(size) for size in sizes], "u1")
            self.largest = max(self.largest, part.nbytes)
            return part

    lazy = Lazy()
    assert sum(piece.length for piece in pieces(1, lazy)) == 50 << 20
    assert lazy.largest <= 1 << 20


def test_objects_do_not_travel() -> None:
    with pytest.raises(errors.UnsupportedDataError):
        travelled(object())
    with pytest.raises(errors.UnsupportedDataError):
        travelled(np.array([object()]))


GOOD = Piece(1, "<u2", (4, 4), 32, 0, 32, "", bytes(32))


@pytest.mark.parametrize(
    "changes",
    [
        {"dtype": "O"},
        {"dtype": "nonsense"},
        {"dtype": [["a", "O"]]},
        {"dtype": []},
        {"shape": (-4, -4)},
        {"shape": (4, 5)},
        {"shape": (1,) * 40 + (4, 4)},
        {"offset": 2},
        {"length": 64, "body": bytes(64)},
        {"length": -1},
        {"length": 1 << 30},
        {"coding": "gzip"},
        {"coding": "zstd"},
    ],
)
def test_pieces_that_do_not_fit_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(errors.ViewerError):
        Arrays().receive(msgspec.structs.replace(GOOD, **changes))


def test_a_bomb_does_not_go_off() -> None:
    from numcodecs.zstd import compress

    body = bytes(compress(bytes(1 << 28), 1))
    bomb = Piece(1, "u1", (1 << 28,), 1 << 28, 0, PIECE_BYTES, "zstd", body)
    with pytest.raises(errors.InvalidValueError, match="damaged"):
        Arrays().receive(bomb)


def test_arrays_are_had_once_and_whole() -> None:
    arrays = Arrays()
    with pytest.raises(errors.InvalidValueError, match="has not come"):
        arrays.take(1)
    arrays.receive(msgspec.structs.replace(GOOD, length=16, body=bytes(16)))
    with pytest.raises(errors.InvalidValueError, match="has not come"):
        arrays.take(1)
    arrays.receive(GOOD)
    assert arrays.take(1).shape == (4, 4)
    with pytest.raises(errors.InvalidValueError):
        arrays.take(1)


def test_memory_is_bounded_and_given_back() -> None:
    budget = Budget(100)
    arrays = Arrays(budget)
    arrays.receive(GOOD)
    view = arrays.take(1)[1:]
    gc.collect()
    assert budget.taken == 32  # a view keeps it
    arrays.receive(msgspec.structs.replace(GOOD, array=2))
    arrays.receive(msgspec.structs.replace(GOOD, array=3))
    with pytest.raises(errors.TooLargeError, match=r"open\(path\)"):
        arrays.receive(msgspec.structs.replace(GOOD, array=4))
    del view
    arrays.clear()
    gc.collect()
    assert budget.taken == 0


@pytest.mark.parametrize(
    "value",
    [{"$unheard": 1}, {"$array": "x"}, {"$slice": 5}, {"$dict": [1]}, {"$set": [[]]},
     {"$notice": {}}, {"$float": "much"}, {"$tuple": 3}, {"$path": 3}],
)  # fmt: skip
def test_nonsense_is_no_value(value: Any) -> None:
    with pytest.raises(errors.InvalidValueError):
        decode(value, lambda number: None, lambda id: None)
