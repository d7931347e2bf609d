"""Meshes of many labels, written to a folder: one file a label, made and written a few at a time.

On this machine by a few threads, or on a ``dask.distributed`` cluster, whose workers open the data
themselves and write where everybody sees the folder. Memory is bounded by the meshes that are being
made, a few for each thread or worker.
"""

from __future__ import annotations

import itertools
import json
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from viewer.cluster import Packed, work_off, work_off_here
from viewer.errors import CancelledError, InvalidValueError, NotFoundError, SourceError
from viewer.meshing.formats import FORMATS, encode, precomputed_info, precomputed_manifest
from viewer.meshing.label_index import LabelIndex
from viewer.meshing.meshes import Meshes
from viewer.pyramids.pyramid import Pyramid
from viewer.sources.protocol import ResidentSource, Source
from viewer.space import conversion

BATCH = 32
"""Labels of one task of a cluster: sending a task costs a millisecond or two."""

Told = Callable[[str, float], None]


def export_meshes(
    meshes: Meshes,
    pyramid: Pyramid,
    folder: Path,
    *,
    labels: Sequence[int] | None,
    point: tuple[int, ...],
    format: str,
    client: Any = None,
    told: Told = lambda task, done: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> int:
    """Write the files; returns how many.

    Parameters
    ----------
    meshes, pyramid : Meshes, Pyramid
        Of the layer.
    folder : Path
        Made if it is not there.
    labels : sequence of int, optional
        Default all, the largest first.
    point : tuple of int
        Indices on the leading axes.
    format : str
        One of `viewer.meshing.formats.FORMATS`.
    client : dask.distributed.Client, optional
    told : callable
        Told a phrase and the fraction done.
    cancelled : callable
        Asked between meshes.

    Raises
    ------
    InvalidValueError, NotFoundError
        For another format, or a label without voxels; nothing has been written then.
    SourceError
        When the folder cannot be written.
    CancelledError
        What was written so far stays.
    """
    if format not in FORMATS:
        raise InvalidValueError(
            f"Meshes cannot be written as {format!r}.", hint=f"Formats: {', '.join(FORMATS)}."
        )
    index = meshes.index(point=point, cancelled=cancelled)
    rows = np.argsort(-index.counts, kind="stable")
    signed = pyramid.dtype.kind == "i"
    every = index.keys.view(np.int64) if signed else index.keys
    chosen = [int(every[row]) for row in rows] if labels is None else list(dict.fromkeys(labels))
    for label in chosen:
        if label == 0:
            raise NotFoundError("Label 0 is background and has no surface.")
        index.row(label)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if format == "precomputed":
            _write(folder / "info", json.dumps(precomputed_info()).encode())
    except OSError as error:
        raise _unwritable(folder, error) from None
    task = _Export(meshes, point, folder, format, conversion(pyramid.source.units, "nm"), cancelled)
    made = (
        _by_threads(task, chosen)
        if client is None
        else _by_cluster(task, pyramid.source, index, chosen, client)
    )
    done = 0
    for count in made:
        done += count
        told("exporting meshes", done / len(chosen))
    return done


@dataclass(frozen=True, slots=True)
class _Export:
    meshes: Meshes
    point: tuple[int, ...]
    folder: Path
    format: str
    to_nanometres: float
    cancelled: Callable[[], bool]

    def check(self) -> None:
        """Raise `CancelledError` once nobody wants it any more."""
        if self.cancelled():
            raise CancelledError("No more meshes are exported.")

    def write(self, label: int) -> int:
        """One label's file."""
        self.check()
        mesh = self.meshes.mesh(label, point=self.point, cancelled=self.cancelled)
        body = encode(mesh, self.format, to_nanometres=self.to_nanometres)
        try:
            if self.format == "precomputed":
                # The fragment first: who finds the manifest finds all.
                _write(self.folder / str(label), body)
                manifest = json.dumps(precomputed_manifest(label)).encode()
                _write(self.folder / f"{label}:0", manifest)
            else:
                _write(self.folder / f"{label}.{self.format}", body)
        except OSError as error:
            raise _unwritable(self.folder, error) from None
        return 1


def _write(path: Path, body: bytes) -> None:
    """A whole file or none, also when this is interrupted."""
    draft = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        draft.write_bytes(body)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _unwritable(folder: Path, error: OSError) -> SourceError:
    return SourceError(
        f"Meshes cannot be written to {folder}: {error.strerror or error}.",
        hint="Name a folder on a disk with room.",
    )


def _by_threads(task: _Export, labels: Sequence[int]) -> Iterator[int]:
    ended = threading.Event()
    mine = replace(task, cancelled=lambda: ended.is_set() or task.cancelled())
    return work_off_here("voxelview-export", mine.write, ((n,) for n in labels), ended.set)


def _by_cluster(
    task: _Export, source: Source, index: LabelIndex, labels: Sequence[int], client: Any
) -> Iterator[int]:
    resident = isinstance(source, ResidentSource) and source.resident
    packed = Packed(source)  # an array in memory dask sends without another copy of it
    [data] = client.scatter([source if resident else packed], hash=False)
    waiting = iter(labels)

    def calls() -> Iterator[tuple[Any, ...]]:
        while batch := list(itertools.islice(waiting, BATCH)):
            rows = np.array(sorted(index.row(label) for label in batch))
            part = LabelIndex(
                *(index.keys[rows], index.counts[rows], index.starts[rows]),
                *(index.stops[rows], index.centroids[rows]),
            )
            where = (task.point, str(task.folder), task.format, task.to_nanometres)
            yield (data, part, batch, *where)

    try:
        yield from work_off(client, _work, calls(), task.check)
    finally:
        packed.close()


def _work(
    sent: Source | Packed[Source],
    index: LabelIndex,
    labels: Sequence[int],
    point: tuple[int, ...],
    folder: str,
    format: str,
    to_nanometres: float,
) -> int:
    """A task of a cluster."""
    pyramid = Pyramid(sent.unpack() if isinstance(sent, Packed) else sent, "labels")
    meshes = Meshes(pyramid)
    meshes.adopt(point, index)
    task = _Export(meshes, point, Path(folder), format, to_nanometres, lambda: False)
    try:
        return sum(task.write(label) for label in labels)
    finally:
        meshes.close()
