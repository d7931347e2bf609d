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
from contextlib import suppress

import msgspec
from tornado.iostream import StreamClosedError

from viewer.bricks import HEADER, failed_brick, wire_dtype
from viewer.errors import CancelledError, ViewerError
from viewer.messages import Notice
from viewer.server.brick_batch import Batch, Outcome, Volume, failure
from viewer.server.brick_requests import Credit, Open, Want, decode_request
from viewer.server.connection import Socket, seen
from viewer.server.wants import FIELDS, Brick, WantList
from viewer.server.workers import Job

HOPS = 3
"""Batches with the workers at a time: one being read, one waiting, one on its way back."""

VOLUMES = 4096
"""Open volumes on a connection, at most."""


class BrickSocket(Socket):
    """``bricks``: see the module's docstring and `viewer.bricks`."""

    def open(self, *args: str, **kwargs: str) -> None:
        self._volumes: dict[int, Volume] = {}
        self._wants = WantList()
        self._hops = 0
        self._unacknowledged = 0
        self._reserved = 0
        self._unsent = 0
        self._largest = HEADER.size
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
            request = decode_request(message)
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
            if request.volume in self._volumes or len(self._volumes) >= VOLUMES:
                self.close(1008, f"volume {request.volume} is open, or {VOLUMES} others are")
                return
            self._volumes[request.volume] = self._volume(request)
            self._largest = max(self._largest, self._volumes[request.volume].bytes)
        else:
            self._volumes.pop(request.volume, None)
            self._largest = max((v.bytes for v in self._volumes.values()), default=HEADER.size)
            self._wants.close(request.volume)
        self._pump()

    def _volume(self, request: Open) -> Volume:
        size = HEADER.size
        with suppress(ViewerError):  # no such layer: its bricks will come back failed
            pyramid = self.mount.served.layer(request.layer).pyramid
            stored = (b + a for b, a in zip(pyramid.brick, pyramid.apron, strict=True))
            size += math.prod(stored) * wire_dtype(pyramid.dtype).itemsize
        return Volume(request.layer, tuple(request.point), size)

    def _pump(self) -> None:
        """Hand batches to the workers while there is room for their bricks on the way."""
        while self._hops < HOPS and not self.mount.closed and (count := self._room()):
            now = self._loop.time()
            batch = self._wants.take(count, now)
            if not batch:
                self._wait(self._wants.delay(now))
                return
            self._begin(batch)

    def _room(self) -> int:
        """Bricks that may be begun now; one at least when nothing is on its way."""
        policy = self.mount.policy
        on_the_way = max(self._unacknowledged, self._unsent) + self._reserved
        count = min(policy.brick_batch, (policy.credit_bytes - on_the_way) // self._largest)
        return max(0 if on_the_way else 1, count)

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

    def _start(self, batch: list[Brick], volume: Volume) -> Job[Outcome]:
        pyramid = self.mount.served.layer(volume.layer).pyramid
        work = Batch(pyramid, batch, volume, self._wants.active, self.mount)
        return self.mount.start(volume.layer, work)

    async def _finish(
        self, batch: list[Brick], job: Job[Outcome], layer: str, reserved: int
    ) -> None:
        try:
            outcome = await self.mount.finish(job)
            done = {brick for brick, _ in outcome}
            self._wants.give_back([brick for brick in batch if brick not in done])
        except CancelledError:
            outcome = []
        except ViewerError as error:
            self._fail(batch, layer, error)
            outcome = []
        finally:
            self._hops -= 1
            self._reserved -= reserved
        self._send_bricks(outcome)
        self._pump()

    def _fail(self, batch: list[Brick], layer: str, error: ViewerError) -> None:
        if self.mount.closed:
            return
        notice = failure(self.mount, error, layer)
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
        size = len(data)
        with suppress(StreamClosedError):
            connection.stream.write(data).add_done_callback(lambda done: self._left(done, size))

    def _left(self, done: asyncio.Future[None], size: int) -> None:
        seen(done)
        self._unsent -= size
        self._pump()


def _frame_head(length: int) -> bytes:
    """Head of an unmasked, unfragmented binary WebSocket frame (RFC 6455, 5.2)."""
    if length < 126:
        return struct.pack("!BB", 0x82, length)
    if length < 1 << 16:
        return struct.pack("!BBH", 0x82, 126, length)
    return struct.pack("!BBQ", 0x82, 127, length)
