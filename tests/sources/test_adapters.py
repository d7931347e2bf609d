"""Every kind of object that is data, by the one suite."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dask.array
import h5py
import numpy as np
import xarray
import zarr

from tests.sources.suite import SHAPE, Fallible, SourceSuite
from viewer.sources.reordered import reorder

CHUNKS = (4, 16, 16)


class Sliced:
    """Has shape, dtype and slices, and may fail."""

    def __init__(self, data: np.ndarray) -> None:
        self.shape, self.dtype, self.ndim = data.shape, data.dtype, data.ndim
        self.data = data
        self.broken = False

    def __getitem__(self, index: Any) -> np.ndarray:
        if self.broken:
            raise OSError("the disk is gone")
        return self.data[index]


class TestNumpy(SourceSuite):
    def make(self, arrays: list[np.ndarray], folder: Path) -> Any:
        return arrays[0].copy()


class TestBigEndian(TestNumpy):
    def make(self, arrays: list[np.ndarray], folder: Path) -> Any:
        return arrays[0].astype(">u2")


class TestMemoryMap(Fallible, SourceSuite):
    dtype = "float32"

    def make(self, arrays: list[np.ndarray], folder: Path) -> Any:
        np.save(folder / "a.npy", arrays[0])
        return self.again(folder)

    def again(self, folder: Path) -> Any:
        return np.load(folder / "a.npy", mmap_mode="r")

    def break_(self, data: Any, folder: Path) -> None:
        os.truncate(folder / "a.npy", 200)  # to read on would end the process


class TestSliced(Fallible, SourceSuite):
    def make(self, arrays: list[np.ndarray], folder: Path) -> Any:
        return Sliced(arrays[0])

    def break_(self, data: Any, folder: Path) -> None:
        data.broken = True


class TestReordered(TestSliced):
    """Of an array (x, z, y) of which x and y run backwards."""

    def make(self, arrays: list[np.ndarray], folder: Path) -> Any:
        turned = arrays[0][:, ::-1, ::-1].transpose(2, 0, 1)
        return reorder(Sliced(turned), (1, 2, 0), (1, 2))

    def break_(self, data: Any, folder: Path) -> None:
        data._data.broken = True


class TestHdf5(Fallible, SourceSuite):
    options: dict[str, Any] = {}

    def make(self, arrays: list[np.ndarray], folder: Path) -> Any:
        with h5py.File(folder / "a.h5", "w") as file:
            file.create_dataset("a", data=arrays[0], **self.options)
        return self.again(folder)

    def again(self, folder: Path) -> Any:
        return h5py.File(folder / "a.h5")["a"]

    def break_(self, data: Any, folder: Path) -> None:
        data.file.close()

    def end(self, data: Any) -> None:
        if data:
            data.file.close()


class TestHdf5Gzip(TestHdf5):
    chunks = CHUNKS
    options = {"chunks": CHUNKS, "compression": "gzip"}


class TestHdf5Shuffled(TestHdf5Gzip):
    dtype = "float64"
    options = {"chunks": CHUNKS, "compression": "gzip", "shuffle": True}


class TestHdf5Bool(TestHdf5Gzip):
    dtype = "bool"
    options = {"chunks": CHUNKS, "compression": "gzip", "shuffle": True}


class TestHdf5Lzf(TestHdf5Gzip):
    options = {"chunks": CHUNKS, "compression": "lzf", "fletcher32": True}


class TestHdf5Unpacked(TestHdf5Gzip):
    options = {"chunks": CHUNKS}


class TestZarr3(Fallible, SourceSuite):
    chunks = CHUNKS
    options: dict[str, Any] = {}

    def make(self, arrays: list[np.ndarray], folder: Path) -> Any:
        zarr.create_array(folder / "a.zarr", data=arrays[0], chunks=CHUNKS, **self.options)
        return self.again(folder)

    def again(self, folder: Path) -> Any:
        return zarr.open_array(folder / "a.zarr", mode="r")

    def break_(self, data: Any, folder: Path) -> None:
        _break_files(folder)


class TestZarr2(TestZarr3):
    options = {"zarr_format": 2}


class TestZarrSharded(TestZarr3):
    options = {"shards": (8, 32, 32)}


class TestDask(Fallible, SourceSuite):
    chunks = CHUNKS

    def make(self, arrays: list[np.ndarray], folder: Path) -> Any:
        self.inner = Sliced(arrays[0])
        # without asarray, the graph would hold a copy
        return dask.array.from_array(self.inner, chunks=CHUNKS, asarray=False)

    def break_(self, data: Any, folder: Path) -> None:
        self.inner.broken = True


class TestXarray(SourceSuite):
    units = "µm"
    scale = (2.0, 0.5, 0.5)

    def make(self, arrays: list[np.ndarray], folder: Path) -> Any:
        return _data_array(arrays[0])


class TestXarrayOfDask(TestXarray):
    chunks = CHUNKS

    def make(self, arrays: list[np.ndarray], folder: Path) -> Any:
        return _data_array(arrays[0]).chunk(dict(zip("zyx", CHUNKS, strict=True)))


class TestXarrayFile(Fallible, TestXarray):
    """As xarray opens it: nothing is read before it is sliced."""

    chunks = CHUNKS

    def make(self, arrays: list[np.ndarray], folder: Path) -> Any:
        _data_array(arrays[0]).to_dataset(name="a").to_zarr(
            folder / "a.zarr",
            encoding={"a": {"chunks": CHUNKS}},
            consolidated=False,
            zarr_format=2,
        )
        data = xarray.open_zarr(folder / "a.zarr", chunks=None, consolidated=False)["a"]
        data.encoding["chunksizes"] = CHUNKS
        return data

    def break_(self, data: Any, folder: Path) -> None:
        _break_files(folder)


class TestList(SourceSuite):
    levels = 3

    def make(self, arrays: list[np.ndarray], folder: Path) -> Any:
        return [array.copy() for array in arrays]

    def parts(self, data: Any) -> list[Any]:
        return list(data)


class TestListOfDifferentThings(Fallible, TestList):
    chunks = CHUNKS

    def make(self, arrays: list[np.ndarray], folder: Path) -> Any:
        zarr.create_array(folder / "a.zarr", data=arrays[0], chunks=CHUNKS)
        self.coarser = arrays[1:]
        return self.again(folder)

    def again(self, folder: Path) -> Any:
        first = zarr.open_array(folder / "a.zarr", mode="r")
        second, third = self.coarser
        return (first, dask.array.from_array(second, chunks=CHUNKS), third.copy())

    def break_(self, data: Any, folder: Path) -> None:
        _break_files(folder)


class TestOmeZarr04(Fallible, SourceSuite):
    levels = 3
    chunks = CHUNKS
    units = "nm"
    scale = (40.0, 4.0, 4.0)
    version = "0.4"

    def make(self, arrays: list[np.ndarray], folder: Path) -> Any:
        return write_ome_zarr(folder / "a.zarr", arrays, self.version)

    def again(self, folder: Path) -> Any:
        return zarr.open_group(folder / "a.zarr", mode="r")

    def break_(self, data: Any, folder: Path) -> None:
        _break_files(folder)


class TestOmeZarr05(TestOmeZarr04):
    version = "0.5"


def write_ome_zarr(path: Path, arrays: Sequence[np.ndarray], version: str) -> zarr.Group:
    """An image of (40, 4, 4) nm whose levels are reduced along y and x."""
    group = zarr.open_group(path, mode="w", zarr_format=2 if version == "0.4" else 3)
    datasets = []
    for level, array in enumerate(arrays):
        group.create_array(str(level), data=np.ascontiguousarray(array), chunks=CHUNKS)
        step = 2**level
        datasets.append(
            {
                "path": str(level),
                "coordinateTransformations": [
                    {"type": "scale", "scale": [10, step, step]},
                    {"type": "translation", "translation": [0, (step - 1) / 2, (step - 1) / 2]},
                ],
            }
        )
    multiscale = {
        "axes": [{"name": name, "type": "space", "unit": "nanometer"} for name in "zyx"],
        "datasets": datasets,
        "coordinateTransformations": [{"type": "scale", "scale": [4, 4, 4]}],
    }
    if version == "0.4":
        group.attrs["multiscales"] = [{"version": version, **multiscale}]
    else:
        group.attrs["ome"] = {"version": version, "multiscales": [multiscale]}
    return zarr.open_group(path, mode="r")


def _data_array(array: np.ndarray) -> xarray.DataArray:
    steps = (2.0, 0.5, 0.5)
    coords = {
        name: (name, np.arange(n) * step, {"units": "micrometer"})
        for name, n, step in zip("zyx", SHAPE, steps, strict=True)
    }
    return xarray.DataArray(array, coords, ("z", "y", "x"))


def _break_files(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file() and file.name[0] not in "z.":
            file.write_bytes(b"broken")
