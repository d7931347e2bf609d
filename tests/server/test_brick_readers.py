"""Readers of a page are few, and one who is away for long holds up nobody but his layer."""

from __future__ import annotations

import pytest

from viewer.server.brick_plan import Share
from viewer.server.brick_readers import HOPS, LONG_SECONDS, Readers


def share() -> Share:
    return Share((1, 0, 0, 0, 0), 1, None, None, lambda pyramid, block: True, prompt=False)


@pytest.fixture
def readers() -> Readers:
    """As many as may be, of the layer "slow", begun at 10 s."""
    readers = Readers()
    for _ in range(HOPS):
        readers.begin(share(), "slow", 100, 10.0)
    return readers


def test_they_are_few(readers: Readers) -> None:
    assert readers.wait(10.0) == pytest.approx(LONG_SECONDS)
    assert readers.coming(10.0) == 100 * HOPS


def test_those_who_are_away_for_long_hold_up_only_their_layer(readers: Readers) -> None:
    late = 10.0 + 2 * LONG_SECONDS
    assert readers.wait(late) is None
    assert readers.coming(late) == 0
    assert readers.are_all_at("slow")
    assert not readers.are_all_at("quick")


def test_one_who_is_back_makes_room(readers: Readers) -> None:
    last = share()
    readers.begin(last, "quick", 7, 10.05)
    readers.end(last)
    assert readers.coming(10.05) == 100 * HOPS
    assert not readers.are_all_at("quick")
