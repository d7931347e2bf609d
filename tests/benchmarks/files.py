"""A volume of 2 GiB in compressed files: the first picture, exact voxels, scrolling, the pyramid.

The same voxels stand in an HDF5 file of thin planes, in one of cubes, and in an OME-Zarr without
coarse levels. Each is opened by a process of its own, whose peak memory is taken, and looked at in
a headless page. Building its pyramid is compared with reading all of it once, chunk by chunk.

To save minutes of compressing, a slab of different voxels is compressed once and stored again and
again along z; for the files that makes no difference to reading them.
"""

from __future__ import annotations

import itertools
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from tests.benchmarks.large import looked, milliseconds_of, opened
from tests.benchmarks.page_timer import fresh_page
from tests.benchmarks.table import Figure, Row, Skipped, middle
from tests.benchmarks.volumes import Waves

if TYPE_CHECKING:
    import viewer

SHAPE = (2048, 1024, 1024)
"""Voxels, uint8."""

SLAB = 128
"""Planes of different voxels."""

NEEDED_BYTES = 6 << 30
"""Free disk: three files of some 800 MB, and what is built of them."""

STEPS = 15
"""Slices moved in each direction."""

GZIP_LEVEL = 4

REST = 8.0
"""Seconds without news after which all in view is exact."""


def slab() -> np.ndarray:
    """Smooth waves and one and a half bits of grain."""
    shape = (SLAB, *SHAPE[1:])
    smooth = Waves(SHAPE[1])[tuple(slice(n) for n in shape)]
    grain = np.random.default_rng(7).integers(0, 3, shape, dtype=np.uint8)
    return smooth + grain


def write_hdf5(path: Path, data: np.ndarray, chunks: tuple[int, int, int]) -> None:
    """An HDF5 file with dataset ``image``."""
    with h5py.File(path, "w") as file:
        image = file.create_dataset(
            "image", SHAPE, np.uint8, chunks=chunks, compression="gzip", compression_opts=GZIP_LEVEL
        )
        for start in itertools.product(
            *(range(0, n, c) for n, c in zip(data.shape, chunks, strict=True))
        ):
            part = data[tuple(slice(a, a + c) for a, c in zip(start, chunks, strict=True))]
            packed = zlib.compress(np.ascontiguousarray(part), GZIP_LEVEL)
            for repeat in range(0, SHAPE[0], SLAB):
                image.id.write_direct_chunk((repeat + start[0], *start[1:]), packed)


def write_zarr(path: Path, data: np.ndarray, chunks: tuple[int, int, int]) -> None:
    """An OME-Zarr 0.5 image of one level; repeated chunks are links to one file."""
    import zarr

    group = zarr.create_group(path)
    level = group.create_array(
        "0",
        shape=SHAPE,
        chunks=chunks,
        dtype=np.uint8,
        compressors=zarr.codecs.GzipCodec(level=GZIP_LEVEL),
        dimension_names=("z", "y", "x"),
    )
    level[:SLAB] = data
    scale = {"type": "scale", "scale": [1.0, 1.0, 1.0]}
    group.attrs["ome"] = {
        "version": "0.5",
        "multiscales": [
            {
                "axes": [{"name": name, "type": "space"} for name in "zyx"],
                "datasets": [{"path": "0", "coordinateTransformations": [scale]}],
            }
        ],
    }
    planes = SLAB // chunks[0]
    folder = path / "0" / "c"
    for z in range(planes, SHAPE[0] // chunks[0]):
        for file in (folder / str(z % planes)).rglob("*"):
            if file.is_file():
                link = folder / str(z) / file.relative_to(folder / str(z % planes))
                link.parent.mkdir(parents=True, exist_ok=True)
                link.hardlink_to(file)


def read_once(path: Path) -> None:
    """All voxels, chunk by chunk, by the library that wrote them."""
    if path.suffix == ".h5":
        with h5py.File(path) as file:
            image = file["image"]
            for box in image.iter_chunks():
                image[box]
        return
    import zarr

    array = zarr.open_array(path / "0", mode="r")
    for z in range(0, SHAPE[0], 64):
        array[z : z + 64]


def show(chromium: str, path: Path, target: Path) -> dict[str, Any]:
    """What one process measures: milliseconds, and MiB of memory at its peak."""
    import viewer

    found: dict[str, Any] = {}
    v = viewer.Viewer()
    try:
        with fresh_page(chromium) as page:
            added = milliseconds_of(lambda: v.open(path))
            found["first picture"] = added + opened(page, v.url)
            found["exact"] = found["first picture"] + rested(v)
            center = np.array(SHAPE) / 2 + 0.5
            looked(page, v, tuple(map(float, center)), 1.0)
            for axis, name in enumerate("zyx"):
                times = []
                for step in range(1, STEPS + 1):
                    place = center.copy()
                    place[axis] += step
                    times.append(looked(page, v, tuple(map(float, place)), 1.0))
                found[f"slices along {name}"] = [middle(times), max(times)]
            found["peak looking"] = _peak()
            (layer,) = v.layers
            found["pyramid"] = milliseconds_of(lambda: layer.build_pyramid(target, progress=False))
            found["peak building"] = _peak()
    finally:
        v.close()
    return found


def rested(v: viewer.Viewer) -> float:
    """Milliseconds until no more previews have been made exact for a while."""
    (layer,) = v.layers
    start = last = time.perf_counter()
    generation = layer.pyramid.generation
    while time.perf_counter() - last < REST:
        time.sleep(0.1)
        if layer.pyramid.generation != generation:
            generation, last = layer.pyramid.generation, time.perf_counter()
    return 1000 * (last - start)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(chromium: str) -> list[Row | Skipped | Figure]:
    """Write the files, show each, and take them away again."""
    folder = Path(tempfile.mkdtemp(prefix="voxelview-files-"))
    try:
        if shutil.disk_usage(folder).free < NEEDED_BYTES:
            return [Skipped("2 GiB in files", f"less than {NEEDED_BYTES >> 30} GiB free on disk")]
        data = slab()
        planes, cubes, ome = folder / "planes.h5", folder / "cubes.h5", folder / "cubes.ome.zarr"
        write_hdf5(planes, data, (1, 1024, 1024))
        write_hdf5(cubes, data, (64, 64, 64))
        write_zarr(ome, data, (64, 64, 64))
        del data
        rows: list[Row | Skipped | Figure] = []
        for path, name in (
            (planes, "HDF5 by planes"),
            (cubes, "HDF5 by cubes"),
            (ome, "OME-Zarr by cubes"),
        ):
            rows += _compare(chromium, path, name)
        return rows
    finally:
        shutil.rmtree(folder)


def _compare(chromium: str, path: Path, name: str) -> list[Row | Skipped | Figure]:
    target = path.with_suffix(".pyramid")
    command = [sys.executable, "-m", __name__, chromium, str(path), str(target)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found = json.loads(done.stdout.splitlines()[-1])
    shutil.rmtree(target, ignore_errors=True)
    once = milliseconds_of(lambda: read_once(path))
    scrolls = []
    for axis in "zyx":
        usual, most = found[f"slices along {axis}"]
        scrolls.append(f"{axis} {usual:.0f} (at most {most:.0f})")
    text = (
        f"first picture {found['first picture']:.0f} ms, exact after {found['exact']:.0f} ms; "
        f"a slice along {', '.join(scrolls)} ms; "
        f"memory at its peak {found['peak looking']:.0f} MiB, while building "
        f"{found['peak building']:.0f} MiB; {_size(path) / 1e6:.0f} MB on disk"
    )
    row = Row(f"{name}: whole pyramid", found["pyramid"], once, "ms", "reading it once")
    return [row, Figure(name, text)]


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum({file.stat().st_ino: file.stat().st_size for file in files}.values())


if __name__ == "__main__":
    print(json.dumps(show(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))))
