"""The halving kernels against slow arithmetic on Python's own numbers."""

from __future__ import annotations

import itertools
import math
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.measure import block_reduce

from viewer.errors import CancelledError
from viewer.kernels import downsample
from viewer.kernels.downsample import halve, mean, mode

INTEGERS = [np.dtype(f"{kind}{size}") for kind in "iu" for size in (1, 2, 4, 8)]
UNSIGNED = [dtype for dtype in INTEGERS if dtype.kind == "u"]
FLOATS = [np.dtype(f"f{size}") for size in (2, 4, 8)]

# The first call of a kernel compiles it, or loads it from its cache.
unhurried = settings(deadline=None)
shapes = hnp.array_shapes(min_dims=2, max_dims=5, max_side=5)


def factors_for(shape: tuple[int, ...]) -> st.SearchStrategy[tuple[int, ...]]:
    leading = max(0, len(shape) - 3)
    return st.tuples(
        *(st.just(1) if axis < leading else st.sampled_from((1, 2)) for axis, _ in enumerate(shape))
    )


def arrays(dtypes: list[np.dtype[Any]]) -> st.SearchStrategy[tuple[np.ndarray, tuple[int, ...]]]:
    return st.tuples(st.sampled_from(dtypes), shapes).flatmap(
        lambda pair: st.tuples(hnp.arrays(pair[0], pair[1]), factors_for(pair[1]))
    )


# Long enough for the compiler's vectors, of which the last is not full.
long_rows = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(30, 200))


def long_arrays(
    dtypes: list[np.dtype[Any]], **options: Any
) -> st.SearchStrategy[tuple[np.ndarray, tuple[int, ...]]]:
    """Random voxels of a drawn seed: drawing each would be too slow."""

    def fill(dtype: np.dtype[Any], shape: tuple[int, ...], seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        if few := options.get("few"):
            return rng.choice(few, shape).astype(dtype)
        return np.frombuffer(rng.bytes(math.prod(shape) * dtype.itemsize), dtype).reshape(shape)

    return st.tuples(st.sampled_from(dtypes), long_rows, st.integers(0, 2**32)).flatmap(
        lambda case: st.tuples(st.just(fill(*case)), factors_for(case[1]))
    )


def cells(
    data: np.ndarray, factors: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], list[Any]]]:
    counts = [-(-n // f) for n, f in zip(data.shape, factors, strict=True)]
    for index in itertools.product(*map(range, counts)):
        part = data[tuple(slice(i * f, i * f + f) for i, f in zip(index, factors, strict=True))]
        yield index, part.ravel().tolist()


def slowly(
    data: np.ndarray, factors: tuple[int, ...], of: Callable[[list[Any]], Any]
) -> np.ndarray:
    out = np.empty([-(-n // f) for n, f in zip(data.shape, factors, strict=True)], data.dtype)
    for index, values in cells(data, factors):
        out[index] = of(values)
    return out


def mean_of_numbers(values: list[float]) -> float:
    numbers = [v for v in values if not math.isnan(v)]
    if not numbers:
        return math.nan
    if any(map(math.isinf, numbers)):
        return sum(numbers)
    return float(sum(map(Fraction, numbers)) / len(numbers))


def most_frequent(values: list[int]) -> int:
    counts = Counter(values)
    most = max(counts.values())
    tied = [value for value, count in counts.items() if count == most]
    return min(tied, key=lambda v: (v == 0, v < 0, v))


@unhurried
@given(arrays(INTEGERS))
def test_mean_of_integers_is_exact_and_rounds_half_to_even(case):
    data, factors = case
    expected = slowly(data, factors, lambda values: round(Fraction(sum(values), len(values))))
    np.testing.assert_array_equal(mean(data, factors), expected)


@unhurried
@given(long_arrays(INTEGERS))
def test_mean_of_long_rows_of_integers_is_exact(case):
    data, factors = case
    expected = slowly(data, factors, lambda values: round(Fraction(sum(values), len(values))))
    np.testing.assert_array_equal(mean(data, factors), expected)


@unhurried
@given(long_arrays(UNSIGNED, few=[0, 1, 2, 250]))
def test_mode_of_long_rows_is_the_most_frequent_value(case):
    data, factors = case
    np.testing.assert_array_equal(mode(data, factors), slowly(data, factors, most_frequent))


@unhurried
@given(st.one_of(long_arrays(UNSIGNED, few=[0, 250]), long_arrays(UNSIGNED, few=[3, 250])))
def test_mode_where_two_objects_meet_is_the_most_frequent_value(case):
    data, factors = case
    np.testing.assert_array_equal(mode(data, factors), slowly(data, factors, most_frequent))


@unhurried
@given(arrays(FLOATS))
def test_mean_of_floats_leaves_nan_out(case):
    data, factors = case
    expected = slowly(data, factors, mean_of_numbers)
    result = mean(data, factors)
    assert result.dtype == data.dtype
    scale = {2: 1e-3, 4: 1e-6, 8: 1e-14}[data.dtype.itemsize]
    finite = np.abs(data[np.isfinite(data)], dtype=np.float64)
    largest = float(finite.max()) if finite.size else 0.0
    tiny = float(np.finfo(data.dtype).tiny)
    np.testing.assert_array_equal(np.isnan(result), np.isnan(expected))
    both = np.isfinite(expected)
    np.testing.assert_array_equal(result[~both], expected[~both])
    error = np.abs(result[both].astype(np.float64) / 2 - expected[both].astype(np.float64) / 2)
    assert (error <= scale * largest + tiny).all()


@unhurried
@given(arrays([np.dtype(bool)]))
def test_mean_of_bools_is_true_where_at_least_half_are(case):
    data, factors = case
    expected = slowly(data, factors, lambda values: 2 * sum(values) >= len(values))
    np.testing.assert_array_equal(mean(data, factors), expected)


@unhurried
@given(st.sampled_from([*INTEGERS, np.dtype(bool)]), st.data())
def test_mode_is_the_most_frequent_value_and_zero_gives_way(dtype, data):
    shape = data.draw(shapes)
    few = {"b": st.booleans(), "u": st.integers(0, 4), "i": st.integers(-2, 2)}[dtype.kind]
    labels = data.draw(hnp.arrays(dtype, shape, elements=few))
    factors = data.draw(factors_for(shape))
    np.testing.assert_array_equal(mode(labels, factors), slowly(labels, factors, most_frequent))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("factors", [(2, 2, 2), (1, 2, 2), (1, 1, 2), (2, 1, 1)])
def test_mean_agrees_with_scikit_image_on_even_shapes(dtype, factors):
    data = np.random.default_rng(5).integers(0, 250, (8, 10, 140)).astype(dtype)
    expected = block_reduce(data, factors, np.mean)
    if data.dtype.kind == "u":
        expected = np.rint(expected)
    np.testing.assert_allclose(mean(data, factors), expected, rtol=1e-6)


@pytest.mark.parametrize("value", [0, 2**63 - 1, 2**63, 2**64 - 1])
def test_mean_and_mode_keep_uint64_to_the_last_bit(value):
    data = np.full((3, 3, 3), value, np.uint64)
    assert (mean(data, (2, 2, 2)) == np.uint64(value)).all()
    assert (mode(data, (2, 2, 2)) == np.uint64(value)).all()


def test_mean_of_huge_floats_does_not_overflow():
    data = np.full((2, 2, 2), 1.7e308)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mean(data, (2, 2, 2))[0, 0, 0] == pytest.approx(1.7e308)


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_input_may_be_read_only_and_lie_anyhow_in_memory(dtype):
    data = np.arange(6 * 7 * 8).reshape(6, 7, 8).astype(dtype)
    fortran = np.asfortranarray(data)
    fortran.flags.writeable = False
    np.testing.assert_array_equal(mean(fortran, (2, 2, 2)), mean(data, (2, 2, 2)))
    np.testing.assert_array_equal(
        mean(data[::-1, :, ::-1], (2, 2, 2)), mean(data[::-1, :, ::-1].copy(), (2, 2, 2))
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_and_infinity_change_only_the_voxels_that_they_are_in(dtype):
    rng = np.random.default_rng(11)
    data = rng.normal(size=(6, 6, 201)).astype(dtype)
    data[rng.random(data.shape) < 0.1] = np.nan
    data[4, 4, 100:] = np.inf
    data[:2, :2, :2] = np.nan
    expected = slowly(data, (2, 2, 2), mean_of_numbers)
    np.testing.assert_allclose(mean(data, (2, 2, 2)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kernel", [mean, mode])
@pytest.mark.parametrize("dtype", [bool, np.int16, np.uint64])
def test_out_may_lie_anyhow_in_memory(kernel, dtype):
    data = np.arange(2 * 5 * 6 * 7).reshape(2, 5, 6, 7).astype(dtype)
    expected = kernel(data, (1, 2, 2, 2))
    whole = np.zeros((2, 4, 6, 12), dtype)
    parts = [whole[:, 1:, 2:5, 3:7], whole[:, 1:, 2:5, 3:11:2], whole[:, :0:-1, 2:5, 3:7]]
    for part in parts:
        assert kernel(data, (1, 2, 2, 2), out=part) is part
        np.testing.assert_array_equal(part, expected)
        part[:] = 0
    assert not whole.any()


def test_out_of_half_floats_is_written():
    data = np.arange(64, dtype=np.float16).reshape(4, 4, 4)
    out = np.zeros((2, 2, 2), np.float16)
    assert mean(data, (2, 2, 2), out) is out
    np.testing.assert_array_equal(out, mean(data, (2, 2, 2)))


LAYOUTS = {
    "C": lambda data: data,
    "Fortran": np.asfortranarray,
    "part of a larger array": lambda data: (
        np.pad(data, 3)[..., 3:-3, 3:-3, 3:-3][3:-3]
        if data.ndim > 3
        else np.pad(data, 3)[3:-3, 3:-3, 3:-3]
    ),
    "backwards": lambda data: data[..., ::-1].copy()[..., ::-1],
    "every other": lambda data: data.repeat(2, -1)[..., ::2],
    "one row for all": lambda data: np.broadcast_to(data[..., :1, :], data.shape),
    "other byte order": lambda data: data.astype(data.dtype.newbyteorder()),
    "read-only": lambda data: _read_only(data),
}


def _read_only(data: np.ndarray) -> np.ndarray:
    copy = data.copy()
    copy.flags.writeable = False
    return copy


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["image", "labels"])
def test_a_level_made_on_all_cores_is_what_one_kernel_makes(monkeypatch, kind, layout):
    monkeypatch.setattr(downsample, "SLAB_BYTES", 2000)
    data = LAYOUTS[layout](np.random.default_rng(3).integers(0, 9, (3, 9, 10, 37)).astype(np.int32))
    kernel = mean if kind == "image" else mode
    for array, factors in ((data, (1, 2, 2, 2)), (data[0], (2, 1, 2)), (data[0, 0], (2, 2))):
        native = np.ascontiguousarray(array).astype(np.int32)
        level = halve(array, kind, factors, threads=3)
        assert level.dtype == native.dtype
        np.testing.assert_array_equal(level, kernel(native, factors))


def test_a_cancelled_level_ends_between_slabs(monkeypatch):
    monkeypatch.setattr(downsample, "SLAB_BYTES", 1000)
    asked = []

    def cancelled() -> bool:
        asked.append(None)
        return len(asked) > 5

    with pytest.raises(CancelledError):
        halve(np.zeros((64, 64, 64), np.uint8), "image", (2, 2, 2), cancelled=cancelled)
    assert len(asked) < 12


def test_an_error_in_another_thread_is_raised(monkeypatch):
    monkeypatch.setattr(downsample, "SLAB_BYTES", 1000)
    with pytest.raises(ZeroDivisionError):
        halve(
            np.zeros((64, 64, 64), np.uint8),
            "image",
            (2, 2, 2),
            threads=2,
            cancelled=lambda: bool(1 / (threading.current_thread() is threading.main_thread())),
        )


@unhurried
@given(long_arrays([np.dtype("u1"), np.dtype("u4"), np.dtype("u8")], few=[1, 2, 3, 4, 5]))
def test_mode_agrees_with_tinybrain_where_one_value_is_more_frequent_than_all_others(case):
    tinybrain = pytest.importorskip("tinybrain")
    data = np.ascontiguousarray(case[0][: len(case[0]) // 2 * 2])
    if min(data.shape) < 2:
        return
    # its axes are x, y, z
    (theirs,) = tinybrain.downsample_segmentation(np.asfortranarray(data.T), factor=(2, 2, 2))
    expected = theirs.T
    clear = np.zeros(expected.shape, bool)
    for index, values in cells(data, (2, 2, 2)):
        if all(n % 2 == 0 or i < n // 2 for i, n in zip(index, data.shape, strict=True)):
            first, second = (*Counter(values).most_common(2), (0, 0))[:2]
            clear[index] = first[1] > second[1]
    assert clear.any() or data.size < 100
    np.testing.assert_array_equal(mode(data, (2, 2, 2))[clear], expected[clear])
