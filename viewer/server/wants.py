"""Which bricks a page still has to be sent, and in which order. Pure bookkeeping, no I/O."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Protocol, TypeVar

Brick = tuple[int, int, int, int, int]
"""Volume, level, and index (z, y, x) in bricks."""

FIELDS = 5

PASSED = 256
"""Bricks passed over at most until there is one to begin with."""


class Taking(Protocol):
    """What a reader takes at once."""

    @property
    def room(self) -> int:
        """Bricks at most."""

    def takes(self, brick: Brick) -> bool:
        """Whether he takes this one, too."""


T = TypeVar("T", bound=Taking)


class WantList:
    """The newest want-list of a page, less what is being read or on its way.

    A page sends its list many times a second while it moves, with all that it has not got yet; but
    it says how much it had taken off the stream when it made the list. A brick that ends beyond
    that is still to come, and is not sent again. One that the page had taken, it has thrown away
    since, or wants it newer.
    """

    def __init__(self) -> None:
        self._active: dict[Brick, int] = {}  # with their places in the list
        self.generation = -1
        self._list: Sequence[int] = ()
        self._position = 0
        self._passed: list[tuple[int, Brick]] = []  # taken by nobody, though before the position
        self._held: list[tuple[int, Brick]] = []  # not to be looked at for the time being
        self._sent: dict[Brick, tuple[int, int]] = {}

    @property
    def active(self) -> Collection[Brick]:
        """Bricks that a worker has, and that are still wanted; also looked at by the workers."""
        return self._active

    def replace(self, generation: int, bricks: Sequence[int], taken: int) -> None:
        """A new list: `FIELDS` numbers a brick, best first, made after so many bytes were taken."""
        if generation < self.generation:
            return
        self.generation = generation
        self._list, self._position = bricks, 0
        self._passed, self._held = [], []
        # In the order in which they end.
        self.forget(list(takewhile(lambda brick: self._sent[brick][0] <= taken, self._sent)))
        if self._active:
            numbers = iter(bricks)
            wanted = enumerate(zip(*(numbers,) * FIELDS, strict=True))
            places = {brick: at * FIELDS for at, brick in wanted if brick in self._active}
            for brick in self._active.keys() - places.keys():
                del self._active[brick]
            self._active.update(places)

    def take(self, begin: Callable[[Brick], T | None]) -> tuple[T, list[Brick]] | None:
        """What a reader takes who begins with the best brick that there is; it becomes active.

        `begin` is asked for what is taken with a brick; that may not take the brick itself, which
        waits then. What is passed over is looked at first the next time: pages want several layers
        at each place, and a reader takes those of one. But nobody begins with finer bricks of a
        volume while coarser ones wait: those would stand in a queue before them. A brick for which
        `begin` has nothing, since there may be no more readers of its layer, is put aside until
        `release`: many of them must not hide those of other layers.
        """
        left, others = iter(self._passed), list[tuple[int, Brick]]()
        places = itertools.chain(left, self._rest())
        found: tuple[T, list[Brick]] | None = None
        coarsest: dict[int, int] = {}  # level passed over, by volume
        for at, brick in places:
            volume, level = brick[:2]
            if level >= coarsest.get(volume, 0):
                share = begin(brick)
                if share is None:
                    self._held.append((at, brick))
                    continue
                if share.takes(brick):
                    found = share, [brick]
                    self._active[brick] = at
                    self._take_more(share, found[1], places, others)
                    break
                coarsest[volume] = level
            others.append((at, brick))
            if len(others) == PASSED:
                break
        self._passed = [*others, *left]
        return found

    def release(self) -> None:
        """What was put aside waits at its places again."""
        if self._held:
            self._passed = sorted([*self._held, *self._passed])
            self._held = []

    def _take_more(
        self,
        share: Taking,
        taken: list[Brick],
        places: Iterator[tuple[int, Brick]],
        others: list[tuple[int, Brick]],
    ) -> None:
        limit = len(others) + share.room
        while len(taken) < share.room and len(others) < limit:
            place = next(places, None)
            if place is None:
                return
            at, brick = place
            if share.takes(brick):
                taken.append(brick)
                self._active[brick] = at
            else:
                others.append(place)

    def _rest(self) -> Iterator[tuple[int, Brick]]:
        """The list from the position on, less what is active or has been sent."""
        numbers = self._list
        while self._position < len(numbers):
            at = self._position
            brick: Brick = tuple(numbers[at : at + FIELDS])  # type: ignore[assignment]
            self._position += FIELDS
            if brick not in self._active and brick not in self._sent:
                yield at, brick

    def finish(self, brick: Brick) -> bool:
        """A worker is done with `brick`; whether it is still wanted."""
        return self._active.pop(brick, None) is not None

    def give_back(self, bricks: Iterable[Brick]) -> None:
        """A worker did not come to these: if still wanted, they wait again at their places."""
        back = [(self._active.pop(brick), brick) for brick in bricks if brick in self._active]
        # Beyond the position they will be come to anyway.
        back = [(at, brick) for at, brick in back if at < self._position]
        if back:
            self._passed = sorted([*back, *self._passed])

    def sent(self, brick: Brick, end: int, generation: int) -> None:
        """`brick` has left in a message that ends at byte `end`; `generation` is of its data."""
        self._sent.pop(brick, None)  # to the end: `replace` counts on the order
        self._sent[brick] = (end, generation)

    def on_the_way(self, volume: int) -> list[tuple[Brick, int]]:
        """Bricks of `volume` that the page may not have taken yet, with their generations."""
        return [(brick, gen) for brick, (_, gen) in self._sent.items() if brick[0] == volume]

    def forget(self, bricks: Iterable[Brick]) -> None:
        """These are sent again if they are wanted again, although they may be on their way."""
        for brick in bricks:
            del self._sent[brick]

    def close(self, volume: int) -> None:
        """Nothing of `volume` is wanted any more."""
        for brick in [brick for brick in self._active if brick[0] == volume]:
            del self._active[brick]
        self._passed = [place for place in self._passed if place[1][0] != volume]
        self._held = [place for place in self._held if place[1][0] != volume]
        self.forget([brick for brick, _ in self.on_the_way(volume)])
