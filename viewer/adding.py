"""How data becomes layers: the part of the Viewer that adds."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Unpack, overload

from numpy.typing import ArrayLike

from viewer import state
from viewer.colormaps import colormap_name
from viewer.holding import Holding
from viewer.label_set import spell_all, spell_colors
from viewer.layers import ImageLayer, LabelsLayer, SurfaceLayer
from viewer.options import (
    IMAGE_OPTIONS,
    LABEL_TYPES,
    LABELS_OPTIONS,
    SURFACE_OPTIONS,
    ImageOptions,
    default_name,
    plan_looks,
    tell_photograph,
)
from viewer.settings import refuse_unknown
from viewer.sources import Source, as_source, describe

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
        hidden: Iterable[int] = (),
        show_selected_only: bool = False,
        colors: Mapping[int, object] | None = None,
        seed: int = 0,
        contour: int = 0,
        show_meshes: bool = True,
        mesh_opacity: float = 1.0,
        silhouette: float = 0.0,
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
        hidden : iterable of int, optional
            Labels that are not drawn.
        show_selected_only : bool, default False
            Whether other labels are not drawn.
        colors : dict, optional
            Colours in place of the stable ones: ``{17: "orange", 42: "#00ff88"}``.
        seed : int, default 0
            Another one, up to 2**32 - 1, deals the stable colours anew.
        contour : int, default 0
            Outlines of so many pixels, up to 32; 0 fills labels.
        show_meshes : bool, default True
            Whether selected labels are shown as meshes.
        mesh_opacity : float, default 1
            Of these, 0 (clear) to 1 (solid).
        silhouette : float, default 0
            How much clearer faces of meshes are that look at the camera; at 1 only outlines remain.

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
            "hidden": spell_all(hidden, "hidden"),
            "show_selected_only": show_selected_only,
            "colors": spell_colors(suggested.label_colors if colors is None else colors),
            "seed": seed,
            "contour": contour,
            "meshes": show_meshes,
            "mesh_opacity": mesh_opacity,
            "silhouette": silhouette,
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
