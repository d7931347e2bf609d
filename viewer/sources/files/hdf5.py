"""HDF5 files, by whichever program: .h5, .nwb, .ims, …

The file is opened for reading only, and closed with the last layer that was made of it. Of one
behind an address the parts that are looked at are fetched.
"""

from __future__ import annotations

import contextlib
from typing import Any

import h5py
import numpy as np

from viewer.sources.description import Description, Suggestions, Transform
from viewer.sources.files.imaris import describe_imaris, is_imaris
from viewer.sources.files.opened import Entry, Opened, choose
from viewer.sources.files.remote import RemoteFile, is_remote
from viewer.sources.hdf5 import HDF5_LOCK


def open_hdf5(path: str, dataset: str | None) -> Opened:
    """One dataset of an HDF5 file."""
    remote = RemoteFile(path) if is_remote(path) else None

    def close() -> None:
        file.close()
        if remote is not None:
            remote.close()

    def close_locked() -> None:
        with HDF5_LOCK:
            close()

    with HDF5_LOCK:
        try:
            file = _open(path) if remote is None else h5py.File(remote.open(), "r")
        except BaseException:
            if remote is not None:
                remote.close()
            raise

        try:
            if dataset is None and is_imaris(file):
                shown = describe_imaris(file, path)
                return Opened((shown,), close_locked, told=None if remote is None else remote.told)
            # by its full name anything may be chosen, also what links and soft links lead to
            chosen = file.get(dataset) if dataset else None
            if not isinstance(chosen, h5py.Dataset):
                chosen = file[choose(_list(file), dataset, path).name]
            transform, units = _read_place(chosen)
        except BaseException:
            close()
            raise
        name = chosen.name.rsplit("/", 1)[-1]

    shown = Description(
        chosen, (chosen,), transforms=transform, units=units, suggestions=Suggestions(name)
    )
    return Opened((shown,), close_locked, told=None if remote is None else remote.told)


def _open(path: str) -> Any:
    """The file, also while another program writes into it for readers (SWMR)."""
    try:
        return h5py.File(path, "r")
    except OSError as error:
        if "open for write" not in str(error):
            raise
        reason = str(error)
    try:
        return h5py.File(path, "r", swmr=True)
    except OSError:
        raise BlockingIOError(reason) from None


def _list(file: Any) -> list[Entry]:
    entries = []

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.shape is not None:
            entries.append(Entry(name, tuple(map(int, item.shape)), item.dtype))

    file.visititems(visit)
    if not any(entry.image_like for entry in entries):
        # a file that leads to others, as detectors write them; nobody else wants links followed
        def follow(name: str, link: Any) -> None:
            if isinstance(link, (h5py.ExternalLink, h5py.SoftLink)):
                with contextlib.suppress(KeyError, OSError):  # it leads nowhere
                    visit(name, file[name])

        file.visititems_links(follow)
    return entries


def _read_place(dataset: Any) -> tuple[tuple[Transform, ...], str]:
    """Voxel size by the two conventions that are common, on (z, y, x) data."""
    for scale_name, offset_name, units in (
        ("element_size_um", "", "µm"),  # Fiji, ilastik, PlantSeg
        ("resolution", "offset", "nm"),  # CREMI, connectomics
    ):
        scale = _three(dataset, scale_name)
        if scale is None or dataset.ndim < 3 or min(scale) <= 0:
            continue
        leading = dataset.ndim - 3
        offset = _three(dataset, offset_name) or (0.0, 0.0, 0.0)
        place = Transform((1.0,) * leading + scale, (0.0,) * leading + offset)
        return (place,), units
    return (), ""


def _three(dataset: Any, name: str) -> tuple[float, ...] | None:
    value = np.asarray(dataset.attrs[name]) if name and name in dataset.attrs else None
    if value is None or value.shape != (3,) or value.dtype.kind not in "iuf":
        return None
    return tuple(map(float, value)) if np.isfinite(value).all() else None
