"""Where an image crosses a value between two voxels: vertices of an isosurface, put in place."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt


@numba.njit(nogil=True, cache=True)
def _slide(vertices, kinds, image, start, value):  # type: ignore[no-untyped-def]
    for vertex in range(len(vertices)):
        axis = kinds[vertex] & 3
        z = np.int64(np.floor(vertices[vertex, 0])) + start[0]
        y = np.int64(np.floor(vertices[vertex, 1])) + start[1]
        x = np.int64(np.floor(vertices[vertex, 2])) + start[2]
        far_z, far_y, far_x = z + (axis == 0), y + (axis == 1), x + (axis == 2)
        if min(z, y, x) < 0:
            continue
        if far_z >= image.shape[0] or far_y >= image.shape[1] or far_x >= image.shape[2]:
            continue
        low, high = np.float64(image[z, y, x]), np.float64(image[far_z, far_y, far_x])
        share = (value - low) / (high - low) if high != low else 0.5
        if share >= 0 and share <= 1:  # not for NaN
            vertices[vertex, axis] += np.float32(share - 0.5)


def slide(
    vertices: npt.NDArray[np.float32],
    kinds: npt.NDArray[np.uint8],
    image: npt.NDArray[np.float32],
    start: tuple[int, int, int],
    value: float,
) -> None:
    """Move vertices along their lattice edges to where the image has a value, linearly between.

    Parameters
    ----------
    vertices : float32 ndarray (n, 4)
        Of `viewer.kernels.marching_cubes.Surface`, of the voxels where the image is no less than
        `value`; altered. Those on the image's border stay midway, as do those beside NaN.
    kinds : uint8 ndarray (n,)
        Of the same.
    image : float32 ndarray (z, y, x)
    start : tuple of int
        Voxel at which the vertices' coordinates begin.
    value : float
    """
    _slide(vertices, kinds, image, np.asarray(start, np.int64), float(value))
