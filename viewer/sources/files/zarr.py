"""Zarr arrays and OME-Zarr images: in a folder, a zip file, or behind an address.

fsspec reads what is not on the disk. A web server cannot list what it has, so of a plain group
behind ``http://`` an array must be named, unless its metadata is consolidated.
"""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Callable
from typing import Any

import zarr
from msgspec.structs import replace

from viewer.errors import InvalidDataError, NotFoundError, SourceError, ViewerError
from viewer.sources import describe
from viewer.sources.description import Description, Suggestions
from viewer.sources.files.opened import Entry, Opened, choose, stem_of, suffixed
from viewer.sources.files.remote import connections_of, is_remote, load_options, refused
from viewer.sources.files.remote_store import RemoteStore
from viewer.sources.ome_zarr import fields, is_image, label_names, metadata_of, wells

SUFFIXES = (".ome.zarr.zip", ".zarr.zip", ".ome.zarr", ".zarr", ".ozx", ".zip", ".n5")

WELLS = 12
"""So many of a plate's are listed in a message."""

_MARKS = ("zarr.json", ".zgroup", ".zarray")


def open_zarr(path: str, dataset: str | None) -> Opened:
    """An array, or an OME-Zarr image with its labels."""
    store, inside, close = _open_store(path)
    try:
        node = _open_node(store, inside, path)
        shown = _choose(node, dataset, path)
    except BaseException:
        close()
        raise
    return Opened(tuple(shown), close)


def _open_store(path: str) -> tuple[Any, str, Callable[[], None]]:
    if is_remote(path):
        options = load_options(path)
        store = RemoteStore.from_url(path, storage_options=options, read_only=True)
        return store, "", lambda: _end_session(store)
    if zipfile.is_zipfile(path):
        archive = zarr.storage.ZipStore(path, mode="r", read_only=True)
        return archive, _folder_in_zip(path), archive.close
    return zarr.storage.LocalStore(path, read_only=True), "", lambda: None


def _end_session(store: Any) -> None:
    """Close the connections, which fsspec keeps on zarr-python's loop."""
    from zarr.core.sync import sync

    for connection in connections_of(store.fs):
        sync(connection.close())


def _folder_in_zip(path: str) -> str:
    """Where in a zip file the hierarchy begins: some programs pack the folder, not its content."""
    with zipfile.ZipFile(path) as archive:
        roots = [name.rpartition("/") for name in archive.namelist()]
    found = [folder for folder, _, last in roots if last in _MARKS]
    return min(found, key=lambda folder: folder.count("/") + bool(folder), default="")


def _open_node(store: Any, inside: str, path: str) -> Any:
    try:
        return zarr.open_group(store, path=inside, mode="r")
    except (FileNotFoundError, KeyError, zarr.errors.ContainsArrayError):
        pass
    except PermissionError:
        raise refused(path) from None
    try:
        return zarr.open_array(store, path=inside, mode="r")
    except PermissionError:
        raise refused(path) from None
    except (FileNotFoundError, KeyError):
        if getattr(store, "refused", False):  # and nothing of it could be read
            raise refused(path) from None
        raise SourceError(
            f"There is no Zarr array or group at {path}.",
            hint="It holds zarr.json (format 3) or .zarray or .zgroup (format 2). Of other folders "
            "those of DICOM, TIFF, PNG or JPEG files can be opened.",
        ) from None


def _choose(node: Any, dataset: str | None, path: str) -> list[Description]:
    name = stem_of(path, SUFFIXES)
    root, below = node, ""
    if dataset:
        if not isinstance(node, zarr.Group):
            choose([], dataset, path)
        try:
            node = node[dataset.strip("/")]
        except KeyError:
            choose(_list(node), dataset, path)  # says what there is
            raise NotFoundError(f"There is no {dataset!r} in {path}.") from None
        below = f"{dataset.strip('/')}/"
        name = below.split("/")[-2]
    if isinstance(node, zarr.Array):
        return [_named(node, name)]
    notice = ""
    if not is_image(node) and metadata_of(node).get("bioformats2raw.layout") and "0" in node:
        if "1" in node:
            notice = (
                f"{path} holds several images, of which the first is shown; "
                f"dataset='1' or {suffixed(path, '1')} opens the next."
            )
        node = node["0"]
    if is_image(node):
        labels = [
            (node[path], path.rsplit("/", 1)[-1]) for path in label_names(node) if path in node
        ]
        return [
            _named(node, name, notice=notice),
            *(_named(group, label, labels=True) for group, label in labels if is_image(group)),
        ]
    if wells(node):
        raise _plate(node, below, path)
    entries = [replace(entry, name=below + entry.name) for entry in _list(node)]
    return _choose(root, choose(entries, None, path).name, path)


def _plate(plate: Any, below: str, path: str) -> InvalidDataError:
    """The error for a plate, which names an image of it."""
    names = wells(plate)
    first = names[0]
    with contextlib.suppress(KeyError):
        first = f"{first}/{(fields(plate[first]) or ['0'])[0]}"
    first = below + first
    more = ", …" if len(names) > WELLS else ""
    return InvalidDataError(
        f"{path} is a plate of {len(names)} well{'s'[: len(names) > 1]}.",
        hint=f"Choose an image in one of them, e.g. {suffixed(path, first)} or dataset={first!r}. "
        f"It has {', '.join(names[:WELLS])}{more}.",
    )


def _named(node: Any, name: str, *, labels: bool = False, notice: str = "") -> Description:
    described = describe(node)
    said = described.suggestions
    known = "" if labels else said.name
    if isinstance(node, zarr.Array):
        said = Suggestions()
    notices = (*said.notices, notice) if notice else said.notices
    return replace(
        described,
        suggestions=replace(
            said, name=known or name, labels=said.labels or labels, notices=notices
        ),
    )


def _list(group: Any) -> list[Entry]:
    """Images, and arrays that belong to none."""
    entries: list[Entry] = []
    images: list[str] = []
    named = fields(group)
    try:
        members = [(name, group[name]) for name in named] or sorted(group.members(max_depth=None))
    except Exception:  # a web server, or a store that does not list
        return entries
    for name, item in members:
        if any(name.startswith(f"{image}/") for image in images):
            continue
        if isinstance(item, zarr.Array):
            entries.append(Entry(name, tuple(map(int, item.shape)), item.dtype))
        elif is_image(item):
            images.append(name)
            try:
                part = describe(item).parts[0]
            except ViewerError:  # its levels are not there
                continue
            entries.append(Entry(name, tuple(map(int, part.shape)), part.dtype))
    return entries
