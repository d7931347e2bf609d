"""What a Viewer and a Link to one have in common: handles on the whole of a document.

Nothing is kept here but the document and the handles of its layers, so it is the same in the
Viewer's own process and in another one, where the document is a copy that follows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from viewer import state
from viewer.document.document import Document
from viewer.document.rules import VIEWER
from viewer.layer_list import Key, LayerList
from viewer.layers import AnyLayer
from viewer.messages import Change
from viewer.settings import check_settable
from viewer.view import View


class Face(ABC):
    """Layers, view and what else the document says.

    Parameters
    ----------
    layers : dict
        The layers' handles by id; looked up, never changed here.
    """

    _document: Document

    def __init__(self, layers: dict[str, AnyLayer]) -> None:
        self._handles = layers
        self._layer_list = LayerList(self._open, layers)
        self._view = View(self._open)

    def __setattr__(self, name: str, value: object) -> None:
        check_settable(type(self), name)
        object.__setattr__(self, name, value)

    @property
    def layers(self) -> LayerList:
        """The layers, bottom first: by name, index or id."""
        self._open()
        return self._layer_list

    @property
    def view(self) -> View:
        """What part of the world is looked at, and how the window is laid out."""
        self._open()
        return self._view

    @property
    def active(self) -> AnyLayer | None:
        """The layer whose controls the page shows; assign a layer, its name, index or None."""
        return self._handles.get(self._open().state.active or "")

    @active.setter
    def active(self, layer: Key | None) -> None:
        def plan(now: state.Document) -> list[Change]:
            return [
                Change(("active",), None if layer is None else self._layer_list._find(now, layer))
            ]

        self._open().amend(plan, author=VIEWER)

    @contextmanager
    def txn(self) -> Iterator[None]:
        """Make all that this thread changes within the block one change, or none of it.

        Pages, other threads and callbacks see nothing of it until its end, and then all at once;
        it is one step for `undo`. When the block raises, or an edit turns out to be impossible at
        the end (somebody has removed the layer meanwhile), nothing is changed. What others change
        in the meantime stays, and where both have changed the same thing, the block wins. Blocks
        may be nested: an inner one that raises takes back its own changes.

        Examples
        --------
        >>> with v.txn():
        ...     image.colormap = "magma"
        ...     image.contrast_limits = (10, 200)
        """
        with self._open().transaction():
            yield

    @property
    def title(self) -> str:
        """Title of the page."""
        return self._open().state.title

    @title.setter
    def title(self, value: str) -> None:
        self._open().edit([Change(("title",), value)], author=VIEWER)

    @property
    def theme(self) -> state.Theme:
        """Look of the page: ``"dark"`` (default) or ``"light"``."""
        return self._open().state.theme

    @theme.setter
    def theme(self, value: state.Theme) -> None:
        self._open().edit([Change(("theme",), value)], author=VIEWER)

    @property
    @abstractmethod
    def url(self) -> str:
        """Address of the page, with a slash at its end."""

    @abstractmethod
    def _open(self) -> Document:
        """The document; `ClosedError` when all is over."""

    @property
    @abstractmethod
    def closed(self) -> bool:
        """Whether it has been closed."""

    @abstractmethod
    def close(self) -> None:
        """End it; idempotent."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __str__(self) -> str:
        return self.url

    def __repr__(self) -> str:
        kind, shown = type(self).__name__, self._document.state
        if self.closed:
            return f"<{kind} {shown.title!r} (closed)>"
        names = ", ".join(repr(shown.layers[key].name) for key in shown.order)
        return f"<{kind} {shown.title!r}: {names or 'no layers'}>"
