"""The first page of a process, answered while most of the server has not been imported.

Tornado and asyncio take as long to import as all else that a Viewer needs. The sockets listen
before, so that a browser can be answered as soon as there is an address: here, by the server's own
thread, with nothing but a socket. While the browser reads the page, the rest is imported; then the
connection is handed over, with all others that wait in the sockets, and none is lost.

What is asked of a request is what the gate asks of all (`viewer.server.admission`). Only the page
itself is answered here, to a plain request that may have it. A request is looked at without being
taken from its connection; whatever is unusual about it, Tornado finds it there, as it came.
"""

from __future__ import annotations

import re
import select
import socket
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import overload

from viewer.policy import Policy
from viewer.server.admission import Admission
from viewer.server.coding import choose_coding
from viewer.server.content import ASK_AGAIN, CONTENT, CONTENT_TYPES, content_fields, read_content
from viewer.server.logs import log_answer
from viewer.server.refusal import Refusal
from viewer.server.responses import response_head
from viewer.server.sockets import Guest

PATIENCE_SECONDS = 0.3
"""For which the first connection is waited for, at most, before the rest is imported anyway."""

LOOK_SECONDS = 0.01
"""Between looks at whether somebody needs the rest of the server at once."""

REQUEST_SECONDS = 0.05
"""Within which the first connection says what it wants, or Tornado waits for it."""

HEAD_BYTES = 8192
"""Of a request that is answered here, at most; browsers send about 1 KiB."""

_HEAD = re.compile(rb"GET (/[\x21-\x7e]*) HTTP/1\.1\r\n((?:[A-Za-z0-9-]+:[\t\x20-\x7e]*\r\n)+)\r\n")
"""The head of a plain request: what is spelt in any other way is left to Tornado."""


def serve_first_page(
    sockets: list[socket.socket], admission: Admission, policy: Policy, hurry: Callable[[], bool]
) -> list[Guest]:
    """Wait for one connection and answer it if it asks for the page.

    Parameters
    ----------
    sockets : list of socket
        They listen already.
    admission : Admission
        Decides about the request.
    policy : Policy
        Whether pages are compressed on this machine.
    hurry : callable
        Whether to wait no longer.

    Returns
    -------
    list of Guest
        The connection, if it is open still.
    """
    end = time.monotonic() + PATIENCE_SECONDS
    while not hurry() and time.monotonic() < end:
        try:
            for listening in select.select(sockets, [], [], LOOK_SECONDS)[0]:
                connection, address = listening.accept()
                if _answer(connection, address, admission, policy):
                    return [(connection, address)]
                connection.close()
                return []
        except BlockingIOError:  # the client has changed its mind
            continue
    return []


class _Headers:
    """The headers of a plain request."""

    def __init__(self, lines: str) -> None:
        self._values: defaultdict[str, list[str]] = defaultdict(list)
        for line in lines.splitlines():
            name, _, value = line.partition(":")
            self._values[name.lower()].append(value.strip())

    @overload
    def get(self, name: str) -> str | None: ...

    @overload
    def get(self, name: str, default: str) -> str: ...

    def get(self, name: str, default: str | None = None) -> str | None:
        return ",".join(self._values[name.lower()]) if name in self else default

    def get_list(self, name: str) -> list[str]:
        return self._values[name.lower()] if name in self else []

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values


def _answer(
    connection: socket.socket, address: tuple[str, int], admission: Admission, policy: Policy
) -> bool:
    """Answer if it is the page that is asked for; whether the connection goes on."""
    begun = time.monotonic()
    connection.settimeout(REQUEST_SECONDS)
    with suppress(OSError):
        head = _HEAD.match(connection.recv(HEAD_BYTES, socket.MSG_PEEK))
        if head is None:
            return True
        headers = _Headers(head[2].decode("ascii"))
        response = _page(head[1].decode("ascii"), headers, address, admission, policy)
        if response is None:
            return True
        connection.recv(head.end())
        try:
            connection.sendall(response)
        except OSError:
            return False
        log_answer(200, "GET", "/", time.monotonic() - begun)
        return headers.get("Connection", "").lower() != "close"
    return True


def _page(
    target: str, headers: _Headers, address: tuple[str, int], admission: Admission, policy: Policy
) -> bytes | None:
    """The response with the page; None when something else is to be said."""
    folder = None if CONTENT.url else CONTENT.folder()
    if folder is None or "If-None-Match" in headers:
        return None
    if choose_coding(headers.get("Accept-Encoding", ""), address[0], policy.compress_loopback):
        return None
    try:
        _, _, _, inner = admission.admit("GET", target, headers)
    except Refusal:
        return None
    if inner != "/":
        return None
    body, _, etag = read_content(folder, "index.html", "")
    fields = content_fields(CONTENT_TYPES[".html"], ASK_AGAIN) + b"ETag: %b\r\n" % etag.encode()
    common = admission.common(headers.get("Host", ""), "")
    return response_head(200, common.head, fields, len(body), wish=headers.get("Connection")) + body
