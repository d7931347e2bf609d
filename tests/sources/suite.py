"""What every source must do, whatever is behind it: one suite, which each adapter's test inherits.

A subclass says how its data is made of NumPy arrays, and how it is broken. All is then held against
these arrays.
"""

from __future__ import annotations

import gc
import os
import pickle
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from viewer.errors import ClosedError, InvalidValueError, SourceError
from viewer.policy import POLICY
from viewer.pyramids.build import build, find
from viewer.pyramids.pyramid import Pyramid
from viewer.sources import Description, Source, as_source
from viewer.space import Box

SHAPE = (9, 22, 35)
"""Odd and even, and no multiple of a chunk."""


class SourceSuite:
    """Inherit, and override what differs; names of test classes begin with ``Test``."""

    dtype: Any = "uint16"
    levels = 1
    """How many the data has."""
    names: tuple[str, ...] = ("z", "y", "x")
    units = ""
    scale: tuple[float, ...] = (1.0, 1.0, 1.0)
    chunks: tuple[int, ...] | None = None

    # --- what a subclass says -----------------------------------------------------------------

    def make(self, arrays: list[np.ndarray], folder: Path) -> Any:
        """The data, finest level first; of one array where `levels` is 1."""
        raise NotImplementedError

    def end(self, data: Any) -> None:
        """Close what `make` left open."""

    def again(self, folder: Path) -> Any:
        """The same data as on another day; None for what nobody would know again."""
        return None

    # --- what is tested -----------------------------------------------------------------------

    @pytest.fixture
    def arrays(self) -> list[np.ndarray]:
        random = np.random.default_rng(3)
        high = 2 if np.dtype(self.dtype) == bool else 200
        array = random.integers(0, high, SHAPE).astype(self.dtype)
        arrays = [array]
        for _ in range(self.levels - 1):
            arrays.append(arrays[-1][:, ::2, ::2])
        return arrays

    @pytest.fixture
    def data(self, arrays: list[np.ndarray], tmp_path: Path) -> Iterator[Any]:
        held = [self.make(arrays, tmp_path)]
        yield held
        for data in held:
            self.end(data)

    @pytest.fixture
    def source(self, data: list[Any]) -> Iterator[Source]:
        source = as_source(data[0])
        yield source
        source.close()

    def test_it_is_a_source(self, source: Source) -> None:
        assert isinstance(source, Source)

    def test_it_knows_what_it_is(self, source: Source, arrays: list[np.ndarray]) -> None:
        assert source.dtype == np.dtype(self.dtype) and source.dtype.isnative
        assert [level.shape for level in source.levels] == [array.shape for array in arrays]
        assert tuple(axis.name for axis in source.axes) == self.names
        assert {axis.kind for axis in source.axes[-2:]} == {"space"}
        assert source.units == self.units
        assert source.levels[0].scale == pytest.approx(self.scale)
        assert source.chunks == self.chunks

    def test_levels_fill_the_same_box(self, source: Source) -> None:
        first = source.levels[0]
        for level in source.levels[1:]:
            for axis in range(len(first.shape)):
                corners = [x.translate[axis] - x.scale[axis] / 2 for x in (first, level)]
                assert corners[0] == pytest.approx(corners[1])
                far = [
                    x.translate[axis] + (x.shape[axis] - 0.5) * x.scale[axis]
                    for x in (first, level)
                ]
                assert far[1] - far[0] <= level.scale[axis]

    def test_any_box_is_what_numpy_has_there(
        self, source: Source, arrays: list[np.ndarray]
    ) -> None:
        @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(st.data())
        def check(draw: st.DataObject) -> None:
            level = draw.draw(st.integers(0, self.levels - 1))
            pairs = [
                sorted(draw.draw(st.tuples(st.integers(0, n), st.integers(0, n))))
                for n in arrays[level].shape
            ]
            box = Box(tuple(a for a, _ in pairs), tuple(max(b, a) for a, b in pairs))
            if box.empty:
                return
            voxels = source.read(level, box)
            assert voxels.dtype.newbyteorder("=") == source.dtype
            np.testing.assert_array_equal(voxels, arrays[level][box.slices])

        check()

    def test_it_is_read_from_many_threads(self, source: Source, arrays: list[np.ndarray]) -> None:
        level = self.levels - 1
        shape = arrays[level].shape
        boxes = [
            Box((i % shape[0], i % 5, 0), (i % shape[0] + 1, shape[1], shape[2])) for i in range(48)
        ]
        with ThreadPoolExecutor(8) as pool:
            for box, voxels in zip(
                boxes, pool.map(lambda box: source.read(level, box), boxes), strict=True
            ):
                np.testing.assert_array_equal(voxels, arrays[level][box.slices])

    def test_a_closed_source_is_not_read(self, source: Source) -> None:
        source.close()
        source.close()
        with pytest.raises(ClosedError):
            source.read(0, Box.whole(source.levels[0].shape))

    def test_closing_lets_go_of_the_data(self, data: list[Any]) -> None:
        source = as_source(data[0])
        alive = [weakref.ref(part) for part in self.parts(data[0])]
        source.read(0, Box((0, 0, 0), (1, 2, 3)))
        source.close()
        self.end(data.pop())
        gc.collect()
        assert [part() for part in alive] == [None] * len(alive)

    def test_a_pyramid_built_once_is_found_again_until_a_file_changes(
        self, data: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files = [file for file in tmp_path.rglob("*") if file.is_file()]
        monkeypatch.setenv("VOXELVIEW_CACHE", str(tmp_path / "cache"))
        small = replace(POLICY, brick_edge=4, brick_voxels=64, coarsest_bricks=1)
        monkeypatch.setattr("viewer.pyramids.levels.POLICY", small)
        pyramid = Pyramid(as_source(data[0]), "image")
        again = self.again(tmp_path)
        if again is None:
            with pytest.raises(InvalidValueError, match="path=None is for data as it is in a file"):
                build(pyramid, None)
            pyramid.close()
            return
        folder = build(pyramid, None)
        pyramid.close()
        self.end(data.pop())
        for changed in (False, True):
            if changed:
                for file in files:
                    os.utime(file, ns=(0, file.stat().st_mtime_ns + 10**9))
            again = self.again(tmp_path)
            pyramid = Pyramid(as_source(again), "image")
            stored = find(pyramid)
            assert (stored and stored.folder) == (None if changed else folder)
            if stored is not None:
                stored.close()
            pyramid.close()
            self.end(again)

    def test_another_process_reads_the_same(
        self, source: Source, arrays: list[np.ndarray], tmp_path: Path
    ) -> None:
        if self.again(tmp_path) is None:
            return
        there: Source = pickle.loads(pickle.dumps(source))
        for level, array in enumerate(arrays):
            voxels = there.read(level, Box.whole(array.shape))
            np.testing.assert_array_equal(voxels, array)
        assert there.levels == source.levels
        assert there.units == source.units
        there.close()

    def parts(self, data: Any) -> list[Any]:
        """What must be gone when data and source are."""
        return list(data.parts) if isinstance(data, Description) else [data]


class Fallible:
    """For those that can fail, which memory cannot: inherit it beside `SourceSuite`."""

    def break_(self, data: Any, folder: Path) -> None:
        """Make reading fail from now on."""
        raise NotImplementedError

    def test_a_failure_is_told_with_a_hint(
        self, source: Source, data: list[Any], tmp_path: Path
    ) -> None:
        self.break_(data[0], tmp_path)
        with pytest.raises(SourceError) as caught:
            source.read(0, Box.whole(source.levels[0].shape))
        assert caught.value.hint
        assert caught.value.__context__ is None  # whose traceback would hold the data
