"""The event loop of the server's thread, which may be handed work before it is there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import asyncio


class Callbacks(Protocol):
    """What those who work for a loop need of it; asyncio's has it, too."""

    def call_soon_threadsafe(self, callback: Callable[..., object], /, *arguments: Any) -> object:
        """Have it call something soon; from any thread."""
        ...

    def create_future(self) -> asyncio.Future[Any]:
        """A result that is to come; on the loop."""
        ...


class Loop:
    """Takes callbacks from any thread, and keeps them until the loop has been opened."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._early: list[tuple[Callable[..., object], tuple[object, ...]]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def open(self) -> asyncio.AbstractEventLoop:
        """Make the loop, on its thread; what it was handed comes first."""
        from asyncio import SelectorEventLoop

        loop = SelectorEventLoop()
        with self._lock:
            early, self._early = self._early, []
            for callback, arguments in early:
                loop.call_soon(callback, *arguments)
            self._loop = loop
        return loop

    def close(self) -> None:
        """Nothing is taken any more."""
        with self._lock:
            self._closed = True
            self._early.clear()
            if self._loop is not None:
                self._loop.close()

    def running_here(self) -> bool:
        """Whether the calling thread is the loop's, and runs it."""
        if self._loop is None:
            return False
        from asyncio import get_running_loop

        try:
            return get_running_loop() is self._loop
        except RuntimeError:
            return False

    def call_soon_threadsafe(self, callback: Callable[..., object], *arguments: object) -> None:
        """As asyncio's, also before `open`; RuntimeError after `close`."""
        with self._lock:
            if self._closed:
                raise RuntimeError("The loop has been closed.")
            if self._loop is None:
                self._early.append((callback, arguments))
                return
        self._loop.call_soon_threadsafe(callback, *arguments)

    def call_later(
        self, seconds: float, callback: Callable[..., object], *arguments: object
    ) -> None:
        """As asyncio's; on the loop."""
        assert self._loop is not None
        self._loop.call_later(seconds, callback, *arguments)

    def create_future(self) -> asyncio.Future[object]:
        """As asyncio's; on the loop."""
        assert self._loop is not None
        return self._loop.create_future()
