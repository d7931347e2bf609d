"""Which bricks a page still has to be sent, and in which order. Pure bookkeeping, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

Brick = tuple[int, int, int, int, int]
"""Volume, level, and index (z, y, x) in bricks."""

FIELDS = 5

TRANSIT_SECONDS = 0.25
"""Seconds after which a brick that is wanted again is sent again; before, it may be on its way."""


class WantList:
    """The newest want-list of a page, less what is being read or has just been sent.

    A page sends its list many times a second while it moves, and does not know which bricks are
    on their way to it. So a brick that was sent a moment ago goes to the end of the queue, and
    waits until it must have arrived: if the page got it, its next list is without it.
    """

    def __init__(self) -> None:
        self.active: set[Brick] = set()
        """Bricks that a worker has, and that are still wanted; also read by the workers."""
        self.generation = -1
        self._list: Sequence[int] = ()
        self._position = 0
        self._deferred: list[Brick] = []
        self._first: list[Brick] = []
        self._sent: dict[Brick, float] = {}

    def replace(self, generation: int, bricks: Sequence[int], now: float) -> None:
        """A new list: `FIELDS` numbers a brick, best first; `now` in seconds."""
        if generation < self.generation:
            return
        self.generation = generation
        self._list, self._position = bricks, 0
        self._deferred, self._first = [], []
        self._forget(now)
        if self.active:
            numbers = iter(bricks)
            wanted = set(zip(*(numbers,) * FIELDS, strict=True))
            self.active &= wanted

    def take(self, count: int, now: float) -> list[Brick]:
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
            if brick in self.active:
                continue
            if now - self._sent.get(brick, -1e9) < TRANSIT_SECONDS:
                self._deferred.append(brick)
            elif not taken or brick[0] == taken[0][0]:
                taken.append(brick)
            else:
                others.append(brick)
        self._first = others
        if not taken:
            taken = self._take_deferred(count, now)
        self.active.update(taken)
        return taken

    def delay(self, now: float) -> float | None:
        """Seconds until `take` has something although it has nothing now; None for never."""
        if self._position < len(self._list) or not self._deferred:
            return None
        return max(0.0, self._sent.get(self._deferred[0], 0.0) + TRANSIT_SECONDS - now)

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

    def sent(self, brick: Brick, now: float) -> None:
        """`brick` has left for the page."""
        self._sent.pop(brick, None)  # to the end: `_forget` counts on the order
        self._sent[brick] = now

    def close(self, volume: int) -> None:
        """Nothing of `volume` is wanted any more."""
        self.active -= {brick for brick in self.active if brick[0] == volume}
        self._first = [brick for brick in self._first if brick[0] != volume]
        self.forget(volume)

    def forget(self, volume: int) -> None:
        """What has been sent of `volume` is no longer what is wanted of it."""
        self._sent = {brick: at for brick, at in self._sent.items() if brick[0] != volume}

    def _take_deferred(self, count: int, now: float) -> list[Brick]:
        taken: list[Brick] = []
        while self._deferred and len(taken) < count:
            brick = self._deferred[0]
            if now - self._sent.get(brick, -1e9) < TRANSIT_SECONDS:
                break
            if taken and brick[0] != taken[0][0]:
                break
            del self._deferred[0]
            if brick not in self.active:
                self.active.add(brick)
                taken.append(brick)
        return taken

    def _forget(self, now: float) -> None:
        # oldest first: stop at the first that may still be on its way
        old = 0
        for at in self._sent.values():
            if now - at < TRANSIT_SECONDS:
                break
            old += 1
        for brick in list(islice(self._sent, old)):
            del self._sent[brick]
