"""Who is let in: what the gate asks of every request, apart from how it is answered.

In order: the Host header, the method, a body (none is taken), where the request comes from
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
from collections.abc import Callable, Iterable
from typing import Protocol, overload

from viewer.server.headers import CommonHeaders, common_headers
from viewer.server.hosts import Hosts
from viewer.server.mount import Mount
from viewer.server.refusal import Refusal
from viewer.server.routes import Route, find_route

METHODS = ("GET", "HEAD")

_PAGE = re.compile(r"/v/[^/]+/?")
_TARGET = re.compile(r"/v/([^/?]*)(?:/([^?]*))?(?:\?(.*))?", re.DOTALL)


class Headers(Protocol):
    """A request's headers; their names in any case."""

    @overload
    def get(self, name: str, /) -> str | None: ...

    @overload
    def get(self, name: str, default: str, /) -> str: ...

    def get_list(self, name: str, /) -> list[str]:
        """All values of one."""
        ...

    def __contains__(self, name: object, /) -> bool: ...


class Admission:
    """Decides about every request; see the module's docstring.

    Parameters
    ----------
    hosts : Hosts
        The allow-list.
    mounts : callable
        All mounts at this moment.
    development : callable
        Origin of the client's development server at this moment, ``""`` for none.
    """

    def __init__(
        self,
        hosts: Hosts,
        mounts: Callable[[], Iterable[Mount]],
        development: Callable[[], str],
    ) -> None:
        self.hosts = hosts
        self._mounts = mounts
        self.development = development

    def common(self, host: str, reader: str) -> CommonHeaders:
        """The headers of every response to a client that has passed."""
        development = self.development()
        return common_headers(host, self.hosts.allowed, development=development, reader=reader)

    def admit(
        self, method: str, target: str, headers: Headers
    ) -> tuple[Mount, Route, list[str], str]:
        """Mount, route, the route's arguments, and the target without the token.

        Parameters
        ----------
        method, target : str
            As the request's first line has them.
        headers : Headers
            The request's.

        Raises
        ------
        Refusal
            For everything that may not pass.
        """
        host = self._host(headers)
        reader = self.hosts.reader(headers.get("Origin"))
        preflight = method == "OPTIONS" and reader
        if method not in METHODS and not preflight:
            raise Refusal(
                405,
                "method",
                f"{method[:20]} is not offered here.",
                headers={"Allow": ", ".join(METHODS)},
            )
        if headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers:
            raise Refusal(413, "toolarge", "Requests with a body are not taken.")
        if not reader:
            self._origin(target, headers, host)
        mount, route, arguments, inner = self.find(target, reader)
        if preflight:
            raise Refusal.preflight(METHODS)
        if route.socket and headers.get("Upgrade", "").lower() != "websocket":
            raise Refusal(426, "upgrade", "This is a WebSocket.", headers={"Upgrade": "websocket"})
        return mount, route, arguments, inner

    def trusts(self, headers: Headers) -> bool:
        """Whether the headers alone let their sender `find` any address.

        All else is to be asked of `admit`, also for those of whom this says no.
        """
        try:
            host = self._host(headers)
            if not self.hosts.reader(headers.get("Origin")):
                self._origin("", headers, host)
        except Refusal:
            return False
        return True

    def find(self, target: str, reader: str) -> tuple[Mount, Route, list[str], str]:
        """As `admit`, for a GET by somebody whose headers have been looked at.

        Parameters
        ----------
        target : str
            As the request's first line has it.
        reader : str
            Origin of another site's page that may read, ``""`` for none.
        """
        match = _TARGET.fullmatch(target)
        if match is None:
            raise Refusal.nothing_here()
        token, path, query = match.groups()
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
        inner = f"/{path}" if query is None else f"/{path}?{query}"
        return mount, route, arguments, inner

    def _host(self, headers: Headers) -> str:
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

    def _origin(self, path: str, headers: Headers, host: str) -> None:
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
