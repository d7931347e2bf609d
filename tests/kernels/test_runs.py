"""Runs and the index of labels against a slow search in numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from viewer.kernels.runs import find_runs, index_block, measure, merge

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
    keys, rows = merge([index_block(block, (0, 0, 0), block.shape[1])[:2]])
    assert dict(zip(keys.tolist(), rows.tolist(), strict=True)) == slowly(block)


@given(hnp.arrays(np.uint64, (5, 6, 7), elements={"max_value": 9}), st.integers(1, 4))
@settings(deadline=None)
def test_blocks_merge_to_the_index_of_the_whole(block: np.ndarray, cut: int) -> None:
    parts = [
        index_block(block[:cut], (0, 0, 0), 6)[:2],
        index_block(block[cut:], (cut, 0, 0), 6)[:2],
    ]
    keys, rows = merge(parts)
    assert dict(zip(keys.tolist(), rows.tolist(), strict=True)) == slowly(block)


def test_many_labels_make_the_table_grow() -> None:
    block = np.arange(8 * 50 * 50, dtype=np.uint64).reshape(8, 50, 50) * np.uint64(2**40 + 1)
    keys, rows = index_block(block, (0, 0, 0), 50)[:2]
    assert len(keys) == block.size - 1
    assert (rows[:, 0] == 1).all()


@pytest.mark.parametrize("label", [2**64 - 1, 2**63])
def test_labels_beyond_63_bits_keep_their_value(label: int) -> None:
    keys = index_block(np.full((1, 1, 1), label, np.uint64), (0, 0, 0), 1)[0]
    assert keys.tolist() == [label]


wide = st.sampled_from([*INTEGERS, np.dtype(bool)]).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        st.tuples(st.integers(1, 2), st.integers(1, 2), st.integers(1, 200)),
        elements=st.sampled_from([0, 1] if dtype.kind == "b" else [0, 1, 1, 1, 2]),
    )
)


def painted(runs: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The mask that runs stand for."""
    mask = np.zeros((shape[0] * shape[1], shape[2]), bool)
    for run in runs.tolist():
        row, first, length = run >> 32, run >> 16 & 0xFFFF, (run & 0xFFFF) + 1
        assert not mask[row, first : first + length].any()
        mask[row, first : first + length] = True
    return mask.reshape(shape)


@given(wide)
@settings(deadline=None)
def test_the_runs_of_a_label_are_its_voxels(block: np.ndarray) -> None:
    runs = find_runs(block, (0, 0, 0), block.shape[1], 1)
    assert np.array_equal(painted(runs, block.shape), block == 1)
    assert (np.diff(runs.astype(object)) > 0).all()


@given(wide)
@settings(deadline=None)
def test_the_index_has_the_runs_of_every_label(block: np.ndarray) -> None:
    keys, _, runs, owners, complete = index_block(block, (0, 0, 0), block.shape[1])
    assert complete
    for row, key in enumerate(keys):
        assert np.array_equal(painted(runs[owners == row], block.shape), block == key)


def test_runs_are_left_out_beyond_a_limit_and_the_rest_is_kept() -> None:
    block = np.arange(1, 30 * 40 * 64 + 1, dtype=np.uint32).reshape(30, 40, 64)
    keys, rows, runs, _, complete = index_block(block, (0, 0, 0), 40, 1000)
    assert not complete
    assert len(runs) == 0
    assert len(keys) == len(rows) == block.size


def test_what_is_measured_of_runs_is_what_the_index_says() -> None:
    block = (np.random.default_rng(3).random((9, 8, 100)) < 0.3).astype(np.uint8)
    row, ordered = measure(find_runs(block, (5, 6, 7), 20, 1), 20)
    _, rows = index_block(block, (5, 6, 7), 20)[:2]
    assert ordered
    assert row.tolist() == rows[0].tolist()
