"""The gate: every request passes here before any handler exists.

It stands where Tornado hands over a request's head, below its routing, so there is no way around
it. In order: the Host header, the method, a body (none is taken), where the request comes from
(Sec-Fetch-Site and Origin), the spelling of the path, the token. What passes goes on *without* the
token: handlers see ``/layers/l1/zarr.json`` and the mount, so neither logs nor errors can tell it.

Pages of other origins that the user named (`viewer.set_server(allow_origins=…)`) may read what
other programs may: the routes that are *shared*, voxels and meshes, and nothing else.

Requests without Origin and Sec-Fetch-Site come from programs (zarr-python, curl): browsers send
them, and a program that knows the token may read. A navigation to the page itself may come from
anywhere, also into a frame: that is a link, or a notebook; `viewer.server.headers` says who may
frame it.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable, Iterable
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

from viewer.server.direct import DirectRequest
from viewer.server.headers import CommonHeaders, common_headers
from viewer.server.hosts import Hosts
from viewer.server.mount import Mount
from viewer.server.refusal import Refusal, send_refusal
from viewer.server.routes import Route, find_route

if TYPE_CHECKING:
    from tornado.web import Application

METHODS = ("GET", "HEAD")

_PAGE = re.compile(r"/v/[^/]+/?")
_TARGET = re.compile(r"/v/([^/?]*)(?:/([^?]*))?(?:\?(.*))?", re.DOTALL)


class Gate(HTTPServerConnectionDelegate):
    """Decides about every request; see the module's docstring.

    Parameters
    ----------
    application : callable
        The Tornado application that runs the handlers, which has no routes of its own; it is asked
        for when the first request comes that needs one.
    hosts : Hosts
        The allow-list.
    mounts : callable
        All mounts at this moment.
    development : callable
        Origin of the client's development server at this moment, ``""`` for none.
    """

    def __init__(
        self,
        application: Callable[[], Application],
        hosts: Hosts,
        mounts: Callable[[], Iterable[Mount]],
        development: Callable[[], str],
    ) -> None:
        self.application = application
        self.hosts = hosts
        self._mounts = mounts
        self._development = development

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        """Called by Tornado for every request on every connection."""
        return _Request(self, request_conn)

    def common(self, host: str, reader: str) -> CommonHeaders:
        """The headers of every response to a client that has passed."""
        development = self._development()
        return common_headers(host, self.hosts.allowed, development=development, reader=reader)

    def admit(
        self, start_line: RequestStartLine, headers: HTTPHeaders
    ) -> tuple[Mount, Route, list[str], RequestStartLine]:
        """Mount, route, the route's arguments, and the start line without the token.

        Raises
        ------
        Refusal
            For everything that may not pass.
        """
        host = self._host(headers)
        reader = self.hosts.reader(headers.get("Origin"))
        preflight = start_line.method == "OPTIONS" and reader
        if start_line.method not in METHODS and not preflight:
            raise Refusal(
                405,
                "method",
                f"{start_line.method[:20]} is not offered here.",
                headers={"Allow": ", ".join(METHODS)},
            )
        if headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers:
            raise Refusal(413, "toolarge", "Requests with a body are not taken.")
        if not reader:
            self._origin(start_line.path, headers, host)
        target = _TARGET.fullmatch(start_line.path)
        if target is None:
            raise Refusal.nothing_here()
        token, path, query = target.groups()
        mount = self._mount(token)
        if mount is None:
            raise Refusal.nothing_here()
        if path is None:  # relative, so that it holds behind a prefix of a proxy
            suffix = "" if query is None else f"?{query}"
            raise Refusal(
                308,
                "moved",
                "The address ends in a slash.",
                headers={"Location": f"{token}/{suffix}"},
            )
        found = find_route(path, query)
        if found is None:
            raise Refusal.nothing_here()
        route, arguments = found
        if reader and not route.shared:
            raise Refusal(403, "origin", "Pages of other origins read voxels and meshes only.")
        if preflight:
            raise Refusal.preflight(METHODS)
        if route.socket and headers.get("Upgrade", "").lower() != "websocket":
            raise Refusal(426, "upgrade", "This is a WebSocket.", headers={"Upgrade": "websocket"})
        inner = f"/{path}" if query is None else f"/{path}?{query}"
        return (
            mount,
            route,
            arguments,
            RequestStartLine(start_line.method, inner, start_line.version),
        )

    def _host(self, headers: HTTPHeaders) -> str:
        hosts = headers.get_list("Host")
        if len(hosts) != 1 or not self.hosts.allows(hosts[0]):
            raise Refusal(
                403,
                "host",
                "This server does not answer to that host name.",
                "Use the address that the viewer printed, or allow the name with "
                "viewer.set_server(allowed_hosts=[…]).",
            )
        return hosts[0]

    def _origin(self, path: str, headers: HTTPHeaders, host: str) -> None:
        origin = headers.get("Origin")
        if origin is not None:
            if self.hosts.allows_origin(origin, host):
                return
            raise Refusal(403, "origin", "Pages of other origins may not read or write here.")
        site = headers.get("Sec-Fetch-Site")
        if site in (None, "same-origin", "none"):
            return
        link = headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest") in (
            "document",
            "iframe",
            "frame",
        )
        if not (link and _PAGE.fullmatch(path.partition("?")[0])):
            raise Refusal(403, "origin", "Pages of other sites may not read here.")

    def _mount(self, token: str) -> Mount | None:
        """The mount of `token`; every one is compared, in constant time."""
        given = token.encode("utf-8", "surrogatepass")
        found = None
        for mount in self._mounts():
            if hmac.compare_digest(mount.token, given):
                found = mount
        return None if found is None or found.expired else found


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
        self._reader = self._gate.hosts.reader(headers.get("Origin"))
        try:
            mount, route, arguments, inner = self._gate.admit(start_line, headers)
        except Refusal as refusal:
            self._refusal = refusal
            if "Content-Length" in headers or "Transfer-Encoding" in headers:
                self._refuse()  # before its body: Tornado then closes the connection
            return None
        handler = route.handler
        if issubclass(handler, DirectRequest):
            self._handler = handler(
                cast(HTTP1Connection, self._connection),
                inner,
                headers,
                mount,
                arguments,
                self._gate.common(headers["Host"], self._reader),
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
