"""The sockets below HTTP: accepts connections, counts them, bounds what they may send.

All of this stands before the gate, so it holds for clients that never say who they are.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerConnectionDelegate
from tornado.netutil import add_accept_handler

from viewer.policy import Policy
from viewer.server.shortcut import Shortcut
from viewer.server.sockets import Guest
from viewer.server.stream import HEADER_BYTES, Stream

SWEEPS = 4
"""Looks for slow connections within the time that one may take: it is kept to a fourth of it."""


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
        self._send_seconds = policy.send_seconds
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
        """Close connections that take too long to send a head, and so idle ones, too.

        Also those that take nothing of their answers, for which no token is needed: refusals fill
        the network as well.
        """
        now = time.monotonic()
        for stream in list(self._streams):
            late = stream.waited(now) > self._head_seconds
            if late or stream.stalled(now) > self._send_seconds:
                stream.close()
        self._sweep = None
        if self._streams:
            self._plan_sweep()
