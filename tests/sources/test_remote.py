"""Files behind addresses: read in parts, and what is said where that cannot be."""

from __future__ import annotations

import os
import pickle
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
import zarr

from viewer.errors import InvalidDataError, NotFoundError, SourceError
from viewer.opening import open_data, parse_location
from viewer.reopening import open_anew
from viewer.sources import as_source
from viewer.sources.identity import address_identity
from viewer.sources.protocol import FiledSource
from viewer.space import Box

VOLUME = np.random.default_rng(5).integers(0, 60000, (40, 200, 300)).astype("u2")


@dataclass
class Web:
    """A web server of a folder, which counts what it sends."""

    folder: Path
    url: str = ""
    ranges: bool = True
    status: int = 0
    missing: int = 404
    dated: bool = True
    sent: list[int] = field(default_factory=list)


def handler(web: Web) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            with suppress(ConnectionError):  # who asked has seen another answer, and gone
                super().handle()

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            path = web.folder / self.path.strip("/")
            if web.status or not path.is_file():
                self.send_response(web.status or web.missing)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            data = path.read_bytes()
            asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            if asked and web.ranges:
                start, stop = int(asked[1]), min(int(asked[2]) + 1, len(data))
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
                data = data[start:stop]
            else:
                self.send_response(200)
            if web.ranges:
                self.send_header("Accept-Ranges", "bytes")
            if web.dated:
                self.send_header("Last-Modified", formatdate(path.stat().st_mtime, usegmt=True))
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if body:
                web.sent.append(len(data))
                self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    web = Web(tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(web))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    web.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield web
    server.shutdown()
    thread.join()
    server.server_close()


def write_npy(path: Path) -> None:
    np.save(path, VOLUME)


def write_fortran(path: Path) -> None:
    np.save(path, np.asfortranarray(VOLUME.astype(">u2")))


def write_npz(path: Path) -> None:
    np.savez_compressed(path, offsets=np.arange(5), volume=VOLUME)


def write_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("a/volume", data=VOLUME, chunks=(8, 64, 64), compression="gzip")


def write_tiff(path: Path) -> None:
    tifffile.imwrite(path, VOLUME, compression="zlib", photometric="minisblack")


def write_plain_tiff(path: Path) -> None:
    tifffile.imwrite(path, VOLUME, photometric="minisblack")


KINDS = {
    "a.npy": write_npy,
    "fortran.npy": write_fortran,
    "a.npz": write_npz,
    "a.h5": write_hdf5,
    "a.tif": write_tiff,
    "plain.tif": write_plain_tiff,
}


@pytest.mark.parametrize(("name", "write"), KINDS.items(), ids=KINDS)
def test_voxels_behind_an_address_are_those_of_the_file(
    web: Web, name: str, write: Callable[[Path], None]
) -> None:
    write(web.folder / name)
    opened = open_data(parse_location(f"{web.url}/{name}"))
    try:
        source = as_source(opened.shown[0])
        boxes = [
            Box.whole(VOLUME.shape),
            Box((3, 50, 100), (5, 60, 130)),
            *(Box((z, 0, 0), (z + 4, 200, 300)) for z in range(0, 40, 4)),
        ]
        with ThreadPoolExecutor(4) as pool:  # as the server's workers do
            for box, voxels in zip(
                boxes, pool.map(lambda box: source.read(0, box), boxes), strict=True
            ):
                np.testing.assert_array_equal(voxels, VOLUME[box.slices])
        source.close()
    finally:
        opened.close()


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.h5", "a.tif"])
def test_what_has_changed_behind_an_address_is_opened_again(web: Web, name: str) -> None:
    path = web.folder / name
    KINDS[name](path)
    opened = open_data(parse_location(f"{web.url}/{name}"))
    source = as_source(opened.shown[0])
    assert isinstance(source, FiledSource)
    assert source.file is not None
    anew = open_anew(source, source.file)
    assert (anew is None) == (name == "a.npz")  # which is in memory, and may be changed there
    if anew is not None:
        anew.close()
    os.utime(path, (10**9, 10**9))
    anew = open_anew(source, source.file)
    assert anew is not None
    box = Box((3, 50, 100), (5, 60, 130))
    np.testing.assert_array_equal(anew.source.read(0, box), VOLUME[box.slices])
    anew.close()
    opened.close()


@pytest.mark.parametrize("name", ["a.npy", "a.h5", "plain.tif"])
def test_what_is_not_looked_at_does_not_travel(web: Web, name: str) -> None:
    large = np.lib.format.open_memmap(web.folder / "a.npy", "w+", "u1", (400, 300, 300))
    if name == "a.h5":
        with h5py.File(web.folder / name, "w") as file:
            file["a"] = large
    elif name == "plain.tif":
        tifffile.imwrite(web.folder / name, large, photometric="minisblack")
    opened = open_data(parse_location(f"{web.url}/{name}"))
    source = as_source(opened.shown[0])
    assert not source.read(0, Box((200, 0, 0), (201, 300, 300))).any()
    assert 0 < sum(web.sent) < large.nbytes / 4
    source.close()
    opened.close()


def test_a_dataset_behind_an_address_is_named_after_a_colon(web: Web) -> None:
    write_hdf5(web.folder / "a.h5")
    opened = open_data(parse_location(f"{web.url}/a.h5:a/volume"))
    assert opened.shown[0].parts[0].shape == VOLUME.shape
    opened.close()
    with pytest.raises(NotFoundError):
        open_data(parse_location(f"{web.url}/a.h5:b"))


@pytest.mark.parametrize("name", KINDS)
def test_a_server_without_parts_is_said(web: Web, name: str) -> None:
    KINDS[name](web.folder / name)
    web.ranges = False
    with pytest.raises(SourceError, match="whole file only") as caught:
        open_data(parse_location(f"{web.url}/{name}"))
    assert "Download" in caught.value.hint


def test_a_file_that_is_not_there_is_said(web: Web) -> None:
    with pytest.raises(SourceError, match="no file at http"):
        open_data(parse_location(f"{web.url}/a.npy"))


def test_what_may_not_be_read_is_said(web: Web) -> None:
    web.status = 403
    for name in ("a.npy", "a.h5"):
        with pytest.raises(SourceError, match="may not be read"):
            open_data(parse_location(f"{web.url}/{name}"))


def test_a_damaged_file_behind_an_address_is_said(web: Web) -> None:
    for name in ("a.npy", "a.npz", "a.h5", "a.tif"):
        (web.folder / name).write_bytes(b"nothing of the kind" * 9)
        with pytest.raises(SourceError, match="cannot be opened"):
            open_data(parse_location(f"{web.url}/{name}"))


def test_a_file_of_a_table_is_no_picture(web: Web) -> None:
    np.save(web.folder / "a.npy", np.arange(9))
    with pytest.raises(InvalidDataError):
        open_data(parse_location(f"{web.url}/a.npy"))


# --- Zarr from servers with habits of their own -----------------------------------------------


def read_whole(url: str) -> Any:
    opened = open_data(parse_location(url))
    source = as_source(opened.shown[0])
    try:
        return source.read(0, Box.whole(source.levels[0].shape))
    finally:
        source.close()
        opened.close()


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_what_is_missing_may_be_called_forbidden(web: Web, zarr_format: Any) -> None:
    """As in a bucket that nobody may list."""
    web.missing = 403
    array = zarr.create_array(
        web.folder / "a.zarr",
        shape=(40, 40, 40),
        dtype="u1",
        chunks=(20, 20, 20),
        fill_value=5,
        zarr_format=zarr_format,
    )
    array[:20, :20] = 1
    assert np.array_equal(read_whole(f"{web.url}/a.zarr"), array[...])
    with pytest.raises(SourceError, match="may not be read"):
        open_data(parse_location(f"{web.url}/b.zarr"))


def test_a_store_that_is_shut_later_has_not_lost_its_chunks(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viewer.sources.files.remote_store.PROOF_SECONDS", -1)
    zarr.create_array(web.folder / "a.zarr", data=VOLUME, chunks=(20, 100, 100))
    opened = open_data(parse_location(f"{web.url}/a.zarr"))
    source = as_source(opened.shown[0])
    web.status = 403
    with pytest.raises(SourceError, match="403"):
        source.read(0, Box.whole(VOLUME.shape))
    source.close()
    opened.close()


def test_shards_are_read_from_a_server_without_parts(web: Web) -> None:
    web.ranges = False
    zarr.create_array(
        web.folder / "a.zarr", data=VOLUME, chunks=(10, 50, 50), shards=(40, 100, 100)
    )
    assert np.array_equal(read_whole(f"{web.url}/a.zarr"), VOLUME)


# --- known again, and opened again --------------------------------------------------------------


def identity(url: str) -> str | None:
    opened = open_data(parse_location(url))
    source: Any = as_source(opened.shown[0])
    found: str | None = source.identity
    source.close()
    opened.close()
    return found


@pytest.mark.parametrize("name", KINDS)
def test_a_file_behind_an_address_is_known_by_its_version(web: Web, name: str) -> None:
    KINDS[name](web.folder / name)
    before = identity(f"{web.url}/{name}")
    assert before is not None
    assert identity(f"{web.url}/{name}") == before
    os.utime(web.folder / name, (0, 0))
    assert identity(f"{web.url}/{name}") != before
    web.dated = False
    assert identity(f"{web.url}/{name}") is None


def test_zarr_behind_an_address_is_known_by_some_of_its_chunks(web: Web) -> None:
    zarr.create_array(web.folder / "a.zarr", data=VOLUME, chunks=(20, 100, 100))
    before = identity(f"{web.url}/a.zarr")
    assert before is not None
    assert identity(f"{web.url}/a.zarr") == before
    os.utime(web.folder / "a.zarr" / "c" / "0" / "0" / "0", (0, 0))
    changed = identity(f"{web.url}/a.zarr")
    assert changed not in (None, before)
    (web.folder / "a.zarr" / "c" / "1" / "1" / "2").unlink()  # a chunk of zeros
    assert identity(f"{web.url}/a.zarr") not in (None, before, changed)


def test_passwords_and_signatures_are_not_kept() -> None:
    for address in ("https://me:secret@host/a.h5", "https://host/a.h5?Signature=secret"):
        found = address_identity(address, [{"ETag": "1"}])
        assert found is not None
        assert "secret" not in found
        assert "host/a.h5" in found


@pytest.mark.parametrize("name", [*KINDS, "a.zarr"])
def test_another_process_opens_what_is_behind_an_address_itself(web: Web, name: str) -> None:
    if name == "a.zarr":
        zarr.create_array(web.folder / name, data=VOLUME, chunks=(20, 100, 100))
    else:
        KINDS[name](web.folder / name)
    opened = open_data(parse_location(f"{web.url}/{name}"))
    source = as_source(opened.shown[0])
    packed = pickle.dumps(source)
    source.close()
    opened.close()
    there: Any = pickle.loads(packed)
    np.testing.assert_array_equal(there.read(0, Box.whole(VOLUME.shape)), VOLUME)
    there.close()
