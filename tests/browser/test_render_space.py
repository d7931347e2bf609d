"""The 3-D panel: meshes and slices where they belong, and what lies under the cursor there."""

from __future__ import annotations

import numpy as np
import pytest

from tests.browser.picture import DARK, label_colors, read, show
from tests.browser.scene import middle

SIZE = (700, 560)
BIG = 2**64 - 3


def balls():
    """Two balls, one of them with a label that only 64 bits hold."""
    z, y, x = np.indices((40, 60, 80), dtype=np.float32)
    labels = np.zeros(z.shape, np.uint64)
    labels[(z - 20) ** 2 + (y - 30) ** 2 + (x - 20) ** 2 < 100] = 7
    labels[(z - 20) ** 2 + (y - 30) ** 2 + (x - 60) ** 2 < 144] = BIG
    return labels


@pytest.fixture
def shown(viewer_, open_page):
    """A viewer on the 3-D panel alone, both balls selected, without slices."""
    layer = viewer_.add_labels(
        balls(), scale=(2, 1, 1), translate=(1000, 200, -300), units="µm", selected=[7, BIG]
    )
    viewer_.view.layout = "3d"
    viewer_.view.slices_in_3d = False
    viewer_.view.camera.orientation = (0, 0, 0, 1)
    page = open_page(viewer_, SIZE)
    show(page, viewer_)
    return viewer_, layer, page


def hue(color):
    """The direction of a colour: shading changes its length only, gloss aside."""
    color = np.asarray(color, float)
    return color / np.linalg.norm(color)


def screen(page, position):
    """Pixel of a world position, by the camera's definition (not turned)."""
    document = page.evaluate("voxelview.document()")
    height, width = read(page).shape[:2]
    center = np.array(document["view"]["center"])
    size = np.array([40 * 2, 60, 80])
    zoom = 0.95 * min(width, height) / np.linalg.norm(size)
    distance = height / zoom / (2 * np.tan(np.pi / 12))
    offset = np.array(position) - center
    scale = zoom * distance / (distance + offset[0])
    return width / 2 + offset[2] * scale, height / 2 + offset[1] * scale


def test_meshes_stand_where_the_labels_are(shown):
    _v, layer, page = shown
    statuses = page.evaluate("voxelview.status().meshes")
    assert [(entry["label"], entry["state"]) for entry in statuses] == [
        ("7", "ready"),
        (str(BIG), "ready"),
    ]
    picture = read(page)
    for label, x, radius in [(7, 20, 10), (BIG, 60, 12)]:
        # The nearest point of the ball, its front.
        front = (1000 + 2 * (20 - radius), 200 + 30, -300 + x)
        column, row = screen(page, front)
        color = picture[round(row), round(column)]
        expected = label_colors(np.array([label], np.uint64))[0]
        assert hue(color) @ hue(expected) > 0.97
        found = page.evaluate("([x, y]) => voxelview.pick(x, y)", [column, row])
        assert found["panel"] == "3d"
        assert (found["layer"], found["label"]) == (layer.id, str(label))
        assert np.abs(np.array(found["position"]) - front).max() < 1.5
        # Its outline: a ball seen from the front reaches about its radius to the side.
        side = (1000 + 2 * 20, 200 + 30, -300 + x)
        inner, outer = (
            page.evaluate(
                "([x, y]) => voxelview.pick(x, y)",
                screen(page, (side[0], side[1] + factor * radius, side[2])),
            )
            for factor in (0.9, 1.25)
        )
        assert inner is not None and inner["label"] == str(label)
        assert outer is None


def test_background_has_nothing_to_pick(shown):
    _v, _layer, page = shown
    assert page.evaluate("voxelview.pick(4, 4)") is None
    assert (read(page)[4, 4] == DARK).all()


def test_slices_stand_in_space_and_hide_what_is_behind_them(shown):
    v, layer, page = shown
    v.view.slices_in_3d = True
    v.view.center = (1000.0, 230.0, -260.0)
    show(page, v)
    # The xy slice at the front holds no label there: the ball behind is seen through it.
    column, row = screen(page, (1000 + 2 * 10, 230, -280))
    assert page.evaluate("([x, y]) => voxelview.pick(x, y).label", [column, row]) == "7"
    # A slice through the balls shows their inside, and can be picked too.
    layer.show_meshes = False
    v.view.center = (1040.0, 230.0, -260.0)
    show(page, v)
    column, row = screen(page, (1040, 232, -277))
    found = page.evaluate("([x, y]) => voxelview.pick(x, y)", [column, row])
    assert found["label"] == "7"
    assert abs(found["position"][0] - 1040) < 0.5


def test_a_mesh_that_cannot_be_had_is_told_of(viewer_, open_page):
    layer = viewer_.add_labels(balls(), selected=[7])
    page = open_page(viewer_, SIZE, errors=True)
    layer.selected = {7, 12345}
    show(page, viewer_)
    failed = [m for m in page.evaluate("voxelview.status().meshes") if m["state"] == "failed"]
    assert [m["label"] for m in failed] == ["12345"]
    assert "12345" in failed[0]["notice"]["message"]


def test_deselected_meshes_go(shown):
    v, layer, page = shown
    layer.selected = set()
    show(page, v)
    # The outline of the bounds is all that is left.
    assert (np.abs(read(page).astype(int) - DARK).max(-1) > 150).sum() == 0


def test_a_surface_is_drawn_and_tells_its_value(viewer_, open_page, settled):
    vertices = np.array([[0, 0, 0], [0, 0, 10], [0, 10, 0], [0, 10, 10]], float)
    faces = [[0, 2, 1], [1, 2, 3]]
    surface = viewer_.add_surface((vertices, faces, [7.0] * 4), contrast_limits=(0, 7))
    viewer_.view.layout = "3d"
    page = open_page(viewer_)
    settled(page)
    x, y = middle(page, "3d")
    page.mouse.move(x, y)
    page.wait_for_selector(f".value[data-value={surface.id}] output")
    assert page.locator(f".value[data-value={surface.id}] output").inner_text() == "7"
    surface.visible = False
    settled(page)
    page.mouse.move(x + 1, y)
    page.wait_for_selector(f".value[data-value={surface.id}]", state="detached")
