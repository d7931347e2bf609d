"""The sockets below HTTP: accepts connections, counts them, bounds what they may send.

All of this stands before the gate, so it holds for clients that never say who they are.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerConnectionDelegate
from tornado.iostream import IOStream
from tornado.netutil import add_accept_handler

from viewer.errors import InvalidValueError
from viewer.policy import MIB, Policy
from viewer.server.headers import security_headers

HEADER_BYTES = 16 * 1024
"""Bytes. Request line and headers of browsers take about 1 KiB."""

BUFFER_BYTES = 2 * MIB
"""Bytes read ahead from one connection: twice the largest message."""

BACKLOG = 128
"""Connections that the kernel holds until they are accepted."""

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


def check_port(port: int) -> None:
    """Raise `InvalidValueError` unless `port` can be one."""
    if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= 65535:
        raise InvalidValueError(f"port={port!r} is no port.", hint="Use 0 (any) to 65535.")


def bind(host: str, port: int) -> list[socket.socket]:
    """Listening sockets on every address of `host`, all on one port.

    Raises
    ------
    InvalidValueError
        When that cannot be; names host and port.
    """
    check_port(port)
    sockets: list[socket.socket] = []
    trouble: OSError | None = None
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        addresses, trouble = [], error
    for family, kind, protocol, _, address in addresses:
        chosen = port or (sockets[0].getsockname()[1] if sockets else 0)
        try:
            sockets.append(_listen(family, kind, protocol, (address[0], chosen, *address[2:])))
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                trouble = error
                break
            trouble = trouble or error  # "localhost" where IPv6 is off: the other address will do
    else:
        if sockets:
            return sockets
    for listening in sockets:
        listening.close()
    reason = trouble.strerror if trouble is not None and trouble.strerror else trouble
    raise InvalidValueError(
        f"Cannot listen on port {port} of {host!r}: {reason}.",
        hint="Choose another with viewer.set_server(host=…, port=…); port=0 takes a free one.",
    )


def _listen(family: int, kind: int, protocol: int, address: Any) -> socket.socket:
    listening = socket.socket(family, kind, protocol)
    try:
        if os.name != "nt":  # there it would let two programs share the port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening
