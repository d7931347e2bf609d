"""The want-list's bookkeeping: nothing twice, nothing lost."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from viewer.server.wants import PASSED, Brick, WantList

BRICKS = st.lists(st.tuples(*[st.integers(0, 2)] * 5), max_size=12, unique=True)


def flat(bricks: list[Brick]) -> list[int]:
    return [number for brick in bricks for number in brick]


class OneVolume:
    """A reader who takes some bricks of one volume, maybe only some volume."""

    def __init__(self, first: Brick, room: int, *volumes: int) -> None:
        self.room = room
        self._volume = first[0]
        self._volumes = volumes

    def takes(self, brick: Brick) -> bool:
        return brick[0] == self._volume and (not self._volumes or brick[0] in self._volumes)


def take(wants: WantList, count: int, *volumes: int) -> list[Brick]:
    found = wants.take(lambda brick: OneVolume(brick, count, *volumes))
    return [] if found is None else found[1]


def drain(wants: WantList, count: int = 3) -> list[Brick]:
    taken: list[Brick] = []
    while batch := take(wants, count):
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
    wants.replace(0, flat(bricks), 0)
    assert_in_order(drain(wants), bricks)
    assert set(wants.active) == set(bricks)


@given(BRICKS, st.integers(1, 4))
def test_each_batch_begins_with_the_best(bricks: list[Brick], count: int) -> None:
    wants = WantList()
    wants.replace(0, flat(bricks), 0)
    left = list(bricks)
    while batch := take(wants, count):
        assert batch[0] == left[0]
        left = [brick for brick in left if brick not in batch]
    assert left == []


def test_layers_that_are_wanted_in_turn_come_in_batches_each() -> None:
    wants = WantList()
    image: list[Brick] = [(1, 0, 0, 0, x) for x in range(6)]
    labels: list[Brick] = [(2, 0, 0, 0, x) for x in range(6)]
    wants.replace(0, flat([b for pair in zip(image, labels, strict=True) for b in pair]), 0)
    batches = [take(wants, 3) for _ in range(4)]
    assert batches == [image[:3], labels[:3], image[3:], labels[3:]]


@given(BRICKS, BRICKS)
def test_a_new_list_replaces_the_old_one(first: list[Brick], second: list[Brick]) -> None:
    wants = WantList()
    wants.replace(0, flat(first), 0)
    reading = take(wants, 4)
    wants.replace(1, flat(second), 0)
    assert_in_order(drain(wants), [brick for brick in second if brick not in reading])
    assert set(wants.active) == set(second)
    assert [wants.finish(brick) for brick in reading] == [brick in second for brick in reading]


@given(st.data())
def test_a_page_gets_what_it_wants_and_nothing_that_it_has(data: st.DataObject) -> None:
    """Lists and messages are any time on their way; the page throws some of its bricks away."""
    wants = WantList()
    lists: deque[tuple[int, list[int], int]] = deque()
    workers: list[list[Brick]] = []
    messages: deque[tuple[int, list[Brick]]] = deque()
    page: set[Brick] = set()
    sent = taken = 0
    wanted: list[Brick] = []

    def ask(bricks: list[Brick]) -> None:
        wanted[:] = [brick for brick in bricks if brick not in page]
        lists.append((0, flat(wanted), taken))

    def read(worker: list[Brick], count: int) -> None:
        nonlocal sent
        workers.remove(worker)
        wants.give_back(worker[count:])
        if bricks := [brick for brick in worker[:count] if wants.finish(brick)]:
            sent += len(bricks)
            for brick in bricks:
                wants.sent(brick, sent, 0)
            messages.append((sent, bricks))

    def step(action: str, bricks: list[Brick], count: int) -> None:
        nonlocal taken
        if action == "ask":
            ask(bricks)
        elif action == "listen" and lists:
            wants.replace(*lists.popleft())
        elif action == "begin" and (batch := take(wants, count)):
            workers.append(batch)
        elif action == "read" and workers:
            read(workers[0], count)
        elif action == "arrive" and messages:
            taken, came = messages.popleft()
            assert page.isdisjoint(came)
            page.update(came)
        elif action == "forget":
            page.difference_update(bricks)

    actions = ["ask", "listen", "begin", "read", "arrive", "forget"]
    steps = st.lists(st.tuples(st.sampled_from(actions), BRICKS, st.integers(1, 4)), max_size=60)
    for action, bricks, count in data.draw(steps):
        step(action, bricks, count)
    ask(data.draw(BRICKS))
    for _ in range(200):
        for action in ("listen", "begin", "read", "arrive"):
            step(action, [], 4)
    assert page.issuperset(wanted)


def test_what_has_changed_is_sent_again_although_it_is_on_its_way() -> None:
    wants = WantList()
    first, second = (1, 0, 0, 0, 0), (1, 0, 0, 0, 1)
    wants.sent(first, 100, 0)
    wants.sent(second, 100, 3)
    wants.sent((2, 0, 0, 0, 0), 200, 0)
    wants.replace(0, flat([first, second]), 0)
    assert wants.on_the_way(1) == [(first, 0), (second, 3)]
    wants.forget([first])
    assert drain(wants) == [first]


def test_an_old_list_that_comes_late_is_ignored() -> None:
    wants = WantList()
    wants.replace(5, [1, 0, 0, 0, 0], 0)
    wants.replace(4, [2, 0, 0, 0, 0], 0)
    assert drain(wants) == [(1, 0, 0, 0, 0)]


def test_a_closed_volume_is_not_wanted() -> None:
    wants = WantList()
    wants.replace(0, [1, 0, 0, 0, 0, 2, 0, 0, 0, 0], 0)
    drain(wants)
    wants.close(1)
    assert list(wants.active) == [(2, 0, 0, 0, 0)]


@given(BRICKS, st.integers(1, 4))
def test_what_a_worker_did_not_come_to_is_taken_next(bricks: list[Brick], count: int) -> None:
    wants = WantList()
    wants.replace(0, flat(bricks), 0)
    read: list[Brick] = []
    while batch := take(wants, count):
        assert wants.finish(batch[0])
        read.append(batch[0])
        wants.give_back(batch[1:])
    assert_in_order(read, bricks)
    assert not wants.active


def test_what_two_workers_give_back_is_taken_in_the_order_of_the_list() -> None:
    wants = WantList()
    bricks: list[Brick] = [(1, 0, 0, 0, x) for x in range(9)]
    wants.replace(0, flat(bricks), 0)
    first, second = take(wants, 3), take(wants, 3)
    wants.give_back(first[1:])
    wants.give_back(second[1:])
    assert drain(wants) == [*bricks[1:3], *bricks[4:]]


def test_what_is_given_back_after_a_new_list_is_taken_once() -> None:
    wants = WantList()
    bricks: list[Brick] = [(1, 0, 0, 0, x) for x in range(4)]
    wants.replace(0, flat(bricks), 0)
    batch = take(wants, 2)
    wants.replace(1, flat(bricks[::-1]), 0)
    wants.give_back(batch)
    assert drain(wants) == bricks[::-1]


def test_bricks_that_nobody_may_begin_with_keep_their_places() -> None:
    wants = WantList()
    bricks: list[Brick] = [(1 + x % 2, 0, 0, 0, x) for x in range(6)]
    wants.replace(0, flat(bricks), 0)
    assert take(wants, 2, 2) == [bricks[1], bricks[3]]
    assert take(wants, 9, 3) == []
    assert take(wants, 9, 1) == bricks[::2]
    assert take(wants, 9) == [bricks[5]]


def test_nobody_begins_with_finer_bricks_while_coarser_ones_wait() -> None:
    class Fine(OneVolume):
        def takes(self, brick: Brick) -> bool:
            return brick[1] == 0 and super().takes(brick)

    wants = WantList()
    coarse, fine, other = (1, 2, 0, 0, 0), (1, 0, 0, 0, 0), (2, 0, 0, 0, 0)
    wants.replace(0, flat([coarse, fine, other]), 0)
    found = wants.take(lambda brick: Fine(brick, 9))
    assert found is not None
    assert found[1] == [other]
    assert wants.take(lambda brick: Fine(brick, 9)) is None
    assert take(wants, 9) == [coarse, fine]


def test_what_a_worker_did_not_come_to_is_forgotten_when_it_is_not_wanted_any_more() -> None:
    wants = WantList()
    first, second = (1, 0, 0, 0, 0), (1, 0, 0, 0, 1)
    wants.replace(0, flat([first, second]), 0)
    take(wants, 2)
    wants.give_back([second])
    wants.replace(1, flat([first]), 0)
    assert drain(wants) == []
    wants.replace(2, flat([first, second]), 0)
    take(wants, 2)
    wants.give_back([second])
    wants.close(1)
    assert take(wants, 2) == []


def test_what_is_put_aside_hides_nothing_and_comes_again() -> None:
    wants = WantList()
    aside: list[Brick] = [(1, 0, 0, 0, x) for x in range(2 * PASSED)]
    wants.replace(0, flat([*aside, (2, 0, 0, 0, 0)]), 0)
    found = wants.take(lambda brick: OneVolume(brick, 9) if brick[0] == 2 else None)
    assert found is not None
    assert found[1] == [(2, 0, 0, 0, 0)]
    assert take(wants, 9) == []
    wants.release()
    assert_in_order(drain(wants), aside)
