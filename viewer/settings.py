"""Attributes that live in the document.

A layer, the view and the camera are handles: they hold no values of their own, each attribute is
one path of the document. Reading gives what is true now, whoever set it; setting is an edit,
validated by the document, and pages follow. A misspelt attribute is refused with a suggestion,
since Python would otherwise accept it silently.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar, overload

from viewer.document.document import Document
from viewer.document.rules import VIEWER
from viewer.errors import UnknownOptionError, did_you_mean
from viewer.messages import Change

T = TypeVar("T")

SYNONYMS: dict[str, str] = {
    "alpha": "opacity",
    "clim": "contrast_limits",
    "vmin": "contrast_limits",
    "vmax": "contrast_limits",
    "lut": "colormap",
    "palette": "colormap",
    "spacing": "scale",
    "resolution": "scale",
    "voxel_size": "scale",
    "offset": "translate",
    "origin": "translate",
    "unit": "units",
    "axes": "axis_labels",
    "dims": "axis_labels",
    "title": "name",
    "label": "name",
}
"""What other programs call an option → what it is called here."""


READ_ONLY: dict[str, str] = {
    "data": " Change its voxels and call refresh(), or remove the layer and add other data.",
    "units": " Add the data with units=….",
    "axis_labels": " Add the data with axis_labels=….",
}
"""What other programs set, and the way to it here."""


class Settings:
    """Base of the handles: attributes are `Setting` objects, others cannot be set."""

    def _located(self) -> tuple[Document, tuple[str, ...]]:
        """The document and the path of this handle in it; `ClosedError` when it is no more."""
        raise NotImplementedError

    def _get(self, path: tuple[str, ...]) -> Any:
        document, prefix = self._located()
        node: Any = document.state
        for key in (*prefix, *path):
            node = node[key] if isinstance(node, dict) else getattr(node, key)
        return node

    def _set(self, path: tuple[str, ...], value: object) -> None:
        document, prefix = self._located()
        document.edit([Change((*prefix, *path), value)], author=VIEWER)

    def __setattr__(self, name: str, value: object) -> None:
        check_settable(type(self), name)
        object.__setattr__(self, name, value)


class Setting(Generic[T]):
    """An attribute of a `Settings` object that is one field of the document.

    Parameters
    ----------
    *path : str
        From the object's own place in the document to the field.
    doc : str
        The attribute's documentation.
    """

    def __init__(self, *path: str, doc: str) -> None:
        self.path = path
        self.__doc__ = doc

    @overload
    def __get__(self, owner: None, kind: type) -> Setting[T]: ...

    @overload
    def __get__(self, owner: Settings, kind: type) -> T: ...

    def __get__(self, owner: Settings | None, kind: type) -> Setting[T] | T:
        """The value now; the Setting itself when asked of the class."""
        if owner is None:
            return self
        value: T = owner._get(self.path)
        return value

    def __set__(self, owner: Settings, value: T) -> None:
        """Edit the document."""
        owner._set(self.path, value)


def settable(kind: type) -> frozenset[str]:
    """Names of the attributes that can be set on objects of this class."""
    return frozenset(
        name
        for cls in kind.__mro__
        for name, member in vars(cls).items()
        if isinstance(member, Setting) or (isinstance(member, property) and member.fset)
    )


def check_settable(kind: type, name: str) -> None:
    """Refuse to set what is no attribute of a class, or only to be read.

    Raises
    ------
    UnknownOptionError, AttributeError
    """
    known = settable(kind)
    if isinstance(getattr(kind, name, None), property) and name not in known:
        way = READ_ONLY.get(name, "")
        raise AttributeError(f"{name!r} of {kind.__name__} cannot be set.{way}", name=name)
    if not (name.startswith("_") or name in known):
        raise UnknownOptionError(
            f"{kind.__name__} has no attribute {name!r} to set.", hint=suggest(name, known)
        )


def suggest(name: str, known: Iterable[str]) -> str:
    """``"Did you mean 'opacity'?"`` for a misspelling or another program's word."""
    known = set(known)
    synonym = SYNONYMS.get(name.lower())
    return f"Did you mean {synonym!r}?" if synonym in known else did_you_mean(name, known)


def refuse_unknown(function: str, unknown: Iterable[str], known: Iterable[str]) -> None:
    """Refuse keywords that a function does not have.

    Raises
    ------
    UnknownOptionError
        For the first of `unknown`, with a suggestion from `known`.
    """
    for name in unknown:
        raise UnknownOptionError(f"{function}() has no option {name!r}.", hint=suggest(name, known))
