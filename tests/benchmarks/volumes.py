"""The data that benchmarks run on: a segmentation and an image of the same shape."""

from __future__ import annotations

import os

import numpy as np


def segmentation(edge: int = 256) -> np.ndarray:
    """A uint32 segmentation.

    The first integer dataset of the HDF5 file named in ``VOXELVIEW_BENCH_DATA``, else a synthetic
    one of `edge`³ voxels: regions around some hundred random points, warped.
    """
    path = os.environ.get("VOXELVIEW_BENCH_DATA")
    if path:
        import h5py

        found: list[np.ndarray] = []

        def visit(_: str, item: object) -> None:
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "ui" and not found:
                found.append(item[()].astype(np.uint32))

        with h5py.File(path) as file:
            file.visititems(visit)
        return found[0]

    from scipy.spatial import cKDTree

    rng = np.random.default_rng(1)
    points = rng.uniform(0, edge, (400, 3))
    quarter = np.stack(np.meshgrid(*[np.arange(0, edge, 2)] * 3, indexing="ij"), -1)
    wave = 6 * np.sin(quarter[..., ::-1] / 9.0)
    nearest = cKDTree(points).query((quarter + wave).reshape(-1, 3))[1] + 1
    small = nearest.reshape(quarter.shape[:3]).astype(np.uint32)
    return np.ascontiguousarray(small.repeat(2, 0).repeat(2, 1).repeat(2, 2))


def image_like(labels: np.ndarray) -> np.ndarray:
    """A uint8 image of the same shape, as an electron microscope might give: borders and grain."""
    rng = np.random.default_rng(2)
    image = rng.normal(150, 25, labels.shape).astype(np.float32)
    for axis in range(labels.ndim):
        border = np.diff(labels, axis=axis, append=labels.take([-1], axis)) != 0
        image[border] -= 70
    return np.clip(image, 0, 255).astype(np.uint8)


class Waves:
    """A smooth uint8 volume that is computed where it is read, so it may be as large as it likes.

    Parameters
    ----------
    edge : int
        Voxels on each axis.
    step : int
        Voxels of the finest level to one of this one.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, edge: int, step: int = 1) -> None:
        self.shape = (edge,) * 3
        self._step = step
        self.voxels_read = 0
        """How many have been computed so far."""

    def __getitem__(self, box: tuple[slice, ...]) -> np.ndarray:
        z, y, x = (
            (31 + 30 * np.sin(np.arange(n)[part] * (self._step / period))).astype(np.uint8)
            for n, part, period in zip(self.shape, box, (37.0, 23.0, 17.0), strict=True)
        )
        data: np.ndarray = z[:, None, None] + y[:, None] + x
        self.voxels_read += data.size
        return data
