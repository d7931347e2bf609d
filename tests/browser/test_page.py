"""One document for Python and every page: what one does, the others show."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.browser.picture import rest
from tests.browser.scene import Scene, add_scene, document, eventually, middle

if TYPE_CHECKING:
    from playwright.sync_api import Page

    import viewer

OpenPage = Callable[..., "Page"]
Settled = Callable[..., None]


@pytest.fixture
def scene(viewer_: viewer.Viewer) -> Scene:
    return add_scene(viewer_)


def test_the_page_shows_the_four_panels_and_the_layers(
    scene: Scene, open_page: OpenPage, settled: Settled
) -> None:
    page = open_page(scene.v)
    settled(page)
    kinds = page.locator("[data-panel]").evaluate_all("all => all.map(e => e.dataset.panel)")
    assert sorted(kinds) == ["3d", "xy", "xz", "yz"]
    assert page.locator(".layer-name").all_inner_texts() == ["cells", "ramps"]


def test_the_tab_has_the_viewers_title(viewer_: viewer.Viewer, open_page: OpenPage) -> None:
    viewer_.title = "Retina 12"
    page = open_page(viewer_)
    eventually(lambda: page.evaluate("document.title === 'Retina 12'"))


def test_what_python_sets_shows_at_once(
    scene: Scene, open_page: OpenPage, settled: Settled
) -> None:
    page = open_page(scene.v)
    settled(page)
    page.evaluate(
        """void (window.changed = new Promise((resolve) => {
             const poll = () => window.voxelview.document().layers.l1.style.colormap === "magma"
               ? resolve(performance.timeOrigin + performance.now())
               : requestAnimationFrame(poll);
             poll();
           }))"""
    )
    begin = time.time()
    scene.image.colormap = "magma"
    late = page.evaluate("window.changed") / 1000 - begin
    # A frame is 17 ms; software rendering on a busy machine needs some more.
    assert late < 0.25, f"the page showed it after {late * 1000:.0f} ms"
    page.locator(".layer[data-layer=l1]").click()
    assert page.locator(".colormap-name").inner_text() == "magma"


def test_what_the_page_changes_is_read_in_python(
    scene: Scene, open_page: OpenPage, settled: Settled
) -> None:
    page = open_page(scene.v)
    settled(page)
    page.get_by_label("Hide ramps").click()
    eventually(lambda: scene.image.visible is False)
    page.locator("[data-panel='xy'] .number").fill("3")
    page.keyboard.press("Enter")
    eventually(lambda: scene.v.view.center[0] == 3 * 4.0)


def test_two_pages_agree(scene: Scene, open_page: OpenPage, settled: Settled) -> None:
    first, second = open_page(scene.v), open_page(scene.v)
    settled(first)
    settled(second)
    first.get_by_role("radio", name="xz").click()
    eventually(lambda: second.evaluate("window.voxelview.document().view.layout === 'xz'"))
    second.mouse.move(*middle(second, "xz"))
    second.mouse.wheel(0, 100)
    index = document(second, ".view.center[1]")
    eventually(
        lambda: first.evaluate("y => window.voxelview.document().view.center[1] === y", index)
    )
    assert scene.v.view.center[1] == index


def test_a_reload_keeps_everything(scene: Scene, open_page: OpenPage, settled: Settled) -> None:
    page = open_page(scene.v)
    settled(page)
    page.get_by_role("radio", name="yz").click()
    page.mouse.move(*middle(page, "yz"))
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    settled(page)
    before = document(page)
    page.reload()
    settled(page)
    assert document(page) == before


def test_layers_come_and_go(viewer_: viewer.Viewer, open_page: OpenPage, settled: Settled) -> None:
    page = open_page(viewer_)
    page.get_by_text("Nothing to look at yet").wait_for()
    layer = viewer_.add_image(np.ones((8, 8, 8)), name="late")
    page.locator(".layer-name", has_text="late").wait_for()
    settled(page)
    viewer_.layers.remove(layer)
    page.get_by_text("Nothing to look at yet").wait_for()


def test_an_edit_that_is_refused_is_taken_back_and_explained(
    scene: Scene, open_page: OpenPage, settled: Settled
) -> None:
    page = open_page(scene.v)
    settled(page)
    page.locator(".layer-name", has_text="ramps").dblclick()
    page.keyboard.type("cells")
    page.keyboard.press("Enter")
    page.locator(".toast", has_text="name of another layer").wait_for()
    assert document(page, ".layers.l1.name") == "ramps"
    page.locator(".toast").get_by_label("Dismiss").click()
    page.locator(".toast").wait_for(state="detached")


def test_a_page_at_rest_draws_nothing_and_asks_for_nothing(
    scene: Scene, open_page: OpenPage, settled: Settled
) -> None:
    page = open_page(scene.v)
    settled(page)
    before = rest(page)
    page.wait_for_timeout(3000)
    after = page.evaluate("window.voxelview.stats()")
    assert after["frames"] == before["frames"]
    assert after["requests"] == before["requests"]
