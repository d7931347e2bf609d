"""Functions of the user's that pages offer: in the palette, by a key, in the menus of layers."""

from __future__ import annotations

import inspect
import threading
import typing
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from viewer import messages, state
from viewer.document.rules import VIEWER
from viewer.errors import InvalidValueError
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

    def __init__(self, actions: Actions, id: str, title: str, key: str | None) -> None:
        self._actions, self._id = actions, id
        self._title, self._key = title, key

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
        self._actions.remove(self._id)

    def __repr__(self) -> str:
        key = f" {self._key!r}" if self._key else ""
        return f"<Action {self._title!r}{key}>"


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
        self._functions: dict[str, Function] = {}
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
            id = f"{self._prefix()}{self._next}"
            self._next += 1
            self._functions[id] = function

        def plan(now: state.Document) -> list[Change]:
            # a cell of a notebook that is run again brings the same once more
            same = [
                Change(("actions", known), remove=True)
                for known, other in now.actions.items()
                if (other.title, other.layer) == (title, place)
                or (spelled is not None and other.key == spelled)
            ]
            return [*same, Change(("actions", id), state.Action(title, spelled, place))]

        document = self._document
        document.amend(plan, author=VIEWER)
        self._forget(document.state)
        return Action(self, id, title, spelled)

    def remove(self, id: str) -> None:
        """Take an action off the pages."""
        document = self._document
        if id in document.state.actions:
            document.edit([Change(("actions", id), remove=True)], author=VIEWER)
        self._functions.pop(id, None)

    def hear(self, message: messages.Run, session: str) -> None:
        """Do what somebody chose on a page; from any thread, quick."""
        now = self._document.state
        chosen, function = now.actions.get(message.action), self._functions.get(message.action)
        if chosen is None or function is None:
            return  # it was taken away a moment ago
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
        self._functions = {}

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
            self._functions = {
                id: function for id, function in self._functions.items() if id in now.actions
            }


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
