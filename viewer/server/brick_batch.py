"""One hop to a worker: some bricks of one volume."""

from __future__ import annotations

import time
from collections.abc import Callable

from viewer.bricks import failed_brick, read_brick
from viewer.errors import CancelledError, ClosedError, ViewerError, http_status
from viewer.messages import Notice
from viewer.pyramid import Pyramid
from viewer.server.handler import SOURCE_STATUS
from viewer.server.mount import Mount
from viewer.server.wants import Brick

Outcome = list[tuple[Brick, bytes]]
"""Finished messages; bricks that nobody wants any more, or that took too long, are missing."""


HOP_SECONDS = 0.03
"""Seconds after which a hop ends though bricks are left: all that it read is sent together, and
the first brick of a slow source must not wait for the eighth."""


class Volume:
    """An open volume; never the layer itself, which must be free to go."""

    __slots__ = ("bytes", "layer", "point")

    def __init__(self, layer: str, point: tuple[int, ...], size: int) -> None:
        self.layer = layer
        self.point = point
        self.bytes = size
        """Of the largest message for one brick."""


class Batch:
    """Work for one hop: read some bricks of one volume."""

    __slots__ = ("_active", "_bricks", "_mount", "_pyramid", "_volume")

    def __init__(
        self,
        pyramid: Pyramid,
        bricks: list[Brick],
        volume: Volume,
        active: set[Brick],
        mount: Mount,
    ) -> None:
        self._pyramid = pyramid
        self._bricks = bricks
        self._volume = volume
        self._active = active
        self._mount = mount

    def __call__(self, cancelled: Callable[[], bool]) -> Outcome:
        outcome: Outcome = []
        end = time.monotonic() + HOP_SECONDS
        for brick in self._bricks:
            if cancelled() or (outcome and time.monotonic() > end):
                break
            if brick in self._active:
                message = self._read(brick, cancelled)
                if message is not None:
                    outcome.append((brick, message))
        return outcome

    def _read(self, brick: Brick, cancelled: Callable[[], bool]) -> bytes | None:
        number, level, index = brick[0], brick[1], brick[2:]
        stale = lambda: cancelled() or brick not in self._active  # noqa: E731
        try:
            return read_brick(self._pyramid, number, level, self._volume.point, index, stale)
        except CancelledError:
            return None
        except ViewerError as error:
            notice = failure(self._mount, error, self._volume.layer)
            return failed_brick(number, level, index, self._pyramid.generation, notice)


def failure(mount: Mount, error: ViewerError, layer: str) -> Notice:
    """What to tell the page; the user, too, when it is the source's fault."""
    if http_status(error) in SOURCE_STATUS and not isinstance(error, ClosedError):
        return mount.report(error, layer)
    return Notice(error.kind, error.message, error.hint, layer)
