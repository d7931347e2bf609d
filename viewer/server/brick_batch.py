"""One hop to a worker: some bricks of one volume."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Collection

from viewer.bricks import failed_brick, write_brick
from viewer.errors import CancelledError, ClosedError, ViewerError, http_status
from viewer.messages import Notice
from viewer.pyramids.pyramid import Pyramid
from viewer.server.brick_plan import HOP_SECONDS, Volume
from viewer.server.direct import SOURCE_STATUS
from viewer.server.mount import Mount
from viewer.server.wants import Brick

HEAD_ROOM = 16
"""Bytes left free before the bricks: the head of a WebSocket frame has up to 10."""


EMPTY_BLOCK = b"\x00\x00\xff\xff"
"""What ends a flushed deflate stream."""

WORTHWHILE = 0.7
"""What compressing must leave of a brick: labels shrink to a thirtieth at 700 MB/s, but images with
grain to nine tenths at 50 MB/s."""


class Outcome:
    """Finished bricks, one after another as they will travel: nothing is copied on the way.

    Bricks that nobody wants any more, or that took too long, are missing.
    """

    __slots__ = ("_each", "_end", "bricks", "buffer", "packed", "seconds")

    def __init__(self, room: int = 0, each: int = 0) -> None:
        self._each = each  # bytes that a brick may need while it is written
        self.buffer = bytearray(HEAD_ROOM + room)
        """`HEAD_ROOM` bytes, then the bricks."""
        self.bricks: list[tuple[Brick, int, int]] = []
        """With where they begin and end in the buffer."""
        self.packed: bytes | None = None
        """All of it compressed, as permessage-deflate has it (RFC 7692); None if not worth it."""
        self.seconds = 0.0
        """That reading took."""
        self._end = HEAD_ROOM

    def write(self, brick: Brick, write: Callable[[bytearray, int], int]) -> None:
        """Add a brick that is written in place: buffer and begin → end."""
        if (missing := self._end + self._each - len(self.buffer)) > 0:
            self.buffer.extend(bytes(missing))
        end = write(self.buffer, self._end)
        self.bricks.append((brick, self._end, end))
        self._end = end

    def append(self, brick: Brick, record: bytes) -> None:
        """Add a brick for which there may be no room yet."""
        end = self._end + len(record)
        self.buffer[self._end : end] = record  # grows at its end
        self.bricks.append((brick, self._end, end))
        self._end = end

    def pack(self) -> None:
        """Compress it, if that makes much of a difference to the first brick."""
        if not self.bricks:
            return
        with memoryview(self.buffer) as data:
            _, start, stop = self.bricks[0]
            if len(_deflate(data[start:stop])) < WORTHWHILE * (stop - start):
                self.packed = _deflate(data[HEAD_ROOM : self._end])


def _deflate(data: memoryview) -> bytes:
    deflate = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    # The receiver adds the empty block at the end itself.
    return (deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH)).removesuffix(EMPTY_BLOCK)


class Batch:
    """Work for one hop: read some bricks of one volume."""

    __slots__ = ("_active", "_bricks", "_compresses", "_mount", "_pyramid", "_volume")

    def __init__(
        self,
        pyramid: Pyramid,
        bricks: list[Brick],
        volume: Volume,
        active: Collection[Brick],
        mount: Mount,
        *,
        compresses: bool,
    ) -> None:
        self._pyramid = pyramid
        self._bricks = bricks
        self._volume = volume
        self._active = active
        self._mount = mount
        self._compresses = compresses

    def __call__(self, cancelled: Callable[[], bool]) -> Outcome:
        each = self._volume.bytes
        # Most labels take less than they might; clearing memory for more takes time.
        room = min(len(self._bricks) * each, self._mount.policy.message_bytes + each)
        outcome = Outcome(room, each)
        start = time.monotonic()
        for brick in self._bricks:
            late = bool(outcome.bricks) and time.monotonic() > start + HOP_SECONDS
            if cancelled() or (late and self._volume.awaited(self._pyramid, brick) is not None):
                break
            if brick in self._active:
                self._read(brick, outcome, cancelled)
        outcome.seconds = time.monotonic() - start
        if self._compresses:
            outcome.pack()
        return outcome

    def _read(self, brick: Brick, outcome: Outcome, cancelled: Callable[[], bool]) -> None:
        number, level, index = brick[0], brick[1], brick[2:]
        pyramid, point = self._pyramid, self._volume.point
        stale = lambda: cancelled() or brick not in self._active  # noqa: E731
        try:
            outcome.write(
                brick,
                lambda buffer, at: write_brick(
                    buffer, at, pyramid, number, level, point, index, stale
                ),
            )
        except CancelledError:
            return
        except ViewerError as error:
            notice = failure(self._mount, error, self._volume.layer)
            outcome.append(brick, failed_brick(number, level, index, pyramid.generation, notice))


def failure(mount: Mount, error: ViewerError, layer: str) -> Notice:
    """What to tell the page; the user, too, when it is the source's fault."""
    if http_status(error) in SOURCE_STATUS and not isinstance(error, ClosedError):
        return mount.report(error, layer)
    return Notice(error.kind, error.message, error.hint, layer)
