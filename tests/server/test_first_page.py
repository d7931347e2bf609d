"""The first page of a process is answered before Tornado is there, as Tornado would answer it."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server.exhibit import TOKEN, Exhibit
from viewer.server import Server, set_static_content_source

Start = Callable[[], Server]

PAGE = f"GET /v/{TOKEN}/ HTTP/1.1"
HOST = "Host: localhost"


@pytest.fixture(autouse=True)
def client(tmp_path: Path) -> Iterator[None]:
    """A client that is built."""
    (tmp_path / "index.html").write_text("<!doctype html><title>client</title>" + "x" * 1000)
    set_static_content_source(path=tmp_path)
    yield
    set_static_content_source()


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, exhibit: Exhibit) -> Iterator[Start]:
    """Start a server that waits for its first page, as in a process that has no Tornado yet."""
    monkeypatch.setattr("viewer.server.server.LATE_IMPORT", "nothing of that name")
    monkeypatch.setattr("viewer.server.first_page.PATIENCE_SECONDS", 60)
    started: list[Server] = []

    def start() -> Server:
        server = Server()
        started.append(server)
        server.mount(TOKEN, exhibit)
        return server

    yield start
    for server in started:
        server.stop()


def call(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def answer(connection: socket.socket) -> bytes:
    """One response, or as much as comes before the end; without its date."""
    got = b""
    while part := connection.recv(65536):
        got += part
        head, end, body = got.partition(b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        if end and length and len(body) >= int(length[1]):
            break
    return re.sub(rb"\r\nDate: [^\r]*", b"", got)


def ask(server: Server, request: bytes) -> bytes:
    with call(server) as connection:
        connection.sendall(request)
        return answer(connection)


def lines(*lines: str) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode("latin1")


REQUESTS = {
    "the page": lines(PAGE, HOST),
    "the page of a browser": lines(
        PAGE,
        "host: 127.0.0.1:1",
        "Accept-Encoding: gzip, zstd",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Mode: navigate",
        "Sec-Fetch-Dest: document",
        "Connection: keep-alive",
    ),
    "the page alone": lines(PAGE, HOST, "Connection: close"),
    "its head": lines(PAGE.replace("GET", "HEAD"), HOST, "Connection: close"),
    "an older version": lines(PAGE.replace("1.1", "1.0"), HOST),
    "with a query": lines(PAGE.replace("/ ", "/?a=b "), HOST),
    "without its slash": lines(PAGE.replace("/ ", " "), HOST),
    "if it has changed": lines(PAGE, HOST, "If-None-Match: *", "Connection: close"),
    "the name of the file": lines(PAGE.replace("/ ", "/index.html "), HOST),
    "metadata": lines(PAGE.replace("/ ", "/layers/l1/zarr.json "), HOST),
    "a chunk": lines(PAGE.replace("/ ", "/layers/l1/0/c/0/0/0 "), HOST),
    "another token": lines(PAGE.replace(TOKEN, TOKEN[::-1]), HOST),
    "another host": lines(PAGE, "Host: example.org"),
    "two hosts": lines(PAGE, HOST, "Host: example.org"),
    "no host": lines(PAGE, "Accept: */*"),
    "another origin": lines(PAGE, HOST, "Origin: http://example.org"),
    "another site": lines(PAGE, HOST, "Sec-Fetch-Site: cross-site"),
    "a body": lines(PAGE, HOST, "Content-Length: 2") + b"ab",
    "a chunked body": lines(PAGE, HOST, "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "another method": lines(PAGE.replace("GET", "DELETE"), HOST),
    "a folded header": lines(PAGE, HOST, "X: a", " b"),
    "a header of other letters": lines(PAGE, HOST, "X: \xe4"),
    "no request": b"\x16\x03\x01 nonsense\r\n\r\n",
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_it_is_answered_as_all_later_ones_are(start: Start, request_: bytes) -> None:
    server = start()
    first = ask(server, request_)
    assert first == ask(server, request_)
    assert first.startswith(b"HTTP/1.1 ")


def test_a_connection_goes_on_after_it(start: Start) -> None:
    with call(start()) as connection:
        connection.sendall(REQUESTS["the page"])
        assert answer(connection).startswith(b"HTTP/1.1 200")
        connection.sendall(REQUESTS["metadata"])
        assert b'"multiscales"' in answer(connection)


def test_what_is_asked_in_the_same_breath_is_not_lost(start: Start) -> None:
    with call(start()) as connection:
        connection.sendall(REQUESTS["the page"] + REQUESTS["its head"])
        everything = b""
        while part := connection.recv(65536):
            everything += part
        assert everything.count(b"HTTP/1.1 200 OK") == 2


def test_who_says_nothing_at_first_is_heard_later(start: Start) -> None:
    server = start()
    with call(server) as silent:
        assert ask(server, REQUESTS["the page"]).startswith(b"HTTP/1.1 200")
        for byte in REQUESTS["the page"]:
            silent.sendall(bytes([byte]))
        assert answer(silent).startswith(b"HTTP/1.1 200")


def test_who_has_left_again_is_no_trouble(start: Start) -> None:
    server = start()
    call(server).close()
    assert ask(server, REQUESTS["the page"]).startswith(b"HTTP/1.1 200")


def test_a_server_that_nobody_has_called_stops_at_once(start: Start) -> None:
    server = start()
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        call(server)
    assert not server._thread.is_alive()


def test_a_viewer_that_nobody_has_called_goes_at_once(start: Start) -> None:
    server = start()
    server.unmount(TOKEN)
    assert ask(server, REQUESTS["the page"]).startswith(b"HTTP/1.1 404")


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_it_does_not_wait_for_what_is_imported() -> None:
    done = run(
        """
import sys, threading, urllib.request

class Late:
    def find_spec(self, name, path=None, target=None):
        if name == "tornado":
            read.wait(60)

read = threading.Event()
sys.meta_path.insert(0, Late())
import numpy as np
import viewer
v = viewer.Viewer()
image = v.add_image(np.zeros((8, 8, 8), np.uint8))
with urllib.request.urlopen(v.url, timeout=30) as page:
    print(page.status, "tornado.httpserver" in sys.modules)
read.set()
print(urllib.request.urlopen(image.zarr_url + "/zarr.json", timeout=30).status)
"""
    )
    assert (done.stdout, done.stderr) == ("200 False\n200\n", "")


def test_a_program_that_ends_before_it_ends_quietly() -> None:
    done = run("import viewer; viewer.Viewer()")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
