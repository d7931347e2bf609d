"""The thread on which the user's functions are called.

One for each viewer, made when somebody first listens. It calls one function after another, in the
order in which things happened, and never runs on the server's loop: a callback may take its time,
wait for input, or stop the viewer. What it may not do is stop others: an error ends the one call,
is logged with its traceback, and told on the pages.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from viewer.messages import Notice

_log = logging.getLogger("viewer")

WAITING = 1000
"""Calls that wait at most; more clicks than that, behind a callback that hangs, are forgotten."""


class Callbacks:
    """Calls functions in order, on one thread.

    Parameters
    ----------
    catch_up : callable
        Called on the thread after every `wake`, once for all of them.
    report : callable
        Takes a `Notice` of what failed.
    """

    def __init__(self, catch_up: Callable[[], None], report: Callable[[Notice], None]) -> None:
        self.condition = threading.Condition(threading.RLock())
        self._catch_up = catch_up
        self._report = report
        self._calls: deque[tuple[object, Callable[[], None]]] = deque()
        self._woken = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Something may have changed."""
        with self.condition:
            self._woken = True
            self._start()
            self.condition.notify_all()

    def call(self, function: Callable[[], None], *, key: object = None) -> None:
        """Have the thread call `function` after all that was asked for before.

        Parameters
        ----------
        function : callable
            Without arguments.
        key : object, optional
            While a call with the same key is the last one waiting, this one takes its place.
        """
        with self.condition:
            if self._closed:
                return
            if key is not None and self._calls and self._calls[-1][0] == key:
                self._calls.pop()
            if len(self._calls) < WAITING:
                self._calls.append((key, function))
            self._start()
            self.condition.notify_all()

    def run(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call a function of the user's now; its error is told, and goes no further."""
        try:
            function(*arguments)
        except BaseException as error:  # SystemExit, too, ends the call alone
            name = getattr(function, "__qualname__", None) or repr(function)
            self.failed(name, error)

    def failed(self, name: str, error: BaseException) -> None:
        """Tell of the error that a function has ended with."""
        _log.error("The callback %s failed.", name, exc_info=error)
        self._report(
            Notice(
                "callback",
                f"{name}: {type(error).__name__}: {error}",
                "Python's log has the traceback.",
            )
        )

    def close(self) -> None:
        """End the thread after the call that it is in, if any. Idempotent; waits for nothing."""
        with self.condition:
            self._closed = True
            self._calls.clear()
            self.condition.notify_all()

    def _start(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(
                target=self._loop, name="voxelview-callbacks", daemon=True
            )
            self._thread.start()

    def _loop(self) -> None:
        while True:
            with self.condition:
                while not (self._closed or self._calls or self._woken):
                    self.condition.wait()
                if self._closed:
                    return
                if self._calls:
                    _, function = self._calls.popleft()
                else:
                    self._woken = False
                    function = self._catch_up
            try:
                function()
            except Exception as error:  # ours, not the user's: still no reason to stall
                self.failed("viewer", error)
            del function  # it may hold a layer
