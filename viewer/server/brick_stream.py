"""The brick stream: the server's end of the WebSocket described in `viewer.bricks`.

The page's newest want-list is worked off best first. A few batches are with the workers at a time
(`viewer.server.brick_readers`; `viewer.server.brick_plan` says what is in one); each comes back as
one finished message.
Bricks of an array in memory are cut at once, here: telling a worker of them takes as long. What the
page has not acknowledged, together with what is being read for it, stays within what it takes
(`viewer.server.brick_flow`), so neither a slow page nor a slow network makes anything grow. A brick
that cannot be had is sent as failed, with the reason: the stream itself never dies of a source.
"""

from __future__ import annotations

import asyncio
import struct
from contextlib import suppress
from typing import Any

import msgspec
from tornado.iostream import StreamClosedError

from viewer.bricks import HEADER, failed_brick, is_current, record_bytes
from viewer.errors import CancelledError, ViewerError
from viewer.messages import Notice
from viewer.pyramids.pyramid import Key, Pyramid
from viewer.server.brick_batch import HEAD_ROOM, Batch, Outcome, failure
from viewer.server.brick_flow import Flow
from viewer.server.brick_plan import Paces, Share, Volume, is_prompt
from viewer.server.brick_readers import Readers
from viewer.server.brick_requests import Credit, Narrow, Open, Want, decode_request
from viewer.server.connection import Socket, seen
from viewer.server.hosts import is_loopback
from viewer.server.wants import FIELDS, Brick, WantList
from viewer.server.workers import Job

VOLUMES = 4096
"""Open volumes on a connection, at most."""


class BrickSocket(Socket):
    """``bricks``: see the module's docstring and `viewer.bricks`."""

    def get_compression_options(self) -> dict[str, Any] | None:
        """Called by Tornado: whether messages may be compressed, which pays over a network only."""
        is_near = is_loopback(self.request.remote_ip or "")
        return None if is_near and not self.mount.policy.compress_loopback else {}

    def open(self, *args: str, **kwargs: str) -> None:
        agreed = self._headers.get("Sec-WebSocket-Extensions", "")
        # A window smaller than usual is something nobody asks for.
        self._compresses = "permessage-deflate" in agreed and "server_max_window" not in agreed
        self._volumes: dict[int, Volume] = {}
        self._wants = WantList()
        self._readers = Readers()
        self._paces: dict[str, Paces] = {}  # by layer
        policy = self.mount.policy
        self._flow = Flow(policy.credit_bytes, policy.least_credit_bytes, policy.most_credit_bytes)
        self._unsent = 0
        self._largest = self._usual = HEADER.size
        self._turn: asyncio.Handle | None = None
        self._later: asyncio.Handle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self.enter()

    def on_close(self) -> None:
        super().on_close()
        self._wants.replace(self._wants.generation, [], 0)
        for turn in (self._turn, self._later):
            if turn is not None:
                turn.cancel()
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
            self._flow.taken(request.taken, self._loop.time())
            self._wants.replace(request.generation, request.bricks, request.taken)
            self._forget_old()
        elif isinstance(request, Credit):
            self._flow.taken(request.taken, self._loop.time())
        elif isinstance(request, Narrow):
            self._flow.narrow(request.bytes)
        elif isinstance(request, Open):
            if request.volume in self._volumes or len(self._volumes) >= VOLUMES:
                self.close(1008, f"volume {request.volume} is open, or {VOLUMES} others are")
                return
            self._volumes[request.volume] = self._volume(request)
            self._largest = max(self._largest, self._volumes[request.volume].bytes)
            self._usual = max(self._usual, self._volumes[request.volume].bytes)
        else:
            self._volumes.pop(request.volume, None)
            self._largest = max((v.bytes for v in self._volumes.values()), default=HEADER.size)
            self._wants.close(request.volume)
        self._pump()

    def _volume(self, request: Open) -> Volume:
        size = HEADER.size
        with suppress(ViewerError):  # no such layer: its bricks will come back failed
            size = record_bytes(self.mount.served.layer(request.layer).pyramid)
        generation = self._generation(request.layer)
        paces = self._paces.setdefault(request.layer, {})
        return Volume(request.layer, tuple(request.point), size, generation, paces)

    def _forget_old(self) -> None:
        """What is on its way, but has changed since, is no reason not to send it again."""
        for number, volume in self._volumes.items():
            with suppress(ViewerError):  # no such layer any more
                pyramid = self.mount.served.layer(volume.layer).pyramid
                if pyramid.generation == volume.generation:
                    continue
                volume.generation = pyramid.generation
                self._wants.forget(
                    brick
                    for brick, since in self._wants.on_the_way(number)
                    if not is_current(pyramid, brick[1], volume.point, brick[2:], since)
                )

    def _pump(self) -> None:
        """Begin batches while there is room for their bricks on the way."""
        while not self.mount.closed:
            now = self._loop.time()
            if (wait := self._readers.wait(now)) is not None:
                if self._later is None:
                    self._later = self._loop.call_later(wait, self._look_again)
                return
            if not (room := self._room(now)):
                return
            found = self._wants.take(lambda brick, room=room: self._share(brick, room))  # type: ignore[misc]
            if found is None:
                return
            if self._begin(*found):
                # Everybody else on this loop has a turn before the next.
                if self._turn is None:
                    self._turn = self._loop.call_soon(self._next)
                return

    def _look_again(self) -> None:
        """The readers have been away for long."""
        self._later = None
        self._pump()

    def _share(self, brick: Brick, room: int) -> Share | None:
        """What a reader takes who begins with a brick, if there is room for so many.

        None where the layer has as many readers as it may.
        """
        volume, pyramid = self._volumes.get(brick[0]), None
        if volume is not None:
            if self._readers.are_all_at(volume.layer):
                return None
            with suppress(ViewerError):  # no such layer: those who begin will say so
                pyramid = self.mount.served.layer(volume.layer).pyramid
        prompt = False
        if pyramid is not None and not self._compresses:
            with suppress(ViewerError):
                prompt = is_prompt(pyramid, brick[1])
        return Share(brick, room, volume, pyramid, self._is_free, prompt=prompt)

    def _is_free(self, pyramid: Pyramid, block: Key) -> bool:
        """Whether no other reader is about to bring a block."""
        return not self._readers.bring(pyramid, block) and not pyramid.is_under_way(block)

    def _room(self, now: float) -> int:
        """Bricks that may be begun now; one at least when nothing is on its way."""
        policy = self.mount.policy
        if self._unsent > policy.unsent_bytes:
            return 0
        on_the_way = self._flow.on_the_way + self._readers.coming(now)
        room = self._flow.window - on_the_way
        if room < self._largest and on_the_way:
            return 0
        # A brick larger than a message is to be goes alone: credits for less may never come.
        affordable = min(policy.message_bytes // self._usual, room // self._largest)
        return max(min(policy.brick_batch, affordable), 1)

    def _next(self) -> None:
        self._turn = None
        self._pump()

    def _begin(self, share: Share, batch: list[Brick]) -> bool:
        """Have a batch read; whether that is done already."""
        volume = share.volume
        if volume is None:
            number = batch[0][0]
            self._send_failed(batch, 0, Notice("notfound", f"Volume {number} is not open."))
            return False
        try:
            work = Batch(
                self.mount.served.layer(volume.layer).pyramid,
                batch,
                volume,
                self._wants.active,
                self.mount,
                compresses=self._compresses,
            )
            if share.prompt:
                self._finish(share, batch, work(lambda: False))
                return True
            job = self.mount.start(volume.layer, work)
        except ViewerError as error:
            self._fail(batch, volume.layer, error)
            return False
        self._readers.begin(share, volume.layer, len(batch) * volume.bytes, self._loop.time())
        task = self._loop.create_task(self._wait_for(share, batch, job, volume.layer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return False

    async def _wait_for(
        self, share: Share, batch: list[Brick], job: Job[Outcome], layer: str
    ) -> None:
        outcome = None
        try:
            outcome = await self.mount.finish(job)
        except CancelledError:
            pass
        except ViewerError as error:
            self._fail(batch, layer, error)
        finally:
            if self._readers.are_all_at(layer):
                self._wants.release()
            self._readers.end(share)
        if outcome is not None:
            self._finish(share, batch, outcome)
        self._pump()

    def _finish(self, share: Share, batch: list[Brick], outcome: Outcome) -> None:
        done = {brick for brick, _, _ in outcome.bricks}
        share.learn(done, outcome.seconds)
        self._wants.give_back([brick for brick in batch if brick not in done])
        self._send_bricks(outcome)

    def _fail(self, batch: list[Brick], layer: str, error: ViewerError) -> None:
        if not self.mount.closed:
            notice = failure(self.mount, error, layer)
            self._send_failed(batch, self._generation(layer), notice)

    def _send_failed(self, batch: list[Brick], generation: int, notice: Notice) -> None:
        outcome = Outcome()
        for brick in batch:
            record = failed_brick(brick[0], brick[1], brick[2:], generation, notice)
            outcome.append(brick, record)
        self._send_bricks(outcome)

    def _generation(self, layer: str) -> int:
        with suppress(ViewerError):
            return self.mount.served.layer(layer).pyramid.generation
        return 0

    def _send_bricks(self, outcome: Outcome) -> None:
        """Send those that are still wanted, in one message: each message has its cost."""
        wanted = [record for record in outcome.bricks if self._wants.finish(record[0])]
        connection = self.ws_connection
        if not wanted or connection is None or connection.is_closing():
            return
        buffer, leaving = outcome.buffer, wanted
        size = outcome.bricks[-1][2] - HEAD_ROOM
        if outcome.packed is not None:
            # What is no longer wanted is in it, too, and costs little.
            buffer, leaving = bytearray(HEAD_ROOM) + outcome.packed, outcome.bricks
        elif len(wanted) < len(outcome.bricks):
            buffer = bytearray(HEAD_ROOM) + b"".join(buffer[a:b] for _, a, b in wanted)
            size = len(buffer) - HEAD_ROOM
        # Labels take fewer bytes than they might: mostly as few as their neighbours.
        self._usual = max(size // len(wanted), 3 * self._usual // 4, HEADER.size)
        end = HEAD_ROOM + size if outcome.packed is None else len(buffer)
        head = _frame_head(end - HEAD_ROOM, compressed=outcome.packed is not None)
        start = HEAD_ROOM - len(head)
        buffer[start:HEAD_ROOM] = head
        sent = self._flow.sent(size, self._loop.time())
        for brick, at, _ in leaving:
            self._wants.sent(brick, sent, HEADER.unpack_from(outcome.buffer, at)[7])
        length = end - start
        self._unsent += length
        assert connection.stream is not None
        with suppress(StreamClosedError):
            connection.stream.write(memoryview(buffer)[start:end]).add_done_callback(
                lambda done: self._left(done, length)
            )

    def _left(self, done: asyncio.Future[None], size: int) -> None:
        seen(done)
        self._unsent -= size
        self._pump()


def _frame_head(length: int, *, compressed: bool) -> bytes:
    """Head of an unmasked, unfragmented binary WebSocket frame (RFC 6455, 5.2; RFC 7692)."""
    kind = 0xC2 if compressed else 0x82
    if length < 126:
        return struct.pack("!BB", kind, length)
    if length < 1 << 16:
        return struct.pack("!BBH", kind, 126, length)
    return struct.pack("!BBQ", kind, 127, length)
