"""A connection: heads are read here, and answered here where that can be.

Tornado would have the next head read, found and handed over by futures and turns of the loop, which
takes as long as the answer. So while it waits for one, the socket is listened to here, and it is
told of heads that are for it, and of nothing else:

```
 socket → held ─┬─ a head that takes the shortcut → answered → the next head
                └─ any other → `read_until_regex`, and Tornado listens until it wants the next
```

Tornado believes that it listens all the time. What it reads while it does so comes here, too, by
`read_from_fd`, unless it is a body or a WebSocket's, which is its own.
"""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from tornado.iostream import IOStream, StreamClosedError

from viewer.policy import MIB
from viewer.server.direct import Response
from viewer.server.headers import common_headers
from viewer.server.shortcut import Peer

if TYPE_CHECKING:
    from viewer.server.shortcut import Shortcut

HEADER_BYTES = 16 * 1024
"""Bytes. Request line and headers of browsers take about 1 KiB."""

BUFFER_BYTES = 2 * MIB
"""Bytes that Tornado reads ahead from one connection: twice the largest message."""

READ_BYTES = 64 * 1024
"""Bytes that Tornado reads at once."""

GATHERS = hasattr(socket.socket, "sendmsg")
"""Whether this system sends what does not lie together; Windows does not."""

_END = re.compile(rb"\n\r?\n")

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
        self._exchange = Exchange(self)
        self._for_tornado: asyncio.Future[bytes] | None = None
        """The head that Tornado waits for."""
        self._tornado_reads = False
        """Whether it has read what is no head: then the connection is its own."""
        self._held = b""
        """Read, and not yet used."""
        self._answering = False
        self._planned = False
        """Whether the next turn of the loop answers."""
        self._here = False
        """Whether the socket is listened to here, and by nobody else."""
        self._asked = 0.0
        self._moved = 0.0
        """When it was last tried to write: it is tried again when there is room."""
        self._loop = asyncio.get_running_loop()
        super().__init__(connection, max_buffer_size=BUFFER_BYTES, read_chunk_size=HEADER_BYTES)
        open_streams.add(self)
        super().set_nodelay(True)
        self.set_close_callback(_nothing)  # so that Tornado listens, whenever we do not

    def set_nodelay(self, value: bool) -> None:
        """Nothing: responses are written whole, and Tornado would ask twice for each of them."""

    def reading(self) -> bool:
        """Whether anything is waited for."""
        return self._for_tornado is not None or super().reading()

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> asyncio.Future[bytes]:
        """Wait for a head for Tornado, which reads nothing else in this way."""
        if self._tornado_reads:
            return super().read_until_regex(regex, max_bytes)  # type: ignore[return-value]
        if self.closed():
            raise StreamClosedError(real_error=self.error)
        waiting: asyncio.Future[bytes] = asyncio.Future()
        self._for_tornado = waiting
        self.go_on()
        return waiting

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """What Tornado gets of what comes."""
        if self._tornado_reads or super().reading():
            return self._read_for_tornado(buf)
        if len(self._held) > HEADER_BYTES:
            self._listen("nobody")  # again: Tornado listens anew when it writes
            return None
        count = super().read_from_fd(buf)
        if count:
            self._take(bytes(buf[:count]))
        return None if count else count

    def go_on(self) -> None:
        """Wait for the next head, which may have come already."""
        self._answering = False
        self._asked = time.monotonic()
        if self._held and not self._planned:  # one in a turn: others want to be answered, too
            self._planned = True
            self._loop.call_soon(self._answer_in_turn)
        if not self._here and len(self._held) <= HEADER_BYTES:
            self._listen("here")

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
        return 0.0 if self._for_tornado is None or self._answering else now - self._asked

    def stalled(self, now: float) -> float:
        """Seconds for which the client has taken nothing of an answer that waits, 0 if none does.

        Whoever is at the other end of a WebSocket is asked by pings.
        """
        return now - self._moved if self.writing() and not self._tornado_reads else 0.0

    def close(self, exc_info: Any = False) -> None:
        if not self.closed():
            self._loop.remove_reader(self.socket)
        self._open_streams.discard(self)
        super().close(exc_info)
        waiting, self._for_tornado = self._for_tornado, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(StreamClosedError(real_error=self.error))
            waiting.exception()  # Tornado may have stopped waiting

    def write(self, data: Response) -> asyncio.Future[None]:
        if isinstance(data, tuple):
            data = b"".join(data)
        self._here = False  # Tornado listens until all has left
        return super().write(_DRESSED if data == _BARE else data)

    def write_to_fd(self, data: memoryview) -> int:
        self._moved = time.monotonic()
        return super().write_to_fd(data)

    def _read(self) -> None:
        try:
            data = self.socket.recv(HEADER_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self.close(error)
            return
        if data:
            self._take(data)
        else:
            self.close()

    def _take(self, data: bytes) -> None:
        self._held = self._held + data if self._held else data
        if not self._planned:
            self._answer()
        if len(self._held) > HEADER_BYTES and not self.closed():
            self._listen("nobody")  # the client asks on, and does not wait for answers

    def _answer_in_turn(self) -> None:
        self._planned = False
        self._answer()

    def _answer(self) -> None:
        """Answer the next request if it has come and the one before it has been answered."""
        waiting = self._for_tornado
        if waiting is None or waiting.done() or self._answering:
            return
        found = _END.search(self._held)
        if (found.end() if found else len(self._held)) > HEADER_BYTES:
            self.close()
        elif found:
            head, self._held = self._held[: found.end()], self._held[found.end() :]
            request = self._shortcut.find(head, self._exchange)
            if request is None:
                self._for_tornado = None
                self._listen("tornado")
                waiting.set_result(head)
            else:
                self._answering = True
                request.finish()

    def _read_for_tornado(self, buf: bytearray | memoryview) -> int | None:
        if not self._tornado_reads:
            self._tornado_reads = True
            self.read_chunk_size = READ_BYTES
            self._listen("tornado")
        if not self._held:
            return super().read_from_fd(buf)
        count = min(len(buf), len(self._held))
        buf[:count], self._held = self._held[:count], self._held[count:]
        return count

    def _listen(self, who: Literal["here", "tornado", "nobody"]) -> None:
        """Say who listens to the socket; behind Tornado's back, which believes that it does."""
        if self.closed():
            return
        self._here = who == "here"
        # not `writing()`: Tornado must hear that what it waited to write has been written
        others = (self._state or 0) & self.io_loop.WRITE | self.io_loop.ERROR
        self.io_loop.update_handler(self.socket, others)
        self._loop.remove_reader(self.socket)
        if who == "here":
            self._loop.add_reader(self.socket, self._read)
        elif who == "tornado":
            self.io_loop.update_handler(self.socket, others | self.io_loop.READ)


class Exchange:
    """The plain requests of a connection, one after the other, and their answers.

    A `viewer.server.direct.Answering`.

    Parameters
    ----------
    stream : Stream
        The connection.
    """

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.context = stream.peer
        self._watched = False
        self._leaving: asyncio.Future[None] | None = None

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """What is to be done if the client leaves before it has its answer."""
        self._watched = True
        self.stream.set_close_callback(callback)

    def write(self, response: Response) -> None:
        """Send the answer, all of it."""
        self._leaving = self.stream.send(response)

    def finish(self) -> None:
        """Go on once it has left."""
        if self._watched:
            self._watched = False
            self.stream.set_close_callback(None)
        leaving, self._leaving = self._leaving, None
        if leaving is None:
            self.stream.go_on()
        else:
            leaving.add_done_callback(lambda _: self.stream.go_on())


def _nothing() -> None:
    """What is done about connections that end."""
