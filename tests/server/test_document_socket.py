"""Pages and Python agree on the document, also when somebody is slow or talks nonsense."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.server.exhibit import TOKEN, Exhibit
from tests.server.page import Page
from viewer.messages import Change, Notice, Progress, Report
from viewer.server import Server


@pytest.fixture
def page(url: str) -> Iterator[Page]:
    with Page(url) as page:
        yield page


def test_a_page_is_greeted_with_the_document(page: Page, exhibit: Exhibit) -> None:
    assert page.hello["protocol"] == 1
    assert page.version == exhibit.document.version
    assert list(page.document["layers"]) == ["l1"]


def test_python_reaches_the_page_within_a_frame(page: Page, exhibit: Exhibit) -> None:
    delays = []
    for number in range(20):
        time.sleep(0.02)
        start = time.perf_counter()
        exhibit.document.edit([Change(("title",), f"title {number}")], author="viewer")
        page.apply(page.receive("patch"))
        delays.append(time.perf_counter() - start)
        assert page.document["title"] == f"title {number}"
    assert sorted(delays)[10] < 0.016


def test_pages_and_python_agree(url: str, page: Page, exhibit: Exhibit) -> None:
    with Page(url) as other:
        answer = page.edit(["view", "zoom"], 2.5)
        assert answer["type"] == "accepted"
        assert exhibit.document.state.view.zoom == 2.5
        for one in (page, other):
            one.catch_up(answer["version"])
            assert one.document["view"]["zoom"] == 2.5
        assert page.hello["session"] != other.hello["session"]


def test_a_burst_is_coalesced(page: Page, exhibit: Exhibit) -> None:
    for number in range(1000):
        exhibit.document.edit([Change(("view", "zoom"), 1.0 + number)], author="viewer")
    messages = 0
    while page.version < exhibit.document.version:
        page.apply(page.receive("patch"))
        messages += 1
    assert page.document["view"]["zoom"] == 1000.0
    assert messages < 200


def test_a_page_that_reads_nothing_costs_nothing_and_catches_up(
    server: Server, exhibit: Exhibit, url: str
) -> None:
    slow = socket.create_connection(("127.0.0.1", server.port))
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.sendall(
        f"GET /v/{TOKEN}/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    long = "x" * 80_000
    with Page(url) as quick:
        for number in range(100):  # 8 MB of titles
            exhibit.document.edit([Change(("title",), f"{number} {long}")], author="viewer")
            quick.catch_up(exhibit.document.version)
    buffered = sum(
        stream._write_buffer._size
        for stream in server._listener._streams  # type: ignore[attr-defined]
    )
    assert buffered < 400_000
    slow.close()


def test_a_reader_beyond_the_history_gets_a_snapshot(page: Page, exhibit: Exhibit) -> None:
    received = page.edit(["title"], "first")
    page.catch_up(received["version"])
    for number in range(3000):  # more than the history keeps, while nothing can be delivered
        exhibit.document.edit([Change(("view", "zoom"), 1.0 + number)], author="viewer")
    while page.version < exhibit.document.version:
        message = page.receive("patch", "snapshot")
        if message["type"] == "snapshot":
            page.version, page.document = message["version"], message["document"]
        else:
            page.apply(message)
    assert page.document["view"]["zoom"] == 3000.0


def test_a_stale_edit_is_rejected_with_what_is_there(page: Page, exhibit: Exhibit) -> None:
    exhibit.document.edit([Change(("title",), "Python's")], author="viewer")
    answer = page.edit(["title"], "the page's")
    assert answer["type"] == "rejected"
    assert answer["notice"]["kind"] == "conflict"
    assert answer["present"] == [{"path": ["title"], "value": "Python's"}]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["layers", "l1", "style", "opacity"], 7),
        (["layers", "l1", "style", "gamma"], "much"),
        (["view", "layout"], "5panel"),
    ],
)
def test_an_impossible_edit_is_rejected_and_put_right(
    page: Page, path: list[str], value: Any
) -> None:
    answer = page.edit(path, value)
    assert answer["type"] == "rejected"
    assert path[-1] in answer["notice"]["message"]
    node: Any = page.document
    for key in path:
        node = node[key]
    assert answer["present"] == [{"path": path, "value": node}]


def test_pages_may_not_touch_the_data(page: Page) -> None:
    assert page.edit(["layers", "l1", "data", "generation"], 5)["type"] == "rejected"


@pytest.mark.parametrize(
    "message",
    [
        "",
        "[]",
        "{}",
        '{"type": "edit"}',
        '{"type": "unheard-of"}',
        '{"type": "ping", "time": "now"}',
        b"\x00\xff",
        b"\xff" * 10,
        "[" * 100_000,
        '{"type": "ping", "time": 1e999}',
    ],
)
def test_nonsense_ends_only_its_own_connection(url: str, page: Page, message: Any) -> None:
    with Page(url) as bad:
        bad.send(message)
        received = bad.until_closed().rcvd
        assert received is None or received.code == 1007
    assert page.edit(["title"], "still here")["type"] == "accepted"


def test_a_malformed_edit_with_a_number_is_rejected(page: Page) -> None:
    page.send({"type": "edit", "request": 3, "base": 0, "changes": [{"pfad": ["title"]}]})
    answer = page.receive("rejected")
    assert answer["request"] == 3
    assert "pfad" in answer["notice"]["message"]


def test_long_messages_are_refused(page: Page, url: str) -> None:
    with contextlib.suppress(ConnectionClosed):  # the server hangs up before it has read it all
        page.send('"' + "x" * (2 << 20) + '"')
    page.until_closed()
    with Page(url) as another:
        assert another.version >= 0


def test_ping_is_answered(page: Page) -> None:
    page.send({"type": "ping", "time": 12.5})
    assert page.receive("pong")["time"] == 12.5


def test_reports_reach_every_page_and_progress_only_the_newest(
    server: Server, url: str, page: Page
) -> None:
    with Page(url) as other:
        server.broadcast(TOKEN, Report(Notice("source", "The disk is gone.", layer="l1")))
        for one in (page, other):
            assert one.receive("report")["notice"]["message"] == "The disk is gone."
    for step in range(1001):
        server.broadcast(TOKEN, Progress("l1", "indexing labels", step / 1000))
    count, done = 0, 0.0
    while done < 1:
        done = page.receive("progress")["done"]
        count += 1
    assert count < 500


def test_goodbye_is_said_before_the_connection_ends(server: Server, page: Page) -> None:
    server.unmount(TOKEN, "The viewer was closed.")
    assert page.receive("closing")["reason"] == "The viewer was closed."
    page.until_closed()


def test_stopping_says_goodbye(server: Server, page: Page) -> None:
    start = time.perf_counter()
    server.stop()
    assert time.perf_counter() - start < 2
    assert page.receive("closing")["reason"] == "The server was stopped."
