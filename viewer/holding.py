"""The layers of a Viewer, from their making to their end.

A layer is made first, complete, and becomes visible to everybody by one edit of the document, the
door that every change goes through. When the document no longer has it, whoever removed it, its
data is let go.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from viewer import state
from viewer.affine import plan_affine
from viewer.document.document import Document
from viewer.document.rules import VIEWER
from viewer.errors import ViewerError
from viewer.layers import (
    AnyLayer,
    ImageLayer,
    LabelsLayer,
    Layer,
    SurfaceLayer,
    unique_name,
)
from viewer.messages import Change, Notice, Progress
from viewer.orientation import STRAIGHT, Quaternion
from viewer.pyramids.pyramid import Pyramid
from viewer.saved_view import Origin
from viewer.sources import Description, Source
from viewer.world import view_units

L = TypeVar("L", ImageLayer, LabelsLayer)


class Holding(ABC):
    """The part of the Viewer that holds layers.

    Parameters
    ----------
    document : Document
        Where they are shown.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._layers: dict[str, AnyLayer] = {}
        self._origins: dict[str, Origin] = {}
        self._lock = threading.RLock()
        self._next_id = 1

    @property
    def document(self) -> Document:
        """The state that pages see and edit."""
        return self._document

    @property
    @abstractmethod
    def url(self) -> str:
        """Address of the page, with a slash at its end."""

    @abstractmethod
    def report(self, notice: Notice, /) -> None:
        """Keep an error for the user and show it on the pages."""

    @abstractmethod
    def tell(self, progress: Progress) -> None:
        """Show progress on the pages."""

    @abstractmethod
    def add_surface(self, data: Any) -> Any:
        """Show triangles; see `Viewer.add_surface`."""

    @abstractmethod
    def events_of(self, layer: Any, /) -> Any:
        """The events of a layer."""

    @abstractmethod
    def _open(self) -> Document:
        """The document; `ClosedError` when all is over."""

    def _new(
        self, kind: type[L], name: str, described: Description, source: Source, affine: Any
    ) -> L:
        """A layer, known to the server but not yet in the document."""
        said = described.affine_in(source.units) if affine is None else affine
        turned = plan_affine(said, source.axes)
        with self._lock:
            self._open()
            layer_id = f"l{self._next_id}"
            self._next_id += 1
            pyramid = Pyramid(source, kind.kind, affine=turned)  # type: ignore[arg-type]
            layer = kind(self, layer_id, str(name), described.data, pyramid)
            self._layers[layer_id] = layer
        return layer

    def _show(
        self,
        layers: Sequence[AnyLayer],
        names: Sequence[Any],
        styles: Sequence[Mapping[str, object]],
        *,
        visible: Sequence[object],
        metadata: Mapping[str, Any] | None,
        upright: Quaternion = STRAIGHT,
    ) -> None:
        """Put new layers into the document, on top, by one edit.

        `upright` is how the slices lie that show them as their field does; it counts for the first.
        """

        def plan(now: state.Document) -> list[Change]:
            units = view_units(now, [layer.pyramid.units for layer in layers])
            changes = [Change(("view", "units"), units)]
            if not now.layers:
                changes.append(Change(("view", "upright"), upright))
            taken = {shown.name for shown in now.layers.values()}
            for layer, name, style, seen in zip(layers, names, styles, visible, strict=True):
                given = unique_name(name, taken)
                taken.add(given)
                value: dict[str, object] = {
                    "kind": layer.kind,
                    "id": layer.id,
                    "name": given,
                    "data": layer.describe(units),
                    "style": style,
                    "visible": seen,
                    "metadata": {} if metadata is None else metadata,
                }
                if isinstance(layer, SurfaceLayer):
                    surface, _ = layer.surface()
                    value["vertices"], value["faces"] = len(surface.vertices), len(surface.faces)
                    value["valued"] = surface.values is not None
                changes.append(Change(("layers", layer.id), value))
            changes.append(Change(("active",), layers[-1].id))
            return changes

        def ended(made: bool) -> None:
            with self._lock:
                if made:
                    for layer in layers:
                        layer._shown = True
                else:
                    self._discard(layers)
                self._settle()

        with self._lock:
            self._open()
            self._document.amend(plan, author=VIEWER)
            self._document.afterwards(ended)
        for layer in layers:
            if isinstance(layer, LabelsLayer):
                with suppress(ViewerError):  # a page has removed it already
                    layer.meshes.prepare()

    def _tell_notices(self, described: Description, layer: Layer) -> None:
        """What the user should know about data that was added."""
        for message in described.suggestions.notices:
            self.report(Notice("data", message, layer=layer.id))

    def _discard(self, layers: Sequence[Layer]) -> None:
        for layer in layers:
            self._layers.pop(layer.id, None)
            layer.release()

    def _settle(self) -> None:
        """Let go of layers that the document no longer has, whoever removed them."""
        _, now = self._document.snapshot()
        for key, layer in list(self._layers.items()):
            if key not in now.layers and layer._shown:
                self._layers.pop(key, None)
                layer.release()
        with self._lock:
            for key in self._origins.keys() - self._layers.keys():
                del self._origins[key]
