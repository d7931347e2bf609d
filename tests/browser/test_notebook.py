"""A viewer at the end of a cell, in a real JupyterLab."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.scene import eventually

if TYPE_CHECKING:
    from playwright.sync_api import Frame, Page

pytestmark = pytest.mark.timeout(240)

SETUP = """\
import numpy as np
import viewer
v = viewer.Viewer()
layer = v.add_image(np.indices((8, 16, 24)).sum(0).astype("u1"), name="ramp")
v
"""

RUN = """async () => {
  const { sessionContext } = window.jupyterapp.shell.currentWidget;
  await sessionContext.ready;
  await sessionContext.session.kernel.info;
  void window.jupyterapp.commands.execute("notebook:run-all-cells");
}"""

START_SECONDS = 60.0
"""A first start of JupyterLab and of a kernel, beside other tests, takes its time."""


@dataclass(frozen=True)
class Lab:
    """A notebook server under a path, as JupyterHub has them, and its folder."""

    url: str
    folder: Path

    def write(self, name: str, *cells: str) -> str:
        """Write a notebook; its address in JupyterLab."""
        notebook = {
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"cell{number}",
                    "source": source,
                    "metadata": {},
                    "outputs": [],
                    "execution_count": None,
                }
                for number, source in enumerate(cells)
            ],
            # without the language, JupyterLab asks which kernel is meant
            "metadata": {
                "kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        (self.folder / name).write_text(json.dumps(notebook))
        return f"{self.url}doc/workspaces/{Path(name).stem}/tree/{name}?token=key"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/user/ada/"
    own = {name: str(folder / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [
                sys.executable,
                *("-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"),
                *("--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
                *("--ServerApp.base_url=/user/ada/", "--IdentityProvider.token=key"),
                f"--ServerApp.root_dir={folder}",
                "--LabApp.news_url=",
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            ],
            env={**os.environ, **own},
            cwd=folder,
            stdout=log,
            stderr=log,
        )

    def answers() -> bool:
        assert server.poll() is None, (folder / "log").read_text()
        try:
            with urllib.request.urlopen(f"{url}api?token=key", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False

    try:
        eventually(answers, START_SECONDS)
        yield Lab(url, folder)
    finally:
        server.terminate()
        server.wait(30)


def run_all(page: Page, address: str) -> None:
    """Open a notebook and run its cells."""
    page.goto(address)
    page.wait_for_selector(".jp-Notebook .cm-content", timeout=START_SECONDS * 1000)
    page.evaluate(RUN)


def shown(page: Page) -> Frame:
    """The frame with our page, once it has reached its viewer."""
    patience = START_SECONDS * 1000
    page.frame_locator(".jp-OutputArea iframe").locator("canvas").first.wait_for(timeout=patience)
    frame = page.wait_for_selector(".jp-OutputArea iframe").content_frame()
    assert frame is not None
    eventually(lambda: frame.evaluate("window.voxelview.document() !== null"), START_SECONDS)
    return frame


def test_a_viewer_is_shown_below_its_cell(open_page: Callable[..., Page], lab: Lab) -> None:
    page = open_page("about:blank", errors=True)
    run_all(page, lab.write("near.ipynb", SETUP))
    frame = shown(page)
    assert frame.url.startswith("http://127.0.0.1:")
    assert "/user/ada/" not in frame.url
    assert frame.locator("text=ramp").first.is_visible()


def test_what_a_page_shows_is_kept_as_a_picture(open_page: Callable[..., Page], lab: Lab) -> None:
    page = open_page("about:blank", errors=True)
    run_all(page, lab.write("kept.ipynb", SETUP))
    picture = page.wait_for_selector(
        "img[id$='-picture']", state="attached", timeout=START_SECONDS * 1000
    )
    assert not picture.is_visible()  # as long as the page is there
    page.evaluate("document.querySelector('.jp-OutputArea iframe').parentElement.remove()")
    assert picture.is_visible()


def test_a_prefix_leads_through_the_notebook_server(
    open_page: Callable[..., Page], settled: Callable[..., None], lab: Lab
) -> None:
    page = open_page("about:blank", errors=True)
    prefix = "import viewer; viewer.set_server(url_prefix='/user/ada/proxy/{port}/')"
    run_all(page, lab.write("far.ipynb", prefix, SETUP))
    frame = shown(page)
    assert "/user/ada/proxy/" in frame.url
    settled(frame)
    assert frame.evaluate("window.voxelview.document().order.length") == 1


def test_a_viewer_that_has_ended_says_so(open_page: Callable[..., Page], lab: Lab) -> None:
    page = open_page("about:blank", errors=True)
    ended = SETUP.replace("\nv\n", "\nbundle = v._repr_mimebundle_(); viewer.stop()\n")
    show = "from IPython.display import display; display(bundle, raw=True)"
    run_all(page, lab.write("ended.ipynb", ended, show))
    page.wait_for_selector("text=This viewer has ended", timeout=START_SECONDS * 1000)
    assert page.locator(".jp-OutputArea iframe").count() == 0
    assert "/v/" in page.locator(".jp-OutputArea a").inner_text()
