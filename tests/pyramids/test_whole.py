"""Levels of arrays in memory, made whole in the background."""

from __future__ import annotations

import itertools
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewer.cache import BlockCache
from viewer.errors import CancelledError
from viewer.kernels.downsample import mean, mode
from viewer.policy import MIB
from viewer.pyramids.levels import plan_factors, plan_levels
from viewer.pyramids.pyramid import Pyramid
from viewer.pyramids.whole import SLAB_BYTES, WholeLevels, plan_first, plan_passes, whole_bytes
from viewer.sources import as_source
from viewer.sources.array import MemorySource
from viewer.sources.protocol import Array
from viewer.space import Box
from viewer.state import Level


def volume(shape: tuple[int, ...], dtype: str = "int16", seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 200, shape).astype(dtype)


def expected(levels: tuple[Level, ...], data: Array, kind: str) -> list[Array]:
    made = [data]
    for below, here in itertools.pairwise(levels):
        made.append((mean if kind == "image" else mode)(made[-1], plan_factors(below, here)))
    return made


class Slow(MemorySource):
    """Waits before each read until it may."""

    gate: threading.Semaphore

    def read(self, level: int, box: Box) -> Array:
        assert self.gate.acquire(timeout=20)
        return super().read(level, box)


def slow(data: Array) -> Slow:
    source = as_source(data)
    assert isinstance(source, MemorySource)
    source.__class__ = Slow
    assert isinstance(source, Slow)
    source.gate = threading.Semaphore(0)
    return source


@settings(deadline=None, max_examples=20)
@given(
    st.sampled_from([(70, 90, 101), (3, 65, 40, 51), (700, 601)]),
    st.sampled_from(["image", "labels"]),
    st.data(),
)
def test_levels_are_those_made_one_from_the_other_also_after_changes(shape, kind, data):
    array = volume(shape)
    source = as_source(array)
    levels = plan_levels(source.levels, min(3, len(shape)))
    first = data.draw(st.integers(1, len(levels) - 1))
    whole = WholeLevels(source, kind, levels, first, lambda whole: None)
    whole.start()
    assert whole.wait(20)
    spans = [sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n)))) for n in shape]
    box = Box(tuple(a for a, _ in spans), tuple(b for _, b in spans))
    array[box.slices] = volume(box.shape, seed=1)
    if not box.empty:
        assert whole.update(box)
    made = expected(levels, array, kind)
    for level in range(first, len(levels)):
        part = whole.read(level, Box.whole(levels[level].shape))
        np.testing.assert_array_equal(part, made[level])


def test_slabs_cover_a_level_once_and_are_of_bounded_size():
    levels = plan_levels((Level((2000, 1500, 1001), (1,) * 3, (0,) * 3),), 3)
    for first in range(1, len(levels)):
        factors = [plan_factors(a, b) for a, b in itertools.pairwise(levels[: first + 1])]
        count = np.zeros(levels[first].shape, np.uint8)
        for box in plan_passes(levels, factors, 2):
            count[box.slices] += 1
            assert np.prod(box.shape) * 8**first * 2 <= SLAB_BYTES
        assert (count == 1).all()


def test_what_changes_while_they_are_made_is_made_again():
    data = np.zeros((300, 256, 256), np.uint8)
    source = slow(data)
    levels = plan_levels(source.levels, 3)
    news = threading.Event()
    whole = WholeLevels(source, "image", levels, 1, lambda whole: news.set())
    whole.start()
    source.gate.release()  # the first slab
    time.sleep(0.05)
    data[:10] = 8
    assert whole.update(Box((0, 0, 0), (10, 256, 256)))
    assert not whole.ready
    for _ in range(100):
        source.gate.release()
    assert news.wait(20)
    assert (whole.read(1, Box((0, 0, 0), (5, 128, 128))) == 8).all()
    assert not whole.read(1, Box((5, 0, 0), (150, 128, 128))).any()


def test_cancelled_they_read_no_more():
    source = slow(np.zeros((1024, 256, 256), np.uint8))
    whole = WholeLevels(source, "image", plan_levels(source.levels, 3), 1, pytest.fail)
    whole.start()
    source.gate.release(2)
    whole.cancel()
    source.gate.release(100)
    assert not whole.wait(20)
    assert not whole.update(Box.whole((1024, 256, 256))) or not whole.ready


def test_as_many_levels_as_the_budget_has_room_for():
    levels = plan_levels((Level((512,) * 3, (1,) * 3, (0,) * 3),), 3)
    dtype = np.dtype("u1")
    assert whole_bytes(levels, 1, dtype) == 256**3 + 128**3 + 64**3
    assert plan_first(levels, dtype, BlockCache(64 * MIB)) == 1
    assert plan_first(levels, dtype, BlockCache(8 * MIB)) == 2
    assert plan_first(levels, dtype, BlockCache(MIB // 8)) is None
    cache: BlockCache[Array] = BlockCache(64 * MIB)
    cache.reserve(60 * MIB)
    assert plan_first(levels, dtype, cache) == 3


# --- in a pyramid -----------------------------------------------------------------------------


def until(condition, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_large_array_shows_previews_at_once_and_exact_levels_later():
    profile = np.repeat(np.uint8([0, 100, 250]), (1000, 1050, 1))[:, None, None]
    data = np.broadcast_to(profile, (2051, 1024, 1024))  # 2 GiB that take no memory
    cache: BlockCache[Array] = BlockCache(1024 * MIB)
    pyramid = Pyramid(as_source(data), "image", cache=cache)
    news = threading.Event()
    pyramid.prepare(news.set)
    assert cache.reserved
    assert pyramid.previews == range(3, 6)
    box = Box.whole(pyramid.levels[5].shape)
    start = time.perf_counter()
    preview = pyramid.read(5, box)
    assert time.perf_counter() - start < 2
    assert preview[-1, 0, 0] == 250  # voxels 2048 to 2050, sampled where there are some
    assert news.wait(60)
    assert not pyramid.previews
    assert pyramid.generation == 1
    assert pyramid.history.told[0].level == 3
    assert pyramid.generation_of(2, Box((0, 0, 0), (1, 1, 1))) == 0
    assert pyramid.generation_of(3, Box((0, 0, 0), (1, 1, 1))) == 1
    exact = pyramid.read(5, box)
    # as each level is rounded from the one below
    assert exact[31, 0, 0] == 75  # voxels 992 to 1023, of which 24 are 100
    assert (exact[:31] == 0).all()
    assert (exact[32:-1] == 100).all()
    assert exact[-1, 0, 0] == 175  # 2048 and 2049 are 100, 2050 is 250
    pyramid.close()
    assert cache.reserved == 0


def test_coarse_levels_of_an_array_in_memory_follow_refreshes_of_regions():
    data = np.zeros((200, 200, 200), np.uint8)
    pyramid = Pyramid(as_source(data), "image", cache=BlockCache(64 * MIB))
    pyramid.prepare(pytest.fail)
    for value in (8, 16, 24):
        data[100:110, :, :32] = value
        pyramid.refresh(Box((100, 0, 0), (110, 200, 32)))
        for level, made in enumerate(expected(pyramid.levels, data, "image")):
            np.testing.assert_array_equal(pyramid.read(level, Box.whole(made.shape)), made)
    pyramid.close()


def test_closing_a_pyramid_ends_the_making_of_its_levels():
    source = slow(np.zeros((1024, 256, 256), np.uint8))
    cache: BlockCache[Array] = BlockCache(64 * MIB)
    pyramid = Pyramid(source, "image", cache=cache)
    pyramid.prepare(pytest.fail)
    source.gate.release(1000)
    pyramid.close()
    assert cache.reserved == 0
    until(lambda: not any(t.name == "voxelview-levels" for t in threading.enumerate()))


def test_who_waits_for_levels_in_the_making_may_lose_interest():
    source = slow(np.zeros((128, 128, 128), np.uint8))
    pyramid = Pyramid(source, "image", cache=BlockCache(64 * MIB))
    pyramid.prepare(lambda: None)
    with pytest.raises(CancelledError):
        pyramid.read(1, Box.whole(pyramid.levels[1].shape), lambda: True)
    source.gate.release(1000)
    pyramid.close()


def test_a_file_mapped_into_memory_is_not_read_as_a_whole(tmp_path):
    np.save(tmp_path / "volume.npy", np.zeros((128, 128, 128), np.uint8))
    mapped = np.load(tmp_path / "volume.npy", mmap_mode="r")
    for data in (mapped, mapped[10:], mapped.view(np.ndarray)[:, 5:], np.asarray(mapped)):
        source = as_source(data)
        assert isinstance(source, MemorySource)
        assert not source.resident
    source = as_source(np.zeros((5, 5))[1:])
    assert isinstance(source, MemorySource)
    assert source.resident
