"""The brick stream: the server's end of the WebSocket described in `viewer.bricks`.

The page's newest want-list is worked off best first. A few batches are with the workers at a time
(`HOPS`); each comes back as finished messages, which leave in one write. What the page has not
acknowledged, together with what is being read for it, stays below `Policy.credit_bytes`, so
neither a slow page nor a slow network makes anything grow. A brick that cannot be had is sent
as failed, with the reason: the stream itself never dies of a source.
"""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta

from viewer.bricks import failed_brick, read_brick, wire_dtype
from viewer.errors import CancelledError, ClosedError, ViewerError, http_status
from viewer.messages import Notice
from viewer.pyramid import Pyramid
from viewer.server.connection import Socket, seen
from viewer.server.handler import SOURCE_STATUS
from viewer.server.mount import Mount
from viewer.server.wants import FIELDS, Brick, WantList
from viewer.server.workers import Job

HOPS = 3
"""Batches with the workers at a time: one being read, one waiting, one on its way back."""

VOLUMES = 4096
"""Open volumes on a connection, at most."""

HEADER_BYTES = 40

_Number = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]


class Open(msgspec.Struct, tag_field="type", tag="open", forbid_unknown_fields=True):
    """From now on `volume` is this layer at these indices of its leading axes."""

    volume: _Number
    layer: str
    point: list[Annotated[int, Meta(ge=0)]]


class Close(msgspec.Struct, tag_field="type", tag="close", forbid_unknown_fields=True):
    """`volume` means nothing any more."""

    volume: _Number


class Want(msgspec.Struct, tag_field="type", tag="want", forbid_unknown_fields=True):
    """All bricks wanted now, best first, five numbers each."""

    generation: int
    bricks: list[_Number]


class Credit(msgspec.Struct, tag_field="type", tag="credit", forbid_unknown_fields=True):
    """The page has taken so many bytes."""

    bytes: Annotated[int, Meta(ge=0)]


_decode = msgspec.json.Decoder(Open | Close | Want | Credit).decode

Outcome = list[tuple[Brick, bytes]]


class _Volume:
    """An open volume; never the layer itself, which must be free to go."""

    __slots__ = ("bytes", "layer", "point")

    def __init__(self, layer: str, point: tuple[int, ...]) -> None:
        self.layer = layer
        self.point = point
        self.bytes = HEADER_BYTES
        """Of the largest message for one brick; known after the first."""


class BrickSocket(Socket):
    """``bricks``: see the module's docstring and `viewer.bricks`."""

    def open(self, *args: str, **kwargs: str) -> None:
        self._volumes: dict[int, _Volume] = {}
        self._wants = WantList()
        self._hops = 0
        self._unacknowledged = 0
        self._reserved = 0
        self._unsent = 0
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self.enter()

    def on_close(self) -> None:
        super().on_close()
        self._wants.replace(self._wants.generation, [], self._loop.time())
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()

    def on_message(self, message: str | bytes) -> None:
        try:
            request = _decode(message)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.close(1007, str(error)[:100])
            return
        if isinstance(request, Want):
            if len(request.bricks) % FIELDS or max(request.bricks[1::FIELDS], default=0) > 0xFF:
                self.close(1007, "bricks: five numbers each, levels below 256")
                return
            self._wants.replace(request.generation, request.bricks, self._loop.time())
        elif isinstance(request, Credit):
            self._unacknowledged = max(0, self._unacknowledged - request.bytes)
        elif isinstance(request, Open):
            if request.volume not in self._volumes and len(self._volumes) >= VOLUMES:
                self.close(1008, f"more than {VOLUMES} open volumes")
                return
            self._volumes[request.volume] = _Volume(request.layer, tuple(request.point))
        else:
            self._volumes.pop(request.volume, None)
            self._wants.close(request.volume)
        self._pump()

    def _pump(self) -> None:
        """Hand batches to the workers while there is room for their bricks on the way."""
        while self._hops < HOPS and not self.mount.closed and self._room() > 0:
            now = self._loop.time()
            batch = self._wants.take(self.mount.policy.brick_batch, now)
            if not batch:
                self._wait(self._wants.delay(now))
                return
            self._begin(batch)

    def _room(self) -> int:
        on_the_way = max(self._unacknowledged, self._unsent) + self._reserved
        return self.mount.policy.credit_bytes - on_the_way

    def _wait(self, seconds: float | None) -> None:
        if seconds is not None and self._timer is None:
            self._timer = self._loop.call_later(seconds + 0.001, self._resume)

    def _resume(self) -> None:
        self._timer = None
        self._pump()

    def _begin(self, batch: list[Brick]) -> None:
        number = batch[0][0]
        volume = self._volumes.get(number)
        if volume is None:
            notice = Notice("notfound", f"Volume {number} is not open.")
            self._send_bricks([(b, failed_brick(b[0], b[1], b[2:], 0, notice)) for b in batch])
            return
        try:
            job = self._start(batch, volume)
        except ViewerError as error:
            self._fail(batch, volume.layer, error)
            return
        reserved = len(batch) * volume.bytes
        self._hops += 1
        self._reserved += reserved
        task = self._loop.create_task(self._finish(batch, job, volume.layer, reserved))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _start(self, batch: list[Brick], volume: _Volume) -> Job[Outcome]:
        pyramid = self.mount.served.layer(volume.layer).pyramid
        stored = (b + a for b, a in zip(pyramid.brick, pyramid.apron, strict=True))
        volume.bytes = HEADER_BYTES + math.prod(stored) * wire_dtype(pyramid.dtype).itemsize
        work = _Batch(pyramid, batch, volume, self._wants.active, self.mount)
        return self.mount.start(volume.layer, work)

    async def _finish(
        self, batch: list[Brick], job: Job[Outcome], layer: str, reserved: int
    ) -> None:
        try:
            outcome = await self.mount.finish(job)
        except CancelledError:
            outcome = []
        except ViewerError as error:
            self._fail(batch, layer, error)
            outcome = []
        finally:
            self._hops -= 1
            self._reserved -= reserved
        self._send_bricks(outcome)
        for brick in batch:
            self._wants.finish(brick)
        self._pump()

    def _fail(self, batch: list[Brick], layer: str, error: ViewerError) -> None:
        if self.mount.closed:
            return
        notice = _notice(self.mount, error, layer)
        self._send_bricks([(b, failed_brick(b[0], b[1], b[2:], 0, notice)) for b in batch])

    def _send_bricks(self, outcome: Outcome) -> None:
        """Send those that are still wanted, in one write: frame by frame costs twice as much."""
        now = self._loop.time()
        parts: list[bytes] = []
        for brick, message in outcome:
            if self._wants.finish(brick):
                parts += (_frame_head(len(message)), message)
                self._unacknowledged += len(message)
                self._wants.sent(brick, now)
        connection = self.ws_connection
        if not parts or connection is None or connection.is_closing():
            return
        data = b"".join(parts)
        assert connection.stream is not None
        self._unsent += len(data)
        connection.stream.write(data).add_done_callback(lambda done: self._left(done, len(data)))

    def _left(self, done: asyncio.Future[None], size: int) -> None:
        seen(done)
        self._unsent -= size
        self._pump()


class _Batch:
    """Work for one hop: read some bricks of one volume."""

    __slots__ = ("_active", "_bricks", "_mount", "_pyramid", "_volume")

    def __init__(
        self,
        pyramid: Pyramid,
        bricks: list[Brick],
        volume: _Volume,
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
        for brick in self._bricks:
            if cancelled():
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
            notice = _notice(self._mount, error, self._volume.layer)
            return failed_brick(number, level, index, self._pyramid.generation, notice)


def _notice(mount: Mount, error: ViewerError, layer: str) -> Notice:
    """What to tell the page; the user, too, when it is the source's fault."""
    if http_status(error) in SOURCE_STATUS and not isinstance(error, ClosedError):
        return mount.report(error, layer)
    return Notice(error.kind, error.message, error.hint, layer)


def _frame_head(length: int) -> bytes:
    """Head of an unmasked, unfragmented binary WebSocket frame (RFC 6455, 5.2)."""
    if length < 126:
        return struct.pack("!BB", 0x82, length)
    if length < 1 << 16:
        return struct.pack("!BBH", 0x82, 126, length)
    return struct.pack("!BBQ", 0x82, 127, length)
