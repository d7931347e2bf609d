"""The sockets below HTTP: accepts connections, counts them, bounds what they may send.

All of this stands before the gate, so it holds for clients that never say who they are.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, cast

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerConnectionDelegate
from tornado.iostream import IOStream, StreamClosedError
from tornado.netutil import add_accept_handler

from viewer.policy import MIB, Policy
from viewer.server.direct import Response
from viewer.server.headers import common_headers
from viewer.server.shortcut import Exchange, Peer, Shortcut
from viewer.server.sockets import Guest

HEADER_BYTES = 16 * 1024
"""Bytes. Request line and headers of browsers take about 1 KiB."""

BUFFER_BYTES = 2 * MIB
"""Bytes read ahead from one connection: twice the largest message."""

GATHERS = hasattr(socket.socket, "sendmsg")
"""Whether this system sends what does not lie together; Windows does not."""

SWEEPS = 4
"""Looks for slow connections within the time that one may take: it is kept to a fourth of it."""

_BARE = b"HTTP/1.1 400 Bad Request\r\n\r\n"
"""What Tornado answers to what is not HTTP, as it stands."""

_DRESSED = b"".join(
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        common_headers("").head,
        b"Content-Length: 0\r\n",
        b"Connection: close\r\n\r\n",
    ]
)


class Stream(IOStream):
    """A connection that is counted while it is open, and that never waits to fill packets.

    Parameters
    ----------
    connection : socket.socket
    address : Any
        Of the client.
    shortcut : Shortcut
        What is not for Tornado.
    open_streams : set of Stream
        All that are open.
    """

    def __init__(
        self,
        connection: socket.socket,
        address: Any,
        shortcut: Shortcut,
        open_streams: set[Stream],
    ) -> None:
        named = connection.family in (socket.AF_INET, socket.AF_INET6)
        self.peer = Peer(address[0] if named else "")
        self._shortcut = shortcut
        self._open_streams = open_streams
        self._head: asyncio.Future[bytes] | None = None
        self._for_tornado: asyncio.Future[bytes] | None = None
        self._asked = 0.0
        self._ask: Callable[[], object]
        super().__init__(connection, max_buffer_size=BUFFER_BYTES)
        open_streams.add(self)
        super().set_nodelay(True)

    def set_nodelay(self, value: bool) -> None:
        """Nothing: responses are written whole, and Tornado would ask twice for each of them."""

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> asyncio.Future[bytes]:
        """Wait for a head for Tornado, which reads nothing else in this way."""
        waiting: asyncio.Future[bytes] = asyncio.Future()
        self._for_tornado = waiting
        self._ask = partial(super().read_until_regex, regex, max_bytes)
        self._read_head()
        return waiting

    def _read_head(self) -> None:
        if self.closed():
            return
        self._asked = time.monotonic()
        try:
            self._head = cast("asyncio.Future[bytes]", self._ask())
        except StreamClosedError:
            return  # and so Tornado has been told
        self._head.add_done_callback(self._take_head)

    def _take_head(self, read: asyncio.Future[bytes]) -> None:
        """Answer what takes the shortcut; everything else is for Tornado."""
        waiting = self._for_tornado
        if waiting is None or waiting.done() or read.cancelled() or read.exception() is not None:
            return
        head = read.result()
        request = self._shortcut.find(head, Exchange(self, self._read_head))
        if request is None:
            waiting.set_result(head)
        else:
            request.finish()

    def send(self, response: Response) -> asyncio.Future[None] | None:
        """As `write`; None if all of it has left at once."""
        if isinstance(response, tuple) and not GATHERS:
            response = b"".join(response)
        if self.writing():
            return self.write(response)
        try:
            if isinstance(response, tuple):
                sent = self.socket.sendmsg(response)
            else:
                sent = self.socket.send(response)
        except OSError:
            sent = 0  # `write` waits, or closes
        if isinstance(response, tuple):
            if sent == sum(map(len, response)):
                return None
            response = b"".join(response)
        return None if sent == len(response) else self.write(memoryview(response)[sent:])

    def waited(self, now: float) -> float:
        """Seconds for which a request's head has been waited for, 0 when none is."""
        return 0.0 if self._head is None or self._head.done() else now - self._asked

    def close(self, exc_info: Any = False) -> None:
        self._open_streams.discard(self)
        super().close(exc_info)

    def write(self, data: Response) -> asyncio.Future[None]:
        if isinstance(data, tuple):
            data = b"".join(data)
        return super().write(_DRESSED if data == _BARE else data)


class Listener:
    """Accepts connections for a gate.

    Parameters
    ----------
    gate : tornado.httputil.HTTPServerConnectionDelegate
        Decides about every request.
    shortcut : Shortcut
        Answers before it.
    policy : Policy
        The bounds.
    """

    def __init__(
        self, gate: HTTPServerConnectionDelegate, shortcut: Shortcut, policy: Policy
    ) -> None:
        self._shortcut = shortcut
        self._limit = policy.connections
        self._server = HTTPServer(
            gate,
            max_header_size=HEADER_BYTES,
            max_body_size=policy.body_bytes,
            body_timeout=policy.header_seconds,
        )
        # Tornado sets a timer for every head, which costs a tenth of a chunk
        self._server.conn_params.header_timeout = None
        self._head_seconds = policy.header_seconds
        self._sweep: asyncio.TimerHandle | None = None
        self._streams: set[Stream] = set()
        self._sockets: list[socket.socket] = []
        self._removers: list[Callable[[], None]] = []

    @property
    def connections(self) -> int:
        """Connections open at this moment."""
        return len(self._streams)

    def start(self, sockets: list[socket.socket], guests: Iterable[Guest] = ()) -> None:
        """Accept connections, and go on with those that are open already; on the loop."""
        self._sockets = sockets
        for connection, address in guests:
            self._accept(connection, address)
        self._removers = [add_accept_handler(listening, self._accept) for listening in sockets]

    def stop(self) -> None:
        """Accept no more; open connections go on."""
        for remove in self._removers:
            remove()
        for listening in self._sockets:
            listening.close()
        self._removers, self._sockets = [], []

    def close_all(self) -> None:
        """End all connections at once."""
        for stream in list(self._streams):
            stream.close()

    def forget(self) -> None:
        """In a forked child: close our copies, or connections would outlive the parent's."""
        for held in (*self._sockets, *(stream.socket for stream in self._streams)):
            with suppress(OSError):
                held.close()

    def _accept(self, connection: socket.socket, address: Any) -> None:
        if len(self._streams) >= self._limit:
            connection.close()
            return
        stream = Stream(connection, address, self._shortcut, self._streams)
        self._server.handle_stream(stream, address)
        if self._sweep is None:
            self._plan_sweep()

    def _plan_sweep(self) -> None:
        later = self._head_seconds / SWEEPS
        self._sweep = asyncio.get_running_loop().call_later(later, self._close_idle)

    def _close_idle(self) -> None:
        """Close connections that take too long to send a head, and so idle ones, too."""
        now = time.monotonic()
        for stream in list(self._streams):
            if stream.waited(now) > self._head_seconds:
                stream.close()
        self._sweep = None
        if self._streams:
            self._plan_sweep()
