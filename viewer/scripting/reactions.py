"""What the viewer's own Python hears: changes of the document, and what people do on pages.

Changes are told from *versions*. The thread of callbacks holds the state that it told last; when
the document has moved on, it compares that with what is now, and tells what differs. So it does
not matter who made a change, a burst is told as its last value, and what was changed and changed
back in between is not told at all. What happens on pages stands in one queue with that: before a
click is told, so is everything that the document had become by then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from viewer import messages, state
from viewer.callbacks import Callbacks
from viewer.document.document import Document
from viewer.events import (
    ChangeEvent,
    ClickEvent,
    HoverEvent,
    KeyEvent,
    LayersEvent,
    SelectionEvent,
    ViewEvent,
)
from viewer.messages import PAGE_EVENTS, Notice
from viewer.settings import Settings
from viewer.watched import watched

if TYPE_CHECKING:
    from viewer.layers import AnyLayer
    from viewer.signals import Events, EventSignal
    from viewer.view import View

FROM_VERSIONS = ("selection", "view", "layers", "active", "theme", "title")
"""Events of the viewer that come from versions of the document."""


class Owner(Protocol):
    """What is needed of the Viewer."""

    @property
    def document(self) -> Document:
        """The state that pages see and edit."""

    @property
    def view(self) -> View:
        """What part of the world is looked at."""

    def layer(self, id: str, /) -> AnyLayer:
        """The layer with this id."""

    def report(self, notice: Notice, /) -> None:
        """Keep what a user should read, and show it on the pages."""

    def listen(self, events: tuple[str, ...]) -> None:
        """Have pages send these of `messages.PAGE_EVENTS`, and no others."""


class Reactions:
    """The events of one viewer and its layers, and the thread that tells them.

    Parameters
    ----------
    owner : Owner
        The Viewer.
    """

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._document = owner.document
        self._lock = threading.Lock()
        self._told = self._document.snapshot()
        self._signals: dict[str, EventSignal] = {}
        self._events: Events | None = None
        self._listening: tuple[str, ...] = ()
        self._layers: dict[str, tuple[AnyLayer, Events, dict[str, EventSignal]]] = {}
        self._unsubscribe: Callable[[], None] = lambda: None
        self.callbacks = Callbacks(self._catch_up, owner.report)

    def events(self) -> Events:
        """Those of the viewer."""
        from viewer.signals import Events

        with self._lock:
            if self._events is None:
                self._watch()
                self._signals = {
                    name: self._signal(name) for name in (*PAGE_EVENTS, *FROM_VERSIONS)
                }
                self._events = Events("the viewer", self._signals)
            return self._events

    def layer_events(self, layer: AnyLayer) -> Events:
        """Those of a layer: one for each attribute that can be set."""
        from viewer.signals import Events

        with self._lock:
            if layer.id not in self._layers:
                self._watch()
                signals = {name: self._signal(name) for name in watched(type(layer))}
                events = Events(f"{layer.kind} layers", signals)
                self._layers[layer.id] = layer, events, signals
            return self._layers[layer.id][1]

    def hear(self, message: messages.Event, session: str) -> None:
        """Tell what a page says has happened; from any thread, quick."""
        signal = self._signals.get(message.event)
        if signal is None or len(signal) == 0:
            return
        with self.callbacks.condition:
            then = self._document.snapshot()
            pointer = resolve(message.pointer, then[1], self._owner, session)

            def tell() -> None:
                self._tell_until(then)
                event: object
                if message.event == "click":
                    event = ClickEvent(**pointer, button=message.button, clicks=message.clicks)
                elif message.event == "key":
                    event = KeyEvent(**pointer, key=message.key)
                else:
                    event = HoverEvent(**pointer)
                signal.deliver(event, then[0] + 1)

            self.callbacks.call(tell, key="hover" if message.event == "hover" else None)

    def after_now(self, function: Callable[[], None]) -> None:
        """Have `function` called on the thread of callbacks, when what is now has been told."""
        with self.callbacks.condition:
            then = self._document.snapshot()

            def call() -> None:
                self._tell_until(then)
                function()

            self.callbacks.call(call)

    def close(self) -> None:
        """End the thread, when the callback that runs has come to its end. Idempotent."""
        self._unsubscribe()
        self.callbacks.close()
        self._layers = {}
        self._told = (-1, state.Document())

    # --- inside -------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Follow the document from now on, unless that is done already."""
        if self._events is None and not self._layers:
            self._told = self._document.snapshot()
            self._unsubscribe()
            self._unsubscribe = self._document.subscribe(self.callbacks.wake)

    def _signal(self, name: str) -> EventSignal:
        from viewer.signals import EventSignal

        return EventSignal(name, self._mark, self._listen, self.callbacks)

    def _mark(self) -> int:
        """The version from which on a new callback is told; within the queue's lock."""
        then = self._document.snapshot()
        self.callbacks.call(lambda: self._tell_until(then))
        return then[0]

    def _listen(self) -> None:
        """Have pages send what somebody listens to, and nothing else."""
        signals = self._signals
        listening = tuple(name for name in PAGE_EVENTS if name in signals and len(signals[name]))
        if self._listening != listening:
            self._listening = listening
            self._owner.listen(listening)

    def _catch_up(self) -> None:
        with self.callbacks.condition:  # nobody can be connected in between
            then = self._document.snapshot()
        self._tell_until(then)

    def _tell_until(self, then: tuple[int, state.Document]) -> None:
        """Tell how `then` differs from what was told; on the thread of callbacks."""
        version, before = self._told
        if not -1 < version < then[0]:
            return
        self._told = then
        version, now = then
        for key, (layer, _, signals) in list(self._layers.items()):
            old, new = before.layers.get(key), now.layers.get(key)
            if new is None:
                self._layers.pop(key, None)
            elif old is not None and old is not new:
                _tell_layer(layer, signals, old, new, version)
        self._tell_viewer(before, now, version)

    def _tell_viewer(self, before: state.Document, now: state.Document, version: int) -> None:
        wanted = {name: signal for name, signal in self._signals.items() if len(signal)}
        if "layers" in wanted and (before.order, names(before)) != (now.order, names(now)):
            added = tuple(self._handle(key) for key in now.order if key not in before.layers)
            gone = [before.layers[key].name for key in before.order if key not in now.layers]
            event = LayersEvent(tuple(filter(None, added)), tuple(gone), names(now))
            wanted["layers"].deliver(event, version)
        if "selection" in wanted:
            for key, layer in now.layers.items():
                old = before.layers.get(key)
                if old is layer or not isinstance(layer, state.LabelsLayer):
                    continue
                was = old.style.selected if isinstance(old, state.LabelsLayer) else ()
                handle: Any = self._handle(key)
                if was is not layer.style.selected and handle is not None:
                    left = frozenset(map(int, was))
                    kept = frozenset(map(int, layer.style.selected))
                    if left != kept:
                        selection = SelectionEvent(handle, kept, kept - left, left - kept)
                        wanted["selection"].deliver(selection, version)
        if "view" in wanted and before.view is not now.view:
            fields = now.view.__struct_fields__
            changed = frozenset(
                name for name in fields if getattr(before.view, name) != getattr(now.view, name)
            )
            if changed:
                told = ViewEvent(
                    self._owner.view, changed, now.view.center, dict(now.view.position)
                )
                wanted["view"].deliver(told, version)
        for name in ("active", "theme", "title"):
            a, b = getattr(before, name), getattr(now, name)
            if name in wanted and a != b:
                if name == "active":
                    a, b = self._handle(a), self._handle(b)
                wanted[name].deliver(ChangeEvent(self._owner, name, b, a), version)

    def _handle(self, key: str | None) -> AnyLayer | None:
        return handle(self._owner, key)


def names(document: state.Document) -> tuple[str, ...]:
    """Names of the layers, bottom first."""
    return tuple(document.layers[key].name for key in document.order)


def handle(owner: Owner, key: str | None) -> AnyLayer | None:
    """The layer with an id, None where there is none any more."""
    try:
        return None if key is None else owner.layer(key)
    except KeyError:
        return None


def resolve(
    pointer: messages.Pointer, now: state.Document, owner: Owner, session: str
) -> dict[str, Any]:
    """What is under the pointer, as the fields of a `PageEvent`."""
    shown = now.layers.get(pointer.layer or "")
    value: Any = None
    if shown is not None and pointer.value is not None:
        value = _value(pointer.value, shown)
    return {
        "panel": pointer.panel,
        "position": pointer.position,
        "layer": handle(owner, pointer.layer),
        "index": pointer.index,
        "value": value,
        "label": None if pointer.label is None else int(pointer.label),
        "modifiers": frozenset(pointer.modifiers),
        "session": session,
    }


def _value(text: str, layer: state.ImageLayer | state.LabelsLayer | state.SurfaceLayer) -> Any:
    dtype = layer.data.dtype
    try:
        if dtype == "bool":
            return text in ("True", "1")
        return float(text) if dtype.startswith("float") else int(text)
    except ValueError:
        return None


def _tell_layer(
    layer: Settings,
    signals: dict[str, EventSignal],
    old: state.ImageLayer | state.LabelsLayer | state.SurfaceLayer,
    new: state.ImageLayer | state.LabelsLayer | state.SurfaceLayer,
    version: int,
) -> None:
    for name, read in watched(type(layer)).items():
        signal = signals[name]
        if len(signal) == 0:
            continue
        a, b = read(old), read(new)
        if a is b or a == b:
            continue
        if name == "data":
            a, b = None, getattr(layer, "data", None)
        signal.deliver(ChangeEvent(layer, name, b, a), version)
