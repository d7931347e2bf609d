"""Functions of the user's that pages offer: in the palette, by a key, in the menus of layers."""

from __future__ import annotations

import functools
import inspect
import threading
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from viewer import messages, state
from viewer.document.rules import VIEWER
from viewer.errors import ClosedError, InvalidValueError, LinkError, ViewerError
from viewer.events import ActionEvent
from viewer.keys import spell_key
from viewer.messages import Change
from viewer.scripting.reactions import Reactions, handle, resolve

if TYPE_CHECKING:
    from viewer.document.document import Document
    from viewer.scripting.reactions import Owner

Function = Callable[..., object]
"""Takes an `ActionEvent`, or nothing."""


class Action:
    """A function that pages offer; `remove` takes it away again. See `Viewer.add_action`."""

    def __init__(self, actions: Actions, number: int, offer: Offer) -> None:
        self._actions, self._number = actions, number
        self._title, self._key = offer.title, offer.key

    @property
    def title(self) -> str:
        """What it is called on pages."""
        return self._title

    @property
    def key(self) -> str | None:
        """Its key, as pages spell it; None without."""
        return self._key

    def remove(self) -> None:
        """Take it off the pages. Idempotent."""
        self._actions.remove(self._number)

    def __repr__(self) -> str:
        key = f" {self._key!r}" if self._key else ""
        return f"<Action {self._title!r}{key}>"


@dataclass(slots=True)
class Offer:
    """What pages offer, and the function behind it."""

    id: str
    title: str
    key: str | None
    layer: str | None
    function: Function

    def like(self, other: state.Action) -> bool:
        """Whether there is room for but one of them."""
        same = (other.title, other.layer) == (self.title, self.layer)
        return same or (self.key is not None and other.key == self.key)

    def change(self) -> Change:
        """What puts it on the pages."""
        return Change(("actions", self.id), state.Action(self.title, self.key, self.layer))


class Actions:
    """The actions of one viewer.

    Parameters
    ----------
    owner : Owner
        The Viewer.
    reactions : Reactions
        Whose thread calls the functions.
    prefix : callable, optional
        What the ids of its actions begin with, at this moment; default ``"a"``.
    """

    def __init__(
        self, owner: Owner, reactions: Reactions, prefix: Callable[[], str] = lambda: "a"
    ) -> None:
        self._prefix = prefix
        self._owner = owner
        self._reactions = reactions
        self._offers: dict[int, Offer] = {}
        self._next = 1
        self._lock = threading.Lock()

    def add(
        self, title: str, function: Function, *, key: str | None = None, layer: Any = None
    ) -> Action:
        """See `Viewer.add_action`."""
        if not callable(function):
            raise InvalidValueError(
                f"function={function!r} cannot be called.", hint="Give a function."
            )
        if not isinstance(title, str) or not title.strip():
            raise InvalidValueError(f"name={title!r} is not allowed.", hint="Allowed: text.")
        spelled = None if key is None else spell_key(key)
        place = self._place(layer)
        with self._lock:
            number, self._next = self._next, self._next + 1
            offer = Offer(f"{self._prefix()}{number}", title, spelled, place, function)
            self._offers[number] = offer

        def plan(now: state.Document) -> list[Change]:
            # a cell of a notebook that is run again brings the same once more
            same = [
                Change(("actions", known), remove=True)
                for known, other in now.actions.items()
                if offer.like(other)
            ]
            return [*same, offer.change()]

        document = self._document
        try:
            document.amend(plan, author=VIEWER)
        except BaseException:
            self._offers.pop(number, None)
            raise
        self._forget(document.state)
        return Action(self, number, offer)

    def remove(self, number: int) -> None:
        """Take an action off the pages."""
        document, offer = self._document, self._offers.get(number)
        if offer is not None and offer.id in document.state.actions:
            document.edit([Change(("actions", offer.id), remove=True)], author=VIEWER)
        self._offers.pop(number, None)

    def renew(self) -> None:
        """Offer everything again, after a connection was lost, and all its actions with it.

        Waits for answers. What has been taken by somebody else in the meantime stays his.
        """
        for number, offer in list(self._offers.items()):
            before, now = offer.id, f"{self._prefix()}{number}"
            if before == now:
                continue
            offer.id = now
            try:
                self._document.amend(functools.partial(_plan_again, offer, before), author=VIEWER)
            except (LinkError, ClosedError):
                offer.id = before  # the next connection does it
                return
            except ViewerError:
                self._offers.pop(number, None)

    def hear(self, message: messages.Run, session: str) -> None:
        """Do what somebody chose on a page; from any thread, quick."""
        now = self._document.state
        chosen = now.actions.get(message.action)
        offer = next((o for o in self._offers.values() if o.id == message.action), None)
        if chosen is None or offer is None:
            return  # it was taken away a moment ago
        function = offer.function
        target = message.layer
        if target is None and chosen.layer is not None:
            kinds = now.layers.get(now.active or "")
            fits = chosen.layer in (now.active, None if kinds is None else kind(kinds))
            target = now.active if fits else None
        pointer = resolve(message.pointer, now, self._owner, session)
        event = ActionEvent(**pointer, action=chosen.title, target=handle(self._owner, target))
        arguments = (event,) if takes_event(function) else ()
        self._reactions.after_now(lambda: self._reactions.callbacks.run(function, *arguments))

    def close(self) -> None:
        """Let go of the functions."""
        self._offers = {}

    @property
    def _document(self) -> Document:
        return self._owner.document

    def _place(self, layer: Any) -> str | None:
        if layer is None:
            return None
        if isinstance(layer, str):
            if layer in KINDS:
                return layer
            raise InvalidValueError(
                f"layer={layer!r} is not allowed.",
                hint=f"Allowed: a layer, or one of {', '.join(map(repr, KINDS))}.",
            )
        return str(layer.id)

    def _forget(self, now: state.Document) -> None:
        with self._lock:
            prefix = self._prefix()
            self._offers = {
                number: offer
                for number, offer in self._offers.items()
                if offer.id in now.actions or not offer.id.startswith(prefix)
            }


def _plan_again(offer: Offer, before: str, now: state.Document) -> list[Change]:
    """What puts an action on the pages again that was there as `before`."""
    others = {known: other for known, other in now.actions.items() if known != before}
    if any(offer.like(other) for other in others.values()):
        return []
    if offer.layer not in (None, *KINDS, *now.layers):
        return []
    gone = [Change(("actions", before), remove=True)] if before in now.actions else []
    return [*gone, offer.change()]


def _kinds() -> tuple[str, ...]:
    layers = typing.get_type_hints(state.Document)["layers"]
    structs = typing.get_args(typing.get_args(layers)[1])
    return tuple(str(struct.__struct_config__.tag) for struct in structs)


KINDS = _kinds()
"""Kinds of layers: ``"image"``, ``"labels"``, …"""


def kind(layer: Any) -> str:
    """The kind of a layer of the document."""
    return str(type(layer).__struct_config__.tag)


def takes_event(function: Function) -> bool:
    """Whether a function has a place for the event."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some builtins do not say
        return False
    positional = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
    )
    return any(parameter.kind in positional for parameter in parameters)


def title_of(function: Function) -> str:
    """What a function is called on pages: its first line of documentation, or its name."""
    lines = (inspect.getdoc(function) or "").strip().splitlines()
    if lines:
        return lines[0].rstrip(".")
    name = getattr(function, "__name__", "").strip("_").replace("_", " ")
    return name[:1].upper() + name[1:] if name and name != "<lambda>" else "Function of a script"
