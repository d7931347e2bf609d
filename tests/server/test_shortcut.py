"""The shortcut past Tornado's HTTP: nobody can tell which way an answer came."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numcodecs.zstd import decompress

from tests.server.exhibit import TOKEN, Exhibit
from tests.server.plain_client import Client
from viewer.errors import SourceError
from viewer.policy import Policy
from viewer.server import Server

CHUNK = "layers/l1/0/c/0/0/0"

LONG_WAY = "Content-Length: 0\r\n"
"""What concerns a body, if only to say that there is none, is Tornado's."""


AN_EMPTY_LINE = "\r\n"
"""Before a request it means nothing, and is left to Tornado."""

READER = "https://reader.example"

TARGETS = st.builds(
    "/v/{}/{}".format,
    st.sampled_from([*6 * [TOKEN], TOKEN.upper(), TOKEN[1:], ""]),
    st.sampled_from(
        [*6 * [CHUNK], "layers/l1/0/c/0/0/9", "layers/l1/0/c/00/0/0", f"{CHUNK}?a", f"{CHUNK}/",
         "layers/l9/0/c/0/0/0", "layers/l1/zarr.json", "ws", "..", "%2e%2e/", "a?%00", "favicon"]
    ),
)  # fmt: skip

VALUES = {
    "Host": ["localhost", "LOCALHOST", "[::1]:8080", "evil.example", "localhost,localhost", ""],
    "Origin": ["http://localhost", READER, READER.upper(), "https://evil.example", "null", ""],
    "Sec-Fetch-Site": ["same-origin", "none", "cross-site", "Same-Origin", ""],
    "Sec-Fetch-Mode": ["navigate", "cors"],
    "Sec-Fetch-Dest": ["document", "image"],
    "If-None-Match": ['W/"0"', '"1", "0"', '"1" "0"', "*", ""],
    "Accept-Encoding": ["zstd", "gzip;q=0.5, zstd;q=0", "*", "br", "ZSTD;Q=1", "zstd;q=many", ""],
    "Accept": ["text/html", "*/*"],
    "Connection": ["keep-alive", "Keep-Alive", "close", "Upgrade"],
    "Upgrade": ["h2c"],
    "Range": ["bytes=0-1"],
    "X-Ümlaut": ["ü"],
    "X Y": ["z"],
    "X": ["ü", "a\tb", "a\rb", "a\0b", 5000 * "x"],
}

LINES = st.sampled_from(
    [
        f"{spelt}:{space}{value}\r\n"
        for name, values in VALUES.items()
        for value in values
        for spelt in (name, name.lower())
        for space in (" ", "", "\t ")
    ]
)


@pytest.fixture(scope="module")
def open_server() -> Iterator[Server]:
    """A server that compresses, and that another site's pages may read."""
    exhibit = Exhibit()
    exhibit.add(np.arange(40 * 50 * 60, dtype=np.uint16).reshape(40, 50, 60))
    server = Server(policy=Policy(compress_loopback=True), allow_origins=[READER])
    server.mount(TOKEN, exhibit)  # type: ignore[arg-type]
    yield server
    server.stop()


@settings(max_examples=150)
@given(
    method=st.sampled_from(["GET", "GET", "GET", "HEAD", "OPTIONS", "get"]),
    target=TARGETS,
    host=st.sampled_from([*4 * ["Host: localhost\r\n"], ""]),
    lines=st.lists(LINES, max_size=3),
)
def test_nobody_can_tell_the_ways_apart(
    open_server: Server, method: str, target: str, host: str, lines: list[str]
) -> None:
    asked = f"{method} {target} HTTP/1.1\r\n{host}{''.join(lines)}\r\n"
    answers = []
    for before in ("", AN_EMPTY_LINE):
        with closing(Client(open_server)) as client:
            client.send(f"{before}{asked}".encode("latin1"))
            head, body = client.hear(body=method != "HEAD")
            answers.append((re.sub(r"Date: .*\r\n", "", head), body))
            if "Connection: close" in head:
                assert client.ended()
            else:  # the next answer begins where this one ends
                client.ask(CHUNK, "HEAD")
                assert client.hear(body=False)[0].startswith("HTTP/1.1 200")
    assert answers[0] == answers[1]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("lines", ["", 'If-None-Match: W/"0"\r\n', "Connection: keep-alive\r\n"])
@pytest.mark.parametrize("path", [CHUNK, "layers/l1/0/c/9/9/9", "layers/l9/0/c/0/0/0", "favicon"])
def test_both_ways_give_the_same_answer(client: Client, path: str, lines: str, method: str) -> None:
    answers = []
    for way in ("", LONG_WAY):
        client.ask(path, method, lines + way)
        head, body = client.hear(body=method == "GET")
        shown = [line for line in head.split("\r\n") if not line.startswith("Date: ")]
        answers.append((sorted(shown), body))
    assert answers[0] == answers[1]


def test_a_connection_changes_its_way_with_every_request(client: Client) -> None:
    asked = [CHUNK, "layers/l1/zarr.json", CHUNK, "layers/l1/0/zarr.json", "layers/l8/zarr.json"]
    expected = ["200", "200", "200", "200", "404"]
    for path in 3 * asked:  # all at once: none is read before the one before it is answered
        client.ask(path)
    heard = [client.hear() for _ in 3 * asked]
    assert [head.split(" ")[1] for head, _ in heard] == 3 * expected
    assert heard[0][1] == heard[2][1]
    assert b'"node_type":"group"' in heard[1][1]
    assert b'"node_type":"array"' in heard[3][1]


@pytest.mark.parametrize(
    ("token", "lines", "status"),
    [("0" * 40, "", "404"), (TOKEN, "Origin: https://evil.example\r\n", "403"),
     (TOKEN, "Host: localhost\r\n", "403"), (TOKEN, "Sec-Fetch-Site: cross-site\r\n", "403")],
)  # fmt: skip
def test_who_is_refused_is_refused_on_a_connection_that_was_served(
    client: Client, token: str, lines: str, status: str
) -> None:
    client.ask(CHUNK)
    assert client.hear()[0].startswith("HTTP/1.1 200")
    client.ask(CHUNK, lines=lines, token=token)
    assert client.hear()[0].startswith(f"HTTP/1.1 {status}")


def test_a_request_may_come_in_pieces(client: Client) -> None:
    for letter in f"GET /v/{TOKEN}/{CHUNK} HTTP/1.1\r\nHost: localhost\r\n\r\n":
        client.say(letter)
    assert client.hear()[0].startswith("HTTP/1.1 200")


def test_a_connection_ends_when_the_client_says_so(client: Client) -> None:
    client.ask(CHUNK)
    client.hear()
    client.ask(CHUNK, lines="Connection: close\r\n")
    assert "Connection: close" in client.hear()[0]
    assert client.ended()


def test_large_chunks_wait_for_slow_readers(server: Server) -> None:
    """More than the network takes at once, asked for again before any of it has been read."""
    exhibit = Exhibit()
    volume = np.random.default_rng(0).integers(0, 255, (64, 64, 256), np.uint64)
    exhibit.add(volume)
    server.mount(TOKEN, exhibit)  # type: ignore[arg-type]
    client = Client(server)
    for x in range(4):
        client.ask(f"layers/l1/0/c/0/0/{x}")
        client.ask(f"layers/l1/0/c/0/0/{x}", "HEAD")
    for x in range(4):
        assert client.hear()[1] == volume[..., 64 * x : 64 * x + 64].tobytes()
        assert client.hear(body=False)[0].startswith("HTTP/1.1 200")
    client.close()


@pytest.mark.parametrize("lines", ["", LONG_WAY])
def test_large_compressed_chunks_wait_for_slow_readers(lines: str) -> None:
    """Their head and body do not lie together, and are sent in pieces that end anywhere."""
    exhibit = Exhibit()
    volume = np.random.default_rng(0).integers(0, 1 << 62, (64, 64, 256), np.uint64)
    exhibit.add(volume)
    server = Server(policy=Policy(compress_loopback=True))
    try:
        server.mount(TOKEN, exhibit)  # type: ignore[arg-type]
        client = Client(server)
        for x in range(4):
            client.ask(f"layers/l1/0/c/0/0/{x}", lines=f"Accept-Encoding: zstd\r\n{lines}")
        for x in range(4):
            head, body = client.hear()
            assert "Content-Encoding: zstd" in head
            assert decompress(body) == volume[..., 64 * x : 64 * x + 64].tobytes()
        client.close()
    finally:
        server.stop()


def test_who_leaves_while_a_worker_reads_makes_room(slow_exhibit: Exhibit) -> None:
    asked, release = threading.Event(), threading.Event()
    source = slow_exhibit.layer("l1").pyramid.source

    def wait(level: int, box: Any) -> Any:
        asked.set()
        release.wait(60)
        raise SourceError("Nobody is there any more.")

    source.read = wait  # type: ignore[method-assign, assignment]
    server = Server(policy=Policy(connections=1))
    try:
        server.mount(TOKEN, slow_exhibit)  # type: ignore[arg-type]
        first = Client(server)
        first.ask(CHUNK)
        assert asked.wait(60)
        first.close()
        assert any(_is_served(server) for _ in range(1200))
    finally:
        release.set()
        server.stop()


def _is_served(server: Server) -> bool:
    """Whether there is room for a connection; waits a moment if there is none."""
    client = Client(server)
    try:
        client.ask("layers/l1/zarr.json")
        return client.hear()[0].startswith("HTTP/1.1 200")
    except (OSError, AssertionError):
        time.sleep(0.05)
        return False
    finally:
        client.close()
