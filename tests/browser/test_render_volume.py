"""Images as volumes in the 3-D panel."""

from __future__ import annotations

import numpy as np
import pytest

from tests.browser.picture import DARK, read, show

SIZE = (420, 400)


def blocks():
    """Steps from top to bottom that cross bricks, and before them one bright block."""
    data = np.zeros((70, 80, 90), np.uint8)
    data[30:60] = np.repeat(np.arange(40, 200, 20), 10)[None, :, None]
    data[5:20, 25:50, 30:60] = 240
    return data


@pytest.fixture
def shown(viewer_, open_page):
    """A viewer that looks along z, on the 3-D panel alone, without slices."""

    def shown(data, **options):
        layer = viewer_.add_image(data, contrast_limits=(0, 255), **options)
        viewer_.view.layout = "3d"
        viewer_.view.slices_in_3d = False
        viewer_.view.camera.orientation = (0, 0, 0, 1)
        page = open_page(viewer_, SIZE)
        show(page, viewer_)
        page.wait_for_timeout(1000)  # at a quarter of the pixels until all is still
        return layer, page

    return shown


def middle_column(picture):
    """Grey values down the panel's middle."""
    return picture[:, SIZE[0] // 2].astype(float).max(-1)


def is_dark(picture):
    """Whether nothing but the outline of the bounds is seen."""
    return np.percentile(picture.max(-1), 97) <= 40


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_the_greatest_value_along_the_line_of_sight_is_shown(shown, kind) -> None:
    data = blocks().astype(kind)
    _, page = shown(data, rendering="mip", interpolation="nearest")
    column = middle_column(read(page))
    seen = [value for value in np.unique(data.max(0)) if value > 0]
    for value in seen:
        if value in data.max(0)[:, 45]:
            assert (np.abs(column - value) <= 2).sum() > 4, value
    strange = [v for v in column if np.abs(np.array([*seen, *DARK]) - v).min() > 2]
    assert len(strange) <= 8  # the outline, and the block's edges in perspective


def test_a_slice_in_front_hides_it(shown, viewer_) -> None:
    layer, page = shown(blocks(), rendering="mip")
    assert not is_dark(read(page))
    viewer_.view.center = (0, 40, 45)
    viewer_.view.slices_in_3d = True
    # The first slice is dark all over, and before all the rest.
    show(page, viewer_)
    height, width = SIZE[1] // 2, SIZE[0] // 2
    near = read(page)[height + 10 : height + 60, width + 10 : width + 60]
    assert (near == 0).mean() > 0.9
    layer.rendering = "none"


def test_nothing_is_drawn_without_rendering(shown, viewer_) -> None:
    layer, page = shown(blocks())
    before = read(page)
    assert is_dark(before)
    layer.rendering = "translucent"
    show(page, viewer_)
    assert not is_dark(read(page))
    layer.rendering = "none"
    show(page, viewer_)
    assert np.array_equal(read(page), before)


def test_missing_values_are_not_seen(shown) -> None:
    data = np.full((40, 40, 40), np.nan, np.float32)
    data[10:30, 10:30, 10:30] = 200
    data[::3, 20:, :] = np.nan
    _, page = shown(data, rendering="mip")
    column = middle_column(read(page))
    assert column.max() <= 201
    assert (np.abs(column - 200) <= 2).sum() > 50


def test_a_cloud_is_the_denser_the_greater_its_values(shown, viewer_) -> None:
    data = np.zeros((60, 60, 60), np.uint8)
    data[20:40, 10:25, 10:50] = 60
    data[20:40, 35:50, 10:50] = 200
    _, page = shown(data, rendering="translucent")
    column = middle_column(read(page))
    half = len(column) // 2
    assert 30 < column[:half].max() < column[half:].max()


def test_what_is_drawn_stays_idle(shown, viewer_) -> None:
    _, page = shown(blocks(), rendering="mip")
    page.wait_for_timeout(500)  # what may be needed next is loaded after all else
    before = page.evaluate("window.voxelview.stats()")
    page.wait_for_timeout(400)
    after = page.evaluate("window.voxelview.stats()")
    assert after["frames"] == before["frames"]
    assert after["requests"] == before["requests"]
