"""Plans of a pyramid: which levels there are, and how levels are cut.

Pure functions of shapes and scales; `viewer.pyramids.pyramid` carries them out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from operator import mul

from viewer.policy import MIB, POLICY
from viewer.space import Box
from viewer.state import Level

MADE_BYTES = 32 * MIB
"""Bytes of a coarse level made at once, if that is a block of it; of the level below it takes up to
eight times as much, in slabs."""

SLAB_BYTES = 32 * MIB
"""Bytes of the level below read at once, if that is a chunk of the source."""

LONGEST_BRICK = 256
"""Voxels. WebGL 2 promises 3-D textures of this edge, so no brick is longer."""

CHUNK_BLOCK_BYTES = 4 * MIB
"""Bytes. Small source chunks are read together up to this size: each read has a fixed cost."""


def plan_brick(shape: Sequence[int]) -> tuple[int, int, int]:
    """Voxels (z, y, x) of a brick for level-0 data of this spatial shape.

    A cube, unless the data is thin: an axis shorter than the cube is taken whole (rounded up to a
    power of two), and the others double, the shortest first, while the brick holds no more than
    `Policy.brick_voxels` and still has something to cover.
    """
    lengths = (1,) * (3 - len(shape)) + tuple(shape)
    return _grow(lengths, POLICY.brick_edge, POLICY.brick_voxels, LONGEST_BRICK)  # type: ignore[return-value]


def plan_block(shape: Sequence[int], spatial: int) -> tuple[int, ...]:
    """Shape of the blocks in which a level of this shape is made, cached and served as Zarr.

    One index on leading axes; `Policy.block_edge` on spatial ones, more where others are thin;
    never more than the level has.
    """
    leading = len(shape) - spatial
    edge = POLICY.block_edge
    grown = _grow(tuple(shape[leading:]), edge, edge**3, edge**2)
    return (1,) * leading + tuple(map(min, grown, shape[leading:]))


def _grow(lengths: tuple[int, ...], edge: int, voxels: int, longest: int) -> tuple[int, ...]:
    whole = [1 << (n - 1).bit_length() for n in lengths]
    grown = [min(edge, n) for n in whole]
    if all(n >= edge for n in lengths) and len(lengths) == 3:
        return tuple(grown)
    while True:
        # x before y before z among equals
        growing = [
            axis
            for axis in reversed(range(len(lengths)))
            if lengths[axis] >= edge and 2 * grown[axis] <= min(whole[axis], longest)
        ]
        if not growing or 2 * math.prod(grown) > voxels:
            return tuple(grown)
        grown[min(growing, key=grown.__getitem__)] *= 2


def plan_levels(given: tuple[Level, ...], spatial: int) -> tuple[Level, ...]:
    """The given levels and those to be made, until one fits in `Policy.coarsest_bricks` bricks.

    From level to level an axis is halved or left: those are halved whose voxels are shorter than
    twice the shortest, which brings voxels nearer to cubes. Leading axes are never touched, nor
    are axes of one voxel. A voxel's centre moves by half a finer voxel, hence `translate`.
    """
    levels = list(given)
    brick = plan_brick(given[0].shape[-spatial:])[-spatial:]
    while True:
        last = levels[-1]
        bricks = math.prod(map(lambda n, b: -(-n // b), last.shape[-spatial:], brick))
        if bricks <= POLICY.coarsest_bricks:
            return tuple(levels)
        leading = len(last.shape) - spatial
        shortest = min(
            step
            for step, n in zip(last.scale[leading:], last.shape[leading:], strict=True)
            if n > 1
        )
        factors = tuple(
            2 if axis >= leading and n > 1 and step < 2 * shortest else 1
            for axis, (step, n) in enumerate(zip(last.scale, last.shape, strict=True))
        )
        levels.append(
            Level(
                tuple(-(-n // f) for n, f in zip(last.shape, factors, strict=True)),
                tuple(s * f for s, f in zip(last.scale, factors, strict=True)),
                tuple(
                    t + (f - 1) / 2 * s
                    for t, s, f in zip(last.translate, last.scale, factors, strict=True)
                ),
            )
        )


def plan_source_block(
    shape: tuple[int, ...], chunks: tuple[int, ...], spatial: int, itemsize: int
) -> tuple[int, ...]:
    """Whole source chunks that are read and cached together.

    One chunk where chunks are large; else as many as cover a brick edge on each spatial axis,
    within `CHUNK_BLOCK_BYTES`.
    """
    block = [min(c, n) for c, n in zip(chunks, shape, strict=True)]
    for axis in reversed(range(len(shape) - spatial, len(shape))):
        chunk, n = block[axis], shape[axis]
        while block[axis] < min(POLICY.brick_edge, n):
            if 2 * math.prod(block) * itemsize > CHUNK_BLOCK_BYTES:
                break
            block[axis] = min(block[axis] + chunk, -(-n // chunk) * chunk)
    return tuple(block)


def plan_factors(below: Level, here: Level) -> tuple[int, ...]:
    """By how much a made level is smaller than the one below, on each axis: 1 or 2."""
    return tuple(2 if a != b else 1 for a, b in zip(below.shape, here.shape, strict=True))


def made_of(box: Box, factors: Sequence[int], shape: Sequence[int]) -> Box:
    """The voxels that a box of a made level is made of, in the level below, of this shape."""
    return Box(
        tuple(map(mul, box.start, factors)),
        tuple(map(min, map(mul, box.stop, factors), shape)),
    )


def plan_made(
    shape: Sequence[int],
    block: Sequence[int],
    factors: Sequence[int],
    below: Sequence[int] | None,
    itemsize: int,
    most: int = MADE_BYTES,
) -> tuple[int, ...]:
    """Shape of what is made at once of a level: one block, or many.

    Parameters
    ----------
    shape, block : sequence of int
        Of the level, and of its blocks.
    factors : sequence of int
        From the level below, 1 or 2 on each axis; or from a finer one.
    below : sequence of int or None
        What is decoded together of that level. Blocks are made together until they cover whole
        ones, within `most`, so that these are decoded once.
    itemsize : int
        Bytes of a voxel.
    most : int
        Bytes made at once, unless a block has more.
    """
    cell = [min(b, n) for b, n in zip(block, shape, strict=True)]
    if below is not None:
        for axis in reversed(range(len(shape))):
            while cell[axis] < shape[axis] and cell[axis] * factors[axis] % below[axis]:
                grown = min(cell[axis] + block[axis], shape[axis])
                if math.prod(cell) // cell[axis] * grown * itemsize > most:
                    break
                cell[axis] = grown
    return tuple(cell)


def plan_slabs(
    box: Box, factors: Sequence[int], below: Sequence[int] | None, itemsize: int
) -> Iterator[Box]:
    """Cut a box of a coarse level into pieces that are made of about `SLAB_BYTES` each.

    Across the first axis longer than one voxel, by whole chunks of the level below.
    """
    axis = next((axis for axis, n in enumerate(box.shape) if n > 1), 0)
    below_bytes = math.prod(n * f for n, f in zip(box.shape, factors, strict=True)) * itemsize
    fit = SLAB_BYTES * box.shape[axis] // max(1, below_bytes)
    whole = 1 if below is None else -(-below[axis] // factors[axis])
    thickness = max(whole, fit // whole * whole)
    for start in range(box.start[axis], box.stop[axis], thickness):
        stop = min(start + thickness, box.stop[axis])
        yield Box(
            (*box.start[:axis], start, *box.start[axis + 1 :]),
            (*box.stop[:axis], stop, *box.stop[axis + 1 :]),
        )


def plan_exact(
    levels: Sequence[Level],
    blocks: Sequence[tuple[int, ...]],
    given: int,
    below: Sequence[int] | None,
    itemsize: int,
    *,
    resident: bool = False,
) -> int:
    """How many levels can be made exactly, block by block, without reading much for one block.

    The others are previews, unless the levels are made beforehand. Of an array of no more than
    `Policy.exact_bytes` all.

    Parameters
    ----------
    levels : sequence of Level
    blocks : sequence of tuple of int
        Of all levels.
    given : int
        Levels that the source has.
    below : sequence of int or None
        What the source decodes together at the coarsest of them.
    itemsize : int
        Bytes of a voxel.
    resident : bool
        Whether the source is in memory, where only one block's bytes count.
    """
    base = levels[given - 1].shape
    if math.prod(base) * itemsize <= POLICY.exact_bytes:
        return len(levels)
    if below is not None and given < len(levels):
        factors = plan_factors(levels[given - 1], levels[given])
        cell = plan_made(levels[given].shape, blocks[given], factors, below, itemsize)
        decoded = math.prod(
            min(-(-c * f // b) * b, n)
            for c, f, b, n in zip(cell, factors, below, base, strict=True)
        )
        if decoded * itemsize > POLICY.decoded_bytes:
            return given
    most = POLICY.view_voxels if below is None else POLICY.chunk_view_voxels
    for index in range(given, len(levels)):
        steps = plan_steps_to(levels, given - 1, index)
        read = math.prod(min(b * s, n) for b, s, n in zip(blocks[index], steps, base, strict=True))
        view = read * plan_view(levels[index].shape, blocks[index])
        if read > POLICY.exact_voxels or (index > given and not resident and view > most):
            return index
    return len(levels)


def plan_refined(
    levels: Sequence[Level],
    blocks: Sequence[tuple[int, ...]],
    given: int,
    below: Sequence[int] | None,
    itemsize: int,
    exact: int,
) -> range:
    """The levels of which a page first gets previews, and then exact voxels.

    One look at a finer level decodes so little that it is waited for; at a coarser one so much
    that it stays a preview. Parameters as of `plan_exact`; `exact` is what that has found.
    """
    base = levels[given - 1].shape
    if below is None or exact == given or math.prod(base) * itemsize <= POLICY.exact_bytes:
        return range(exact, exact)
    first, stop = exact, exact
    for index in range(given, len(levels)):
        steps = plan_steps_to(levels, given - 1, index)
        decoded = plan_look(levels[index].shape, blocks[index], steps, below, base)
        if decoded * itemsize > POLICY.prompt_view_bytes:
            first = min(first, index)
        if index == stop and decoded <= POLICY.chunk_view_voxels:
            stop = index + 1
    return range(first, stop)


def plan_look(
    shape: Sequence[int],
    block: Sequence[int],
    steps: Sequence[int],
    below: Sequence[int],
    base: Sequence[int],
) -> int:
    """About how many voxels three slices of a level take decoding, at most.

    Parameters
    ----------
    shape, block : sequence of int
        Of the level, and of its blocks.
    steps : sequence of int
        Voxels of the level that is decoded for each of them.
    below, base : sequence of int
        Chunks and shape of that level.
    """
    spatial = [axis for axis, n in enumerate(block) if n > 1]
    slices = spatial if len(spatial) == 3 else [-1]
    reach = math.isqrt(POLICY.view_blocks * POLICY.block_edge**2 // len(slices))
    total = 0
    for normal in slices:
        decoded = 1
        for axis in range(len(shape)):
            b, chunk = block[axis], below[axis]
            seen = min(shape[axis], -(-reach // b) * b) if axis in spatial and axis != normal else b
            decoded *= min(-(-seen * steps[axis] // chunk) * chunk, base[axis])
        total += decoded
    return min(total, math.prod(base[axis] for axis in spatial))


def plan_view(shape: Sequence[int], block: Sequence[int]) -> int:
    """About how many blocks of a level one look at it takes, at most."""
    blocks = math.prod(-(-n // b) for n, b in zip(shape, block, strict=True) if b > 1)
    return min(POLICY.view_blocks, blocks)


def plan_steps_to(levels: Sequence[Level], base: int, level: int) -> tuple[int, ...]:
    """Voxels of made level `base` for one of a coarser level, on each axis."""
    steps = [1] * len(levels[0].shape)
    for below, here in itertools.pairwise(levels[base : level + 1]):
        steps = [s * f for s, f in zip(steps, plan_factors(below, here), strict=True)]
    return tuple(steps)


def origin(levels: Sequence[Level], given: int, level: int, box: Box) -> Box:
    """The voxels of level 0 that a box of a made level comes from: `project` backwards."""
    steps = plan_steps_to(levels, given - 1, level)
    start, stop = [], []
    for a, b, step, n, m in zip(
        box.start, box.stop, steps, levels[0].shape, levels[given - 1].shape, strict=True
    ):
        start.append(a * step * n // m)
        stop.append(min(-(-b * step * n // m), n))
    return Box(tuple(start), tuple(stop))


def project(levels: Sequence[Level], given: int, level: int, box: Box) -> Box:
    """The voxels of a level that a box of level 0 goes into.

    Exact for made levels. How a source made its own (the first `given`) is not known, so there
    the answer has a voxel more on each side of the axes that were reduced.
    """
    start, stop = list(box.start), list(box.stop)
    for index in range(level):
        below, here = levels[index].shape, levels[index + 1].shape
        for axis, (n, m) in enumerate(zip(below, here, strict=True)):
            if n == m or start[axis] == stop[axis]:
                continue
            if index + 1 >= given:
                start[axis], stop[axis] = start[axis] // 2, -(-stop[axis] // 2)
            else:
                start[axis] = max(start[axis] * m // n - 1, 0)
                stop[axis] = min(-(-stop[axis] * m // n) + 1, m)
    return Box(tuple(start), tuple(stop))
