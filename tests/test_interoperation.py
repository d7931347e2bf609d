"""Other programs read `layer.zarr_url`: zarr-python, zarrita in Node, and ome-zarr-models."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr
from fsspec.implementations.http import HTTPFileSystem
from zarr.storage import FsspecStore

import viewer
from scripts.build_client import install_packages, provide_node

if TYPE_CHECKING:
    from viewer.layers import Layer

ROOT = Path(__file__).parents[1]
ZARRITA = ROOT / "frontend" / "tests" / "zarrita-client.mjs"
SHAPE = (70, 130, 67)
"""Voxels: two levels, and chunks at the borders that are not full."""

LABEL = 2**63 + 7


@pytest.fixture(params=["image", "labels", "stored"])
def shown(
    request: pytest.FixtureRequest, viewer_: viewer.Viewer, tmp_path: Path
) -> tuple[Layer, np.ndarray[Any, Any]]:
    """A layer, and its voxels at full resolution."""
    numbers = np.random.default_rng(3).integers(0, 2**16, SHAPE, np.uint16)
    options: dict[str, Any] = {"scale": (4, 2, 2), "translate": (1, 2, 3), "units": "nm"}
    if request.param == "labels":
        labels = np.where(numbers > 40_000, np.uint64(LABEL), np.uint64(7))
        return viewer_.add_labels(labels, **options), labels
    if request.param == "image":
        return viewer_.add_image(numbers, contrast_limits=(10, 1000), **options), numbers
    numbers[:64] = 9  # the store leaves out chunks of nothing but the fill value
    stored = zarr.create_array(
        tmp_path / "stored.zarr",
        shape=SHAPE,
        dtype=numbers.dtype,
        chunks=(32, 50, 67),
        fill_value=9,
        config={"write_empty_chunks": False},
    )
    stored[...] = numbers
    array = zarr.open_array(tmp_path / "stored.zarr", mode="r")
    return viewer_.add_image(array, **options), numbers


def levels_of(layer: Layer) -> list[np.ndarray[Any, Any]]:
    """What our own reader says."""
    from viewer.space import Box

    pyramid = layer.pyramid
    return [pyramid.read(i, Box.whole(level.shape)) for i, level in enumerate(pyramid.levels)]


def test_zarr_python_reads_all_levels(shown: tuple[Layer, np.ndarray[Any, Any]]) -> None:
    layer, data = shown
    group = zarr.open_group(layer.zarr_url, mode="r")
    (scales,) = group.attrs["ome"]["multiscales"]
    found = [group[entry["path"]][...] for entry in scales["datasets"]]
    np.testing.assert_array_equal(found[0], data)
    for one, other in zip(found, levels_of(layer), strict=True):
        np.testing.assert_array_equal(one, other)


def test_zarr_python_reads_asynchronously(shown: tuple[Layer, np.ndarray[Any, Any]]) -> None:
    layer, data = shown

    async def read() -> Any:
        files = HTTPFileSystem(asynchronous=True, skip_instance_cache=True)
        session = await files.set_session()
        store = FsspecStore(files, read_only=True, path=f"{layer.zarr_url}/0")
        array = await zarr.api.asynchronous.open_array(store=store, mode="r")
        try:
            return await array.getitem((slice(3, 66), slice(40, 130), slice(None)))
        finally:
            await session.close()

    np.testing.assert_array_equal(asyncio.run(read()), data[3:66, 40:])


def test_zarrita_reads_all_levels(shown: tuple[Layer, np.ndarray[Any, Any]]) -> None:
    layer, _ = shown
    folder = provide_node()
    install_packages(folder)
    node = shutil.which("node", path=folder)
    assert node is not None
    command = [node, ZARRITA, layer.zarr_url]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    for one, other in zip(found, levels_of(layer), strict=True):
        assert one["dtype"] == other.dtype.name
        assert tuple(one["shape"]) == other.shape
        assert base64.b64decode(one["bytes"]) == other.tobytes()


def test_ome_zarr_models_validates_the_metadata(
    shown: tuple[Layer, np.ndarray[Any, Any]],
) -> None:
    from ome_zarr_models.v05 import Image, ImageLabel

    layer, _ = shown
    model = ImageLabel if layer.kind == "labels" else Image
    group = model.from_zarr(zarr.open_group(layer.zarr_url, mode="r"))
    (scales,) = group.ome_attributes.multiscales
    assert [axis.unit for axis in scales.axes] == ["nanometer"] * 3
    first = scales.datasets[0].coordinateTransformations
    assert first[0].scale == [4, 2, 2]
    assert first[1].translation == [1, 2, 3]
