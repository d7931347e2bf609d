"""The server's life: starting, stopping, and never being in the way."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator

import httpx
import numpy as np
import pytest

import viewer.server as servers
from tests.server.exhibit import TOKEN, Exhibit
from tests.server.page import Page
from viewer.errors import ClosedError, InvalidValueError
from viewer.server import Server, get_server, set_server, stop_server


@pytest.fixture
def settings() -> Iterator[None]:
    """Put the process's settings back."""
    before = servers._settings
    yield
    stop_server()
    servers._settings = before


def refused(port: int) -> bool:
    """Whether nobody listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.usefixtures("settings")
class TestTheProcesssServer:
    def test_is_started_once_on_loopback(self) -> None:
        server = get_server()
        assert get_server() is server
        assert server.host == "127.0.0.1"
        assert server.port > 0

    def test_is_started_anew_after_it_was_stopped(self) -> None:
        first = get_server()
        stop_server()
        assert refused(first.port)
        second = get_server()
        assert second is not first
        assert not refused(second.port)

    def test_takes_the_port_it_is_told_from_its_next_start_on(self) -> None:
        running = get_server()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        set_server(port=port)
        assert get_server() is running
        stop_server()
        assert get_server().port == port

    def test_names_a_port_that_is_in_use(self) -> None:
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            port = holder.getsockname()[1]
            set_server(port=port)
            with pytest.raises(InvalidValueError, match=str(port)):
                get_server()

    @pytest.mark.parametrize("port", [-1, 65536, "80", 8.0, True])
    def test_refuses_what_is_no_port(self, port: int) -> None:
        with pytest.raises(InvalidValueError, match="port="):
            set_server(port=port)

    def test_refuses_what_is_no_host(self) -> None:
        with pytest.raises(InvalidValueError, match="host="):
            set_server(host="")
        set_server(host="no.such.host.invalid")
        with pytest.raises(InvalidValueError, match=r"no\.such\.host"):
            get_server()


def test_stopping_leaves_no_thread_and_no_socket(exhibit: Exhibit) -> None:
    before = threading.active_count()
    for _ in range(3):
        server = Server()
        server.mount(TOKEN, exhibit)  # type: ignore[arg-type]
        with Page(server.url(TOKEN)):
            assert httpx.get(f"{server.url(TOKEN)}layers/l1/0/c/0/0/0").status_code == 200
            server.stop()
            server.stop()
        assert refused(server.port)
    deadline = time.monotonic() + 30
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


def test_an_unmounted_viewer_is_gone_at_once(server: Server, url: str) -> None:
    assert httpx.get(f"{url}colormaps.json").status_code == 200
    server.unmount(TOKEN, "bye")
    server.unmount(TOKEN, "bye")
    assert httpx.get(f"{url}colormaps.json").status_code == 404


def test_a_stopped_server_mounts_nothing(server: Server, exhibit: Exhibit) -> None:
    server.stop()
    with pytest.raises(ClosedError):
        server.mount(TOKEN, exhibit)  # type: ignore[arg-type]


def test_viewers_under_two_tokens_do_not_mix(server: Server, exhibit: Exhibit, url: str) -> None:
    other = Exhibit()
    server.mount("f" * 40, other)  # type: ignore[arg-type]
    assert httpx.get(f"{server.url('f' * 40)}layers/l1/zarr.json").status_code == 404
    assert httpx.get(f"{url}layers/l1/zarr.json").status_code == 200


def test_it_works_beside_a_running_loop(url: str) -> None:
    async def notebook() -> int:
        async with httpx.AsyncClient() as client:
            return (await client.get(f"{url}colormaps.json")).status_code

    assert asyncio.run(notebook()) == 200


def test_a_name_for_everybody_is_in_the_url_of_a_public_server() -> None:
    server = Server(host="0.0.0.0")
    try:
        assert server.url(TOKEN) == f"http://{socket.gethostname()}:{server.port}/v/{TOKEN}/"
    finally:
        server.stop()


def run(code: str, timeout: float = 20) -> tuple[subprocess.CompletedProcess[str], float]:
    """A fresh Python that runs `code`, and how long it took to end after it said "done"."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},  # noqa: PTH109
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        with Page(line.strip()) if line.startswith("http") else open(os.devnull):  # noqa: PTH123
            start = time.monotonic()
            out, err = process.communicate("\n", timeout=timeout)
    return subprocess.CompletedProcess([], process.returncode, out, err), time.monotonic() - start


START = """
    import sys, threading, time
    import numpy as np
    from tests.server.exhibit import Exhibit, Sliced, TOKEN
    from viewer.server import get_server
    exhibit = Exhibit()
    exhibit.add(Sliced(np.zeros((40, 40, 40))))
    server = get_server()
    server.mount(TOKEN, exhibit)
"""


SAY = """
    print(server.url(TOKEN), flush=True)
    sys.stdin.readline()
"""


def test_the_exit_is_not_held_up_by_a_page() -> None:
    result, seconds = run(
        START + "\n    print(server.url(TOKEN), flush=True); sys.stdin.readline()"
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert seconds < 3


def test_the_exit_is_not_held_up_by_a_read_that_hangs() -> None:
    result, seconds = run(
        START
        + """
    import httpx
    exhibit.layer("l1").pyramid.source.read = lambda level, box: time.sleep(1000)
    def ask():
        try:
            httpx.get(server.url(TOKEN) + "layers/l1/0/c/0/0/0", timeout=100)
        except httpx.HTTPError:
            pass
    for _ in range(8):
        threading.Thread(target=ask, daemon=True).start()
    time.sleep(0.5)
    """
        + SAY
    )
    assert result.returncode == 0
    assert seconds < 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks exist on POSIX only")
def test_a_forked_child_neither_serves_nor_holds_the_port() -> None:
    result, _ = run(
        START
        + """
    import os, socket
    child = os.fork()
    if child == 0:
        assert not server.running
        assert get_server().port != server.port
        server.stop()
        time.sleep(5)
        os._exit(0)
    time.sleep(0.5)
    import httpx
    assert httpx.get(server.url(TOKEN) + "colormaps.json").status_code == 200
    server.stop()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", server.port)) != 0
    os.kill(child, 9)
    os.waitpid(child, 0)
    print("fine")
    """
    )
    assert result.returncode == 0, result.stderr


def test_importing_the_server_is_quick() -> None:
    code = (
        "import time; t = time.perf_counter(); import viewer.server; print(time.process_time() - t)"
    )
    times = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
        for _ in range(3)
    ]
    assert min(times) < 0.5


def test_large_arrays_are_not_copied_to_be_served(server: Server) -> None:
    exhibit = Exhibit()
    data = np.arange(1000, dtype="u2").reshape(10, 10, 10)
    exhibit.add(data)
    server.mount(TOKEN, exhibit)  # type: ignore[arg-type]
    data[0, 0, 0] = 7
    body = httpx.get(f"{server.url(TOKEN)}layers/l1/0/c/0/0/0").content
    assert np.frombuffer(body, "<u2")[0] == 7
