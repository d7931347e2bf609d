"""How labels look and what lies under the cursor, by readback and through the page."""

from __future__ import annotations

import numpy as np
import pytest

from tests.browser.picture import DARK, label_colors, nearest, positions, read, show, wrong

SIZE = (700, 560)
CENTER, ZOOM = (8.0, 30.2, 30.4), 6.0

BIG = 2**64 - 3


def cells(dtype="uint64"):
    """Squares of 10 voxels with large labels, 0 between some of them."""
    labels = np.array([[0, 1, 2, 3, 4, 5]] * 6) + 6 * np.arange(6)[:, None]
    wide = labels.astype(np.uint64) * np.uint64(2**58 + 12345)
    wide[2, 2] = BIG
    wide[:, 0] = 0
    data = wide.repeat(10, 0).repeat(10, 1)
    return np.broadcast_to(data, (17, 60, 60)).astype(dtype).copy()


@pytest.fixture
def shown(viewer_, open_page):
    """A viewer with opaque labels in an xy panel, its page, and the labels under its pixels."""
    data = cells()
    layer = viewer_.add_labels(data, opacity=1.0)
    viewer_.view.layout = "xy"
    viewer_.view.center = CENTER
    viewer_.view.zoom = ZOOM
    page = open_page(viewer_, SIZE)
    show(page, viewer_)
    picture = read(page)
    values, inside = nearest(data, positions(picture.shape, CENTER, ZOOM, "xy"))
    return viewer_, layer, page, np.where(inside, values, 0)


def draw(labels, colors=None):
    """The picture of opaque labels."""
    colors = label_colors(labels) if colors is None else colors
    return np.where((labels != 0)[..., None], colors, DARK)


def test_hidden_labels_are_not_drawn(shown):
    v, layer, page, labels = shown
    layer.hidden = {BIG, int(labels.max())}
    show(page, v)
    left = np.where(np.isin(labels, [BIG, labels.max()]), 0, labels)
    assert wrong(read(page), draw(left.astype(np.uint64))) == 0


def test_only_selected_labels_are_drawn_when_asked(shown):
    v, layer, page, labels = shown
    layer.show_meshes = False
    layer.selected = {BIG}
    layer.show_selected_only = True
    show(page, v)
    left = np.where(labels == BIG, labels, 0).astype(np.uint64)
    assert wrong(read(page), draw(left)) == 0


def test_bricks_of_small_and_of_large_labels_are_drawn_alike(viewer_, open_page):
    generator = np.random.default_rng(3)
    data = np.empty((4, 64, 64), np.uint64)
    data[:, :32, :32] = generator.integers(0, 2**20, (32, 32))
    data[:, :32, 32:] = generator.integers(0, 2**63, (32, 32))
    data[:, 32:, :32] = 5  # of one value a brick
    data[:, 32:, 32:] = BIG
    layer = viewer_.add_labels(data, opacity=1.0)
    layer.seed = 7
    viewer_.view.layout = "xy"
    viewer_.view.center = (2.0, 31.6, 31.7)
    viewer_.view.zoom = ZOOM
    page = open_page(viewer_, SIZE)
    show(page, viewer_)
    picture = read(page)
    where = positions(picture.shape, (2.0, 31.6, 31.7), ZOOM, "xy")
    values, inside = nearest(data, where)
    labels = np.where(inside, values, 0).astype(np.uint64)
    assert wrong(picture, draw(labels, label_colors(labels, 7))) == 0
    layer.show_selected_only = True
    show(page, viewer_)
    assert (read(page) == DARK).all()


def test_selected_labels_are_drawn_stronger(shown):
    v, layer, page, labels = shown
    layer.show_meshes = False
    layer.opacity = 0.4
    layer.selected = {BIG}
    show(page, v)
    alpha = np.where(labels == BIG, 0.4 + 0.6 * 0.6, 0.4)[..., None]
    expected = alpha * label_colors(labels) + (1 - alpha) * DARK
    assert wrong(read(page), np.where((labels != 0)[..., None], expected, DARK), 2) == 0


def test_a_thousand_colours_are_overridden(shown):
    v, layer, page, labels = shown
    layer.colors = {BIG: "#ff8000"} | dict.fromkeys(range(1, 1000), "#000000")
    show(page, v)
    colors = np.where((labels == BIG)[..., None], [255, 128, 0], label_colors(labels))
    assert wrong(read(page), draw(labels, colors)) == 0


def test_another_seed_deals_other_colours(shown):
    v, layer, page, labels = shown
    layer.seed = 4000000000
    show(page, v)
    assert wrong(read(page), draw(labels, label_colors(labels, 4000000000))) == 0


def test_contours_are_as_wide_as_asked(shown):
    v, layer, page, labels = shown
    layer.contour = 3
    show(page, v)
    from scipy.ndimage import maximum_filter, minimum_filter

    # Ranks keep labels of 64 bits apart in a filter.
    ranks = np.unique(labels, return_inverse=True)[1].reshape(labels.shape)
    cross = np.zeros((7, 7), bool)
    cross[3] = cross[:, 3] = True
    same = maximum_filter(ranks, footprint=cross) == minimum_filter(ranks, footprint=cross)
    sure = ~same | (
        maximum_filter(ranks, size=7) == minimum_filter(ranks, size=7)
    )  # corners may be rounded
    edges = np.where(same, 0, labels).astype(np.uint64)
    picture = read(page)
    assert wrong(picture[sure], draw(edges)[sure]) == 0
    assert (np.abs(picture - DARK).max(-1) > 0).mean() < 0.5


def test_the_label_under_the_cursor_is_lighter(shown):
    _v, layer, page, labels = shown
    before = read(page).astype(int)
    page.evaluate(
        "([layer, label]) => window.voxelview.renderer.setHighlight({ layer, label })",
        [layer.id, str(BIG)],
    )
    page.evaluate("window.voxelview.settled()")
    picture = read(page).astype(int)
    lit = labels == BIG
    assert (picture[~lit] == before[~lit]).all()
    assert (picture[lit].sum(-1) > before[lit].sum(-1)).all()


def test_picking_is_exact_to_64_bits(shown):
    _v, layer, page, labels = shown
    rows, columns = labels.shape
    for y, x in [
        (rows // 2, columns // 2),
        (rows // 2 - 60, columns // 2 - 61),
        (5, 5),
        (300, 420),
    ]:
        found = page.evaluate("([x, y]) => voxelview.pick(x, y)", [x + 0.5, y + 0.5])
        label = str(labels[y, x]) if labels[y, x] else None
        assert found["label"] == label
        assert found["layer"] == (layer.id if label else None)
        assert found["panel"] == "xy"


def test_values_are_as_python_prints_them(viewer_, open_page):
    shape = (4, 5, 6)
    arrays = {
        "float64": np.linspace(0, 1, 120).reshape(shape) * 1e-7,
        "float32": np.linspace(0, 1, 120, dtype=np.float32).reshape(shape),
        "float16": np.linspace(0, 1, 120).astype(np.float16).reshape(shape),
        "uint64": np.arange(120, dtype=np.uint64).reshape(shape) + np.uint64(2**64 - 200),
        "int8": (np.arange(120) - 60).astype(np.int8).reshape(shape),
    }
    for name, data in arrays.items():
        viewer_.add_image(data, name=name, scale=2, translate=1)
    page = open_page(viewer_, SIZE)
    show(page, viewer_)
    names = {layer.id: layer.name for layer in viewer_.layers}
    for index in [(0, 0, 0), (3, 4, 5), (1, 2, 3)]:
        position = [1 + 2 * i + 0.9 for i in index]
        found = page.evaluate("position => voxelview.values(position)", position)
        texts = {names[entry["layer"]]: entry["value"] for entry in found}
        assert texts == {name: str(data[index]) for name, data in arrays.items()}
        assert all(tuple(entry["index"]) == index for entry in found)
    outside = page.evaluate("voxelview.values([100, 0, 0])")
    assert all(entry["index"] is None and entry["value"] is None for entry in outside)


def test_a_probe_brings_the_voxels_under_it(viewer_, open_page):
    generator = np.random.default_rng(0)
    data = generator.integers(0, 60000, (96, 400, 400), dtype=np.uint16)
    viewer_.add_image(data)
    viewer_.view.layout = "xy"
    viewer_.view.zoom = 0.2
    page = open_page(viewer_, SIZE)
    show(page, viewer_)
    value = "voxelview.values([90, 390, 10])[0].value"
    assert page.evaluate(value) is None
    page.evaluate("voxelview.renderer.setProbe([90, 390, 10])")
    page.wait_for_function(f"() => {value} !== null")
    assert page.evaluate(value) == str(data[90, 390, 10])
