"""Shares: further addresses of a viewer, which can be for looking only, expire and be revoked.

A share is a second mount of the Viewer on the server, with a token of its own (`viewer.server`).
At an address for looking only the document cannot be edited and nothing be called that changes
something; a page there scrolls and zooms for itself alone.
"""

from __future__ import annotations

import re
import secrets
import time
from abc import abstractmethod
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from viewer.errors import InvalidValueError

if TYPE_CHECKING:
    from viewer.server import Server

TOKEN_BYTES = 20
"""Bytes of a token: 160 bits cannot be guessed."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,200}")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(s|min|h|d)")
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
LONGEST_SECONDS = 10 * 365 * 86400.0


def check_token(token: object) -> str:
    """`token`, if it can be one.

    Raises
    ------
    InvalidValueError
        Without quoting it.
    """
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise InvalidValueError(
            "This cannot be a token.",
            hint="Use 32 to 200 letters, digits, '-' and '_', which nobody can guess: "
            "python -c 'import secrets; print(secrets.token_hex(20))'.",
        )
    return token


class Door(Protocol):
    """What a share needs of the server, or of the way to it."""

    @property
    def running(self) -> bool:
        """Whether anybody is let in at all."""

    def url(self, token: str) -> str:
        """Address with a token."""

    def mounted(self, token: str) -> bool:
        """Whether a token leads somewhere."""

    def unmount(self, token: str, reason: str) -> None:
        """Let nobody in with a token any more."""


class Share:
    """A further address of a viewer; made by `Viewer.share`."""

    def __init__(self, server: Door, token: str, read_only: bool, expires: float | None) -> None:
        self._server = server
        self._token = token
        self._read_only = read_only
        self._expires = expires

    @property
    def url(self) -> str:
        """Address of the page, and for `viewer.connect`."""
        return self._server.url(self._token)

    @property
    def token(self) -> str:
        """What `url` has after ``/v/``."""
        return self._token

    @property
    def read_only(self) -> bool:
        """Whether it is for looking only."""
        return self._read_only

    @property
    def expires(self) -> datetime | None:
        """When it ends by itself, in UTC; None for never."""
        return None if self._expires is None else datetime.fromtimestamp(self._expires, UTC)

    @property
    def valid(self) -> bool:
        """Whether it still leads to the viewer."""
        return self._server.running and self._server.mounted(self._token)

    def revoke(self) -> None:
        """End it: nobody is let in any more, and who is there has to leave. Idempotent."""
        self._server.unmount(self._token, "This address is not shared any more.")

    def __str__(self) -> str:
        return self.url

    def __repr__(self) -> str:
        if not self.valid:
            return "<Share (ended)>"
        what = "read-only" if self._read_only else "read and write"
        until = "" if self.expires is None else f", until {self.expires:%Y-%m-%d %H:%M:%S} UTC"
        return f"<Share {self.url} {what}{until}>"


class Sharing:
    """The part of the Viewer that makes further addresses of it."""

    _server: Server
    _token: str

    def __init__(self) -> None:
        self._shares: list[Share] = []

    @abstractmethod
    def _open(self) -> Any:
        """Raises `ClosedError` when all is over."""

    def share(
        self, read_only: bool = True, expires: str | float | timedelta | None = None
    ) -> Share:
        """Make a further address for others, which can be taken back.

        With a read-only one they see everything, and scroll, zoom and colour for themselves alone.

        Parameters
        ----------
        read_only : bool, default True
            Whether nothing can be changed with it, neither on a page nor by `viewer.connect`.
        expires : str, float or timedelta, optional
            After which time it ends by itself: seconds, or ``"30min"``, ``"2h"``, ``"7d"``.
            Default: with the viewer.

        Returns
        -------
        Share
            With ``url``, ``token``, ``read_only``, ``expires`` and ``revoke()``.

        Raises
        ------
        InvalidValueError
            For what is no time.

        Examples
        --------
        >>> print(v.share(expires="2h").url)
        """
        return self._share(secrets.token_hex(TOKEN_BYTES), read_only, expires)

    @property
    def shares(self) -> tuple[Share, ...]:
        """The further addresses that are valid now, the oldest first."""
        self._open()
        self._shares = [share for share in self._shares if share.valid]
        return tuple(self._shares)

    def _share(self, token: str, read_only: bool, expires: object = None) -> Share:
        self._open()
        if not isinstance(read_only, bool):
            raise InvalidValueError(
                f"read_only={read_only!r} is not allowed.", hint="Allowed: True or False."
            )
        end = None if expires is None else time.time() + seconds_of(expires)
        share = Share(self._server, token, read_only, end)
        served: Any = self
        self._server.mount(token, served, read_only=read_only, main=self._token, expires=end)
        self._shares = [*self._shares, share]
        return share


def seconds_of(duration: object) -> float:
    """A duration in seconds: a number of them, ``"2h"``, or a timedelta.

    Raises
    ------
    InvalidValueError
        For what is none, or not positive.
    """
    seconds = 0.0
    if isinstance(duration, timedelta):
        seconds = duration.total_seconds()
    elif isinstance(duration, int | float) and not isinstance(duration, bool):
        seconds = float(duration)
    elif isinstance(duration, str):
        match = _DURATION.fullmatch(duration.strip())
        seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if not 0 < seconds <= LONGEST_SECONDS:
        raise InvalidValueError(
            f"expires={duration!r} is not a time from now on.",
            hint="Use seconds, or text like '90s', '30min', '2h' or '7d'; None for never.",
        )
    return seconds
