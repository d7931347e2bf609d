"""The index of labels against a slow search in numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from viewer.kernels.bounds import merge, scan_block

INTEGERS = [np.dtype(f"{kind}{size}") for kind in "iu" for size in (1, 2, 4, 8)]
blocks = st.sampled_from([*INTEGERS, np.dtype(bool)]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=3, max_dims=3, max_side=7))
)


def slowly(block: np.ndarray) -> dict[int, list[int]]:
    found = {}
    for label in np.unique(block[block != 0]).tolist():
        where = np.argwhere(block == label)
        row = [len(where), *where.min(0), *(where.max(0) + 1), *where.sum(0)]
        found[int(label) & 0xFFFFFFFFFFFFFFFF] = [int(value) for value in row]
    return found


@given(blocks)
@settings(deadline=None)
def test_every_label_has_its_count_box_and_sums(block: np.ndarray) -> None:
    keys, rows = merge([scan_block(block, (0, 0, 0))])
    assert dict(zip(keys.tolist(), rows.tolist(), strict=True)) == slowly(block)


@given(hnp.arrays(np.uint64, (5, 6, 7), elements={"max_value": 9}), st.integers(1, 4))
@settings(deadline=None)
def test_blocks_merge_to_the_index_of_the_whole(block: np.ndarray, cut: int) -> None:
    parts = [scan_block(block[:cut], (0, 0, 0)), scan_block(block[cut:], (cut, 0, 0))]
    keys, rows = merge(parts)
    assert dict(zip(keys.tolist(), rows.tolist(), strict=True)) == slowly(block)


def test_many_labels_make_the_table_grow() -> None:
    block = np.arange(8 * 50 * 50, dtype=np.uint64).reshape(8, 50, 50) * np.uint64(2**40 + 1)
    keys, rows = scan_block(block, (0, 0, 0))
    assert len(keys) == block.size - 1
    assert (rows[:, 0] == 1).all()


@pytest.mark.parametrize("label", [2**64 - 1, 2**63])
def test_labels_beyond_63_bits_keep_their_value(label: int) -> None:
    keys, _ = scan_block(np.full((1, 1, 1), label, np.uint64), (0, 0, 0))
    assert keys.tolist() == [label]
