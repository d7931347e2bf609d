"""Pyramids on the disk: built, interrupted, found again, changed, damaged."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import viewer
from viewer.cache import BlockCache
from viewer.errors import (
    BusyError,
    CancelledError,
    ClosedError,
    InvalidValueError,
    SourceError,
)
from viewer.kernels.downsample import mean, mode
from viewer.opening import open_data, parse_location
from viewer.policy import MIB, POLICY
from viewer.pyramids.build import build, find
from viewer.pyramids.levels import MADE_BYTES, plan_factors
from viewer.pyramids.pyramid import Pyramid
from viewer.pyramids.recipe import plan_tasks
from viewer.pyramids.stored import StoredLevels, lock_folder, read_about
from viewer.sources import as_source
from viewer.space import Box

SHAPE = (140, 150, 261)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder; and arrays of a few megabytes count as large."""
    monkeypatch.setenv("VOXELVIEW_CACHE", str(tmp_path / "cache"))
    small = replace(POLICY, exact_bytes=MIB, exact_voxels=2 * MIB)
    monkeypatch.setattr("viewer.pyramids.levels.POLICY", small)
    return tmp_path / "cache"


def volume(shape: tuple[int, ...] = SHAPE, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 200, shape).astype("u1")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "volume.h5"
    with h5py.File(path, "w") as opened:
        opened.create_dataset("a", data=volume(), chunks=(1, 150, 261), compression="gzip")
    return path


@pytest.fixture
def dataset(file: Path) -> Iterator[Any]:
    with h5py.File(file, "r") as opened:
        yield opened["a"]


def open_pyramid(data: Any, kind: Any = "image") -> Pyramid:
    return Pyramid(as_source(data), kind, cache=BlockCache(64 * MIB))


def check(pyramid: Pyramid, data: np.ndarray) -> None:
    """All levels are as made one from the other, whole."""
    for level, here in enumerate(pyramid.levels):
        if level:
            factors = plan_factors(pyramid.levels[level - 1], here)
            data = (mean if pyramid.kind == "image" else mode)(data, factors)
        np.testing.assert_array_equal(pyramid.read(level, Box.whole(here.shape)), data)


# --- building ---------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_tasks_cover_a_level_once_by_whole_chunks_and_bounded(data):
    shape = data.draw(st.lists(st.integers(1, 1000), min_size=2, max_size=3))
    chunk = [min(64, n) for n in shape]
    factors = data.draw(st.lists(st.integers(1, 2), min_size=len(shape), max_size=len(shape)))
    below = data.draw(
        st.none() | st.lists(st.integers(1, 1024), min_size=len(shape), max_size=len(shape))
    )
    boxes = list(plan_tasks(shape, chunk, factors, below, 4))
    assert sum(np.prod(box.shape) for box in boxes) == np.prod(shape)
    assert len({box.start for box in boxes}) == len(boxes)
    for box in boxes:
        assert np.prod(box.shape) * 4 <= max(MADE_BYTES, np.prod(chunk) * 4)
        assert all(a % c == 0 for a, c in zip(box.start, chunk, strict=True))
        assert all(b % c == 0 or b == n for b, c, n in zip(box.stop, chunk, shape, strict=True))


@pytest.mark.parametrize("kind", ["image", "labels"])
@pytest.mark.parametrize("origin", ["hdf5", "zarr", "mapped", "memory", "virtual"])
def test_what_is_built_is_exact_and_readable_by_others(tmp_path, origin, kind, dataset):
    data: Any = volume()
    if origin == "hdf5":
        data = dataset
    elif origin == "zarr":
        data = zarr.create_array(tmp_path / "a.zarr", data=data, chunks=(50, 64, 100))
    elif origin == "mapped":
        np.save(tmp_path / "a.npy", data)
        data = np.load(tmp_path / "a.npy", mmap_mode="r")
    elif origin == "virtual":
        data = Virtual(data)
    pyramid = open_pyramid(data, kind)
    assert pyramid.previews
    parts: list[float] = []
    path = build(
        pyramid, tmp_path / "levels", source="name", told=lambda task, done: parts.append(done)
    )
    assert path == tmp_path / "levels"
    assert parts == sorted(parts)
    assert parts[0] == 0
    assert parts[-1] == 1
    assert not pyramid.previews
    check(pyramid, volume())
    group = zarr.open_group(path, mode="r")
    ome = group.attrs["ome"]["multiscales"][0]
    assert ome["datasets"][0]["path"] == "1"
    assert ome["datasets"][1]["coordinateTransformations"][0]["scale"] == [4, 4, 4]
    for level in range(1, len(pyramid.levels)):
        whole = pyramid.read(level, Box.whole(pyramid.levels[level].shape))
        np.testing.assert_array_equal(np.asarray(group[str(level)]), whole)
    pyramid.close()


class Virtual:
    """Sliced like an array."""

    def __init__(self, data: np.ndarray) -> None:
        self.data, self.shape, self.dtype = data, data.shape, data.dtype

    def __getitem__(self, index: Any) -> np.ndarray:
        return self.data[index]


@pytest.mark.parametrize("dtype", [">u2", "bool", "float16", "int64"])
def test_dtypes_are_kept(tmp_path, dtype):
    data = volume((70, 80, 300)).astype(dtype)
    pyramid = open_pyramid(data)
    build(pyramid, tmp_path / "levels")
    check(pyramid, data.astype(np.dtype(dtype).newbyteorder("=")))
    pyramid.close()


def test_leading_axes_are_built_along(tmp_path):
    data = volume((3, 2, 70, 130, 140))
    pyramid = open_pyramid(data)
    build(pyramid, tmp_path / "levels")
    check(pyramid, data)
    pyramid.close()


def test_pages_are_told_that_previews_were_replaced(dataset):
    pyramid = open_pyramid(dataset)
    first = pyramid.previews[0]
    coarsest = len(pyramid.levels) - 1
    box = Box.whole(pyramid.levels[coarsest].shape)
    preview = pyramid.read(coarsest, box)
    news = threading.Event()
    pyramid.prepare(news.set)
    build(pyramid, None)
    assert news.is_set()
    assert pyramid.history.told[-1].level == first
    assert pyramid.generation == 1
    assert (pyramid.read(coarsest, box) != preview).any()
    pyramid.close()


def test_small_data_has_nothing_to_build():
    assert build(open_pyramid(volume((20, 20, 20))), None) is None


def test_data_that_is_in_no_file_needs_a_path():
    with pytest.raises(InvalidValueError, match=r"build_pyramid\('levels.zarr'\)"):
        build(open_pyramid(volume()), None)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("precious")
    with pytest.raises(SourceError, match="holds no pyramid"):
        build(open_pyramid(volume()), tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "precious"


def test_data_that_was_changed_in_memory_is_not_that_of_its_file(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", volume())
    (described,) = open_data(parse_location(tmp_path / "a.npz")).shown
    pyramid = open_pyramid(described)
    assert build(pyramid, None) is not None
    described.parts[0][:5] = 0
    pyramid.refresh(Box((0, 0, 0), (5, 150, 261)))
    with pytest.raises(InvalidValueError, match="as it is in a file"):
        build(pyramid, None)
    build(pyramid, tmp_path / "levels")
    check(pyramid, described.parts[0])
    pyramid.close()


def test_two_do_not_build_the_same(dataset, tmp_path):
    pyramid = open_pyramid(dataset)
    (tmp_path / "levels").mkdir()
    (tmp_path / "levels" / "voxelview.json").write_text("{}")
    with (
        lock_folder(tmp_path / "levels", exclusive=True),
        pytest.raises(BusyError, match="in use"),
    ):
        build(pyramid, tmp_path / "levels")


def test_a_cluster_builds_as_well(dataset, tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        pyramid = open_pyramid(dataset)
        build(pyramid, None, client=client)
        check(pyramid, volume())


def test_what_is_to_be_done_can_be_sent_to_other_processes(dataset, tmp_path):
    import pickle

    np.save(tmp_path / "a.npy", volume())
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")[10:, ::2]
    array = zarr.create_array(tmp_path / "a.zarr", data=volume(), chunks=(50, 64, 100))
    for data, whole in ((dataset, volume()), (mapped, volume()[10:, ::2]), (array, volume())):
        source = pickle.loads(pickle.dumps(as_source(data, scale=(3, 1, 1))))
        assert source.levels[0].scale == (3, 1, 1)
        np.testing.assert_array_equal(source.read(0, Box.whole(whole.shape)), whole)
        assert source.identity == as_source(data).identity


# --- interrupted ------------------------------------------------------------------------------

SCRIPT = """
import os, sys, time, h5py
from msgspec.structs import replace
import viewer.pyramids.levels, viewer.pyramids.stored
from viewer.policy import MIB, POLICY
viewer.pyramids.levels.POLICY = replace(POLICY, exact_bytes=MIB, exact_voxels=2 * MIB)
write = viewer.pyramids.stored.StoredLevels.write
def slow(self, level, index, block):
    write(self, level, index, block)
    os.write(1, b"written\\n")  # at once, whichever thread
    time.sleep(0.02)
viewer.pyramids.stored.StoredLevels.write = slow
from viewer.pyramids.build import build
from viewer.pyramids.pyramid import Pyramid
from viewer.sources import as_source
with h5py.File(sys.argv[1], "r") as file:
    build(Pyramid(as_source(file["a"]), "image"), None)
"""


def test_a_killed_build_goes_on_where_it_was(file, dataset, folder):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(file)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process:
        for _ in range(7):
            assert process.stdout.readline() == "written\n"
        process.send_signal(signal.SIGKILL)
    (path,) = folder.glob("*.zarr")
    about = read_about(path)
    assert about is not None
    assert not about.complete
    there = {
        chunk: chunk.stat().st_mtime_ns for chunk in path.glob("*/c/**/[0-9]") if chunk.is_file()
    }
    assert len(there) >= 7
    pyramid = open_pyramid(dataset)
    assert find(pyramid) is None
    assert build(pyramid, None) == path
    assert all(chunk.stat().st_mtime_ns == changed for chunk, changed in there.items())
    check(pyramid, volume())
    assert not list(path.glob("**/*.tmp"))


def test_ctrl_c_ends_it_and_it_can_go_on(dataset, folder):
    pyramid = open_pyramid(dataset)

    def interrupt(task: str, done: float) -> None:
        if done > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(pyramid, None, told=interrupt)
    assert not [t for t in threading.enumerate() if t.name.startswith("voxelview-build")]
    assert pyramid.previews
    (path,) = folder.glob("*.zarr")
    written = path / "1" / "c" / "0" / "0" / "0"
    first = written.stat().st_mtime_ns
    build(pyramid, None)
    assert written.stat().st_mtime_ns == first
    check(pyramid, volume())


def test_the_end_of_the_layer_is_the_end_of_its_building(dataset):
    pyramid = open_pyramid(dataset)

    def close(task: str, done: float) -> None:
        pyramid.close()

    with pytest.raises((CancelledError, ClosedError)):
        build(pyramid, None, told=close, cancelled=lambda: True)


def test_data_that_has_changed_is_built_from_the_beginning(tmp_path):
    data = volume()

    def interrupt(task: str, done: float) -> None:
        if done > 0.3:
            raise KeyboardInterrupt

    pyramid = open_pyramid(data)
    with pytest.raises(KeyboardInterrupt):
        build(pyramid, tmp_path / "levels", told=interrupt)
    data[:4] = 0
    pyramid.refresh(Box((0, 0, 0), (4, *SHAPE[1:])))
    build(pyramid, tmp_path / "levels")
    check(pyramid, data)
    data[:] = volume(seed=5)  # and of another one
    again = open_pyramid(data)
    build(again, tmp_path / "levels2")
    check(again, data)
    pyramid.close()
    again.close()


# --- found again ------------------------------------------------------------------------------


def test_a_built_pyramid_is_found_again_until_the_file_changes(file):
    with h5py.File(file, "r") as opened:
        build(open_pyramid(opened["a"]), None)
        again = open_pyramid(opened["a"])
        stored = find(again)
        assert stored is not None
        again.attach(stored, 0)
        assert not again.previews
        check(again, volume())
        assert find(open_pyramid(opened["a"], "labels")) is None
    with h5py.File(file, "r+") as opened:
        opened["a"][0] = 0
    os.utime(file, ns=(time.time_ns(), time.time_ns() + 10**9))
    with h5py.File(file, "r") as opened:
        assert find(open_pyramid(opened["a"])) is None


def test_a_pyramid_built_elsewhere_is_found_again(dataset, tmp_path):
    build(open_pyramid(dataset), tmp_path / "elsewhere.zarr")
    stored = find(open_pyramid(dataset))
    assert stored is not None
    assert stored.folder == tmp_path / "elsewhere.zarr"
    stored.close()


def test_a_pyramid_on_a_disk_that_is_only_read_is_found(dataset, monkeypatch):
    build(open_pyramid(dataset), None)
    opened = Path.open

    def refuse(path: Path, mode: str = "r", *more: Any, **others: Any) -> Any:
        if mode != "r" and mode != "rb":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return opened(path, mode, *more, **others)

    def refuse_times(*_: Any) -> None:
        refuse(Path(), "w")

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(os, "utime", refuse_times)
    stored = find(open_pyramid(dataset))
    assert stored is not None
    stored.close()


def test_an_array_in_a_zarr_folder_is_known_by_its_files(tmp_path):
    array = zarr.create_array(tmp_path / "a.zarr", data=volume(), chunks=(64, 64, 64))
    before = as_source(array).identity
    assert before is not None
    assert as_source(zarr.open_array(tmp_path / "a.zarr")).identity == before
    time.sleep(0.01)
    array[:5] = 0
    assert as_source(array).identity != before
    assert as_source(zarr.create_array({}, data=volume())).identity is None


def test_a_layer_builds_and_finds_its_pyramid(
    viewer_: viewer.Viewer, file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So large that nothing is made exactly in the background.
    huge = replace(POLICY, exact_bytes=MIB, exact_voxels=2 * MIB, chunk_view_voxels=MIB)
    monkeypatch.setattr("viewer.pyramids.levels.POLICY", huge)
    with h5py.File(file, "r") as opened:
        image = viewer_.add_image(opened["a"], name="raw")
        assert isinstance(image, viewer.ImageLayer)
        assert image.pyramid.previews
        coarsest = len(image.pyramid.levels) - 1
        for _ in range(2):
            image.pyramid.read(coarsest, Box.whole(image.pyramid.levels[coarsest].shape))
        (notice,) = viewer_.errors
        assert notice.kind == "preview"
        assert notice.hint.startswith("layer.build_pyramid()")
        path = image.build_pyramid(progress=False)
        assert path is not None
        assert path.parent == folder
        data = viewer_.document.state.layers[image.id].data
        assert data.generation == image.pyramid.generation == 1
        assert image.build_pyramid() == path  # there is nothing left to do
        other = viewer_.add_image(opened["a"])
        assert isinstance(other, viewer.ImageLayer)
        assert not other.pyramid.previews
        info = viewer.cache_info()
        assert [kept.source for kept in info.pyramids] == ["raw"]
        viewer.clear_cache()
        assert path.exists()  # as it is in use
    viewer_.close()
    viewer.clear_cache()
    assert not path.exists()


# --- changed and damaged ----------------------------------------------------------------------


def test_after_a_refresh_of_a_region_only_that_is_made_of_the_data(tmp_path):
    array = Virtual(volume())
    pyramid = open_pyramid(array)
    build(pyramid, tmp_path / "levels")
    for box in (Box((10, 10, 10), (11, 12, 13)), Box((100, 0, 200), (140, 70, 261))):
        array.data[box.slices] = 255
        pyramid.refresh(box)
        assert not pyramid.previews
        check(pyramid, array.data)
    array.data[...] = volume(seed=3)
    pyramid.refresh()
    assert pyramid.previews
    build(pyramid, tmp_path / "levels")
    check(pyramid, array.data)


def test_a_reader_during_refreshes_of_what_is_stored_never_gets_older_voxels(tmp_path):
    array = Virtual(np.zeros(SHAPE, "u1"))
    pyramid = open_pyramid(array)
    build(pyramid, tmp_path / "levels")
    box = Box((0, 0, 0), (10, 40, 40))
    stale: list[tuple[int, int]] = []
    stop = threading.Event()
    first = pyramid.generation

    def reader() -> None:
        while not stop.is_set():
            generation = pyramid.generation
            least = int(pyramid.read(1, box).min())
            if least < generation - first:
                stale.append((generation, least))

    threads = [threading.Thread(target=reader) for _ in range(3)]
    for thread in threads:
        thread.start()
    for value in range(1, 60):
        array.data[:20] = value
        pyramid.refresh(Box((0, 0, 0), (20, *SHAPE[1:])))
    stop.set()
    for thread in threads:
        thread.join(20)
    assert stale == []


def test_a_refresh_while_it_is_built_is_heeded(tmp_path):
    array = Virtual(volume())
    pyramid = open_pyramid(array)
    box = Box((0, 0, 0), (5, 150, 261))
    done = False

    def change(task: str, part: float) -> None:
        nonlocal done
        if part > 0.9 and not done:
            done = True
            array.data[:5] = 7
            pyramid.refresh(box)

    build(pyramid, tmp_path / "levels", told=change)
    assert not pyramid.previews
    check(pyramid, array.data)


def test_a_damaged_pyramid_says_so_and_is_left(dataset, folder):
    pyramid = open_pyramid(dataset)
    path = build(pyramid, None)
    assert path is not None
    coarsest = len(pyramid.levels) - 1
    next(chunk for chunk in (path / str(coarsest)).glob("c/**/*") if chunk.is_file()).write_bytes(
        b"?"
    )
    box = Box.whole(pyramid.levels[coarsest].shape)
    with pytest.raises(SourceError, match="damaged"):
        pyramid.read(coarsest, box)
    assert pyramid.previews
    pyramid.read(coarsest, box)


def test_a_folder_of_another_layout_is_not_opened(dataset):
    pyramid = open_pyramid(dataset)
    path = build(pyramid, None)
    pyramid.close()
    assert path is not None
    about = read_about(path)
    assert about is not None
    assert StoredLevels.open(path, replace(about, format=99)) is None
