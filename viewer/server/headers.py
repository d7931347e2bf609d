"""The headers that every response carries, also refusals and errors.

The policy lets the client load what it is built of, from its own origin, and nothing else from
anywhere. It may be framed by pages on this machine and by an editor (a notebook shows the viewer
in an iframe) and on hosts that the user allowed; by nobody else, so no site can put it under its
own buttons. Voxels load nothing and are framed by nobody, which is said in fewer words.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from viewer.server.hosts import Hosts

if TYPE_CHECKING:
    from tornado.web import RequestHandler

_LOCAL = ("http://localhost:*", "http://127.0.0.1:*", "https://localhost:*", "https://127.0.0.1:*")

_NOTHING = "default-src 'none'; frame-ancestors 'none'"

_EDITOR = ("vscode-webview:", "vscode-file:", "https://*.vscode-cdn.net")
"""What stands around the output of a notebook in Visual Studio Code."""


class CommonHeaders(msgspec.Struct, frozen=True):
    """The headers that all responses to a client have in common."""

    fields: dict[str, str]
    head: bytes
    """The same as they travel, each with the end of its line."""
    data_head: bytes
    """Those of voxels."""


@lru_cache(64)
def common_headers(
    host: str, allowed_hosts: tuple[str, ...] = (), *, development: str = "", reader: str = ""
) -> CommonHeaders:
    """The headers that a response has whatever it is; to be read only.

    Parameters
    ----------
    host : str
        The request's Host header, already checked against the allow-list; ``""`` when it was not.
    allowed_hosts : tuple of str
        Hosts that the user allowed; their pages may frame the client.
    development : str, default ""
        Origin of a development server that the client may connect to.
    reader : str, default ""
        Origin of another site's page that may read the response (CORS).
    """
    allowed = [f"{scheme}://{name}" for name in allowed_hosts for scheme in ("http", "https")]
    # 'self' does not cover ws: in older browsers
    sockets = [f"ws://{host}", f"wss://{host}"] if host else []
    if development:
        sockets += [development, "ws" + development.removeprefix("http")]
    policy = {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'", *sockets],
        "worker-src": ["'self'", "blob:"],
        "manifest-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'self'", *_LOCAL, *_EDITOR, *allowed],
    }
    fields = {
        "Content-Security-Policy": "; ".join(
            " ".join((name, *sources)) for name, sources in policy.items()
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
    if reader:
        fields["Access-Control-Allow-Origin"] = reader
    return CommonHeaders(
        fields, _lines(fields), _lines({**fields, "Content-Security-Policy": _NOTHING})
    )


def _lines(fields: dict[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode("latin1")


def set_security_headers(handler: RequestHandler) -> None:
    """Put the headers on a handler's response; called for every response, also for errors."""
    hosts: Hosts = handler.settings["hosts"]
    development: Callable[[], str] = handler.settings["development"]
    handler.clear_header("Server")
    for name, value in common_headers(
        handler.request.host,
        hosts.allowed,
        development=development(),
        reader=hosts.reader(handler.request.headers.get("Origin")),
    ).fields.items():
        handler.set_header(name, value)
    handler.set_header("Cache-Control", "no-store")
