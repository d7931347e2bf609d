"""Pictures over a Link: the viewer's process has its pages take them, and sends them here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import wait
from contextlib import contextmanager
from typing import Any

import msgspec

from viewer.client.address import Address
from viewer.client.calling import POLL_SECONDS, Calling
from viewer.messages import Presence, Progress
from viewer.pictures import picturing
from viewer.pictures.picture import Picture
from viewer.pictures.picturing import Place, Take
from viewer.pictures.sessions import Wish, best
from viewer.server.attendance import Attendant
from viewer.server.hosts import is_loopback

FAR = "far away"
"""Stands for the key of the program that opened a page unseen, which nobody is told."""


class Picturing(Calling, picturing.Picturing):
    """The part of a Link that looks at the viewer's pages."""

    _address: Address

    def tell(self, progress: Progress) -> None:
        """Progress is told by the viewer's process."""

    def _here(self) -> tuple[Attendant, ...]:
        return tuple(map(attendant, self.call("pages")))

    def _picture(self, wish: Wish, session: str = "") -> Picture:
        return self._taken(wish, session=session)

    def _taken(self, wish: Wish, **which: Any) -> Picture:
        picture = Picture(self.call("screenshot", **wish.options, **which))
        if wish.path is not None:
            picture.save(wish.path)
        return picture

    @contextmanager
    def _camera(self, wish: Wish) -> Iterator[Take]:
        held = self.call_async("hold_page", wish.size, wish.timeout)
        try:
            while (found := best(self._here())) is None:  # a browser takes a moment to start
                wait([held], POLL_SECONDS)
                if held.done():
                    held.result()
            id = found.id
            yield lambda one, shown: self._taken(
                one, session=id, document=msgspec.to_builtins(shown)
            )
        finally:
            held.cancel()

    def _place(self) -> Place:
        return place_of(self._address)


def attendant(told: Mapping[str, Any]) -> Attendant:
    """A page, as the viewer's process tells of it."""
    opener = FAR if told["headless"] else ""
    said = Presence(told["size"], told["pixel_ratio"], told["visible"], opener)
    about = (told["user_agent"], told["since"], told["shared"], told["read_only"])
    return Attendant(told["id"], said, *about)


def place_of(address: Address) -> Place:
    """Where a notebook finds a viewer that is not in its process.

    One on the same machine as the notebook's Python is found as its own are; one elsewhere by its
    address, or by what jupyter-server-proxy does for other hosts where it is allowed to.
    """
    from viewer import notebook

    host, port, prefix, path = address.parts
    if prefix:
        return Place(address.url, port, path, address.url.removesuffix(path))
    if is_loopback(host):
        return Place(address.url, port, path, notebook.hub_prefix(port))
    return Place(address.url, f"{host}:{port}", path, "")
