"""Orientations: quaternions (x, y, z, w) that turn the world into a view's (right, down, away)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from viewer.errors import InvalidValueError

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]

STRAIGHT: Quaternion = (0.0, 0.0, 0.0, 1.0)
"""Along the axes of the world."""

YZ_UP: Quaternion = (1.0, 0.0, 0.0, 0.0)
"""y and z run upwards: for heads where y is to the front, and for pictures that begin below."""

Z_UP: Quaternion = (0.0, 1.0, 0.0, 0.0)
"""z runs upwards and x to the left: for heads where y is to the back, which goes on downwards."""

PANELS: Mapping[str, Quaternion] = {
    "xy": STRAIGHT,
    "xz": (math.sqrt(0.5), 0.0, 0.0, -math.sqrt(0.5)),
    "yz": (0.0, math.sqrt(0.5), 0.0, math.sqrt(0.5)),
}
"""Of who sees what a panel shows of straight slices, right and down."""

_PARALLEL = 1e-6
"""Sine of the angle below which two directions say the same."""


def orientation_along(normal: Sequence[float], up: Sequence[float] | None = None) -> Quaternion:
    """The orientation of who looks along a direction.

    Parameters
    ----------
    normal : (float, float, float)
        Direction (z, y, x) into which is looked, of any length but 0.
    up : (float, float, float), optional
        Direction (z, y, x) that points upwards, as far as it can. Default: y runs down; where y
        is looked along, x runs to the right.

    Raises
    ------
    InvalidValueError
        For what is no direction, and for an `up` along `normal`.
    """
    away = _direction("normal", normal)
    if up is not None:
        right = _cross(_scaled(_direction("up", up), -1), away)
    else:
        right = _cross((0.0, 1.0, 0.0), away)
        if math.hypot(*right) < _PARALLEL:
            right = _cross(_cross(away, (1.0, 0.0, 0.0)), away)
    length = math.hypot(*right)
    if length < _PARALLEL:
        raise InvalidValueError(
            f"up={tuple(up or ())!r} lies along normal={tuple(normal)!r}.",
            hint="Leave it out, or give a direction aside of the normal.",
        )
    right = _scaled(right, 1 / length)
    return _quaternion(right, _cross(away, right), away)


def composed(first: Quaternion, second: Quaternion) -> Quaternion:
    """The orientation of who is turned by `first`, and then by `second`."""
    x, y, z, w = second
    a, b, c, d = first
    return (
        w * a + x * d + y * c - z * b,
        w * b - x * c + y * d + z * a,
        w * c + x * b - y * a + z * d,
        w * d - x * a - y * b - z * c,
    )


def is_same(one: Quaternion, other: Quaternion) -> bool:
    """Whether both are the same but for rounding."""
    return math.dist(one, other) < _PARALLEL


def _direction(name: str, given: Sequence[float]) -> Vector:
    """As (x, y, z), of length 1."""
    try:
        z, y, x = (float(part) for part in given)
        length = math.hypot(x, y, z)
    except (TypeError, ValueError):
        length = math.nan
    if not 0 < length < math.inf:
        raise InvalidValueError(
            f"{name}={given!r} is no direction.",
            hint="Use three numbers (z, y, x), not all 0: (1, 0, 0) is along z.",
        )
    return x / length, y / length, z / length


def _cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _scaled(vector: Vector, by: float) -> Vector:
    x, y, z = vector
    return x * by, y * by, z * by


def _quaternion(right: Vector, down: Vector, away: Vector) -> Quaternion:
    """Of the matrix that has these rows; each part from whichever is greatest, to be exact."""
    rows = (right, down, away)
    trace = right[0] + down[1] + away[2]
    if trace > 0:
        four = 2 * math.sqrt(1 + trace)
        w = four / 4
        return (
            (away[1] - down[2]) / four,
            (right[2] - away[0]) / four,
            (down[0] - right[1]) / four,
            w,
        )
    i = max(range(3), key=lambda axis: rows[axis][axis])
    j, k = (i + 1) % 3, (i + 2) % 3
    four = 2 * math.sqrt(1 + rows[i][i] - rows[j][j] - rows[k][k])
    parts = [0.0, 0.0, 0.0]
    parts[i] = four / 4
    parts[j] = (rows[j][i] + rows[i][j]) / four
    parts[k] = (rows[k][i] + rows[i][k]) / four
    return parts[0], parts[1], parts[2], (rows[k][j] - rows[j][k]) / four
