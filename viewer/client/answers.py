"""The answers that a Link waits for, by the number of what was asked.

An answer says in which version of the document its effect is. It comes true when the copy of the
document has come to that version, so that whoever was answered reads what was done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


class Answers:
    """Futures of one connection after the other; from any thread."""

    def __init__(self) -> None:
        self._next = 1
        self._pending: dict[int, Future[Any]] = {}
        self._held: list[tuple[int, Future[Any], Any]] = []
        self._lock = threading.Lock()

    def expect(self, send: Callable[[int], None]) -> tuple[int, Future[Any]]:
        """A new number and its future; `send` is called so that numbers leave in order."""
        future: Future[Any] = Future()
        with self._lock:
            request = self._next
            self._next += 1
            self._pending[request] = future
            try:
                send(request)
            except BaseException:
                del self._pending[request]
                raise
        return request, future

    def forget(self, request: int) -> None:
        """Nobody waits for this one."""
        with self._lock:
            self._pending.pop(request, None)

    def settle(self, request: int, version: int, outcome: Any) -> None:
        """An answer has come: a result, or an exception."""
        with self._lock:
            future = self._pending.pop(request, None)
            if future is not None:
                self._held.append((version, future, outcome))

    def release(self, version: int) -> None:
        """Let come true what the copy of the document has come to."""
        with self._lock:
            ready = [held for held in self._held if held[0] <= version]
            self._held = [held for held in self._held if held[0] > version]
        for _, future, outcome in ready:
            _end(future, outcome)

    def fail(self, error: Exception) -> None:
        """The connection is lost: nobody can say what of this was done."""
        with self._lock:
            futures = [*self._pending.values(), *(future for _, future, _ in self._held)]
            self._pending.clear()
            self._held = []
        for future in futures:
            _end(future, error)


def _end(future: Future[Any], outcome: Any) -> None:
    if not future.set_running_or_notify_cancel():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
