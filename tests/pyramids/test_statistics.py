"""The first contrast window: right at first sight, always finite, from few voxels."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
import zarr
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from msgspec.structs import replace

from viewer.policy import POLICY
from viewer.pyramids import statistics
from viewer.pyramids.pyramid import Pyramid
from viewer.pyramids.statistics import (
    BINS,
    LARGEST,
    plan_places,
    sample,
    sample_statistics,
)
from viewer.sources import as_source
from viewer.space import Box


def limits_of(data: object) -> tuple[float, float]:
    return sample_statistics(Pyramid(as_source(data), "image")).limits


@pytest.mark.parametrize(
    "data",
    [
        np.random.default_rng(0).random((40, 50, 60)).astype("f4") * 0.008,
        np.random.default_rng(0).integers(0, 4096, (40, 50, 60)).astype("u2"),
        np.random.default_rng(0).normal(-200, 300, (40, 50, 60)).astype("i2"),
        np.random.default_rng(0).normal(0, 1e300, (40, 50, 60)),
    ],
    ids=["float to 0.008", "12 bit", "negative int16", "huge"],
)
def test_the_window_is_the_percentiles(data):
    expected = np.percentile(data.astype(float), (0.1, 99.9))
    span = expected[1] - expected[0]
    np.testing.assert_allclose(limits_of(data) / span, expected / span, atol=0.01)


@pytest.mark.parametrize(
    ("data", "limits"),
    [
        (np.zeros((9, 9, 9), np.uint8), (0, 1)),
        (np.full((9, 9), 7.5), (0, 7.5)),
        (np.full((9, 9), -3, np.int16), (-6, -3)),
        (np.full((9, 9), -1.7e308), (-LARGEST * 2, -LARGEST)),
        (np.full((9, 9), np.nan), (0, 1)),
        (np.full((9, 9), np.inf), (0, 1)),
        (np.zeros((9, 9), bool), (0, 1)),
        (np.array([[np.nan, 2.0], [np.inf, 4.0]]), (2, 4)),
    ],
    ids=["zeros", "constant", "negative constant", "least", "NaN", "inf", "bool", "with holes"],
)
def test_odd_arrays_have_a_sane_window(data, limits):
    assert limits_of(data) == limits


def test_a_few_bright_spots_on_nothing_are_seen():
    data = np.zeros((64, 64, 64), np.uint16)
    data[30, 30, 30] = 1000
    assert limits_of(data) == (0, 1000)


@given(
    st.sampled_from(["?", "u1", "i2", "u4", "i8", "u8", "f2", "f4", "f8"]).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=2, max_dims=3, max_side=6))
    )
)
@example(np.array([[-1.7e308, 1.7e308]]))
@example(np.array([[5e-324, 0.0]]))
@example(np.full((2, 2), 2**64 - 1, np.uint64))
@example(np.full((2, 2), 1.7e308))
def test_statistics_are_always_finite_and_in_order(data):
    statistics = sample_statistics(Pyramid(as_source(data), "image"))
    low, high = statistics.limits
    assert math.isfinite(high - low)
    assert low < high
    histogram = statistics.histogram
    assert math.isfinite(histogram.stop - histogram.start)
    assert histogram.start <= low < high <= histogram.stop
    assert 1 < len(histogram.counts) <= BINS
    assert sum(histogram.counts) <= data.size


def test_the_histogram_counts_the_values():
    data = np.random.default_rng(0).integers(0, 4096, (40, 50, 60)).astype("u2")
    histogram = sample_statistics(Pyramid(as_source(data), "image")).histogram
    expected, _ = np.histogram(data, len(histogram.counts), (histogram.start, histogram.stop))
    assert abs(np.array(histogram.counts) - expected).max() <= 0.05 * expected.max()
    assert sum(histogram.counts) == data.size


@pytest.mark.parametrize("most", [40, 100, 200, 255, 1000])
def test_every_bin_holds_as_many_integers(most):
    data = np.resize(np.arange(most + 1, dtype="u2"), (20, most + 1))
    *counts, _ = sample_statistics(Pyramid(as_source(data), "image")).histogram.counts
    assert len(set(counts)) == 1


def test_one_outlier_does_not_flatten_the_histogram():
    data = np.random.default_rng(0).random((50, 50))
    data[0, 0] = 1e30
    histogram = sample_statistics(Pyramid(as_source(data), "image")).histogram
    assert histogram.stop < 10


class Metered:
    """A large array that counts the voxels read of it and holds none."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape, self.dtype, self.voxels = shape, np.dtype("u2"), 0

    def __getitem__(self, index: tuple[slice, ...]) -> np.ndarray:
        grids = np.ogrid[index]
        values = sum(g % 97 for g in grids).astype("u2")
        self.voxels += values.size
        return values


@pytest.mark.parametrize("shape", [(9000, 9000, 9000), (50000, 50000), (7, 3, 800, 800, 800)])
def test_of_a_large_array_only_a_sample_is_read(shape):
    metered = Metered(shape)
    values = sample(Pyramid(as_source(metered), "image"))
    assert metered.voxels <= 1.1 * POLICY.sample_voxels
    assert values.size >= POLICY.sample_voxels / 2
    low, high = limits_of(Metered(shape))
    assert low < 40
    assert high > 96 * min(len(shape), 3) * 0.6


def test_a_slow_array_is_looked_at_in_few_places(monkeypatch):
    clock = itertools.count()  # a second goes by with each place
    policy = replace(POLICY, sample_seconds=5)
    monkeypatch.setattr(statistics, "POLICY", policy)
    monkeypatch.setattr(statistics, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    metered = Metered((900, 900, 900))
    low, high = limits_of(metered)
    assert metered.voxels == statistics.FEWEST * math.prod(statistics.RUN)
    assert low < 60
    assert high > 200


def test_an_array_that_takes_minutes_is_looked_at_once(monkeypatch):
    monkeypatch.setattr(statistics, "POLICY", replace(POLICY, sample_seconds=-1))
    metered = Metered((900, 900, 900))
    limits_of(metered)
    assert metered.voxels == math.prod(statistics.RUN)


def test_of_a_chunked_array_few_whole_chunks_are_read():
    array = zarr.create_array(
        {}, shape=(1024, 1024, 1024), chunks=(64, 64, 64), dtype="u1", fill_value=5
    )
    array[448:576, 448:576, 448:576] = 200  # the middle is always looked at
    pyramid = Pyramid(as_source(array), "image")
    values = sample(pyramid)
    assert values.size <= 1.2 * POLICY.sample_voxels
    assert limits_of(array) == (5, 200)


@given(
    st.lists(st.integers(1, 500), min_size=2, max_size=6),
    st.integers(1, 64),
    st.integers(1, 64),
)
def test_places_lie_within_the_array_and_differ(shape, edge, places):
    boxes = plan_places(tuple(shape), (edge,) * len(shape), places)
    assert 1 <= len(boxes) <= places
    assert len(set(boxes)) == len(boxes)
    for box in boxes:
        assert not box.empty
        assert box.meet(Box.whole(tuple(shape))) == box


def test_the_first_of_all_places_are_spread():
    boxes = plan_places((80, 80), (10, 10), 64)
    starts = np.array([box.start for box in boxes[:8]])
    assert len(boxes) == 64
    assert (np.ptp(starts, axis=0) >= 60).all()


def test_places_are_spread_over_every_axis():
    boxes = plan_places((1000, 1000, 1000), (10, 10, 10), 64)
    starts = np.array([box.start for box in boxes])
    for axis in range(3):
        counts, _ = np.histogram(starts[:, axis], 8, (0, 1000))
        assert counts.min() >= 4
