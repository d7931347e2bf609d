"""Images as a frame of zstd (RFC 8878), made by a compressor that knows what images are like.

A general compressor spends its time on the search for what has been seen before, of which the grain
of an image has nothing: what is left to gain is that some values are more frequent than others.
So there is no search here, and each byte becomes a code of its own, the shorter the more frequent
it is (Huffman's). An image of which something does repeat, its background for one, is left to zstd.

```
 bytes → counts    of an eleventh of them
       → lengths   of the codes, at most 11 bits
       → pairs     the codes of all 65,536 pairs of bytes: two are looked up at once
       → streams   four in each block of 128 KiB, read backwards, so written from their ends
```

Rows are read where they lie in their array, and called for a little earlier: so a chunk need not be
copied first, and memory is hardly waited for.

What a kernel calls stands in this file as well: Numba's cache on disk looks at one file only.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_instructions: Any = intrinsic
"""Numba's decorator, whose types know nothing of what it returns: a compiled function."""

QUARTER = 32 << 10
"""Bytes of content in each of a block's four streams: as many as the format allows."""

HEAD = 0xA0FD2FB528
"""A frame's first five bytes: the magic number, and that four of its content's length follow."""

NEW, KEPT = 2, 3
"""Kinds of codes: their lengths follow; they are those of the block before."""

WORTH = 64
"""An image from which not one of so many bytes can be saved is given up: it is noise."""

GOLDEN = 0x9E3779B97F4A7C15
"""Spreads words over a table: 2⁶⁴ by the golden ratio."""

LONGEST = 11
"""Bits of a code: as many as the format allows. Five codes fit into a word, with seven bits left
over from those before."""

GAPS = (57, 23, 10, 4, 1)
"""Steps in which values are sorted (Shell's sort, with Ciura's steps): NumPy's way takes seconds to
compile."""

SAMPLED = 11
"""Of so many rows one is counted: in each plane others, if there are as many as usual."""

MANY = 128
"""If so many values are met in the sample, all get a code: that makes a frame larger by 1 % or so,
and counting all would take a third of the time."""

WINDOWS, WINDOW = 8, 128
"""How many stretches are looked through for what repeats, and words that begin in each."""

ALIKE = 48
"""Bits of a word that must be the same: zstd, too, makes little of less."""

CALLED = 256
"""Bytes called for ahead of what is read, or one row. It takes longer to make codes of them than to
have them brought; and rows that lie apart by a power of two have few places to be kept in."""

CACHE_LINE = 64
"""Bytes."""

WEIGHT_SHARES = np.array([8, 12, 9, 8, 7, 6, 5, 3, 2, 2, 1, 1])
"""Of the 64 states of the code that lengths travel in (FSE), how many each weight has. A code of n
bits has weight 1 + (length of the longest) - n, one that does not exist 0. At most 108 bytes come
of 255 weights: those that take most bits are not many, or they would need more codes than there
are."""
WEIGHT_LOG = 6


def _spread() -> tuple[np.ndarray, np.ndarray]:
    """Where each weight's states begin in a list of all, and that list."""
    owner, place = np.zeros(64, int), 0
    for weight, share in enumerate(WEIGHT_SHARES):
        for _ in range(share):
            owner[place] = weight
            place = (place + 32 + 8 + 3) % 64
    return np.cumsum(WEIGHT_SHARES) - WEIGHT_SHARES, np.argsort(owner, kind="stable")


WEIGHT_BEGINS, WEIGHT_STATES = _spread()


def _described() -> np.ndarray:
    """The shares, as they travel."""
    number, filled, left = WEIGHT_LOG - 5, 4, (1 << WEIGHT_LOG) + 1
    for share in WEIGHT_SHARES.tolist():
        width = left.bit_length() - 1
        short = (2 << width) - 1 - left  # so many of the numbers take a bit less
        value = share + 1 + (short if share + 1 >= 1 << width else 0)
        number |= value << filled
        filled += width + (value >= short)
        left -= share
    return np.frombuffer(number.to_bytes((filled + 7) // 8, "little"), np.uint8)


WEIGHT_TABLE = _described()


@numba.njit
def _place(source, row):  # type: ignore[no-untyped-def]
    """Where a row begins, which is told by its plane and where it stands in that."""
    return row[0] * source.strides[0] + row[1] * source.strides[1]


@numba.njit
def _before(row, rows):  # type: ignore[no-untyped-def]
    return (row[0], row[1] - 1) if row[1] else (row[0] - 1, rows - 1)


@numba.njit
def _after(row, rows, step):  # type: ignore[no-untyped-def]
    plane, there = row[0], row[1] + step
    while there >= rows:
        plane, there = plane + 1, there - rows
    return plane, there


@numba.njit
def _repeats(source):  # type: ignore[no-untyped-def]
    """Whether some of the rows that have been counted has been there before."""
    planes, rows, width = source.shape
    data = _pointer(source)
    seen = np.zeros(4096, np.uint64)
    found = 0
    count = min(WINDOW, width - 7)  # words in a row
    last = (planes * rows - 1) // SAMPLED
    for window in range(WINDOWS):
        for part in range(WINDOW // count):
            row = window * (last - WINDOW // count) // (WINDOWS - 1) + part
            start = _place(source, divmod(SAMPLED * row, rows))
            for i in range(start, start + count):
                word = _word(data, i) << np.uint64(64 - ALIKE)
                slot = (word * np.uint64(GOLDEN)) >> np.uint64(52)
                found += seen[slot] == word
                seen[slot] = word
    return found > WINDOWS * WINDOW // 32


@numba.njit
def _count(source, step):  # type: ignore[no-untyped-def]
    """How often each value is met, in one of so many rows."""
    planes, rows, width = source.shape
    data = _pointer(source)
    # four counts, since one that has just been changed must be waited for
    counts = np.zeros((4, 256), np.int64)
    here = (0, 0)
    there = divmod(step * max(4 * CALLED // width, 1), rows)  # counting is quicker than coding
    for _ in range(0, planes * rows, step):
        _call_row(source, there)
        there = _after(there, rows, step)
        start = _place(source, here)
        here = _after(here, rows, step)
        for i in range(start, start + width, 8):
            word = _word(data, i)
            for k in range(8):
                counts[k & 3, (word >> np.uint64(8 * k)) & np.uint64(255)] += 1
    for value in range(256):
        for k in range(1, 4):
            counts[0, value] += counts[k, value]
    return counts[0]


@numba.njit
def _call_row(source, row):  # type: ignore[no-untyped-def]
    """Have a row brought near."""
    start = _place(source, row)
    for i in range(0, source.shape[2], CACHE_LINE):
        _call(source, start + i)
    _call(source, start + source.shape[2] - 1)


@numba.njit
def _lengths(counts):  # type: ignore[no-untyped-def]
    """Bits of each value's code, 0 for none, and of the longest."""
    order, n = _rarest_first(counts)
    sums, parents = np.empty(2 * n, np.int64), np.empty(2 * n, np.int64)
    for i in range(n):
        sums[i] = counts[order[i]]
    leaf, node = 0, n
    for made in range(n, 2 * n - 1):  # from the two that are rarest
        sums[made] = 0
        for _ in range(2):
            if leaf < n and (node == made or sums[leaf] <= sums[node]):
                child, leaf = leaf, leaf + 1
            else:
                child, node = node, node + 1
            sums[made] += sums[child]
            parents[child] = made
    depths = np.zeros(2 * n, np.int64)
    for i in range(2 * n - 3, -1, -1):
        depths[i] = depths[parents[i]] + 1
    # codes that are too long are cut, and others made longer for it where that costs least
    begins = np.zeros(LONGEST + 2, np.int64)  # of those of each length, the longest come first
    left = 1 << LONGEST
    for i in range(n):
        depths[i] = min(depths[i], LONGEST)
        left -= 1 << LONGEST - depths[i]
        begins[depths[i] - 1] = i + 1
    for length in range(LONGEST, 0, -1):
        begins[length - 1] = max(begins[length - 1], begins[length])
    while left < 0:
        cheapest, least = 0, np.inf
        for length in range(1, LONGEST):
            i = begins[length]
            if i < begins[length - 1]:
                cost = sums[i] / min(1 << LONGEST - length - 1, -left)
                if cost < least:
                    cheapest, least = length, cost
        depths[begins[cheapest]] += 1
        begins[cheapest] += 1
        left += 1 << LONGEST - cheapest - 1
    for i in range(n - 1, -1, -1):
        while 1 << LONGEST - depths[i] <= left:
            left -= 1 << LONGEST - depths[i]
            depths[i] -= 1
    lengths, longest = np.zeros(256, np.int64), 0
    for i in range(n):
        lengths[order[i]] = depths[i]
        longest = max(longest, depths[i])
    return lengths, 0 if left else longest


@numba.njit
def _rarest_first(counts):  # type: ignore[no-untyped-def]
    """The values that are met, and how many these are."""
    order, n = np.empty(256, np.int64), 0
    for value in range(256):
        if counts[value]:
            order[n] = value
            n += 1
    for gap in GAPS:
        for i in range(gap, n):
            value, at = order[i], i
            while at >= gap and counts[order[at - gap]] > counts[value]:
                order[at] = order[at - gap]
                at -= gap
            order[at] = value
    return order, n


@numba.njit
def _codes(lengths, longest):  # type: ignore[no-untyped-def]
    """Each value's code: the longest come first, and among them the smallest values."""
    codes = np.zeros(256, np.uint32)
    code = 0
    for length in range(longest, 0, -1):
        for value in range(256):
            if lengths[value] == length:
                codes[value] = code
                code += 1
        code >>= 1
    return codes


@numba.njit
def _pair(codes, lengths, pairs, widths):  # type: ignore[no-untyped-def]
    """For each word of two bytes both codes, and how many bits they have together."""
    short = np.empty(256, np.uint8)
    for value in range(256):
        short[value] = lengths[value]
    for second in range(256):
        begin, code, length = 256 * second, codes[second], np.uint32(short[second])
        for first in range(256):
            pairs[begin + first] = code | codes[first] << length
        for first in range(256):
            widths[begin + first] = short[first] + short[second]


@numba.njit
def _put_lengths(out, at, lengths, longest):  # type: ignore[no-untyped-def]
    """Write how long the codes are: of all values but the last, which takes what they leave."""
    last = 255
    while not lengths[last]:
        last -= 1
    begin = at
    at += 1
    for i in range(len(WEIGHT_TABLE)):
        out[at + i] = WEIGHT_TABLE[i]
    at += len(WEIGHT_TABLE)
    states = np.zeros(2, np.int64)  # of the weights at even places and at odd ones
    word, filled = np.uint64(0), 0
    for value in range(last - 1, -1, -1):
        weight = longest + 1 - lengths[value] if lengths[value] else 0
        share, first = WEIGHT_SHARES[weight], WEIGHT_BEGINS[weight]
        which = value & 1
        if value >= last - 2:
            states[which] = WEIGHT_STATES[first]
            continue
        state = states[which] + (1 << WEIGHT_LOG)
        width = 0
        while state >> width >= 2 * share:
            width += 1
        word, filled = _add(word, filled, state & ((1 << width) - 1), width)
        states[which] = WEIGHT_STATES[first + (state >> width) - share]
        at, word, filled = _flush(out, at, word, filled)
    word, filled = _add(word, filled, states[1], WEIGHT_LOG)
    word, filled = _add(word, filled, states[0], WEIGHT_LOG)
    word, filled = _add(word, filled, 1, 1)  # the reader begins here, and finds the end
    at = _put(out, at, word, (filled + 7) // 8)
    out[begin] = at - begin - 1
    return at


@numba.njit
def _stream(source, first, last, pairs, widths, out, at):  # type: ignore[no-untyped-def]
    """Write the codes of some rows, the last one first, as it is read."""
    _, rows, width = source.shape
    data, table, bits = _pointer(source), _pointer(pairs), _pointer(widths)
    here = divmod(last - 1, rows)
    there = divmod(last - 1 - max(CALLED // width, 1), rows)
    word, filled = np.uint64(0), 0
    for _ in range(first, last):
        _call_row(source, there)
        there = _before(there, rows)
        start = _place(source, here)
        here = _before(here, rows)
        for i in range(start + width - 8, start - 1, -8):
            for pair in (i + 6, i + 2):
                both = np.uint64(data[pair]) | np.uint64(data[pair + 1]) << np.uint64(8)
                word, filled = _add(word, filled, table[both], bits[both])
                both = np.uint64(data[pair - 2]) | np.uint64(data[pair - 1]) << np.uint64(8)
                word, filled = _add(word, filled, table[both], bits[both])
                at, word, filled = _flush(out, at, word, filled)
    word, filled = _add(word, filled, 1, 1)
    return _put(out, at, word, (filled + 7) // 8)


@numba.njit
def _put(out, at, number, size):  # type: ignore[no-untyped-def]
    """Write a number's lowest bytes; returns where they end."""
    for i in range(size):
        out[at + i] = np.uint8(np.uint64(number) >> np.uint64(8 * i))
    return at + size


@numba.njit
def _add(word, filled, bits, width):  # type: ignore[no-untyped-def]
    return word | np.uint64(bits) << np.uint64(filled), filled + np.int64(width)


@numba.njit
def _flush(out, at, word, filled):  # type: ignore[no-untyped-def]
    """Write whole bytes of the bits at hand, of which less than eight remain."""
    target = _pointer(out)
    for i in range(8):
        target[at + i] = np.uint8(word >> np.uint64(8 * i))
    count = np.uint64(filled) >> np.uint64(3)
    return at + np.int64(count), word >> (count << np.uint64(3)), filled & 7


@numba.njit
def _word(source, at):  # type: ignore[no-untyped-def]
    """The eight bytes from there on."""
    word = np.uint64(0)
    for i in range(8):
        word |= np.uint64(source[at + i]) << np.uint64(8 * i)
    return word


@_instructions
def _call(typing, array, index):  # type: ignore[no-untyped-def]
    """Have a cache line brought near: a hint, never an error, if beyond memory."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        data = context.make_array(array)(context, builder, values[0]).data
        place, number = builder.gep(data, [values[1]]), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [place.type, number, number, number])
        hint = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, kind, "llvm.prefetch.p0"
        )
        builder.call(hint, [place, number(0), number(3), number(1)])  # to read, all caches, data
        return context.get_dummy_value()

    return types.void(array, index), generate


@_instructions
def _pointer(typing, array):  # type: ignore[no-untyped-def]
    """Where an array begins: indices from there are never taken from the end."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return context.make_array(array)(context, builder, values[0]).data

    return types.CPointer(array.dtype)(array), generate  # type: ignore[no-untyped-call]


_SOURCE = types.Array(types.uint8, 3, "A", readonly=True)
_PAIRS = types.Array(types.uint32, 1, "C")
_BYTES = types.Array(types.uint8, 1, "C")


@numba.njit(types.int64(_SOURCE, types.boolean, _PAIRS, _BYTES, _BYTES), nogil=True, cache=True)
def image_frame(source, steady, pairs, widths, out):  # type: ignore[no-untyped-def]
    """Write an array as a frame to `out`: how many bytes that is, or 0 if zstd should do it.

    `source` is the array's bytes (plane, row, byte), at least a block of them, with rows that lie
    together, of a multiple of CACHE_LINE that divides 1 KiB: so all that is looked at is another.
    If it is not `steady`, somebody may write to it meanwhile, so that uncounted values may come.
    `pairs` and `widths` are room for 65,536 numbers, and `out` is half as large again as `source`.
    """
    planes, rows, width = source.shape
    total = planes * rows
    counts = _count(source, SAMPLED)
    if _repeats(source):
        return 0
    met = 0
    for value in range(256):
        met += counts[value] > 0
    if met >= MANY:
        for value in range(256):
            counts[value] += 1  # one that was not met may come
    elif steady:
        counts = _count(source, 1)
    else:
        return 0
    lengths, longest = _lengths(counts)
    counted = saved = 0
    for value in range(256):
        counted += counts[value]
        saved += counts[value] * (8 - lengths[value])
    if not longest or saved * WORTH < 8 * counted:
        return 0
    _pair(_codes(lengths, longest), lengths, pairs, widths)
    at = _put(out, 0, HEAD, 5)
    at = _put(out, at, total * width, 4)
    first = 0
    while first + 4 <= total:
        quarter = min(QUARTER // width, (total - first) // 4)
        head, size = at, 4 * quarter * width
        at += 8
        if not first:
            at = _put_lengths(out, at, lengths, longest)
        jumps = at
        at += 6
        for stream in range(4):
            begin = at
            at = _stream(source, first, first + quarter, pairs, widths, out, at)
            first += quarter
            if stream < 3:
                _put(out, jumps + 2 * stream, at - begin, 2)
        kind = NEW if first == 4 * quarter else KEPT
        _put(out, head + 3, kind | 3 << 2 | size << 4 | (at - head - 8) << 22, 5)
        at = _put(out, at, 0, 1)  # sequences
        if at - head - 3 > size:
            return 0
        _put(out, head, (first == total) | 2 << 1 | (at - head - 3) << 3, 3)  # 2: compressed
    if first < total:
        at = _put(out, at, 1 | (total - first) * width << 3, 3)
        data = _pointer(source)
        for row in range(first, total):
            start = _place(source, divmod(row, rows))
            for i in range(width):
                out[at + i] = data[start + i]
            at += width
    return at
