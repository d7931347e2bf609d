"""The want-list's bookkeeping: nothing twice, nothing lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from viewer.server.wants import TRANSIT_SECONDS, Brick, WantList

BRICKS = st.lists(st.tuples(*[st.integers(0, 2)] * 5), max_size=12, unique=True)


def flat(bricks: list[Brick]) -> list[int]:
    return [number for brick in bricks for number in brick]


def drain(wants: WantList, now: float, count: int = 3) -> list[Brick]:
    taken: list[Brick] = []
    while batch := wants.take(count, now):
        assert len(batch) <= count
        assert len({brick[0] for brick in batch}) == 1
        taken += batch
    return taken


def of(volume: int, bricks: list[Brick]) -> list[Brick]:
    return [brick for brick in bricks if brick[0] == volume]


def assert_in_order(taken: list[Brick], bricks: list[Brick]) -> None:
    """All of them, and each volume's as they stand."""
    for volume in {brick[0] for brick in bricks + taken}:
        assert of(volume, taken) == of(volume, bricks)


@given(BRICKS)
def test_bricks_of_a_volume_are_taken_in_order_once(bricks: list[Brick]) -> None:
    wants = WantList()
    wants.replace(0, flat(bricks), 0.0)
    assert_in_order(drain(wants, 0.0), bricks)
    assert wants.active == set(bricks)


@given(BRICKS, st.integers(1, 4))
def test_each_batch_begins_with_the_best(bricks: list[Brick], count: int) -> None:
    wants = WantList()
    wants.replace(0, flat(bricks), 0.0)
    left = list(bricks)
    while batch := wants.take(count, 0.0):
        assert batch[0] == left[0]
        left = [brick for brick in left if brick not in batch]
    assert left == []


def test_layers_that_are_wanted_in_turn_come_in_batches_each() -> None:
    wants = WantList()
    image: list[Brick] = [(1, 0, 0, 0, x) for x in range(6)]
    labels: list[Brick] = [(2, 0, 0, 0, x) for x in range(6)]
    wants.replace(0, flat([b for pair in zip(image, labels, strict=True) for b in pair]), 0.0)
    batches = [wants.take(3, 0.0) for _ in range(4)]
    assert batches == [image[:3], labels[:3], image[3:], labels[3:]]


@given(BRICKS, BRICKS)
def test_a_new_list_replaces_the_old_one(first: list[Brick], second: list[Brick]) -> None:
    wants = WantList()
    wants.replace(0, flat(first), 0.0)
    reading = wants.take(4, 0.0)
    wants.replace(1, flat(second), 0.0)
    assert_in_order(drain(wants, 0.0), [brick for brick in second if brick not in reading])
    assert wants.active == set(second)
    assert [wants.finish(brick) for brick in reading] == [brick in second for brick in reading]


@given(BRICKS, st.sets(st.integers(0, 11)))
def test_what_is_on_its_way_is_sent_again_only_when_it_must_have_arrived(
    bricks: list[Brick], sent: set[int]
) -> None:
    wants = WantList()
    wants.replace(0, flat(bricks), 0.0)
    drain(wants, 0.0)
    on_the_way = [brick for number, brick in enumerate(bricks) if number in sent]
    for brick in on_the_way:
        assert wants.finish(brick)
        wants.sent(brick, 1.0)
    wants.active.clear()
    wants.replace(1, flat(bricks), 1.1)
    assert_in_order(drain(wants, 1.1), [brick for brick in bricks if brick not in on_the_way])
    delay = wants.delay(1.1)
    assert (delay is None) == (not on_the_way)
    assert drain(wants, 1.1 + (delay or 0) + 0.001) == on_the_way
    assert delay is None or delay <= TRANSIT_SECONDS


def test_an_old_list_that_comes_late_is_ignored() -> None:
    wants = WantList()
    wants.replace(5, [1, 0, 0, 0, 0], 0.0)
    wants.replace(4, [2, 0, 0, 0, 0], 0.0)
    assert drain(wants, 0.0) == [(1, 0, 0, 0, 0)]


def test_a_closed_volume_is_not_wanted() -> None:
    wants = WantList()
    wants.replace(0, [1, 0, 0, 0, 0, 2, 0, 0, 0, 0], 0.0)
    drain(wants, 0.0)
    wants.close(1)
    assert wants.active == {(2, 0, 0, 0, 0)}


@given(BRICKS, st.integers(1, 4))
def test_what_a_worker_did_not_come_to_is_taken_next(bricks: list[Brick], count: int) -> None:
    wants = WantList()
    wants.replace(0, flat(bricks), 0.0)
    read: list[Brick] = []
    while batch := wants.take(count, 0.0):
        assert wants.finish(batch[0])
        read.append(batch[0])
        wants.give_back(batch[1:])
    assert_in_order(read, bricks)
    assert not wants.active


def test_what_a_worker_did_not_come_to_is_forgotten_when_it_is_not_wanted_any_more() -> None:
    wants = WantList()
    first, second = (1, 0, 0, 0, 0), (1, 0, 0, 0, 1)
    wants.replace(0, flat([first, second]), 0.0)
    wants.take(2, 0.0)
    wants.give_back([second])
    wants.replace(1, flat([first]), 0.0)
    assert drain(wants, 0.0) == []
    wants.replace(2, flat([first, second]), 0.0)
    wants.take(2, 0.0)
    wants.give_back([second])
    wants.close(1)
    assert wants.take(2, 0.0) == []
