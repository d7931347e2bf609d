"""The first look at data: the page opens, everything in view is drawn, and nothing complains."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Page

    import viewer


def blobs() -> tuple[np.ndarray, np.ndarray]:
    """A float image of two balls, and their labels."""
    z, y, x = np.ogrid[:40, :64, :64]
    near = (z - 20) ** 2 + (y - 20) ** 2 + (x - 20) ** 2 < 150
    far = (z - 20) ** 2 + (y - 44) ** 2 + (x - 44) ** 2 < 150
    labels = near.astype(np.uint32) + 2 * far.astype(np.uint32)
    return (near * 0.5 + far * 1.0).astype(np.float32), labels


def colors(page: Page) -> int:
    """How many different colours the page shows."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    found = picture.getcolors(1 << 24)
    assert found is not None
    return len(found)


def test_image_labels_and_meshes_appear(
    viewer_: viewer.Viewer, open_page: Callable[..., Page], settled: Callable[..., None]
) -> None:
    image, labels = blobs()
    page = open_page(viewer_)
    settled(page)
    empty = colors(page)
    viewer_.add_image(image, name="balls", scale=(2, 1, 1), units="µm")
    viewer_.add_labels(labels, name="ids", scale=(2, 1, 1), units="µm", selected=[1, 2])
    page.wait_for_function("Object.keys(window.voxelview.document().layers).length === 2")
    settled(page)
    assert colors(page) > empty + 100  # shaded meshes alone have more
    assert page.get_by_text("balls").is_visible()
    assert page.evaluate("window.voxelview.status().panels.every((panel) => !panel.empty)")
