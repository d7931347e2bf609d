"""How data becomes layers: the part of the Viewer that adds."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Unpack, overload

from numpy.typing import ArrayLike

from viewer import state
from viewer.colormaps import colormap_name
from viewer.errors import InvalidValueError, ViewerError
from viewer.holding import Holding
from viewer.label_set import spell_all, spell_colors
from viewer.layers import ImageLayer, LabelsLayer, SurfaceLayer
from viewer.messages import Notice
from viewer.options import (
    IMAGE_OPTIONS,
    LABEL_TYPES,
    LABELS_OPTIONS,
    SURFACE_OPTIONS,
    ImageOptions,
    default_name,
    plan_looks,
    split_axis,
    tell_photograph,
)
from viewer.saved_view import plan_origin
from viewer.settings import refuse_unknown
from viewer.sources import Description, Source, as_source, describe

_log = logging.getLogger("viewer")


class Adding(Holding):
    """The part of the Viewer that makes layers of data."""

    @overload
    def add_image(
        self, data: Any, *, channel_axis: None = None, **options: Unpack[ImageOptions]
    ) -> ImageLayer: ...

    @overload
    def add_image(
        self, data: Any, *, channel_axis: int, **options: Unpack[ImageOptions]
    ) -> list[ImageLayer]: ...

    def add_image(
        self,
        data: Any,
        *,
        name: str | Sequence[str] | None = None,
        scale: Sequence[float] | float | None = None,
        translate: Sequence[float] | float | None = None,
        affine: ArrayLike | None = None,
        units: str | None = None,
        axis_labels: Sequence[str] | None = None,
        channel_axis: int | None = None,
        colormap: str | Sequence[str] | None = None,
        contrast_limits: Sequence[float] | Sequence[Sequence[float]] | None = None,
        gamma: float = 1.0,
        opacity: float = 1.0,
        blending: state.Blending | None = None,
        visible: bool = True,
        interpolation: state.Interpolation = "linear",
        rendering: state.Rendering = "none",
        metadata: Mapping[str, Any] | None = None,
        **unknown: Any,
    ) -> ImageLayer | list[ImageLayer]:
        """Show an array as an image: its values are a quantity.

        Parameters
        ----------
        data : array, list of arrays or OME-Zarr group
            2 to 6 axes (…, z, y, x) of bool, any integer or float of 8 to 64 bit:
            numpy.ndarray, h5py.Dataset, zarr.Array, dask.array.Array, xarray.DataArray, or
            anything with ``shape``, ``dtype`` and ``data[slices]``. A list of them, finest first,
            or a zarr.Group with OME-Zarr metadata is one image with its levels. It is never
            copied as a whole, and kept alive until the layer is removed. Axes, scale, units, and
            colours are by default those that the data brings with it.
        name : str, optional
            Default: the name of the dataset, else ``"image"``. A name that is taken gets
            ``" [1]"`` appended.
        scale : sequence of float or float, optional
            Distance of neighbouring voxels in `units`, for each axis or for each spatial one; a
            single number counts for all spatial axes. Default 1.
        translate : sequence of float or float, optional
            World position of the centre of voxel 0 in `units`, given like `scale`. Default 0.
        affine : array_like, optional
            What turns, shears or mirrors the data, as in napari: a homogeneous matrix (4, 4) over
            (z, y, x), or (3, 3) over (y, x) for data without z; its last column is in `units`.
            World position = affine @ (voxel * scale + translate). Default: the identity.
        units : str, optional
            Unit of length: ``"nm"``, ``"µm"`` or ``"um"``, ``"micrometer"``, … Default: voxels.
        axis_labels : sequence of str, optional
            A name for each axis. Default (y, x), (z, y, x), (t, z, y, x), (t, c, z, y, x) or
            (p, t, c, z, y, x). Axes before the spatial ones get a slider each.
        channel_axis : int, optional
            Make one layer a channel along this axis, tinted differently and added up.
        colormap : str, optional
            A name as in matplotlib, or a colour: black to that colour. Default ``"gray"``; with
            `channel_axis` the tints, or one for each channel.
        contrast_limits : (float, float), optional
            Values (low, high) drawn as the ends of the colour map. Default: the 0.1 and 99.9
            percentiles of a bounded sample. With `channel_axis` also one pair for each channel.
        gamma : float, default 1
            Exponent of the normalised value, 0.05 to 20.
        opacity : float, default 1
            0 to 1.
        blending : {"translucent", "additive", "opaque", "minimum"}, optional
            Default ``"translucent"``; ``"additive"`` with `channel_axis`.
        visible : bool, default True
        interpolation : {"linear", "nearest"}, default "linear"
        rendering : {"none", "mip", "translucent"}, default "none"
            How the image fills the 3-D panel beside its slices: not at all, by the greatest value
            along every line of sight, or as a cloud, the denser the greater its values.
        metadata : dict, optional
            Anything that JSON can say.

        Returns
        -------
        ImageLayer or list of ImageLayer
            A list with `channel_axis`, one for each channel.

        Raises
        ------
        UnsupportedDataError (a TypeError), InvalidDataError (a ValueError)
            For data that has no picture, with the remedy.
        InvalidValueError (a ValueError), UnknownOptionError (a TypeError)
            For an option outside of its allowed values, or that does not exist.
        SourceError (an OSError)
            When the data cannot be read, as from a closed file.
        ClosedError
            When the viewer has been closed.
        """
        refuse_unknown("add_image", unknown, IMAGE_OPTIONS)
        self._open()
        geometry: dict[str, Any] = {
            "scale": scale,
            "translate": translate,
            "units": units,
            "axis_labels": axis_labels,
        }
        described = describe(data)
        sources: Sequence[Source]
        if channel_axis is None:
            sources = [as_source(described, **geometry)]
        else:
            from viewer.sources.channel import channel_sources

            sources = channel_sources(described, channel_axis, **geometry)
        looks = plan_looks(
            described,
            None if channel_axis is None else len(sources),
            name=name,
            colormap=colormap,
            contrast_limits=contrast_limits,
        )
        layers = []
        try:
            for source, look in zip(sources, looks, strict=True):
                layers.append(self._new(ImageLayer, look.name, described, source, affine))
            styles = []
            for layer, look in zip(layers, looks, strict=True):
                first = layer.sample()
                style = {
                    "colormap": colormap_name(look.colormap),
                    "contrast_limits": first if look.limits is None else look.limits,
                    "gamma": gamma,
                    "opacity": opacity,
                    "blending": blending or ("additive" if len(layers) > 1 else "translucent"),
                    "interpolation": interpolation,
                    "rendering": rendering,
                }
                styles.append(style)
            self._show(
                layers,
                [look.name for look in looks],
                styles,
                visible=[visible if look.visible else False for look in looks],
                metadata=described.suggestions.metadata if metadata is None else metadata,
                upright=described.suggestions.upright,
            )
        except BaseException:
            self._discard(layers)
            for source in sources:
                source.close()
            raise
        if channel_axis is None and axis_labels is None:
            described = tell_photograph(described)
        self._tell_notices(described, layers[0])
        return layers[0] if channel_axis is None else layers

    def add_labels(
        self,
        data: Any,
        *,
        name: str | None = None,
        scale: Sequence[float] | float | None = None,
        translate: Sequence[float] | float | None = None,
        affine: ArrayLike | None = None,
        units: str | None = None,
        axis_labels: Sequence[str] | None = None,
        opacity: float = 0.5,
        visible: bool = True,
        selected: Iterable[int] = (),
        colors: Mapping[int, object] | None = None,
        metadata: Mapping[str, Any] | None = None,
        **unknown: Any,
    ) -> LabelsLayer:
        """Show an array as a segmentation: its values are identities, 0 is the background.

        Parameters
        ----------
        data : array, list of arrays or OME-Zarr group
            As in `add_image`, of bool or any integer of 8 to 64 bit, kept exactly.
        name, scale, translate, affine, units, axis_labels, visible, metadata
            As in `add_image`; the default name is ``"labels"``.
        opacity : float, default 0.5
            0 to 1.
        selected : iterable of int, optional
            Labels that are drawn stronger and shown as meshes in the 3-D panel.
        colors : dict, optional
            Colours in place of the stable ones: ``{17: "orange", 42: "#00ff88"}``.

        Returns
        -------
        LabelsLayer

        Raises
        ------
        UnsupportedDataError, InvalidDataError, InvalidValueError, UnknownOptionError, \
SourceError, ClosedError
            As in `add_image`.
        """
        refuse_unknown("add_labels", unknown, LABELS_OPTIONS)
        self._open()
        described = describe(data)
        suggested = described.suggestions
        style = {
            "opacity": opacity,
            "selected": spell_all(selected, "selected"),
            "colors": spell_colors(suggested.label_colors if colors is None else colors),
        }
        source = as_source(
            described, scale=scale, translate=translate, units=units, axis_labels=axis_labels
        )
        label = default_name(described, "labels") if name is None else name
        metadata = suggested.metadata if metadata is None else metadata
        layers = []
        try:
            layers.append(self._new(LabelsLayer, label, described, source, affine))
            self._show(
                layers, [label], [style], visible=[visible], metadata=metadata,
                upright=suggested.upright,
            )  # fmt: skip
        except BaseException:
            self._discard(layers)
            source.close()
            raise
        self._tell_notices(described, layers[0])
        return layers[0]

    def add_surface(
        self,
        data: Any,
        *,
        name: str | None = None,
        scale: Sequence[float] | float | None = None,
        translate: Sequence[float] | float | None = None,
        affine: ArrayLike | None = None,
        units: str | None = None,
        colormap: str = "viridis",
        contrast_limits: Sequence[float] | None = None,
        gamma: float = 1.0,
        color: object = "#c8c8c8",
        opacity: float = 1.0,
        silhouette: float = 0.0,
        visible: bool = True,
        metadata: Mapping[str, Any] | None = None,
        **unknown: Any,
    ) -> SurfaceLayer:
        """Show triangles in the 3-D panel.

        Parameters
        ----------
        data : tuple of arrays
            ``(vertices, faces)`` or ``(vertices, faces, values)``: vertices (n, 3) as (z, y, x),
            faces (m, 3) of vertex numbers, values (n,) one a vertex. Copied.
        name, units, visible, metadata
            As in `add_image`; the default name is ``"surface"``.
        scale, translate : float or three floats, optional
            Of the vertices, along (z, y, x); default 1 and 0.
        affine : array_like (4, 4), optional
            As in `add_image`, after scale and translate.
        colormap : str, default "viridis"
            Of the values.
        contrast_limits : (float, float), optional
            Values drawn as the ends of the colour map. Default: least and greatest.
        gamma : float, default 1
            Exponent of the normalised value, 0.05 to 20.
        color : colour, default light grey
            Of a surface without values.
        opacity : float, default 1
            0 (clear) to 1 (solid).
        silhouette : float, default 0
            How much clearer faces are that look at the camera; at 1 only outlines remain.

        Returns
        -------
        SurfaceLayer

        Raises
        ------
        InvalidDataError (a ValueError)
            For what is no surface, saying why.
        InvalidValueError, UnknownOptionError, ClosedError
            As in `add_image`.
        """
        from viewer.meshing.surfaces import as_surface, box_pyramid, plan_place

        refuse_unknown("add_surface", unknown, SURFACE_OPTIONS)
        self._open()
        surface, place = as_surface(data), plan_place(scale, translate, affine)
        style = {
            "opacity": opacity,
            "silhouette": silhouette,
            "colormap": colormap_name(colormap),
            "contrast_limits": surface.limits() if contrast_limits is None else contrast_limits,
            "gamma": gamma,
            "color": spell_colors({1: color})["1"],
        }
        pyramid = box_pyramid(surface, place, units)
        label = "surface" if name is None else name
        with self._lock:
            self._open()
            layer_id = f"l{self._next_id}"
            self._next_id += 1
            layer = SurfaceLayer(self, layer_id, str(label), data, pyramid, surface, place)
            self._layers[layer_id] = layer
        try:
            self._show([layer], [label], [style], visible=[visible], metadata=metadata)
        except BaseException:
            self._discard([layer])
            raise
        return layer

    def add(self, data: Any, **options: Any) -> Any:
        """Show an array as what it seems to be; the guess is logged by the logger ``viewer``.

        Parameters
        ----------
        data : array, list of arrays or OME-Zarr group
            What says that it is labels, and bool, uint32 and uint64, are taken for labels,
            everything else for an image.
        **options
            Those of `add_labels` or `add_image`.

        Returns
        -------
        ImageLayer, LabelsLayer or list of ImageLayer
        """
        described = describe(data)
        dtype = getattr(described.parts[0], "dtype", None)
        labels = described.suggestions.labels or (
            str(dtype).lstrip("<>=|") in LABEL_TYPES or getattr(dtype, "name", "") in LABEL_TYPES
        )
        if labels and "channel_axis" in options:
            labels = False
        kind = "labels" if labels else "image"
        _log.info("Took data of dtype %s for %s; add_%s says it.", dtype, kind, kind)
        add: Any = self.add_labels if labels else self.add_image
        return add(described, **options)

    def open(
        self,
        path: str | Path,
        *,
        dataset: str | None = None,
        layer_type: Literal["image", "labels"] | None = None,
        **options: Any,
    ) -> list[ImageLayer | LabelsLayer]:
        """Show what is in a file, folder or behind an address.

        Opens .npy, .npz, HDF5, Zarr and OME-Zarr (in a folder or a zip file), and, with the
        package's extras of these names, TIFF, NIfTI, NRRD, MRC and FITS, and folders of TIFF
        files, one slice each. All but NIfTI, NRRD, MRC, FITS and these folders also behind
        ``http://``, ``https://`` or ``s3://``, if the server gives parts of files.
        The files are read as they are looked at, and closed when their layers are removed.

        Parameters
        ----------
        path : str or Path
            Also ``FILE:DATASET``.
        dataset : str, optional
            Name of an array within the file. Default: the only one that is a picture.
        layer_type : {"image", "labels"}, optional
            Default: labels for what a file calls so, and for integers of which dataset or file
            has a word like ``labels``, ``seg``, ``segmentation`` or ``mask`` in its name. Whole
            floating-point numbers, too, are opened as ``"labels"``.
        **options
            Those of `add_image` and `add_labels`, in place of what the file says. ``name`` and
            ``channel_axis`` count for the first image or labels of the file alone.

        Returns
        -------
        list of ImageLayer and LabelsLayer
            The first of them is, or belongs to, the image; channels and the labels that belong
            to an OME-Zarr image have layers of their own.

        Raises
        ------
        SourceError (an OSError)
            When there is no such file, or it cannot be read.
        UnsupportedDataError (a TypeError)
            For kinds of files that cannot be opened.
        InvalidDataError (a ValueError), NotFoundError (a LookupError)
            When it is not clear which array is meant, or when it is not there; lists them.
        MissingExtraError (an ImportError)
            With the command that installs what is missing.
        UnknownOptionError, InvalidValueError, ClosedError
            As in `add_image`.
        """
        from viewer.opening import as_labels, open_data, parse_location
        from viewer.sources.files.opened import Hold

        known = IMAGE_OPTIONS | LABELS_OPTIONS
        refuse_unknown("open", options.keys() - known, known | {"dataset", "layer_type"})
        if layer_type not in (None, "image", "labels"):
            raise InvalidValueError(
                f"layer_type={layer_type!r} is not allowed.", hint="Allowed: 'image', 'labels'."
            )
        self._open()
        location = parse_location(path, dataset)
        opened = open_data(location)
        layers: list[ImageLayer | LabelsLayer] = []
        try:
            for number, described in enumerate(opened.shown):
                kind = "labels" if described.suggestions.labels else "image"
                try:
                    if number == 0 and layer_type == "labels":
                        described = as_labels(described)
                    layers += self._add_described(
                        described, layer_type or kind if number == 0 else kind, number == 0, options
                    )
                except ViewerError as error:
                    if number == 0:
                        raise
                    # an image is worth seeing without its labels
                    self.report(Notice(error.kind, error.message, error.hint))
        except BaseException:
            opened.close()
            raise
        hold = Hold(opened.close, len(layers))
        with self._lock:
            self._holds |= {layer.id: hold for layer in layers}
            given = {**options, "layer_type": layer_type} if layer_type else options
            self._origins |= {
                layer.id: plan_origin(location, given, number)
                for number, layer in enumerate(layers)
            }
        self._settle()  # a page may have removed some already
        return layers

    def _add_described(
        self, described: Description, kind: str, first: bool, options: Mapping[str, Any]
    ) -> list[ImageLayer | LabelsLayer]:
        known = LABELS_OPTIONS if kind == "labels" else IMAGE_OPTIONS
        given = {key: value for key, value in options.items() if key in known}
        if not first:
            given = {k: v for k, v in given.items() if k not in ("name", "channel_axis")}
        if kind == "labels":
            return [self.add_labels(described, **given)]
        given.setdefault("channel_axis", split_axis(described))
        added: Any = self.add_image(described, **given)
        return added if isinstance(added, list) else [added]
