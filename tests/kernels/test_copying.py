"""Boxes of large arrays are copied whole, and nothing beside them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.errors import SourceError
from viewer.kernels.copying import copy_rows
from viewer.pyramids.transfer import copy_same, prepare

spans = st.tuples(st.integers(0, 19), st.integers(1, 20)).map(lambda s: slice(s[0], sum(s)))


@given(st.tuples(spans, spans, spans), st.sampled_from(["u1", "i2", "f4", "u8", "c16"]))
def test_a_box_is_copied_and_nothing_else_is_touched(box, dtype):
    data = np.random.default_rng(0).integers(0, 255, (20, 21, 40)).astype(dtype)
    data.flags.writeable = False
    shape = data[box].shape
    room = np.full(tuple(n + 2 for n in shape), 99, dtype)
    expected = room.copy()
    expected[1:-1, 1:-1, 1:-1] = data[box]
    copy_rows(data[box].view(np.uint8), room[1:-1, 1:-1, 1:-1].view(np.uint8))
    np.testing.assert_array_equal(room, expected)


@pytest.mark.parametrize("shape", [(3, 40, 50), (1, 1, 3, 40, 50), (2, 3, 40, 50), (40, 50), (7,)])
@pytest.mark.parametrize("dtype", ["u1", "f8", ">u4", "bool"])
def test_voxels_come_whole_by_the_compiled_loop_and_without_it(shape, dtype):
    data = (np.random.default_rng(0).random(shape) * 9).astype(dtype)
    prepare()
    for part in (data, data.T, data[..., ::2], data[..., :0], data[..., 3:5]):
        out = np.zeros(part.shape, dtype)
        copy_same(part, out)
        np.testing.assert_array_equal(out, part)


def test_voxels_of_another_shape_are_refused():
    with pytest.raises(SourceError, match="add it again"):
        copy_same(np.zeros((2, 3, 4)), np.zeros((2, 3, 5)))
