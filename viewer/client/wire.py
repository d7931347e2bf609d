"""The connection of a Link: a WebSocket on a thread of its own, opened again when it is lost.

Requests are numbered; each has a future that comes true when the copy of the document has come
to the version in which it was done. What is under way when the connection is lost fails: nobody
can say whether it was done. Nothing is sent twice.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import msgspec
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from viewer.client.address import Address
from viewer.client.answers import Answers
from viewer.client.probe import explain
from viewer.errors import ClosedError, ConflictError, DeadlineError, LinkError, error_of
from viewer.messages import (
    PROTOCOL,
    Accepted,
    Call,
    Cancel,
    Change,
    Closing,
    Edit,
    Happened,
    Hello,
    Listen,
    Notice,
    Patch,
    Piece,
    Progress,
    Rejected,
    Reply,
    Report,
    ServerMessage,
    Snapshot,
)
from viewer.values import Arrays

PING_SECONDS = 10
"""Seconds between pings, and for their answer: a connection that is silent is lost."""

PARTING_SECONDS = 0.5
"""Seconds that the other side has to hang up, too, once this one is done."""

MESSAGE_BYTES = 1 << 30
"""Bytes of a message taken: a snapshot of very many layers."""

BACKOFF_SECONDS = (0.2, 10.0)
"""Seconds to the first attempt to connect again, and at most between two."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ServerMessage).decode
_decode_piece = msgspec.msgpack.Decoder(Piece).decode
_encode_piece = msgspec.msgpack.Encoder().encode


class _Tagged(msgspec.Struct):
    type: str
    protocol: int = 0


class Wire:
    """A connection to a viewer; all methods may be called from any thread but its own.

    Parameters
    ----------
    address : Address
    adopt : callable
        Takes a Snapshot or Patch; False where something is missing.
    hear : callable
        Takes Report, Progress and Happened, and None for a connection that was just made.
    """

    def __init__(
        self,
        address: Address,
        adopt: Callable[[Snapshot | Patch], bool],
        hear: Callable[[Report | Progress | Happened | None], None],
    ) -> None:
        self.address = address
        self.read_only = False
        self.session = ""
        self.arrays = Arrays()
        self._adopt = adopt
        self._hear = hear
        self._loop = asyncio.new_event_loop()
        self._socket: WebSocketClientConnection | None = None
        self._greeted = threading.Event()
        self._version = -1
        self._numbers = itertools.count(1)
        self._answers = Answers()
        self._lock = threading.Lock()
        self._ended = ""
        self._lost: asyncio.Event
        self._parted: asyncio.Event
        self._trouble: Exception | None = None
        self._greeted_once = False
        self._thread = threading.Thread(target=self._run, name="voxelview-link", daemon=True)

    def begin(self) -> None:
        """Start to connect."""
        self._thread.start()

    @property
    def connected(self) -> bool:
        """Whether the connection is there now."""
        return self._greeted.is_set() and not self._ended

    @property
    def ended(self) -> str:
        """Why the connection is over for good; empty while it is not."""
        return self._ended

    def open(self, seconds: float) -> None:
        """Wait until the document is here.

        Raises
        ------
        LinkError
            Saying what is the matter: refused, a wrong token, not a viewer, another version.
        """
        end = time.monotonic() + seconds
        while not self._greeted.wait(0.02):
            trouble = self._trouble
            if trouble is not None or time.monotonic() > end:
                self.end("The connection was never made.")
                raise trouble or LinkError(
                    f"{self.address} did not answer within {seconds:g} seconds.",
                    hint="Is the viewer's Python busy or suspended, or the network slow?",
                )

    def number(self) -> int:
        """A new number for an array."""
        return next(self._numbers)

    def edit(self, changes: Sequence[Change], base: int | None) -> Future[int]:
        """Send an edit; its version, once the replica has come to it."""
        return self._request(lambda request: Edit(request, base, list(changes)))[1]

    def call(self, method: str, layer: str, args: list[Any], kwargs: dict[str, Any]) -> Future[Any]:
        """Send a call; its result in JSON. Cancelling the future tells the other side."""
        request, future = self._request(lambda n: Call(n, method, layer, args, kwargs))

        def tell(done: Future[Any]) -> None:
            if done.cancelled():
                self._answers.forget(request)
                with suppress(LinkError, ClosedError):
                    self._post(_encode(Cancel(request)).decode())

        future.add_done_callback(tell)
        return future

    def tell(self, message: Listen) -> None:
        """Send what has no answer."""
        self._post(_encode(message).decode())

    def send(self, piece: Piece) -> None:
        """Send a piece of an array, and wait until it has left for the network."""
        self.check_thread()
        socket = self._here()

        async def write() -> None:
            try:
                await socket.write_message(_encode_piece(piece), binary=True)
            except WebSocketClosedError:
                raise self._gone() from None

        self._wait_for(write())

    def wait(self, future: Future[Any], seconds: float | None) -> Any:
        """Result of a future.

        Raises
        ------
        DeadlineError
            When it takes longer than `seconds`.
        LinkError
            When the connection is lost.
        """
        self.check_thread()
        try:
            return future.result(seconds)
        except TimeoutError as error:
            if isinstance(error, DeadlineError):
                raise
            future.cancel()
            raise DeadlineError(f"The viewer did not answer within {seconds:g} seconds.") from None
        except KeyboardInterrupt:
            future.cancel()
            raise

    def check_thread(self) -> None:
        """Refuse to wait on the thread that everybody waits for."""
        if threading.current_thread() is self._thread:
            raise LinkError(
                "A callback of the link's own thread cannot wait for an answer.",
                hint="Do it on another thread.",
            )

    def end(self, reason: str) -> None:
        """Close the connection for good; idempotent."""
        with self._lock:
            if self._ended:
                return
            self._ended = reason
        self._fail()
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._lost_now)
        if threading.current_thread() is not self._thread:
            self._thread.join(2.0)

    # --- sending --------------------------------------------------------------------------------

    def _request(self, make: Callable[[int], Edit | Call]) -> tuple[int, Future[Any]]:
        return self._answers.expect(lambda request: self._post(_encode(make(request)).decode()))

    def _here(self) -> WebSocketClientConnection:
        socket = self._socket
        if self._ended or socket is None or not self._greeted.is_set():
            raise self._gone()
        return socket

    def _post(self, text: str) -> None:
        socket = self._here()

        def write() -> None:
            with suppress(WebSocketClosedError):
                socket.write_message(text).add_done_callback(_seen)

        try:
            self._loop.call_soon_threadsafe(write)
        except RuntimeError:
            raise self._gone() from None

    def _wait_for(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:
            work.close()
            raise self._gone() from None
        while True:
            try:
                future.result(1.0)
            except TimeoutError:
                if not self.connected:
                    future.cancel()
                    raise self._gone() from None
            else:
                return

    def _gone(self) -> Exception:
        if self._ended:
            return ClosedError(self._ended, hint="Connect again, if the viewer is still there.")
        return LinkError(
            f"The connection to {self.address} is lost; it is tried again all the time.",
            hint="See v.connected. Values read meanwhile are those known last.",
        )

    # --- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._stay())
        finally:
            self._fail()
            with suppress(Exception):
                self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _stay(self) -> None:
        """Be connected, until it is over."""
        pause, longest = BACKOFF_SECONDS
        while not self._ended:
            self._lost = asyncio.Event()
            try:
                await self._connect()
            except Exception as error:
                if not self._greeted_once:
                    self._trouble = explain(self.address, error)  # nothing else waits here
                    return
                if isinstance(error, HTTPClientError) and error.code == 404:
                    self._end_here("The viewer was closed.")
                    return
            else:
                await self._lost.wait()
                self._drop()
                with suppress(TimeoutError, asyncio.TimeoutError):
                    await asyncio.wait_for(self._parted.wait(), PARTING_SECONDS)
                pause = BACKOFF_SECONDS[0]
            if self.ended:
                return
            self._lost = asyncio.Event()
            with suppress(TimeoutError, asyncio.TimeoutError):
                await asyncio.wait_for(self._lost.wait(), pause)
            pause = min(2 * pause, longest)

    async def _connect(self) -> None:
        request = HTTPRequest(self.address.socket, connect_timeout=10.0)
        lost, parted = self._lost, asyncio.Event()
        self._parted = parted

        def receive(message: str | bytes | None) -> None:
            if message is None:
                lost.set()
                parted.set()
            elif not self._ended:
                self._receive(message)

        self._socket = await websocket_connect(
            request,
            on_message_callback=receive,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            max_message_size=MESSAGE_BYTES,
        )

    def _receive(self, message: str | bytes) -> None:
        try:
            if isinstance(message, bytes):
                self.arrays.receive(_decode_piece(message))
                return
            tag = msgspec.json.decode(message, type=_Tagged)
            if tag.type == "hello" and tag.protocol != PROTOCOL:
                self._trouble = LinkError(
                    f"The viewer speaks version {tag.protocol} of the protocol, this Python "
                    f"version {PROTOCOL}.",
                    hint="Install the same version of voxelview on both sides.",
                )
                self._end_here(self._trouble.message)
                return
            received = _decode(message)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return  # of a kind that a later version has
        self._take(received)

    def _take(self, message: ServerMessage) -> None:
        match message:
            case Hello():
                self.read_only = message.read_only
                self.session = message.session
            case Snapshot() | Patch():
                if not self._adopt(message):
                    self._lost.set()  # a new connection begins with a snapshot
                    return
                self._version = message.version
                self._answers.release(self._version)
                if isinstance(message, Snapshot):
                    self._greeted_once = True
                    self._greeted.set()
                    self._hear(None)
            case Accepted():
                self._settle(message.request, message.version, message.version)
            case Rejected():
                self._settle(message.request, message.version, _refusal(message))
            case Reply():
                failed = message.notice
                outcome = _error(failed) if failed is not None else message.result
                self._settle(message.request, message.version, outcome)
            case Report() | Progress() | Happened():
                self._hear(message)
            case Closing():
                self._end_here(message.reason)
            case _:
                pass

    def _settle(self, request: int, version: int, outcome: Any) -> None:
        self._answers.settle(request, version, outcome)
        self._answers.release(self._version)

    def _drop(self) -> None:
        self._greeted.clear()
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.close()
        self._version = -1
        self.arrays.clear()
        self._fail()

    def _fail(self) -> None:
        error = self._gone()
        if isinstance(error, LinkError):
            error = LinkError(
                f"The connection to {self.address} was lost before the answer came.",
                hint="Nobody can say whether it was done: look, and do it again.",
            )
        self._answers.fail(error)

    def _end_here(self, reason: str) -> None:
        self._ended = self._ended or reason or "The viewer was closed."
        self._lost_now()

    def _lost_now(self) -> None:
        if hasattr(self, "_lost"):
            self._lost.set()


def _refusal(message: Rejected) -> Exception:
    notice = message.notice
    if notice.kind == "conflict":
        return ConflictError(notice.message, hint=notice.hint, present=message.present)
    return _error(notice)


def _error(notice: Notice) -> Exception:
    return error_of(notice.kind, notice.message, notice.hint)


def _seen(future: asyncio.Future[None]) -> None:
    if not future.cancelled():
        future.exception()
