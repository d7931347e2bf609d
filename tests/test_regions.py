"""Regions, written as an index."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as npst

from viewer.errors import InvalidValueError
from viewer.regions import plan_region
from viewer.space import Box

SHAPE = (5, 6, 7)


@pytest.mark.parametrize(
    ("region", "box"),
    [
        (None, Box((0, 0, 0), SHAPE)),
        (..., Box((0, 0, 0), SHAPE)),
        (2, Box((2, 0, 0), (3, 6, 7))),
        (np.int64(-1), Box((4, 0, 0), (5, 6, 7))),
        (np.s_[1:3], Box((1, 0, 0), (3, 6, 7))),
        (np.s_[..., -2:], Box((0, 0, 5), (5, 6, 7))),
        (np.s_[1, ..., 2], Box((1, 0, 2), (2, 6, 3))),
        (np.s_[:, 1:100, ::-3], Box((0, 1, 0), (5, 6, 7))),
        (np.s_[0:5:3], Box((0, 0, 0), (4, 6, 7))),
        (Box((1, 1, 1), (2, 2, 2)), Box((1, 1, 1), (2, 2, 2))),
    ],
)
def test_a_region_is_an_index(region: Any, box: Box) -> None:
    assert plan_region(region, SHAPE) == box


@given(npst.basic_indices(SHAPE))
def test_a_region_holds_all_voxels_that_the_index_takes(index: Any) -> None:
    numbers = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    box = plan_region(index, SHAPE)
    taken = np.asarray(numbers[index])
    assert box.empty == (taken.size == 0)
    assert np.isin(taken, numbers[box.slices]).all()


@pytest.mark.parametrize(
    ("region", "said"),
    [
        (5, "5 is beyond an axis of 5"),
        (np.s_[0, 0, -8], "-8 is beyond an axis of 7"),
        (np.s_[0, 0, 0, 0], "4 axes; the array has 3"),
        (np.s_[..., 1, ...], "more than one"),
        (np.s_[1.5:], "neither|slice indices"),
        (np.s_[::0], "zero"),
        ("60:80", "'60:80' is neither a slice nor an integer"),
        (True, "True is neither"),
        (np.s_[None, 1], "None is neither"),
        ([1, 2], "neither a slice nor an integer"),
        (np.zeros(SHAPE, bool), "neither a slice nor an integer"),
        (Box((0, 0), (1, 1)), re.escape("not within an array of shape (5, 6, 7)")),
        (Box((0, 0, 0), (6, 1, 1)), "not within"),
    ],
)
def test_what_is_no_region_is_refused(region: Any, said: str) -> None:
    with pytest.raises(InvalidValueError, match=said) as caught:
        plan_region(region, SHAPE)
    assert "np.s_" in caught.value.hint
