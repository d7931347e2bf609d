"""neuroglancer's client, out of its wheel, shows our layers from `zarr3://` and our meshes.

Needs the ``bench`` extra. Its page is of another origin than ours, which has to allow it.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

import viewer
from scripts.chromium import FLAGS, find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserType, Page

SHAPE = (70, 90, 100)
SIZE = (500, 460)
"""Pixels of the window: at four a voxel, all of a slice and a margin."""

ZOOM = 4
LABEL = 2**63 + 7
COLORS = {7: (255, 0, 0), LABEL: (0, 0, 255)}

READY = """() => {
  const { viewer } = window;
  if (viewer === undefined) return false;
  const layers = viewer.layerManager.managedLayers;
  return layers.length > 0 && layers.every((layer) => layer.isReady()) && viewer.isReady();
}"""


@pytest.fixture(scope="module")
def chromium_browser(_browser_type: BrowserType) -> Iterator[Browser]:
    """One without `LIGHT`: that shifts canvases that lie between pixels, as neuroglancer's does."""
    executable = find_chromium(_browser_type.executable_path)
    browser = _browser_type.launch(executable_path=executable, args=list(FLAGS))
    yield browser
    browser.close()


@pytest.fixture
def peer() -> Iterator[Any]:
    """neuroglancer's Viewer: its server, and the state of its page."""
    neuroglancer = pytest.importorskip("neuroglancer", reason="neuroglancer is not installed")
    yield neuroglancer.Viewer()
    neuroglancer.stop()


@pytest.fixture
def sharing(peer: Any) -> Iterator[viewer.Viewer]:
    """A viewer that lets neuroglancer's client read."""
    viewer.stop()
    viewer.set_server(allow_origins=[peer.get_viewer_url().partition("/v/")[0]])
    try:
        yield viewer.Viewer()
    finally:
        viewer.stop()
        viewer.set_server(allow_origins=[])


Shows = Callable[..., "np.ndarray[Any, np.dtype[np.int16]]"]


@pytest.fixture
def shown(peer: Any, open_page: Callable[..., Page]) -> Shows:
    """``shown(layer, layout="xy")``: neuroglancer's picture of a layer, (height, width, 3)."""

    def shown(layer: dict[str, Any], layout: str = "xy") -> np.ndarray[Any, np.dtype[np.int16]]:
        state = {
            "dimensions": {axis: [1e-9, "m"] for axis in "xyz"},
            "position": [SHAPE[2] / 2, SHAPE[1] / 2, 33],
            "crossSectionScale": 1 / ZOOM,
            "projectionScale": 200,
            "layers": [{"name": "ours", **layer}],
            "layout": layout,
            "showAxisLines": False,
            "showScaleBar": False,
            "showDefaultAnnotations": False,
            "showSlices": False,
        }
        peer.set_state(state)
        page = open_page(peer.get_viewer_url(), SIZE, errors=True)
        page.wait_for_function(READY)
        page.wait_for_timeout(300)
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        return np.asarray(picture).astype(np.int16)

    return shown


def differing(picture: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> int:
    """Pixels within the slice that differ, where the slice lies best.

    Where neuroglancer's panel begins, below its bars, is its own affair.
    """
    large = expected.repeat(ZOOM, 0).repeat(ZOOM, 1)
    height, width = large.shape[:2]
    inner = large[8:-8, 8:-8]
    counts = []
    for top in range(picture.shape[0] - height + 1):
        for left in range(picture.shape[1] - width + 1):
            part = picture[top : top + height, left : left + width][8:-8, 8:-8]
            if np.abs(part[::37, ::37] - inner[::37, ::37]).max() <= 1:
                counts.append(int((np.abs(part - inner).max(-1) > 1).sum()))
    return min(counts, default=picture.size)


def test_shows_an_image(sharing: viewer.Viewer, shown: Shows) -> None:
    data = np.random.default_rng(1).integers(0, 256, SHAPE, np.uint8)
    layer = sharing.add_image(data, units="nm")
    shader = "void main() { emitGrayscale(float(toRaw(getDataValue())) / 255.0); }"
    source = f"zarr3://{layer.zarr_url}/"
    picture = shown({"type": "image", "source": source, "shader": shader})
    assert differing(picture, data[33, :, :, None].repeat(3, -1)) == 0


@pytest.fixture
def cells(sharing: viewer.Viewer) -> tuple[Any, np.ndarray[Any, Any]]:
    """A labels layer, and its voxels."""
    data = np.zeros(SHAPE, np.uint64)
    data[10:60, 10:50, 20:80] = LABEL
    data[20:50, 55:85, 30:90] = 7
    return sharing.add_labels(data, units="nm"), data


def segmentation(sources: list[str]) -> dict[str, Any]:
    return {
        "type": "segmentation",
        "source": sources,
        "segments": [str(label) for label in COLORS],
        "segmentColors": {str(label): "#" + bytes(color).hex() for label, color in COLORS.items()},
        "selectedAlpha": 1,
        "notSelectedAlpha": 0,
        "saturation": 1,
    }


def test_shows_labels(cells: tuple[Any, np.ndarray[Any, Any]], shown: Shows) -> None:
    layer, data = cells
    picture = shown(segmentation([f"zarr3://{layer.zarr_url}/"]))
    expected = np.zeros((*SHAPE[1:], 3), np.uint8)
    for label, color in COLORS.items():
        expected[data[33] == label] = color
    inside = (expected.max(-1) > 0)[..., None]
    background = picture[picture.shape[0] // 2, 20]
    assert differing(picture, np.where(inside, expected, background)) == 0


@pytest.fixture
def folder_url(tmp_path: Path) -> Iterator[str]:
    """Address of a folder that any web server hands out, to pages of all origins."""

    class Files(SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            self.send_header("Access-Control-Allow-Origin", "*")
            super().end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=tmp_path)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def assert_both_are_seen(picture: np.ndarray[Any, Any]) -> None:
    """Surfaces in both colours."""
    red, _, blue = np.moveaxis(picture, -1, 0)
    for one, other in ((red, blue), (blue, red)):
        assert ((one > 60) & (other < 10)).sum() > 2000


def test_shows_exported_meshes(
    cells: tuple[Any, np.ndarray[Any, Any]], shown: Shows, folder_url: str, tmp_path: Path
) -> None:
    layer, _ = cells
    layer.export_meshes(tmp_path, format="precomputed", progress=False)
    sources = [f"zarr3://{layer.zarr_url}/", f"precomputed://{folder_url}"]
    assert_both_are_seen(shown(segmentation(sources), "3d"))


def test_shows_meshes(cells: tuple[Any, np.ndarray[Any, Any]], shown: Shows) -> None:
    layer, _ = cells
    sources = [f"zarr3://{layer.zarr_url}/", f"precomputed://{layer.mesh_url}"]
    assert_both_are_seen(shown(segmentation(sources), "3d"))
