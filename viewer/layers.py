"""Layers: what `Viewer.add_image` and `Viewer.add_labels` return.

A layer ties three things together: its place in the document (all that can be seen and edited),
its `Pyramid` (the way to the voxels) and, for labels, its `Meshes`. It is a handle: attributes
are read from and written to the document, so what a page changes shows here at once. When the
layer is removed, here or on a page, it lets go of the data.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from viewer import state
from viewer.document import Document
from viewer.errors import ClosedError, InvalidValueError, ViewerError
from viewer.label_set import LabelColors, LabelSet, spell_all, spell_colors
from viewer.messages import Change, Progress
from viewer.pyramid import Pyramid
from viewer.rules import VIEWER
from viewer.settings import Setting, Settings
from viewer.sources.geometry import plan_geometry
from viewer.space import conversion

if TYPE_CHECKING:
    from viewer.meshes import Meshes


class Owner(Protocol):
    """What a layer needs of its Viewer."""

    @property
    def document(self) -> Document:
        """Where the layer's attributes live."""

    @property
    def url(self) -> str:
        """Address of the viewer, with a slash at its end."""

    def tell(self, progress: Progress) -> None:
        """Show progress on the pages."""


class Layer(Settings):
    """Data shown in a viewer; made by `Viewer.add_image` and `Viewer.add_labels`.

    All attributes can be set at any time, from any thread; pages follow within a frame.
    """

    kind: str
    """``"image"`` or ``"labels"``."""

    visible: Setting[bool] = Setting("visible", doc="Whether the layer is drawn; default True.")
    opacity: Setting[float] = Setting(
        "style", "opacity", doc="0 (clear) to 1 (solid); default 1 for images, 0.5 for labels."
    )

    def __init__(self, owner: Owner, layer_id: str, name: str, data: Any, pyramid: Pyramid) -> None:
        self._owner: Owner | None = owner
        self._id = layer_id
        self._last_name = name
        self._user_data = data
        self._open_pyramid: Pyramid | None = pyramid
        self._histogram: state.Histogram | None = None
        self._lock = threading.RLock()
        self._shown = False  # whether the document has had it

    # --- what it is ---------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """Identity of the layer as long as the viewer lives: ``"l1"``, ``"l2"``, …"""
        return self._id

    @property
    def name(self) -> str:
        """Name, unique in the viewer; a name that is taken gets ``" [1]"`` appended."""
        return str(self._get(("name",)))

    @name.setter
    def name(self, value: str) -> None:
        document, prefix = self._located()

        def plan(now: state.Document) -> list[Change]:
            taken = {other.name for key, other in now.layers.items() if key != self._id}
            return [Change((*prefix, "name"), unique_name(value, taken))]

        document.amend(plan, author=VIEWER)
        self._last_name = self.name

    @property
    def data(self) -> Any:
        """The object that was added, itself. `refresh` shows what was changed in it."""
        self._located()
        return self._user_data

    @property
    def dtype(self) -> Any:
        """NumPy dtype of the data, in native byte order."""
        return self.pyramid.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along every axis, array order."""
        return self.pyramid.levels[0].shape

    @property
    def axis_labels(self) -> tuple[str, ...]:
        """Name of every axis, array order."""
        return tuple(axis.name for axis in self.pyramid.axes)

    @property
    def units(self) -> str:
        """Unit of `scale` and `translate` on the spatial axes, or ``""`` for voxels."""
        return self.pyramid.units

    @property
    def scale(self) -> tuple[float, ...]:
        """Distance of neighbouring voxels on every axis, in `units`.

        Can be set to a number for each axis, for each spatial axis, or one for all spatial axes;
        always positive.
        """
        return self.pyramid.levels[0].scale

    @scale.setter
    def scale(self, value: Sequence[float] | float) -> None:
        self._place(value, self.translate)

    @property
    def translate(self) -> tuple[float, ...]:
        """World position of the centre of voxel 0 on every axis, in `units`; set like `scale`."""
        return self.pyramid.levels[0].translate

    @translate.setter
    def translate(self, value: Sequence[float] | float) -> None:
        self._place(self.scale, value)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Anything that JSON can say, kept with the layer; read-only, assign a new dict."""
        return MappingProxyType(self._get(("metadata",)))

    @metadata.setter
    def metadata(self, value: Mapping[str, Any]) -> None:
        self._set(("metadata",), dict(value) if isinstance(value, Mapping) else value)

    @property
    def zarr_url(self) -> str:
        """Address of the layer as an OME-Zarr 0.5 image, for any Zarr client."""
        return f"{self._open_owner().url}layers/{self._id}"

    @property
    def pyramid(self) -> Pyramid:
        """The way to the voxels at all levels. Raises `ClosedError` when the layer is gone."""
        pyramid = self._open_pyramid
        if pyramid is None:
            raise self._gone()
        return pyramid

    @property
    def meshes(self) -> Meshes | None:
        """Surfaces of labels; None for images."""
        self._located()
        return None

    # --- what it does -------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what was changed in the data: pages fetch it again.

        Contrast limits stay as they are (`ImageLayer.reset_contrast_limits`).

        Raises
        ------
        SourceError
            When the data cannot be read any more; the layer stays, and pages say so.
        """
        self._renew(lambda pyramid: pyramid.refresh())

    def __repr__(self) -> str:
        if self._owner is None:
            return f"<{type(self).__name__} {self._last_name!r} (removed)>"
        try:
            name, pyramid = self.name, self.pyramid
        except (ClosedError, KeyError):
            return f"<{type(self).__name__} {self._last_name!r}>"
        return f"<{type(self).__name__} {name!r} {pyramid.dtype} {pyramid.levels[0].shape}>"

    # --- for the Viewer -----------------------------------------------------------------------

    def describe(self, units: str) -> state.Data:
        """What stands behind the layer, for the document, with space in `units`."""
        pyramid = self.pyramid
        factor = conversion(pyramid.units, units)
        factors = [factor if axis.kind == "space" else 1.0 for axis in pyramid.axes]
        return state.Data(
            dtype=pyramid.dtype.name,
            axes=pyramid.axes,
            levels=tuple(
                state.Level(
                    level.shape,
                    tuple(s * f for s, f in zip(level.scale, factors, strict=True)),
                    tuple(t * f for t, f in zip(level.translate, factors, strict=True)),
                )
                for level in pyramid.levels
            ),
            brick=pyramid.brick,
            apron=pyramid.apron,
            generation=pyramid.generation,
            histogram=self._histogram,
        )

    def release(self) -> None:
        """Let go of the data; the layer is of no use afterwards. Idempotent."""
        pyramid, self._open_pyramid = self._open_pyramid, None
        self._owner = None
        self._user_data = None
        if pyramid is not None:
            pyramid.close()

    def sample(self) -> tuple[float, float] | None:
        """Bring statistics after the data; None where there are none."""
        return None

    def _renew(self, change: Callable[[Pyramid], None]) -> None:
        document, prefix = self._located()
        with self._lock:
            change(self.pyramid)
            meshes = self._made_meshes()
            if meshes is not None:
                meshes.refresh()
        trouble: ViewerError | None = None
        try:
            self.sample()
        except ViewerError as error:  # pages must ask again, to show the error too
            trouble = error

        def plan(now: state.Document) -> list[Change]:
            # described within the edit, so that the newest generation is also the last one told
            if self._id not in now.layers:
                return []
            return [Change((*prefix, "data"), self.describe(now.view.units))]

        document.amend(plan, author=VIEWER)
        if trouble is not None:
            raise trouble.with_traceback(None)

    def _place(self, scale: Sequence[float] | float, translate: Sequence[float] | float) -> None:
        level = plan_geometry(
            self.shape, scale=scale, translate=translate, axis_labels=self.axis_labels
        ).level
        self._renew(lambda pyramid: pyramid.place(level))

    def _made_meshes(self) -> Meshes | None:
        return None

    def _open_owner(self) -> Owner:
        owner = self._owner
        if owner is None:
            raise self._gone()
        return owner

    def _located(self) -> tuple[Document, tuple[str, ...]]:
        document = self._open_owner().document
        if self._id not in document.state.layers:
            raise self._gone()
        return document, ("layers", self._id)

    def _gone(self) -> ClosedError:
        return ClosedError(
            f"The layer {self._last_name!r} has been removed or its viewer closed.",
            hint="Add its data again.",
        )


class ImageLayer(Layer):
    """An image: its values are a quantity. See `Viewer.add_image`."""

    kind = "image"

    contrast_limits: Setting[tuple[float, float]] = Setting(
        "style",
        "contrast_limits",
        doc="Values (low, high) drawn as the ends of the colour map; finite, low < high.",
    )
    gamma: Setting[float] = Setting(
        "style", "gamma", doc="Exponent of the normalised value, 0.05 to 20; default 1."
    )
    blending: Setting[state.Blending] = Setting(
        "style",
        "blending",
        doc='How it covers what is below: ``"translucent"`` (default), ``"additive"``, '
        '``"opaque"`` or ``"minimum"``.',
    )
    interpolation: Setting[state.Interpolation] = Setting(
        "style", "interpolation", doc='Between voxels: ``"linear"`` (default) or ``"nearest"``.'
    )
    rendering: Setting[state.Rendering] = Setting(
        "style",
        "rendering",
        doc='How the image fills the 3-D panel beside its slices: ``"none"`` (default), ``"mip"`` '
        '(the greatest value along every line of sight) or ``"translucent"`` (a cloud, the '
        "denser the greater its values).",
    )

    @property
    def colormap(self) -> str:
        """Colour map by name (``"viridis"``, ``"magma_r"``), or a colour: black to that colour."""
        return str(self._get(("style", "colormap")))

    @colormap.setter
    def colormap(self, value: str) -> None:
        self._set(("style", "colormap"), colormap_name(value))

    def reset_contrast_limits(self) -> None:
        """Set `contrast_limits` from the data: 0.1 and 99.9 percentiles of a bounded sample."""
        self.contrast_limits = self.sample()

    def sample(self) -> tuple[float, float]:
        """Take a new histogram of the data; returns the contrast limits that suit it."""
        from viewer.statistics import sample_statistics

        statistics = sample_statistics(self.pyramid)
        self._histogram = statistics.histogram
        return statistics.limits


class LabelsLayer(Layer):
    """A segmentation: its values are identities, 0 is background. See `Viewer.add_labels`."""

    kind = "labels"

    show_selected_only: Setting[bool] = Setting(
        "style", "show_selected_only", doc="Whether other labels are not drawn; default False."
    )
    seed: Setting[int] = Setting(
        "style",
        "seed",
        doc="Another one, 0 to 2**32 - 1, deals the stable colours anew; default 0.",
    )
    contour: Setting[int] = Setting(
        "style", "contour", doc="Outlines of so many pixels, 0 to 32; 0 (default) fills labels."
    )

    def __init__(self, owner: Owner, layer_id: str, name: str, data: Any, pyramid: Pyramid) -> None:
        super().__init__(owner, layer_id, name, data, pyramid)
        self._open_meshes: Meshes | None = None
        self._selected = LabelSet(self, "selected")
        self._hidden = LabelSet(self, "hidden")
        self._colors = LabelColors(self)

    @property
    def selected(self) -> LabelSet:
        """Labels drawn stronger and shown as meshes: a set of ints that follows the document.

        Assign any iterable of ints, or use ``add``, ``discard``, ``update``, ``clear``. The
        background 0 is left out.
        """
        self._located()
        return self._selected

    @selected.setter
    def selected(self, labels: Iterable[int]) -> None:
        self._set(("style", "selected"), spell_all(labels, "selected"))

    @property
    def hidden(self) -> LabelSet:
        """Labels that are not drawn, as `selected`."""
        self._located()
        return self._hidden

    @hidden.setter
    def hidden(self, labels: Iterable[int]) -> None:
        self._set(("style", "hidden"), spell_all(labels, "hidden"))

    @property
    def colors(self) -> LabelColors:
        """Colours given to labels: ``{17: "orange"}``; reads ``{17: "#ffa500"}``."""
        self._located()
        return self._colors

    @colors.setter
    def colors(self, colors: Mapping[int, object]) -> None:
        self._set(("style", "colors"), spell_colors(colors))

    @property
    def show_meshes(self) -> bool:
        """Whether selected labels are shown as meshes in the 3-D panel; default True."""
        return bool(self._get(("style", "meshes")))

    @show_meshes.setter
    def show_meshes(self, value: bool) -> None:
        self._set(("style", "meshes"), value)

    @property
    def mesh_url(self) -> str:
        """Address of the meshes: ``/<label>.ply`` and so on below it; neuroglancer reads it too."""
        return f"{self._open_owner().url}layers/{self._id}/mesh"

    @property
    def meshes(self) -> Meshes:
        """Surfaces of the labels: ``layer.meshes.mesh(17)``."""
        self._located()
        from viewer.meshes import Meshes

        with self._lock:
            if self._open_meshes is None:
                self._open_meshes = Meshes(self.pyramid, on_progress=self._report)
            return self._open_meshes

    def release(self) -> None:
        """Let go of the data; the layer is of no use afterwards. Idempotent."""
        with self._lock:
            super().release()
            meshes, self._open_meshes = self._open_meshes, None
        if meshes is not None:
            meshes.close()

    def _made_meshes(self) -> Meshes | None:
        return self._open_meshes

    def _report(self, task: str, done: float) -> None:
        owner = self._owner
        if owner is not None:
            owner.tell(Progress(self._id, task, done))


def unique_name(name: object, taken: Iterable[str]) -> str:
    """`name`, or with the first of ``" [1]"``, ``" [2]"``, … that makes it unlike `taken`."""
    if not isinstance(name, str):
        raise InvalidValueError(f"name={name!r} is not allowed.", hint="Allowed: text.")
    names = set(taken)
    if name not in names:
        return name
    number = 1
    while f"{name} [{number}]" in names:
        number += 1
    return f"{name} [{number}]"


def colormap_name(colormap: Any) -> Any:
    """Name of a colour map given by name, or as an object of matplotlib, cmap, napari or vispy."""
    if not isinstance(colormap, str) and isinstance(getattr(colormap, "name", None), str):
        return colormap.name
    return colormap
