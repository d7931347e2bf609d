"""The index of labels, and the search for one: every kind of array, any layout, bounded."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from viewer.errors import CancelledError, NotFoundError
from viewer.meshing.label_index import LabelIndex, make_index
from viewer.meshing.label_search import find_label
from viewer.pyramids.pyramid import Pyramid
from viewer.sources import as_source

MANY = 1 << 30


def pyramid_of(data: object) -> Pyramid:
    return Pyramid(as_source(data), "labels")  # type: ignore[arg-type]


def noise(shape: tuple[int, ...] = (9, 10, 150), dtype: str = "uint32") -> np.ndarray:
    return np.random.default_rng(0).integers(0, 5, shape).repeat(3, -1).astype(dtype)


def assert_right(index: LabelIndex, data: np.ndarray) -> None:
    labels = np.unique(data[data != 0])
    assert index.keys.tolist() == sorted(int(label) & (2**64 - 1) for label in labels)
    for label in labels.tolist():
        row = index.row(label)
        where = np.argwhere(data == label)
        assert index.counts[row] == len(where)
        assert index.starts[row].tolist() == where.min(0).tolist()
        assert index.stops[row].tolist() == (where.max(0) + 1).tolist()
        assert index.centroids[row] == pytest.approx(where.mean(0))


LAYOUTS = {
    "C": lambda a: a,
    "Fortran": np.asfortranarray,
    "backwards": lambda a: a[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1],
    "stepped": lambda a: a.repeat(2, 0).repeat(2, 2)[::2, :, ::2],
    "transposed": lambda a: np.ascontiguousarray(a.transpose(2, 0, 1)).transpose(1, 2, 0),
    "swapped": lambda a: a.astype(a.dtype.newbyteorder()),
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_memory_layout_is_indexed_and_searched(layout: str) -> None:
    plain = noise()
    data = LAYOUTS[layout](plain)
    assert_right(make_index(pyramid_of(data), ()), plain)
    found = find_label(pyramid_of(data), 3, (), most_runs=MANY)
    assert found.count == (plain == 3).sum()


@given(
    st.sampled_from([np.dtype(f"{k}{n}") for k in "iu" for n in (1, 2, 4, 8)]).flatmap(
        lambda dtype: hnp.arrays(
            dtype,
            hnp.array_shapes(min_dims=3, max_dims=3, max_side=8),
            elements=st.sampled_from(
                [0, 1, np.iinfo(dtype).max, np.iinfo(dtype).min]
                + ([2**32 + 1] if dtype.itemsize == 8 else [])
            ),
        )
    )
)
@settings(deadline=None)
def test_bounds_are_exact_for_every_dtype(data: np.ndarray) -> None:
    pyramid = pyramid_of(data)
    index = make_index(pyramid, ())
    assert_right(index, data)
    for label in np.unique(data[data != 0]).tolist():
        found = find_label(pyramid, label, (), most_runs=MANY)
        row = index.row(label)
        assert (found.box, found.count) == (index.box(row), index.counts[row])
        assert np.array_equal(np.sort(index.runs_of(row)), found.runs)  # type: ignore[arg-type]


def test_files_are_indexed_by_their_chunks(tmp_path: Path) -> None:
    data = noise((70, 40, 60))
    with h5py.File(tmp_path / "labels.h5", "w") as file:
        stored = file.create_dataset("labels", data=data, chunks=(16, 16, 32), compression="gzip")
        index = make_index(pyramid_of(stored), ())
        assert_right(index, data)
        found = find_label(pyramid_of(stored), 2, (), most_runs=MANY)
    assert np.array_equal(np.sort(index.runs_of(index.row(2))), found.runs)  # type: ignore[arg-type]


def test_runs_too_many_to_be_kept_are_left_out() -> None:
    data = noise()
    index = make_index(pyramid_of(data), (), most_runs=100)
    assert index.runs is None
    assert_right(index, data)


def test_many_labels_in_many_blocks_are_merged_as_they_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("viewer.meshing.label_search.INDEX_VOXELS", 1 << 10)
    monkeypatch.setattr("viewer.meshing.label_index.PENDING_ROWS", 100)
    data = np.arange(16 * 16 * 64, dtype=np.uint32).reshape(16, 16, 64) // 7
    assert_right(make_index(pyramid_of(data), (), most_runs=0), data)


def test_a_search_ends_when_there_are_too_many_runs() -> None:
    data = np.zeros((40, 64, 64), np.uint8)
    data[:, :, ::2] = 1
    found = find_label(pyramid_of(data), 1, (), most_runs=1000)
    assert not found.complete


def test_an_array_in_memory_is_not_copied() -> None:
    data = np.zeros((64, 256, 256), np.uint32)
    data[20:40, 50:90, 60:200] = 9
    pyramid = pyramid_of(data)
    find_label(pyramid, 9, (), most_runs=MANY)
    tracemalloc.start()
    find_label(pyramid, 9, (), most_runs=MANY)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < data.nbytes / 8


@pytest.mark.parametrize("label", [256, -1, 2**64])
def test_a_label_beyond_the_dtype_is_not_there(label: int) -> None:
    with pytest.raises(NotFoundError):
        find_label(pyramid_of(np.ones((3, 3, 3), np.uint8)), label, (), most_runs=MANY)


def test_an_index_that_nobody_waits_for_ends() -> None:
    with pytest.raises(CancelledError):
        make_index(pyramid_of(noise()), (), cancelled=lambda: True)
