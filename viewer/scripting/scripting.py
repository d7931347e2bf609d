"""What a script does with a Viewer beside setting attributes: it listens, adds actions, undoes."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from viewer import messages
from viewer.document.document import Document
from viewer.document.rules import VIEWER

if TYPE_CHECKING:
    from viewer.layers import AnyLayer
    from viewer.scripting.actions import Action, Actions
    from viewer.scripting.reactions import Reactions
    from viewer.signals import Events

F = TypeVar("F", bound=Callable[..., object])


class Scripting(ABC):
    """The part of the Viewer that calls back."""

    _lock: threading.RLock
    _made_reactions: Reactions | None = None
    _made_actions: Actions | None = None
    _document: Document
    _listeners: Mapping[str, tuple[str, ...]] = MappingProxyType({})

    @abstractmethod
    def _open(self) -> Document:
        """The document; `ClosedError` when all is over."""

    @abstractmethod
    def _pass_on(self, message: messages.Happened) -> None:
        """Tell the links."""

    @property
    def events(self) -> Events:
        """What happens, as psygnal signals: ``v.events.click.connect(function)``.

        ``click``, ``hover`` and ``key`` on pages (`viewer.events.ClickEvent`, `HoverEvent`,
        `KeyEvent`); ``selection`` of labels (`SelectionEvent`), ``view`` (`ViewEvent`),
        ``layers`` (`LayersEvent`), ``active``, ``theme`` and ``title`` (`ChangeEvent`), whoever
        changed them. Functions take the event or nothing, and are called one by one on a thread
        of their own, which never holds up pages; they may do everything that scripts may.

        Examples
        --------
        >>> @v.events.click.connect
        ... def show(event):
        ...     print(event.layer, event.index, event.value)
        """
        self._open()
        return self._reactions.events()

    @overload
    def bind_key(self, key: str, function: None = None) -> Callable[[F], F]: ...

    @overload
    def bind_key(self, key: str, function: F) -> F: ...

    def bind_key(self, key: str, function: Any = None) -> Any:
        """Have a key of the page call a function; a decorator.

        The key takes the place of what was bound to it before. Pages list it among their keys,
        under the first line of the function's documentation.

        Parameters
        ----------
        key : str
            ``"k"``, ``"Shift+k"``, ``"PageUp"``, …
        function : callable, optional
            Takes an `viewer.events.ActionEvent`, which says where the pointer is, or nothing.

        Returns
        -------
        callable
            The function, or, without one, what takes it.

        Raises
        ------
        InvalidValueError
            For a key that the page or browsers use themselves.

        Examples
        --------
        >>> @v.bind_key("k")
        ... def keep(event):
        ...     cells.selected.add(event.label)
        """
        from viewer.keys import spell_key
        from viewer.scripting.actions import title_of

        self._open()
        spell_key(key)

        def bind(function: F) -> F:
            self._actions.add(title_of(function), function, key=key)
            return function

        return bind if function is None else bind(function)

    def add_action(
        self,
        name: str,
        function: Callable[..., object],
        *,
        key: str | None = None,
        layer: AnyLayer | str | None = None,
    ) -> Action:
        """Have pages offer a function, in the palette (``H``) and among their keys.

        One with the same name, or key, that was added before is replaced.

        Parameters
        ----------
        name : str
            What it is called.
        function : callable
            Takes an `viewer.events.ActionEvent`, or nothing; called as those of `events` are.
        key : str, optional
            As in `bind_key`.
        layer : Layer or str, optional
            Offer it in the menu of this layer, or of all layers of a kind (``"labels"``), too.

        Returns
        -------
        Action
            Its ``remove()`` takes it away again.

        Raises
        ------
        InvalidValueError
            For a key that the page or browsers use themselves, or what is no kind of layer.
        """
        self._open()
        return self._actions.add(name, function, key=key, layer=layer)

    def undo(self) -> str | None:
        """Take back what was done last, in Python or on a page.

        Looks, names, order and selections are taken back; moves of the view, and what concerns the
        data, are not, nor is the removal of a layer.

        Returns
        -------
        str or None
            What it was, as ``"contrast_limits of 'raw'"``; None when there is nothing more.
        """
        return self._open().undo(author=VIEWER)

    def redo(self) -> str | None:
        """Do again what `undo` took back last, unless something else was done since."""
        return self._open().undo(author=VIEWER, redo=True)

    def hear(self, message: messages.Event | messages.Run, session: str, /) -> None:
        """Take what happened on a page; for the server."""
        if isinstance(message, messages.Run):
            if self._made_actions is not None:
                self._made_actions.hear(message, session)
        elif self._made_reactions is not None:
            self._made_reactions.hear(message, session)
        if self._listeners.keys() - {""} or isinstance(message, messages.Run):
            self._pass_on(messages.Happened(message, session))

    def listen(self, events: tuple[str, ...], session: str = "") -> None:
        """Have pages send these events for somebody: this process, or the link of that id."""
        with self._lock:
            listeners = {key: names for key, names in self._listeners.items() if key != session}
            self._listeners = {**listeners, session: events} if events else listeners
            wanted = {name for names in self._listeners.values() for name in names}
            listening = tuple(name for name in messages.PAGE_EVENTS if name in wanted)
            document = self._document
            if document.state.listening != listening:
                document.edit([messages.Change(("listening",), listening)], author=VIEWER)

    def events_of(self, layer: AnyLayer) -> Events:
        """The events of a layer: `Layer.events`."""
        self._open()
        return self._reactions.layer_events(layer)

    # --- inside -------------------------------------------------------------------------------

    @property
    def _reactions(self) -> Reactions:
        with self._lock:
            if self._made_reactions is None:
                from viewer.scripting.reactions import Reactions

                self._open()
                owner: Any = self
                self._made_reactions = Reactions(owner)
            return self._made_reactions

    @property
    def _actions(self) -> Actions:
        with self._lock:
            if self._made_actions is None:
                from viewer.scripting.actions import Actions

                owner: Any = self
                self._made_actions = Actions(owner, self._reactions)
            return self._made_actions

    def _end_scripting(self) -> None:
        """Call nothing any more."""
        if self._made_reactions is not None:
            self._made_reactions.close()
        if self._made_actions is not None:
            self._made_actions.close()
