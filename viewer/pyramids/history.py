"""What has changed in a layer's data, step by step.

Every refresh is one step: a new generation, and the box that it changed. A reader who holds voxels
of an older generation needs new ones only where a later step touches them.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from viewer.space import Box
from viewer.state import Changed

TOLD = 32
"""Steps told to clients. One that missed more of them fetches everything again."""

REMEMBERED = 256
"""Steps remembered here at most, apart from those that a later one covers."""


class History(msgspec.Struct, frozen=True):
    """The generation of a pyramid's data, and the steps that led to it; a value.

    Parameters
    ----------
    generation : int
        Number of steps so far.
    told : tuple of Changed
        The last `TOLD` of them, oldest first, one a generation.
    steps : tuple of Changed
        The newest first, without those that a later one covers.
    base : int
        Generation of voxels that none of `steps` touches.
    """

    generation: int = 0
    told: tuple[Changed, ...] = ()
    steps: tuple[Changed, ...] = ()
    base: int = 0

    def after(self, level: int, box: Box) -> History:
        """The history with one step more: a box of level 0 changed, at `level` and above."""
        step = Changed(self.generation + 1, level, box.start, box.stop)
        if box.empty:
            steps, base = self.steps, self.base
        else:
            kept = [old for old in self.steps if not _covers(step, old)]
            steps, base = (step, *kept[: REMEMBERED - 1]), self.base
            if len(kept) >= REMEMBERED:
                base = kept[REMEMBERED - 1].generation
        return History(step.generation, (*self.told, step)[-TOLD:], steps, base)

    def generation_of(self, level: int, touches: Callable[[Box], bool], since: int = -1) -> int:
        """The newest generation that changed a place.

        Parameters
        ----------
        level : int
        touches : callable
            Whether the place holds any voxel that a box of level 0 goes into.
        since : int, optional
            Generation that is not looked behind: if no newer one changed the place, the answer is
            any that is not newer.
        """
        for step in self.steps:
            if step.generation <= since:
                break
            if step.level <= level and touches(Box(step.start, step.stop)):
                return step.generation
        return self.base


def _covers(new: Changed, old: Changed) -> bool:
    return (
        new.level <= old.level
        and all(a <= b for a, b in zip(new.start, old.start, strict=True))
        and all(a >= b for a, b in zip(new.stop, old.stop, strict=True))
    )
