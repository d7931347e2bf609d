"""Shares over a Link: made, listed and ended where the viewer is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from viewer.client.address import Address
from viewer.client.calling import Calling
from viewer.shares import Share, seconds_of


class Sharing(Calling):
    """The part of a Link that makes further addresses; the viewer's own is needed for it."""

    _address: Address

    def share(
        self, read_only: bool = True, expires: str | float | timedelta | None = None
    ) -> Share:
        """Make a further address for others, which can be taken back; see `Viewer.share`."""
        seconds = None if expires is None else seconds_of(expires)
        return self._share(self.call("share", read_only, seconds))

    @property
    def shares(self) -> tuple[Share, ...]:
        """The further addresses that are valid now, the oldest first."""
        return tuple(map(self._share, self.call("shares")))

    def _share(self, told: Mapping[str, Any]) -> Share:
        door = FarDoor(self, self._address)
        return Share(door, told["token"], told["read_only"], told["expires"])


class FarDoor:
    """The server in the other process, as far as shares need it.

    Parameters
    ----------
    link : Calling
    address : Address
        Of the viewer.
    """

    def __init__(self, link: Calling, address: Address) -> None:
        self._link = link
        self._address = address

    @property
    def running(self) -> bool:
        """Whether the link is there, and with it the way to all shares."""
        return not self._link.closed

    def url(self, token: str) -> str:
        """Address with a token."""
        return self._address.with_token(token).url

    def mounted(self, token: str) -> bool:
        """Whether a token leads to the viewer."""
        return any(told["token"] == token for told in self._link.call("shares"))

    def unmount(self, token: str, reason: str) -> None:
        """Let nobody in with a token any more."""
        self._link.call("revoke", token)
