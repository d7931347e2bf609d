"""Surface of one label: marching cubes on bits, with shared vertices.

The cubes' corners are voxel centres, so vertices lie midway between a voxel inside and a
neighbour outside. Each lattice edge that the surface crosses gives one vertex, shared by the four
cubes around it; nothing is merged afterwards, and no two vertices are alike.

The voxels come as runs (`viewer.kernels.runs`), plane after plane, and are painted as bits, 64 a
word. Crossings are then the exclusive or of two words and their number a population count; only
words between a row's first and last voxel are looked at. Four planes are kept, whatever the
object's size: time goes with the runs and the surface, not with the box.

Vertices are numbered in the order z, y, and within a row all that cross planes, then all along x,
then all along y. So eight counters, two for every row around a cube, tell the numbers of its
twelve edges as it moves along x: no table of numbers, no search. (The idea of running counters is
that of Schroeder, Maynard and Geveci, Flying Edges, LDAV 2015.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from viewer.kernels.cube_cases import case_table

_instructions: Any = intrinsic
"""Numba's decorator, whose types know nothing of what it returns: a compiled function."""

AXIS = 3
"""Bits of a vertex' kind: the axis of its lattice edge, 0 for z."""
LOW_ALONE = 4
"""Bit of a kind: the voxel before the vertex differs from both its neighbours on the axis."""
HIGH_ALONE = 8
"""Bit of a kind: the voxel behind the vertex differs from both its neighbours on the axis."""
LOW_INSIDE = 16
"""Bit of a kind: the voxel before the vertex is the one inside."""

PLANES_AT_ONCE = 64
"""Planes between two looks whether somebody still waits."""

FACES_AT_ONCE = 3
"""Faces written for every cube, however many it has."""

_RING = 4
_MARGIN = 2  # rows of nothing around a plane: a flag looks at two rows on either side


class Surface(NamedTuple):
    """Triangles on the lattice."""

    vertices: npt.NDArray[np.float32]
    """(n, 4): z, y, x in voxels from the box' first one, and 1."""
    faces: npt.NDArray[np.uint32]
    """(m, 3): outward by the right-hand rule in (z, y, x) coordinates."""
    kinds: npt.NDArray[np.uint8]
    """(n,): `AXIS`, `LOW_ALONE`, `HIGH_ALONE` and `LOW_INSIDE` of every vertex."""


@_instructions
def _ones(typing_context, word):  # type: ignore[no-untyped-def]
    """Number of bits that are set."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return builder.ctpop(values[0])

    return types.int64(types.uint64), generate


@_instructions
def _first(typing_context, word):  # type: ignore[no-untyped-def]
    """Number of the lowest bit that is set; the word must not be 0."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@_instructions
def _advance(typing_context, counters, steps, case):  # type: ignore[no-untyped-def]
    """Move the last eight of sixteen counters to the front, and add the steps of a case to them."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        numbers, rows = (
            context.make_array(kind)(context, builder, array).data
            for kind, array in zip(signature.args, values[:2], strict=False)
        )
        eight = ir.VectorType(ir.IntType(32), 8)
        row = builder.shl(values[2], ir.Constant(values[2].type, 3))
        places = [
            builder.bitcast(builder.gep(start, [at]), eight.as_pointer())
            for start, at in (
                (numbers, ir.Constant(ir.IntType(64), 0)),
                (numbers, ir.Constant(ir.IntType(64), 8)),
                (rows, row),
            )
        ]
        now, step = builder.load(places[1]), builder.load(places[2])
        now.align = step.align = 4
        builder.store(now, places[0]).align = 4
        builder.store(builder.add(now, step), places[1]).align = 4
        return context.get_dummy_value()

    return types.void(counters, steps, types.uint64), generate


@numba.njit(nogil=True, cache=True)
def _turn(ring, spans, extents, plane, runs, state, box, height):  # type: ignore[no-untyped-def]
    """Put a plane of the padded box into its place in the ring, where an older one was."""
    bits = ring[plane % 4]
    span = spans[plane % 4]
    extent = extents[plane % 4]
    for row in range(extent[0], extent[1]):
        for word in range(span[row, 0], span[row, 1]):
            bits[row, word] = 0
        span[row, 0] = bits.shape[1]
        span[row, 1] = 0
    extent[0] = len(span)
    extent[1] = 0
    number = state[0]
    first_row = np.uint64((box[0] + plane - 1) * height)
    stop_row = first_row + np.uint64(height)
    all_bits = ~np.uint64(0)
    while number < len(runs) and runs[number] >> np.uint64(32) < stop_row:
        run = runs[number]
        number += 1
        row = np.int64((run >> np.uint64(32)) - first_row) - box[1] + 2
        start = np.int64((run >> np.uint64(16)) & np.uint64(0xFFFF)) - box[2] + 1
        last = start + np.int64(run & np.uint64(0xFFFF))
        low = start >> 6
        high = last >> 6
        head = all_bits << np.uint64(start & 63)
        tail = all_bits >> np.uint64(63 - (last & 63))
        if low == high:
            bits[row, low] |= head & tail
        else:
            bits[row, low] |= head
            for word in range(low + 1, high):
                bits[row, word] = all_bits
            bits[row, high] |= tail
        # One bit earlier is the first cube that sees the run.
        span[row, 0] = min(span[row, 0], (start - 1) >> 6)
        span[row, 1] = max(span[row, 1], high + 1)
        extent[0] = min(extent[0], row)
        extent[1] = max(extent[1], row + 1)
    state[0] = number


@numba.njit(nogil=True, cache=True)
def _count(ring, spans, extents, runs, state, box, height, begin, end):  # type: ignore[no-untyped-def]
    """Add to `state` the vertices, and the most faces that there can be, of some steps."""
    one = np.uint64(1)
    top = np.uint64(63)
    vertices = state[1]
    cubes = state[2]
    for step in range(begin, end):
        _turn(ring, spans, extents, step + 1, runs, state, box, height)
        below, above = ring[step % 4], ring[(step + 1) % 4]
        under, over = spans[step % 4], spans[(step + 1) % 4]
        first_row = min(extents[step % 4, 0], extents[(step + 1) % 4, 0]) - 1
        stop_row = max(extents[step % 4, 1], extents[(step + 1) % 4, 1])
        for row in range(first_row, stop_row):
            low = min(min(under[row, 0], under[row + 1, 0]), min(over[row, 0], over[row + 1, 0]))
            high = max(max(under[row, 1], under[row + 1, 1]), max(over[row, 1], over[row + 1, 1]))
            for word in range(low, high):
                a, b = below[row, word], below[row + 1, word]
                c, d = above[row, word], above[row + 1, word]
                c_next = above[row, word + 1]
                vertices += _ones(a ^ c) + _ones(c ^ d) + _ones(c ^ (c >> one | c_next << top))
                some = a | b | c | d
                full = a & b & c & d
                next_some = below[row, word + 1] | below[row + 1, word + 1]
                next_some |= c_next | above[row + 1, word + 1]
                next_full = below[row, word + 1] & below[row + 1, word + 1]
                next_full &= c_next & above[row + 1, word + 1]
                some |= some >> one | next_some << top
                full &= full >> one | next_full << top
                cubes += _ones(some & ~full)
    state[1] = vertices
    state[2] = cubes


@numba.njit(nogil=True, cache=True)
def _put(vertices, kinds, number, cross, lows, alone, also, axis, z, y, x):  # type: ignore[no-untyped-def]
    """Vertices of one word of crossings; the number after the last."""
    while cross:
        bit = np.uint64(_first(cross))
        vertices[number, 0] = z
        vertices[number, 1] = y
        vertices[number, 2] = x + np.float32(bit)
        vertices[number, 3] = 1
        kind = (alone >> bit & np.uint64(1)) << np.uint64(2)
        kind |= (also >> bit & np.uint64(1)) << np.uint64(3)
        kind |= (lows >> bit & np.uint64(1)) << np.uint64(4)
        kinds[number] = np.uint64(axis) | kind
        number += 1
        cross &= cross - np.uint64(1)
    return number


@numba.njit(nogil=True, cache=True)
def _fill(  # type: ignore[no-untyped-def]
    ring, spans, extents, starts, runs, state, box, height, begin, end, cases, surface
):
    one = np.uint64(1)
    three = np.uint64(3)
    top = np.uint64(63)
    half = np.float32(0.5)
    vertices, faces, kinds = surface
    number = state[1]
    face = state[2]
    counts, triangles, steps = cases
    counters = np.empty(16, np.uint32)
    for step in range(begin, end):
        if step == 0:
            _turn(ring, spans, extents, 1, runs, state, box, height)
        _turn(ring, spans, extents, step + 2, runs, state, box, height)
        before, below = ring[(step - 1) % 4], ring[step % 4]
        above, behind = ring[(step + 1) % 4], ring[(step + 2) % 4]
        under, over = spans[step % 4], spans[(step + 1) % 4]
        first_row = min(extents[step % 4, 0], extents[(step + 1) % 4, 0]) - 1
        stop_row = max(extents[step % 4, 1], extents[(step + 1) % 4, 1])
        along_x, along_y = starts[(step + 1) % 2, 0], starts[(step + 1) % 2, 1]
        old_x, old_y = starts[step % 2, 0], starts[step % 2, 1]
        across = starts[2, 0]
        z = np.float32(step)
        for row in range(first_row, stop_row):
            y = np.float32(row - 2)
            across[row] = number
            low, high = min(under[row, 0], over[row, 0]), max(under[row, 1], over[row, 1])
            for word in range(low, high):
                a, c = below[row, word], above[row, word]
                cross = a ^ c
                if cross:
                    x = np.float32(64 * word - 1)
                    alone, also = cross & (before[row, word] ^ a), cross & (c ^ behind[row, word])
                    number = _put(vertices, kinds, number, cross, a, alone, also, 0, z - half, y, x)
            along_x[row] = number
            for word in range(over[row, 0], over[row, 1]):
                c = above[row, word]
                more = above[row, word + 1]
                cross = c ^ (c >> one | more << top)
                if cross:
                    x = np.float32(64 * word) - half
                    less = above[row, word - 1] >> top if word else np.uint64(0)
                    alone = cross & (cross << one | (less ^ c) & one)
                    also = cross & (cross >> one | (more ^ more >> one) << top)
                    number = _put(vertices, kinds, number, cross, c, alone, also, 2, z, y, x)
            along_y[row] = number
            low, high = min(over[row, 0], over[row + 1, 0]), max(over[row, 1], over[row + 1, 1])
            for word in range(low, high):
                c, d = above[row, word], above[row + 1, word]
                cross = c ^ d
                if cross:
                    x = np.float32(64 * word - 1)
                    alone = cross & (above[row - 1, word] ^ c)
                    also = cross & (d ^ above[row + 2, word])
                    number = _put(vertices, kinds, number, cross, c, alone, also, 1, z, y + half, x)
        for row in range(first_row, stop_row):
            low = min(min(under[row, 0], under[row + 1, 0]), min(over[row, 0], over[row + 1, 0]))
            high = max(max(under[row, 1], under[row + 1, 1]), max(over[row, 1], over[row + 1, 1]))
            if low >= high:
                continue
            counters[8], counters[9] = old_x[row], old_x[row + 1]
            counters[10], counters[11] = along_x[row], along_x[row + 1]
            counters[12], counters[13] = old_y[row], along_y[row]
            counters[14], counters[15] = across[row], across[row + 1]
            for word in range(low, high):
                a, b = below[row, word], below[row + 1, word]
                c, d = above[row, word], above[row + 1, word]
                # What the next voxel on the row is, for each of the four rows.
                a_next = a >> one | below[row, word + 1] << top
                b_next = b >> one | below[row + 1, word + 1] << top
                c_next = c >> one | above[row, word + 1] << top
                d_next = d >> one | above[row + 1, word + 1] << top
                some = a | b | c | d | a_next | b_next | c_next | d_next
                full = a & b & c & d & a_next & b_next & c_next & d_next
                left = some & ~full
                while left:
                    bit = np.uint64(_first(left))
                    left &= left - one
                    case = (a >> bit & one) | (a_next >> bit & one) << one
                    case |= (b >> bit & one) << np.uint64(2) | (b_next >> bit & one) << three
                    case |= (c >> bit & one) << np.uint64(4)
                    case |= (c_next >> bit & one) << np.uint64(5)
                    case |= (d >> bit & one) << np.uint64(6)
                    case |= (d_next >> bit & one) << np.uint64(7)
                    _advance(counters, steps, case)
                    # Mostly enough, and quicker than to ask; what is too much is overwritten.
                    for triangle in range(FACES_AT_ONCE):
                        for k in range(3):
                            faces[face + triangle, k] = counters[triangles[case, 3 * triangle + k]]
                    for triangle in range(FACES_AT_ONCE, np.int64(counts[case])):
                        for k in range(3):
                            faces[face + triangle, k] = counters[triangles[case, 3 * triangle + k]]
                    face += np.int64(counts[case])
    state[1] = number
    state[2] = face


class Extraction:
    """The surface of some runs, in two passes: its size first, then it.

    Parameters
    ----------
    runs : uint64 ndarray
        In ascending order (see `viewer.kernels.runs`), all of them within the box.
    start, stop : tuple of int
        A box (z, y, x) of the volume; half-open. The surface is closed on its border as well.
    height : int
        Rows in a plane of the volume.
    going_on : callable, optional
        Called now and then; may raise to end the work.
    """

    def __init__(
        self,
        runs: npt.NDArray[np.uint64],
        start: tuple[int, int, int],
        stop: tuple[int, int, int],
        height: int,
        going_on: Callable[[], None] = lambda: None,
    ) -> None:
        self._runs = runs
        self._start, self._height, self._going_on = start, height, going_on
        depth, rows, width = (b - a for a, b in zip(start, stop, strict=True))
        self._steps = depth + 1
        self._rows = rows + 2 * _MARGIN
        self._words = (width + 2 + 63) // 64 + 1
        ring, spans, extents, state = self._fresh()
        for begin in range(0, self._steps, PLANES_AT_ONCE):
            going_on()
            end = min(begin + PLANES_AT_ONCE, self._steps)
            _count(ring, spans, extents, runs, state, start, height, begin, end)
        self.vertices = int(state[1])
        """Number of vertices, exactly."""
        # A loop of n cube edges becomes n - 2 triangles, every crossing is in four cubes, and an
        # active cube has one loop or more.
        self.faces = 4 * self.vertices - 2 * int(state[2])
        """Number of faces at most; exact but for cubes that the surface crosses twice."""

    @property
    def nbytes(self) -> int:
        """Bytes of the surface at most."""
        return 17 * self.vertices + 12 * self.faces

    def surface(self) -> Surface:
        """The triangles."""
        ring, spans, extents, state = self._fresh()
        starts = np.zeros((3, 2, self._rows), np.uint32)
        vertices = np.empty((self.vertices, 4), np.float32)
        faces = np.empty((self.faces + FACES_AT_ONCE, 3), np.uint32)
        made = (vertices, faces, np.empty(self.vertices, np.uint8))
        cases = tuple(case_table())
        for begin in range(0, self._steps, PLANES_AT_ONCE):
            self._going_on()
            end = min(begin + PLANES_AT_ONCE, self._steps)
            _fill(
                ring,
                spans,
                extents,
                starts,
                self._runs,
                state,
                self._start,
                self._height,
                begin,
                end,
                cases,
                made,
            )
        return Surface(vertices, faces[: state[2]], made[2])

    def _fresh(self) -> tuple[npt.NDArray[Any], ...]:
        """Empty planes, where each row's voxels and each plane's rows begin and end; a state."""
        ring = np.zeros((_RING, self._rows, self._words), np.uint64)
        spans = np.zeros((_RING, self._rows, 2), np.int64)
        spans[..., 0] = self._words
        extents = np.zeros((_RING, 2), np.int64)
        extents[:, 0] = self._rows
        return ring, spans, extents, np.zeros(3, np.int64)


def surface(mask: npt.NDArray[np.generic]) -> Surface:
    """Boundary of the voxels (z, y, x) that are not 0, closed where they lie on the border."""
    from viewer.kernels.runs import find_runs

    inside = np.ascontiguousarray(mask != 0).view(np.uint8)
    shape: tuple[int, int, int] = inside.shape
    runs = find_runs(inside, (0, 0, 0), shape[1], 1)
    return Extraction(runs, (0, 0, 0), shape, shape[1]).surface()
