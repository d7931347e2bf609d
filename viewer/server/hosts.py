"""Which names this server answers to: the defence against DNS rebinding.

A hostile page can make its own name resolve to 127.0.0.1 and so reach a local server as "same
origin"; it cannot change the Host header, which then names the hostile site. Ports are not
compared, because an SSH tunnel ends at any port.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from functools import lru_cache

from viewer.errors import InvalidValueError

_AUTHORITY = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(:[0-9]{1,5})?")
_ORIGIN = re.compile(rf"https?://{_AUTHORITY.pattern}")
_PREFIX = re.compile(rf"(?:(?i:{_ORIGIN.pattern}))?(?:/[A-Za-z0-9._~!$&'()*+,;=:@%{{}}-]*)*")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Hosts:
    """The allow-list of Host headers, and of the Origins that go with them.

    Parameters
    ----------
    bind : str
        Address the server listens on. When it is not a loopback address, this machine's name and
        addresses given as numbers are allowed too: rebinding needs a name.
    allowed : iterable of str, default ()
        Further ``host`` or ``host:port``, as a reverse proxy or notebook server shows them.
    origins : iterable of str, default ()
        Origins, as `check_origin` returns them, whose pages may read voxels and meshes.
    """

    def __init__(self, bind: str, allowed: Iterable[str] = (), origins: Iterable[str] = ()) -> None:
        self.allowed = tuple(name.lower() for name in allowed)
        self._origins = frozenset(origins)
        self._names = {*_LOOPBACK, *(self._name(name) or "" for name in self.allowed)}
        self._numbers = not is_loopback(bind)
        if self._numbers:
            self._names.add(socket.gethostname().lower())
        self._names.add(self._name(bracketed(bind)) or "")
        self._names.discard("")

    @staticmethod
    def _name(authority: str) -> str | None:
        match = _AUTHORITY.fullmatch(authority.lower())
        return match[1] if match else None

    def allows(self, host: str) -> bool:
        """Whether a request with this Host header is answered."""
        name = self._name(host)
        return name is not None and (
            name in self._names or (self._numbers and _is_address(name.strip("[]")))
        )

    def allows_origin(self, origin: str, host: str) -> bool:
        """Whether a page of this origin may write to a server reached as `host` (allowed)."""
        scheme, _, authority = origin.lower().partition("://")
        if scheme == "http" and authority == host.lower():
            return True
        return scheme in ("http", "https") and authority in self.allowed

    def reader(self, origin: str | None) -> str:
        """`origin` if it is of another site whose pages may read voxels and meshes, else ``""``."""
        return origin if origin is not None and origin in self._origins else ""


def check_origin(origin: str) -> str:
    """An origin as browsers send it: ``"https://example.org"``, with a port if it is unusual.

    Raises
    ------
    InvalidValueError
        For everything else, also ``"*"``: the pages of all sites are nobody's to trust.
    """
    if isinstance(origin, str) and _ORIGIN.fullmatch(origin.lower().rstrip("/")):
        return origin.lower().rstrip("/")
    raise InvalidValueError(
        f"allow_origins has {origin!r}, which is no origin.",
        hint="Give what stands before the path in the page's address, as in "
        "'https://neuroglancer-demo.appspot.com'.",
    )


def check_prefix(prefix: str) -> str:
    """A path or address below which a proxy shows the server, with a slash at its end.

    Raises
    ------
    InvalidValueError
        For everything else.
    """
    if isinstance(prefix, str) and (prefix == "" or _PREFIX.fullmatch(prefix)):
        return prefix if prefix.endswith("/") or not prefix else f"{prefix}/"
    raise InvalidValueError(
        f"url_prefix={prefix!r} is no path and no address.",
        hint="As '/user/ada/proxy/{port}/' or 'https://example.org/viewer/'.",
    )


def prefix_host(prefix: str) -> tuple[str, ...]:
    """The host of a prefix that is an address; nothing for a path."""
    _, found, rest = prefix.partition("://")
    return (rest.partition("/")[0],) if found else ()


def bracketed(address: str) -> str:
    """`address` as it stands in a URL: IPv6 in brackets."""
    return f"[{address}]" if ":" in address else address


@lru_cache(64)
def is_loopback(address: str) -> bool:
    """Whether `address` is this machine talking to itself."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
