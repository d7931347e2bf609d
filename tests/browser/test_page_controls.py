"""The layer panel, the sliders and the palette."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.browser.scene import LABEL, Scene, add_scene, document, eventually

if TYPE_CHECKING:
    from playwright.sync_api import Page

    import viewer

OpenPage = Callable[..., "Page"]
Settled = Callable[..., None]


@pytest.fixture
def scene(viewer_: viewer.Viewer) -> Scene:
    return add_scene(viewer_)


@pytest.fixture
def page(scene: Scene, open_page: OpenPage, settled: Settled) -> Page:
    opened = open_page(scene.v)
    settled(opened)
    return opened


def activate(page: Page, layer: str) -> None:
    page.locator(f".layer[data-layer={layer}] .layer-name").click()
    eventually(lambda: page.evaluate(f"window.voxelview.document().active === '{layer}'"))


def test_layers_are_put_in_order_by_dragging(page: Page, scene: Scene) -> None:
    box = page.locator(".layer[data-layer=l1]").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 120, box["y"] + 18)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] - 30, steps=5)
    page.mouse.up()
    eventually(lambda: [layer.name for layer in scene.v.layers] == ["cells", "ramps"])


def test_layers_are_put_in_order_with_the_keyboard(page: Page, scene: Scene) -> None:
    page.locator(".layer[data-layer=l1] .layer-name").focus()
    page.keyboard.press("Alt+ArrowUp")
    eventually(lambda: [layer.name for layer in scene.v.layers] == ["cells", "ramps"])


def test_of_many_layers_the_chosen_one_and_its_controls_are_in_sight(
    viewer_: viewer.Viewer, open_page: OpenPage
) -> None:
    from playwright.sync_api import expect

    layers = [viewer_.add_image(np.zeros((2, 2, 2), "uint8"), name=str(n)) for n in range(30)]
    page = open_page(viewer_, (1000, 600))
    for layer in (layers[0], layers[29]):
        viewer_.active = layer
        for part in (f".layer.active[data-layer={layer.id}]", ".controls .colormap-button"):
            expect(page.locator(part)).to_be_in_viewport(timeout=30_000)


def test_a_layer_is_renamed_by_double_click(page: Page, scene: Scene) -> None:
    page.locator(".layer-name", has_text="ramps").dblclick()
    page.keyboard.type("hvh")  # letters that are keys elsewhere
    page.keyboard.press("Enter")
    eventually(lambda: scene.image.name == "hvh")
    assert page.locator(".palette").count() == 0


def test_a_layer_is_removed_after_asking(page: Page, scene: Scene) -> None:
    page.locator(".layer[data-layer=l2]").hover()
    page.get_by_label("Remove cells").click()
    assert len(scene.v.layers) == 2
    page.locator(".remove").click()
    eventually(lambda: [layer.name for layer in scene.v.layers] == ["ramps"])


def test_a_colour_map_is_found_by_typing(page: Page, scene: Scene) -> None:
    activate(page, "l1")
    page.locator(".colormap-button").click()
    page.get_by_role("option", name="viridis").wait_for()
    page.keyboard.type("twilight_s")
    page.keyboard.press("Enter")
    eventually(lambda: scene.image.colormap == "twilight_shifted")
    page.locator(".colormap-list").wait_for(state="detached")


def test_an_image_is_tinted_with_any_colour(page: Page, scene: Scene) -> None:
    activate(page, "l1")
    page.locator(".colormap-button").click()
    page.get_by_label("Tint magenta").click()
    eventually(lambda: scene.image.colormap == "magenta")
    page.get_by_label("Tint of any colour").fill("#12ab34")
    eventually(lambda: scene.image.colormap == "#12ab34")


def test_contrast_limits_are_dragged_typed_and_moved_by_keys(page: Page, scene: Scene) -> None:
    activate(page, "l1")
    low, high = scene.image.contrast_limits
    handle = page.get_by_role("slider", name="Upper contrast limit").bounding_box()
    assert handle is not None
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + 30
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y, steps=4)
    page.mouse.up()
    eventually(lambda: scene.image.contrast_limits[1] < high - 0.1 * (high - low))
    assert scene.image.contrast_limits[0] == low
    page.get_by_role("textbox", name="Lower contrast limit").fill("150")
    page.keyboard.press("Enter")
    eventually(lambda: scene.image.contrast_limits[0] == 150)
    page.get_by_role("slider", name="Lower contrast limit").focus()
    page.keyboard.press("ArrowRight")
    eventually(lambda: scene.image.contrast_limits[0] > 150)
    page.get_by_role("button", name="Auto").click()
    eventually(lambda: scene.image.contrast_limits[1] > 0.9 * high)


@pytest.mark.parametrize(
    ("label", "value", "attribute", "expected"),
    [
        ("Gamma, as a number", "0.5", "gamma", 0.5),
        ("Opacity, as a number", "0.25", "opacity", 0.25),
        ("Opacity, as a number", "7", "opacity", 1.0),
    ],
)
def test_numbers_of_an_image_are_typed(
    page: Page, scene: Scene, label: str, value: str, attribute: str, expected: float
) -> None:
    activate(page, "l1")
    page.get_by_label(label).fill(value)
    page.keyboard.press("Enter")
    eventually(lambda: document(page, f".layers.l1.style.{attribute}") == expected)
    eventually(lambda: getattr(scene.image, attribute) == expected)


def test_blending_and_interpolation_are_chosen(page: Page, scene: Scene) -> None:
    activate(page, "l1")
    page.get_by_label("Blending", exact=True).last.select_option("additive")
    eventually(lambda: scene.image.blending == "additive")
    page.get_by_role("radio", name="Nearest").click()
    eventually(lambda: scene.image.interpolation == "nearest")


def test_labels_are_listed_hidden_coloured_and_deselected(page: Page, scene: Scene) -> None:
    activate(page, "l2")
    page.get_by_placeholder("Add by id").fill(f"{LABEL}, 5")
    page.keyboard.press("Enter")
    eventually(lambda: set(scene.cells.selected) == {LABEL, 5})
    assert page.locator(".label-id").all_inner_texts() == [str(LABEL), "5"]
    page.get_by_label("Hide label 5").click()
    eventually(lambda: set(scene.cells.hidden) == {5})
    page.get_by_label("Colour of label 5").fill("#00ff80")
    eventually(lambda: dict(scene.cells.colors) == {5: "#00ff80"})
    page.get_by_label(f"Deselect label {LABEL}").click()
    eventually(lambda: set(scene.cells.selected) == {5})
    page.get_by_role("button", name="Deselect all").click()
    eventually(lambda: not set(scene.cells.selected))


def test_what_is_no_label_is_refused_in_the_field(page: Page, scene: Scene) -> None:
    activate(page, "l2")
    page.get_by_placeholder("Add by id").fill("twelve")
    page.keyboard.press("Enter")
    page.get_by_text("Labels are whole numbers other than 0.").wait_for()
    assert not set(scene.cells.selected)


def test_the_switches_of_labels(page: Page, scene: Scene) -> None:
    activate(page, "l2")
    page.get_by_label("Show only the selected labels").check()
    eventually(lambda: scene.cells.show_selected_only is True)
    page.get_by_label("Meshes of the selected labels in 3-D").uncheck()
    eventually(lambda: scene.cells.show_meshes is False)
    page.get_by_role("button", name="Shuffle").click()
    eventually(lambda: scene.cells.seed == 1)
    page.get_by_label("Outline, as a number").fill("3")
    page.keyboard.press("Enter")
    eventually(lambda: scene.cells.contour == 3)


def test_a_time_axis_has_a_slider_that_plays(
    viewer_: viewer.Viewer, open_page: OpenPage, settled: Settled
) -> None:
    movie = np.arange(6 * 4 * 16 * 16, dtype=np.uint16).reshape(6, 4, 16, 16)
    viewer_.add_image(movie, name="movie")
    page = open_page(viewer_)
    settled(page)
    assert page.locator(".axis-slider").get_attribute("data-axis") == "t"
    page.keyboard.press("]")
    eventually(lambda: viewer_.view.position["t"] == 1)
    page.keyboard.press("[")
    page.keyboard.press("[")
    eventually(lambda: viewer_.view.position["t"] == 5)
    seen = set()
    page.get_by_label("Play t").click()

    def played() -> bool:
        seen.add(viewer_.view.position["t"])
        return len(seen) >= 4

    eventually(played)
    page.get_by_label("Pause t").click()
    page.get_by_label("Position along t").focus()
    page.keyboard.press("Home")
    eventually(lambda: viewer_.view.position["t"] == 0)


def test_the_palette_finds_and_does(page: Page, scene: Scene) -> None:
    page.keyboard.press("?")
    page.get_by_role("combobox", name="Find an action").wait_for()
    page.keyboard.type("only 3-d")
    page.keyboard.press("Enter")
    eventually(lambda: scene.v.view.layout == "3d")
    page.locator(".palette").wait_for(state="detached")
    page.keyboard.press("h")
    page.locator(".palette").wait_for()
    page.keyboard.press("Escape")
    page.locator(".palette").wait_for(state="detached")


def test_every_python_line_of_the_palette_runs(
    viewer_: viewer.Viewer,
    open_page: OpenPage,
    settled: Settled,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)  # one of them writes a file
    volume = np.zeros((2, 8, 16, 16), np.uint8)
    volume[:, 2:6, 4:12, 4:12] = 200
    image = viewer_.add_image(volume, name="image")
    cells = viewer_.add_labels(volume[0] // 200 * 17, name="cells")
    for number in range(3, 10):
        viewer_.add_image(volume, name=f"more {number}", visible=False)
    viewer_.layers.move(image, 4)
    page = open_page(viewer_)
    settled(page)
    page.keyboard.press("h")
    lines = page.locator(".palette code").all_inner_texts()
    assert len([line for line in lines if line]) > 30
    for line in filter(None, lines):
        if "position" in line:
            line = line.replace("3.0", "1.0")  # this film is short
        exec(line, {"v": viewer_, "image": image, "cells": cells})
    settled(page)


def test_all_labels_are_listed_found_and_gone_to(page: Page, scene: Scene) -> None:
    page.locator(".status-bar").click(position={"x": 2, "y": 2})  # away from where text is typed
    page.keyboard.press("j")
    rows = page.locator(".label-table .label-row")
    eventually(lambda: rows.count() == 2)
    assert rows.locator(".label-id").all_inner_texts() == [str(LABEL), "5"]
    # Tab passes one row, arrow keys go from row to row
    assert rows.locator(":is(button, input):not([tabindex='-1'])").count() == 4
    page.keyboard.type("5")
    eventually(lambda: rows.count() == 1)
    page.keyboard.press("Enter")
    eventually(lambda: scene.v.view.center == (4.0, 2.0, 2.0))
    page.get_by_label("Select label 5").click()
    eventually(lambda: set(scene.cells.selected) == {5})
    rows.get_by_label("Hide label 5").click()
    eventually(lambda: set(scene.cells.hidden) == {5})
