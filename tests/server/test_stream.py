"""A connection: whatever comes on it, and however much at once, is answered in turn."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from tornado.iostream import StreamClosedError

from tests.server.exhibit import TOKEN, Exhibit
from tests.server.plain_client import Client
from viewer.policy import Policy
from viewer.server import Server
from viewer.server.stream import HEADER_BYTES, Stream

CHUNK = "layers/l1/0/c/0/0/0"

MANY = 2000
"""Requests whose heads are far longer together than what is read ahead."""

HANDSHAKE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)

PING = b"\x89\x84mask" + bytes(a ^ b for a, b in zip(b"ping", b"mask", strict=True))


@pytest.mark.parametrize("path", [CHUNK, "layers/l1/zarr.json"])
def test_who_asks_on_without_waiting_is_answered_in_turn(client: Client, path: str) -> None:
    def ask() -> None:
        for number in range(MANY):
            client.ask(path if number % 10 else f"layers/l1/0/c/0/0/{number}", "HEAD")

    asking = threading.Thread(target=ask)
    asking.start()
    for number in range(MANY):
        head, _ = client.hear(body=False)
        assert head.split()[1] == ("404" if number and number % 10 == 0 else "200"), number
    asking.join(60)


def test_what_is_asked_while_a_worker_reads_waits_for_it(
    server: Server, slow_exhibit: Exhibit
) -> None:
    source = slow_exhibit.layer("l1").pyramid.source
    release, read = threading.Event(), source.read

    def wait(level: int, box: Any) -> Any:
        assert release.wait(60)
        return read(level, box)

    source.read = wait  # type: ignore[method-assign, assignment]
    server.mount(TOKEN, slow_exhibit)  # type: ignore[arg-type]
    client, other = Client(server), Client(server)
    asked = 4 * HEADER_BYTES // 100
    client.ask(CHUNK)
    for _ in range(asked):
        client.ask("layers/l1/zarr.json", "HEAD")
    client.ask(CHUNK)
    other.ask("layers/l1/zarr.json")  # by now the first connection has been read
    assert other.hear()[0].startswith("HTTP/1.1 200")
    release.set()
    first = client.hear()[1]
    assert len(first) == 2 * 40 * 50 * 60
    for _ in range(asked):
        assert client.hear(body=False)[0].startswith("HTTP/1.1 200")
    assert client.hear()[1] == first
    client.close()
    other.close()


@pytest.mark.parametrize("before", [[], [CHUNK], [CHUNK, "layers/l1/zarr.json"]])
def test_a_connection_may_become_a_websocket(client: Client, before: list[str]) -> None:
    for path in before:
        client.ask(path)
        assert client.hear()[0].startswith("HTTP/1.1 200")
    client.ask("bricks", lines=HANDSHAKE)
    assert client.hear()[0].startswith("HTTP/1.1 101")
    client.send(PING)
    assert client.take(6) == b"\x8a\x04ping"


def test_what_comes_with_a_handshake_is_the_websockets(client: Client) -> None:
    client.ask(CHUNK)
    client.ask("bricks", lines=HANDSHAKE)
    client.send(20 * PING)
    assert client.hear()[0].startswith("HTTP/1.1 200")
    assert client.hear()[0].startswith("HTTP/1.1 101")
    assert client.take(120) == 20 * b"\x8a\x04ping"


def test_a_head_without_an_end_is_not_waited_for(client: Client) -> None:
    client.ask(CHUNK)
    assert client.hear()[0].startswith("HTTP/1.1 200")
    client.say(f"GET /v/{TOKEN}/{CHUNK} HTTP/1.1\r\nX: " + HEADER_BYTES * "x")
    assert client.ended()


def test_clients_may_leave_at_any_time(
    server: Server, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Politely or by a reset, between requests or within one, before or after Tornado's turn."""
    with caplog.at_level(logging.DEBUG):
        for text in ("", "GET /v/", "\r\n\r\n"):
            for path in (None, CHUNK, "layers/l1/zarr.json"):
                for reset in (False, True):
                    client = Client(server)
                    if path is not None:
                        client.ask(path)
                        client.hear()
                    client.say(text)
                    client.close(reset=reset)
        assert _until_nobody_is_there(server)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_little_is_read_ahead_of_who_asks_on() -> None:
    """However many heads Tornado takes, and Tornado listens again for each of them."""

    async def ask(stream: Stream, client: socket.socket) -> None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, HEADER_BYTES)
        room = client.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        asked = heard = 0
        for _ in range(100):
            with suppress(BlockingIOError):
                while True:
                    asked += client.send(100 * b"GET / HTTP/1.1\r\n\r\n")
            heard += len(await stream.read_until_regex(b""))
            await asyncio.sleep(0)  # as Tornado does
        assert asked - heard <= 2 * HEADER_BYTES + room

    _connected(ask)


def test_nothing_comes_from_a_connection_that_has_ended() -> None:
    async def read(stream: Stream, client: socket.socket) -> None:
        stream.close()
        with pytest.raises(StreamClosedError):
            await stream.read_until_regex(b"")

    _connected(read)


def test_tornado_goes_on_writing_after_it_wrote_what_had_waited_out_of_turn() -> None:
    async def write(stream: Stream, client: socket.socket) -> None:
        large = bytes(1 << 21)
        written = [stream.write(large)]  # waits
        count = 0
        while stream.writing():
            count += len(client.recv(1 << 20))
            written.append(stream.write(b"little"))  # takes along what waits
        head = stream.read_until_regex(b"")
        written.append(stream.write(large))
        count += len(client.recv(1 << 20))
        expected = 2 * len(large) + (len(written) - 2) * len(b"little")
        while count < expected:
            count += len(await asyncio.get_running_loop().sock_recv(client, 1 << 20))
        await asyncio.gather(*written)
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        assert await head == b"GET / HTTP/1.1\r\n\r\n"

    _connected(write)


class _Nothing:
    """A shortcut that nothing takes."""

    def find(self, head: bytes, exchange: object) -> None:
        return None


def _connected(test: Callable[[Stream, socket.socket], Awaitable[None]]) -> None:
    """Run `test` with a stream whose other end it has, and with a minute's time."""

    async def run() -> None:
        ours, client = socket.socketpair()
        client.setblocking(False)
        stream = Stream(ours, "", _Nothing(), set())  # type: ignore[arg-type]
        try:
            await asyncio.wait_for(test(stream, client), 60)
        finally:
            stream.close()
            client.close()

    asyncio.run(run())


def test_who_takes_nothing_of_his_answers_makes_room() -> None:
    exhibit = Exhibit()
    exhibit.add(np.broadcast_to(np.uint8(7), (1 << 11, 1 << 11, 1 << 11)))
    server = Server(policy=Policy(header_seconds=0.3, send_seconds=0.3))
    try:
        server.mount(TOKEN, exhibit)  # type: ignore[arg-type]
        client = Client(server)
        for _ in range(1000):  # more than the network holds
            client.ask(CHUNK)
        client.hear()
        assert _until_nobody_is_there(server)
        client.close()
    finally:
        server.stop()


def _until_nobody_is_there(server: Server) -> bool:
    waited = threading.Event()
    return any(
        server._listener.connections == 0 or waited.wait(0.05)  # type: ignore[union-attr]
        for _ in range(1200)
    )
