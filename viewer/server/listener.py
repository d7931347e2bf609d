"""The sockets below HTTP: accepts connections, counts them, bounds what they may send.

All of this stands before the gate, so it holds for clients that never say who they are.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerConnectionDelegate
from tornado.iostream import IOStream
from tornado.netutil import add_accept_handler

from viewer.policy import MIB, Policy
from viewer.server.headers import security_headers

HEADER_BYTES = 16 * 1024
"""Bytes. Request line and headers of browsers take about 1 KiB."""

BUFFER_BYTES = 2 * MIB
"""Bytes read ahead from one connection: twice the largest message."""

_BARE = b"HTTP/1.1 400 Bad Request\r\n\r\n"
"""What Tornado answers to what is not HTTP, as it stands."""

_DRESSED = "\r\n".join(
    [
        "HTTP/1.1 400 Bad Request",
        *(f"{name}: {value}" for name, value in security_headers("").items()),
        "Content-Length: 0",
        "Connection: close",
        "",
        "",
    ]
).encode()


class Stream(IOStream):
    """A connection that is counted while it is open."""

    def __init__(self, connection: socket.socket, open_streams: set[Stream]) -> None:
        self._open_streams = open_streams
        super().__init__(connection, max_buffer_size=BUFFER_BYTES)
        open_streams.add(self)

    def close(self, exc_info: Any = False) -> None:
        self._open_streams.discard(self)
        super().close(exc_info)

    def write(self, data: bytes | memoryview) -> asyncio.Future[None]:
        return super().write(_DRESSED if data == _BARE else data)


class Listener:
    """Accepts connections for a gate.

    Parameters
    ----------
    gate : tornado.httputil.HTTPServerConnectionDelegate
        Decides about every request.
    policy : Policy
        The bounds.
    """

    def __init__(self, gate: HTTPServerConnectionDelegate, policy: Policy) -> None:
        self._limit = policy.connections
        self._server = HTTPServer(
            gate,
            max_header_size=HEADER_BYTES,
            max_body_size=policy.body_bytes,
            # the time for a request's head, and so for an idle connection, too
            idle_connection_timeout=policy.header_seconds,
            body_timeout=policy.header_seconds,
        )
        self._streams: set[Stream] = set()
        self._sockets: list[socket.socket] = []
        self._removers: list[Callable[[], None]] = []

    @property
    def connections(self) -> int:
        """Connections open at this moment."""
        return len(self._streams)

    def start(self, sockets: list[socket.socket]) -> None:
        """Accept connections; on the loop."""
        self._sockets = sockets
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
        self._server.handle_stream(Stream(connection, self._streams), address)
