"""Pictures for Python: right, whole, and of what was set before the call."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

import viewer
from tests.browser.picture import DARK, read, show
from tests.browser.scene import LABEL, add_scene, eventually
from tests.browser.states import Slow, States
from viewer.errors import ClosedError, DeadlineError, SourceError
from viewer.policy import MIB, POLICY

if TYPE_CHECKING:
    from playwright.sync_api import Page

OpenPage = Callable[..., "Page"]
Settled = Callable[..., None]


class Chunked:
    """A volume of chunks that is computed: of its coarse levels there are previews first."""

    dtype = np.dtype("u1")
    shape = (300, 300, 300)
    chunks = (64, 64, 64)

    def __getitem__(self, index: tuple[slice, ...]) -> np.ndarray:
        z, y, x = (np.arange(part.start, part.stop) for part in index)
        return (((z[:, None, None] // 3) ^ (y[:, None] // 5) ^ (x // 7)) % 120).astype(np.uint8)


@pytest.fixture
def attached(viewer_: viewer.Viewer, open_page: OpenPage) -> viewer.Viewer:
    """A viewer with a page of 900 × 600 that Python knows of."""
    open_page(viewer_, (900, 600))
    eventually(lambda: len(viewer_.sessions) == 1, 30)
    return viewer_


def test_the_page_is_a_session(attached: viewer.Viewer) -> None:
    (session,) = attached.sessions.values()
    assert session.size == (900, 600) and session.pixel_ratio == 1
    assert session.visible and not session.headless
    assert "Chrome" in session.user_agent


def test_the_page_shows_its_session(viewer_: viewer.Viewer, open_page: OpenPage) -> None:
    page = open_page(viewer_)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_label("Copy this page's session id").click()
    page.locator(".session", has_text="copied").wait_for()
    (session,) = viewer_.sessions
    assert page.evaluate("navigator.clipboard.readText()") == session
    page.close()
    eventually(lambda: len(viewer_.sessions) == 0)


def test_a_picture_is_what_the_page_shows(
    viewer_: viewer.Viewer, open_page: OpenPage, settled: Settled
) -> None:
    scene = add_scene(viewer_)
    scene.cells.selected = [LABEL]
    page = open_page(viewer_, (900, 600))
    settled(page)
    picture = viewer_.screenshot(overlays=False)
    show(page, viewer_)
    seen = read(page)
    assert picture.shape == (*seen.shape[:2], 4)
    assert (picture[..., 3] == 255).all()
    assert (np.abs(picture[..., :3].astype(int) - seen) > 1).mean() < 1e-3


def test_pictures_of_random_states_are_right(attached: viewer.Viewer) -> None:
    states = States(attached, 0.05)
    for _ in range(8):
        states.change()
        assert states.take() == 0


def test_a_callback_may_take_one(attached: viewer.Viewer) -> None:
    add_scene(attached)
    pictures: list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]] = []
    thread = threading.Thread(target=lambda: pictures.append(attached.screenshot()))
    thread.start()
    thread.join(30)
    assert len(pictures) == 1


def test_a_file_is_written_in_the_size_and_scale_wished(
    attached: viewer.Viewer, tmp_path: Path
) -> None:
    add_scene(attached)
    path = tmp_path / "figure.png"
    picture = attached.screenshot(path, size=(300, 200), scale=1.5)
    assert picture.shape == (300, 450, 4)
    with Image.open(path) as image:
        assert (np.array(image) == picture).all()


def test_one_panel_has_the_size_at_which_it_is_seen(attached: viewer.Viewer) -> None:
    add_scene(attached)
    attached.view.zoom = 3.0
    whole = attached.screenshot(overlays=False)
    panel = attached.screenshot(panel="xy", overlays=False)
    height, width = panel.shape[:2]
    assert (panel == whole[:height, :width]).mean() > 0.999
    assert 0.45 < width / whole.shape[1] < 0.55


def test_overlays_are_drawn_unless_not_wished(attached: viewer.Viewer) -> None:
    add_scene(attached)
    wish: dict[str, Any] = {"panel": "xy", "size": (400, 300)}
    with_them, without = (attached.screenshot(overlays=on, **wish) for on in (True, False))
    assert (with_them != without).any(-1).sum() > 500
    attached.view.axis_lines = attached.view.scale_bar = False
    fewer = attached.screenshot(**wish)
    assert 0 < (fewer != without).any(-1).sum() < (with_them != without).any(-1).sum()


@pytest.mark.parametrize("panel", ["xy", "3d"])
def test_the_background_may_be_clear(attached: viewer.Viewer, panel: Any) -> None:
    attached.add_image(np.full((8, 8, 8), 200, np.uint8), contrast_limits=(0, 255))
    attached.view.center = (4, 3.5, 3.5)
    wish: dict[str, Any] = {"panel": panel, "size": (200, 200), "overlays": False}
    clear = attached.screenshot(background="transparent", **wish)
    assert (clear[0, 0] == 0).all()
    middle = clear[100, 100].astype(int)
    assert middle[3] >= 254 and (np.abs(middle[:3] - 200) <= 2).all()
    red = attached.screenshot(background="red", **wish)
    assert (red[0, 0] == (255, 0, 0, 255)).all()
    plain = attached.screenshot(**wish)
    assert (plain[0, 0, :3] == DARK).all()


def test_what_was_missing_is_said(attached: viewer.Viewer) -> None:
    attached.add_image(Slow(np.ones((64, 64, 64), np.uint8), 3.0), name="far away")
    with pytest.raises(DeadlineError, match=r"brick.*'far away'"):
        attached.screenshot(timeout=0.7)


def test_a_picture_with_holes_is_none(attached: viewer.Viewer) -> None:
    disk = {"there": True}

    class Mortal(Slow):
        def __getitem__(self, index: Any) -> Any:
            if not disk["there"]:
                raise OSError("the disk is gone")
            return super().__getitem__(index)

    attached.add_image(Mortal(np.ones((8, 8, 8), np.uint8), 0))
    disk["there"] = False
    with pytest.raises(SourceError, match="the disk is gone"):
        attached.screenshot()


def test_no_picture_is_of_previews(
    attached: viewer.Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(POLICY, exact_bytes=MIB, exact_voxels=16 * MIB, prompt_view_bytes=8 * MIB)
    monkeypatch.setattr("viewer.pyramids.levels.POLICY", few)
    monkeypatch.setattr("viewer.pyramids.blocks.POLICY", replace(POLICY, sketch_view_bytes=2 * MIB))
    layer = attached.add_image(Chunked(), contrast_limits=(0, 120), interpolation="nearest")
    attached.view.layout, attached.view.zoom = "xy", 0.25
    first = attached.screenshot(overlays=False, timeout=60)
    assert layer.pyramid.generation > 0  # there were previews, which are exact now
    # The page itself may have got previews of other levels, which no picture waits for.
    eventually(lambda: not layer.pyramid.is_settling(range(9)), 60)
    np.testing.assert_array_equal(first, attached.screenshot(overlays=False, timeout=60))


def test_a_page_that_closes_meanwhile_is_told(viewer_: viewer.Viewer, open_page: OpenPage) -> None:
    viewer_.add_image(Slow(np.ones((64, 64, 64), np.uint8), 1.0), contrast_limits=(0, 1))
    page = open_page(viewer_)
    eventually(lambda: len(viewer_.sessions) == 1, 30)
    (session,) = viewer_.sessions.values()
    caught: list[BaseException] = []

    def take() -> None:
        try:
            session.screenshot()
        except ClosedError as error:
            caught.append(error)

    thread = threading.Thread(target=take)
    thread.start()
    page.wait_for_timeout(300)
    page.close()
    thread.join(30)
    assert len(caught) == 1


def test_no_layers_are_a_picture_too(attached: viewer.Viewer) -> None:
    picture = attached.screenshot(size=(100, 80))
    assert (picture[..., :3] == DARK).all()


def test_taking_one_leaves_the_page_as_it_is(
    viewer_: viewer.Viewer, open_page: OpenPage, settled: Settled
) -> None:
    add_scene(viewer_)
    page = open_page(viewer_)
    settled(page)
    before = read(page)
    viewer_.screenshot(size=(200, 100), scale=3, background="white")
    assert (read(page) == before).all()
