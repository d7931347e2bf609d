"""Affine maps of space: how a layer is turned, sheared or mirrored beyond scale and translate.

World position = affine @ (voxel * scale + translate), for (z, y, x). An affine map is kept as the
upper three rows of its homogeneous matrix (`viewer.state.Affine`); data without z has one, too,
which leaves z alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.errors import InvalidValueError
from viewer.state import IDENTITY, Affine, Axis

SINGULAR = 1e-9
"""Volume of the unit cube's image, as a part of what its edges would span at right angles, below
which a map counts as flat."""

Points = npt.NDArray[np.float64]


def plan_affine(given: Any, axes: Sequence[Axis]) -> Affine:
    """What a user gave, checked.

    Parameters
    ----------
    given : array_like or None
        Homogeneous matrix (n + 1, n + 1), as in napari, where n counts all axes or the spatial
        ones; the last row is (0, …, 0, 1). Leading axes may not be mixed in. None is the identity.
    axes : sequence of Axis
        Of the data.

    Raises
    ------
    InvalidValueError
        For what is no such matrix, or maps space onto a plane.
    """
    if given is None:
        return IDENTITY
    spatial = sum(axis.kind == "space" for axis in axes)
    leading = len(axes) - spatial
    try:
        matrix = np.array(given, np.float64)
    except (TypeError, ValueError):
        matrix = np.empty(0)
    if matrix.shape == (len(axes) + 1,) * 2:
        if not (
            np.array_equal(matrix[:leading], np.eye(leading, len(axes) + 1))
            and not matrix[leading:, :leading].any()
        ):
            raise InvalidValueError(
                "affine mixes leading axes into space.",
                hint=f"Give a matrix ({spatial + 1}, {spatial + 1}) for the spatial axes alone.",
            )
        matrix = matrix[leading:, leading:]
    if matrix.shape != (spatial + 1,) * 2:
        raise InvalidValueError(
            f"affine={given!r} must be a matrix ({spatial + 1}, {spatial + 1}) for the "
            f"{spatial} spatial axes."
        )
    if not np.isfinite(matrix).all() or not np.array_equal(matrix[-1], np.eye(spatial + 1)[-1]):
        raise InvalidValueError(
            f"affine={given!r} must be finite, with the last row {[0] * spatial + [1]}."
        )
    linear = matrix[:-1, :-1]
    edges = np.linalg.norm(linear, axis=0)
    if abs(np.linalg.det(linear)) <= SINGULAR * edges.prod():
        raise InvalidValueError(f"affine={given!r} is singular: it makes the data flat.")
    rows = np.eye(4)[:3]
    rows[3 - spatial :, 3 - spatial :] = matrix[:-1]
    return to_affine(rows[:, :3], rows[:, 3])


def to_affine(linear: npt.ArrayLike, offset: npt.ArrayLike) -> Affine:
    """The map ``linear @ point + offset``: (3, 3) and (3,), over (z, y, x)."""
    rows = np.column_stack([np.asarray(linear, np.float64), np.asarray(offset, np.float64)])
    return tuple(tuple(row) for row in rows.tolist())  # type: ignore[return-value]


def apply(affine: Affine, points: npt.ArrayLike) -> Points:
    """Images of points (…, 3), as (z, y, x)."""
    rows = np.array(affine)
    moved: Points = np.asarray(points, np.float64) @ rows[:, :3].T + rows[:, 3]
    return moved


def compose(
    affine: Affine, scale: Sequence[float], translate: Sequence[float]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Matrix (3, 3) and offset (3,) that take a voxel (z, y, x) to the world."""
    if affine == IDENTITY:
        return np.diag(np.array(scale, np.float64)), np.array(translate, np.float64)
    rows = np.array(affine)
    return rows[:, :3] * np.array(scale), rows[:, :3] @ np.array(translate) + rows[:, 3]


def mirrors(affine: Affine) -> bool:
    """Whether right-handed becomes left-handed."""
    return affine != IDENTITY and bool(np.linalg.det(np.array(affine)[:, :3]) < 0)


def in_units(affine: Affine, factor: float) -> Affine:
    """The same map with lengths in another unit, of which `factor` make one of the former."""
    if factor == 1:
        return affine
    return tuple((z, y, x, offset * factor) for z, y, x, offset in affine)  # type: ignore[return-value]


def to_matrix(affine: Affine, spatial: int) -> npt.NDArray[np.float64]:
    """The homogeneous matrix of the spatial axes, as `plan_affine` takes it."""
    matrix = np.vstack([np.array(affine), [0.0, 0.0, 0.0, 1.0]])
    return matrix[3 - spatial :, 3 - spatial :]
