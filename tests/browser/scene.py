"""What the tests of the page look at, and how they wait for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from playwright.sync_api import Page

    import viewer

SHAPE = (24, 40, 48)
"""Voxels (z, y, x)."""

SCALE = (4.0, 2.0, 2.0)

LABEL = 2**63 + 7
"""The label in the middle; JSON's numbers would lose its last digits."""


@dataclass(frozen=True)
class Scene:
    """A viewer with an image and labels, 96 × 80 × 96 nm."""

    v: viewer.Viewer
    image: Any
    cells: Any


def add_scene(v: viewer.Viewer) -> Scene:
    """Add an image of ramps and labels: one big cell in the middle, a small one in a corner."""
    z, y, x = np.indices(SHAPE)
    volume = (z * 100 + y * 10 + x).astype(np.uint16)
    labels = np.zeros(SHAPE, np.uint64)
    labels[4:20, 8:32, 10:38] = LABEL
    labels[:3, :4, :4] = 5
    image = v.add_image(volume, name="ramps", scale=SCALE, units="nm")
    cells = v.add_labels(labels, name="cells", scale=SCALE, units="nm")
    return Scene(v, image, cells)


def eventually(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until the condition holds; fail with it when it doesn't."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def document(page: Page, path: str = "") -> Any:
    """The page's document, or what is at a JavaScript path below it, as ``".view.zoom"``."""
    return page.evaluate(f"window.voxelview.document(){path}")


def middle(page: Page, kind: str) -> tuple[float, float]:
    """Where a panel's middle is on the page, in whole pixels as a mouse has them."""
    box = page.locator(f"[data-panel='{kind}']").bounding_box()
    assert box is not None
    return box["x"] + box["width"] // 2, box["y"] + box["height"] // 2
