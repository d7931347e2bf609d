"""The slices by readback: every element exact, seams and coarse levels included."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from tests.browser.picture import (
    DARK,
    gray,
    label_colors,
    linear,
    nearest,
    positions,
    read,
    show,
    texels,
    wrong,
)

SHAPE = (37, 70, 65)
SCALE = (2.5, 1.0, 1.5)
TRANSLATE = (3.0, -7.0, 11.0)
CENTER = (3 + 2.5 * 17.2, -7 + 31.3, 11 + 1.5 * 32.4)
ZOOM = 7.3
PLACE = {"scale": SCALE, "translate": TRANSLATE}
SIZE = (700, 560)

IMAGES = "uint8 int8 uint16 int16 uint32 int32 uint64 int64 float16 float32 float64".split()
LABELS = "bool uint8 int8 uint16 int16 uint32 int32 uint64 int64".split()


def noise(dtype, seed=0):
    """Values over the whole range of the dtype."""
    generator = np.random.default_rng(seed)
    if dtype == "bool":
        return generator.random(SHAPE) < 0.5
    if np.dtype(dtype).kind == "f":
        return (100 * generator.normal(size=SHAPE)).astype(dtype)
    limits = np.iinfo(dtype)
    return generator.integers(limits.min, limits.max, SHAPE, dtype=dtype, endpoint=True)


def places(page, kind="xy", center=CENTER, zoom=ZOOM, scale=SCALE, translate=TRANSLATE):
    """The canvas, and the voxel coordinates of its pixels."""
    picture = read(page)
    return picture, voxels(picture.shape, center, zoom, kind, scale, translate)


@lru_cache(1)  # for one dtype after the other
def voxels(shape, center, zoom, kind, scale, translate):
    return texels(positions(shape, center, zoom, kind), scale, translate)


def look(v, kind="xy", center=CENTER, zoom=ZOOM):
    v.view.layout = kind
    v.view.center = center
    v.view.zoom = zoom


@pytest.mark.timeout(180)
@pytest.mark.parametrize("kind", ["xy", "xz", "yz"])
def test_nearest_voxels_of_every_dtype_are_exact(viewer_, open_page, kind):
    look(viewer_, kind)
    page = open_page(viewer_, SIZE)
    for dtype in IMAGES:
        data = noise(dtype)
        low, high = float(data.min()), float(data.max())
        layer = viewer_.add_image(
            data, interpolation="nearest", contrast_limits=(low, high), **PLACE
        )
        look(viewer_, kind)
        show(page, viewer_)
        picture, where = places(page, kind)
        values, inside = nearest(data, where)
        expected = np.where(inside[..., None], gray(values, low, high), DARK)
        assert inside.mean() > 0.5
        assert wrong(picture, expected) == 0, dtype
        viewer_.layers.remove(layer)


@pytest.mark.timeout(180)
def test_labels_of_every_dtype_are_exact(viewer_, open_page):
    page = open_page(viewer_, SIZE)
    for dtype in LABELS:
        data = noise(dtype)
        data[np.random.default_rng(1).random(SHAPE) < 0.2] = 0
        layer = viewer_.add_labels(data, opacity=1.0, **PLACE)
        look(viewer_)
        show(page, viewer_)
        picture, where = places(page)
        values, inside = nearest(data, where)
        seen = (inside & (values != 0))[..., None]
        assert wrong(picture, np.where(seen, label_colors(values), DARK)) == 0, dtype
        viewer_.layers.remove(layer)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("kind", ["xy", "yz"])
def test_linear_interpolation_is_true_to_a_hundred_thousandth_of_the_range(
    viewer_, open_page, kind
):
    page = open_page(viewer_, SIZE)
    for dtype in ("uint8", "int16", "uint16", "float32", "uint64", "float64"):
        data = noise(dtype)
        layer = viewer_.add_image(data, **PLACE)
        look(viewer_, kind)
        low, high = float(data.min()), float(data.max())
        worst, count = 0.0, 0
        # A window of a thousandth of the range shows 1/255000 of it as one step of grey.
        for part in (0.3, 0.6):
            window = (high - low) / 1000
            start = low + part * (high - low)
            layer.contrast_limits = (start, start + window)
            show(page, viewer_)
            picture, where = places(page, kind)
            values, inside = linear(data, where)
            wanted = (values - start) / window
            within = inside & (wanted > 0.01) & (wanted < 0.99)
            count += within.sum()
            worst = max(worst, np.abs(picture[..., 0] / 255 - wanted)[within].max() / 1000)
            assert (picture[~inside] == DARK).all()
        assert count > 100
        assert worst < 1e-5, dtype
        viewer_.layers.remove(layer)


@pytest.mark.parametrize("kind", ["image", "labels"])
def test_a_coarse_level_is_drawn_where_the_data_is(viewer_, open_page, kind):
    generator = np.random.default_rng(2)
    blocks = generator.integers(1, 200, (13, 40, 40), dtype=np.uint32)
    data = blocks.repeat(4, 0).repeat(4, 1).repeat(4, 2)[:49, :157, :155]
    if kind == "image":
        data = data.astype(np.uint8)
        layer = viewer_.add_image(data, interpolation="nearest", contrast_limits=(0, 255))
    else:
        layer = viewer_.add_labels(data, opacity=1.0)
    center, zoom = (24.2, 80.1, 75.3), 0.41
    look(viewer_, "xy", center, zoom)
    page = open_page(viewer_, SIZE)
    show(page, viewer_)
    picture, where = places(page, center=center, zoom=zoom, scale=(1, 1, 1), translate=(0, 0, 0))
    pyramid = layer.pyramid
    level = pyramid.levels[1]
    from viewer.space import Box

    coarse = pyramid.read(1, Box.whole(level.shape))
    inside = nearest(data, where)[1]
    values = nearest(coarse, texels(where, level.scale, level.translate))[0]
    colors = gray(values, 0, 255) if kind == "image" else label_colors(values)
    assert page.evaluate("voxelview.stats().residentBricks") < 20
    assert wrong(picture, np.where(inside[..., None], colors, DARK)) == 0


def test_nan_is_transparent_and_infinity_saturates(viewer_, open_page):
    data = noise("float32")
    generator = np.random.default_rng(3)
    data[generator.random(SHAPE) < 0.1] = np.nan
    data[generator.random(SHAPE) < 0.05] = np.inf
    data[generator.random(SHAPE) < 0.05] = -np.inf
    layer = viewer_.add_image(data, interpolation="nearest", contrast_limits=(-100, 100), **PLACE)
    look(viewer_)
    page = open_page(viewer_, SIZE)
    show(page, viewer_)
    picture, where = places(page)
    values, inside = nearest(data, where)
    seen = (inside & ~np.isnan(values))[..., None]
    assert wrong(picture, np.where(seen, gray(np.nan_to_num(values), -100, 100), DARK)) == 0
    layer.interpolation = "linear"
    show(page, viewer_)
    picture = read(page)
    hole = (np.abs(picture - DARK).max(-1) == 0) & inside
    assert (hole == (inside & np.isnan(values))).mean() > 0.999


def test_a_constant_array_and_empty_bricks_take_no_texture(viewer_, open_page):
    data = np.zeros((40, 200, 200), np.uint16)
    data[:, :30, :30] = 1000
    viewer_.add_image(data, contrast_limits=(0, 2000), interpolation="nearest")
    center, zoom = (20.0, 60.0, 60.0), 3.0
    look(viewer_, "xy", center, zoom)
    page = open_page(viewer_, SIZE)
    show(page, viewer_)
    picture, where = places(page, center=center, zoom=zoom, scale=(1, 1, 1), translate=(0, 0, 0))
    values, inside = nearest(data, where)
    assert wrong(picture, np.where(inside[..., None], gray(values, 0, 2000), DARK)) == 0
    assert page.evaluate("voxelview.stats().residentBricks") <= 4


def test_layers_lie_where_their_scale_and_translation_put_them(viewer_, open_page):
    below = noise("uint8")
    above = noise("uint16", seed=4)
    viewer_.add_image(below, interpolation="nearest", contrast_limits=(0, 255), **PLACE)
    other = {"scale": (1.7, 2.2, 0.9), "translate": (20.0, 5.0, 40.0)}
    viewer_.add_image(above, interpolation="nearest", contrast_limits=(0, 65535), **other)
    look(viewer_)
    page = open_page(viewer_, SIZE)
    show(page, viewer_)
    picture, where = places(page)
    values, inside = nearest(below, where)
    expected = np.where(inside[..., None], gray(values, 0, 255), DARK)
    world = positions(picture.shape, CENTER, ZOOM, "xy")
    values, inside = nearest(above, texels(world, **other))
    assert inside.any()
    assert not inside.all()
    expected = np.where(inside[..., None], gray(values, 0, 65535), expected)
    assert wrong(picture, expected) == 0


AFFINES = {
    "turned": ([[0.8, 0.6, 0], [-0.48, 0.64, 0.6], [0.36, -0.48, 0.8]], [10, -5, 3]),
    "sheared": ([[1.3, 0, 0.2], [0.5, 0.9, 0], [0, -0.4, 1.1]], [0, 4, -9]),
    "mirrored": ([[1, 0, 0], [0, 0, 1], [0, 1, 0]], [0, 0, 0]),
}
"""Linear part and offset, (z, y, x)."""


@pytest.mark.parametrize("kind", ["xy", "xz", "yz"])
@pytest.mark.parametrize("name", AFFINES)
def test_layers_lie_where_their_affine_map_puts_them(viewer_, open_page, name, kind):
    image, labels = noise("uint16"), noise("uint32", seed=4) % 50
    linear_part, offset = map(np.array, AFFINES[name])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = linear_part, offset
    plain = {"interpolation": "nearest", "contrast_limits": (0, 65535)}
    viewer_.add_image(image, affine=affine, **plain, **PLACE)
    seen = viewer_.add_labels(labels, affine=affine, opacity=1.0, visible=False, **PLACE)
    center = linear_part @ np.array(CENTER) + offset
    look(viewer_, kind, tuple(center))
    page = open_page(viewer_, SIZE)
    for layer, data in ((None, image), (seen, labels)):
        if layer is not None:
            layer.visible = True
        show(page, viewer_)
        picture = read(page)
        world = positions(picture.shape, center, ZOOM, kind)
        where = texels((world - offset) @ np.linalg.inv(linear_part).T, SCALE, TRANSLATE)
        values, inside = nearest(data, where)
        # edges are drawn to a part of a pixel: what lies on a border of voxels is left out
        clear = (np.abs(where - np.floor(where) - 0.5) > 1e-2).all(-1)
        assert inside.mean() > 0.3 and clear.mean() > 0.9
        if layer is None:
            expected = np.where(inside[..., None], gray(values, 0, 65535), DARK)
        else:
            there = inside & (values != 0)
            clear &= there
            expected = np.where(there[..., None], label_colors(values), DARK)
        assert wrong(picture[clear], expected[clear]) == 0


@pytest.mark.parametrize("blending", ["translucent", "additive", "opaque", "minimum"])
def test_blending(viewer_, open_page, blending):
    below, above = noise("uint8"), noise("uint8", seed=5)
    plain = {"interpolation": "nearest", "contrast_limits": (0, 255), **PLACE}
    viewer_.add_image(below, **plain)
    viewer_.add_image(above, blending=blending, opacity=0.6, **plain)
    look(viewer_)
    page = open_page(viewer_, SIZE)
    show(page, viewer_)
    picture, where = places(page)
    values, inside = nearest(below, where)
    first = gray(values, 0, 255)
    second = gray(nearest(above, where)[0], 0, 255)
    expected = {
        "translucent": 0.6 * second + 0.4 * first,
        "additive": np.minimum(first + 0.6 * second, 255),
        "opaque": 0.6 * second + 0.4 * DARK,
        "minimum": np.minimum(first, 0.6 * second + 0.4 * 255),
    }[blending]
    assert wrong(picture, np.where(inside[..., None], expected, DARK), 2) == 0


def test_gamma_and_colour_map(viewer_, open_page):
    import cmap

    data = noise("uint8")
    viewer_.add_image(
        data,
        interpolation="nearest",
        contrast_limits=(0, 255),
        gamma=0.5,
        colormap="magma",
        **PLACE,
    )
    look(viewer_)
    page = open_page(viewer_, SIZE)
    show(page, viewer_)
    picture, where = places(page)
    values, inside = nearest(data, where)
    colors = 255 * cmap.Colormap("magma")((values / 255.0) ** 0.5)[..., :3]
    assert wrong(picture[inside], colors[inside], 3) == 0


def test_data_without_z_is_seen_at_every_z_and_only_along_it(viewer_, open_page):
    data = np.random.default_rng(6).integers(0, 255, (300, 290), dtype=np.uint8)
    viewer_.add_image(data, interpolation="nearest", contrast_limits=(0, 255))
    center, zoom = (123.0, 150.2, 140.1), 1.9
    look(viewer_, "xy", center, zoom)
    page = open_page(viewer_, SIZE)
    show(page, viewer_)
    picture, where = places(page, center=center, zoom=zoom, scale=(1, 1, 1), translate=(0, 0, 0))
    where[..., 0] = 0
    values, inside = nearest(data[None], where)
    assert wrong(picture, np.where(inside[..., None], gray(values, 0, 255), DARK)) == 0
    viewer_.view.layout = "xz"
    show(page, viewer_)
    assert (read(page) == DARK).all()
    assert page.evaluate("voxelview.status().panels[0].empty")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_theme_is_seen_where_no_data_is(viewer_, open_page, theme):
    viewer_.add_image(noise("uint8"), **PLACE)
    viewer_.theme = theme
    look(viewer_, zoom=2.0)
    page = open_page(viewer_, SIZE)
    show(page, viewer_)
    expected = DARK if theme == "dark" else [244, 244, 245]
    assert (read(page)[0, 0] == expected).all()
