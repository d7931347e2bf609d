"""Levels, boxes and blocks: what comes out of a pyramid, when, and how often it is computed."""

from __future__ import annotations

import ctypes
import gc
import platform
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from viewer.cache import BlockCache
from viewer.errors import (
    CancelledError,
    ClosedError,
    NotFoundError,
    SourceError,
    UnsupportedDataError,
)
from viewer.kernels.downsample import mean, mode
from viewer.policy import MIB
from viewer.pyramids.pyramid import APART, Pyramid
from viewer.sources import as_source
from viewer.space import Box
from viewer.state import Level


def volume(shape: tuple[int, ...], dtype: str = "uint8", seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 200, shape).astype(dtype)


def made_at_once(pyramid: Pyramid, data: np.ndarray) -> Iterator[np.ndarray]:
    """All levels, each made from the whole level below."""
    yield data
    for below, here in zip(pyramid.levels, pyramid.levels[1:], strict=False):
        factors = [1 if a == b else 2 for a, b in zip(below.shape, here.shape, strict=True)]
        data = (mean if pyramid.kind == "image" else mode)(data, factors)
        yield data


def part_of(shape: tuple[int, ...]) -> st.SearchStrategy[Box]:
    ranges = st.tuples(
        *(st.lists(st.integers(0, n), min_size=2, max_size=2).map(sorted) for n in shape)
    )
    return ranges.map(lambda rs: Box(tuple(r[0] for r in rs), tuple(r[1] for r in rs)))


class Counted:
    """Sliced like an array; counts, waits and fails on demand."""

    def __init__(self, data: np.ndarray) -> None:
        self.data = data
        self.shape, self.dtype = data.shape, data.dtype
        self.reads = 0
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.failure: Exception | None = None

    def __getitem__(self, index: tuple[slice, ...]) -> np.ndarray:
        self.reads += 1
        part = self.data[index].copy()
        self.entered.set()
        assert self.gate.wait(20)
        if self.failure is not None:
            raise self.failure
        return part


def test_the_apron_is_for_images_where_there_is_a_next_brick():
    source = as_source(np.zeros((20, 100, 100), np.uint8))
    assert Pyramid(source, "image").apron == (0, 1, 1)
    assert Pyramid(source, "labels").apron == (0, 0, 0)


def test_labels_must_be_integers():
    with pytest.raises(UnsupportedDataError, match="float32"):
        Pyramid(as_source(np.zeros((5, 5), np.float32)), "labels")


# --- reading ----------------------------------------------------------------------------------

SHAPES = [(150, 90, 171), (700, 1100), (2, 3, 70, 130, 5), (3, 600, 601)]


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(SHAPES), st.sampled_from(["image", "labels"]), st.data())
def test_any_box_at_any_level_is_the_level_made_at_once(shape, kind, data):
    whole = volume(shape, "int16")
    pyramid = Pyramid(as_source(whole, scale=(1, 1) if len(shape) == 2 else (2, 1, 1)), kind)
    level = data.draw(st.integers(0, len(pyramid.levels) - 1))
    box = data.draw(part_of(pyramid.levels[level].shape))
    expected = list(made_at_once(pyramid, whole))[level]
    part = pyramid.read(level, box)
    np.testing.assert_array_equal(part, expected[box.slices])
    assert part.dtype == whole.dtype
    assert part.flags.c_contiguous
    assert part.flags.writeable


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_chunked_sources_give_any_box(data):
    whole = volume((40, 50, 60), ">u2")
    array = zarr.create_array({}, data=whole, chunks=(7, 16, 33))
    pyramid = Pyramid(as_source(array), "image")
    box = data.draw(part_of(whole.shape))
    part = pyramid.read(0, box)
    np.testing.assert_array_equal(part, whole[box.slices])
    assert part.dtype.isnative


@pytest.mark.parametrize("dtype", ["bool", "uint64", "int64", "float16", "float32", "float64"])
def test_made_levels_keep_the_dtype(dtype):
    pyramid = Pyramid(as_source(volume((70, 70, 70)).astype(dtype)), "image")
    level = len(pyramid.levels) - 1
    assert level > 0
    part = pyramid.read(level, Box.whole(pyramid.levels[level].shape))
    assert part.dtype == np.dtype(dtype)


def test_a_block_is_computed_once_for_all_who_ask():
    counted = Counted(volume((128, 128, 128)))
    pyramid = Pyramid(as_source(counted), "image", cache=BlockCache(64 * MIB))
    box = Box.whole(pyramid.levels[1].shape)
    counted.gate.clear()
    results: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: results.append(pyramid.read(1, box))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    assert counted.entered.wait(10)
    counted.gate.set()
    for thread in threads:
        thread.join(20)
    assert len(results) == 6
    assert all(np.array_equal(result, results[0]) for result in results)
    assert counted.reads == 1


def test_a_source_chunk_is_decoded_once_for_all_its_bricks(tmp_path):
    with h5py.File(tmp_path / "volume.h5", "w") as file:
        dataset = file.create_dataset(
            "volume", data=volume((64, 64, 64)), chunks=(64, 64, 64), compression="gzip"
        )
        pyramid = Pyramid(as_source(dataset), "image", cache=BlockCache(MIB))
        first = pyramid.read(0, Box((0, 0, 0), (32, 32, 32)))
        dataset[...] = 0  # not seen until refresh: what was decoded is kept
        second = pyramid.read(0, Box((0, 0, 0), (64, 32, 32)))
        np.testing.assert_array_equal(second[:32], first)
        assert second[32:].any()
        pyramid.refresh()
        assert not pyramid.read(0, Box((0, 0, 0), (64, 32, 32))).any()


def test_it_is_known_what_a_reader_waits_for_first(tmp_path):
    data = volume((64, 64, 128))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        chunked = Pyramid(as_source(file.create_dataset("a", data=data, chunks=(64,) * 3)), "image")
        box = Box((0, 0, 32), (32, 32, 96))
        assert chunked.awaited(0, box) == (0, (0, 0, 0), "made")
        chunked.read(0, Box((0, 0, 0), (1, 1, 1)))
        assert chunked.awaited(0, box) == (0, (0, 0, 1), "made")
        chunked.read(0, box)
        assert chunked.awaited(0, box) is None
        chunked.refresh(Box((0, 0, 127), (1, 1, 128)))
        assert chunked.awaited(0, box) == (0, (0, 0, 1), "made")


def test_nobody_waits_for_an_array_in_memory_and_each_for_himself_outside():
    box = Box((0, 0, 0), (32, 32, 32))
    assert Pyramid(as_source(volume((64,) * 3)), "image").awaited(0, box) is None
    assert Pyramid(as_source(Counted(volume((64,) * 3))), "image").awaited(0, box) == APART


def test_what_is_read_is_the_callers_own():
    pyramid = Pyramid(as_source(np.zeros((128, 128, 128), np.uint8)), "image")
    box = Box.whole(pyramid.levels[1].shape)
    pyramid.read(1, box)[...] = 9
    assert not pyramid.read(1, box).any()


def test_the_source_array_is_never_written():
    data = volume((70, 70, 70))
    data.flags.writeable = False
    pyramid = Pyramid(as_source(data), "image")
    pyramid.read(1, Box.whole(pyramid.levels[1].shape))
    pyramid.read(0, Box.whole(data.shape))[...] = 1
    np.testing.assert_array_equal(data, volume((70, 70, 70)))


def test_in_place_changes_are_seen_at_once_at_level_0_and_after_refresh_above():
    data = np.zeros((128, 128, 128), np.uint8)
    pyramid = Pyramid(as_source(data), "image")
    box = Box.whole(pyramid.levels[1].shape)
    assert not pyramid.read(1, box).any()
    data[...] = 8
    assert pyramid.read(0, Box.whole(data.shape)).all()
    pyramid.refresh()
    assert pyramid.generation == 1
    assert (pyramid.read(1, box) == 8).all()


def test_a_block_of_older_data_does_not_enter_the_cache_after_a_refresh():
    counted = Counted(np.zeros((80, 80, 80), np.uint8))
    pyramid = Pyramid(as_source(counted), "image", cache=BlockCache(64 * MIB))
    box = Box.whole(pyramid.levels[1].shape)
    counted.gate.clear()
    slow = threading.Thread(target=pyramid.read, args=(1, box))
    slow.start()
    assert counted.entered.wait(10)  # it holds voxels of the old data now
    counted.data[...] = 8
    pyramid.refresh()
    counted.gate.set()
    slow.join(20)
    assert (pyramid.read(1, box) == 8).all()


def test_whoever_takes_the_generation_first_never_gets_older_voxels():
    data = np.zeros((80, 80, 80), np.uint8)
    pyramid = Pyramid(as_source(data), "image", cache=BlockCache(64 * MIB))
    box = Box.whole(pyramid.levels[1].shape)
    stale: list[tuple[int, int]] = []
    stop = threading.Event()

    def reader() -> None:
        while not stop.is_set():
            generation = pyramid.generation
            least = int(pyramid.read(1, box).min())
            if least < generation:
                stale.append((generation, least))

    threads = [threading.Thread(target=reader) for _ in range(3)]
    for thread in threads:
        thread.start()
    for value in range(1, 100):
        data[...] = value
        pyramid.refresh()
    stop.set()
    for thread in threads:
        thread.join(20)
    assert stale == []


@settings(deadline=None, max_examples=25)
@given(st.sampled_from([*SHAPES, "chunked"]), st.sampled_from(["image", "labels"]), st.data())
def test_after_refreshes_of_regions_all_is_as_if_made_anew(shape, kind, data):
    array: Any
    if shape == "chunked":
        shape = (70, 90, 100)
        array = zarr.create_array({}, data=volume(shape, "int16"), chunks=(7, 64, 33))
    else:
        array = volume(shape, "int16")
    pyramid = Pyramid(as_source(array), kind, cache=BlockCache(64 * MIB))
    for level, here in enumerate(pyramid.levels):
        pyramid.read(level, Box.whole(here.shape))
    for step in range(1, data.draw(st.integers(1, 3)) + 1):
        box = data.draw(part_of(shape).filter(lambda box: not box.empty))
        array[box.slices] = volume(box.shape, "int16", seed=step)
        before = [
            {b: pyramid.generation_of(level, b) for b in corners(here.shape)}
            for level, here in enumerate(pyramid.levels)
        ]
        old = [pyramid.read(level, Box.whole(h.shape)) for level, h in enumerate(pyramid.levels)]
        pyramid.refresh(box)
        assert pyramid.generation == step
        for level, expected in enumerate(made_at_once(pyramid, np.asarray(array[...]))):
            found = pyramid.read(level, Box.whole(expected.shape))
            np.testing.assert_array_equal(found, expected)
            for part, generation in before[level].items():
                now = pyramid.generation_of(level, part)
                assert now in (generation, step)
                if not np.array_equal(found[part.slices], old[level][part.slices]) and level:
                    assert now == step


def corners(shape: tuple[int, ...]) -> list[Box]:
    return [Box.whole(shape), *(Box(tuple(n // k for n in shape), shape) for k in (2, 3))]


def test_a_refresh_of_a_region_leaves_the_rest_in_the_cache(tmp_path):
    counted = Counted(volume((256, 256, 256)))
    pyramid = Pyramid(as_source(counted), "image", cache=BlockCache(64 * MIB))
    pyramid.read(2, Box.whole(pyramid.levels[2].shape))
    assert counted.reads == 8
    counted.reads = 0
    pyramid.refresh(Box((0, 0, 100), (1, 1, 129)))
    pyramid.read(2, Box.whole(pyramid.levels[2].shape))
    assert counted.reads == 2
    assert pyramid.generation_of(0, Box((0, 0, 0), (1, 1, 100))) == 0
    assert pyramid.generation_of(0, Box((0, 0, 0), (1, 1, 101))) == 1
    assert pyramid.generation_of(2, Box((0, 0, 0), (1, 1, 25))) == 0
    assert pyramid.generation_of(2, Box((0, 0, 32), (1, 1, 33))) == 1


def test_an_empty_region_changes_nothing():
    pyramid = Pyramid(as_source(np.zeros((5, 5))), "image")
    pyramid.refresh(Box((2, 2), (2, 4)))
    assert pyramid.generation == 0


def test_a_reader_during_a_refresh_of_a_region_never_gets_older_voxels():
    data = np.zeros((200, 80, 80), np.uint8)
    pyramid = Pyramid(as_source(data), "image", cache=BlockCache(64 * MIB))
    box = Box((0, 0, 0), (10, 40, 40))
    stale: list[tuple[int, int]] = []
    stop = threading.Event()

    def reader() -> None:
        while not stop.is_set():
            generation = pyramid.generation
            least = int(pyramid.read(1, box).min())
            if least < generation:
                stale.append((generation, least))

    threads = [threading.Thread(target=reader) for _ in range(3)]
    for thread in threads:
        thread.start()
    for value in range(1, 100):
        data[:20] = value
        pyramid.refresh(Box((0, 0, 0), (20, 80, 80)))
    stop.set()
    for thread in threads:
        thread.join(20)
    assert stale == []


def test_blocks_of_a_source_that_was_exchanged_do_not_enter_the_cache():
    shape = (200, 80, 80)
    old, new = Counted(volume(shape)), volume(shape, seed=1)
    pyramid = Pyramid(as_source(old), "image", cache=BlockCache(64 * MIB))
    whole = Box.whole(pyramid.levels[1].shape)
    assert len(list(whole.cells(pyramid.block(1)))) > 1
    old.gate.clear()
    reader = threading.Thread(target=lambda: pyramid.read(1, whole))
    reader.start()
    assert old.entered.wait(20)
    pyramid.refresh(source=as_source(Counted(new)))
    old.gate.set()  # the first block is of the old one; the others are begun after the exchange
    reader.join(20)
    for level, expected in enumerate(made_at_once(pyramid, new)):
        np.testing.assert_array_equal(pyramid.read(level, Box.whole(expected.shape)), expected)


@pytest.mark.parametrize("level", [-1, 9])
def test_a_level_that_does_not_exist_is_not_found(level):
    with pytest.raises(NotFoundError, match="level"):
        Pyramid(as_source(np.zeros((5, 5))), "image").read(level, Box((0, 0), (1, 1)))


@pytest.mark.parametrize("box", [Box((0, 0), (6, 5)), Box((0,), (5,)), Box((9, 9), (9, 9))])
def test_a_box_beyond_the_level_is_not_found(box):
    with pytest.raises(NotFoundError, match="not within"):
        Pyramid(as_source(np.zeros((5, 5))), "image").read(0, box)


# --- failing, cancelling, closing -------------------------------------------------------------


def test_a_failing_source_fails_everybody_and_may_recover():
    counted = Counted(volume((80, 80, 80)))
    counted.failure = OSError("stale NFS handle")
    pyramid = Pyramid(as_source(counted), "image")
    box = Box.whole(pyramid.levels[1].shape)
    errors: list[SourceError] = []
    counted.gate.clear()

    def reader() -> None:
        with pytest.raises(SourceError, match="stale NFS handle") as caught:
            pyramid.read(1, box)
        errors.append(caught.value)

    threads = [threading.Thread(target=reader) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert counted.entered.wait(10)
    counted.gate.set()
    for thread in threads:
        thread.join(20)
    assert len(errors) == len(set(map(id, errors))) == 3
    counted.failure = None
    assert pyramid.read(1, box).shape == box.shape


def test_an_array_that_changed_its_shape_is_a_source_error():
    counted = Counted(volume((80, 80, 80)))
    pyramid = Pyramid(as_source(counted), "image")
    counted.data = counted.data[:40]
    with pytest.raises(SourceError, match="add it again") as caught:
        pyramid.read(0, Box.whole((80, 80, 80)))
    frame = caught.value.__traceback__
    while frame is not None:
        held = frame.tb_frame.f_locals.values()
        assert frame.tb_frame.f_code.co_filename == __file__ or not any(
            isinstance(value, np.ndarray) and value.shape[0] == 40 for value in held
        )
        frame = frame.tb_next


def test_a_cancelled_reader_leaves_at_once_and_others_still_get_the_block():
    counted = Counted(volume((80, 80, 80)))
    pyramid = Pyramid(as_source(counted), "image", cache=BlockCache(64 * MIB))
    box = Box.whole(pyramid.levels[1].shape)
    counted.gate.clear()
    worker = threading.Thread(target=pyramid.read, args=(1, box))
    worker.start()
    assert counted.entered.wait(10)
    looks = iter([False, False, True])
    with pytest.raises(CancelledError):  # while the worker is still at it
        pyramid.read(1, box, lambda: next(looks, True))
    counted.gate.set()
    worker.join(20)
    assert pyramid.read(1, box).any()
    assert counted.reads == 1


def test_a_reader_without_interest_reads_nothing():
    counted = Counted(volume((80, 80, 80)))
    with pytest.raises(CancelledError):
        Pyramid(as_source(counted), "image").read(0, Box.whole((80, 80, 80)), lambda: True)
    assert counted.reads == 0


def test_closing_releases_the_array_and_everything_made_of_it():
    cache = BlockCache(64 * MIB)
    data = Counted(volume((130, 130, 130)))
    array = weakref.ref(data)
    pyramid = Pyramid(as_source(data), "image", cache=cache)
    del data
    for index, level in enumerate(pyramid.levels):
        pyramid.read(index, Box.whole(level.shape))
    assert cache.bytes > 0
    gc.disable()  # no help from the collector of cycles
    try:
        pyramid.close()
        assert array() is None
    finally:
        gc.enable()
    assert cache.bytes == 0
    pyramid.close()


def test_placing_moves_all_levels_in_the_world_and_keeps_what_was_made():
    counted = Counted(volume((130, 130, 130)))
    pyramid = Pyramid(as_source(counted), "image", cache=BlockCache(64 * MIB))
    shape = pyramid.levels[1].shape
    pyramid.read(1, Box.whole(shape))
    reads = counted.reads
    pyramid.place(Level((130,) * 3, (10, 2, 3), (5, 0, -1)), pyramid.affine)
    assert pyramid.levels[0] == Level((130,) * 3, (10, 2, 3), (5, 0, -1))
    assert pyramid.levels[1] == Level(shape, (20, 4, 6), (10, 1, 0.5))
    pyramid.read(1, Box.whole(shape))
    assert counted.reads == reads
    assert pyramid.generation == 1
    assert pyramid.generation_of(1, Box.whole(shape)) == 0


def test_a_closed_pyramid_says_so_and_still_describes_itself():
    pyramid = Pyramid(as_source(volume((80, 80, 80))), "image")
    pyramid.refresh()
    pyramid.close()
    with pytest.raises(ClosedError):
        pyramid.read(0, Box((0, 0, 0), (1, 1, 1)))
    with pytest.raises(ClosedError):
        pyramid.refresh()
    assert pyramid.generation == 1
    assert pyramid.levels[0].shape == (80, 80, 80)


def test_closing_during_a_read_ends_it_in_order():
    counted = Counted(volume((80, 80, 80)))
    cache = BlockCache(64 * MIB)
    pyramid = Pyramid(as_source(counted), "image", cache=cache)
    box = Box.whole(pyramid.levels[1].shape)
    counted.gate.clear()
    done: list[object] = []

    def reader() -> None:
        try:
            done.append(pyramid.read(1, box).shape)
        except ClosedError as error:
            done.append(error)

    thread = threading.Thread(target=reader)
    thread.start()
    assert counted.entered.wait(10)
    pyramid.close()
    counted.gate.set()
    thread.join(20)
    assert len(done) == 1
    assert cache.bytes == 0


def test_a_closed_file_is_a_source_error_at_every_level(tmp_path):
    with h5py.File(tmp_path / "volume.h5", "w") as file:
        dataset = file.create_dataset("volume", data=volume((80, 80, 80)), chunks=True)
        pyramid = Pyramid(as_source(dataset), "image")
    for index, level in enumerate(pyramid.levels):
        with pytest.raises(SourceError, match="closed"):
            pyramid.read(index, Box.whole(level.shape))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps what was freed")
def test_memory_of_a_closed_pyramid_goes_back_to_the_system() -> None:
    def resident() -> int:
        text = Path("/proc/self/status").read_text()
        return int(text.split("RssAnon:")[1].split()[0]) >> 10

    ctypes.CDLL(None).malloc_trim(0)  # what earlier tests have left
    before = resident()
    data = zarr.create_array({}, shape=(512, 512, 512), chunks=(64, 64, 64), dtype="u1")
    pyramid = Pyramid(as_source(data), "image", cache=BlockCache(512 * MIB))
    for z in range(0, 512, 64):  # missing chunks, which are made as anew as those that are stored
        pyramid.read(0, Box((z, 0, 0), (z + 1, 512, 512)))
    assert resident() - before > 100
    pyramid.close()
    deadline = time.monotonic() + 30
    while resident() - before > 50 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert resident() - before <= 50
