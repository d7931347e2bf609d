"""Images as volumes in the 3-D panel."""

from __future__ import annotations

import io
import threading
import time

import numpy as np
import pytest
from PIL import Image

from tests.browser.picture import DARK, read, rest, show
from tests.browser.scene import eventually, middle

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
        return layer, page

    return shown


def lend(page, size):
    """Let the page take so many bytes of GPU memory."""
    page.evaluate(f"window.voxelview.renderer.setBudgets({{ gpu: {size}, cache: {2**26} }})")


def middle_column(picture):
    """Grey values down the panel's middle."""
    return picture[:, SIZE[0] // 2].astype(float).max(-1)


def center_of(picture):
    """Colour in the panel's middle."""
    return picture[picture.shape[0] // 2, picture.shape[1] // 2].astype(int)


def screenshot(page):
    """All of the page: (height, width, 3)."""
    return np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))


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


def test_thin_things_between_voxels_ten_times_as_long_are_seen_alike_everywhere(shown) -> None:
    data = np.zeros((16, 40, 40), np.uint8)
    data[8] = 200
    _, page = shown(data, rendering="mip", scale=(10, 1, 1))
    picture = read(page).max(-1)
    row, column = (length // 2 for length in picture.shape)
    near = picture[row - 15 : row + 15, column - 15 : column + 15]
    # Two of ten world units from sample to sample: one to the peak at most.
    assert near.min() >= 175
    assert near.max() <= 200


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
    before = rest(page)
    page.wait_for_timeout(400)
    after = page.evaluate("window.voxelview.stats()")
    assert after["frames"] == before["frames"]
    assert after["requests"] == before["requests"]


def test_the_g_key_goes_through_the_renderings(shown) -> None:
    layer, page = shown(blocks())
    page.mouse.move(SIZE[0] / 2, SIZE[1] / 2)
    for rendering in ("mip", "translucent", "none"):
        page.keyboard.press("g")
        eventually(lambda wanted=rendering: layer.rendering == wanted)


def test_voxels_that_are_no_cubes_keep_their_shape(shown, viewer_) -> None:
    # A cube in the world: 10 × 40 × 40 voxels of 4 × 1 × 1.
    data = np.zeros((20, 80, 80), np.uint8)
    data[5:15, 20:60, 20:60] = 200
    _, page = shown(data, rendering="mip", interpolation="nearest", scale=(4, 1, 1))
    bright = read(page).max(-1) > 150
    rows, columns = np.nonzero(bright)
    assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=3)
    viewer_.view.camera.orientation = (0, 0.7071, 0, 0.7071)
    show(page, viewer_)
    rows, columns = np.nonzero(read(page).max(-1) > 150)
    # Turned by a quarter about the vertical, its depth lies across the screen.
    assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=3)


def test_an_affine_map_that_swaps_axes_shows_what_swapped_axes_show(shown, viewer_) -> None:
    data = blocks()
    looks = {"rendering": "mip", "interpolation": "nearest"}
    cells = np.zeros(data.shape, np.uint8)
    cells[2:23, 22:53, 27:63] = 7  # around the bright block
    _, page = shown(data, scale=(2, 1, 1), **looks)
    viewer_.add_labels(cells, scale=(2, 1, 1), selected=[7])
    viewer_.view.camera.orientation = (0.3, 0.4, 0, 0.866)
    viewer_.view.center = (69, 40, 45)
    show(page, viewer_)
    rest(page)
    expected = read(page).astype(int)
    for layer in list(viewer_.layers):
        viewer_.layers.remove(layer)
    swapped = np.eye(4)[[2, 1, 0, 3]]
    viewer_.add_image(
        data.transpose(), contrast_limits=(0, 255), scale=(1, 1, 2), affine=swapped, **looks
    )
    viewer_.add_labels(cells.transpose(), scale=(1, 1, 2), affine=swapped, selected=[7])
    show(page, viewer_)
    rest(page)
    difference = np.abs(read(page).astype(int) - expected).max(-1)
    # rays step through the bricks in another order, and edges of faces are rounded otherwise
    assert (expected.max(-1) > 60).mean() > 0.1
    assert (difference > 8).mean() < 0.01


def test_a_camera_inside_sees_what_lies_before_it(shown, viewer_) -> None:
    data = np.full((64, 64, 64), 90, np.uint8)
    _, page = shown(data, rendering="mip", interpolation="nearest")
    viewer_.view.camera.zoom = 200
    show(page, viewer_)
    picture = read(page)
    # All around is the volume; but for the outline nothing else is seen.
    assert (np.abs(picture.astype(int) - 90).max(-1) <= 2).mean() > 0.95


def test_several_volumes_add_up(shown, viewer_) -> None:
    low, high = np.zeros((2, 40, 40, 40), np.uint8)
    low[10:30, 5:35, 5:35] = 60
    high[10:30, 15:25, 15:25] = 100
    _, page = shown(low, rendering="mip", interpolation="nearest", blending="additive")
    viewer_.add_image(
        high,
        contrast_limits=(0, 255),
        rendering="mip",
        interpolation="nearest",
        blending="additive",
    )
    show(page, viewer_)
    middle = center_of(read(page))
    assert np.abs(middle - 160).max() <= 3


def test_a_mesh_in_front_hides_a_volume_and_one_behind_does_not(shown, viewer_) -> None:
    data = np.full((60, 60, 60), 220, np.uint8)
    data[:20] = data[40:] = 0
    labels = np.zeros((60, 60, 60), np.uint8)
    labels[4:12, 20:40, 20:40] = 1
    labels[48:56, 20:40, 20:40] = 2
    _, page = shown(data, rendering="mip", interpolation="nearest")
    cells = viewer_.add_labels(labels, colors={1: "#ff0000", 2: "#ff0000"}, opacity=0)
    seen = {}
    for label in (1, 2):
        cells.selected = {label}
        eventually(
            lambda: page.evaluate("window.voxelview.status().meshes[0]?.state === 'ready'"), 20
        )
        show(page, viewer_)
        seen[label] = center_of(read(page))
    # Looking along z, label 1 lies in front.
    assert seen[1][0] > seen[1][1] + 60
    assert np.abs(seen[2] - 220).max() <= 3


def test_of_what_does_not_fit_a_part_is_shown_and_the_panel_says_so(shown, viewer_) -> None:
    layer, page = shown(np.full((64, 64, 64), 200, np.uint8), rendering="mip", name="whole")
    said = page.get_by_text("Too large to show whole: whole")
    assert not said.is_visible()
    # Room for six of eight bricks of 36 kB, in two fifths of it.
    lend(page, 560_000)
    show(page, viewer_)
    said.wait_for()
    assert np.abs(center_of(read(page)) - 200).max() <= 2
    frames = rest(page)["frames"]
    page.wait_for_timeout(400)
    assert page.evaluate("window.voxelview.stats().frames") == frames
    # Room for none: the panel may be empty, but not without a word.
    lend(page, 50_000)
    show(page, viewer_)
    assert is_dark(read(page))
    assert said.is_visible()
    lend(page, 64 * 2**20)
    show(page, viewer_)
    said.wait_for(state="detached")
    assert np.abs(center_of(read(page)) - 200).max() <= 2
    layer.rendering = "none"


class Later:
    """Two points in time; the second is not read while `release` is clear."""

    shape = (2, 40, 40, 40)
    dtype = np.dtype(np.uint8)

    def __init__(self) -> None:
        self.release = threading.Event()
        self.release.set()

    def __getitem__(self, box):
        times = range(*box[0].indices(2))
        if 1 in times:
            self.release.wait(60)
        sizes = [len(range(*part.indices(40))) for part in box[1:]]
        values = np.array([[100], [220]], np.uint8)[list(times)]
        return np.broadcast_to(values[..., None, None], (len(times), *sizes)).copy()


def test_the_former_point_in_time_stands_in_for_one_that_loads(shown, viewer_) -> None:
    data = Later()
    _, page = shown(
        data, rendering="mip", interpolation="nearest", axis_labels=("t", "z", "y", "x")
    )
    try:
        rest(page)
        data.release.clear()
        viewer_.view.position["t"] = 1
        page.wait_for_function("() => window.voxelview.status().panels[0].loading > 0")
        # Something is drawn anew meanwhile: the camera turns.
        viewer_.view.camera.orientation = (0, 0.01, 0, 1)
        page.wait_for_function("() => window.voxelview.document().view.camera.orientation[1] > 0")
        page.evaluate("new Promise((done) => setTimeout(done, 300))")
        assert np.abs(center_of(read(page)) - 100).max() <= 2
    finally:
        data.release.set()
    show(page, viewer_)
    assert np.abs(center_of(read(page)) - 220).max() <= 2


class Held:
    """A volume whose last corner is not read before `release` is set."""

    shape = (64, 64, 64)
    dtype = np.dtype(np.uint8)

    def __init__(self) -> None:
        self.release = threading.Event()

    def __getitem__(self, box):
        sizes = [len(range(*part.indices(64))) for part in box]
        # So slow that no two are read for one message: it would wait for the last.
        time.sleep(0.04)
        if all(part.start >= 32 for part in box):
            self.release.wait(60)
        return np.full(sizes, 200, np.uint8)


def test_slices_do_not_wait_for_volumes(viewer_, open_page) -> None:
    data = Held()
    viewer_.add_image(data, contrast_limits=(0, 255), rendering="translucent")
    viewer_.view.center = (5, 5, 5)
    page = open_page(viewer_, (800, 600))
    try:
        page.wait_for_function("() => window.voxelview?.status().panels.length === 4")
        loading = "voxelview.status().panels.find(({ kind }) => kind === '3d').loading"
        page.wait_for_function(f"() => {loading} === 1")
        x, y = (int(n) for n in middle(page, "xy"))
        # Beside the crosshair, in the middle of the panel.
        eventually(lambda: screenshot(page)[y + 14, x + 14, 0] == 200, 20)
        assert page.evaluate(loading) == 1
    finally:
        data.release.set()
    show(page, viewer_)
