"""Layers of a viewer in another process: the same handles, whose data is far away.

What the document says is read from the copy of it, as everywhere; what needs the voxels is called
(`viewer.calls`). ``isinstance(layer, viewer.ImageLayer)`` holds here, too.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import numpy as np

from viewer import calls, state
from viewer.errors import ClosedError, LinkError, SourceError
from viewer.label_set import LabelColors, LabelSet
from viewer.layers import AnyLayer, ImageLayer, LabelsLayer, Layer, SurfaceLayer
from viewer.regions import plan_region
from viewer.sources.sliced import Sliced

if TYPE_CHECKING:
    from viewer.client.link import Link


class LinkedLayer(Layer):
    """What the layers of a Link have in common. Comes before the kind of layer in its bases."""

    _owner: Any

    def _begin(self, link: Link, described: Any) -> None:
        self._owner = link
        self._id = described.id
        self._last_name = described.name
        self._lock = threading.RLock()

    def call_async(self, method: str, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call a method and do not wait; see `Link.call_async`."""
        return self._link.call_async(method, *args, layer=self, **kwargs)

    @property
    def data(self) -> Any:
        """The voxels, read when it is indexed; ``np.asarray(layer.data)`` reads all."""
        return LinkedData(self)

    @property
    def dtype(self) -> Any:
        """NumPy dtype of the data, in native byte order."""
        return np.dtype(self._described.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along every axis, array order."""
        return self._described.levels[0].shape

    @property
    def axis_labels(self) -> tuple[str, ...]:
        """Name of every axis, array order."""
        return tuple(axis.name for axis in self._described.axes)

    @property
    def units(self) -> str:
        """Unit of `scale` and `translate` on the spatial axes, or ``""`` for voxels."""
        return next((axis.unit for axis in self._described.axes if axis.kind == "space"), "")

    @property
    def pyramid(self) -> Any:
        """Not here: the data is in the viewer's process."""
        self._located()
        raise LinkError(
            f"The voxels of {self._last_name!r} are in the viewer's process.",
            hint="layer.data[…] reads them; layer.zarr_url is their address for Zarr.",
        )

    @property
    def meshes(self) -> Any:
        """Not here: `mesh` has the surfaces of labels."""
        return self.pyramid

    def release(self) -> None:
        """The layer has been removed."""
        self._owner = None

    def __repr__(self) -> str:
        kind = type(self).__name__.removeprefix("Linked")
        if self._owner is None:
            return f"<{kind} {self._last_name!r} (removed)>"
        try:
            return f"<{kind} {self.name!r} {self.dtype} {self.shape}>"
        except (ClosedError, KeyError):
            return f"<{kind} {self._last_name!r}>"

    @property
    def _link(self) -> Link:
        link: Link = self._open_owner()  # type: ignore[assignment]
        return link

    @property
    def _described(self) -> state.Data:
        data: state.Data = self._get(("data",))
        return data

    def _call(self, method: str, *args: Any, timeout: float | None = None, **kwargs: Any) -> Any:
        return self._link.call(method, *args, layer=self, timeout=timeout, **kwargs)


class LinkedData(Sliced):
    """The voxels of a layer in another process: an array that is read piece by piece.

    Parameters
    ----------
    layer : LinkedLayer
    level : int, default 0
        Of the layer's pyramid.
    """

    def __init__(self, layer: LinkedLayer, level: int = 0) -> None:
        self._layer = layer
        self._level = level
        self.shape = layer._described.levels[level].shape
        self.dtype = layer.dtype

    def _take(self, index: tuple[slice, ...]) -> Any:
        read = self._layer._call("read", plan_region(index, self.shape).slices, self._level)
        return read[tuple(slice(None, None, part.step) for part in index)]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if copy is False:
            raise SourceError("The data is in another process: it cannot be had without a copy.")
        whole = np.empty(self.shape, self.dtype)
        rows = max(1, (64 << 20) // max(whole[0].nbytes, 1))
        for start in range(0, self.shape[0], rows):
            whole[start : start + rows] = self[start : start + rows]
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def __repr__(self) -> str:
        return f"<data of {self._layer._last_name!r}: {self.dtype} {self.shape}>"


def _method(kind: type[Layer], name: str) -> Callable[..., Any]:
    @functools.wraps(getattr(kind, name))
    def call(self: LinkedLayer, *args: Any, **kwargs: Any) -> Any:
        return self._call(name, *args, **kwargs)

    return call


def _attribute(kind: type[Layer], name: str) -> property:
    def get(self: LinkedLayer) -> Any:
        return self._call(name)

    def put(self: LinkedLayer, value: Any) -> None:
        self._call(name, value)

    original = getattr(kind, name)
    return property(get, put if original.fset else None, doc=original.__doc__)


def _far(kind: type[Layer]) -> Callable[[type], type]:
    """Fill a class with what is called in the viewer's process."""

    def fill(cls: type) -> type:
        for name, callee in calls.KINDS[kind].items():
            if callee.function is None and name not in vars(cls):
                make = _attribute if callee.attribute else _method
                setattr(cls, name, make(kind, name))
        return cls

    return fill


@_far(ImageLayer)
class LinkedImageLayer(LinkedLayer, ImageLayer):
    """An image of a viewer in another process."""

    def __init__(self, link: Link, described: state.ImageLayer) -> None:
        self._begin(link, described)


@_far(LabelsLayer)
class LinkedLabelsLayer(LinkedLayer, LabelsLayer):
    """A segmentation of a viewer in another process."""

    def __init__(self, link: Link, described: state.LabelsLayer) -> None:
        self._begin(link, described)
        self._selected = LabelSet(self, "selected")
        self._hidden = LabelSet(self, "hidden")
        self._colors = LabelColors(self)


@_far(SurfaceLayer)
class LinkedSurfaceLayer(LinkedLayer, SurfaceLayer):
    """A surface of a viewer in another process."""

    def __init__(self, link: Link, described: state.SurfaceLayer) -> None:
        self._begin(link, described)


def linked(link: Link, described: Any) -> AnyLayer:
    """The handle of a layer, by what the document says of it."""
    kinds: dict[type, Callable[..., AnyLayer]] = {
        state.ImageLayer: LinkedImageLayer,
        state.LabelsLayer: LinkedLabelsLayer,
        state.SurfaceLayer: LinkedSurfaceLayer,
    }
    return kinds[type(described)](link, described)
