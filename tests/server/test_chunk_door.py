"""Chunks over HTTP, as connections see them: versions, codings, what is handed on as stored."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from numcodecs import zstd

from tests.server.exhibit import TOKEN, Exhibit, Sliced
from viewer.kernels.compression import compress_image, compress_labels
from viewer.policy import Policy
from viewer.server import Server
from viewer.space import Box

SHAPE = (100, 130, 70)


@pytest.fixture
def volume() -> np.ndarray[Any, Any]:
    """Voxels that compress."""
    return np.random.default_rng(0).integers(0, 4, SHAPE, np.uint16)


@pytest.fixture(params=["in memory", "by workers"])
def chunks(
    request: pytest.FixtureRequest, server: Server, volume: np.ndarray[Any, Any]
) -> tuple[Exhibit, str]:
    """An exhibit of the volume, and the address of its chunks."""
    exhibit = Exhibit()
    layer = exhibit.add(volume if request.param == "in memory" else Sliced(volume))
    server.mount(TOKEN, exhibit)  # type: ignore[arg-type]
    return exhibit, f"{server.url(TOKEN)}layers/{layer}/0/c/"


def padded(volume: np.ndarray[Any, Any], z: int, y: int, x: int) -> bytes:
    """A chunk as Zarr has it: full at the borders, too."""
    chunk = np.zeros((64, 64, 64), volume.dtype)
    part = volume[64 * z : 64 * z + 64, 64 * y : 64 * y + 64, 64 * x : 64 * x + 64]
    chunk[tuple(map(slice, part.shape))] = part
    return chunk.tobytes()


def test_chunks_are_their_voxels(chunks: tuple[Exhibit, str], volume: np.ndarray[Any, Any]) -> None:
    for index in np.ndindex(2, 3, 2):
        answer = httpx.get(chunks[1] + "/".join(map(str, index)))
        assert answer.content == padded(volume, *index)
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["cache-control"] == "private, no-cache"
        assert "date" in answer.headers


def test_chunks_may_load_nothing_and_be_framed_by_nobody(chunks: tuple[Exhibit, str]) -> None:
    headers = httpx.get(f"{chunks[1]}0/0/0").headers
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["x-content-type-options"] == "nosniff"


def test_a_refreshed_box_makes_only_its_own_chunks_new(chunks: tuple[Exhibit, str]) -> None:
    exhibit, base = chunks
    touched, other = f"{base}0/0/0", f"{base}1/2/1"
    tags = {url: {"If-None-Match": httpx.get(url).headers["etag"]} for url in (touched, other)}
    assert [httpx.get(url, headers=tags[url]).status_code for url in tags] == [304, 304]
    exhibit.layer("l1").pyramid.refresh(Box((3, 3, 3), (9, 9, 9)))
    assert [httpx.get(url, headers=tags[url]).status_code for url in tags] == [200, 304]


@pytest.mark.parametrize(
    ("condition", "status"),
    [('W/"0"', 304), ('"0"', 304), ('"x", W/"0"', 304), ("*", 304), ('W/"1"', 200), ("0", 200)],
)
def test_conditions_are_compared_weakly(
    chunks: tuple[Exhibit, str], condition: str, status: int
) -> None:
    answer = httpx.get(f"{chunks[1]}0/0/0", headers={"If-None-Match": condition})
    assert answer.status_code == status
    assert bool(answer.content) == (status == 200)


def received(connection: socket.socket, end: bytes = b"") -> bytes:
    """All that comes until the connection ends, or until a packet ends so."""
    parts: list[bytes] = []
    while part := connection.recv(1 << 16):
        parts.append(part)
        if end and part.endswith(end):
            break
    return b"".join(parts)


def test_pipelined_requests_are_answered_in_turn(
    server: Server, chunks: tuple[Exhibit, str], volume: np.ndarray[Any, Any]
) -> None:
    """Twenty requests, and no answer is read before the last is sent: 5 MB of them."""
    path = chunks[1].split(str(server.port), 1)[1]
    ask = "".join(
        f"{'HEAD' if i % 2 else 'GET'} {path}0/{i % 3}/0 HTTP/1.1\r\nHost: localhost\r\n"
        f"{'Connection: close' if i == 19 else 'X: y'}\r\n\r\n"
        for i in range(20)
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(ask.encode())
        data = received(connection)
    for i in range(20):
        head, _, data = data.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert (b"Connection: close" in head) == (i == 19)
        size = 2 * 64**3
        assert f"Content-Length: {size}".encode() in head
        if i % 2 == 0:
            assert data[:size] == padded(volume, 0, i % 3, 0)
            data = data[size:]
    assert data == b""


@pytest.mark.parametrize("wish", ["keep-alive", "close", None])
def test_http_1_0_connections_last_as_long_as_they_wish(
    server: Server, chunks: tuple[Exhibit, str], wish: str | None
) -> None:
    path = chunks[1].split(str(server.port), 1)[1]
    connection_line = f"Connection: {wish}\r\n" if wish else ""
    ask = f"HEAD {path}0/0/0 HTTP/1.0\r\nHost: localhost\r\n{connection_line}\r\n".encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(ask)
        first = received(connection, b"\r\n\r\n")
        assert first.startswith(b"HTTP/1.1 200 OK")
        if wish == "keep-alive":
            assert b"Connection: keep-alive" in first
            connection.sendall(ask)
            assert received(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 200 OK")
        else:
            assert connection.recv(1) == b""


@pytest.fixture(params=["uint16", "uint8"])
def volume_to_pack(
    request: pytest.FixtureRequest, volume: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """Voxels whose chunks workers compress, and some whose chunks the loop does itself."""
    return volume.astype(request.param)


@pytest.fixture
def packing(volume_to_pack: np.ndarray[Any, Any]) -> Iterator[tuple[Exhibit, str]]:
    """As `chunks`, of a server that compresses for this machine, too."""
    server = Server(policy=Policy(compress_loopback=True))
    exhibit = Exhibit()
    layer = exhibit.add(volume_to_pack)
    server.mount(TOKEN, exhibit)  # type: ignore[arg-type]
    yield exhibit, f"{server.url(TOKEN)}layers/{layer}/0/c/"
    server.stop()


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("zstd, gzip", "zstd"),
        ("gzip, deflate", "gzip"),
        ("gzip;q=1, zstd;q=0", "gzip"),
        ("*", "zstd"),
        ("br", ""),
        ("", ""),
        ("zstd;q=0, *;q=0", ""),
    ],
)
def test_chunks_travel_in_the_best_coding_that_is_accepted(
    packing: tuple[Exhibit, str],
    volume_to_pack: np.ndarray[Any, Any],
    accepted: str,
    coding: str,
) -> None:
    decode = {"zstd": zstd.decompress, "gzip": gzip.decompress, "": bytes}[coding]
    for _ in range(2):  # made, then kept
        with httpx.stream(
            "GET", f"{packing[1]}1/1/0", headers={"Accept-Encoding": accepted}
        ) as answer:
            body = b"".join(answer.iter_raw())
        assert answer.headers.get("content-encoding", "") == coding
        assert "Accept-Encoding" in answer.headers["vary"]
        assert decode(body) == padded(volume_to_pack, 1, 1, 0)


def in_zstd(data: Any, key: str, kind: Any) -> bytes:
    """A chunk of a layer as it travels to who accepts zstd."""
    packing = Server(policy=Policy(compress_loopback=True))
    exhibit = Exhibit()
    layer = exhibit.add(data, kind)
    packing.mount(TOKEN, exhibit)  # type: ignore[arg-type]
    try:
        address = f"{packing.url(TOKEN)}layers/{layer}/0/c/{key}"
        with httpx.stream("GET", address, headers={"Accept-Encoding": "zstd"}) as answer:
            return b"".join(answer.iter_raw())
    finally:
        packing.stop()


@pytest.mark.parametrize("wrap", [lambda data: data, Sliced], ids=["in memory", "by workers"])
def test_labels_in_zstd_are_frames_of_our_own(wrap: Any) -> None:
    labels = np.ones(SHAPE, np.uint64).cumsum(0) // 7
    raw = padded(labels, 1, 1, 0)
    end = time.monotonic() + 300
    while (frame := compress_labels(raw, (64, 64, 64))) is None:  # what makes it is being compiled
        assert time.monotonic() < end
        time.sleep(0.02)
    body = in_zstd(wrap(labels), "1/1/0", "labels")
    assert zstd.decompress(body) == raw
    assert body == frame


@pytest.mark.parametrize("wrap", [lambda data: data, Sliced], ids=["in memory", "by workers"])
@pytest.mark.parametrize("key", ["0/0/0", "1/1/0"], ids=["whole", "at the border"])
def test_images_in_zstd_are_frames_of_our_own(wrap: Any, key: str) -> None:
    image = np.random.default_rng(0).normal(100, 20, SHAPE).astype(np.uint8)
    raw = padded(image, *map(int, key.split("/")))
    end = time.monotonic() + 300
    while compress_image(image[:64, :64, :64]) is None:  # what makes it is being compiled
        assert time.monotonic() < end
        time.sleep(0.02)
    frame = compress_image(np.frombuffer(raw, np.uint8).reshape(64, 64, 64))
    body = in_zstd(wrap(image), key, "image")
    assert zstd.decompress(body) == raw
    assert frame is None or body == frame


def test_kept_chunks_are_of_the_present_generation(
    packing: tuple[Exhibit, str], volume_to_pack: np.ndarray[Any, Any]
) -> None:
    exhibit, base = packing
    ask = {"headers": {"Accept-Encoding": "gzip"}}
    before = httpx.get(f"{base}0/0/0", **ask).content
    volume_to_pack[:9] = 77
    exhibit.layer("l1").pyramid.refresh(Box((0, 0, 0), (9, *SHAPE[1:])))
    after = httpx.get(f"{base}0/0/0", **ask).content
    assert after != before
    assert after == padded(volume_to_pack, 0, 0, 0)


@pytest.fixture
def stored(server: Server, tmp_path: Any) -> tuple[str, Any]:
    """Address of a layer of a Zarr array with a chunk that is not stored, and its folder."""
    import zarr

    array = zarr.create_array(tmp_path / "a.zarr", shape=(40, 40), dtype="u2", chunks=(20, 20))
    array[:, :20] = np.arange(800, dtype=np.uint16).reshape(40, 20)
    exhibit = Exhibit()
    layer = exhibit.add(zarr.open_array(tmp_path / "a.zarr", mode="r"))
    server.mount(TOKEN, exhibit)  # type: ignore[arg-type]
    return f"{server.url(TOKEN)}layers/{layer}/0/", tmp_path / "a.zarr"


def test_stored_chunks_are_handed_on_as_they_are(stored: tuple[str, Any]) -> None:
    base, folder = stored
    metadata = httpx.get(f"{base}zarr.json").json()
    assert metadata["codecs"][-1]["name"] == "zstd"
    assert metadata["chunk_grid"]["configuration"]["chunk_shape"] == [20, 20]
    for key in ("c/0/0", "c/1/0"):
        for _ in range(2):
            answer = httpx.get(base + key)
            assert answer.content == (folder / key).read_bytes()
            assert "content-encoding" not in answer.headers  # it is Zarr's, not HTTP's
    head = httpx.head(f"{base}c/0/0")
    assert int(head.headers["content-length"]) == len((folder / "c/0/0").read_bytes())


def test_a_chunk_that_is_not_stored_is_404(stored: tuple[str, Any]) -> None:
    base, folder = stored
    assert not (folder / "c/0/1").exists()
    assert httpx.get(f"{base}c/0/1").status_code == 404
    assert httpx.get(f"{base}c/0/2").status_code == 404


SITE = "https://neuroglancer.example"


@pytest.fixture
def sharing(exhibit: Exhibit) -> Iterator[str]:
    """Address on a server that lets pages of another site read."""
    server = Server(allow_origins=[SITE])
    server.mount(TOKEN, exhibit)  # type: ignore[arg-type]
    yield server.url(TOKEN)
    server.stop()


@pytest.mark.parametrize("path", ["layers/l1/zarr.json", "layers/l1/0/zarr.json",
                                  "layers/l1/0/c/0/0/0"])  # fmt: skip
def test_pages_of_an_allowed_origin_may_read_voxels(sharing: str, path: str) -> None:
    headers = {"Origin": SITE, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    answer = httpx.get(sharing + path, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == SITE
    assert "Origin" in answer.headers["vary"]
    ask = {**headers, "Access-Control-Request-Method": "GET"}
    preflight = httpx.options(sharing + path, headers=ask)
    assert (preflight.status_code, preflight.content) == (200, b"")
    assert preflight.headers["access-control-allow-origin"] == SITE
    assert "GET" in preflight.headers["access-control-allow-methods"]
    assert "access-control-allow-origin" not in httpx.get(sharing + path).headers


def test_pages_of_an_allowed_origin_see_that_a_chunk_is_not_there(sharing: str) -> None:
    for path in ("layers/l1/0/c/9/9/9", "layers/l1/.zattrs", "layers/l9/zarr.json"):
        answer = httpx.get(sharing + path, headers={"Origin": SITE})
        assert answer.status_code == 404
        assert answer.headers["access-control-allow-origin"] == SITE


@pytest.mark.parametrize("path", ["", "colormaps.json", "ws", "bricks"])
def test_pages_of_an_allowed_origin_may_nothing_else(sharing: str, path: str) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
    answer = httpx.get(sharing + path, headers={"Origin": SITE, **upgrade})
    assert answer.status_code == 403


@pytest.mark.parametrize("origin", ["https://other.example", f"{SITE}.evil", "null", SITE.upper()])
def test_pages_of_other_origins_are_refused(sharing: str, origin: str) -> None:
    answer = httpx.get(f"{sharing}layers/l1/zarr.json", headers={"Origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
