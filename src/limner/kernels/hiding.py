"""What later, opaque stamps hide: pixels that neither pass needs to work on.

Nothing shows through an opaque stamp, and no gradient reaches what lies below. What is painted there does not matter,
so that spans of pixels may end early, or be taken for flat, where they are hidden. A row has a word of 64 bits, each
for a block of neighbouring columns, set where the whole block is hidden. All here is for eight rows at a time.
"""

import numpy as np

from limner.kernels.jit import inlined
from limner.kernels.lanes import choose, larger, smaller, wholes, words, zeros_above, zeros_below

ALL = np.uint64(2**64 - 1)
ONE = np.uint64(1)


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
    low, high = words((first >> bits) & 63), words(((last - 1) >> bits) & 63)
    word = (ALL << low) & (((ALL << high) << ONE) ^ ALL)
    return choose(first < last, word, np.uint64(0))


@inlined
def first_of(word, bits):
    """First pixel of the lowest block."""
    return wholes(zeros_below(word)) << bits


@inlined
def past(word, bits):
    """First pixel past the highest block."""
    return (64 - wholes(zeros_above(word))) << bits


@inlined
def some_of(word):
    """Where there are any blocks."""
    return wholes(zeros_below(word)) < 64


@inlined
def clip(spans, hidden, bits):
    """The spans (first, start, stop, last) of rows cut short, in whole eights, where they are hidden."""
    first, start, stop, last = spans
    seen = hidden ^ ALL
    left, flat = seen & blocks(first, start, bits), seen & blocks(start, stop, bits)
    right = seen & blocks(stop, last, bits)

    some_left, some_flat, some_right = some_of(left), some_of(flat), some_of(right)
    left_first, left_past = first_of(left, bits), past(left, bits)
    flat_first, flat_past = larger(start, first_of(flat, bits)), smaller(stop, past(flat, bits))
    right_first, right_past = larger(stop, first_of(right, bits)), smaller(last, past(right, bits))
    flat_past = choose(some_flat, flat_past, start)
    stop = choose(some_right, right_first, flat_past)
    last = choose(some_right, right_past, stop)
    flat_first = choose(some_flat, flat_first, stop)
    first = first + (larger(left_first - first, 0) & -8)
    first = choose(some_left, first, flat_first)
    flat_start = smaller(start, first + ((left_past - first + 7) & -8))
    start = choose(some_left, flat_start, first)

    edge = (some_left ^ some_right) & (some_flat ^ True)
    last = choose(edge & some_left, smaller(start, left_past), last)
    start, stop = choose(edge, last, start), choose(edge, last, stop)

    some = some_left | some_flat | some_right
    return choose(some, first, 0), choose(some, start, 0), choose(some, stop, 0), choose(some, last, 0)


@inlined
def hidden_by(flat_first, flat_last, width, bits):
    """The blocks that a stamp hides which covers these pixels."""
    rest = (1 << bits) - 1
    whole = choose(flat_last < width, flat_last & ~rest, width)
    return blocks((flat_first + rest) & ~rest, whole, bits)
