"""Where a viewer is, however it is said: a page's address, or a host and a token."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from viewer.errors import InvalidValueError

TOKEN_VARIABLE = "VOXELVIEW_TOKEN"
"""Environment variable with the token, where none is given."""

_PAGE = re.compile(r"(.*/v/)([^/?#]+)/?")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,200}")
HINT = "Give what print(v.url) shows there, or 'host:port' and token=…."


@dataclass(frozen=True, slots=True)
class Address:
    """Of a viewer."""

    url: str
    """Of the page, with a slash at its end; it holds the token."""

    @property
    def socket(self) -> str:
        """Of the document's WebSocket."""
        return f"ws{self.url.removeprefix('http')}ws"

    @property
    def parts(self) -> tuple[str, int, str, str]:
        """Host, port, what the path has before ``/v/`` and what it has from there on."""
        parts = urlsplit(self.url)
        prefix, _, token = parts.path.rpartition("/v/")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return parts.hostname or "", port, prefix, f"v/{token}"

    def with_token(self, token: str) -> Address:
        """The same place with another token."""
        return Address(re.sub(r"/v/[^/]+/$", f"/v/{token}/", self.url))

    def __str__(self) -> str:
        """Without the token, for messages."""
        return re.sub(r"/v/[^/]+/$", "", self.url)


def parse_address(address: str, token: str | None = None) -> Address:
    """The address that was meant.

    Parameters
    ----------
    address : str
        Of the page, or ``"host:port"``, also with ``http://`` or ``https://`` and a path before
        ``/v/``.
    token : str, optional
        Default: what the address holds, else the environment variable ``VOXELVIEW_TOKEN``.

    Raises
    ------
    InvalidValueError
        For what is no address, or when no token is known.
    """
    text = str(address).strip()
    if "://" not in text:
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not text.startswith(("http://", "https://")) or not host:
        raise InvalidValueError(f"{address!r} is no address of a viewer.", hint=HINT)
    page = _PAGE.fullmatch(parts.path)
    if page is not None:
        prefix, token = page[1], token or page[2]
    else:
        prefix = parts.path.rstrip("/") + "/v/"
        token = token or os.environ.get(TOKEN_VARIABLE)
    if not token:
        raise InvalidValueError(
            f"There is no token for {address!r}.",
            hint=f"{HINT} {TOKEN_VARIABLE} in the environment is looked at, too.",
        )
    if not _TOKEN.fullmatch(token):
        raise InvalidValueError("The token is not one of a viewer.", hint=HINT)
    name = f"[{host}]" if ":" in host else host
    authority = name if port is None else f"{name}:{port}"
    return Address(f"{parts.scheme}://{authority}{prefix}{token}/")
