"""Requests that are answered below Tornado's handlers: the base of the chunks' and the client's.

What Tornado spends on routing, a handler and headers would be most of the time of a chunk; and
`tornado.web`, which handlers are made of, takes longer to import than the first page to be served.
Behind the gate, which treats these requests like all others, or the shortcut past it, this stands
in the place of a handler.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Protocol, TypeVar, cast

from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream

from viewer.errors import CancelledError, ViewerError, http_status
from viewer.server.admission import Headers
from viewer.server.coding import choose_coding
from viewer.server.headers import CommonHeaders
from viewer.server.logs import log_answer, log_bug
from viewer.server.mount import Mount
from viewer.server.refusal import Refusal
from viewer.server.responses import response_head
from viewer.server.workers import Job, Work

T = TypeVar("T")

Response = bytes | memoryview | tuple[bytes, bytes]
"""Whole, or head and body, which are not copied to lie together."""

_REFUSAL_FIELDS = {"Content-Type": "application/json", "Cache-Control": "no-store"}

JOINED = 16 << 10
"""Bytes of a body, below which it is copied behind the head: quicker than sending two parts."""

SOURCE_STATUS = (502, 504)
"""Statuses that are a source's fault: the user is told."""


class Answering(Protocol):
    """What a request needs of where its answer goes: Tornado's connection has it."""

    context: Any
    """Whose `remote_ip` is where the client is."""

    @property
    def stream(self) -> IOStream | None:
        """The connection; None once it has been given up."""
        ...

    def set_close_callback(self, callback: Callable[[], None] | None, /) -> None:
        """What is to be done if the client leaves before it has its answer."""
        ...

    def write(self, response: bytes, /) -> object:
        """Send the answer, all of it."""
        ...

    def finish(self) -> None:
        """Go on once it has left."""
        ...


class DirectRequest(HTTPMessageDelegate):
    """One request that the gate has let pass.

    Parameters
    ----------
    connection : Answering
        Where the answer goes.
    start_line, headers
        The request's, without the token.
    mount : Mount
        The Viewer.
    arguments : list of str
        Of the route.
    common : CommonHeaders
        The headers of every response to this client.
    """

    layer_id: str | None = None
    """The layer that the request is about."""

    gives_data = False
    """Whether the answer is data, which no browser shows."""

    def __init__(
        self,
        connection: Answering,
        start_line: RequestStartLine,
        headers: Headers,
        mount: Mount,
        arguments: list[str],
        common: CommonHeaders,
    ) -> None:
        self.connection = connection
        self.start_line = start_line
        self.headers = headers
        self.mount = mount
        self.arguments = arguments
        self.common = common
        self._begun = time.monotonic()
        self._job: Job[Any] | None = None
        self._task: asyncio.Task[None] | None = None

    def answer(self) -> None:
        """Answer, or `work` or `wait` for what to answer; overridden.

        Synchronous, so that no frame of a waiting request holds the layer: the work itself does,
        and is dropped with it.
        """
        raise NotImplementedError

    def finish(self) -> None:
        """The request is complete: answer it."""
        try:
            self.answer()
        except ViewerError as error:
            self._fail(error)
        except Exception as error:
            self._break(error)

    def on_connection_close(self) -> None:
        """The client has gone before it had its answer."""
        if self._job is not None:
            self.mount.withdraw(self._job)

    def work(self, source: str, work: Work[T], send: Callable[[T], None]) -> None:
        """Have a worker do it, and send what comes of it; dropped when the client leaves."""
        if self._gone():  # before Tornado began to watch for it
            return
        self.connection.set_close_callback(self.on_connection_close)
        self._job = job = self.mount.start(source, work)
        self.wait(self.mount.finish(job), send)

    def wait(self, result: Awaitable[T], send: Callable[[T], None]) -> None:
        """Send what comes of an awaitable."""
        self._task = asyncio.get_running_loop().create_task(self._wait(result, send))

    async def _wait(self, result: Awaitable[T], send: Callable[[T], None]) -> None:
        try:
            send(await result)
        except ViewerError as error:
            self._fail(error)
        except Exception as error:
            self._break(error)
        finally:
            self._job = None

    def coding(self) -> str:
        """The content coding that pays, ``""`` for none."""
        accepted = self.headers.get("Accept-Encoding")
        if accepted is None:
            return ""
        address = getattr(self.connection.context, "remote_ip", "")
        return choose_coding(accepted, address, self.mount.policy.compress_loopback)

    def send(
        self, status: int, fields: bytes, body: bytes = b"", *, length: int = 0, coding: str = ""
    ) -> None:
        """Send a response; `length` where there would be a body if it were asked for."""
        head = self.head(status, fields, length or len(body), coding)
        if self.start_line.method == "HEAD":
            self.write(status, head)
        else:
            self.write(status, head + body if len(body) < JOINED else (head, body))

    def head(self, status: int, fields: bytes, length: int, coding: str = "") -> bytes:
        """The head of a response; `fields` are its own headers, each with the end of its line."""
        is_data = self.gives_data and status < HTTPStatus.BAD_REQUEST
        return response_head(
            status,
            self.common.data_head if is_data else self.common.head,
            fields,
            length,
            coding=coding,
            wish=self.headers.get("Connection"),
            version=self.start_line.version,
        )

    def write(self, status: int, response: Response) -> None:
        """Hand over the response; its last bytes leave when the client takes them."""
        if self._gone():
            return
        # Tornado passes on what it gets to our `Stream` as it is, unless headers were written
        self.connection.write(cast(bytes, response))
        self.connection.finish()
        self._log(status)

    def refuse(self, refusal: Refusal) -> None:
        """Answer with an error."""
        fields = {**_REFUSAL_FIELDS, **refusal.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.send(refusal.status, lines.encode("latin1"), refusal.body)

    def _fail(self, error: ViewerError) -> None:
        if http_status(error) in SOURCE_STATUS and not self.mount.closed:
            self.mount.report(error, self.layer_id)
        if not (self._gone() and isinstance(error, CancelledError)):
            self.refuse(Refusal.of(error))

    def _break(self, error: Exception) -> None:
        log_bug(error)
        self.refuse(Refusal.unexpected())

    def _log(self, status: int) -> None:
        seconds = time.monotonic() - self._begun
        log_answer(status, self.start_line.method, self.start_line.path, seconds)

    def _gone(self) -> bool:
        stream = self.connection.stream
        return stream is None or stream.closed()


def send_refusal(
    connection: HTTPConnection, refusal: Refusal, common: CommonHeaders, *, head_only: bool
) -> None:
    """Answer with a refusal where there is no handler.

    Parameters
    ----------
    connection : HTTPConnection
    refusal : Refusal
    common : CommonHeaders
        The headers of every response.
    head_only : bool
        Leave the body out.
    """
    headers = HTTPHeaders({**common.fields, **_REFUSAL_FIELDS, **refusal.headers})
    headers["Content-Length"] = str(len(refusal.body))
    start_line = ResponseStartLine("", refusal.status, HTTPStatus(refusal.status).phrase)
    connection.write_headers(start_line, headers, b"" if head_only else refusal.body)
    connection.finish()
