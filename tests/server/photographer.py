"""A page as the wire sees it that takes pictures: plain ones, of what it was told to show."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
import numpy as np
from websockets.exceptions import ConnectionClosed

from tests.server.page import Page
from viewer.pictures.picture import Picture


class Photographer:
    """Attends, and answers every wish for a picture on a thread of its own.

    The pictures have 8 × 6 pixels; red is the opacity of the document's bottom layer.
    """

    def __init__(self, url: str) -> None:
        self.page = Page(url)
        self.id: str = self.page.hello["session"]
        self.wishes: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.page.send({"type": "presence", "size": [800, 600], "pixel_ratio": 1, "visible": True})
        self.page.send({"type": "ping", "time": 1})
        while self._next()["type"] != "pong":  # answered in order: it has been seen
            pass
        self._thread.start()

    @property
    def taken(self) -> int:
        """How many pictures it was asked for."""
        return len(self.wishes)

    def until_gone(self) -> None:
        """Wait until the server has ended the connection."""
        self._thread.join(30)
        assert not self._thread.is_alive()

    def __enter__(self) -> Photographer:
        return self

    def __exit__(self, *error: object) -> None:
        self.page.close()
        self._thread.join(30)

    def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = msgspec.json.decode(self.page.socket.recv())
        return message

    def _work(self) -> None:
        try:
            while True:
                message = self._next()
                if message["type"] == "take":
                    self.wishes.append(message)
                    png = self._picture(message["document"]).png
                    taken = {"type": "taken", "request": message["request"], "bytes": len(png)}
                    self.page.send(taken)
                    self.page.send(png)
        except ConnectionClosed:
            pass

    def _picture(self, document: dict[str, Any]) -> Picture:
        pixels = np.full((6, 8, 4), 255, np.uint8)
        if document["order"]:
            style = document["layers"][document["order"][0]]["style"]
            pixels[..., 0] = round(255 * style["opacity"])
        return Picture(pixels)
