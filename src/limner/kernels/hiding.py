"""What later, opaque stamps hide: pixels that neither pass needs to work on.

Nothing shows through an opaque stamp, and no gradient reaches what lies below. What is painted there does not matter,
so that spans of pixels may end early, or be taken for flat, where they are hidden. A row has a word of 64 bits, each
for a block of neighbouring columns, set where the whole block is hidden.
"""

import numpy as np
from llvmlite import ir
from numba import int64, types, uint64

from limner.kernels.jit import inlined
from limner.kernels.simd import instruction

ALL = np.uint64(2**64 - 1)


@instruction
def zeros_below(_, word):
    """Zeros below the lowest bit that is set; 64 if none is."""
    return types.uint64(types.uint64), lambda context, builder, signature, args: builder.cttz(args[0], ir.IntType(1)(0))


@instruction
def zeros_above(_, word):
    """Zeros above the highest bit that is set; 64 if none is."""
    return types.uint64(types.uint64), lambda context, builder, signature, args: builder.ctlz(args[0], ir.IntType(1)(0))


@inlined
def block_bits(width):
    """Binary logarithm of the columns in a block, so that 64 blocks hold a row."""
    bits = 0
    while width > 64 << bits:
        bits += 1
    return bits


@inlined
def blocks(first, last, bits):
    """The blocks of pixels first to last - 1."""
    low, high = uint64((first >> bits) & 63), uint64(((last - 1) >> bits) & 63)
    word = (ALL << low) & ~((ALL << high) << uint64(1))
    return word if first < last else uint64(0)


@inlined
def first_of(word, bits):
    """First pixel of the lowest block."""
    return int64(zeros_below(word)) << bits


@inlined
def past(word, bits):
    """First pixel past the highest block."""
    return int64(64 - zeros_above(word)) << bits


@inlined
def clip_rows(j0, j1, width, b, t, layout, opaque, covers, hidden, bits):
    """Cut the spans in rows j0 to j1 of a stamp short, in whole eights, where they are hidden; then add what it hides.

    hidden (row,): what later stamps hide.  opaque (2, row): first and past-last pixel of what it hides, if it `covers`.
    One straight line without branches, so that LLVM works on several rows at once.
    """
    rest = (1 << bits) - 1
    for r in range((j1 - j0 + 7) & -8):
        j = uint64(j0 + r)
        first, start, stop, last = layout[b, t, 0, j], layout[b, t, 1, j], layout[b, t, 2, j], layout[b, t, 3, j]
        seen = ~hidden[j]
        left, flat = seen & blocks(first, start, bits), seen & blocks(start, stop, bits)
        right = seen & blocks(stop, last, bits)

        some_left, some_flat, some_right = left != 0, flat != 0, right != 0
        left_first, left_past = first_of(left, bits), past(left, bits)
        flat_first, flat_past = max(start, first_of(flat, bits)), min(stop, past(flat, bits))
        right_first, right_past = max(stop, first_of(right, bits)), min(last, past(right, bits))
        flat_past = flat_past if some_flat else start
        stop = right_first if some_right else flat_past
        last = right_past if some_right else stop
        flat_first = flat_first if some_flat else stop
        first = first + (max(0, left_first - first) & -8)
        first = first if some_left else flat_first
        flat_start = min(start, first + ((left_past - first + 7) & -8))
        start = flat_start if some_left else first

        only_left = some_left and not (some_flat or some_right)
        left_past = min(start, left_past)
        last = left_past if only_left else last
        edge = only_left or (some_right and not (some_flat or some_left))
        start, stop = last if edge else start, last if edge else stop

        some = some_left or some_flat or some_right
        layout[b, t, 0, j] = first if some else 0
        layout[b, t, 1, j] = start if some else 0
        layout[b, t, 2, j] = stop if some else 0
        layout[b, t, 3, j] = last if some else 0

        whole = opaque[1, j] & ~rest if opaque[1, j] < width else width
        more = blocks((opaque[0, j] + rest) & ~rest, whole, bits)
        hidden[j] |= more if covers and r < j1 - j0 else uint64(0)
