"""The block cache under its budget."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from viewer.cache import BlockCache, Partition
from viewer.errors import CancelledError


def block(size: int, value: int = 0) -> np.ndarray:
    return np.full(size, value, np.uint8)


def test_the_least_recently_used_block_goes_first():
    part = BlockCache(3).partition()
    made: list[str] = []

    def get(key: str) -> None:
        part.get(key, lambda: made.append(key) or block(1))

    for key in "abcadab":  # d pushes b out, since a was used again; then b pushes c out
        get(key)
    assert "".join(made) == "abcdb"


def test_a_block_larger_than_the_budget_is_handed_out_but_not_kept():
    cache = BlockCache(10)
    assert cache.partition().get("a", lambda: block(11)).size == 11
    assert cache.bytes == 0


def test_blocks_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        BlockCache(10).partition().get("a", lambda: block(1))[0] = 1


def test_partitions_do_not_see_each_other():
    cache = BlockCache(10)
    assert cache.partition().get("a", lambda: block(1, 1))[0] == 1
    assert cache.partition().get("a", lambda: block(1, 2))[0] == 2


def test_a_closed_partition_still_computes_but_keeps_nothing():
    cache = BlockCache(10)
    part = cache.partition()
    part.get("a", lambda: block(1))
    part.close()
    assert cache.bytes == 0
    assert part.get("a", lambda: block(1, 5))[0] == 5
    assert cache.bytes == 0


@pytest.mark.parametrize("failure", [ZeroDivisionError, CancelledError])
def test_who_waits_for_a_broken_or_cancelled_computation_takes_it_over(failure):
    part = BlockCache(10).partition()
    started, go = threading.Event(), threading.Event()
    outcome: list[Any] = []

    def broken() -> np.ndarray:
        started.set()
        assert go.wait(10)
        raise failure("enough")

    def first() -> None:
        with pytest.raises(failure):
            part.get("a", broken)
        outcome.append("broken")

    threads = [
        threading.Thread(target=first),
        threading.Thread(target=lambda: outcome.append(part.get("a", lambda: block(1, 7))[0])),
    ]
    threads[0].start()
    assert started.wait(10)
    threads[1].start()
    go.set()
    for thread in threads:
        thread.join(10)
    assert sorted(map(str, outcome)) == ["7", "broken"]


def test_what_is_dropped_is_made_again_and_the_rest_stays():
    cache = BlockCache(10)
    part = cache.partition()
    for key in (1, 2, 3):
        part.get(key, lambda: block(1, 1))
    assert part.drop(lambda key: key > 1) == 2
    assert cache.bytes == 1
    assert [part.get(key, lambda: block(1, 2))[0] for key in (1, 2, 3)] == [1, 2, 2]


def test_what_is_dropped_while_it_is_made_reaches_only_those_who_wait():
    part = BlockCache(10).partition()
    started, go = threading.Event(), threading.Event()
    got: list[int] = []

    def slow() -> np.ndarray:
        started.set()
        assert go.wait(10)
        return block(1, 1)

    thread = threading.Thread(target=lambda: got.append(part.get("a", slow)[0]))
    thread.start()
    assert started.wait(10)
    part.drop(lambda key: key == "a")
    assert part.get("a", lambda: block(1, 2))[0] == 2  # begun anew, not waited for
    go.set()
    thread.join(10)
    assert got == [1]
    assert part.get("a", lambda: block(1, 3))[0] == 2


def test_a_smaller_budget_holds_at_once():
    cache = BlockCache(10)
    part = cache.partition()
    for key in range(10):
        part.get(key, lambda: block(1))
    cache.resize(3)
    assert part.keys == {7, 8, 9}
    assert cache.bytes == 3


class Budget(RuleBasedStateMachine):
    """Whatever is asked, in whatever order, the books are right."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = BlockCache(20)
        self.parts: list[Partition] = [self.cache.partition(), self.cache.partition()]
        self.truth: dict[tuple[int, int], int] = {}

    @rule(which=st.integers(0, 1), key=st.integers(0, 5), size=st.integers(0, 25))
    def get(self, which: int, key: int, size: int) -> None:
        got = self.parts[which].get(key, lambda: block(size, 10 * which + key))
        assert (got == 10 * which + key).all()

    @rule(which=st.integers(0, 1), key=st.integers(0, 5))
    def drop(self, which: int, key: int) -> None:
        self.parts[which].drop(lambda other: other >= key)

    @rule(which=st.integers(0, 1))
    def replace(self, which: int) -> None:
        self.parts[which].close()
        self.parts[which] = self.cache.partition()

    @invariant()
    def books_are_right(self) -> None:
        held = [
            block.nbytes
            for part in self.parts
            for key in part.keys
            if (block := part.peek(key)) is not None
        ]
        assert self.cache.bytes == sum(held) <= 20
        assert len(held) == sum(len(part.keys) for part in self.parts)


TestBudget = Budget.TestCase
TestBudget.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
