"""Who was given an address for looking only looks around for himself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.browser.scene import add_scene, document, eventually, middle

if TYPE_CHECKING:
    from playwright.sync_api import Page

    import viewer

OpenPage = Callable[..., "Page"]
Settled = Callable[..., None]


def test_guests_scroll_and_zoom_for_themselves(
    viewer_: viewer.Viewer, open_page: OpenPage, settled: Settled
) -> None:
    scene = add_scene(viewer_)
    page = open_page(viewer_.share().url)
    settled(page)
    before, shown = scene.v.document.version, document(page)
    mark = page.locator(".view-only")
    assert mark.inner_text().strip() == "View only"

    page.mouse.move(*middle(page, "xy"))
    page.mouse.wheel(0, 240)
    eventually(lambda: document(page)["view"]["center"] != shown["view"]["center"])
    page.keyboard.press("v")  # hides the active layer
    active = shown["active"]
    eventually(lambda: not document(page)["layers"][active]["visible"])
    settled(page)
    assert scene.v.document.version == before

    scene.v.title = "followed"
    scene.v.view.zoom = 3.0
    eventually(lambda: document(page)["view"]["zoom"] == 3.0)
    assert not document(page)["layers"][active]["visible"]

    mark.get_by_role("button", name="Follow").click()
    eventually(lambda: document(page)["view"]["center"] == shown["view"]["center"])
    assert document(page)["layers"][active]["visible"]
    assert mark.inner_text().strip() == "View only"


def test_guests_pages_are_sessions_and_show_what_python_set(
    viewer_: viewer.Viewer, open_page: OpenPage, settled: Settled
) -> None:
    scene = add_scene(viewer_)
    page = open_page(viewer_.share().url)
    settled(page)
    eventually(lambda: len(viewer_.sessions) == 1, 30)
    (session,) = viewer_.sessions.values()
    assert session.shared and session.read_only
    before = session.screenshot(overlays=False)
    page.keyboard.press("v")  # for himself alone
    active = document(page)["active"]
    eventually(lambda: not document(page)["layers"][active]["visible"])
    assert (session.screenshot(overlays=False) == before).all()
    scene.v.view.center = (0, 0, 0)
    assert (session.screenshot(overlays=False) != before).any()


def test_others_see_no_such_mark(
    viewer_: viewer.Viewer, open_page: OpenPage, settled: Settled
) -> None:
    add_scene(viewer_)
    page = open_page(viewer_.share(read_only=False).url)
    settled(page)
    assert page.locator(".view-only").count() == 0
