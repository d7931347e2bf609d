"""A client that speaks HTTP/1.1 by the letter, and may say what libraries would not."""

from __future__ import annotations

import re
import socket
import struct

from tests.server.exhibit import TOKEN
from viewer.server import Server


class Client:
    """One connection to a server."""

    def __init__(self, server: Server) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        self._read = b""

    def say(self, text: str) -> None:
        """Send it as it stands."""
        self.send(text.encode())

    def send(self, data: bytes) -> None:
        """As `say`, of bytes."""
        self._socket.sendall(data)

    def ask(self, path: str, method: str = "GET", lines: str = "", token: str = TOKEN) -> None:
        """Send a request."""
        self.say(f"{method} /v/{token}/{path} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n")

    def hear(self, *, body: bool = True) -> tuple[str, bytes]:
        """Head and body of the next answer."""
        while b"\r\n\r\n" not in self._read:
            self._receive()
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        return head.decode(), self.take(int(length[1]) if length and body else 0)

    def take(self, count: int) -> bytes:
        """The next bytes, as many as that."""
        while len(self._read) < count:
            self._receive()
        taken, self._read = self._read[:count], self._read[count:]
        return taken

    def ended(self) -> bool:
        """Whether the server ends the connection, with nothing more said."""
        return self._socket.recv(1) == b""

    def close(self, *, reset: bool = False) -> None:
        """Leave; by a reset, as programs do that are killed."""
        if reset:
            linger = struct.pack("ii", 1, 0)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._socket.close()

    def _receive(self) -> None:
        part = self._socket.recv(1 << 16)
        assert part, "the server has gone"
        self._read += part
