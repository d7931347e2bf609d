"""Stored chunks with the metadata that goes with them are what the array holds."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr
from zarr.core.buffer import default_buffer_prototype

from viewer.errors import ClosedError, SourceError
from viewer.sources import as_source
from viewer.sources.channel import channel_sources
from viewer.sources.protocol import Storage, StoredSource
from viewer.sources.zarr import ZarrSource

DATA = np.random.default_rng(0).integers(0, 99, (5, 18, 21)).astype("u2")

WAYS: dict[str, dict[str, Any]] = {
    "v3 zstd": {},
    "v3 plain": {"compressors": None},
    "v3 blosc": {"compressors": zarr.codecs.BloscCodec(cname="lz4")},
    "v3 gzip": {"compressors": zarr.codecs.GzipCodec()},
    "v3 big": {"serializer": zarr.codecs.BytesCodec(endian="big")},
    "v3 transposed": {"filters": [zarr.codecs.TransposeCodec(order=(2, 1, 0))]},
    "v2 plain": {"zarr_format": 2, "compressors": None},
    "v2 blosc": {"zarr_format": 2, "compressors": numcodecs.Blosc(shuffle=-1)},
    "v2 gzip": {"zarr_format": 2, "compressors": numcodecs.GZip()},
    "v2 zstd": {"zarr_format": 2, "compressors": numcodecs.Zstd()},
    "v2 slash": {"zarr_format": 2, "chunk_key_encoding": {"name": "v2", "separator": "/"}},
}


def served(source: StoredSource, shape: tuple[int, ...], level: int = 0) -> np.ndarray:
    """What zarr-python reads from the stored chunks by the metadata that comes with them."""
    storage = source.storage(level)
    assert isinstance(storage, Storage)
    store = zarr.storage.MemoryStore()
    metadata = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": source.dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(storage.chunks)}},
        "chunk_key_encoding": {
            "name": "default",
            "configuration": {"separator": storage.separator},
        },
        "fill_value": storage.fill_value,
        "codecs": list(storage.codecs),
        "attributes": {},
    }
    import json

    def put(key: str, value: bytes) -> None:
        asyncio.run(store.set(key, default_buffer_prototype().buffer.from_bytes(value)))

    put("zarr.json", json.dumps(metadata, allow_nan=False).encode())
    counts = [-(-n // c) for n, c in zip(shape, storage.chunks, strict=True)]
    for index in np.ndindex(*counts):
        stored = source.read_stored(level, index)
        if stored is not None:
            put("c/" + "/".join(map(str, index)), stored)
    return np.asarray(zarr.open_array(store, mode="r")[...])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("where", ["memory", "disk"])
def test_any_zarr_reader_understands_what_is_handed_on(
    way: str, where: str, tmp_path: Path
) -> None:
    store: Any = {} if where == "memory" else tmp_path / "a.zarr"
    array = zarr.create_array(store, data=DATA, chunks=(2, 8, 8), **WAYS[way])
    source = as_source(array)
    assert isinstance(source, StoredSource)
    np.testing.assert_array_equal(served(source, DATA.shape), DATA)


@pytest.mark.parametrize(
    "options",
    [
        {"shards": (4, 16, 16)},
        {"zarr_format": 2, "compressors": numcodecs.Zlib()},
        {"zarr_format": 2, "filters": [numcodecs.Delta("u2")]},
        {"zarr_format": 2, "order": "F"},
    ],
    ids=str,
)
def test_what_others_might_not_decode_is_not_handed_on(options: dict[str, Any]) -> None:
    source = as_source(zarr.create_array({}, data=DATA, chunks=(2, 8, 8), **options))
    assert isinstance(source, StoredSource) and source.storage(0) is None


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("fill", [np.nan, -np.inf, 1.5])
def test_chunks_that_are_not_stored_have_the_fill_value(version: int, fill: float) -> None:
    array = zarr.create_array(
        {}, shape=(4, 4), chunks=(2, 2), dtype="f4", fill_value=fill, zarr_format=version
    )
    array[:2, :2] = 7
    source = as_source(array)
    assert isinstance(source, ZarrSource) and source.read_stored(0, (1, 1)) is None
    np.testing.assert_array_equal(served(source, (4, 4)), array[...])


def test_a_channel_is_handed_on_where_it_has_chunks_of_its_own() -> None:
    data = np.stack([DATA, DATA[::-1]])
    own = zarr.create_array({}, data=data, chunks=(1, 2, 8, 8))
    np.testing.assert_array_equal(served(channel_sources(own, 0)[1], DATA.shape), DATA[::-1])
    shared = zarr.create_array({}, data=data, chunks=(2, 2, 8, 8))
    assert channel_sources(shared, 0)[1].storage(0) is None


def test_levels_are_handed_on_each_as_it_is_stored() -> None:
    coarse = np.ascontiguousarray(DATA[:, ::2, ::2])
    source = as_source(
        [
            zarr.create_array({}, data=DATA, chunks=(2, 8, 8)),
            zarr.create_array({}, data=coarse, chunks=(5, 5, 5), compressors=None),
        ]
    )
    assert isinstance(source, StoredSource)
    np.testing.assert_array_equal(served(source, coarse.shape, level=1), coarse)


def test_a_store_that_fails_is_a_source_error(tmp_path: Path) -> None:
    array = zarr.create_array(tmp_path / "a.zarr", data=DATA, chunks=(5, 18, 21))
    source = as_source(array)
    assert isinstance(source, ZarrSource)
    chunk = tmp_path / "a.zarr" / "c" / "0" / "0" / "0"
    chunk.unlink()
    chunk.mkdir()
    with pytest.raises(SourceError, match="chunk"):
        source.read_stored(0, (0, 0, 0))
    source.close()
    with pytest.raises(ClosedError):
        source.read_stored(0, (0, 0, 0))
