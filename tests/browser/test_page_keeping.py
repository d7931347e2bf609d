"""The page keeps views: as links that show them again, and as files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.browser.scene import LABEL, Scene, add_scene, document, eventually

if TYPE_CHECKING:
    from playwright.sync_api import Page

    import viewer

OpenPage = Callable[..., "Page"]


@pytest.fixture
def scene(viewer_: viewer.Viewer) -> Scene:
    scene = add_scene(viewer_)
    scene.cells.selected = {LABEL}
    scene.image.colormap = "magma"
    scene.v.view.zoom = 3
    return scene


def upset(scene: Scene) -> None:
    scene.cells.selected = ()
    scene.image.colormap = "gray"
    scene.v.view.zoom = None


def restored(scene: Scene) -> bool:
    return (set(scene.cells.selected), scene.image.colormap, scene.v.view.zoom) == (
        {LABEL},
        "magma",
        3.0,
    )


def do(page: Page, action: str) -> None:
    page.keyboard.press("h")
    page.keyboard.type(action)
    page.keyboard.press("Enter")


def test_a_link_shows_the_view_again(
    scene: Scene, open_page: OpenPage, settled: Callable[..., None]
) -> None:
    page = open_page(scene.v, permissions=["clipboard-read", "clipboard-write"])
    settled(page)
    page.get_by_role("button", name="Copy a link to this view").click()
    page.locator(".remark", has_text="Link copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(scene.v.url)
    upset(scene)
    other = open_page(link)
    eventually(lambda: restored(scene), 30)
    eventually(lambda: other.evaluate("location.hash") == "")
    settled(other)
    assert document(other, ".layers.l1.style.colormap") == "magma"


def test_a_file_shows_the_view_again(
    scene: Scene, open_page: OpenPage, settled: Callable[..., None], tmp_path: Path
) -> None:
    page = open_page(scene.v)
    settled(page)
    with page.expect_download() as download:
        do(page, "save this view")
    assert download.value.suggested_filename == "Voxelview.json"
    path = tmp_path / "view.json"
    download.value.save_as(path)
    assert json.loads(path.read_text("utf-8")) == json.loads(json.dumps(scene.v.to_dict()))
    upset(scene)
    with page.expect_file_chooser() as chooser:
        do(page, "load a view")
    chooser.value.set_files(path)
    page.locator(".remark", has_text="The view is restored").wait_for()
    assert restored(scene)
    path.write_text("no JSON")
    with page.expect_file_chooser() as chooser:
        do(page, "load a view")
    chooser.value.set_files(path)
    page.locator(".remark", has_text="view.json holds no saved view").wait_for()


def test_a_picture_is_saved_as_it_is_seen(
    scene: Scene, open_page: OpenPage, settled: Callable[..., None], tmp_path: Path
) -> None:
    scene.v.view.colorbar = True
    page = open_page(scene.v, (640, 480), pixel_ratio=2)
    settled(page)
    with page.expect_download() as download:
        do(page, "save a picture")
    assert download.value.suggested_filename == "Voxelview.png"
    download.value.save_as(tmp_path / "picture.png")
    saved = np.asarray(Image.open(tmp_path / "picture.png").convert("RGBA"))
    assert saved.shape == (2 * page.locator(".stage").bounding_box()["height"], 2 * 640, 4)
    assert (saved == scene.v.screenshot(scale=2)).all()
