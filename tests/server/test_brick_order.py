"""Bricks of slow sources: the nearest first, and nobody waits for what another reads."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.server.brick_stream import Brick, Stream
from tests.server.exhibit import Exhibit, Sliced
from viewer.server.brick_plan import HOP_SECONDS
from viewer.server.brick_readers import HOPS

ROW: list[Brick] = [(1, 0, 0, 0, x) for x in range(8)]


class Gated:
    """An array outside memory that gives out voxels only when it is told to."""

    def __init__(self, chunks: tuple[int, ...] | None = None) -> None:
        self.shape, self.dtype = (32, 32, 256), np.dtype("u1")
        if chunks is not None:
            self.chunks = chunks
        self.begun: queue.Queue[int] = queue.Queue()
        """Where reads began along x."""
        self.gates = {x: threading.Event() for x in range(0, 256, 32)}

    def __getitem__(self, key: Any) -> Any:
        x = key[-1].start
        self.begun.put(x)
        assert self.gates[x].wait(60)
        time.sleep(2 * HOP_SECONDS)  # it is slow whatever the test does
        return np.zeros(self.shape, self.dtype)[key]

    def next(self, count: int) -> set[int]:
        """Where the next reads began."""
        return {self.begun.get(timeout=30) for _ in range(count)}


@pytest.fixture
def stream(url: str) -> Iterator[Stream]:
    with Stream(url) as stream:
        yield stream


def gated(exhibit: Exhibit, stream: Stream, chunks: tuple[int, ...] | None = None) -> Gated:
    """Volume 1 becomes a layer of such an array, and all its bricks are wanted."""
    data = Gated(chunks)
    stream.open(1, exhibit.add(data, kind="labels"))
    stream.want(ROW)
    return data


def test_readers_take_the_nearest_bricks_first(exhibit: Exhibit, stream: Stream) -> None:
    data = gated(exhibit, stream)
    assert data.next(HOPS) == {0, 32, 64}
    for last, brick in enumerate(ROW):
        data.gates[32 * last].set()
        assert stream.take()[0] == brick
        if last + HOPS < len(ROW):
            assert data.next(1) == {32 * (last + HOPS)}


def test_no_two_readers_wait_for_the_same_chunk(exhibit: Exhibit, stream: Stream) -> None:
    data = gated(exhibit, stream, (32, 32, 64))
    assert data.next(HOPS) == {0, 64, 128}
    data.gates[64].set()
    assert [stream.take()[0] for _ in range(2)] == ROW[2:4]  # one read serves both
    assert data.next(1) == {192}
    for gate in data.gates.values():
        gate.set()
    assert set(stream.take_all(6)) == {*ROW[:2], *ROW[4:]}
    assert data.begun.empty()


def test_a_source_that_hangs_holds_up_no_other_layer(exhibit: Exhibit, stream: Stream) -> None:
    data = gated(exhibit, stream)
    data.next(HOPS)
    values = np.random.default_rng(0).integers(0, 255, (32, 32, 256), "u1")
    stream.open(2, exhibit.add(values))
    stream.open(3, exhibit.add(Sliced(values)))
    others: list[Brick] = [(volume, 0, 0, 0, x) for x in range(8) for volume in (2, 3)]
    stream.want([*ROW, *others])
    assert set(stream.take_all(len(others))) == set(others)
    assert data.begun.empty()  # and it does not get more readers than it may have
    for gate in data.gates.values():
        gate.set()
    assert set(stream.take_all(len(ROW))) == set(ROW)
