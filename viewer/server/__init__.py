"""The process-wide server: started when first needed, started anew after it was stopped."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from viewer.errors import InvalidValueError
from viewer.server.content import CONTENT
from viewer.server.hosts import check_origin, check_prefix
from viewer.server.mount import Served
from viewer.server.server import Server
from viewer.server.sockets import check_port

__all__ = [
    "Served",
    "Server",
    "get_server",
    "set_server",
    "set_static_content_source",
    "stop_server",
]


class _Settings(msgspec.Struct, frozen=True):
    host: str = "127.0.0.1"
    port: int = 0
    allowed_hosts: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()
    url_prefix: str = ""


_lock = threading.Lock()
_server: Server | None = None
_settings = _Settings()


def get_server() -> Server:
    """The server of this process; it is started when there is none.

    Raises
    ------
    InvalidValueError
        When the address chosen with `set_server` cannot be listened on.
    """
    global _server
    with _lock:
        if _server is None or not _server.running:
            _server = Server(
                _settings.host,
                _settings.port,
                allowed_hosts=_settings.allowed_hosts,
                allow_origins=_settings.allow_origins,
                url_prefix=_settings.url_prefix,
            )
        return _server


def set_server(
    *,
    host: str | None = None,
    port: int | None = None,
    allowed_hosts: Iterable[str] | None = None,
    allow_origins: Iterable[str] | None = None,
    url_prefix: str | None = None,
) -> None:
    """Choose where the server listens, from its next start on.

    A server that runs already stays where it is, with its URLs; ``viewer.stop()`` ends it, and
    the next Viewer starts one at the new address.

    Parameters
    ----------
    host : str, optional
        Address to listen on, at first ``"127.0.0.1"``. ``"0.0.0.0"`` lets everybody who can reach
        this machine and knows a viewer's URL read its data, unencrypted: prefer an SSH tunnel.
    port : int, optional
        At first 0, which takes a free one.
    allowed_hosts : iterable of str, optional
        Names, as ``"host"`` or ``"host:port"``, under which a proxy shows the server. Their pages
        may frame the viewer and connect to it.
    allow_origins : iterable of str, optional
        Other sites, as ``"https://neuroglancer-demo.appspot.com"``, whose pages may read voxels
        and meshes when they know an address such as ``layer.zarr_url``. At first none; they may
        never see the page, nor change anything.
    url_prefix : str, optional
        Where a proxy shows the server; ``{port}`` stands for the port. An address, as
        ``"https://example.org/viewer/"``, is what viewers print, and its host is allowed. A path,
        as ``"/user/ada/proxy/{port}/"``, counts for notebooks, which know their host (on a
        JupyterHub it is found out). At first ``""``: none.

    Raises
    ------
    InvalidValueError
        For what is no host, port, origin or prefix.
    """
    global _settings
    chosen = _settings
    if host is not None:
        if not isinstance(host, str) or not host:
            raise InvalidValueError(f"host={host!r} is no address.", hint="As '127.0.0.1'.")
        chosen = replace(chosen, host=host)
    if port is not None:
        check_port(port)
        chosen = replace(chosen, port=port)
    if allowed_hosts is not None:
        if isinstance(allowed_hosts, str):
            raise InvalidValueError(
                f"allowed_hosts={allowed_hosts!r} is one string.", hint="Give a list of strings."
            )
        chosen = replace(chosen, allowed_hosts=tuple(allowed_hosts))
    if allow_origins is not None:
        if isinstance(allow_origins, str):
            raise InvalidValueError(
                f"allow_origins={allow_origins!r} is one string.", hint="Give a list of strings."
            )
        chosen = replace(chosen, allow_origins=tuple(map(check_origin, allow_origins)))
    if url_prefix is not None:
        chosen = replace(chosen, url_prefix=check_prefix(url_prefix))
    with _lock:
        _settings = chosen


def set_static_content_source(*, url: str | None = None, path: str | Path | None = None) -> None:
    """Choose where the client comes from, for its development; neither goes back to the package.

    Parameters
    ----------
    url : str, optional
        A web server that has the built client; files are passed through and never kept.
    path : str or Path, optional
        A folder with an ``index.html``.
    """
    CONTENT.set(url=url, path=path)


def stop_server(reason: str = "The server was stopped.") -> None:
    """Stop the server if it runs: sockets closed, pages told, everything released."""
    global _server
    with _lock:
        server, _server = _server, None
    if server is not None:
        server.stop(reason)


# a page whose Python has ended is told so; bounded, so that the exit is not held up
atexit.register(stop_server, "Python has ended.")
