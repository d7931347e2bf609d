"""A page as the wire sees it."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

PATIENCE = 30.0
"""Seconds that the server may take to say something, on a machine that has much else to do."""


class Page:
    """A page as the wire sees it: keeps a copy of the document."""

    def __init__(self, url: str) -> None:
        self._open = ExitStack()
        self.socket = self._open.enter_context(
            connect(f"{url.replace('http', 'ws', 1)}ws", max_size=None, open_timeout=PATIENCE)
        )
        self.hello = self.receive("hello")
        snapshot = self.receive("snapshot")
        self.version: int = snapshot["version"]
        self.document: dict[str, Any] = snapshot["document"]
        self._request = 0

    def close(self) -> None:
        """Leave."""
        self._open.close()

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def until_closed(self) -> ConnectionClosed:
        """Read until the server ends the connection; how it did."""
        try:
            while True:
                self.socket.recv(timeout=PATIENCE)
        except ConnectionClosed as closed:
            return closed

    def receive(self, *types: str) -> dict[str, Any]:
        """The next message, of one of these types."""
        message = json.loads(self.socket.recv(timeout=PATIENCE))
        assert message["type"] in types, message
        return dict(message)

    def send(self, message: object) -> None:
        self.socket.send(message if isinstance(message, str | bytes) else json.dumps(message))

    def edit(self, path: list[str], value: Any) -> dict[str, Any]:
        """The answer to an edit; patches that come before it are taken."""
        self._request += 1
        changes = [{"path": path, "value": value}]
        self.send(
            {"type": "edit", "request": self._request, "base": self.version, "changes": changes}
        )
        while (message := self.receive("accepted", "rejected", "patch"))["type"] == "patch":
            self.apply(message)
        return message

    def apply(self, patch: dict[str, Any]) -> None:
        """Take a patch, as a page does."""
        assert patch["base"] == self.version
        self.version = patch["version"]
        for change in patch["changes"]:
            node = self.document
            for key in change["path"][:-1]:
                node = node[key]
            if change.get("remove"):
                node.pop(change["path"][-1], None)
            else:
                node[change["path"][-1]] = change.get("value")

    def catch_up(self, version: int) -> None:
        """Take patches until `version`."""
        while self.version < version:
            message = self.receive("patch", "accepted")
            if message["type"] == "patch":
                self.apply(message)
