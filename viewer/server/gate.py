"""The gate: every request passes here before any handler exists.

It stands where Tornado hands over a request's head, below its routing, so there is no way around
it. What it asks is in `viewer.server.admission`; the same is asked of what comes without Tornado:
the very first page, which is answered before it has been imported (`viewer.server.first_page`), and
plain requests (`viewer.server.shortcut`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast

from tornado.http1connection import HTTP1Connection
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)

from viewer.policy import Policy
from viewer.server.admission import Admission
from viewer.server.content import CONTENT
from viewer.server.direct import DirectRequest, send_refusal
from viewer.server.headers import common_headers
from viewer.server.hosts import Hosts
from viewer.server.logs import log_request
from viewer.server.refusal import Refusal

if TYPE_CHECKING:
    from tornado.web import Application


PING_SECONDS = 30
"""Seconds between WebSocket pings: a page whose laptop was closed frees its place."""


class Gate(HTTPServerConnectionDelegate):
    """Lets requests through to who answers them.

    Parameters
    ----------
    application : callable
        The Tornado application that runs the handlers, which has no routes of its own; it is asked
        for when the first request comes that needs one.
    admission : Admission
        Decides.
    """

    def __init__(self, application: Callable[[], Application], admission: Admission) -> None:
        self.application = application
        self.admission = admission

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        """Called by Tornado for every request on every connection."""
        return _Request(self, request_conn)


def make_application(hosts: Hosts, policy: Policy) -> Application:
    """The Tornado application that runs the handlers."""
    from tornado.web import Application  # later than the first page

    return Application(
        hosts=hosts,
        development=lambda: CONTENT.url,
        log_function=log_request,
        websocket_max_message_size=policy.body_bytes,
        websocket_ping_interval=PING_SECONDS,
    )


class _Request(HTTPMessageDelegate):
    """One request on its way through the gate."""

    def __init__(self, gate: Gate, connection: HTTPConnection) -> None:
        self._gate = gate
        self._connection = connection
        self._handler: HTTPMessageDelegate | None = None
        self._refusal: Refusal | None = None
        self._reader = ""
        self._head = False

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        assert isinstance(start_line, RequestStartLine)
        self._head = start_line.method == "HEAD"
        self._reader = self._gate.admission.hosts.reader(headers.get("Origin"))
        try:
            mount, route, arguments, target = self._gate.admission.admit(
                start_line.method, start_line.path, headers
            )
        except Refusal as refusal:
            # Programs ask for anything or for JSON, and so do the page's own requests
            is_page = "text/html" in headers.get("Accept", "")
            self._refusal = refusal.as_page() if is_page else refusal
            if "Content-Length" in headers or "Transfer-Encoding" in headers:
                self._refuse()  # before its body: Tornado then closes the connection
            return None
        inner = RequestStartLine(start_line.method, target, start_line.version)
        handler = route.handler
        if issubclass(handler, DirectRequest):
            self._handler = handler(
                cast(HTTP1Connection, self._connection),
                inner,
                headers,
                mount,
                arguments,
                self._gate.admission.common(headers["Host"], self._reader),
            )
            return None
        request = HTTPServerRequest(connection=self._connection, start_line=inner, headers=headers)
        self._handler = self._gate.application().get_handler_delegate(
            request,
            handler,
            {"mount": mount},
            [argument.encode() for argument in arguments],
        )
        return self._handler.headers_received(inner, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return None

    def finish(self) -> None:
        if self._handler is not None:
            self._handler.finish()
        else:
            self._refuse()

    def on_connection_close(self) -> None:
        if self._handler is not None:
            self._handler.on_connection_close()

    def _refuse(self) -> None:
        refusal, self._refusal = self._refusal, None
        if refusal is None:
            return
        common = common_headers("", reader=self._reader)
        send_refusal(self._connection, refusal, common, head_only=self._head)
