"""Calls of another process, done on threads of their own; see `viewer.calls`.

A call may take as long as it takes (building a pyramid does), so it holds no worker that pages
wait for. A connection's arrays come in pieces before the call that names them, and are gone with
the connection when no call took them. Answers leave piece by piece, each when the one before has
left for the network.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import msgspec

from viewer import calls
from viewer.errors import (
    BusyError,
    CancelledError,
    ClosedError,
    InvalidValueError,
    ReadOnlyError,
    ViewerError,
)
from viewer.messages import Call, Notice, Piece, Reply
from viewer.server.mount import Mount
from viewer.server.workers import Job
from viewer.values import Arrays, pieces

_decode = msgspec.msgpack.Decoder(Piece).decode
_encode = msgspec.msgpack.Encoder().encode


class Calls:
    """The calls of one connection. On the loop.

    Parameters
    ----------
    mount : Mount
    send : callable
        Sends a message, and waits until it has left for the network.
    compress : bool
        Whether arrays travel compressed.
    """

    def __init__(
        self, mount: Mount, send: Callable[[str | bytes], Awaitable[None]], *, compress: bool
    ) -> None:
        self._mount = mount
        self._send = send
        self._compress = compress
        self._arrays = Arrays(mount.uploads)
        self._numbers = itertools.count(1)
        self._running: dict[int, tuple[threading.Event, Job[Any] | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def receive(self, body: bytes) -> None:
        """Take a piece of an array.

        Raises
        ------
        ViewerError
            For one that does not fit; the connection is of no use then.
        """
        if self._mount.read_only:
            raise ReadOnlyError.by("send", "data")
        try:
            piece = _decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidValueError(f"This is no piece of an array: {error}.") from None
        await self._mount.finish(self._mount.start("arrays", lambda _: self._arrays.receive(piece)))

    def start(self, call: Call) -> None:
        """Have a call done; its answer is sent when it is."""
        task = asyncio.get_running_loop().create_task(self._run(call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cancel(self, request: int) -> None:
        """Nobody waits for this call any more."""
        ended, job = self._running.get(request, (None, None))
        if ended is not None:
            ended.set()
        if job is not None and not job.running:
            self._mount.callers.withdraw(job, CancelledError("The call was cancelled."))

    def close(self) -> None:
        """The connection has ended."""
        for request in list(self._running):
            self.cancel(request)
        self._arrays.clear()

    async def _run(self, call: Call) -> None:
        with suppress(ClosedError):  # the other side has gone
            try:
                reply = await self._reply(call)
            except ViewerError as error:
                if self._mount.closed:
                    return
                notice = Notice(error.kind, error.message, error.hint)
                version = self._mount.served.document.version
                reply = Reply(call.request, version, notice=notice)
            await self._send(msgspec.json.encode(reply).decode())

    async def _reply(self, call: Call) -> Reply:
        mount = self._mount
        if len(self._running) >= mount.policy.calls or call.request in self._running:
            raise BusyError(f"{len(self._running)} calls are waiting already.")
        ended = threading.Event()

        def work(_: Callable[[], bool]) -> tuple[int, Any, dict[int, Any]]:
            served = mount.served
            subject: Any = served.layer(call.layer) if call.layer else served
            with calls.cancellable(ended):
                calls.check()
                value = calls.perform(
                    subject,
                    call.method,
                    call.args,
                    call.kwargs,
                    array=self._arrays.take,
                    layer=served.layer,
                    read_only=mount.read_only,
                    owned=mount.owned,
                )
            result, arrays = calls.encode(value, lambda: next(self._numbers))
            return served.document.version, result, arrays

        self._running[call.request] = (ended, None)
        try:
            job = mount.callers.submit((mount.token, id(self)), work)
            self._running[call.request] = (ended, job)
            version, result, arrays = await job.future
            for number, array in arrays.items():
                await self._send_array(number, array)
        finally:
            del self._running[call.request]
        return Reply(call.request, version, result)

    async def _send_array(self, number: int, array: Any) -> None:
        travelling = pieces(number, array, compress=self._compress)
        while True:
            job = self._mount.start("arrays", lambda _: _next(travelling))
            piece = await self._mount.finish(job)
            if piece is None:
                return
            await self._send(piece)


def _next(travelling: Any) -> bytes | None:
    piece = next(travelling, None)
    return None if piece is None else _encode(piece)
