"""An object store that is really asked: moto's, on this computer, where it is installed."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
import zarr

from viewer.errors import SourceError
from viewer.opening import open_data, parse_location
from viewer.sources import as_source
from viewer.sources.protocol import IdentifiedSource
from viewer.space import Box

VOLUME = np.random.default_rng(5).integers(0, 200, (40, 50, 60)).astype("u1")

program = shutil.which("moto_server")
pytestmark = pytest.mark.skipif(program is None, reason="pip install 'moto[server]'")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    assert program is not None
    process = subprocess.Popen(
        [program, "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 50
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(20)


@pytest.fixture
def bucket(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket with the volume in three forms; the store is found as AWS's own tools find it."""
    import s3fs
    from fsspec.asyn import sync

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    system = s3fs.S3FileSystem(skip_instance_cache=True)
    if not system.exists("bucket"):
        system.mkdir("bucket")
        zarr.create_array(tmp_path / "a.zarr", data=VOLUME, chunks=(16, 16, 16))
        system.put(str(tmp_path / "a.zarr"), "bucket/a.zarr", recursive=True)
        for name, write in (("a.npy", np.save), ("a.h5", _write_hdf5)):
            file = io.BytesIO()
            write(file, VOLUME)
            system.pipe(f"bucket/{name}", file.getvalue())
    sync(system.loop, system._s3.close)
    return "s3://bucket"


def _write_hdf5(target: io.BytesIO, data: np.ndarray) -> None:
    with h5py.File(target, "w") as file:
        file.create_dataset("volume", data=data, chunks=(16, 16, 16), compression="gzip")


@pytest.mark.parametrize("name", ["a.zarr", "a.npy", "a.h5", "a.h5:volume"])
def test_what_is_in_a_bucket_is_opened(bucket: str, name: str) -> None:
    opened = open_data(parse_location(f"{bucket}/{name}"))
    source = as_source(opened.shown[0])
    np.testing.assert_array_equal(source.read(0, Box.whole(VOLUME.shape)), VOLUME)
    assert isinstance(source, IdentifiedSource)
    assert source.identity is not None
    there = pickle.loads(pickle.dumps(source))
    assert there.identity == source.identity
    np.testing.assert_array_equal(there.read(0, Box.whole(VOLUME.shape)), VOLUME)
    there.close()
    source.close()
    opened.close()


@pytest.mark.parametrize("name", ["bucket/none.zarr", "none/a.zarr", "bucket/none.h5", "none/a.h5"])
def test_what_is_not_there_is_said(bucket: str, name: str) -> None:
    with pytest.raises(SourceError, match=r"There is no .* at s3://"):
        open_data(parse_location(f"s3://{name}"))


@pytest.mark.parametrize("name", ["a.zarr", "a.npy"])
def test_without_credentials_the_remedy_is_said(
    bucket: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(SourceError, match="access is refused") as caught:
        open_data(parse_location(f"{bucket}/{name}"))
    assert "AWS_PROFILE" in caught.value.hint
