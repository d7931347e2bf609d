"""Coarse blocks made of a bounded sample."""

from __future__ import annotations

import math

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from viewer.cache import BlockCache
from viewer.errors import CancelledError
from viewer.policy import MIB, POLICY
from viewer.pyramids.preview import plan_counts, plan_spread, plan_steps, sample_cells
from viewer.pyramids.pyramid import Pyramid
from viewer.sources import as_source
from viewer.space import Box

HUGE = 1 << 14


class Coordinates:
    """A volume too large for any memory: the value of a voxel is its z + y + x, in steps or not."""

    dtype = np.dtype("u2")
    shape = (HUGE, HUGE, HUGE)

    def __init__(self) -> None:
        self.voxels = 0
        self.reads = 0

    def __getitem__(self, index: tuple[slice, ...]) -> np.ndarray:
        self.reads += 1
        spans = [np.arange(*part.indices(n)) for part, n in zip(index, self.shape, strict=True)]
        self.voxels += math.prod(map(len, spans))
        z, y, x = np.ix_(*spans)
        return (z + y + x).astype(self.dtype)


class Stepless(Coordinates):
    """As many that read files: a step is refused."""

    def __getitem__(self, index: tuple[slice, ...]) -> np.ndarray:
        if any(part.step not in (None, 1) for part in index):
            raise NotImplementedError("steps")
        return super().__getitem__(index)


@given(st.integers(1, 6), st.integers(1, 500), st.data())
def test_steps_meet_a_voxel_of_each_coarse_one(halvings, n, data):
    step = 1 << halvings
    coarse = -(-n // step)
    a = data.draw(st.integers(0, coarse - 1))
    b = data.draw(st.integers(a + 1, coarse))
    (start,), (stop,) = plan_steps(Box((a,), (b,)), [step], [n])
    met = range(start, stop, step)
    assert [i // step for i in met] == list(range(a, b))
    assert met[-1] < n


@given(st.integers(0, 6), st.integers(1, 2000), st.integers(1, 300), st.integers(1, 9), st.data())
def test_spread_cells_stand_for_all_voxels_and_are_few(halvings, n, cell, most, data):
    step = 1 << halvings
    coarse = -(-n // step)
    a = data.draw(st.integers(0, coarse - 1))
    b = data.draw(st.integers(a + 1, coarse))
    spread = plan_spread(a, b, step, n, cell, most)
    assert len(spread) <= most
    positions = np.concatenate([p for _, _, p in spread])
    assert [i for first, after, _ in spread for i in range(first, after)] == list(range(b - a))
    assert len(positions) == b - a
    assert (np.diff(positions) >= 0).all()
    assert positions[0] >= 0
    assert positions[-1] < n
    for _, _, part in spread:
        assert len(set((part // cell).tolist())) == 1
    wanted = np.minimum(np.arange(a, b) * step + step // 2, n - 1)
    if len(set((wanted // cell).tolist())) <= most:
        np.testing.assert_array_equal(positions, wanted)
    else:  # never further away than to the middle of the next cell that is read
        cells = len(set((wanted // cell).tolist()))
        assert np.abs(positions - wanted).max() <= (cells / most + 1) * max(cell, step)


@given(st.lists(st.integers(1, 10**5), min_size=1, max_size=5), st.integers(1, 200))
def test_counts_fit_and_use_what_there_is(cells, most):
    counts = plan_counts(cells, most)
    assert math.prod(counts) <= most
    assert all(1 <= count <= n for count, n in zip(counts, cells, strict=True))
    if math.prod(cells) > most:
        assert math.prod(counts) * 8 > most or min(counts) == 1


def test_a_sample_of_chunks_reads_few_of_them_and_is_near():
    data = np.add.outer(np.add.outer(np.arange(512), np.arange(512)), np.arange(512))
    reads: list[Box] = []

    def read(box: Box) -> np.ndarray:
        reads.append(box)
        return data[box.slices]

    box = Box.whole((64, 64, 64))
    out = sample_cells(read, box, (8,) * 3, data.shape, (32, 32, 32), data.dtype)
    assert len(reads) <= POLICY.preview_reads
    exact = data.reshape(64, 8, 64, 8, 64, 8).mean((1, 3, 5))
    assert np.abs(out - exact).max() < 512 * 3 / 4
    reads.clear()
    out = sample_cells(read, box, (8,) * 3, data.shape, (1, 512, 512), data.dtype)
    assert len(reads) == 32 if data.dtype.itemsize == 2 else len(reads) <= POLICY.preview_reads
    assert np.abs(out - exact).max() < 40


# --- in a pyramid -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Coordinates, Stepless])
def test_a_volume_of_petabytes_answers_at_every_level_after_little_reading(kind):
    data = kind()
    pyramid = Pyramid(as_source(data), "image", cache=BlockCache(64 * MIB))
    assert pyramid.previews == range(2, len(pyramid.levels))
    for level, here in enumerate(pyramid.levels):
        data.voxels = data.reads = 0
        middle = tuple(n // 2 for n in here.shape)
        block = pyramid.read(level, Box(middle, tuple(n + 1 for n in middle)))
        assert data.voxels <= 1 << 24
        assert data.reads <= 512
        span = 3 * HUGE // 2
        assert abs(int(block[0, 0, 0]) - span) <= 3 * 64 * 2**level / (
            1 if kind is Stepless else 64
        )


def test_a_preview_of_a_chunked_source_decodes_few_chunks(tmp_path):
    array = zarr.create_array(
        {}, shape=(700, 700, 700), chunks=(64, 64, 64), dtype="u1", fill_value=7
    )
    pyramid = Pyramid(as_source(array), "labels", cache=BlockCache(64 * MIB))
    assert pyramid.previews == range(3, 5)
    for level in pyramid.previews:
        assert (pyramid.read(level, Box.whole(pyramid.levels[level].shape)) == 7).all()


def test_a_preview_is_given_up_between_chunks():
    array = zarr.create_array({}, shape=(700, 700, 700), chunks=(64, 64, 64), dtype="u1")
    pyramid = Pyramid(as_source(array), "image", cache=BlockCache(64 * MIB))
    looks = iter([False] * 5)
    with pytest.raises(CancelledError):
        pyramid.read(4, Box.whole(pyramid.levels[4].shape), lambda: next(looks, True))


@settings(deadline=None, max_examples=10)
@given(st.sampled_from([(640, 650, 700), (100, 3000, 1000)]), st.data())
def test_previews_of_mapped_files_are_means_of_voxels_there(shape, data):
    line = np.arange(shape[1], dtype=np.uint8)
    array = np.broadcast_to(line[:, None], shape)
    pyramid = Pyramid(as_source(array), "image", cache=BlockCache(64 * MIB))
    level = data.draw(st.sampled_from(pyramid.previews))
    here = pyramid.levels[level]
    part = pyramid.read(level, Box.whole(here.shape))
    assert part.shape == here.shape
    step = round(here.scale[1])
    for y in range(here.shape[1]):
        covered = line[y * step : (y + 1) * step]
        assert covered.min() <= part[0, y, 0] <= covered.max()
