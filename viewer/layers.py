"""Layers: what `Viewer.add_image` and `Viewer.add_labels` return.

A layer ties three things together: its place in the document (all that can be seen and edited),
its `Pyramid` (the way to the voxels) and, for labels, its `Meshes`. It is a handle: attributes
are read from and written to the document, so what a page changes shows here at once. When the
layer is removed, here or on a page, it lets go of the data.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from viewer import state
from viewer.document import Document
from viewer.errors import ClosedError, InvalidValueError, ViewerError
from viewer.label_set import LabelColors, LabelSet, spell_all, spell_colors
from viewer.messages import Change, Notice, Progress
from viewer.pyramid import Pyramid
from viewer.regions import plan_region
from viewer.rules import VIEWER
from viewer.settings import Setting, Settings
from viewer.sources.geometry import plan_geometry
from viewer.sources.protocol import IdentifiedSource
from viewer.space import conversion

if TYPE_CHECKING:
    from viewer.meshes import Meshes
    from viewer.surfaces import Surface


RESAMPLED = 0.25
"""Part of the data that refreshes of regions change until a new histogram is taken."""


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

    def add_surface(self, data: Any) -> Any:
        """Show a surface."""

    def report(self, notice: Notice, /) -> None:
        """Keep what a user should read, and show it on the pages."""


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
        self._unseen = 0.0  # part of the data changed since the last sample
        self._lock = threading.RLock()
        self._shown = False  # whether the document has had it
        if isinstance(pyramid.source, IdentifiedSource) and pyramid.source.identity is not None:
            from viewer.build import find

            stored = find(pyramid, name)
            if stored is not None:
                pyramid.attach(stored, pyramid.generation)
        pyramid.prepare(self._tell_data, self._tell_preview)

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

    def refresh(self, region: Any = None) -> None:
        """Show what was changed in the data: pages fetch it again.

        Contrast limits stay as they are (`ImageLayer.reset_contrast_limits`).

        Parameters
        ----------
        region : index or Box, optional
            The part that was changed, as one indexes the data: ``np.s_[60:80]``. Only that is
            read and drawn again. Default: everything.

        Raises
        ------
        InvalidValueError
            For a region that is no index into the data.
        SourceError
            When the data cannot be read any more; the layer stays, and pages say so.
        """
        box = plan_region(region, self.shape)
        if box.empty:
            return
        # Pieces by and by make up an array: its histogram is looked at now and then.
        self._unseen += math.prod(box.shape) / math.prod(self.shape)
        sample = region is None or self._unseen >= RESAMPLED
        if sample:
            self._unseen = 0.0
        self._renew(lambda pyramid: pyramid.refresh(box), sample=sample)

    def build_pyramid(
        self,
        path: str | os.PathLike[str] | None = None,
        client: Any = None,
        *,
        progress: bool = True,
    ) -> Path | None:
        """Make all coarse levels, write them to a folder, and show them from there.

        For data too large to be reduced while one looks at it: until then, pages show previews of
        its coarse levels, made of few of its voxels. What is interrupted, by Ctrl-C or worse, goes
        on where it stopped when it is called again. Levels of data in files are found again when
        the data is added the next time, as long as the file has not changed.

        Parameters
        ----------
        path : path, optional
            The folder, an OME-Zarr 0.5 image of level 1 and above (the data itself is not
            copied). Default: one in the cache folder (`viewer.cache_info`), for data in files.
        client : dask.distributed.Client, optional
            Do the work on its cluster, whose workers must reach file and folder by the same
            names; default: on a few threads. Arrays in memory are reduced here in any case.
        progress : bool, default True
            Show a bar on the terminal; pages always do.

        Returns
        -------
        Path or None
            The folder; None for data so small that it has no coarse levels.

        Raises
        ------
        InvalidValueError
            Without a path for data that is not in a file.
        BusyError
            When another program is building or reading there.
        SourceError
            When the data cannot be read, or the folder not be written.
        CancelledError
            When the layer was removed meanwhile.
        """
        from viewer.build import build

        pyramid = self.pyramid
        with self._telling(progress) as tell:
            return build(
                pyramid,
                None if path is None else Path(path).expanduser().absolute(),
                source=self._last_name,
                client=client,
                told=tell,
                cancelled=lambda: self._owner is None,
            )

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
        history = pyramid.history
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
            generation=history.generation,
            changes=history.told,
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

    def _renew(self, change: Callable[[Pyramid], None], *, sample: bool = False) -> None:
        self._located()
        with self._lock:
            change(self.pyramid)
            meshes = self._made_meshes()
            if meshes is not None:
                meshes.follow()
        trouble: ViewerError | None = None
        if sample:
            try:
                self.sample()
            except ViewerError as error:  # pages must ask again, to show the error too
                trouble = error

        self._tell_data()
        if trouble is not None:
            raise trouble.with_traceback(None)

    def _tell_data(self) -> None:
        """Tell the pages what stands behind the layer now."""
        owner = self._owner
        if owner is None:
            return

        def plan(now: state.Document) -> list[Change]:
            # described within the edit, so that the newest generation is also the last one told
            pyramid = self._open_pyramid
            if self._id not in now.layers or pyramid is None:
                return []
            return [Change(("layers", self._id, "data"), self.describe(now.view.units))]

        owner.document.amend(plan, author=VIEWER)

    def _tell_preview(self) -> None:
        """Say that what is seen is not all there is."""
        owner = self._owner
        if owner is not None:
            message = f"Zoomed out, {self.name!r} is a preview, made of few of its voxels."
            hint = "layer.build_pyramid() makes it exact, once for all."
            owner.report(Notice("preview", message, hint, self._id))

    def _place(self, scale: Sequence[float] | float, translate: Sequence[float] | float) -> None:
        level = plan_geometry(
            self.shape, scale=scale, translate=translate, axis_labels=self.axis_labels
        ).level
        self._renew(lambda pyramid: pyramid.place(level))

    def _shown_point(self) -> tuple[int, ...]:
        """Indices on the leading axes of what the view shows, or nearest to it."""
        view = self._located()[0].state.view
        level = self.pyramid.levels[0]
        point = []
        for axis, count, step, start in zip(
            self.pyramid.axes, level.shape, level.scale, level.translate, strict=True
        ):
            if axis.kind != "space":
                index = round((view.position.get(axis.name, start) - start) / step)
                point.append(min(max(index, 0), count - 1))
        return tuple(point)

    def _made_meshes(self) -> Meshes | None:
        return None

    @contextmanager
    def _telling(self, progress: bool) -> Iterator[Callable[[str, float], None]]:
        """What long work calls with a phrase and the part done; shown on terminal and pages."""
        from viewer.progress_bar import ProgressBar

        bar = ProgressBar() if progress else None
        last, told = "", 0.0

        def tell(task: str, done: float) -> None:
            nonlocal last, told
            if bar is not None:
                bar.show(f"{self._last_name}: {task}", done)
            if task != last or time.monotonic() - told > 0.1:
                if last and task != last:
                    self._report(last, 1.0)
                last, told = task, time.monotonic()
                self._report(task, min(done, 0.99))

        try:
            yield tell
        finally:
            if bar is not None:
                bar.close()
            if last:
                self._report(last, 1.0)

    def _report(self, task: str, done: float) -> None:
        owner = self._owner
        if owner is not None:
            owner.tell(Progress(self._id, task, done))

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

    def isosurface(self, level: float, **options: Any) -> Any:
        """Show the surface on which the image has one value, as a layer of its own.

        Made of the finest level of the pyramid that has no more than
        `viewer.policy.Policy.isosurface_voxels`; values between voxels are interpolated. With
        time or other leading axes, of what the view shows.

        Parameters
        ----------
        level : float
            The value.
        **options
            Those of `Viewer.add_surface`.

        Returns
        -------
        SurfaceLayer

        Raises
        ------
        NotFoundError
            When the image has no such value, or no z axis.
        """
        from viewer.isosurface import isosurface

        surface, coarse = isosurface(self.pyramid, level, self._shown_point())
        options = {"name": f"{self.name} at {level:g}", "units": self.units, **options}
        if coarse:
            options = {"metadata": {"level": coarse}, **options}
        add: Callable[..., Any] = self._open_owner().add_surface
        return add(surface, **options)

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

    mesh_opacity: Setting[float] = Setting(
        "style", "mesh_opacity", doc="Of the meshes, 0 (clear) to 1 (solid); default 1."
    )
    silhouette: Setting[float] = Setting(
        "style",
        "silhouette",
        doc="How much clearer faces of meshes are that look at the camera, 0 (default) to 1: only "
        "outlines remain.",
    )

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

    @property
    def statistics(self) -> Any:
        """How large the labels are and where: a structured array with a row for each.

        Fields: ``label``; ``count`` of voxels; ``start`` and ``stop`` of the bounding box
        (z, y, x), half-open, in voxels; ``centroid`` in voxels, ``world`` the same in `units`.
        The whole volume is read for it, once; with time or other leading axes, that of the view.
        """
        from viewer.label_table import statistics

        return statistics(
            self.meshes.index(point=self._shown_point()), self.dtype, self.pyramid.levels[0]
        )

    def mesh(self, label: int, *, level: int | None = None) -> tuple[Any, Any, Any]:
        """The surface of one label.

        Parameters
        ----------
        label : int
        level : int, optional
            Of the pyramid, 0 the finest; default the finest whose surface is not too large.

        Returns
        -------
        vertices : float32 ndarray (n, 3)
            (z, y, x) in the layer's `units`.
        faces : uint32 ndarray (m, 3)
            Indices of vertices; outward by the right-hand rule in (z, y, x) coordinates.
        normals : float32 ndarray (n, 3)

        Raises
        ------
        NotFoundError
            For a label without voxels, and data without a z axis.
        InvalidValueError
            For a level that does not exist.
        TooLargeError
            For a surface that no level makes small enough.
        """
        mesh = self.meshes.mesh(label, level=level, point=self._shown_point())
        return mesh.vertices, mesh.faces, mesh.normals

    def set_mesh(self, label: int, data: Any) -> None:
        """Show another surface for a label than that of its voxels, from now on.

        Parameters
        ----------
        label : int
        data : tuple of arrays, or None
            ``(vertices, faces)``, as `mesh` returns them: (z, y, x) in the layer's `units`. None
            goes back to the voxels.

        Raises
        ------
        InvalidDataError
            For what is no surface.
        """
        from viewer.surfaces import as_surface, plan_place

        mesh = None if data is None else as_surface(data).mesh(plan_place(1.0, 0.0))
        meshes = self.meshes
        meshes.give(label, mesh)
        # a step of the generation that changes no voxel: pages ask for the mesh again
        self._renew(lambda pyramid: pyramid.place(pyramid.levels[0]))

    def export_meshes(
        self,
        folder: str | os.PathLike[str],
        labels: Iterable[int] | None = None,
        format: str = "ply",
        *,
        progress: bool = True,
        client: Any = None,
    ) -> int:
        """Write meshes to a folder, a file for each label.

        A few are made and written at a time; Ctrl-C ends it, and what was written stays. With time
        or other leading axes, those of what the view shows.

        Parameters
        ----------
        folder : path
            Made if it is not there; files of the same name are replaced.
        labels : iterable of int, optional
            Default all, the largest first.
        format : {"ply", "obj", "stl", "glb", "precomputed"}, default "ply"
            ``"precomputed"`` is a folder that neuroglancer reads as a source of meshes.
        progress : bool, default True
            Show a bar on the terminal; pages always do.
        client : dask.distributed.Client, optional
            Do the work on its cluster, whose workers must reach data and folder by the same names.

        Returns
        -------
        int
            How many meshes were written.

        Raises
        ------
        InvalidValueError, NotFoundError
            For another format, or a label without voxels; nothing is written then.
        SourceError
            When the data cannot be read, or the folder not be written.
        CancelledError
            When the layer was removed meanwhile.
        """
        from viewer.mesh_export import export_meshes

        with self._telling(progress) as tell:
            return export_meshes(
                self.meshes,
                self.pyramid,
                Path(folder).expanduser().absolute(),
                labels=None if labels is None else [int(label) for label in labels],
                point=self._shown_point(),
                format=format,
                client=client,
                told=tell,
                cancelled=lambda: self._owner is None,
            )

    def go_to(self, label: int) -> None:
        """Centre the view on a label: on the middle of its bounding box.

        Raises
        ------
        NotFoundError
            When no voxel has this label.
        """
        box = self.meshes.bounds(label, point=self._shown_point())

        def plan(now: state.Document) -> list[Change]:
            level = now.layers[self._id].data.levels[0]
            center = tuple(
                origin + step * ((a + b - 1) // 2)
                for origin, step, a, b in zip(
                    level.translate[-3:], level.scale[-3:], box.start, box.stop, strict=True
                )
            )
            return [Change(("view", "center"), center)]

        self._located()[0].amend(plan, author=VIEWER)

    def release(self) -> None:
        """Let go of the data; the layer is of no use afterwards. Idempotent."""
        with self._lock:
            super().release()
            meshes, self._open_meshes = self._open_meshes, None
        if meshes is not None:
            meshes.close()

    def _made_meshes(self) -> Meshes | None:
        return self._open_meshes


class SurfaceLayer(Layer):
    """Triangles, coloured by values of their vertices. See `Viewer.add_surface`."""

    kind = "surface"

    contrast_limits: Setting[tuple[float, float]] = Setting(
        "style",
        "contrast_limits",
        doc="Values (low, high) drawn as the ends of the colour map; finite, low < high.",
    )
    gamma: Setting[float] = Setting(
        "style", "gamma", doc="Exponent of the normalised value, 0.05 to 20; default 1."
    )
    silhouette: Setting[float] = Setting(
        "style",
        "silhouette",
        doc="How much clearer faces are that look at the camera, 0 (default) to 1: only outlines "
        "remain.",
    )
    color: Setting[str] = Setting(
        "style", "color", doc='Colour of a surface without values; default ``"#c8c8c8"``.'
    )

    def __init__(
        self, owner: Owner, layer_id: str, name: str, data: Any, pyramid: Pyramid,
        surface: Surface, place: state.Level,
    ) -> None:  # fmt: skip
        self._surface, self._where = surface, place
        super().__init__(owner, layer_id, name, data, pyramid)

    @property
    def data(self) -> Any:
        """``(vertices, faces)`` or ``(vertices, faces, values)`` as given; assign new ones."""
        return super().data

    @data.setter
    def data(self, data: Any) -> None:
        from viewer.surfaces import as_surface

        surface = as_surface(data)
        self._located()
        self._surface, self._user_data = surface, data
        self._renew(lambda pyramid: pyramid.place(surface.box(self._where)))
        document, prefix = self._located()
        counts = (("vertices", len(surface.vertices)), ("faces", len(surface.faces)))
        changes: list[tuple[str, object]] = [*counts, ("valued", surface.values is not None)]
        document.edit([Change((*prefix, key), value) for key, value in changes], author=VIEWER)

    @property
    def scale(self) -> tuple[float, ...]:
        """Size of the vertices' unit along (z, y, x), in `units`; a number or three, positive."""
        return self._where.scale

    @scale.setter
    def scale(self, value: Sequence[float] | float) -> None:
        self._place(value, self.translate)

    @property
    def translate(self) -> tuple[float, ...]:
        """World position (z, y, x) of the vertices' origin, in `units`; set like `scale`."""
        return self._where.translate

    @translate.setter
    def translate(self, value: Sequence[float] | float) -> None:
        self._place(self.scale, value)

    @property
    def colormap(self) -> str:
        """Colour map of the values, as that of an image."""
        return str(self._get(("style", "colormap")))

    @colormap.setter
    def colormap(self, value: str) -> None:
        self._set(("style", "colormap"), colormap_name(value))

    def reset_contrast_limits(self) -> None:
        """Set `contrast_limits` to the least and greatest value."""
        self.contrast_limits = self.surface()[0].limits()

    def surface(self) -> tuple[Surface, state.Level]:
        """The triangles, and where they lie in the world."""
        return self._surface, self._where

    def _place(self, scale: Sequence[float] | float, translate: Sequence[float] | float) -> None:
        from viewer.surfaces import plan_place

        self._where = plan_place(scale, translate)
        box = self._surface.box(self._where)
        self._renew(lambda pyramid: pyramid.place(box))

    def __repr__(self) -> str:
        if self._owner is None:
            return f"<SurfaceLayer {self._last_name!r} (removed)>"
        counts = f"{len(self._surface.vertices)} vertices, {len(self._surface.faces)} faces"
        return f"<SurfaceLayer {self._last_name!r} {counts}>"


AnyLayer = ImageLayer | LabelsLayer | SurfaceLayer
"""One of the kinds of layers that a viewer shows."""


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
