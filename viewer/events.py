"""What a callback is told: small values, one for each kind of event.

Names are found at ``v.events`` and ``layer.events`` (`viewer.signals`). An event says what was
true when it happened; by the time a callback runs, the document may have moved on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from viewer.state import Panel

if TYPE_CHECKING:
    from viewer.layers import AnyLayer, LabelsLayer
    from viewer.view import View

Button = Literal["left", "middle", "right"]


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """An attribute has another value: of a layer, or of the viewer.

    Whoever changed it, Python, a page, a link or an undo. Of a burst only the last value is told.

    Parameters
    ----------
    source : Layer or Viewer
        What has the attribute.
    name : str
        The attribute: ``"contrast_limits"``.
    value : object
        What it is now.
    old : object
        What it was when it was last told. None for ``data``, which is changed in place.
    """

    source: Any
    name: str
    value: Any
    old: Any


@dataclass(frozen=True, slots=True)
class LayersEvent:
    """Layers were added, removed or put in another order.

    Parameters
    ----------
    added : tuple of Layer
    removed : tuple of str
        Names: the layers themselves are no more.
    names : tuple of str
        All of them now, bottom first.
    """

    added: tuple[AnyLayer, ...]
    removed: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SelectionEvent:
    """Other labels of a layer are selected.

    Parameters
    ----------
    layer : LabelsLayer
    selected : frozenset of int
        All of them now.
    added, removed : frozenset of int
        How they differ from those before.
    """

    layer: LabelsLayer
    selected: frozenset[int]
    added: frozenset[int]
    removed: frozenset[int]


@dataclass(frozen=True, slots=True)
class ViewEvent:
    """The view was moved or laid out anew.

    Parameters
    ----------
    view : View
    changed : frozenset of str
        Names of the attributes of `View` that differ: ``{"center", "zoom"}``.
    center : tuple of float
        World position (z, y, x) where the slices cross, in `View.units`.
    position : dict of str to float
        World position on every leading axis.
    """

    view: View
    changed: frozenset[str]
    center: tuple[float, float, float]
    position: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEvent:
    """Something happened on a page, with the pointer where it was.

    Parameters
    ----------
    panel : {"xy", "xz", "yz", "3d"} or None
        The panel under the pointer; None outside of all, and then the rest is None, too.
    position : tuple of float or None
        World position (z, y, x) in `View.units`; None where a 3-D panel shows nothing.
    layer : Layer or None
        The topmost layer with something there: the label, surface or voxel under the pointer.
    index : tuple of int or None
        Index of the voxel in `layer.data`, for every axis, array order.
    value : int, float, bool or None
        Value of that voxel; None while it is not loaded.
    label : int or None
        The label under the pointer that is drawn, on a slice or as a mesh.
    modifiers : frozenset of str
        Of ``"Shift"``, ``"Control"``, ``"Alt"`` and ``"Meta"`` (⌘), those held down.
    session : str
        Id of the page.
    """

    panel: Panel | None
    position: tuple[float, float, float] | None
    layer: AnyLayer | None
    index: tuple[int, ...] | None
    value: Any
    label: int | None
    modifiers: frozenset[str]
    session: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickEvent(PageEvent):
    """A button was pressed and released without moving.

    Parameters
    ----------
    button : {"left", "middle", "right"}
    clicks : int
        1, or 2 for the second click of a double-click.
    """

    button: Button
    clicks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoverEvent(PageEvent):
    """The pointer has moved, at most once a frame; when it leaves the panels, `panel` is None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEvent(PageEvent):
    """A key was pressed, outside of text fields.

    Parameters
    ----------
    key : str
        As `bind_key` spells it: ``"k"``, ``"Shift+k"``, ``"ArrowLeft"``, ``" "``.
    """

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionEvent(PageEvent):
    """An action of Python's was chosen in a menu, in the palette, or by its key.

    Parameters
    ----------
    action : str
        Its title.
    target : Layer or None
        The layer in whose menu it was chosen, else the active one if the action is for such.
    """

    action: str
    target: AnyLayer | None
