"""Pictures without a page: a browser that is started for them, and ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import viewer
from tests.browser.scene import add_scene, eventually
from tests.browser.states import States
from viewer.pictures.browser import Browser


@pytest.fixture(autouse=True)
def _client(client: Path) -> None:
    """The client is built."""


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Browser]:
    """The browsers that were started."""
    browsers: list[Browser] = []

    def start(*arguments: object, **options: object) -> Browser:
        browsers.append(Browser(*arguments, **options))  # type: ignore[arg-type]
        return browsers[-1]

    monkeypatch.setattr("viewer.pictures.browser.Browser", start)
    return browsers


def test_a_viewer_with_a_page_that_nobody_sees() -> None:
    with viewer.headless(size=(640, 480)) as v:
        (session,) = v.sessions.values()
        assert session.headless and not session.visible and session.size == (640, 480)
        states = States(v, 0.02)
        for _ in range(3):
            states.change()
            assert states.take() == 0
        v.view.layout = "4panel"
        assert v.screenshot().shape == (480, 640, 4)
    viewer.stop()


def test_a_page_may_be_smaller_than_any_window() -> None:
    with viewer.headless(size=(64, 49)) as v:
        (session,) = v.sessions.values()
        assert session.size == (64, 49)
        assert v.screenshot().shape == (49, 64, 4)
    viewer.stop()


def test_without_a_page_one_is_opened_and_closed(
    viewer_: viewer.Viewer, started: list[Browser]
) -> None:
    add_scene(viewer_)
    picture = viewer_.screenshot(size=(320, 240))
    assert picture.shape == (240, 320, 4)
    assert [browser.running for browser in started] == [False]
    assert not Path(started[0]._folder).exists()
    eventually(lambda: len(viewer_.sessions) == 0)


def test_the_browser_ends_with_the_viewer(started: list[Browser]) -> None:
    v = viewer.headless(size=(100, 100))
    assert started[0].running
    viewer.stop()
    assert not started[0].running
    assert v.closed


@pytest.mark.skipif(sys.platform == "win32", reason="no pipe holds Chromium there")
def test_the_browser_ends_with_a_killed_process(tmp_path: Path) -> None:
    script = (
        "import os, viewer\n"
        "v = viewer.headless(size=(100, 100))\n"
        "print(v._headless._browser._process.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    pid = int(done.stdout)

    def is_gone() -> bool:
        stat = Path(f"/proc/{pid}/stat")
        return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"

    if Path("/proc").exists():
        eventually(is_gone, 20)
