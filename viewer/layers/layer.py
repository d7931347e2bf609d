"""What all layers have in common."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from viewer import state
from viewer.affine import in_units, plan_affine, to_matrix
from viewer.document.document import Document
from viewer.document.rules import VIEWER
from viewer.errors import ClosedError, InvalidValueError, ViewerError
from viewer.messages import Change, Notice, Progress
from viewer.pyramids.pyramid import Pyramid
from viewer.regions import plan_region
from viewer.settings import Setting, Settings
from viewer.sources.file_part import close_after
from viewer.sources.geometry import plan_geometry
from viewer.sources.protocol import FiledSource, IdentifiedSource
from viewer.space import Box, conversion

if TYPE_CHECKING:
    from viewer.meshing.meshes import Meshes
    from viewer.signals import Events

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

    def events_of(self, layer: Any, /) -> Events:
        """What is told of a layer's changes."""


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
        self._files = ExitStack()  # closes what the data is in, where it was opened for this layer
        if isinstance(pyramid.source, IdentifiedSource) and pyramid.source.identity is not None:
            from viewer.pyramids.build import find

            stored = find(pyramid, name)
            if stored is not None:
                pyramid.attach(stored, pyramid.generation)
        pyramid.prepare(self._tell_data, self._tell_preview, self._report)

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
        """The object that was added, itself. `refresh` shows what was changed in it.

        Of a file that was opened by its name and has been written anew, another one then.
        """
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
    def affine(self) -> npt.NDArray[np.float64]:
        """What is applied after scale and translate, in `units`: a homogeneous matrix, a copy.

        (4, 4) over (z, y, x), or (3, 3) over (y, x) for data without z. World position =
        affine @ (voxel * scale + translate). Can be set to such a matrix, or to None for the
        identity.
        """
        return to_matrix(self.pyramid.affine, self.pyramid.spatial)

    @affine.setter
    def affine(self, value: npt.ArrayLike | None) -> None:
        affine = plan_affine(value, self.pyramid.axes)
        self._renew(lambda pyramid: pyramid.place(pyramid.levels[0], affine))

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Anything that JSON can say, kept with the layer; read-only, assign a new dict."""
        return MappingProxyType(self._get(("metadata",)))

    @metadata.setter
    def metadata(self, value: Mapping[str, Any]) -> None:
        self._set(("metadata",), dict(value) if isinstance(value, Mapping) else value)

    @property
    def zarr_url(self) -> str:
        """Address of the layer as an OME-Zarr 0.5 image, for any Zarr client.

        OME-Zarr 0.5 knows scale and translate of levels, but no `affine`: that is left out.
        """
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

    @property
    def events(self) -> Events:
        """One for each attribute that can be set: ``events.opacity.connect(function)``.

        The function takes a `viewer.events.ChangeEvent`, or nothing, and is called whoever made
        the change; ``events.data`` after a refresh. See `Viewer.events`.
        """
        return self._open_owner().events_of(self)

    # --- what it does -------------------------------------------------------------------------

    def refresh(self, region: Any = None) -> None:
        """Show what was changed in the data: pages fetch it again.

        What was opened by its name (`Viewer.open`) is opened again if the file, folder or what is
        behind the address may be another one by now. Contrast limits, scale and all else stay as
        they are (`ImageLayer.reset_contrast_limits`).

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
            When the data cannot be read any more; the layer stays, and pages say so. Also when a
            file is gone or damaged, or its array of another shape or dtype now: then the layer
            stays as it is. Remove it and open the file again.
        """
        box = plan_region(region, self.shape)
        if box.empty:
            return
        # Pieces by and by make up an array: its histogram is looked at now and then.
        self._unseen += math.prod(box.shape) / math.prod(self.shape)
        sample = region is None or self._unseen >= RESAMPLED
        if sample:
            self._unseen = 0.0
        self._renew(lambda pyramid: self._read_again(pyramid, box), sample=sample)

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
        from viewer.pyramids.build import build

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
            affine=in_units(pyramid.affine, factor),
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
        self._files.close()

    def sample(self) -> tuple[float, float] | None:
        """Bring statistics after the data; None where there are none."""
        return None

    def _read_again(self, pyramid: Pyramid, box: Box) -> None:
        """Forget a part of the data; go on with a file that stands where the old one was."""
        before = pyramid.source
        anew = None
        if isinstance(before, FiledSource) and before.file is not None:
            from viewer.reopening import open_anew

            anew = open_anew(before, before.file)
        if anew is None:
            pyramid.refresh(box)
            return
        try:
            pyramid.refresh(box, anew.source)
        except ViewerError:  # removed meanwhile
            anew.close()
            raise
        self._user_data = anew.data
        close_after(before, self._files.pop_all().close)
        self._close_with_data(anew.close)

    def _close_with_data(self, close: Callable[[], None]) -> None:
        """Call `close` when the data is let go of: it is of an open file."""
        self._files.callback(close)
        if self._owner is None:  # removed already
            self._files.close()

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

        owner.document.amend(plan, author=VIEWER, lasting=True)

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
        self._renew(lambda pyramid: pyramid.place(level, pyramid.affine))

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
