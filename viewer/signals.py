"""Signals by psygnal whose callbacks run one by one, on the thread of `viewer.callbacks`.

Imported when events are first used, as psygnal is.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from psygnal import SignalInstance

from viewer.callbacks import Callbacks
from viewer.settings import suggest

_ONE_ARGUMENT = inspect.Signature([inspect.Parameter("event", inspect.Parameter.POSITIONAL_ONLY)])


class EventSignal(SignalInstance):
    """One event that functions can be connected to; they take the event, or nothing.

    psygnal's `SignalInstance` with two differences. Callbacks are called without its lock, so
    that others may connect meanwhile, and the error of one does not keep the event from the next.
    And each knows the version of the document at which it was connected, for it hears of nothing
    that was before.
    """

    def __init__(
        self,
        name: str,
        mark: Callable[[], int],
        listened: Callable[[], None],
        callbacks: Callbacks,
    ) -> None:
        super().__init__(_ONE_ARGUMENT, name=name)
        self._mark = mark
        self._listened = listened
        self._callbacks = callbacks
        self._since: dict[int, int] = {}

    def deliver(self, event: object, version: int) -> None:
        """Call everybody who was connected before `version`; on the thread of callbacks."""
        if self._is_blocked:
            return
        for slot in tuple(self._slots):
            if self._since.get(id(slot), version) < version:
                if slot.dereference() is None:
                    continue  # its object has gone, and psygnal takes it out
                try:
                    slot.cb((event,))
                except BaseException as error:  # SystemExit, too, ends the call alone
                    self._callbacks.failed(slot.slot_repr(), error)

    def _append_slot(self, slot: Any) -> None:
        with self._callbacks.condition:
            kept = {id(known) for known in self._slots}
            self._since = {key: at for key, at in self._since.items() if key in kept}
            self._since[id(slot)] = self._mark()
            super()._append_slot(slot)
        self._listened()

    def _remove_slot(self, slot: Any) -> None:
        super()._remove_slot(slot)
        self._callbacks.call(self._listened)  # later: the garbage collector may have called us


class Events:
    """The events of one thing, by name: ``layer.events.opacity.connect(function)``.

    Each is a psygnal signal: ``connect`` takes a function of one argument, the event, or of none,
    and can be a decorator; ``disconnect`` takes it away again; ``with signal.blocked():`` keeps
    still. Methods are held weakly, so an object that is connected may come to its end.

    Functions are called on a thread of their own, one by one and in order. A function that raises
    does no harm: the error is logged and told on the pages.
    """

    def __init__(self, owner: str, signals: Mapping[str, EventSignal]) -> None:
        self._owner = owner
        self._signals = dict(signals)

    def __getattr__(self, name: str) -> EventSignal:
        if not name.startswith("_"):
            try:
                return self._signals[name]
            except KeyError:
                pass
            raise AttributeError(
                f"{self._owner} has no event {name!r}. {suggest(name, self._signals)}"
            )
        raise AttributeError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._signals)

    def __dir__(self) -> list[str]:
        return sorted(self._signals)

    def __repr__(self) -> str:
        return f"<Events of {self._owner}: {', '.join(self._signals)}>"
