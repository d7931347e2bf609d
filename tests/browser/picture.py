"""What a slice must look like, by numpy; and what the page's canvas does look like."""

from __future__ import annotations

import base64
import io
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.browser.scene import eventually

if TYPE_CHECKING:
    from playwright.sync_api import Page

    import viewer

DARK = np.array([15, 17, 21])
"""What is seen where there is no data (`BACKGROUNDS` of the renderer's policy)."""

READ = """async () => {
  const area = (canvas) => canvas.width * canvas.height;
  const canvas = [...document.querySelectorAll("canvas")].sort((a, b) => area(b) - area(a))[0];
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  copy.getContext("2d", { willReadFrequently: true }).drawImage(canvas, 0, 0);
  const file = await copy.convertToBlob({ type: "image/png" });
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(",")[1]);
    reader.readAsDataURL(file);
  });
}"""
"""As a PNG, which loses nothing: the way to this process is the slowest part."""

_edits = itertools.count()


def show(page: Page, v: viewer.Viewer) -> None:
    """Wait until the page has all that Python has set, loaded and drawn."""
    v.title = title = f"edit {next(_edits)}"
    page.wait_for_function("title => window.voxelview?.document()?.title === title", arg=title)
    page.evaluate("window.voxelview.settled()")


def rest(page: Page) -> dict[str, Any]:
    """What the renderer has done, once all is drawn and what may be needed next has come.

    It has come when a quarter of a second brings nothing: what is asked for ahead is drawn late.
    It is the page's time, which stands still with all that it does where the machine is busy.
    """
    seen: list[dict[str, Any]] = []

    def is_still() -> bool:
        settled, stats = page.evaluate("[voxelview.status().settled, voxelview.stats()]")
        seen.append(stats)
        before = seen[-2] if len(seen) > 1 else {}
        page.evaluate("new Promise((resolve) => setTimeout(resolve, 250))")
        return (
            settled
            and stats["pendingBricks"] == 0
            and all(stats[name] == before.get(name) for name in ("frames", "requests"))
        )

    eventually(is_still, 30)
    return seen[-1]


def read(page: Page) -> NDArray[np.uint8]:
    """The canvas: (height, width, 3)."""
    with Image.open(io.BytesIO(base64.b64decode(page.evaluate(READ)))) as picture:
        return np.asarray(picture)[..., :3]


def panel_axes(kind: str, orientation: tuple[float, ...]) -> NDArray[np.float64]:
    """Right, down and towards the next slice of a panel, each as (z, y, x) in the world."""
    x, y, z, w = np.array(orientation) / np.linalg.norm(orientation)
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    own = turn[::-1, ::-1]
    return own[list({"xy": (2, 1, 0), "xz": (2, 0, 1), "yz": (0, 1, 2)}[kind])]


def positions(
    shape: tuple[int, ...],
    center: tuple[float, ...],
    zoom: float,
    kind: str,
    orientation: tuple[float, ...] = (0, 0, 0, 1),
) -> NDArray[np.float64]:
    """World position (z, y, x) under the middle of each pixel of a canvas with one slice panel."""
    right, down, _ = panel_axes(kind, orientation)
    across = (np.arange(shape[1]) + 0.5 - shape[1] / 2) / zoom
    along = (np.arange(shape[0]) + 0.5 - shape[0] / 2) / zoom
    return np.array(center) + across[None, :, None] * right + along[:, None, None] * down


def texels(places: NDArray[np.float64], scale: Any, translate: Any) -> NDArray[np.float64]:
    """Voxel coordinates, 0 at the middle of voxel 0."""
    return (places - np.array(translate)) / np.array(scale)


def nearest(data: NDArray[Any], where: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The voxels there, and which places lie within the data."""
    index = np.floor(where + 0.5).astype(int)
    inside = ((index >= 0) & (index < data.shape)).all(-1)
    z, y, x = np.moveaxis(np.clip(index, 0, np.array(data.shape) - 1), -1, 0)
    return data[z, y, x], inside


def linear(data: NDArray[Any], where: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The interpolated values there, and which places lie within the data."""
    from scipy.ndimage import map_coordinates

    size = np.array(data.shape)
    inside = ((where >= -0.5) & (where < size - 0.5)).all(-1)
    clipped = np.moveaxis(np.clip(where, 0, size - 1), -1, 0)
    return map_coordinates(data.astype(np.float64), clipped, order=1, mode="nearest"), inside


def gray(values: NDArray[Any], low: float, high: float) -> NDArray[np.float64]:
    """Colours 0 to 255 of an image in grey."""
    part = np.clip((values.astype(np.float64) - low) / (high - low), 0, 1)
    return np.repeat(255 * part[..., None], 3, -1)


def _mix(bits: NDArray[np.uint32]) -> NDArray[np.uint32]:
    bits = (bits ^ (bits >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    bits = (bits ^ (bits >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return bits ^ (bits >> np.uint32(16))


def label_colors(labels: NDArray[Any], seed: int = 0) -> NDArray[np.float64]:
    """Stable colours 0 to 255 of labels, as `frontend/src/math/label-color.ts` says."""
    wide = np.asarray(labels).astype(np.int64 if labels.dtype.kind == "i" else np.uint64)
    bits = wide.view(np.uint64)
    low = bits.astype(np.uint32)
    high = (bits >> np.uint64(32)).astype(np.uint32)
    start = _mix(np.array([seed], np.uint32))
    turn = (low ^ _mix(high ^ start)) * np.uint32(0x9E3779B9)
    other = _mix(turn + np.uint32(0x9E3779B9))
    hue = (turn >> np.uint32(8)) / 2**24
    saturation = np.array([0.95, 0.7, 0.5])[other % np.uint32(3)]
    value = np.array([1.0, 0.8])[(other >> np.uint32(8)) & np.uint32(1)]
    ramps = [np.clip(np.abs((hue + offset) % 1 * 6 - 3) - 1, 0, 1) for offset in (0, 2 / 3, 1 / 3)]
    return np.stack([255 * value * (1 - saturation + saturation * ramp) for ramp in ramps], -1)


def wrong(picture: NDArray[Any], expected: NDArray[Any], tolerance: float = 1) -> int:
    """Number of pixels that differ by more than rounding."""
    return int((np.abs(picture.astype(float) - expected).max(-1) > tolerance).sum())
