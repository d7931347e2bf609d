"""Labels as a frame of zstd (RFC 8878), made by a compressor that knows what labels are like.

A general compressor looks for what it has seen anywhere before, byte by byte. In labels, nearly
every voxel is equal to the one before it, to the one above or to the one in the plane before: only
there it is looked, 64 voxels at once.

```
 voxels → marks       a bit for each voxel and each of three directions: is it different?
        → sequences   where equal voxels reach furthest, a copy from there; else one from where the
                      label was last seen; else the label is new, and sent as it is
        → frame       the sequences, in finite-state entropy codes (FSE) made for this frame
```

A frame is divided into blocks. A sequence is three numbers: of *literals*, bytes that are sent as
they are and come first, of bytes copied after them, and how far back these are. Which of the last
three offsets it is takes a bit or two to say: that is why three directions are enough. Each number
is a code, followed by bits that say which of the code's numbers is meant. The codes' tables travel
with the first block that has sequences, and serve all others.

What a kernel calls stands in this file as well: Numba's cache on disk looks at one file only.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_instructions: Any = intrinsic
"""Numba's decorator, whose types know nothing of what it returns: a compiled function."""

BLOCK = 128 << 10
"""Bytes of content in a block: as many as the format allows."""

ROOM = 256
"""Bytes that suffice for a block but for its sequences and literals, its tables included."""

HEAD = 0xA0FD2FB528
"""A frame's first five bytes: the magic number, and that four of its content's length follow."""

SEEN_BITS = 10
"""Binary logarithm of how many labels are remembered, with where they were last seen."""

GOLDEN = 0x9E3779B97F4A7C15
"""Spreads labels over that memory: 2⁶⁴ by the golden ratio."""

LITERALS, OFFSETS, LENGTHS = 0, 1, 2
"""The three numbers of a sequence."""

LOGS = np.array([6, 8, 9])
"""Binary logarithms of their tables' lengths; 9, 8 and 9 are allowed."""

ONE, TOLD, KEPT = 1, 2, 3
"""Kinds of tables: all codes are one; the table follows; it is that of the block before."""

LITERALS_BASE = np.array([*range(16), 16, 18, 20, 22, 24, 28, 32, 40, 48, *2 ** np.arange(6, 17)])
"""The least number of literals that each code stands for."""

LENGTHS_BASE = np.array(
    [*range(3, 35), 35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99, *2 ** np.arange(7, 17) + 3]
)
"""The least number of copied bytes that each code stands for."""

LITERALS_BITS = np.log2(np.diff(LITERALS_BASE, append=1 << 17)).astype(int)
LENGTHS_BITS = np.log2(np.diff(LENGTHS_BASE, append=(1 << 17) + 3)).astype(int)
"""Bits beside a code."""

LITERALS_CODE = np.searchsorted(LITERALS_BASE, np.arange(64), "right") - 1
LENGTHS_CODE = np.searchsorted(LENGTHS_BASE, np.arange(131), "right") - 1
"""Codes of small numbers; beyond, each power of two has its own."""


@numba.njit(nogil=True, cache=True)
def label_frame(data, row, plane, out):  # type: ignore[no-untyped-def]
    """Write `data` as a frame to `out`: how many bytes that is, or 0 where there is no room.

    `data` are unsigned integers of 32 or 64 bits, at most 64 MiB: more, and an offset would not
    fit into a word with what stands beside it. `row` and `plane` say how many of them make one.
    """
    nbytes, room = len(data) * data.itemsize, len(out) // 4
    if min(nbytes, len(out)) < ROOM:
        return 0
    sequences, literals = np.empty((room, 3), np.int64), np.empty(room, data.dtype)
    ends = np.empty((-(-nbytes // BLOCK), 2), np.int64)
    made = _find(data, row, plane, _mark(data, row, plane), sequences, literals, ends)
    if made < 0:
        return 0
    coded = _encode(sequences, made)
    return _write(nbytes, ends, literals.view(np.uint8), coded, out)


@numba.njit
def _mark(data, row, plane):  # type: ignore[no-untyped-def]
    """A bit for each voxel that differs from the one before, above, and in the plane before."""
    source, count = _pointer(data), len(data)
    marks = np.empty((3, -(-count // 64)), np.uint64)
    for word in range(marks.shape[1]):
        start, stop = 64 * word, 64 * word + 64
        for way, back in enumerate((1, row, plane)):
            if back <= start and stop <= count:
                marks[way, word] = _differences(source, start, start - back)
                continue
            bits = ~np.uint64(0)
            for i in range(max(start, back), min(stop, count)):
                if data[i] == data[i - back]:
                    bits ^= np.uint64(1) << np.uint64(i - start)
            marks[way, word] = bits
    return marks


@numba.njit
def _find(data, row, plane, marks, sequences, literals, ends):  # type: ignore[no-untyped-def]
    """Divide all blocks into sequences: how many, or -1 where there is no room for them.

    `ends` becomes, for each block, how many sequences and bytes of literals there are up to its
    end.
    """
    size = data.itemsize
    seen = np.full(1 << SEEN_BITS, -1)
    last = (1, 4, 8)  # offsets, as the format has them at the beginning
    made = new = 0
    for block in range(len(ends)):
        at = block * BLOCK // size
        stop = min(at + BLOCK // size, len(data))
        before = new
        while at < stop:
            if made == len(sequences) or new == len(literals):
                return -1
            length, back = _alike(marks, 0, at, stop), 1
            reach = _alike(marks, 1, at, stop)
            if reach > length:
                length, back = reach, row
            reach = _alike(marks, 2, at, stop)
            if reach > length:
                length, back = reach, plane
            slot = (np.uint64(data[at]) * np.uint64(GOLDEN)) >> np.uint64(64 - SEEN_BITS)
            if not length and seen[slot] >= 0:
                back = at - seen[slot]
                while at + length < stop and data[at + length] == data[at + length - back]:
                    length += 1
            seen[slot] = at
            if not length:
                literals[new] = data[at]
                new += 1
                at += 1
                continue
            sequences[made, OFFSETS], last = _recall(back * size, new > before, last)
            sequences[made, LITERALS] = (new - before) * size
            sequences[made, LENGTHS] = length * size
            made += 1
            before = new
            at += length
        ends[block, 0], ends[block, 1] = made, new * size
    return made


@numba.njit
def _alike(marks, way, at, stop):  # type: ignore[no-untyped-def]
    """How many voxels from `at` on have no mark."""
    bits = marks[way, at // 64] >> np.uint64(at % 64)
    end = at
    while not bits:
        end = (end // 64 + 1) * 64
        if end >= stop:
            return stop - at
        bits = marks[way, end // 64]
    return min(end + _trailing(bits), stop) - at


@numba.njit
def _recall(offset, literals, last):  # type: ignore[no-untyped-def]
    """What to write for an offset, and the last three afterwards.

    1, 2 and 3 stand for the last three; without literals before it 1 and 2 for the two before the
    last, which would only go on.
    """
    first, second, third = last
    if offset == first and literals:
        return 1, last
    if offset == second:
        return 1 + literals, (second, first, third)
    if offset == third:
        return 2 + literals, (third, first, second)
    return offset + 3, (offset, first, second)


@numba.njit
def _encode(sequences, made):  # type: ignore[no-untyped-def]
    """For each sequence its codes, the bits beside them and how many these are; the tables."""
    codes = np.empty((made, 3), np.uint8)
    extras, widths = np.empty(made, np.uint64), np.empty(made, np.uint8)
    counts = np.zeros((3, 64), np.int64)
    for i in range(made):
        literals, offset, length = sequences[i, 0], sequences[i, 1], sequences[i, 2]
        one = LITERALS_CODE[literals] if literals < 64 else _log2(literals) + 19
        two = _log2(offset)
        three = LENGTHS_CODE[length] if length < 131 else _log2(length - 3) + 36
        codes[i, 0], codes[i, 1], codes[i, 2] = one, two, three
        counts[0, one] += 1
        counts[1, two] += 1
        counts[2, three] += 1
        bits = (offset - (1 << two)) << LENGTHS_BITS[three] | length - LENGTHS_BASE[three]
        extras[i] = bits << LITERALS_BITS[one] | literals - LITERALS_BASE[one]
        widths[i] = LITERALS_BITS[one] + LENGTHS_BITS[three] + two
    return codes, extras, widths, _tables(counts)


@numba.njit
def _tables(counts):  # type: ignore[no-untyped-def]
    """For each of the three numbers a table, made for how frequent its codes are.

    How many states each code has, where they begin in the list of states, that list, which has
    each code's in order, and the logarithm of its length: 0 if all codes are one.
    """
    shares, begins = np.zeros((3, 64), np.int64), np.zeros((3, 64), np.int64)
    states, logs = np.zeros((3, 512), np.int64), np.zeros(3, np.int64)
    owner = np.empty(512, np.int64)
    for kind in range(3):
        total = different = 0
        for code in range(64):
            total += counts[kind, code]
            different += counts[kind, code] > 0
        if not total:
            continue
        logs[kind] = LOGS[kind] if different > 1 else 0
        size = 1 << logs[kind]
        left = size
        for code in range(64):
            if counts[kind, code]:
                shares[kind, code] = max(1, (counts[kind, code] * size + total // 2) // total)
                left -= shares[kind, code]
        while left:  # given to the most frequent, or taken from it
            most = 0
            for code in range(64):
                if shares[kind, code] > shares[kind, most]:
                    most = code
            step = max(left, -1)
            shares[kind, most] += step
            left -= step
        place = begin = 0
        for code in range(64):
            begins[kind, code] = begin
            begin += shares[kind, code]
            for _ in range(shares[kind, code]):
                owner[place] = code
                place = (place + (size >> 1) + (size >> 3) + 3) & (size - 1)
        free = begins[kind].copy()
        for state in range(size):
            states[kind, free[owner[state]]] = state
            free[owner[state]] += 1
    return shares, begins, states, logs


@numba.njit
def _write(nbytes, ends, literals, coded, out):  # type: ignore[no-untyped-def]
    """The frame, of what was found: how many bytes, or 0 where there is no room."""
    at = _put(out, 0, HEAD, 5)
    at = _put(out, at, nbytes, 4)
    first = new = 0
    for block in range(len(ends)):
        head, stop, fresh = at, ends[block, 0], ends[block, 1] - new
        if ROOM + fresh + 8 * (stop - first) > min(nbytes, BLOCK, len(out) - head):
            return 0
        at = _put(out, head + 3, 3 << 2 | fresh << 4, 3)  # literals as they are; 3: in three bytes
        for i in range(fresh):
            out[at + i] = literals[new + i]
        at += fresh
        if stop > first:
            at = _put_sequences(out, at, coded, first, stop, KEPT if first else TOLD)
        else:
            at = _put(out, at, 0, 1)
        last = block == len(ends) - 1
        _put(out, head, last | 2 << 1 | (at - head - 3) << 3, 3)  # 2: compressed
        first, new = stop, new + fresh
    return at


@numba.njit
def _put(out, at, number, size):  # type: ignore[no-untyped-def]
    """Write a number's lowest bytes; returns where they end."""
    for i in range(size):
        out[at + i] = np.uint8(np.uint64(number) >> np.uint64(8 * i))
    return at + size


@numba.njit
def _put_sequences(out, at, coded, first, stop, kind):  # type: ignore[no-untyped-def]
    """Write a block's sequences, of which there are some: the last one first, as it is read."""
    codes, extras, widths, tables = coded
    shares, begins, states, logs = tables
    made = stop - first
    at = _put(out, at, 0x80 | made >> 8 | (made & 255) << 8, 2)
    kinds, at = at, at + 1
    said = 0
    for which in range(3):
        mine = kind if logs[which] else ONE
        said |= mine << 6 - 2 * which
        if mine == ONE:
            at = _put(out, at, codes[first, which], 1)
        elif mine == TOLD:
            at = _put_table(out, at, shares[which], logs[which])
    out[kinds] = said
    i = stop - 1
    literal = states[LITERALS, begins[LITERALS, codes[i, LITERALS]]]
    offset = states[OFFSETS, begins[OFFSETS, codes[i, OFFSETS]]]
    length = states[LENGTHS, begins[LENGTHS, codes[i, LENGTHS]]]
    at, word, filled = _flush(out, at, extras[i], np.int64(widths[i]))
    for i in range(stop - 2, first - 1, -1):
        word, filled, offset = _step(word, filled, tables, OFFSETS, codes[i, OFFSETS], offset)
        word, filled, length = _step(word, filled, tables, LENGTHS, codes[i, LENGTHS], length)
        word, filled, literal = _step(word, filled, tables, LITERALS, codes[i, LITERALS], literal)
        at, word, filled = _flush(out, at, word, filled)
        word |= extras[i] << np.uint64(filled)
        at, word, filled = _flush(out, at, word, filled + np.int64(widths[i]))
    word, filled = _add(word, filled, length, logs[LENGTHS])
    word, filled = _add(word, filled, offset, logs[OFFSETS])
    word, filled = _add(word, filled, literal, logs[LITERALS])
    word, filled = _add(word, filled, 1, 1)  # the reader begins here, and finds the end
    return _put(out, at, word, (filled + 7) // 8)


@numba.njit
def _step(word, filled, tables, kind, code, state):  # type: ignore[no-untyped-def]
    """From the state of the code that is read after it, to one of this code."""
    shares, begins, states, logs = tables
    share = shares[kind, code]
    state += 1 << logs[kind]
    width = logs[kind] - _log2(share)
    width -= (state >> width) < share
    word, filled = _add(word, filled, state & ((1 << width) - 1), width)
    return word, filled, states[kind, begins[kind, code] + (state >> width) - share]


@numba.njit
def _put_table(out, at, shares, log):  # type: ignore[no-untyped-def]
    """Write how many states each code has, in as many bits as what is left over may need."""
    word, filled = np.uint64(log - 5), 4
    left, code = (1 << log) + 1, 0
    while left > 1:
        share = shares[code]
        width = _log2(left)
        short = (2 << width) - 1 - left  # so many of the numbers take a bit less
        number = share + 1 + (short if share + 1 >= 1 << width else 0)
        word, filled = _add(word, filled, number, width + (number >= short))
        left -= share
        code += 1
        if not share:  # how many more there are like this, by threes
            more = 0
            while not shares[code + more]:
                more += 1
            code += more
            while more >= 0:
                word, filled = _add(word, filled, min(more, 3), 2)
                more -= 3
        at, word, filled = _flush(out, at, word, filled)
    return _put(out, at, word, (filled + 7) // 8)


@numba.njit
def _add(word, filled, bits, width):  # type: ignore[no-untyped-def]
    return word | np.uint64(bits) << np.uint64(filled), filled + width


@numba.njit
def _flush(out, at, word, filled):  # type: ignore[no-untyped-def]
    """Write whole bytes of the bits at hand, of which less than eight remain."""
    target = _pointer(out)
    for i in range(8):
        target[at + i] = np.uint8(word >> np.uint64(8 * i))
    count = np.uint64(filled) >> np.uint64(3)
    return at + np.int64(count), word >> (count << np.uint64(3)), filled & 7


@_instructions
def _pointer(typing, array):  # type: ignore[no-untyped-def]
    """Where an array begins: indices from there are never taken from the end."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return context.make_array(array)(context, builder, values[0]).data

    return types.CPointer(array.dtype)(array), generate  # type: ignore[no-untyped-call]


@_instructions
def _differences(typing, pointer, one, other):  # type: ignore[no-untyped-def]
    """Which of the 64 values from `one` on differ from those from `other` on: a bit for each."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        item = ir.IntType(pointer.dtype.bitwidth)
        vector = ir.VectorType(item, 64).as_pointer()
        found = [
            builder.load(
                builder.bitcast(builder.gep(values[0], [start]), vector), align=item.width // 8
            )
            for start in values[1:]
        ]
        return builder.bitcast(builder.icmp_unsigned("!=", *found), ir.IntType(64))

    return types.uint64(pointer, types.int64, types.int64), generate


@_instructions
def _trailing(typing, bits):  # type: ignore[no-untyped-def]
    """How many bits stand below the lowest that is set."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return builder.cttz(values[0], ir.IntType(1)(1))

    return types.int64(types.uint64), generate


@_instructions
def _log2(typing, number):  # type: ignore[no-untyped-def]
    """Of a number greater than 0, rounded down."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return builder.sub(ir.IntType(64)(63), builder.ctlz(values[0], ir.IntType(1)(1)))

    return types.int64(types.int64), generate
