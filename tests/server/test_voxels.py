"""Any Zarr client reads back what Python holds."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
import zarr

from tests.server.exhibit import TOKEN, Exhibit
from viewer.errors import SourceError
from viewer.policy import Policy
from viewer.server import Server

DTYPES = ["bool", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]
DTYPES += [">u2", ">f4", ">i8"]


def filled(dtype: str, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Values over the dtype's whole range."""
    numbers = np.random.default_rng(0).integers(0, 256, (*shape, 8), dtype=np.uint8)
    if dtype == "bool":
        return numbers[..., 0] > 127
    if np.dtype(dtype).kind == "f":
        return numbers.astype(np.float64).sum(-1).astype(dtype)
    return numbers.view("u8")[..., 0].astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_zarr_python_reads_every_dtype(exhibit: Exhibit, url: str, dtype: str) -> None:
    data = filled(dtype, (5, 70, 67))
    layer = exhibit.add(data)
    array = zarr.open(f"{url}layers/{layer}/0", mode="r")
    assert array.dtype == data.dtype.newbyteorder("=")
    np.testing.assert_array_equal(array[...], data)


@pytest.mark.parametrize(
    "shape", [(1, 1), (3, 300), (1, 1, 1), (65, 64, 63), (2, 3, 66, 5), (2, 1, 2, 7, 9)]
)
def test_zarr_python_reads_every_shape(exhibit: Exhibit, url: str, shape: tuple[int, ...]) -> None:
    data = filled("u2", shape)
    group = zarr.open_group(f"{url}layers/{exhibit.add(data)}", mode="r")
    np.testing.assert_array_equal(group["0"][...], data)


def test_the_group_names_all_levels(exhibit: Exhibit, url: str) -> None:
    layer = exhibit.add(filled("u1", (130, 130, 130)), scale=(4.0, 2.0, 2.0), units="nm")
    group = zarr.open_group(f"{url}layers/{layer}", mode="r")
    (scales,) = group.attrs["ome"]["multiscales"]
    assert [axis["unit"] for axis in scales["axes"]] == ["nanometer"] * 3
    pyramid = exhibit.layer(layer).pyramid
    assert len(scales["datasets"]) == len(pyramid.levels) > 1
    for level, entry in zip(pyramid.levels, scales["datasets"], strict=True):
        assert group[entry["path"]].shape == level.shape


def test_head_tells_the_length_without_reading(exhibit: Exhibit, url: str) -> None:
    address = f"{url}layers/l1/0/c/0/0/0"
    body = httpx.get(address, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in body.headers  # this machine talks to itself
    head = httpx.head(address)
    assert head.content == b""
    assert head.headers["content-length"] == str(len(body.content))
    assert httpx.head(f"{url}layers/l1/0/c/9/9/9").status_code == 404


def test_a_chunk_is_sent_again_only_after_a_refresh(exhibit: Exhibit, url: str) -> None:
    address = f"{url}layers/l1/0/c/0/0/0"
    tag = {"If-None-Match": httpx.get(address).headers["etag"]}
    assert httpx.get(address, headers=tag).status_code == 304
    exhibit.layer("l1").pyramid.refresh()
    assert httpx.get(address, headers=tag).status_code == 200


@pytest.mark.parametrize("path", ["0/c/0/0/9", "9/c/0/0/0", "9/zarr.json", "0/c/00/0/0", ".zgroup"])
def test_what_is_not_there_is_404(url: str, path: str) -> None:
    assert httpx.get(f"{url}layers/l1/{path}").status_code == 404


class Failing:
    """A source of which every read does what it is told."""

    def __init__(self, exhibit: Exhibit, layer: str = "l1") -> None:
        self.release = threading.Event()
        self.reads = 0
        pyramid = exhibit.layer(layer).pyramid
        source = pyramid.source
        source.read = self.read  # type: ignore[method-assign, assignment]

    def read(self, level: int, box: Any) -> Any:
        self.reads += 1
        raise SourceError(f"Cannot read {box}: the file was closed.", hint="Open it again.")


def test_a_failing_source_is_502_and_one_notice(exhibit: Exhibit, url: str) -> None:
    Failing(exhibit)
    for _ in range(5):
        answer = httpx.get(f"{url}layers/l1/0/c/0/0/0")
        assert answer.status_code == 502
        error = answer.json()["error"]
        assert error["kind"] == "source"
        assert error["hint"] == "Open it again."
    (notice,) = exhibit.notices
    assert notice.layer == "l1"
    assert httpx.get(f"{url}layers/l1/zarr.json").status_code == 200


@pytest.fixture
def hasty(slow_exhibit: Exhibit) -> Iterator[tuple[Server, str]]:
    """A server with two workers, a short queue and little patience."""
    server = Server(policy=Policy(workers=2, queue_length=2, read_seconds=0.4))
    server.mount(TOKEN, slow_exhibit)  # type: ignore[arg-type]
    yield server, server.url(TOKEN)
    server.stop()


def hang(exhibit: Exhibit, layer: str = "l1") -> threading.Event:
    """Let reads of the layer wait for the event that is returned."""
    release = threading.Event()
    source = exhibit.layer(layer).pyramid.source
    read = source.read

    def wait(level: int, box: Any) -> Any:
        release.wait(20)
        return read(level, box)

    source.read = wait  # type: ignore[method-assign]
    return release


def test_a_hanging_source_is_504_and_starves_nobody(
    slow_exhibit: Exhibit, hasty: tuple[Server, str]
) -> None:
    _, url = hasty
    other = slow_exhibit.add(filled("u1", (8, 8)))
    release = hang(slow_exhibit)
    try:
        for _ in range(6):  # more than there are workers
            answer = httpx.get(f"{url}layers/l1/0/c/0/0/0")
            assert answer.status_code == 504
            assert httpx.get(f"{url}layers/{other}/0/c/0/0").status_code == 200
    finally:
        release.set()


def test_a_full_queue_is_503_with_retry_after(
    slow_exhibit: Exhibit, hasty: tuple[Server, str]
) -> None:
    _, url = hasty
    release = hang(slow_exhibit)
    try:
        answers: list[httpx.Response] = []
        threads = [
            threading.Thread(target=lambda: answers.append(httpx.get(f"{url}layers/l1/0/c/0/0/0")))
            for _ in range(12)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        busy = [answer for answer in answers if answer.status_code == 503]
        assert busy
        assert all(answer.headers["retry-after"] == "1" for answer in busy)
        assert {answer.status_code for answer in answers} == {503, 504}
    finally:
        release.set()


def test_requests_of_clients_that_left_are_not_worked_on(slow_exhibit: Exhibit) -> None:
    server = Server(policy=Policy(workers=1))
    try:
        server.mount(TOKEN, slow_exhibit)  # type: ignore[arg-type]
        reads: list[Any] = []
        started, release = threading.Event(), threading.Event()
        source = slow_exhibit.layer("l1").pyramid.source
        read = source.read

        def wait(level: int, box: Any) -> Any:
            reads.append(box)
            started.set()
            release.wait(60)
            return read(level, box)

        source.read = wait  # type: ignore[method-assign]
        url = server.url(TOKEN)
        target = f"GET /v/{TOKEN}/layers/l1/0/c/0/0/0 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(10)]
        for client in clients:
            client.sendall(target.encode())
        assert started.wait(30)
        for client in clients:
            client.close()
        for _ in range(3):  # the loop has seen it when it has answered others
            assert httpx.get(f"{url}layers/l1/zarr.json").status_code == 200
        release.set()
        assert httpx.get(f"{url}layers/l1/0/c/0/0/0").status_code == 200
        assert len(reads) == 2
    finally:
        release.set()
        server.stop()


def address_in_network() -> str:
    """An address of this machine that is not loopback, or loopback when it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # no packet is sent
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def test_over_a_network_chunks_are_compressed(exhibit: Exhibit) -> None:
    address = address_in_network()
    if address.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    server = Server(host="0.0.0.0")
    try:
        server.mount(TOKEN, exhibit)  # type: ignore[arg-type]
        target = f"http://{address}:{server.port}/v/{TOKEN}/layers/l1/0/c/0/0/0"
        plain = httpx.get(target, headers={"Accept-Encoding": "identity"})
        with httpx.stream("GET", target, headers={"Accept-Encoding": "gzip"}) as packed:
            assert packed.headers["content-encoding"] == "gzip"
            body = b"".join(packed.iter_raw())
        assert len(body) < len(plain.content)
        assert gzip.decompress(body) == plain.content
    finally:
        server.stop()
