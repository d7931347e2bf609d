"""A connection that cannot be made, or is lost, is told of in words that help."""

from __future__ import annotations

import http.server
import json
import queue
import socket
import subprocess
import sys
import threading

import numpy as np
import pytest
from websockets.sync.server import ServerConnection, serve

import viewer
from tests.client.tunnel import tunnel_to
from viewer import errors
from viewer.client.address import parse_address
from viewer.messages import Progress

TOKEN = "a" * 40


def test_nobody_listens() -> None:
    with socket.socket() as taken:  # bound, and not listening
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(ConnectionError, match=f"127.0.0.1:{port} cannot be reached"):
            viewer.connect(f"127.0.0.1:{port}", TOKEN)


def test_a_wrong_token_is_called_so_and_not_repeated(viewer_: viewer.Viewer) -> None:
    host = viewer_.url.split("/v/")[0]
    with pytest.raises(errors.LinkError, match="does not know this token") as caught:
        viewer.connect(host, TOKEN)
    assert TOKEN not in str(caught.value)


def test_the_token_may_stand_in_the_environment(
    viewer_: viewer.Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, token = viewer_.url.rstrip("/").split("/v/")
    with pytest.raises(errors.InvalidValueError, match="VOXELVIEW_TOKEN"):
        viewer.connect(host)
    monkeypatch.setenv("VOXELVIEW_TOKEN", token)
    with viewer.connect(host.removeprefix("http://")) as link:
        assert link.url == viewer_.url


def test_another_web_server_is_no_viewer() -> None:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as other:
        thread = threading.Thread(target=other.serve_forever, args=(0.01,))
        thread.start()
        try:
            with pytest.raises(errors.LinkError, match="is not a viewer"):
                viewer.connect(f"127.0.0.1:{other.server_port}", TOKEN)
        finally:
            other.shutdown()
            thread.join()


def test_another_protocol_is_told_apart() -> None:
    def greet(connection: ServerConnection) -> None:
        hello = {"type": "hello", "protocol": 99, "version": "9", "session": "s"}
        connection.send(json.dumps(hello))
        connection.recv()

    with serve(greet, "127.0.0.1", 0) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        try:
            port = other.socket.getsockname()[1]
            with pytest.raises(errors.LinkError, match="version 99 of the protocol"):
                viewer.connect(f"127.0.0.1:{port}", TOKEN)
        finally:
            other.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("host:80", f"http://host:80/v/{TOKEN}/"),
        ("[::1]:80", f"http://[::1]:80/v/{TOKEN}/"),
        (f"http://host:80/v/{TOKEN}", f"http://host:80/v/{TOKEN}/"),
        ("https://hub.org/user/me/proxy/80", f"https://hub.org/user/me/proxy/80/v/{TOKEN}/"),
    ],
)
def test_addresses(text: str, url: str) -> None:
    address = parse_address(text, TOKEN)
    assert address.url == url
    assert address.socket.startswith("ws") and address.socket.endswith(f"{TOKEN}/ws")
    assert TOKEN not in str(address)


@pytest.mark.parametrize("text", ["", "ftp://host", "http://", "host:port", "http://[::1"])
def test_other_text_is_no_address(text: str) -> None:
    with pytest.raises(errors.InvalidValueError, match="no address"):
        parse_address(text, TOKEN)


def test_a_lost_connection_fails_calls_and_comes_back(viewer_: viewer.Viewer) -> None:
    viewer_.add_image(np.zeros((4, 5, 6), np.uint8), name="first")
    with tunnel_to(viewer_) as (tunnel, url), viewer.connect(url, timeout=30) as link:
        news = threading.Event()
        link.document.subscribe(news.set)
        tunnel.cut()
        while link.connected:
            news.wait(0.01)
        with pytest.raises(errors.LinkError, match="lost"):
            link.title = "?"
        assert link.layers.names == ("first",)  # what was known last
        viewer_.title = "meanwhile"
        viewer_.add_labels(np.zeros((4, 5, 6), np.uint8), name="second")
        while link.title != "meanwhile":
            news.wait(0.01)
        assert link.layers.names == ("first", "second")
        link.layers["second"].opacity = 0.25
        assert viewer_.layers["second"].opacity == 0.25


def test_a_call_that_was_under_way_fails(viewer_: viewer.Viewer) -> None:
    entered, leave = threading.Event(), threading.Event()
    real = viewer_.open

    def slow(path: object) -> object:
        entered.set()
        leave.wait(30)
        return real(path)  # type: ignore[arg-type]

    object.__setattr__(viewer_, "open", slow)
    with tunnel_to(viewer_) as (tunnel, url), viewer.connect(url, timeout=30) as link:
        pending = link.call_async("open", "nothing.npy")
        assert entered.wait(30)
        tunnel.cut()
        with pytest.raises(errors.LinkError, match="before the answer came"):
            pending.result(30)
        leave.set()


def test_long_work_ends_when_nobody_waits_for_it(viewer_: viewer.Viewer) -> None:
    begun: queue.Queue[object] = queue.Queue()
    ended: queue.Queue[Exception] = queue.Queue()

    def long(path: object) -> None:
        begun.put(path)
        try:
            while True:
                viewer_.tell(Progress(None, "working", 0.5))
                threading.Event().wait(0.01)
        except errors.CancelledError as error:
            ended.put(error)
            raise

    object.__setattr__(viewer_, "open", long)
    with viewer.connect(viewer_.url, timeout=30) as link:
        pending = link.call_async("open", "a")
        assert begun.get(timeout=30) == "a"
        assert pending.cancel()
        ended.get(timeout=30)
        link.call_async("open", "b")
        assert begun.get(timeout=30) == "b"
    ended.get(timeout=30)  # the link was closed


def test_a_call_may_be_given_a_time(viewer_: viewer.Viewer) -> None:
    leave = threading.Event()
    object.__setattr__(viewer_, "open", lambda path: leave.wait(30))
    with viewer.connect(viewer_.url, timeout=30) as link:
        with pytest.raises(TimeoutError, match=r"open\(\) did not end within 0.2 seconds"):
            link.open("a", timeout=0.2)
        leave.set()


def test_a_viewer_that_ends_ends_its_links(viewer_: viewer.Viewer) -> None:
    with viewer.connect(viewer_.url, timeout=30) as link:
        viewer_.close()
        news = threading.Event()
        while not link.closed:
            news.wait(0.01)
        with pytest.raises(errors.ClosedError, match="The viewer was closed"):
            link.layers["image"]


def test_links_from_another_process_to_this_one(viewer_: viewer.Viewer) -> None:
    viewer_.add_image(np.zeros((4, 5, 6), np.uint8), name="here")
    script = (
        "import sys, numpy as np, viewer\n"
        "with viewer.connect(sys.argv[1], timeout=30) as v:\n"
        "    v.layers['here'].colormap = 'magma'\n"
        "    v.add_labels(np.full((4, 5, 6), 3, np.uint16), name='there')\n"
        "    print(v.layers.names)\n"
    )
    command = [sys.executable, "-c", script, viewer_.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "('here', 'there')\n"
    assert viewer_.layers["here"].colormap == "magma"
    assert viewer_.layers["there"].data.tolist() == np.full((4, 5, 6), 3).tolist()
