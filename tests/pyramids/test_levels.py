"""Plans of levels, bricks and blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.policy import POLICY
from viewer.pyramids.levels import (
    plan_block,
    plan_brick,
    plan_exact,
    plan_levels,
    plan_refined,
    plan_source_block,
    project,
)
from viewer.space import Box
from viewer.state import Level


@pytest.mark.parametrize(
    ("shape", "brick"),
    [
        ((256, 256, 256), (32, 32, 32)),
        ((32, 32, 32), (32, 32, 32)),
        ((1, 4000, 4000), (1, 256, 256)),
        ((4000, 4000), (1, 256, 256)),
        ((20, 68, 52), (32, 32, 64)),
        ((5, 1000, 1000), (8, 64, 128)),
        ((3, 3), (1, 4, 4)),
        ((1, 1, 1), (1, 1, 1)),
        ((100, 100), (1, 128, 128)),
        ((1, 1, 1 << 20), (1, 1, 256)),
    ],
)
def test_bricks_are_cubes_unless_the_data_is_thin(shape, brick):
    assert plan_brick(shape) == brick


@given(st.lists(st.integers(1, 5000), min_size=2, max_size=3))
def test_a_brick_fits_and_is_no_larger_than_the_data_needs(shape):
    brick = plan_brick(shape)
    assert np.prod(brick) <= POLICY.brick_voxels
    assert all(b & (b - 1) == 0 for b in brick)
    assert all(b < 2 * n for b, n in zip(brick[3 - len(shape) :], shape, strict=True))


@pytest.mark.parametrize(
    ("shape", "block"),
    [
        ((3, 256, 100, 256), (1, 64, 64, 64)),
        ((4000, 4000), (512, 512)),
        ((1, 4000, 4000), (1, 512, 512)),
        ((7, 5, 3), (7, 5, 3)),
    ],
)
def test_blocks_are_cubes_clipped_to_the_level(shape, block):
    assert plan_block(shape, min(3, len(shape))) == block


def test_an_isotropic_volume_is_halved_on_all_axes_to_a_screenful():
    levels = plan_levels((Level((256, 200, 131), (1,) * 3, (0,) * 3),), 3)
    assert [level.shape for level in levels] == [(256, 200, 131), (128, 100, 66), (64, 50, 33)]
    assert levels[2].scale == (4, 4, 4)
    assert levels[2].translate == (1.5, 1.5, 1.5)


def test_fine_axes_are_halved_until_voxels_are_nearly_cubes():
    levels = plan_levels((Level((256,) * 3, (40, 4, 4), (0, 10, 20)),), 3)
    assert [level.scale for level in levels] == [(40, 4, 4), (40, 8, 8), (40, 16, 16), (40, 32, 32)]
    assert levels[3].translate == (0, 24, 34)


@given(
    st.lists(st.integers(1, 10**6), min_size=2, max_size=6),
    st.lists(st.floats(1e-6, 1e6), min_size=6, max_size=6),
)
def test_levels_end_cover_the_same_world_and_leave_leading_axes_alone(shape, scale):
    spatial = min(3, len(shape))
    first = Level(tuple(shape), tuple(scale[: len(shape)]), (0.0,) * len(shape))
    levels = plan_levels((first,), spatial)
    brick = plan_brick(shape[-spatial:])[-spatial:]
    counts = [-(-n // b) for n, b in zip(levels[-1].shape[-spatial:], brick, strict=True)]
    assert np.prod(counts) <= POLICY.coarsest_bricks
    assert len(levels) < 64
    for level in levels:
        assert level.shape[:-spatial] == first.shape[:-spatial]
        for n, s, t, s0 in zip(level.shape, level.scale, level.translate, first.scale, strict=True):
            assert t - s / 2 == pytest.approx(-s0 / 2)  # the same edge of the same world
            assert n >= 1


@pytest.mark.parametrize(
    ("shape", "chunks", "block"),
    [
        ((256,) * 3, (64, 64, 64), (64, 64, 64)),
        ((256,) * 3, (1, 256, 256), (32, 256, 256)),
        ((9, 256, 256, 256), (1, 8, 8, 8), (1, 32, 32, 32)),
        ((10, 10, 10), (16, 16, 16), (10, 10, 10)),
        ((1 << 14, 1 << 14, 1 << 14), (1, 4096, 4096), (1, 4096, 4096)),
    ],
)
def test_small_source_chunks_are_read_together(shape, chunks, block):
    assert plan_source_block(shape, chunks, 3, 1) == block


@pytest.mark.parametrize(
    ("shape", "chunks", "refined"),
    [
        ((2048, 1024, 1024), (64, 64, 64), range(1, 6)),
        ((2048, 1024, 1024), (1, 1024, 1024), range(1, 6)),
        ((700, 700, 700), (64, 64, 64), range(2, 5)),
        ((512, 512, 512), (64, 64, 64), range(4, 4)),  # read at once
        ((1 << 14,) * 3, (64, 64, 64), range(1, 3)),
        ((1 << 14,) * 3, (1, 4096, 4096), range(1, 1)),  # one block takes a hundred planes
        ((1 << 14,) * 3, None, range(2, 2)),  # sampled in steps
        ((1, 40000, 40000), (1, 512, 512), range(4, 8)),
    ],
)
def test_of_levels_that_take_seconds_pages_get_previews_first(shape, chunks, refined):
    levels = plan_levels((Level(shape, (1,) * 3, (0,) * 3),), 3)
    blocks = [plan_block(level.shape, 3) for level in levels]
    exact = plan_exact(levels, blocks, 1, chunks, 1)
    assert plan_refined(levels, blocks, 1, chunks, 1, exact) == refined


@given(st.data())
def test_a_box_goes_into_the_voxels_that_are_made_of_it(data):
    shape = tuple(data.draw(st.lists(st.integers(1, 300), min_size=2, max_size=3)))
    levels = plan_levels((Level(shape, (1.0,) * len(shape), (0.0,) * len(shape)),), len(shape))
    spans = [sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n)))) for n in shape]
    box = Box(tuple(a for a, _ in spans), tuple(b for _, b in spans))
    for level, here in enumerate(levels):
        coarse = project(levels, 1, level, box)
        for axis in range(len(shape)):
            shift = round(here.scale[axis]).bit_length() - 1
            touched = {i >> shift for i in range(box.start[axis], box.stop[axis])}
            assert set(range(coarse.start[axis], coarse.stop[axis])) == touched


def test_a_box_goes_a_voxel_further_in_levels_that_the_source_made():
    levels = [Level((n,), (1.0,), (0.0,)) for n in (1001, 500, 500, 100)]
    spans = [project(levels, 4, level, Box((400,), (500,))) for level in range(4)]
    assert [(span.start[0], span.stop[0]) for span in spans[1:]] == [
        (198, 251),
        (198, 251),
        (38, 52),
    ]
    assert project(levels, 4, 3, Box.whole((1001,))) == Box.whole((100,))
