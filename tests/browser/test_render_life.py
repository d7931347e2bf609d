"""The renderer over time: idle, moving through samples, refreshes, failures, a lost context."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tests.browser.picture import DARK, gray, nearest, positions, read, rest, show, wrong
from tests.browser.scene import eventually
from viewer.bricks import HEADER

SIZE = (700, 560)
CENTER, ZOOM = (10.0, 40.0, 40.0), 5.0
PLAIN = {"interpolation": "nearest", "contrast_limits": (0, 255)}


def noise(seed=0, shape=(20, 80, 80)):
    return np.random.default_rng(seed).integers(0, 255, shape, dtype=np.uint8)


def look(v):
    v.view.layout = "xy"
    v.view.center = CENTER
    v.view.zoom = ZOOM


def expected(data, shape):
    values, inside = nearest(data, positions(shape, CENTER, ZOOM, "xy"))
    return np.where(inside[..., None], gray(values, 0, 255), DARK)


def test_nothing_is_drawn_or_asked_for_while_nothing_changes(viewer_, open_page):
    viewer_.add_image(noise(), **PLAIN)
    viewer_.add_labels(np.ones((20, 80, 80), np.uint32))
    page = open_page(viewer_, SIZE)
    show(page, viewer_)
    before = rest(page)
    time.sleep(1)
    assert page.evaluate("voxelview.stats()") == before


def test_a_move_of_the_camera_draws_no_slice_again(viewer_, open_page):
    viewer_.add_image(noise(), **PLAIN)
    page = open_page(viewer_, SIZE)
    show(page, viewer_)
    before = rest(page)
    viewer_.view.camera.orientation = (0, 0.6, 0, 0.8)
    show(page, viewer_)
    after = page.evaluate("voxelview.stats()")
    # Of the 3-D panel: three slices, the bounds; of the canvas: four panels.
    frames = after["frames"] - before["frames"]
    assert after["draws"] - before["draws"] <= 8 * frames
    assert after["uploads"] == before["uploads"]
    assert after["requests"] == before["requests"]


def test_a_lost_context_is_filled_again_from_memory(viewer_, open_page):
    data = noise()
    viewer_.add_image(data, **PLAIN)
    look(viewer_)
    page = open_page(viewer_, SIZE)
    show(page, viewer_)
    received = rest(page)["receivedBytes"]
    page.evaluate(
        """async () => {
          const canvas = [...document.querySelectorAll("canvas")].sort(
            (a, b) => b.width * b.height - a.width * a.height,
          )[0];
          const extension = canvas.getContext("webgl2").getExtension("WEBGL_lose_context");
          const lost = new Promise((done) => canvas.addEventListener("webglcontextlost", done));
          extension.loseContext();
          await lost;
          await new Promise((done) => setTimeout(done, 100));
          window.wasLost = window.voxelview.status();
          extension.restoreContext();
        }"""
    )
    lost = page.evaluate("window.wasLost")
    assert lost["context"] == "lost"
    assert not lost["settled"]
    page.wait_for_function("() => voxelview.status().context === 'ok'")
    show(page, viewer_)
    picture = read(page)
    assert wrong(picture, expected(data, picture.shape)) == 0
    assert rest(page)["receivedBytes"] == received
    assert page.evaluate("voxelview.stats().uploads") > 0


def test_every_sample_of_a_leading_axis_is_shown(viewer_, open_page):
    data = noise(shape=(4, 20, 80, 80))
    viewer_.add_image(data, **PLAIN)
    look(viewer_)
    page = open_page(viewer_, SIZE)
    for sample in (0, 3, 1):
        viewer_.view.position["t"] = sample
        show(page, viewer_)
        picture = read(page)
        assert wrong(picture, expected(data[sample], picture.shape)) == 0


def test_a_new_sample_never_leaves_the_picture_empty(viewer_, open_page):
    data = np.full((6, 20, 80, 80), 100, np.uint8)
    data += np.random.default_rng(0).integers(0, 100, data.shape, dtype=np.uint8)
    viewer_.add_image(data, **PLAIN)
    look(viewer_)
    page = open_page(viewer_, SIZE)
    show(page, viewer_)
    # Watch the pixel in the middle in every frame.
    page.evaluate(
        """() => {
          const gl = [...document.querySelectorAll("canvas")]
            .sort((a, b) => b.width * b.height - a.width * a.height)[0]
            .getContext("webgl2");
          window.darkest = 255;
          const watch = () => {
            const pixel = new Uint8Array(4);
            const { drawingBufferWidth: width, drawingBufferHeight: height } = gl;
            gl.readPixels(width / 2, height / 2, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
            window.darkest = Math.min(window.darkest, pixel[0]);
            requestAnimationFrame(watch);
          };
          watch();
        }"""
    )
    for sample in (1, 2, 3, 4, 5):
        viewer_.view.position["t"] = sample
        show(page, viewer_)
    assert page.evaluate("window.darkest") >= 95


def test_a_refresh_shows_what_has_changed(viewer_, open_page):
    data = noise()
    layer = viewer_.add_image(data, **PLAIN)
    look(viewer_)
    page = open_page(viewer_, SIZE)
    show(page, viewer_)
    data[:] = 255 - data
    layer.refresh()
    show(page, viewer_)
    picture = read(page)
    assert wrong(picture, expected(data, picture.shape)) == 0


def received(messages):
    """Level and index (z, y, x) of all bricks in messages from WebSockets, in order."""
    found = []
    for message in messages:
        at = 0
        while isinstance(message, bytes) and at < len(message):
            fields = HEADER.unpack_from(message, at)
            found.append((fields[1], *fields[4:7]))
            at += HEADER.size + -(-fields[10] // 8) * 8
    return sorted(found)


COARSE = [(1, 0, y, x) for y in (0, 1, 2) for x in (0, 1)]
"""The bricks of half resolution of 20 × 160 × 160 voxels."""


WATCH_DARKEST = """() => {
  const gl = [...document.querySelectorAll("canvas")]
    .sort((a, b) => b.width * b.height - a.width * a.height)[0]
    .getContext("webgl2");
  const { drawingBufferWidth: width, drawingBufferHeight: height } = gl;
  const pixels = new Uint8Array(width * height);
  window.darkest = 255;
  window.seen = 0;
  const watch = () => {
    // The red channel of a quarter of the picture, about its middle.
    const part = new Uint8Array(width * height);
    gl.readPixels(
      width / 4, height / 4, width / 2, height / 2, gl.RGBA, gl.UNSIGNED_BYTE, part,
    );
    for (let at = 0; at < part.length; at += 4) {
      if (part[at] < window.darkest) window.darkest = part[at];
    }
    window.seen += 1;
    requestAnimationFrame(watch);
  };
  watch();
}"""


def test_a_refresh_of_a_region_fetches_and_changes_nothing_else(viewer_, open_page):
    data = np.random.default_rng(0).integers(100, 200, (20, 160, 160), dtype=np.uint8)
    layer = viewer_.add_image(data, **PLAIN)
    viewer_.view.layout = "xy"
    viewer_.view.center, viewer_.view.zoom = center, zoom = (10.0, 80.0, 80.0), 4.0
    page = open_page(viewer_, SIZE)
    messages = []

    def listen(socket):
        socket.on("framereceived", lambda message: messages.append(message))

    page.on("websocket", listen)
    page.reload()
    show(page, viewer_)
    # The coarse level comes last, and the kernels that make it may have to be compiled first.
    eventually(lambda: page.wait_for_timeout(50) or received(messages)[-6:] == COARSE, 30)
    rest(page)
    before = read(page)
    page.evaluate(WATCH_DARKEST)
    messages.clear()
    changed = np.s_[8:12, 70:90, 100:110]
    data[changed] = 255
    layer.refresh(changed)
    show(page, viewer_)
    picture = read(page)
    places = positions(picture.shape, center, zoom, "xy")
    values, inside = nearest(data, places)
    assert wrong(picture, np.where(inside[..., None], gray(values, 0, 255), DARK)) == 0
    mask = np.zeros(data.shape, bool)
    mask[changed] = True
    assert not (picture != before).any(-1)[~nearest(mask, places)[0]].any()
    # No frame was empty anywhere.
    assert page.evaluate("window.seen") > 2
    assert page.evaluate("window.darkest") >= 95
    rest(page)
    # Bricks have 32 × 32 × 64 voxels: two hold the region at full resolution, one at half of it.
    assert received(messages) == [(0, 0, 2, 1), (1, 0, 1, 0)]


def test_failed_bricks_are_told_of_and_asked_for_again(viewer_, open_page, tmp_path):
    import h5py

    path = tmp_path / "data.h5"
    with h5py.File(path, "w") as file:
        file["image"] = noise()
    file = h5py.File(path)
    layer = viewer_.add_image(file["image"], **PLAIN)
    look(viewer_)
    page = open_page(viewer_, SIZE, errors=True)
    show(page, viewer_)
    before = read(page)
    file.close()
    with pytest.raises(OSError, match="closed"):
        layer.refresh()
    show(page, viewer_)
    [panel] = page.evaluate("voxelview.status().panels")
    assert panel["loading"] == 0
    assert "closed" in panel["failures"][0]["message"]
    # What was there before is still seen.
    assert (read(page) == before).all()
    requests = page.evaluate("voxelview.stats().requests")
    assert not page.evaluate("voxelview.renderer.retry(), voxelview.status().settled")
    show(page, viewer_)
    assert page.evaluate("voxelview.stats().requests") > requests
    assert page.evaluate("voxelview.status().panels")[0]["failures"]


def test_the_page_is_told_when_a_brick_is_too_far_out(viewer_, open_page):
    viewer_.add_image(noise(), **PLAIN)
    viewer_.view.layout = "xy"
    viewer_.view.center = (500.0, 40.0, 40.0)
    page = open_page(viewer_, SIZE)
    show(page, viewer_)
    [panel] = page.evaluate("voxelview.status().panels")
    assert panel["empty"]
    assert (read(page) == DARK).all()


@pytest.mark.parametrize("pixel_ratio", [1, 2])
def test_pixels_of_the_screen_are_those_of_the_canvas(viewer_, open_page, pixel_ratio):
    data = noise()
    viewer_.add_image(data, **PLAIN)
    look(viewer_)
    page = open_page(viewer_, SIZE, pixel_ratio=pixel_ratio)
    show(page, viewer_)
    picture = read(page)
    places = positions(picture.shape, CENTER, ZOOM * pixel_ratio, "xy")
    values, inside = nearest(data, places)
    assert wrong(picture, np.where(inside[..., None], gray(values, 0, 255), DARK)) == 0
