"""Copying of boxes out of large arrays, whose rows lie far apart: chunks and bricks.

The processor looks ahead within a page of 4 KiB only, and a short row is over before it has begun
to. So nearly all of the time is spent waiting for memory, unless rows are called for while others
are copied: a 64³ chunk of bytes then takes three quarters of the time.

What the kernel calls stands in this file as well: Numba's cache on disk looks at one file only.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_instructions: Any = intrinsic
"""Numba's decorator, whose types know nothing of what it returns: a compiled function."""

CALLED = 1024
"""Bytes called for ahead of what is copied, or one row: about as many cache lines, 16 to 32, as a
processor waits for at a time."""

CACHE_LINE = 64
"""Bytes."""


@_instructions
def _call(typing, array, index):  # type: ignore[no-untyped-def]
    """Have a cache line brought near: a hint, never an error, if beyond memory."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        place = _place(context, builder, array, *values)
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [place.type, number, number, number])
        hint = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, kind, "llvm.prefetch.p0"
        )
        builder.call(hint, [place, number(0), number(3), number(1)])  # to read, all caches, data
        return context.get_dummy_value()

    return types.void(array, index), generate


@_instructions
def _copy(typing, target, there, source, here, count):  # type: ignore[no-untyped-def]
    """Copy so many bytes."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        into = _place(context, builder, target, *values[:2])
        out_of = _place(context, builder, source, *values[2:4])
        flag = ir.IntType(1)
        kind = ir.FunctionType(ir.VoidType(), [into.type, out_of.type, values[4].type, flag])
        copy = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, kind, "llvm.memcpy.p0.p0.i64"
        )
        builder.call(copy, [into, out_of, values[4], flag(0)])
        return context.get_dummy_value()

    return types.void(target, there, source, here, count), generate


def _place(context: Any, builder: Any, array: Any, value: Any, index: Any) -> Any:
    return builder.gep(context.make_array(array)(context, builder, value).data, [index])


_SOURCE = types.Array(types.uint8, 3, "A", readonly=True)
_TARGET = types.Array(types.uint8, 3, "A")


@numba.njit(types.void(_SOURCE, _TARGET), nogil=True, cache=True)
def copy_rows(source, target):  # type: ignore[no-untyped-def]
    """Copy the bytes of an array (plane, row, byte) into another, both with their rows whole."""
    planes, rows, width = source.shape
    ahead = max(CALLED // width, 1)
    plane, row = ahead // rows, ahead % rows
    for z in range(planes):
        for y in range(rows):
            start = plane * source.strides[0] + row * source.strides[1]
            for x in range(0, width, CACHE_LINE):
                _call(source, start + x)
            _call(source, start + width - 1)
            row += 1
            if row == rows:
                plane, row = plane + 1, 0
            here = z * source.strides[0] + y * source.strides[1]
            there = z * target.strides[0] + y * target.strides[1]
            _copy(target, there, source, here, width)
