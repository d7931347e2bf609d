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

import re
from functools import lru_cache

import msgspec
from tornado.httputil import HTTPHeaders, HTTPInputError, RequestStartLine

from viewer.server.admission import Admission
from viewer.server.direct import Answering, DirectRequest
from viewer.server.headers import CommonHeaders
from viewer.server.refusal import Refusal

_PLAIN = re.compile(rb"(GET|HEAD) (/[!-~]*) HTTP/1\.1\r\n")

_NOT_PLAIN = ("Content-Length", "Transfer-Encoding", "Expect", "Upgrade")


class Peer(msgspec.Struct, frozen=True):
    """Who is at the other end."""

    remote_ip: str


class Caller(msgspec.Struct, frozen=True):
    """Whose requests have these headers, and may be for any address."""

    headers: PlainHeaders
    reader: str
    """Origin of another site's page that may read, ``""`` for none."""
    common: CommonHeaders


class Shortcut:
    """Finds the requests that take it.

    Parameters
    ----------
    admission : Admission
        Decides about every request.
    """

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._caller = lru_cache(64)(self._meet)

    def find(self, head: bytes, exchange: Answering) -> DirectRequest | None:
        """The request with this head, None if it must go the long way."""
        first = _PLAIN.match(head)
        if first is None:
            return None
        caller = self._caller(head[first.end() :], self._admission.development())
        if caller is None:
            return None
        method, target = first.groups()
        try:
            mount, route, arguments, inner = self._admission.find(target.decode(), caller.reader)
        except Refusal:
            return None
        handler = route.handler
        if not issubclass(handler, DirectRequest):
            return None
        start_line = RequestStartLine(method.decode(), inner, "HTTP/1.1")
        return handler(exchange, start_line, caller.headers, mount, arguments, caller.common)

    def _meet(self, lines: bytes, _development: str) -> Caller | None:
        """Who sends these lines; None if their requests must go the long way."""
        headers = _plain_headers(lines)
        if headers is None or not self._admission.trusts(headers):
            return None
        reader = self._admission.hosts.reader(headers.get("Origin"))
        return Caller(headers, reader, self._admission.common(headers["Host"], reader))


class PlainHeaders(dict[str, str]):
    """Headers that occur once each, under their names as we write them.

    They are asked for eight values a request, and Tornado's take a while to find one.
    """

    def get_list(self, name: str) -> list[str]:
        """The only value of one, or none."""
        return [self[name]] if name in self else []


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
