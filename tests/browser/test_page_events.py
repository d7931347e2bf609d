"""What people do on the page is told to Python, and Python's actions are offered there."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.scene import LABEL, Scene, add_scene, document, eventually, middle

if TYPE_CHECKING:
    from playwright.sync_api import Page

    import viewer

SECONDS = 20


@pytest.fixture
def scene(viewer_: viewer.Viewer) -> Scene:
    return add_scene(viewer_)


@pytest.fixture
def page(scene: Scene, open_page: Callable[..., Page], settled: Callable[..., None]) -> Page:
    opened = open_page(scene.v)
    settled(opened)
    return opened


@pytest.fixture
def heard() -> queue.Queue[Any]:
    return queue.Queue()


def test_a_click_reaches_python_with_what_is_there(
    page: Page, scene: Scene, heard: queue.Queue[Any]
) -> None:
    scene.v.events.click.connect(heard.put)
    eventually(lambda: document(page, ".listening.length") == 1)
    x, y = middle(page, "xy")
    page.keyboard.down("Shift")
    page.mouse.click(x, y)
    page.keyboard.up("Shift")
    event = heard.get(timeout=SECONDS)
    assert (event.panel, event.button, event.clicks) == ("xy", "left", 1)
    assert event.modifiers == {"Shift"}
    assert (event.layer, event.label, event.value) == (scene.cells, LABEL, LABEL)
    assert scene.cells.data[event.index] == LABEL
    page.mouse.click(x + 60, y, button="right")
    assert heard.get(timeout=SECONDS).button == "right"
    page.mouse.dblclick(x + 20, y)  # apart from the first click
    assert [heard.get(timeout=SECONDS).clicks for _ in range(2)] == [1, 2]
    eventually(lambda: LABEL in scene.cells.selected)


def test_a_drag_is_no_click(page: Page, scene: Scene, heard: queue.Queue[Any]) -> None:
    scene.v.events.click.connect(heard.put)
    eventually(lambda: document(page, ".listening.length") == 1)
    x, y = middle(page, "xy")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 50, y, steps=3)
    page.mouse.up()
    page.mouse.click(x, y)
    assert heard.get(timeout=SECONDS).position is not None
    assert heard.empty()


def test_the_pointer_is_followed(page: Page, scene: Scene, heard: queue.Queue[Any]) -> None:
    scene.cells.visible = False
    scene.v.events.hover.connect(heard.put)
    eventually(lambda: document(page, ".listening.length") == 1)
    x, y = middle(page, "xz")
    page.mouse.move(x, y)
    event = heard.get(timeout=SECONDS)
    while event.panel != "xz" or event.value is None:
        event = heard.get(timeout=SECONDS)
    assert event.layer is scene.image
    assert event.value == scene.image.data[event.index]
    page.mouse.move(5, 5)  # the tool bar
    while event.panel is not None:
        event = heard.get(timeout=SECONDS)
    assert event.layer is None


def test_keys_reach_python(page: Page, scene: Scene, heard: queue.Queue[Any]) -> None:
    scene.v.events.key.connect(heard.put)
    eventually(lambda: document(page, ".listening.length") == 1)
    for key in ("q", "Shift+Q", "Shift+PageUp", "."):
        page.keyboard.press(key)
    keys = [heard.get(timeout=SECONDS).key for _ in range(4)]
    assert keys == ["q", "Shift+q", "Shift+PageUp", "."]


def test_a_key_does_an_action_of_pythons(page: Page, scene: Scene, heard: queue.Queue[Any]) -> None:
    scene.v.bind_key("k", heard.put)
    eventually(lambda: document(page, ".actions.a1?.key") == "k")
    page.mouse.move(*middle(page, "xy"))
    page.keyboard.press("k")
    assert heard.get(timeout=SECONDS).label == LABEL


def test_the_palette_and_the_layers_menu_offer_actions(
    page: Page, scene: Scene, heard: queue.Queue[Any]
) -> None:
    action = scene.v.add_action("Measure the cells", heard.put, key="K", layer=scene.cells)
    page.get_by_label("Actions for cells").click()
    entry = page.get_by_role("menuitem", name="Measure the cells")
    assert entry.locator("kbd").inner_text() == "Shift K"
    entry.click()
    assert heard.get(timeout=SECONDS).target is scene.cells
    assert page.get_by_label("Actions for ramps").count() == 0
    page.keyboard.press("h")
    page.keyboard.type("measure")
    page.keyboard.press("Enter")
    assert heard.get(timeout=SECONDS).action == "Measure the cells"
    action.remove()
    page.get_by_label("Actions for cells").wait_for(state="detached")


def test_an_error_of_a_callback_is_shown(page: Page, scene: Scene) -> None:
    def broken() -> None:
        raise KeyError("cell 9")

    scene.v.add_action("Break", broken, key="k")
    eventually(lambda: document(page, ".actions.a1?.key") == "k")
    page.keyboard.press("k")
    page.locator(".toast", has_text="broken: KeyError: 'cell 9'").wait_for()


def test_undo_takes_back_what_was_done_here_or_in_python(page: Page, scene: Scene) -> None:
    page.get_by_label("Hide ramps").click()
    eventually(lambda: scene.image.visible is False)
    scene.image.gamma = 2
    eventually(lambda: document(page, ".layers.l1.style.gamma") == 2)
    page.keyboard.press("Control+z")
    page.locator(".remark", has_text="Undone: gamma of 'ramps'").wait_for()
    assert scene.image.gamma == 1.0
    page.keyboard.press("Control+z")
    eventually(lambda: scene.image.visible is True)
    page.keyboard.press("Control+Shift+z")
    page.locator(".remark", has_text="Done again: visible of 'ramps'").wait_for()
    assert scene.image.visible is False
