"""The states without an ordinary picture: each says what is the matter and what to do."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

import viewer
from tests.browser.scene import add_scene, document, eventually, middle
from viewer.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page, WebSocketRoute

OpenPage = Callable[..., "Page"]
Settled = Callable[..., None]


class Flaky:
    """An array whose disk comes and goes."""

    def __init__(self) -> None:
        self.array = np.full((16, 32, 32), 7, np.uint8)
        self.array[4:12, 8:24, 8:24] = 200
        self.shape, self.dtype, self.ndim = self.array.shape, self.array.dtype, 3
        self.broken = False

    def __getitem__(self, key: Any) -> Any:
        if self.broken:
            raise OSError("the disk /data is gone")
        return self.array[key]


def test_an_empty_viewer_says_how_to_begin(viewer_: viewer.Viewer, open_page: OpenPage) -> None:
    page = open_page(viewer_)
    snippet = page.locator(".snippet code").inner_text()
    page.get_by_role("button", name="Copy", exact=True).wait_for()
    exec(snippet, {"v": viewer_})
    page.locator(".layer-name", has_text="noise").wait_for()


def test_a_failed_read_is_marked_and_tried_again(
    viewer_: viewer.Viewer, open_page: OpenPage, settled: Settled
) -> None:
    data = Flaky()
    layer = viewer_.add_image(data, name="scan")
    data.broken = True
    with suppress(SourceError):  # Python hears of it, too
        layer.refresh()
    page = open_page(viewer_, errors=True)
    failure = page.locator("[data-panel='xy'] .panel-failure")
    failure.wait_for()
    assert "the disk /data is gone" in failure.inner_text()
    data.broken = False
    failure.get_by_role("button", name="Retry").click()
    settled(page)
    assert page.locator(".panel-failure").count() == 0
    assert viewer_.errors, "Python is told, too"


def test_a_closed_file_is_explained_and_the_viewer_lives_on(
    viewer_: viewer.Viewer, open_page: OpenPage, settled: Settled, tmp_path: Path
) -> None:
    with h5py.File(tmp_path / "cells.h5", "w") as file:
        file["volume"] = np.ones((16, 16, 16), np.float32)
        viewer_.add_image(file["volume"])
    page = open_page(viewer_, errors=True)
    failure = page.locator("[data-panel='xy'] .panel-failure")
    failure.wait_for()
    assert "closed" in failure.inner_text()
    other = viewer_.add_image(np.ones((8, 8, 8)), name="other")
    page.locator(".layer-name", has_text="other").wait_for()
    assert other.visible


def test_a_view_without_data_offers_to_fit(
    viewer_: viewer.Viewer, open_page: OpenPage, settled: Settled
) -> None:
    scene = add_scene(viewer_)
    page = open_page(viewer_)
    settled(page)
    scene.v.view.zoom = 8
    scene.v.view.center = (1e4, 1e4, 1e4)
    page.locator("[data-panel='xy'] .panel-empty").wait_for()
    page.locator("[data-panel='3d'] .panel-empty").wait_for()
    page.locator("[data-panel='xy'] .panel-empty button").click()
    eventually(lambda: viewer_.view.zoom is None and max(viewer_.view.center) < 100)
    settled(page)
    page.locator(".panel-empty").wait_for(state="detached")


def test_a_stopped_server_is_final(viewer_: viewer.Viewer, open_page: OpenPage) -> None:
    add_scene(viewer_)
    page = open_page(viewer_, errors=True)
    page.locator(".connection.open").wait_for()
    viewer.stop()
    page.get_by_text("The viewer has ended.").wait_for()
    page.wait_for_timeout(800)
    assert page.locator(".connection.closed").count() == 1
    assert page.locator("[data-panel]").count() == 4, "what was loaded stays"


def test_a_closed_viewer_is_final_though_the_server_runs(
    viewer_: viewer.Viewer, open_page: OpenPage
) -> None:
    add_scene(viewer_)
    page = open_page(viewer_, errors=True)
    page.locator(".connection.open").wait_for()
    with viewer.Viewer():
        viewer_.close()
        page.get_by_text("The viewer has ended.").wait_for()


def test_a_lost_connection_is_announced_and_comes_back(
    viewer_: viewer.Viewer, open_page: OpenPage, settled: Settled
) -> None:
    scene = add_scene(viewer_)
    page = open_page("about:blank", errors=True)
    routes: list[WebSocketRoute] = []
    refused = False

    def route(socket: WebSocketRoute) -> None:
        if refused:
            socket.close()
        else:
            routes.append(socket)
            socket.connect_to_server()

    page.route_web_socket("**/ws", route)
    page.goto(viewer_.url)
    settled(page)
    refused = True
    routes[-1].close()
    page.get_by_text("Connection lost.").wait_for()
    # The view stays usable, and what is done meanwhile is not lost.
    page.mouse.move(*middle(page, "xy"))
    before = list(scene.v.view.center)
    page.mouse.wheel(0, 100)
    eventually(lambda: document(page, ".view.center") != before)
    meanwhile = document(page, ".view.center")
    assert list(scene.v.view.center) == before
    scene.image.gamma = 2.0
    refused = False
    # The page tries by itself, too: by now the button may have gone.
    page.evaluate("document.querySelector('.banner button')?.click()")
    page.locator(".connection.open").wait_for()
    eventually(lambda: page.evaluate("window.voxelview.document().layers.l1.style.gamma === 2"))

    def arrived() -> bool:
        page.wait_for_timeout(20)  # the messages pass through this process
        return list(scene.v.view.center) == meanwhile

    eventually(arrived)
    page.locator(".banner").wait_for(state="detached")


PROGRAM = """
import time, numpy, viewer
v = viewer.Viewer()
v.add_image(numpy.ones((8, 8, 8)))
print(v.url, flush=True)
time.sleep(60)
"""


def test_a_crashed_python_is_a_lost_connection(open_page: OpenPage) -> None:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        page = open_page(process.stdout.readline().strip(), errors=True)
        page.locator(".connection.open").wait_for()
        process.send_signal(signal.SIGKILL)
        page.get_by_text("Connection lost.").wait_for()
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_without_webgl2_the_page_says_what_to_do(
    viewer_: viewer.Viewer, open_page: OpenPage
) -> None:
    add_scene(viewer_)
    page = open_page("about:blank")
    page.add_init_script(
        """const real = HTMLCanvasElement.prototype.getContext;
           HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
             return kind === "webgl2" ? null : real.call(this, kind, ...rest);
           };"""
    )
    page.goto(viewer_.url)
    page.get_by_text("This browser offers no WebGL 2").wait_for()
    page.get_by_text("hardware acceleration").wait_for()
    page.get_by_label("Hide ramps").click()  # the rest of the page works


def test_a_page_of_another_version_loads_itself_anew_once(
    viewer_: viewer.Viewer, open_page: OpenPage
) -> None:
    add_scene(viewer_)
    page = open_page("about:blank", errors=True)
    loads: list[str] = []
    page.on("load", lambda: loads.append(page.url))

    def route(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def forward(message: str | bytes) -> None:
            content = json.loads(message)
            if content["type"] == "hello":
                content["protocol"] += 1
            socket.send(json.dumps(content))

        server.on_message(forward)

    page.route_web_socket("**/ws", route)
    page.goto(viewer_.url)
    page.get_by_text("This page and the viewer don't fit together").wait_for()
    assert len(loads) == 2


def test_errors_of_the_data_pop_up_and_are_kept(
    viewer_: viewer.Viewer, open_page: OpenPage
) -> None:
    data = Flaky()
    layer = viewer_.add_image(data, name="scan")
    page = open_page(viewer_, errors=True)
    page.locator(".connection.open").wait_for()
    data.broken = True
    with suppress(SourceError):
        layer.refresh()
    words = page.locator(".toast, .panel-failure", has_text="the disk /data is gone")
    words.first.wait_for()
    page.keyboard.press("n")
    page.locator(".notice-list", has_text="the disk /data is gone").wait_for()
    page.keyboard.press("Escape")
    page.locator(".notice-list").wait_for(state="detached")


class Stuck(Flaky):
    """An array that, while it is broken, waits."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def __getitem__(self, key: Any) -> Any:
        if self.broken:
            self.released.wait(30)
        return self.array[key]


def test_nothing_is_loading_any_more_when_the_viewer_has_ended(
    viewer_: viewer.Viewer, open_page: OpenPage
) -> None:
    data = Stuck()
    viewer_.add_image(data, name="scan")
    data.broken = True
    page = open_page(viewer_, errors=True)
    loading = page.locator(".work, .panel-progress").first
    try:
        loading.wait_for()
        viewer.stop()
        page.get_by_text("The viewer has ended.").wait_for()
        loading.wait_for(state="detached")
    finally:
        data.released.set()


def test_the_interface_waits_for_the_first_picture_but_not_for_long(
    viewer_: viewer.Viewer, open_page: OpenPage
) -> None:
    data = Stuck()
    viewer_.add_image(data, name="scan")
    data.broken = True
    page = open_page("about:blank")
    page.add_init_script(
        """new MutationObserver(() => {
          window.wasHidden ||= document.documentElement.dataset.opening !== undefined;
        }).observe(document, { attributes: true, subtree: true });"""
    )
    try:
        page.goto(viewer_.url)
        page.locator(".layer-name", has_text="scan").wait_for()
        assert page.evaluate("[window.wasHidden, window.voxelview.status().settled]") == [
            True,
            False,
        ]
    finally:
        data.released.set()
