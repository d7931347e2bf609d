"""How what is in files becomes layers: the part of the Viewer that opens."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from viewer.adding import Adding
from viewer.errors import InvalidValueError, ViewerError
from viewer.layers import ImageLayer, LabelsLayer
from viewer.messages import Notice
from viewer.options import IMAGE_OPTIONS, LABELS_OPTIONS, split_axis
from viewer.saved_view import plan_origin
from viewer.settings import refuse_unknown
from viewer.sources import Description


class AddingFiles(Adding):
    """The part of the Viewer that makes layers of files."""

    def open(
        self,
        path: str | Path,
        *,
        dataset: str | None = None,
        layer_type: Literal["image", "labels"] | None = None,
        **options: Any,
    ) -> list[ImageLayer | LabelsLayer]:
        """Show what is in a file, folder or behind an address.

        Opens .npy, .npz, PNG, JPEG, HDF5, Zarr and OME-Zarr (in a folder or a zip file), and, with
        the package's extras of these names, TIFF, DICOM, NIfTI, NRRD, MRC and FITS, and folders
        of DICOM, TIFF, PNG or JPEG files, one slice each. .npy, .npz, HDF5, Zarr and TIFF also
        behind ``http://``, ``https://`` or ``s3://``, if the server gives parts of files.
        The files are read as they are looked at, and closed when their layers are removed.

        Parameters
        ----------
        path : str or Path
            Also ``FILE:DATASET``.
        dataset : str, optional
            Name of an array within the file, or number or UID of a series. Default: the only one
            that is a picture, or a volume.
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
        for layer in layers:
            layer._close_with_data(hold.release)
        with self._lock:
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
