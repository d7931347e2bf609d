"""The orientation of who looks along a direction."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from viewer.errors import InvalidValueError
from viewer.orientation import orientation_along


def rows(quaternion: tuple[float, float, float, float]) -> NDArray[np.float64]:
    """Right, down and away in the world, each as (x, y, z)."""
    x, y, z, w = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def directions() -> NDArray[np.float64]:
    """Every way, the axes forwards and backwards among them."""
    random = np.random.default_rng(0).normal(size=(200, 3))
    return np.concatenate([np.eye(3), -np.eye(3), random])


@pytest.mark.parametrize("up", [None, (-0.1, 1, 0.3)])
def test_away_is_the_normal_and_the_rest_is_at_right_angles(
    up: tuple[float, float, float] | None,
) -> None:
    for normal in directions():
        turned = rows(orientation_along(normal, up))
        np.testing.assert_allclose(turned[2], normal[::-1] / np.linalg.norm(normal), atol=1e-12)
        np.testing.assert_allclose(turned @ turned.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(turned) == pytest.approx(1)


def test_up_is_up_as_far_as_it_can_be() -> None:
    for normal in directions()[6:]:
        right, down, _ = rows(orientation_along(normal, (1, 0, 0)))
        assert right[2] == pytest.approx(0, abs=1e-12)
        assert down[2] < 0


def test_by_itself_y_runs_down_and_x_to_the_right() -> None:
    for normal in directions()[6:]:
        right, down, _ = rows(orientation_along(normal))
        assert right[1] == pytest.approx(0, abs=1e-12)
        assert down[1] > 0
    assert orientation_along((3, 0, 0)) == (0, 0, 0, 1)
    for along_y in ((0, 1, 0), (0, -2, 0)):
        np.testing.assert_allclose(rows(orientation_along(along_y))[0], (1, 0, 0), atol=1e-12)


@pytest.mark.parametrize("normal", [(0, 0, 0), (1, 2), "z", (1, math.nan, 0), None])
def test_what_is_no_direction_is_refused(normal: object) -> None:
    with pytest.raises(InvalidValueError, match="is no direction"):
        orientation_along(normal)  # type: ignore[arg-type]


def test_up_along_the_normal_says_nothing() -> None:
    with pytest.raises(InvalidValueError, match="lies along"):
        orientation_along((1, 2, 3), (-2, -4, -6))
