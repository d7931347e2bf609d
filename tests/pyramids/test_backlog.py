"""Blocks that pages see as previews first, and exactly once they have been made."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from msgspec.structs import replace

from viewer.cache import BlockCache
from viewer.errors import SourceError
from viewer.kernels.downsample import mean
from viewer.policy import MIB, POLICY
from viewer.pyramids.backlog import Backlog
from viewer.pyramids.levels import origin, plan_levels, project
from viewer.pyramids.pyramid import Pyramid
from viewer.sources import as_source
from viewer.space import Box
from viewer.state import Level

EDGE = 300
BOX = Box((0, 64, 64), (64, 75, 75))
"""A block of level 2."""


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays of a few megabytes count as large, and level 3 as dear."""
    small = replace(POLICY, exact_bytes=MIB, exact_voxels=16 * MIB, prompt_view_bytes=8 * MIB)
    monkeypatch.setattr("viewer.pyramids.levels.POLICY", small)
    monkeypatch.setattr("viewer.pyramids.blocks.POLICY", replace(POLICY, sketch_view_bytes=2 * MIB))


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Chunked:
    """A volume of chunks that is computed, so that it may be large: no preview is exact."""

    dtype = np.dtype("u1")
    shape = (EDGE,) * 3
    chunks = (64, 64, 64)

    def __init__(self) -> None:
        self.add = 0
        self.fails: Callable[[], bool] = lambda: False

    def __getitem__(self, index: tuple[slice, ...]) -> np.ndarray:
        if self.fails():
            raise OSError("gone")
        z, y, x = (np.arange(part.start, part.stop) for part in index)
        value = (z[:, None, None] // 3) ^ (y[:, None] // 5) ^ (x // 7)
        return (value % 120 + self.add).astype(np.uint8)


def exact(data: Chunked, level: int, box: Box) -> np.ndarray:
    step = 2**level
    part = data[
        tuple(
            slice(a * step, min(b * step, EDGE)) for a, b in zip(box.start, box.stop, strict=True)
        )
    ]
    for _ in range(level):
        part = mean(part, (2, 2, 2))
    return part


def opened(data: Chunked) -> tuple[Pyramid, threading.Event, list[tuple[str, float]]]:
    pyramid = Pyramid(as_source(data), "image", cache=BlockCache(256 * MIB))
    news, progress = threading.Event(), []
    pyramid.prepare(news.set, pytest.fail, lambda task, done: progress.append((task, done)))
    return pyramid, news, progress


def test_a_page_gets_a_preview_at_once_and_exact_voxels_later():
    data = Chunked()
    pyramid, news, progress = opened(data)
    expected = exact(data, 2, BOX)
    first = pyramid.read(2, BOX, soon=True)
    assert (first != expected).any()
    assert news.wait(30)
    assert pyramid.generation == 1
    np.testing.assert_array_equal(pyramid.read(2, BOX, soon=True), expected)
    (step,) = pyramid.history.told
    assert project(pyramid.levels, 1, 2, Box(step.start, step.stop)) == BOX
    assert pyramid.generation_of(2, BOX) == 1
    assert pyramid.generation_of(2, Box((64, 0, 0), (75, 64, 64))) == 0
    assert pyramid.generation_of(1, Box.whole(pyramid.levels[1].shape)) == 0
    until(lambda: progress and progress[-1] == ("reading coarse levels", 1.0))
    pyramid.close()


def test_a_level_of_which_a_block_takes_much_reading_becomes_exact_for_pages_only_when_seen():
    data = Chunked()
    pyramid, news, _ = opened(data)
    box = Box((0, 0, 0), (16, 38, 38))
    expected = exact(data, 3, box)
    assert (pyramid.read(3, box) != expected).any()
    assert (pyramid.read(3, box, soon=True) != expected).any()
    assert news.wait(30)
    np.testing.assert_array_equal(pyramid.read(3, box, soon=True), expected)
    np.testing.assert_array_equal(pyramid.read(3, box), expected)  # since it is there
    pyramid.close()


def test_other_readers_wait_for_exact_voxels():
    data = Chunked()
    pyramid, _, _ = opened(data)
    np.testing.assert_array_equal(pyramid.read(2, BOX), exact(data, 2, BOX))
    assert pyramid.generation == 0
    pyramid.close()


def test_after_a_refresh_the_new_voxels_become_exact():
    data = Chunked()
    pyramid, news, _ = opened(data)
    pyramid.read(2, BOX, soon=True)
    assert news.wait(30)
    data.add = 100
    news.clear()
    pyramid.refresh()
    assert (pyramid.read(2, BOX, soon=True) >= 100).all()
    assert news.wait(30)
    until(lambda: np.array_equal(pyramid.read(2, BOX, soon=True), exact(data, 2, BOX)))
    pyramid.close()


def test_what_cannot_be_read_stays_a_preview():
    data = Chunked()
    pyramid, news, progress = opened(data)
    data.fails = lambda: threading.current_thread() is not threading.main_thread()
    preview = pyramid.read(2, BOX, soon=True)
    until(lambda: progress and progress[-1][1] == 1.0)
    assert not news.is_set()
    np.testing.assert_array_equal(pyramid.read(2, BOX, soon=True), preview)
    data.fails = lambda: True
    with pytest.raises(SourceError, match="gone"):
        pyramid.read(2, BOX)
    pyramid.close()


def test_coarse_levels_on_the_way_are_made_last_and_not_where_that_is_dear():
    made, parts = [], []
    backlog = Backlog(
        lambda level, index, cancelled: made.append((level, index)),
        lambda level: level == 1,
        lambda level, indices: None,
        parts.append,
    )
    with backlog.reading(4):  # all in one look, however slow this computer is
        for level in (4, 1, 0):
            with backlog.reading(level):
                backlog.want(level, (level, 0, 0))
    until(lambda: parts == [1.0, 1.0])
    assert made == [(0, (0, 0, 0)), (1, (1, 0, 0))]


def test_what_somebody_waits_for_is_made_though_finer_levels_were_looked_at():
    made: list[tuple[int, tuple[int, ...]]] = []
    backlog = Backlog(
        lambda level, index, cancelled: made.append((level, index)),
        lambda level: False,
        lambda level, indices: None,
        lambda part: None,
    )
    with backlog.reading(0), backlog.reading(3):  # one look: zoomed out before it was over
        backlog.want(3, (0, 0, 0))
    until(lambda: backlog._threads == 0)  # nobody makes it of himself
    assert not made and not backlog.hurry({0, 1})
    until(lambda: not backlog.hurry({3}))
    assert made == [(3, (0, 0, 0))]


def test_what_was_just_made_is_not_made_again_until_the_data_changes():
    made, done = [], threading.Event()

    def make(level: int, index: tuple[int, ...], cancelled: object) -> None:
        made.append(index)

    backlog = Backlog(
        make, lambda level: True, lambda level, indices: None, lambda part: done.set()
    )
    with backlog.reading(1):
        backlog.want(1, (0, 0, 0))
    assert done.wait(30)
    done.clear()
    backlog.want(1, (0, 0, 0))
    backlog.want(1, (0, 0, 1))
    assert done.wait(30)
    assert made == [(0, 0, 0), (0, 0, 1)]
    backlog.forget()
    done.clear()
    backlog.want(1, (0, 0, 0))
    assert done.wait(30)
    assert made == [(0, 0, 0), (0, 0, 1), (0, 0, 0)]


def test_closing_ends_work_under_way():
    began, ended, told = threading.Event(), threading.Event(), []

    def make(level: int, index: tuple[int, ...], cancelled: Callable[[], bool]) -> None:
        began.set()
        until(cancelled)
        ended.set()
        raise SourceError("closed")

    backlog = Backlog(make, lambda level: True, lambda *news: told.append(news), told.append)
    with backlog.reading(1):
        backlog.want(1, (0, 0, 0))
    assert began.wait(30)
    backlog.close()
    assert ended.wait(30)
    assert not told


def test_where_a_box_comes_from_is_where_it_goes():
    levels = plan_levels((Level((601, 300, 77), (1,) * 3, (0,) * 3),), 3)
    for number, level in enumerate(levels):
        box = Box(tuple(n // 3 for n in level.shape), tuple(n // 3 + 1 for n in level.shape))
        assert project(levels, 1, number, origin(levels, 1, number, box)) == box
        assert origin(levels, 1, number, Box.whole(level.shape)) == Box.whole(levels[0].shape)
