"""The shortcut: plain requests for what is answered below Tornado's handlers pass its HTTP, too.

Tornado takes as long over a request's head, and over waiting for the next one, as a chunk of
256 KiB takes to be copied and sent. So every head is looked at here before Tornado gets it:

```
 connection → head ─┬─ plain, admitted, for a DirectRequest → answered here → the next head
                    └─ all else, also what is refused ──────→ Tornado → the gate
```

Plain are GET and HEAD of HTTP/1.1 with nothing in them that concerns the connection or a body.
They are asked the same as at the gate (`viewer.server.admission`). A client's headers are the same
in all its requests, so they are parsed once.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
from tornado.httputil import HTTPHeaders, HTTPInputError, RequestStartLine

from viewer.server.admission import Admission
from viewer.server.direct import DirectRequest, Response
from viewer.server.refusal import Refusal

if TYPE_CHECKING:
    from viewer.server.listener import Stream

_PLAIN = re.compile(rb"(GET|HEAD) (/[!-~]*) HTTP/1\.1\r\n")

_NOT_PLAIN = ("Content-Length", "Transfer-Encoding", "Expect", "Upgrade")


class Peer(msgspec.Struct, frozen=True):
    """Who is at the other end."""

    remote_ip: str


class Exchange:
    """A request on a connection, and its answer; a `viewer.server.direct.Answering`.

    Parameters
    ----------
    stream : Stream
        The connection.
    over : callable
        What comes after the answer has left.
    """

    def __init__(self, stream: Stream, over: Callable[[], None]) -> None:
        self.stream = stream
        self.context = stream.peer
        self._over = over
        self._leaving: asyncio.Future[None] | None = None

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """What is to be done if the client leaves before it has its answer."""
        self.stream.set_close_callback(callback)

    def write(self, response: Response) -> None:
        """Send the answer, all of it."""
        self._leaving = self.stream.send(response)

    def finish(self) -> None:
        """Go on once it has left."""
        self.stream.set_close_callback(None)
        if self._leaving is None:
            self._over()
        else:
            self._leaving.add_done_callback(lambda _: self._over())


class Shortcut:
    """Finds the requests that take it.

    Parameters
    ----------
    admission : Admission
        Decides about every request.
    """

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    def find(self, head: bytes, exchange: Exchange) -> DirectRequest | None:
        """The request with this head, None if it must go the long way."""
        first = _PLAIN.match(head)
        if first is None:
            return None
        method, target = (part.decode() for part in first.groups())
        headers = _plain_headers(head[first.end() :])
        if headers is None:
            return None
        try:
            mount, route, arguments, inner = self._admission.admit(method, target, headers)
        except Refusal:
            return None
        handler = route.handler
        if not issubclass(handler, DirectRequest):
            return None
        reader = self._admission.hosts.reader(headers.get("Origin"))
        common = self._admission.common(headers["Host"], reader)
        start_line = RequestStartLine(method, inner, "HTTP/1.1")
        return handler(exchange, start_line, headers, mount, arguments, common)


class PlainHeaders(dict[str, str]):
    """Headers that occur once each, under their names as we write them.

    They are asked for eight values a request, and Tornado's take a while to find one.
    """

    def get_list(self, name: str) -> list[str]:
        """The only value of one, or none."""
        return [self[name]] if name in self else []


@lru_cache(64)
def _plain_headers(lines: bytes) -> PlainHeaders | None:
    """What follows a request's first line, to be read only; None if it is not plain."""
    try:
        parsed = HTTPHeaders.parse(lines.decode("latin1"))
    except HTTPInputError:
        return None
    headers = PlainHeaders(parsed)
    if any(name in headers for name in _NOT_PLAIN) or len(headers) < len(list(parsed.get_all())):
        return None
    return headers if headers.get("Connection", "keep-alive").lower() == "keep-alive" else None
