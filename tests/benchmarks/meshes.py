"""Meshes against neuroglancer's on-demand generator, zmesh and scikit-image, side by side.

On the labels named in ``VOXELVIEW_BENCH_DATA`` (else none), on cells and on thin tubes of 512³.
Ours are made without smoothing here, as theirs are.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.segmentations import cells, tubes
from tests.benchmarks.surfaces import distances, is_closed, spread
from tests.benchmarks.table import Row, Skipped, middle
from tests.benchmarks.volumes import segmentation
from viewer.kernels.crew import in_parallel
from viewer.meshing.label_index import make_index
from viewer.meshing.label_search import find_label
from viewer.meshing.mesh import Mesh
from viewer.meshing.meshes import MESHES, Meshes
from viewer.meshing.simplify import simplified
from viewer.policy import POLICY
from viewer.pyramids.pyramid import Pyramid
from viewer.sources import as_source

EDGE = 512
RUNS = 5
LABELS = 16
"""Random labels that are meshed one by one."""

Rows = list[Row | Skipped]


def alternately(*works: Callable[[], object], runs: int = RUNS) -> list[float]:
    """Median milliseconds of each, measured by turns after one call that warms up."""
    times: list[list[float]] = [[] for _ in works]
    for turn in range(runs + 1):
        for place, work in enumerate(works):
            start = time.perf_counter()
            work()
            if turn:
                times[place].append(1000 * (time.perf_counter() - start))
    return [middle(own) for own in times]


def peak(work: Callable[[], object]) -> float:
    """MiB that a piece of work takes at its height, beyond what the process had before."""

    def status(name: str) -> int:
        text = Path("/proc/self/status").read_text()
        return int(text.split(f"{name}:")[1].split()[0])

    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    kept = work()
    height = status("VmHWM")
    del kept
    return max(height - before, 1) / 1024


class Neuroglancer:
    """Its generator, built as `neuroglancer.LocalVolume` builds it: meshes of all labels."""

    def __init__(self, labels: np.ndarray, **options: float) -> None:
        from neuroglancer import _neuroglancer

        self._made = _neuroglancer.OnDemandObjectMeshGenerator(
            labels.transpose(), np.ones(3), np.zeros(3), **options
        )

    def mesh(self, label: int) -> tuple[np.ndarray, np.ndarray]:
        """Vertices and faces, simplified now unless that was switched off."""
        data = self._made.get_mesh(label)
        number = int(np.frombuffer(data, "<u4", 1)[0])
        vertices = np.frombuffer(data, "<f4", 3 * number, 4).reshape(-1, 3)
        return vertices, np.frombuffer(data, "<u4", offset=4 + 12 * number).reshape(-1, 3)


RAW = {"max_quadrics_error": -1.0}


def meshed(pyramid: Pyramid, label: int, seed: tuple[int, ...] | None = None) -> Mesh:
    """From cold: nothing is known of the volume, but maybe where somebody clicked."""
    meshes = Meshes(pyramid)
    mesh = meshes.mesh(label, smoothing=0, seed=seed)
    meshes.close()
    return mesh


def first_click(name: str, labels: np.ndarray, label: int) -> Rows:
    """One label of a volume of which nothing is known, and finding it against ``max()``.

    A click says where a voxel of it is: what hangs together with that comes first.
    """
    pyramid = Pyramid(as_source(labels), "labels")
    voxels = np.flatnonzero(labels == label)
    click = tuple(map(int, np.unravel_index(voxels[len(voxels) // 2], labels.shape)))

    def fewer() -> Mesh:
        return simplified(meshed(pyramid, label), faces=count)

    large = True if labels.size >= EDGE**3 else None  # smaller ones are all surface
    rows: Rows = []
    find = lambda: find_label(pyramid, label, (), most_runs=1 << 22)  # noqa: E731
    ours, other = alternately(find, labels.max)
    rows.append(Row(f"{name}: finding one label", ours, other, "ms", "a.max()", 1.5))
    ours, clicked, other = alternately(
        lambda: meshed(pyramid, label),
        lambda: meshed(pyramid, label, click),
        lambda: Neuroglancer(labels, **RAW).mesh(label),
        runs=3,
    )
    what = f"{name}: first mesh"
    share = len(meshed(pyramid, label, click).faces) / len(meshed(pyramid, label).faces)
    what_first = f"{what} at a click, {100 * share:.0f} % of it"
    rows.append(Row(what_first, clicked, other, "ms", "neuroglancer", large and 1 / 200))
    rows.append(Row(what, ours, other, "ms", "neuroglancer", large and 1 / 200))
    count = len(Neuroglancer(labels).mesh(label)[1])
    ours, other = alternately(fewer, lambda: Neuroglancer(labels).mesh(label), runs=3)
    rows.append(
        Row(f"{name}: first mesh, simplified", ours, other, "ms", "neuroglancer", large and 1 / 75)
    )
    return rows


def one_by_one(name: str, labels: np.ndarray, chosen: list[int]) -> Rows:
    """Labels whose places are known."""
    import zmesh
    from skimage.measure import marching_cubes

    pyramid = Pyramid(as_source(labels), "labels")
    index = make_index(pyramid, ())
    boxes = {label: index.box(index.row(label)).slices for label in chosen}
    meshes = Meshes(pyramid)
    meshes.index()

    def ours() -> None:
        for label in chosen:
            meshes.mesh(label, smoothing=0)
        meshes.forget()

    def zmeshes() -> None:
        for label in chosen:
            mesher = zmesh.Mesher((1, 1, 1))
            mesher.mesh((labels[boxes[label]] == label).astype(np.uint8))
            mesher.get(1, normals=False, reduction_factor=0)

    def scikit_image() -> None:
        for label in chosen:
            marching_cubes(np.pad(labels[boxes[label]] == label, 1).astype(np.float32), 0.5)

    mine, zmesh_time, scikit_time = alternately(ours, zmeshes, scikit_image, runs=3)
    what = f"{name}: {len(chosen)} known labels"
    return [
        Row(what, mine, zmesh_time, "ms", "zmesh", 1 / 8),
        Row(what, mine, scikit_time, "ms", "scikit-image", 1 / 12),
    ]


def all_labels(name: str, labels: np.ndarray) -> Rows:
    """Every label: time, and memory while it goes on."""
    import zmesh

    pyramid = Pyramid(as_source(labels), "labels")
    keys = np.unique(labels)[np.unique(labels) > 0].tolist()

    def make(meshes: Meshes, label: int) -> None:
        meshes.mesh(label, smoothing=0)

    def ours() -> None:
        meshes = Meshes(pyramid)
        meshes.index()
        in_parallel([partial(make, meshes, label) for label in keys])
        meshes.close()

    def neuroglancer() -> None:
        made = Neuroglancer(labels, **RAW)
        for label in keys:
            made.mesh(label)

    def zmeshes() -> None:
        mesher = zmesh.Mesher((1, 1, 1))
        mesher.mesh(labels)
        for label in keys:
            mesher.get(label, normals=False, reduction_factor=0)
            mesher.erase(label)

    # What is kept for later is a budget, not a need: here the index, and little else, since the
    # others keep no meshes.
    known = Meshes(pyramid)
    MESHES.resize(known.index().nbytes + (4 << 20))
    known.close()
    mine, theirs, zmesh_time = alternately(ours, neuroglancer, zmeshes, runs=1)
    memory = [peak(work) for work in (ours, neuroglancer, zmeshes)]
    MESHES.resize(POLICY.mesh_cache_bytes)
    what = f"{name}: all {len(keys)} labels"
    return [
        Row(what, mine, theirs, "ms", "neuroglancer", 1 / 10),
        Row(what, mine, zmesh_time, "ms", "zmesh", 1 / 7),
        Row(f"{what}, memory", memory[0], memory[1], "MiB", "neuroglancer", 1 / 5),
        Row(f"{what}, memory", memory[0], memory[2], "MiB", "zmesh", 1 / 5),
    ]


def indexing(name: str, labels: np.ndarray) -> Rows:
    """The index of all labels, against the time it may take."""
    rows: Rows = []
    for dtype, limit in ((np.uint32, 300.0), (np.uint64, 500.0)):
        pyramid = Pyramid(as_source(labels.astype(dtype)), "labels")
        (ours,) = alternately(lambda pyramid=pyramid: make_index(pyramid, ()))  # type: ignore[misc]
        what = f"{name}: index of all labels, {np.dtype(dtype)}"
        rows.append(Row(what, ours, limit, "ms", "what it may take", 1))
    return rows


def simplification(name: str, labels: np.ndarray, chosen: list[int]) -> Rows:
    """To the number of faces that OpenMesh leaves within neuroglancer's generator.

    It simplifies a label when it is first asked for, so what it takes is that first time. Errors
    are those of points all over the surface before, from the surface after.
    """
    raw, coarse = Neuroglancer(labels, **RAW), Neuroglancer(labels, max_quadrics_error=0.35)
    pyramid = Pyramid(as_source(labels), "labels")
    # It leaves surfaces open at the volume's border: only those that are closed are compared.
    chosen = [label for label in chosen if is_closed(raw.mesh(label)[1])]
    ours, theirs, errors, counts = [], [], [], np.zeros(2)
    for label in chosen:
        mesh, start = meshed(pyramid, label), time.perf_counter()
        vertices, faces = coarse.mesh(label)
        theirs.append(1000 * (time.perf_counter() - start))
        (time_taken,) = alternately(partial(simplified, mesh, faces=len(faces), stay=True), runs=1)
        ours.append(time_taken)
        few = simplified(mesh, faces=len(faces), stay=True)
        if not is_closed(few.faces) or euler(few) != euler(mesh):
            return [Skipped(name, f"label {label} is not closed any more, or of another shape")]
        errors.append(
            (
                distances(few.vertices, few.faces, spread(mesh.vertices, mesh.faces)).mean(),
                distances(vertices, faces, spread(*raw.mesh(label))).mean(),
            )
        )
        counts += (len(faces), len(mesh.faces))
    what = f"{name}: simplification to {counts[0] / max(counts[1], 1):.2f} of the faces"
    if not chosen:
        return [Skipped(what, "no label is away from the border")]
    mine, others = np.mean(errors, axis=0)
    return [
        Row(what, sum(ours), sum(theirs), "ms", "OpenMesh", 1 / 7),
        Row(f"{what}, error", 1000 * mine, 1000 * others, "voxel/1000", "OpenMesh", 1),
    ]


def euler(mesh: Mesh) -> int:
    """Characteristic of a closed surface."""
    return len(mesh.vertices) - len(mesh.faces) // 2


def loop_delay(labels: np.ndarray, chosen: list[int]) -> Rows:
    """How late an event loop is while two threads mesh."""
    pyramid = Pyramid(as_source(labels), "labels")
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            meshes = Meshes(pyramid)
            in_parallel([partial(meshes.mesh, label) for label in chosen])
            meshes.close()

    async def watch() -> list[float]:
        late = []
        for _ in range(1500):
            start = time.perf_counter()
            await asyncio.sleep(0.002)
            late.append(1000 * (time.perf_counter() - start) - 2)
        return late

    thread = threading.Thread(target=work)
    thread.start()
    late = asyncio.run(watch())
    done.set()
    thread.join()
    percentile = float(np.percentile(late, 95))
    return [Row("event loop while meshing, 95 %", percentile, 5, "ms", "what it may be", 1)]


PROCESS = """
import time
import numpy as np
import viewer.meshing.meshes, viewer.sources
from viewer.pyramids.pyramid import Pyramid
labels = np.zeros((64, 64, 64), np.uint32)
labels[8:40, 9:41, 10:42] = 7
pyramid = Pyramid(viewer.sources.as_source(labels), "labels")
start = time.perf_counter()
viewer.meshing.meshes.Meshes(pyramid).mesh(7)
print(1000 * (time.perf_counter() - start))
"""


def compilation() -> Rows:
    """The first mesh of a fresh process, with Numba's cache and without."""

    def first(folder: str) -> float:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        command = [sys.executable, "-c", PROCESS]
        out = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        return float(out.stdout)

    with tempfile.TemporaryDirectory() as folder:
        cold = first(folder)
        warm = middle([first(folder) for _ in range(3)])
    return [
        Row("first mesh of a process, compiled before", warm, 1000, "ms", "what it may take", 1),
        Row("first mesh of a process, never compiled", cold, warm, "ms", "compiled before"),
    ]


def run() -> Rows:
    """All of them; what needs a peer that is not installed is left out."""
    rows = compilation()
    volumes: dict[str, np.ndarray] = {}
    if os.environ.get("VOXELVIEW_BENCH_DATA"):
        volumes["labels given"] = segmentation()
    # Peers mesh every label before they show one: few of them suit theirs, many ours.
    volumes |= {"cells": cells(EDGE), "300 tubes": tubes(EDGE, 300), "1200 tubes": tubes(EDGE)}
    for name, labels in volumes.items():
        rng = np.random.default_rng(6)
        keys, counts = np.unique(labels, return_counts=True)
        keys, counts = keys[keys > 0], counts[keys > 0]
        chosen = rng.choice(keys[counts > 100], LABELS, replace=False).tolist()
        largest = int(keys[counts.argmax()])
        steps: list[tuple[Callable[..., Rows], tuple[Any, ...]]] = [
            (indexing, ()),
            (first_click, (largest,)),
            (one_by_one, (chosen,)),
            (all_labels, ()),
            (simplification, (chosen,)),
        ]
        for step, arguments in steps:
            print(f"  {name}: {step.__name__}", file=sys.stderr, flush=True)
            try:
                rows += step(name, labels, *arguments)
            except ImportError as error:
                rows.append(Skipped(f"{name}: {step.__name__}", f"{error.name} is not installed"))
        if name == "cells":
            rows += loop_delay(labels, chosen)
    return rows
