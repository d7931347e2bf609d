"""Slices that lie along no axis: their pixels, what is picked on them, and how one moves them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.browser.picture import (
    DARK,
    gray,
    label_colors,
    linear,
    nearest,
    panel_axes,
    positions,
    read,
    show,
    texels,
    wrong,
)
from tests.browser.scene import LABEL, add_scene, document, eventually, middle

SHAPE = (37, 70, 65)
SCALE = np.array([2.5, 1.0, 1.5])
TRANSLATE = np.array([3.0, -7.0, 11.0])
CENTER = (3 + 2.5 * 17.2, -7 + 31.3, 11 + 1.5 * 32.4)
ZOOM = 4.1
SIZE = (700, 420)
ASLANT = (0.18, -0.34, 0.29, 0.87)

EDGE = 0.02
"""Voxels from a border at which a pixel may be on either side: GPUs draw edges to 1/256 pixel."""


def voxels(shape, kind):
    """Voxel coordinates under the middle of each pixel of a canvas with one slice panel."""
    return texels(positions(shape, CENTER, ZOOM, kind, ASLANT), SCALE, TRANSLATE)


def look(v, kind, orientation):
    v.view.layout, v.view.center, v.view.zoom = kind, CENTER, ZOOM
    v.view.orientation = orientation


def noise():
    return np.random.default_rng(3).integers(1, 255, SHAPE, dtype=np.uint8)


@pytest.mark.timeout(180)
def test_every_pixel_off_the_voxels_borders_is_the_voxel_there(viewer_, open_page):
    data = noise()
    place = {"scale": SCALE, "translate": TRANSLATE}
    image = viewer_.add_image(data, interpolation="nearest", contrast_limits=(0, 255), **place)
    cells = viewer_.add_labels(data, opacity=1.0, visible=False, **place)
    page = open_page(viewer_, SIZE)
    for kind in ("xy", "xz", "yz"):
        look(viewer_, kind, ASLANT)
        for color in (lambda values: gray(values, 0, 255), label_colors):
            show(page, viewer_)
            picture = read(page)
            where = voxels(picture.shape, kind)
            values, inside = nearest(data, where)
            sure = (np.abs(where - np.floor(where) - 0.5) > EDGE).all(-1)
            assert inside.mean() > 0.2
            expected = np.where(inside[..., None], color(values), DARK)
            assert wrong(picture[sure], expected[sure]) == 0, kind
            image.visible, cells.visible = cells.visible, image.visible


@pytest.mark.timeout(180)
def test_linear_interpolation_is_that_of_map_coordinates(viewer_, open_page):
    data = noise()
    viewer_.add_image(data, contrast_limits=(0, 255), scale=SCALE, translate=TRANSLATE)
    page = open_page(viewer_, SIZE)
    for kind in ("xy", "xz", "yz"):
        look(viewer_, kind, ASLANT)
        show(page, viewer_)
        picture = read(page)
        where = voxels(picture.shape, kind)
        values, inside = linear(data, where)
        ends = np.minimum(where + 0.5, np.array(SHAPE) - 0.5 - where).min(-1)
        sure = np.abs(ends) > EDGE
        expected = np.where(inside[..., None], gray(values, 0, 255), DARK)
        assert wrong(picture[sure], expected[sure], 0.01 * 255) == 0, kind


def test_a_quarter_turn_shows_another_panels_slice(viewer_, open_page):
    data = noise()
    viewer_.add_image(
        data,
        interpolation="nearest",
        contrast_limits=(0, 255),
        scale=SCALE,
        translate=TRANSLATE,
    )
    page = open_page(viewer_, SIZE)
    look(viewer_, "xz", (0, 0, 0, 1))
    show(page, viewer_)
    straight = read(page)
    # xy looks along y then, and has z upwards
    look(viewer_, "xy", (math.sqrt(0.5), 0, 0, math.sqrt(0.5)))
    show(page, viewer_)
    assert wrong(read(page)[::-1], straight) < 0.001 * straight.size
    assert page.locator("[data-panel=xy] .slice-readout").inner_text().startswith("y")


def test_the_3d_panel_shows_the_slices_where_they_lie(viewer_, open_page):
    z, y, x = np.indices((40, 40, 40)) // 8
    blocks = (1 + z + 5 * y + 25 * x).astype(np.uint8)
    viewer_.add_labels(blocks, opacity=1.0)
    viewer_.view.layout = "3d"
    viewer_.view.orientation = viewer_.view.camera.orientation = ASLANT
    viewer_.view.camera.zoom = 8
    page = open_page(viewer_, SIZE)
    show(page, viewer_)
    picture = read(page)
    # The camera looks straight at the slice xy: in it, nothing is foreshortened.
    right, down, _ = panel_axes("xy", ASLANT)
    middle_ = np.array(viewer_.view.center)
    checked = 0
    for across, along in np.random.default_rng(0).uniform(-14, 14, (200, 2)):
        at = middle_ + across * right + along * down
        # not near another block, nor where the other two slices stand edgewise
        sure = (np.abs((at + 0.5) % 8 - 4) < 3.5).all() and min(abs(across), abs(along)) > 0.5
        if not sure or not ((at > 0) & (at < 39)).all():
            continue
        pixel = picture[
            int(picture.shape[0] / 2 + along * 8), int(picture.shape[1] / 2 + across * 8)
        ]
        label = blocks[tuple(np.round(at).astype(int))]
        np.testing.assert_allclose(pixel, label_colors(np.array([label]))[0], atol=1)
        checked += 1
    assert checked > 30


@pytest.fixture
def scene(viewer_):
    return add_scene(viewer_)


@pytest.fixture
def page(scene, open_page, settled):
    opened = open_page(scene.v)
    settled(opened)
    return opened


def follow(page, v):
    """Wait until the page has the orientation that Python has."""
    eventually(lambda: tuple(document(page, ".view.orientation")) == v.view.orientation, 30)


def test_what_is_under_the_pointer_is_told_and_selected(page, scene):
    scene.v.view.slice_along((1, 0.6, -0.4))
    scene.v.view.zoom = 3
    show(page, scene.v)
    right, down, _ = panel_axes("xy", scene.v.view.orientation)
    x, y = middle(page, "xy")
    canvas = page.locator("canvas").first.bounding_box()
    found = set()
    for across, along in ((-60, -40), (25, 35), (-75, 70), (0, 0)):
        place = [x + across - canvas["x"], y + along - canvas["y"]]
        at = np.array(page.evaluate("([x, y]) => voxelview.pick(x, y).position", place))
        offset = at - scene.v.view.center
        assert [offset @ right, offset @ down] == pytest.approx([across / 3, along / 3], abs=0.2)
        assert offset == pytest.approx(offset @ right * right + offset @ down * down, abs=1e-9)
        index = np.floor(at / (4, 2, 2) + 0.5).astype(int)
        inside = ((index >= 0) & (index < (24, 40, 48))).all()
        text = f"[{', '.join(map(str, index))}]" if inside else "outside"
        page.mouse.move(x + across, y + along)
        told = "text => document.querySelector('.voxel').innerText === text"
        page.wait_for_function(told, arg=text)
        found.add(text)
    assert len(found) == 4
    page.mouse.dblclick(x, y)
    eventually(lambda: set(scene.cells.selected) == {LABEL}, 30)


def test_the_wheel_leads_along_the_normal(page, scene):
    scene.v.view.orientation = ASLANT
    follow(page, scene.v)
    before = np.array(scene.v.view.center)
    normal = panel_axes("yz", ASLANT)[2]
    page.mouse.move(*middle(page, "yz"))
    page.mouse.wheel(0, 100)
    eventually(lambda: scene.v.view.center != tuple(before), 30)
    way = np.array(scene.v.view.center) - before
    step = 1 / np.linalg.norm(normal / (4, 2, 2))  # one voxel long, in voxels
    np.testing.assert_allclose(way, step * normal, atol=1e-9)


def test_shift_and_alt_drags_turn_the_slices_about_the_centre(page, scene):
    before = scene.v.view.center
    x, y = middle(page, "xy")
    # tilted about the panel's horizontal; then turned about its normal; and about nothing else
    for key, same in (("Shift", 0), ("Alt", 2)):
        start = panel_axes("xy", scene.v.view.orientation)
        page.mouse.move(x + 40, y)
        page.keyboard.down(key)
        page.mouse.down()
        page.mouse.move(x + 40, y + 60, steps=6)
        page.mouse.up()
        page.keyboard.up(key)
        turned = tuple(document(page, ".view.orientation"))
        eventually(lambda turned=turned: scene.v.view.orientation == turned, 30)
        now = panel_axes("xy", turned)
        np.testing.assert_allclose(now[same], start[same], atol=1e-9)
        assert abs(now - start).max() > 0.1
    assert scene.v.view.center == before


def test_keys_turn_by_fifteen_degrees_and_back(page, scene):
    page.mouse.move(*middle(page, "xy"))
    page.keyboard.press("Shift+ArrowDown")
    eventually(lambda: scene.v.view.orientation != (0, 0, 0, 1), 30)
    assert scene.v.view.orientation[0] == pytest.approx(math.sin(math.pi / 24))
    page.locator("[data-panel=xy] .tripod").wait_for()
    assert "15° off z" in page.locator("[data-panel=xy] .slice-readout").inner_text()
    assert "x" in page.locator("[data-panel=yz] .slice-readout").inner_text()
    page.keyboard.press("z")
    eventually(lambda: scene.v.view.orientation == (0, 0, 0, 1), 30)
    page.locator("[data-panel=xy] .tripod").wait_for(state="detached")


def test_a_turn_is_undone(page, scene):
    scene.v.view.orientation = ASLANT
    follow(page, scene.v)
    page.keyboard.press("z")
    eventually(lambda: scene.v.view.orientation == (0, 0, 0, 1), 30)
    page.keyboard.press("Control+z")
    eventually(lambda: scene.v.view.orientation == pytest.approx(ASLANT, abs=0.01), 30)


def test_two_pages_and_python_agree(scene, open_page, settled):
    pages = [open_page(scene.v) for _ in range(2)]
    for page in pages:
        settled(page)
    scene.v.view.slice_along((1, 1, 1))
    for page in pages:
        follow(page, scene.v)
    pages[0].mouse.move(*middle(pages[0], "xy"))
    pages[0].keyboard.press("e")
    eventually(lambda: document(pages[0]) == document(pages[1]), 30)
    follow(pages[1], scene.v)
