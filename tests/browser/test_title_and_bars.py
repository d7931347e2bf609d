"""What stands beside the panels, on the page and in pictures: the title and the colour bars."""

from __future__ import annotations

import base64
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import viewer
from tests.browser.picture import DARK, show
from tests.browser.scene import Scene, add_scene, document, eventually
from viewer import colormaps

if TYPE_CHECKING:
    from playwright.sync_api import Page

OpenPage = Callable[..., "Page"]
Picture = NDArray[np.uint8]

TITLE = 32
"""CSS pixels of the title's line."""

BARS = 104
"""CSS pixels of the column of colour bars; the bars in it are at 12 to 24."""

READ_BARS = 'document.querySelector("canvas.colorbars").toDataURL().split(",")[1]'


@pytest.fixture
def scene(viewer_: viewer.Viewer, open_page: OpenPage) -> Scene:
    """A scene with one page of 900 × 400."""
    scene = add_scene(viewer_)
    open_page(viewer_, (900, 400))
    eventually(lambda: len(viewer_.sessions) == 1, 30)
    return scene


def color(name: str, entry: int) -> NDArray[np.uint8]:
    return np.frombuffer(bytes(colormaps.table(name)), np.uint8).reshape(256, 4)[entry, :3]


def runs(column: Picture, name: str) -> tuple[int, int]:
    """Where in a column of pixels the colour bar of a map begins and ends."""
    known = {tuple(color(name, entry)) for entry in range(256)}
    (rows,) = np.nonzero([tuple(pixel[:3]) in known for pixel in column])
    return int(rows[0]), int(rows[-1])


def choose(page: Page, words: str) -> None:
    """Do an action of the palette."""
    page.keyboard.press("h")
    page.locator(".palette input").fill(words)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("scale", [1.5, 2])
def test_a_bars_ends_have_the_ends_of_the_colour_map(scene: Scene, scale: float) -> None:
    scene.image.colormap = "viridis"
    scene.v.view.colorbar = True
    picture = scene.v.screenshot(size=(500, 400), scale=scale)
    column = picture[:, round((500 - BARS + 18) * scale)]
    top, bottom = runs(column, "viridis")
    assert bottom - top > 200 * scale
    near = int(2 * scale)
    assert (np.abs(column[top + near, :3].astype(int) - color("viridis", 254)) < 8).all()
    assert (np.abs(column[bottom - near, :3].astype(int) - color("viridis", 1)) < 8).all()


def test_a_bar_is_bent_by_gamma_as_the_picture_is(scene: Scene) -> None:
    scene.image.colormap, scene.image.gamma = "viridis", 3.0
    scene.v.view.colorbar = True
    column = scene.v.screenshot(size=(500, 400))[:, 500 - BARS + 18]
    top, bottom = runs(column, "viridis")
    middle = column[(top + bottom) // 2, :3].astype(int)
    assert (np.abs(middle - color("viridis", round(255 / 8))) < 6).all()


def test_bars_cover_nothing_of_the_picture(scene: Scene) -> None:
    scene.v.view.layout = "xy"
    narrow = scene.v.screenshot(size=(500 - BARS, 400))
    scene.v.view.colorbar = True
    beside = scene.v.screenshot(size=(500, 400))
    np.testing.assert_array_equal(beside[:, :-BARS], narrow)
    wide = scene.v.screenshot(size=(500, 400), overlays=False)
    assert wide.shape == beside.shape and (wide != beside).any()


def test_each_visible_image_has_a_bar_and_labels_have_none(
    viewer_: viewer.Viewer, open_page: OpenPage
) -> None:
    scene = add_scene(viewer_)
    other = viewer_.add_image(np.ones((4, 4, 4), np.float32), name="other")
    viewer_.view.colorbar = True
    page = open_page(viewer_)
    bars = page.locator("canvas.colorbars")
    bars.wait_for()
    assert bars.get_attribute("aria-label") == (
        f"Colour bars. other: {other.contrast_limits[0]:g} to {other.contrast_limits[1]:g}; "
        f"ramps: {scene.image.contrast_limits[0]:g} to {scene.image.contrast_limits[1]:g}"
    )
    other.visible = scene.image.visible = False
    bars.wait_for(state="detached")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_pictures_have_the_bars_of_the_page(
    viewer_: viewer.Viewer, open_page: OpenPage, theme: str
) -> None:
    scene = add_scene(viewer_)
    scene.image.colormap, viewer_.theme = "magma", theme
    viewer_.view.colorbar, viewer_.view.title = True, "Cells"
    page = open_page(viewer_)
    page.locator("canvas.colorbars").wait_for()
    show(page, viewer_)
    picture = viewer_.screenshot()[TITLE:, -BARS:, :3].astype(float)

    def read() -> NDArray[np.float64]:
        pixels = np.array(Image.open(BytesIO(base64.b64decode(page.evaluate(READ_BARS))))) / 255
        under = picture[-1, -1] / 255
        return 255 * (pixels[..., :3] * pixels[..., 3:] + under * (1 - pixels[..., 3:]))

    # The colour map comes on its own.
    eventually(lambda: (np.abs(read() - picture).max(-1) > 12).mean() < 0.01, 30)


def test_bars_stand_on_a_clear_background(scene: Scene) -> None:
    scene.v.view.colorbar = True
    picture = scene.v.screenshot(size=(500, 400), background="transparent")
    assert (picture[-1, -BARS:, 3] == 0).all()
    assert (picture[100, 500 - BARS + 14 : 500 - BARS + 22, 3] == 255).all()


def test_a_title_stands_above_the_picture(scene: Scene) -> None:
    wish: dict[str, Any] = {"size": (500, 400)}
    bare = scene.v.screenshot(overlays=False, **wish)
    scene.v.view.title = "Cells at 3 h"
    titled = scene.v.screenshot(**wish)
    inked = (titled[:TITLE, :, :3] != DARK).any(-1)
    assert 200 < inked.sum() < 4000
    rows, columns = np.nonzero(inked)
    assert abs((columns.min() + columns.max()) / 2 - 250) < 3
    assert rows.min() >= 4 and rows.max() < TITLE - 4
    np.testing.assert_array_equal(scene.v.screenshot(overlays=False, **wish), bare)
    scene.v.view.title = ""
    assert (scene.v.screenshot(**wish)[:8, 220:280] != titled[:8, 220:280]).any()


def test_the_title_is_written_on_the_page(viewer_: viewer.Viewer, open_page: OpenPage) -> None:
    add_scene(viewer_)
    page = open_page(viewer_)
    page.locator("[data-panel='xy']").wait_for()
    choose(page, "title above")
    page.get_by_label("Title above the picture").fill("Cells at 3 h")
    page.keyboard.press("Enter")
    eventually(lambda: viewer_.view.title == "Cells at 3 h", 30)
    heading = page.locator("h2.picture-title", has_text="Cells at 3 h")
    heading.wait_for()
    panel = page.locator("[data-panel='xy']").bounding_box()
    stage = page.locator(".stage").bounding_box()
    assert panel is not None and stage is not None
    assert panel["y"] == stage["y"] + TITLE
    heading.locator("button").click()
    page.get_by_label("Title above the picture").fill("something else")
    page.keyboard.press("Escape")
    heading.wait_for()
    assert viewer_.view.title == "Cells at 3 h"
    viewer_.view.title = ""
    heading.wait_for(state="detached")


def test_the_palette_shows_the_bars(viewer_: viewer.Viewer, open_page: OpenPage) -> None:
    add_scene(viewer_)
    page = open_page(viewer_)
    page.locator("[data-panel='xy']").wait_for()
    choose(page, "colour bars")
    eventually(lambda: viewer_.view.colorbar, 30)
    page.locator("canvas.colorbars").wait_for()


def test_dividers_are_dragged_beside_the_bars(viewer_: viewer.Viewer, open_page: OpenPage) -> None:
    add_scene(viewer_)
    viewer_.view.colorbar, viewer_.view.title = True, "Cells"
    page = open_page(viewer_)
    page.locator("canvas.colorbars").wait_for()
    stage = page.locator(".stage").bounding_box()
    box = page.get_by_label("Divider, top and bottom").bounding_box()
    assert stage is not None and box is not None
    x, y = box["x"] + 60, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, stage["y"] + TITLE + 0.25 * (stage["height"] - TITLE))
    page.mouse.up()
    eventually(lambda: abs(viewer_.view.split[1] - 0.25) < 0.01, 30)
    assert abs(document(page, ".view.split")[1] - 0.25) < 0.01


def test_a_small_picture_has_no_room_for_either(scene: Scene) -> None:
    wish: dict[str, Any] = {"size": (200, 120)}
    plain = scene.v.screenshot(**wish)
    scene.v.view.title, scene.v.view.colorbar = "Cells", True
    np.testing.assert_array_equal(scene.v.screenshot(**wish), plain)
