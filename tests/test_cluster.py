"""Workers that are processes of their own, as on a cluster: they share files, and no memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
import zarr
from msgspec.structs import replace

import viewer
from tests.sources.test_remote import Web, web
from viewer.cluster import work_off
from viewer.errors import InvalidValueError, SourceError
from viewer.kernels.downsample import mean
from viewer.opening import open_data, parse_location
from viewer.policy import MIB, POLICY
from viewer.pyramids.build import build
from viewer.pyramids.pyramid import Pyramid
from viewer.sources import as_source
from viewer.space import Box

distributed = pytest.importorskip("distributed")

__all__ = ["web"]  # a fixture

CHUNKS = (50, 64, 100)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays of a few megabytes count as large."""
    monkeypatch.setattr("viewer.pyramids.levels.POLICY", replace(POLICY, exact_bytes=MIB))


@pytest.fixture(scope="module")
def volume() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 200, (100, 150, 201)).astype("u1")


@pytest.fixture(params=["hdf5", "zarr", "mapped", "dask", "tiff", "web"])
def data(
    request: pytest.FixtureRequest, volume: np.ndarray, tmp_path: Path, web: Web
) -> Iterator[Any]:
    if request.param == "hdf5":
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file.create_dataset("a", data=volume, chunks=(1, 150, 201), compression="gzip")
        with h5py.File(tmp_path / "a.h5") as file:
            yield file["a"]
    elif request.param == "zarr":
        yield zarr.create_array(tmp_path / "a.zarr", data=volume, chunks=CHUNKS)
    elif request.param == "mapped":
        np.save(tmp_path / "a.npy", volume)
        yield np.load(tmp_path / "a.npy", mmap_mode="r")
    elif request.param == "tiff":
        tifffile.imwrite(tmp_path / "a.tif", volume, compression="zlib", photometric="minisblack")
        opened = open_data(parse_location(tmp_path / "a.tif"))
        yield opened.shown[0]
        opened.close()
    elif request.param == "web":
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file.create_dataset("a", data=volume, chunks=CHUNKS, compression="gzip")
        opened = open_data(parse_location(f"{web.url}/a.h5"))
        yield opened.shown[0]
        opened.close()
    else:
        dask = pytest.importorskip("dask.array")
        yield dask.from_array(volume, chunks=CHUNKS)


def test_processes_build_a_pyramid(
    client: Any, data: Any, volume: np.ndarray, tmp_path: Path
) -> None:
    pyramid = Pyramid(as_source(data), "image")
    build(pyramid, tmp_path / "levels", client=client)
    assert not pyramid.previews
    level = pyramid.read(1, Box.whole(pyramid.levels[1].shape))
    np.testing.assert_array_equal(level, mean(volume, (2, 2, 2)))
    pyramid.close()


def test_what_workers_do_not_find_is_said(client: Any, volume: np.ndarray, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a", data=volume, chunks=CHUNKS)
    with h5py.File(tmp_path / "a.h5") as file:
        pyramid = Pyramid(as_source(file["a"]), "image")
        (tmp_path / "a.h5").rename(tmp_path / "b.h5")
        with pytest.raises(InvalidValueError, match=r"cannot be sent .* is not on the disk"):
            build(pyramid, tmp_path / "levels", client=client)
        pyramid.close()


def test_what_processes_cannot_have_is_refused(client: Any, tmp_path: Path) -> None:
    class Private:
        shape, dtype = (100, 150, 201), np.dtype("u1")

        def __getitem__(self, index: Any) -> np.ndarray:
            return np.zeros(self.shape, self.dtype)[index]

        def __reduce__(self) -> Any:
            raise TypeError("not to be sent")

    pyramid = Pyramid(as_source(Private()), "image")
    with pytest.raises(InvalidValueError, match="cannot be sent"):
        build(pyramid, tmp_path / "levels", client=client)
    pyramid.close()


def test_a_computed_array_is_read_by_the_active_cluster(client: Any, volume: np.ndarray) -> None:
    dask = pytest.importorskip("dask.array")
    import os

    here = os.getpid()
    lazy = dask.from_array(volume, chunks=CHUNKS).map_blocks(
        lambda block: block + np.uint8(os.getpid() != here), dtype="u1"
    )
    source = as_source(lazy)
    box = Box((10, 20, 30), (80, 90, 120))
    np.testing.assert_array_equal(source.read(0, box), volume[box.slices] + 1)
    source.close()


def test_a_computation_that_fails_elsewhere_is_a_source_error(client: Any) -> None:
    dask = pytest.importorskip("dask.array")

    def fail(block: np.ndarray) -> np.ndarray:
        raise OSError("the worker has no such file")

    lazy = dask.zeros((64, 64, 64), chunks=32).map_blocks(fail, dtype="f8", meta=np.zeros(()))
    source = as_source(lazy)
    with pytest.raises(SourceError, match="no such file"):
        source.read(0, Box((0, 0, 0), (8, 8, 8)))
    source.close()


def test_processes_export_the_meshes_of_a_file(
    client: Any, viewer_: viewer.Viewer, tmp_path: Path
) -> None:
    cells = np.zeros((60, 80, 90), "u4")
    cells[5:20, 5:20, 5:20], cells[30:50, 30:60, 30:70], cells[40:, 70:, 80:] = 1, 7, 9
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("cells", data=cells, chunks=(16, 16, 16), compression="gzip")
    with h5py.File(tmp_path / "a.h5") as file:
        layer = viewer_.add_labels(file["cells"])
        assert layer.export_meshes(tmp_path / "there", client=client, progress=False) == 3
        assert layer.export_meshes(tmp_path / "here", progress=False) == 3
    for label in (1, 7, 9):
        there = (tmp_path / "there" / f"{label}.ply").read_bytes()
        assert there == (tmp_path / "here" / f"{label}.ply").read_bytes()


def test_a_cluster_that_ends_says_so_and_is_not_asked_again(client: Any) -> None:
    short = distributed.Client(client.scheduler.address, set_as_default=False)
    work = work_off(short, abs, ((-number,) for number in range(99)), lambda: None)
    assert next(work) in range(99)
    short.close()
    with pytest.raises(SourceError, match="cluster has gone"):
        list(work)
    for gone in (short, "tcp://127.0.0.1:1"):
        with pytest.raises(InvalidValueError, match=r"no running dask\.distributed\.Client"):
            list(work_off(gone, abs, iter([(1,)]), lambda: None))
