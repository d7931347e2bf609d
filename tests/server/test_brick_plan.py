"""What one reader takes: the nearest bricks first, and no two readers at the same block."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from viewer.pyramids.pyramid import Pyramid
from viewer.server.brick_plan import HOP_SECONDS, Share, Volume, is_prompt
from viewer.server.wants import Brick
from viewer.sources import as_source
from viewer.space import Box


class Sliced:
    """An array outside memory, maybe in chunks."""

    def __init__(self, shape: tuple[int, ...], chunks: tuple[int, ...] | None = None) -> None:
        self.shape, self.dtype = shape, np.dtype("u1")
        if chunks is not None:
            self.chunks = chunks

    def __getitem__(self, key: Any) -> Any:
        return np.zeros(self.shape, self.dtype)[key]


def pyramid_of(data: Any) -> Pyramid:
    return Pyramid(as_source(data), "labels")


@pytest.fixture
def volume() -> Volume:
    return Volume("l1", (), 1 << 15, 0, {})


ROW: list[Brick] = [(1, 0, 0, 0, x) for x in range(8)]


def share_of(
    pyramid: Pyramid, volume: Volume, bricks: list[Brick], *others: Share, room: int = 16
) -> tuple[Share, list[Brick]]:
    """Of the first brick that others leave; and what is in it."""

    def is_free(of: Pyramid, block: Any) -> bool:
        return all(block not in share.blocks for share in others)

    prompt = is_prompt(pyramid, 0)
    for first in bricks:
        share = Share(first, room, volume, pyramid, is_free, prompt=prompt)
        if share.takes(first):
            return share, [first, *(b for b in bricks if b != first and share.takes(b))]
    raise AssertionError("nothing is left")


def test_all_bricks_of_a_chunk_are_one_readers(volume: Volume) -> None:
    pyramid = pyramid_of(Sliced((32, 32, 256), (32, 32, 64)))
    share, bricks = share_of(pyramid, volume, ROW)
    assert bricks == ROW[:2]
    assert share_of(pyramid, volume, ROW, share)[1] == ROW[2:4]


def test_what_is_in_memory_costs_no_further_read(volume: Volume) -> None:
    pyramid = pyramid_of(Sliced((32, 32, 256), (32, 32, 64)))
    pyramid.read(0, Box((0, 0, 128), (32, 32, 192)))
    assert share_of(pyramid, volume, ROW)[1] == [*ROW[:2], *ROW[4:6]]


def test_where_each_brick_is_read_for_itself_a_reader_takes_one(volume: Volume) -> None:
    share, bricks = share_of(pyramid_of(Sliced((32, 32, 256))), volume, ROW)
    assert bricks == ROW[:1]
    assert not share.blocks


@pytest.mark.parametrize("chunks", [None, (32, 32, 32)])
def test_of_quick_reads_a_reader_takes_as_many_as_he_has_time_for(
    volume: Volume, chunks: tuple[int, ...] | None
) -> None:
    pyramid = pyramid_of(Sliced((32, 32, 256), chunks))
    share, bricks = share_of(pyramid, volume, ROW)
    share.learn(bricks, HOP_SECONDS / 4.5)
    assert share_of(pyramid, volume, ROW)[1] == ROW[:4]


def test_one_quick_read_does_not_make_a_slow_source_quick(volume: Volume) -> None:
    pyramid = pyramid_of(Sliced((32, 32, 256)))
    for seconds in (0.3, 0.0, 0.0):
        share, bricks = share_of(pyramid, volume, ROW)
        assert bricks == ROW[:1]
        share.learn(bricks, seconds)


def test_an_array_in_memory_is_cut_at_once(volume: Volume) -> None:
    share, bricks = share_of(pyramid_of(np.zeros((32, 32, 256), "u1")), volume, ROW)
    assert share.prompt
    assert bricks == ROW
