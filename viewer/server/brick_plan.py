"""What one reader of bricks takes at once, so that the nearest brick comes first.

Where reading is slow, readers must not take many bricks each: the second nearest would wait behind
the first while another reader fetches the far ones. Nor may two readers wait for the same chunk. So
each begins with the best brick that needs nothing which another is about to bring. With it he takes
what costs no further read: bricks of the same block, and those in memory; and of other reads as
many as he has time for, by how long they took lately.

    wanted    1 2 3 4 5 6 7 …     in blocks    A B A A C B A …
    reader    1 3 4 7 of A, 2 6 of B, 5 … of C
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from viewer.bricks import awaited
from viewer.errors import ViewerError
from viewer.pyramids.pyramid import APART, Key, Pyramid
from viewer.server.wants import Brick

HOP_SECONDS = 0.03
"""Seconds after which a reader begins no further read: all that he has is sent together, and the
first brick of a slow source must not wait for the eighth."""

Paces = dict[int, float]
"""Seconds that a read took lately, by level."""


class Volume:
    """An open volume; never the layer itself, which must be free to go."""

    __slots__ = ("bytes", "generation", "layer", "paces", "point")

    def __init__(
        self, layer: str, point: tuple[int, ...], size: int, generation: int, paces: Paces
    ) -> None:
        self.layer = layer
        self.point = point
        self.bytes = size
        """Of a brick in a message, at most."""
        self.generation = generation
        """Of its data when a page last asked for some."""
        self.paces = paces
        """Of the layer."""

    def awaited(self, pyramid: Pyramid, brick: Brick) -> Key | None:
        """See `viewer.bricks.awaited`; None also of a closed layer: who reads it is told so."""
        with suppress(ViewerError):
            return awaited(pyramid, brick[1], self.point, brick[2:])
        return None


def is_prompt(pyramid: Pyramid, level: int) -> bool:
    """Whether bricks of this level are read sooner than a worker could be told of them.

    They are cut out of an array in memory, in some 20 µs each.
    """
    # A `ResidentSource`, if it is one: asking for the protocol takes as long as a brick.
    return level == 0 and getattr(pyramid.source, "resident", False) is True


class Share:
    """What one reader takes: bricks of one volume.

    Parameters
    ----------
    brick : Brick
        The one to begin with.
    room : int
        Bricks taken at most.
    volume : Volume or None
        Of the brick; None where it is not open.
    pyramid : Pyramid or None
        Of the volume; None where there is no such layer any more.
    is_free : callable
        Whether no other reader is about to bring a block of a pyramid.
    prompt : bool
        Whether the brick is to be cut at once (`is_prompt`).
    """

    __slots__ = (
        "_awaited",
        "_is_free",
        "_level",
        "_number",
        "_reads",
        "blocks",
        "prompt",
        "pyramid",
        "room",
        "volume",
    )

    def __init__(
        self,
        brick: Brick,
        room: int,
        volume: Volume | None,
        pyramid: Pyramid | None,
        is_free: Callable[[Pyramid, Key], bool],
        *,
        prompt: bool,
    ) -> None:
        self.room = room
        self.volume = volume
        self.pyramid = pyramid
        self.prompt = prompt
        self.blocks: set[Key] = set()
        """What is read or made for it that others may wait for, too."""
        self._number, self._level = brick[:2]
        self._is_free = is_free
        self._awaited: dict[Brick, Key | None] = {}
        self._reads = 0

    def takes(self, brick: Brick) -> bool:
        """Whether a brick is read with the others; then it is one of them."""
        number, level = brick[:2]
        if number != self._number:
            return False
        if self.prompt or self.volume is None or self.pyramid is None:
            return level == self._level
        block = self.volume.awaited(self.pyramid, brick)
        if block is not None and block not in self.blocks:
            pace = self.volume.paces.get(level, HOP_SECONDS)
            if self._reads and (level != self._level or (self._reads + 1) * pace > HOP_SECONDS):
                return False
            if block is not APART:
                if not self._is_free(self.pyramid, block):
                    return False
                self.blocks.add(block)
            self._reads += 1
        self._awaited[brick] = block
        return True

    def learn(self, read: Iterable[Brick], seconds: float) -> None:
        """These have been read in so many seconds."""
        blocks = [self._awaited.get(brick) for brick in read]
        reads = blocks.count(APART) + len(set(blocks) - {None, APART})
        if self.volume is not None and reads:
            # One that was quick, by chance or out of a cache, does not make the next so.
            known = self.volume.paces.get(self._level, 0.0)
            self.volume.paces[self._level] = max(seconds / reads, known / 2)
