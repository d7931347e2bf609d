"""What both WebSockets share. The gate has decided about Host, Origin and token before."""

from __future__ import annotations

import asyncio
from typing import Any

from tornado.websocket import WebSocketClosedError, WebSocketHandler

from viewer.errors import ClosedError
from viewer.messages import ServerMessage
from viewer.server.headers import set_security_headers
from viewer.server.logs import log_bug
from viewer.server.mount import Mount


class Socket(WebSocketHandler):
    """An open WebSocket of a mount; a `viewer.server.mount.Connection`."""

    def initialize(self, mount: Mount) -> None:
        """Called by Tornado with what the gate found."""
        self.mount = mount

    def set_default_headers(self) -> None:
        set_security_headers(self)

    def check_origin(self, origin: str) -> bool:
        return True  # the gate has compared it exactly, against more than Tornado knows

    def enter(self) -> bool:
        """Take part in the mount's life; False when it has just ended."""
        if self.mount.closed:
            self.close(1001, "closed")
            return False
        self.set_nodelay(True)
        self.mount.connections.add(self)
        return True

    def on_close(self) -> None:
        self.mount.connections.discard(self)

    def wake(self) -> None:
        """The document has changed: nothing to us, unless overridden."""

    def tell(self, message: ServerMessage, encoded: str) -> None:
        """A message to all pages: nothing to us, unless overridden."""

    def leave(self, reason: str) -> None:
        """Close, because the mount ends."""
        self.close(1001, "closing")

    async def send(self, message: str | bytes) -> None:
        """Send a message and wait until it has left for the network."""
        try:
            await self.write_message(message, binary=isinstance(message, bytes))
        except WebSocketClosedError:
            raise ClosedError("The page has gone.") from None

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        if value is not None:
            log_bug(value)


def seen(future: asyncio.Future[None]) -> None:
    """Take note of a write's error: the page has gone, which is no news."""
    if not future.cancelled():
        future.exception()
