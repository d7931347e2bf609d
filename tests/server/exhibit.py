"""A Viewer's two essentials, a document and layers."""

from __future__ import annotations

from typing import Any

from viewer import state
from viewer.document.document import Document
from viewer.errors import UnknownLayerError
from viewer.messages import Change, Event, Notice, Run
from viewer.pyramids.pyramid import Pyramid
from viewer.sources import as_source

TOKEN = "0123456789abcdef0123456789abcdef01234567"


class Layer:
    """A layer as the server sees it."""

    def __init__(self, pyramid: Pyramid, meshes: Any = None) -> None:
        self.kind = "image" if meshes is None else "labels"
        self.pyramid = pyramid
        self.meshes = meshes


class Sliced:
    """An array that is sliced and nothing more: read by workers, since it may be slow."""

    def __init__(self, data: Any) -> None:
        self._data = data
        self.shape, self.dtype = data.shape, data.dtype

    def __getitem__(self, index: Any) -> Any:
        return self._data[index]


class Exhibit:
    """What the server serves: the least that `viewer.server.Served` asks for."""

    def __init__(self) -> None:
        self.document = Document()
        self.layers: dict[str, Layer] = {}
        self.notices: list[Notice] = []
        self.heard: list[Event | Run] = []

    def layer(self, id: str) -> Layer:
        try:
            return self.layers[id]
        except KeyError:
            raise UnknownLayerError(f"There is no layer {id!r}.") from None

    def report(self, notice: Notice) -> None:
        self.notices.append(notice)

    def to_dict(self) -> dict[str, Any]:
        return {"layers": []}

    def restore(self, view: Any, session: str, *, files: bool) -> tuple[str, ...]:
        return ()

    def hear(self, message: Event | Run, session: str) -> None:
        self.heard.append(message)

    def listen(self, events: tuple[str, ...], session: str = "") -> None:
        self.listening = events

    def add(self, data: Any, kind: Any = "image", **options: Any) -> str:
        """Add a layer; its id."""
        id = f"l{len(self.layers) + 1}"
        pyramid = Pyramid(as_source(data, **options), kind)
        meshes = None
        if kind == "labels":
            from viewer.meshing.meshes import Meshes

            meshes = Meshes(pyramid)
        self.layers[id] = Layer(pyramid, meshes)
        described = state.Data(
            pyramid.dtype.name, pyramid.axes, pyramid.levels, pyramid.brick, pyramid.apron
        )
        entry = (
            state.ImageLayer(id, id, described, state.ImageStyle())
            if kind == "image"
            else state.LabelsLayer(id, id, described, state.LabelsStyle())
        )
        order = (*self.document.state.order, id)
        self.document.edit(
            [Change(("layers", id), entry), Change(("order",), order)], author="viewer"
        )
        return id
