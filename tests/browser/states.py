"""Random states of a slowly read volume, and what a picture of each must look like, by numpy."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

import viewer
from tests.browser.picture import gray, nearest, positions, texels, wrong
from viewer.pictures.picture import Picture

SHAPE = (40, 72, 80)
SCALE = (2.0, 1.0, 1.0)
SIZE = (320, 240)


class Slow:
    """An array whose every read takes a while, as from a far disk."""

    def __init__(self, data: NDArray[Any], seconds: float) -> None:
        self._data = data
        self._seconds = seconds
        self.shape, self.dtype = data.shape, data.dtype

    def __getitem__(self, index: Any) -> NDArray[Any]:
        time.sleep(self._seconds)
        part: NDArray[Any] = self._data[index]
        return part


class States:
    """A viewer with a slow image, brought into one random state after another.

    Parameters
    ----------
    v : viewer.Viewer
    seconds : float
        That every read takes.
    seed : int
    """

    def __init__(self, v: viewer.Viewer, seconds: float, seed: int = 0) -> None:
        self._v = v
        self._random = np.random.default_rng(seed)
        self._seconds = seconds
        self._number = 0
        self._add()

    def _add(self) -> None:
        """Another volume, of which the page has nothing yet."""
        self._number += 1
        self._data = self._random.integers(0, 255, SHAPE, np.uint8)
        with_name = f"volume {self._number}"
        for layer in list(self._v.layers):
            self._v.layers.remove(layer)
        self._image = self._v.add_image(
            Slow(self._data, self._seconds), name=with_name, scale=SCALE
        )
        self._image.interpolation = "nearest"

    def change(self) -> None:
        """Set everything that a slice depends on."""
        random = self._random
        if random.random() < 0.25:
            self._add()
        size = np.array(SHAPE) * SCALE
        # on voxels' centres along every normal, and away from the borders between pixels
        center = np.floor(random.random(3) * SHAPE) * SCALE
        self._v.view.center = tuple(np.minimum(center, size - SCALE))
        self._v.view.zoom = float(random.choice([1.0, 2.0, 3.0, 5.0]))
        low = float(random.integers(0, 100))
        self._image.contrast_limits = (low, low + float(random.integers(50, 150)))
        self._kind = str(random.choice(["xy", "xz", "yz"]))
        aslant = random.random() < 0.4
        self._v.view.orientation = tuple(random.normal(size=4)) if aslant else (0, 0, 0, 1)
        if aslant:  # as small as that, coarser voxels may do
            self._v.view.zoom = max(self._v.view.zoom or 0, 2.0)

    def take(self) -> int:
        """Take a picture right away; how many of its pixels are wrong."""
        picture = self._v.screenshot(panel=self._kind, size=SIZE, overlays=False)
        return wrong(picture[..., :3], self.expected(picture), 2)

    def expected(self, picture: Picture) -> NDArray[np.float64]:
        """What the picture must look like; NaN, which is never wrong, on borders of voxels."""
        view = self._v.view
        assert view.zoom is not None
        places = positions(picture.shape, view.center, view.zoom, self._kind, view.orientation)
        where = texels(places, SCALE, (0, 0, 0))
        values, inside = nearest(self._data, where)
        low, high = self._image.contrast_limits
        colors = np.where(inside[..., None], gray(values, low, high), (15, 17, 21))
        # aslant the GPU draws the edges of bricks, to parts of a pixel
        edge = 1e-3 if view.orientation == (0, 0, 0, 1) else 0.02
        on_border = (np.abs(where + 0.5 - np.round(where + 0.5)) < edge).any(-1)
        return np.where(on_border[..., None], np.nan, colors)
