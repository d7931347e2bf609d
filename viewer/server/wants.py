"""Which bricks a page still has to be sent, and in which order. Pure bookkeeping, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

Brick = tuple[int, int, int, int, int]
"""Volume, level, and index (z, y, x) in bricks."""

FIELDS = 5


class WantList:
    """The newest want-list of a page, less what is being read or on its way.

    A page sends its list many times a second while it moves, with all that it has not got yet; but
    it says how much it had taken off the stream when it made the list. A brick that ends beyond
    that is still to come, and is not sent again. One that the page had taken, it has thrown away
    since, or wants it newer.
    """

    def __init__(self) -> None:
        self.active: set[Brick] = set()
        """Bricks that a worker has, and that are still wanted; also read by the workers."""
        self.generation = -1
        self._list: Sequence[int] = ()
        self._position = 0
        self._first: list[Brick] = []
        self._sent: dict[Brick, tuple[int, int]] = {}

    def replace(self, generation: int, bricks: Sequence[int], taken: int) -> None:
        """A new list: `FIELDS` numbers a brick, best first, made after so many bytes were taken."""
        if generation < self.generation:
            return
        self.generation = generation
        self._list, self._position = bricks, 0
        self._first = []
        # In the order in which they end.
        self.forget(list(takewhile(lambda brick: self._sent[brick][0] <= taken, self._sent)))
        if self.active:
            numbers = iter(bricks)
            wanted = set(zip(*(numbers,) * FIELDS, strict=True))
            self.active &= wanted

    def take(self, count: int) -> list[Brick]:
        """Up to `count` bricks of one volume to be read now; they become active.

        Those of other volumes between them are the next to be taken: pages want several layers
        at each place, and many small messages cost more than a few of one volume each.
        """
        taken: list[Brick] = []
        others: list[Brick] = []
        for brick in self._first:
            mine = len(taken) < count and (not taken or brick[0] == taken[0][0])
            (taken if mine else others).append(brick)
        numbers = self._list
        while self._position < len(numbers) and len(taken) < count and len(others) < count:
            position = self._position
            brick = tuple(numbers[position : position + FIELDS])  # type: ignore[assignment]
            self._position += FIELDS
            if brick in self.active or brick in self._sent:
                continue
            (others if taken and brick[0] != taken[0][0] else taken).append(brick)
        self._first = others
        self.active.update(taken)
        return taken

    def finish(self, brick: Brick) -> bool:
        """A worker is done with `brick`; whether it is still wanted."""
        wanted = brick in self.active
        self.active.discard(brick)
        return wanted

    def give_back(self, bricks: Sequence[Brick]) -> None:
        """A worker did not come to these: they are the next to be taken, if still wanted."""
        left = [brick for brick in bricks if brick in self.active]
        self.active.difference_update(left)
        self._first = left + self._first

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
        self.active -= {brick for brick in self.active if brick[0] == volume}
        self._first = [brick for brick in self._first if brick[0] != volume]
        self.forget([brick for brick, _ in self.on_the_way(volume)])
