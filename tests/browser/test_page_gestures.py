"""The pointer and the keys on the picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.browser.scene import LABEL, Scene, add_scene, document, eventually, middle

if TYPE_CHECKING:
    from playwright.sync_api import Page

    import viewer

Center = tuple[float, float, float]


@pytest.fixture
def scene(viewer_: viewer.Viewer) -> Scene:
    return add_scene(viewer_)


@pytest.fixture
def page(scene: Scene, open_page: Callable[..., Page], settled: Callable[..., None]) -> Page:
    opened = open_page(scene.v)
    settled(opened)
    return opened


def center(scene: Scene) -> Center:
    return scene.v.view.center


def drag(page: Page, start: tuple[float, float], by: tuple[float, float], button: str) -> None:
    page.mouse.move(*start)
    page.mouse.down(button=button)  # type: ignore[arg-type]
    page.mouse.move(start[0] + by[0], start[1] + by[1], steps=5)
    page.mouse.up(button=button)  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "axis", "step"), [("xy", 0, 4.0), ("xz", 1, 2.0), ("yz", 2, 2.0)])
def test_the_wheel_goes_through_the_slices(
    page: Page, scene: Scene, kind: str, axis: int, step: float
) -> None:
    before = center(scene)
    page.mouse.move(*middle(page, kind))
    page.mouse.wheel(0, 100)
    eventually(lambda: center(scene)[axis] == before[axis] + step)
    page.keyboard.down("Shift")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Shift")
    eventually(lambda: center(scene)[axis] == before[axis] - 9 * step)


def test_slices_end_where_the_data_ends(page: Page, scene: Scene) -> None:
    page.mouse.move(*middle(page, "xy"))
    for _ in range(5):
        page.keyboard.press(">")
    eventually(lambda: center(scene)[0] == 23 * 4.0)


def test_control_wheel_zooms_at_the_pointer(page: Page, scene: Scene) -> None:
    x, y = middle(page, "xy")
    page.mouse.move(x + 60, y + 40)
    values = page.locator(".world").inner_text()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -150)
    page.keyboard.up("Control")
    eventually(lambda: scene.v.view.zoom is not None)
    page.wait_for_timeout(100)
    assert page.locator(".world").inner_text() == values


def test_a_drag_pans_a_slice_and_turns_the_volume(page: Page, scene: Scene) -> None:
    before = center(scene)
    drag(page, middle(page, "xy"), (30, -20), "left")
    eventually(lambda: center(scene)[2] < before[2] and center(scene)[1] > before[1])
    assert center(scene)[0] == before[0]
    drag(page, middle(page, "3d"), (50, 30), "left")
    turned = tuple(document(page, ".view.camera.orientation"))
    assert turned != (0, 0, 0, 1)
    eventually(lambda: scene.v.view.camera.orientation == turned)
    moved = center(scene)
    page.keyboard.down("Shift")
    drag(page, middle(page, "3d"), (40, 0), "left")
    page.keyboard.up("Shift")
    eventually(lambda: center(scene) != moved)
    assert scene.v.view.camera.orientation == turned


def test_the_wheel_zooms_the_volume(page: Page, scene: Scene) -> None:
    page.mouse.move(*middle(page, "3d"))
    page.mouse.wheel(0, -100)
    eventually(lambda: scene.v.view.camera.zoom is not None)


def test_a_right_drag_changes_the_contrast_of_the_image(page: Page, scene: Scene) -> None:
    low, high = scene.image.contrast_limits
    drag(page, middle(page, "xy"), (80, 0), "right")
    eventually(lambda: np.diff(scene.image.contrast_limits)[0] > 1.2 * (high - low))
    page.keyboard.press("c")
    eventually(
        lambda: np.allclose(scene.image.contrast_limits, (low, high), atol=0.02 * (high - low))
    )


def test_a_click_moves_the_crosshair(page: Page, scene: Scene) -> None:
    x, y = middle(page, "xy")
    page.mouse.click(x + 40, y)
    before = center(scene)
    eventually(lambda: center(scene)[2] > before[2] + 1)
    assert center(scene)[:2] == pytest.approx(before[:2], abs=0.3)  # half a pixel


def test_a_double_click_selects_the_label_and_its_mesh_is_shown(
    page: Page, scene: Scene, settled: Callable[..., None]
) -> None:
    before = center(scene)
    page.mouse.dblclick(*middle(page, "xy"))
    eventually(lambda: set(scene.cells.selected) == {LABEL})
    settled(page)
    meshes = page.evaluate("window.voxelview.status().meshes")
    assert [(mesh["label"], mesh["state"]) for mesh in meshes] == [(str(LABEL), "ready")]
    page.wait_for_timeout(400)
    assert center(scene) == before, "the first click of two must not move the crosshair"
    page.mouse.dblclick(*middle(page, "xy"))
    eventually(lambda: not set(scene.cells.selected))


def test_a_double_click_on_a_mesh_takes_its_label_out(
    page: Page, scene: Scene, settled: Callable[..., None]
) -> None:
    scene.cells.selected = {LABEL}
    scene.v.view.slices_in_3d = False
    eventually(lambda: page.evaluate("window.voxelview.status().meshes.length === 1"))
    settled(page)
    page.mouse.dblclick(*middle(page, "3d"))
    eventually(lambda: not set(scene.cells.selected))


def test_the_status_bar_reads_what_is_under_the_pointer(page: Page, scene: Scene) -> None:
    page.mouse.move(*middle(page, "xy"))
    z, y, x = (round(c / s) for c, s in zip(center(scene), (4.0, 2.0, 2.0), strict=True))
    page.locator("[data-value=l2] output").wait_for()
    assert page.locator(".voxel").inner_text() == f"[{z}, {y}, {x}]"
    assert page.locator("[data-value=l2] output").inner_text() == str(LABEL)
    assert page.locator("[data-value=l1] output").inner_text() == str(z * 100 + y * 10 + x)


def test_space_maximises_the_panel_under_the_pointer(page: Page, scene: Scene) -> None:
    page.mouse.move(*middle(page, "yz"))
    page.keyboard.press(" ")
    eventually(lambda: scene.v.view.layout == "yz")
    page.keyboard.press(" ")
    eventually(lambda: scene.v.view.layout == "4panel")


def test_dividers_are_dragged_and_reset(page: Page, scene: Scene) -> None:
    box = page.locator(".divider.vertical").bounding_box()
    assert box is not None
    start = (box["x"] + box["width"] / 2, box["y"] + 40)
    drag(page, start, (-120, 0), "left")
    eventually(lambda: scene.v.view.split[0] < 0.45)
    page.locator(".divider.vertical").dblclick(position={"x": 4, "y": 40})
    eventually(lambda: scene.v.view.split == (0.5, 0.5))


def test_keys_choose_and_hide_layers(page: Page, scene: Scene) -> None:
    page.keyboard.press("1")
    eventually(lambda: page.evaluate("window.voxelview.document().active === 'l1'"))
    page.keyboard.press("v")
    eventually(lambda: scene.image.visible is False)
    page.keyboard.press("1")
    eventually(lambda: scene.image.visible is True)


def test_keys_that_browsers_own_do_nothing(page: Page, scene: Scene) -> None:
    before = document(page)
    for key in ("Control+c", "Control+v", "Meta+1", "Control+f"):
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    assert document(page) == before


def test_everything_of_a_slice_works_without_a_pointer(page: Page, scene: Scene) -> None:
    page.mouse.move(5, 5)
    before = center(scene)
    page.keyboard.press(".")
    eventually(lambda: center(scene)[0] == before[0] + 4)
    page.keyboard.press("ArrowRight")
    eventually(lambda: center(scene)[2] > before[2])
    page.keyboard.press("+")
    eventually(lambda: scene.v.view.zoom is not None)
    page.keyboard.press("f")
    eventually(lambda: scene.v.view.zoom is None)
    page.keyboard.press("Enter")
    eventually(lambda: set(scene.cells.selected) == {LABEL})


def test_two_fingers_zoom(
    scene: Scene, open_page: Callable[..., Page], settled: Callable[..., None]
) -> None:
    page = open_page(scene.v, has_touch=True)
    settled(page)
    x, y = middle(page, "xy")
    client = page.context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[int, float]) -> None:
        points = [{"x": x + place, "y": y, "id": finger} for finger, place in places]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (0, -30), (1, 30))
    for spread in (40, 50, 60):
        touch("touchMove", (0, -spread), (1, spread))
    eventually(lambda: scene.v.view.zoom is not None)
    settled(page)
    zoom, center = scene.v.view.zoom, scene.v.view.center
    touch("touchEnd", (1, 60))
    for place in (-50, -40):  # the other goes on, and drags
        touch("touchMove", (0, place))
    touch("touchEnd")
    eventually(lambda: scene.v.view.center != center)
    assert scene.v.view.zoom == zoom
