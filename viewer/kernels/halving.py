"""The compiled loops of `viewer.kernels.downsample`.

A kernel takes four rows of the input (two of each of two planes) to one row of the output. Its
inner loop has no branch and no type wider than the arithmetic needs, so the compiler makes vector
instructions of it, and memory is what takes the time. Arrays reach it as one flat run of memory
with strides, the input always read-only: one compilation for each dtype, whatever the layout.

What a kernel calls stands in this file as well: Numba's cache on disk looks at one file only.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_instructions: Any = intrinsic
"""Numba's decorator, whose types know nothing of what it returns: a compiled function."""

PART = 1024
"""Bytes of a row that means call for at once, ahead of need: at the end of each page, 4 KiB, the
processor's own look-ahead stops, and four short rows keep it from ever beginning. Of rows longer
than this, the same part of the next four is called for while this one is worked on, into the second
cache: up to 1.9 times as fast at 2 KiB a row, 1.2 times at 8. Shorter rows are called for whole,
just before, into the first: up to 1.8 times as fast. Modes take longer, and always call for the
next four."""

CACHE_LINE = 64
"""Bytes."""


@numba.njit(nogil=True, cache=True)
def mean_kernel(data, strides, shape, out, into, coarse, steps):  # type: ignore[no-untyped-def]
    """Integers: see `_mean_of_eight`. Strides and shapes are of planes, rows and voxels."""
    source, target = _pointer(data), _pointer(out)
    part = PART // data.itemsize
    ahead = steps[1] * strides[1] if shape[2] > part else 0
    for z in range(coarse[0]):
        for y in range(coarse[1]):
            a, b, c, d = _rows(strides, shape, steps, z, y)
            row = z * into[0] + y * into[1]
            for start in range(0, shape[2], part):
                stop = min(start + part, shape[2])
                _fetch(source, a, b, c, d, start, stop, ahead, data.itemsize)
                _mean_row(source, a, b, c, d, start, stop, target, row, steps[2])


@numba.njit(nogil=True, cache=True)
def mean_float_kernel(data, strides, shape, out, into, coarse, steps):  # type: ignore[no-untyped-def]
    """Floats, as if all were numbers; the rare row where that fails is made again."""
    source, target = _pointer(data), _pointer(out)
    part = PART // data.itemsize
    ahead = steps[1] * strides[1] if shape[2] > part else 0
    for z in range(coarse[0]):
        for y in range(coarse[1]):
            a, b, c, d = _rows(strides, shape, steps, z, y)
            row = z * into[0] + y * into[1]
            for start in range(0, shape[2], part):
                stop = min(start + part, shape[2])
                _fetch(source, a, b, c, d, start, stop, ahead, data.itemsize)
                _mean_row(source, a, b, c, d, start, stop, target, row, steps[2])
            wild = 0
            for x in range(coarse[2]):
                wild += target[row + x] - target[row + x] != 0
            if wild:
                _mean_row_without_nan(source, a, b, c, d, shape[2], target, row, steps[2])


@numba.njit(nogil=True, cache=True)
def mode_kernel(data, strides, shape, out, into, coarse, steps):  # type: ignore[no-untyped-def]
    """Unsigned integers: see `_mode_of_eight`."""
    source, target = _pointer(data), _pointer(out)
    ahead = steps[1] * strides[1]
    for z in range(coarse[0]):
        for y in range(coarse[1]):
            a, b, c, d = _rows(strides, shape, steps, z, y)
            row = z * into[0] + y * into[1]
            _mode_row(source, a, b, c, d, shape[2], target, row, steps[2], ahead)


@numba.njit
def _rows(strides, shape, steps, z, y):  # type: ignore[no-untyped-def]
    """Where the four rows of the input begin that make up row (z, y) of the output."""
    z0 = z * steps[0]
    z1 = min(z0 + steps[0], shape[0]) - 1
    y0 = y * steps[1]
    y1 = min(y0 + steps[1], shape[1]) - 1
    return (
        z0 * strides[0] + y0 * strides[1],
        z0 * strides[0] + y1 * strides[1],
        z1 * strides[0] + y0 * strides[1],
        z1 * strides[0] + y1 * strides[1],
    )


@numba.njit
def _fetch(source, a, b, c, d, start, stop, ahead, size):  # type: ignore[no-untyped-def]
    """Call for a part of four rows, or of the rows `ahead` of them, even if there are none."""
    for line in (a, b, c, d):
        for x in range(start, stop, CACHE_LINE // size):
            if ahead:
                _call_early(source, line + ahead + x)
            else:
                _call(source, line + x)


@numba.njit
def _mean_row(source, a, b, c, d, start, stop, target, row, step):  # type: ignore[no-untyped-def]
    if step == 1:
        for x in range(start, stop):
            target[row + x] = _mean_of_eight(
                source[a + x], source[a + x], source[b + x], source[b + x],
                source[c + x], source[c + x], source[d + x], source[d + x],
            )  # fmt: skip
        return
    for x in range(start // 2, stop // 2):
        p = 2 * x
        q = p + 1
        target[row + x] = _mean_of_eight(
            source[a + p], source[a + q], source[b + p], source[b + q],
            source[c + p], source[c + q], source[d + p], source[d + q],
        )  # fmt: skip
    if stop % 2:
        p = stop - 1
        target[row + p // 2] = _mean_of_eight(
            source[a + p], source[a + p], source[b + p], source[b + p],
            source[c + p], source[c + p], source[d + p], source[d + p],
        )  # fmt: skip


@numba.njit
def _mode_row(source, a, b, c, d, width, target, row, step, ahead):  # type: ignore[no-untyped-def]
    if step == 1:
        for x in range(width):
            target[row + x] = _mode_of_eight(
                source[a + x], source[a + x], source[b + x], source[b + x],
                source[c + x], source[c + x], source[d + x], source[d + x],
            )  # fmt: skip
        return
    done = _mode_lanes(source, a, b, c, d, width // 2, target, row, ahead)
    for x in range(done, width // 2):
        p = 2 * x
        q = p + 1
        target[row + x] = _mode_of_eight(
            source[a + p], source[a + q], source[b + p], source[b + q],
            source[c + p], source[c + q], source[d + p], source[d + q],
        )  # fmt: skip
    if width % 2:
        p = width - 1
        target[row + p // 2] = _mode_of_eight(
            source[a + p], source[a + p], source[b + p], source[b + p],
            source[c + p], source[c + p], source[d + p], source[d + p],
        )  # fmt: skip


@numba.njit
def _mean_row_without_nan(source, a, b, c, d, width, target, row, step):  # type: ignore[no-untyped-def]
    for x in range((width + step - 1) // step):
        p = x * step
        q = min(p + step, width) - 1
        total = 0.0
        count = 0
        for line in (a, b, c, d):
            for index in (line + p, line + q):
                number = source[index] == source[index]
                total += np.float64(source[index]) if number else 0.0
                count += number
        total /= max(count, 1)
        if total - total != 0:  # infinite, or a sum of huge values: their eighths do not overflow
            total = 0.0
            for line in (a, b, c, d):
                for index in (line + p, line + q):
                    if source[index] == source[index]:
                        total += np.float64(source[index]) / count
        target[row + x] = total if count else np.nan


@_instructions
def _pointer(typing, array):  # type: ignore[no-untyped-def]
    """Where an array begins. Slices of an array would count references, row by row."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return context.make_array(array)(context, builder, values[0]).data

    return types.CPointer(array.dtype)(array), generate  # type: ignore[no-untyped-call]


@_instructions
def _call(typing, pointer, index):  # type: ignore[no-untyped-def]
    """Have a cache line brought into the first cache: a hint, never an error, if beyond memory."""
    return types.void(pointer, index), _build_call(3)


@_instructions
def _call_early(typing, pointer, index):  # type: ignore[no-untyped-def]
    """Have a cache line brought into the second cache."""
    return types.void(pointer, index), _build_call(2)


def _build_call(nearness: int) -> Any:
    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        hint = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, kind, "llvm.prefetch.p0"
        )
        place = builder.bitcast(builder.gep(values[0], [values[1]]), byte)
        builder.call(hint, [place, number(0), number(nearness), number(1)])  # to read, data
        return context.get_dummy_value()

    return generate


@_instructions
def _mean_of_eight(typing, v0, v1, v2, v3, v4, v5, v6, v7):  # type: ignore[no-untyped-def]
    """Mean of eight floats, or of eight integers, rounded half to even.

    Integers as LLVM's own instructions, in lanes of twice their width: Numba would calculate in
    64 bits, on fewer lanes.
    """

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        if isinstance(v0, types.Float):
            while len(values) > 1:
                values = list(map(builder.fadd, values[::2], values[1::2]))
            return builder.fmul(values[0], values[0].type(0.125))
        shift = builder.ashr if v0.signed else builder.lshr
        narrow = values[0].type
        three, seven = narrow(3), narrow(7)
        if v0.bitwidth == 64:  # no room for a sum: eighths and remainders are summed apart
            rest = reduce(builder.add, [builder.and_(v, seven) for v in values])
            whole = reduce(builder.add, [shift(v, three) for v in values])
            whole = builder.add(whole, builder.lshr(rest, three))
            rest = builder.and_(rest, seven)
            odd = builder.and_(whole, narrow(1))
            up = builder.lshr(builder.add(builder.add(rest, three), odd), three)
            return builder.add(whole, up)
        wide = ir.IntType(2 * v0.bitwidth)
        extend = builder.sext if v0.signed else builder.zext
        total = reduce(builder.add, [extend(v, wide) for v in values])
        # >> rounds down; 3 and the quotient's lowest bit make it round half to even
        odd = builder.and_(shift(total, wide(3)), wide(1))
        total = builder.add(builder.add(total, wide(3)), odd)
        return builder.trunc(shift(total, wide(3)), narrow)

    return v0(*[v0] * 8), generate


@_instructions
def _mode_of_eight(typing, v0, v1, v2, v3, v4, v5, v6, v7):  # type: ignore[no-untyped-def]
    """The most frequent of eight unsigned integers, without a branch: all pairs are compared.

    A value's first occurrence counts all of them. One is taken off each value: 0 becomes the
    largest, and among equally frequent values the least remains.
    """

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return _build_mode(builder, values)

    return v0(*[v0] * 8), generate


def _build_mode(builder: Any, values: list[Any]) -> Any:
    """Of eight integers, or of eight vectors of them, lane by lane."""
    kind = values[0].type
    one = _splat(kind, 1)
    keys = [builder.sub(v, one) for v in values]
    best, most = keys[0], None
    for index, key in enumerate(keys):
        count = _splat(kind, 0)
        for other in keys[index + 1 :]:
            equal = builder.icmp_unsigned("==", key, other)
            count = builder.add(count, builder.zext(equal, kind))
        if most is None:
            most = count
            continue
        tie = builder.icmp_unsigned("==", count, most)
        less = builder.icmp_unsigned("<", key, best)
        more = builder.icmp_unsigned(">", count, most)
        better = builder.or_(more, builder.and_(tie, less))
        best = builder.select(better, key, best)
        most = builder.select(better, count, most)
    return builder.add(best, one)


def _build_mode_of_two(builder: Any, values: list[Any]) -> tuple[Any, Any]:
    """Of eight vectors; first, whether any lane has more than two values, and the mode is wrong."""
    first, kind = values[0], values[0].type
    one = _splat(kind, 1)
    second, others, differ = first, _splat(kind, 0), []
    for value in values[1:]:
        differ.append(builder.icmp_unsigned("!=", value, first))
        second = builder.select(differ[-1], value, second)
        others = builder.add(others, builder.zext(differ[-1], kind))
    third = [
        builder.and_(other, builder.icmp_unsigned("!=", value, second))
        for value, other in zip(values[1:], differ, strict=True)
    ]
    lanes = builder.bitcast(reduce(builder.or_, third), ir.IntType(kind.count))
    tie = builder.icmp_unsigned("==", others, _splat(kind, 4))
    less = builder.icmp_unsigned("<", builder.sub(second, one), builder.sub(first, one))
    more = builder.icmp_unsigned(">", others, _splat(kind, 4))
    wins = builder.or_(more, builder.and_(tie, less))
    return builder.icmp_unsigned("!=", lanes, lanes.type(0)), builder.select(wins, second, first)


def _splat(kind: Any, value: int) -> Any:
    if isinstance(kind, ir.VectorType):
        return kind([kind.element(value)] * kind.count)
    return kind(value)


@numba.njit
def _mode_lanes(source, a, b, c, d, count, target, row, ahead):  # type: ignore[no-untyped-def]
    """As many of a row's `count` values as fill vectors; returns how many.

    A vector is made of one cache line of each row: those of the rows `ahead` are called for.
    """
    lanes = _lanes(source)
    x = 0
    while x + lanes <= count:
        p = 2 * x
        for line in (a, b, c, d):
            _call_early(source, line + p + ahead)
        _mode_vector(source, a + p, b + p, c + p, d + p, target, row + x)
        x += lanes
    return x


@_instructions
def _lanes(typing, pointer):  # type: ignore[no-untyped-def]
    """Values that `_mode_vector` makes at once: 32 bytes of them, an AVX2 register.

    Of more, fewer would be all alike.
    """

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return ir.IntType(64)(_count_lanes(pointer.dtype.bitwidth))

    return types.int64(pointer), generate


def _count_lanes(bits: int) -> int:
    return 256 // bits


@_instructions
def _mode_vector(typing, source, a, b, c, d, target, row):  # type: ignore[no-untyped-def]
    """Most labels lie within objects: where all lanes do, their voxels need only be compared.

    Where they do not, mostly two objects meet, or one and nothing: a third of the work.
    """

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        pointer, *starts, target, row = values
        item = ir.IntType(source.dtype.bitwidth)
        lanes = _count_lanes(item.width)
        pairs = ir.VectorType(item, 2 * lanes)
        fine = [
            builder.load(
                builder.bitcast(builder.gep(pointer, [start]), pairs.as_pointer()),
                align=item.width // 8,
            )
            for start in starts
        ]
        nothing = ir.Constant(pairs, ir.Undefined)

        def pick(vector: Any, order: list[int]) -> Any:
            mask = ir.VectorType(ir.IntType(32), len(order))
            return builder.shuffle_vector(vector, nothing, mask([mask.element(i) for i in order]))

        def put(vector: Any) -> None:
            place = builder.bitcast(builder.gep(target, [row]), vector.type.as_pointer())
            builder.store(vector, place, align=item.width // 8)

        even, odd = list(range(0, 2 * lanes, 2)), list(range(1, 2 * lanes, 2))
        swapped = pick(fine[0], [i ^ 1 for i in range(2 * lanes)])
        differ = reduce(
            builder.or_, [builder.xor(fine[0], other) for other in (swapped, *fine[1:])]
        )
        bits = builder.icmp_unsigned("!=", differ, _splat(pairs, 0))
        mixed = builder.bitcast(bits, ir.IntType(2 * lanes))
        put(pick(fine[0], even))
        with builder.if_then(builder.icmp_unsigned("!=", mixed, mixed.type(0))):
            eight = [pick(row, half) for row in fine for half in (even, odd)]
            more, mode = _build_mode_of_two(builder, eight)
            put(mode)
            with builder.if_then(more, likely=False):
                put(_build_mode(builder, eight))
        return context.get_dummy_value()

    return types.void(source, a, b, c, d, target, row), generate
