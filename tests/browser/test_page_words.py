"""What the page says in words about its picture: all that matters can be read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import viewer
from tests.browser.scene import add_scene, eventually
from tests.browser.test_page_sizes import Fragile
from viewer.policy import Policy

if TYPE_CHECKING:
    from playwright.sync_api import Page

OpenPage = Callable[..., "Page"]

IS_WHOLE = "(words) => words.every((word) => word.scrollHeight <= word.clientHeight + 1)"
"""Whether no line of these is cut off."""


@pytest.mark.parametrize("size", [(480, 640), (1000, 700)])
def test_the_reason_of_a_failure_is_read_without_pointing(
    viewer_: viewer.Viewer, open_page: OpenPage, size: tuple[int, int]
) -> None:
    data = Fragile()
    viewer_.add_image(data, name="plate 7")
    data.broken = True
    page = open_page(viewer_, size, errors=True)
    message = page.locator("[data-panel='xy'] .failure-message")
    message.wait_for()
    assert message.inner_text().startswith("plate 7: OSError: [Errno 5] Input/output error")
    assert "plate 7/stack.h5" in message.inner_text()
    assert page.locator("[data-panel='xy'] .failure-message").evaluate_all(IS_WHOLE)
    page.locator("[data-panel='xy'] .panel-failure").hover()
    page.get_by_text("Reading the array").first.wait_for()


def test_a_mesh_that_is_too_coarse_says_so_in_its_panel(
    viewer_: viewer.Viewer, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viewer.meshing.making.POLICY", Policy(mesh_faces=15_000))
    z, y, x = np.indices((80, 80, 80)) - 40
    ball = (z**2 + y**2 + x**2 < 35**2).astype(np.uint16) * 7
    ball[:8, :8, :8] = 9
    balls = viewer_.add_labels(ball, name="balls", selected=[7, 9])
    viewer_.view.camera.zoom = 8.0  # near enough for the finest level
    page = open_page(viewer_)
    note = page.locator("[data-panel='3d'] .panel-note")
    note.wait_for()
    assert "Label 7 is too large to be shown finer" in note.inner_text()
    row = page.locator(".label-row[data-label='7'] [data-note]")
    assert "too large" in (row.get_attribute("title") or "")
    assert page.locator(".label-row[data-label='9'] [data-note]").count() == 0
    balls.selected = [9]
    note.wait_for(state="detached")


def test_what_ran_for_a_removed_layer_leaves_the_status_bar(
    viewer_: viewer.Viewer, open_page: OpenPage
) -> None:
    layer = add_scene(viewer_).image
    page = open_page(viewer_)
    page.locator(".connection.open").wait_for()
    told = threading.Event()

    def work() -> None:
        with layer._telling(False) as tell:
            tell("counting stars", 0.5)
            told.set()
            removed.wait(60)
            tell("counting stars", 0.6)

    removed = threading.Event()
    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert told.wait(60)
        task = page.locator(".work", has_text="counting stars")
        task.wait_for()
        viewer_.layers.remove(layer)
        task.wait_for(state="detached")
    finally:
        removed.set()
        thread.join(60)


def test_the_palette_copies_the_sessions_id(viewer_: viewer.Viewer, open_page: OpenPage) -> None:
    add_scene(viewer_)
    page = open_page(viewer_)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(".session").wait_for()
    page.keyboard.press("h")
    page.locator(".palette input").fill("session id")
    page.keyboard.press("Enter")
    page.locator(".session", has_text="copied").wait_for()
    (session,) = viewer_.sessions
    copied: list[Any] = []

    def is_copied() -> bool:
        copied.append(page.evaluate("navigator.clipboard.readText()"))
        return bool(copied[-1] == session)

    eventually(is_copied, 30)
