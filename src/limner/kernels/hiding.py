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
def since(pixel, bits):
    """The block of a pixel and those after it; all blocks for one past the last that a word has."""
    return ALL << words((pixel >> bits) & 63)


@inlined
def until(pixel, bits):
    """The block of a pixel and those before it; all blocks for pixel -1."""
    return (since(pixel, bits) << ONE) ^ ALL


@inlined
def first_of(word, bits):
    """First pixel of the lowest block; past the row if there is none."""
    return wholes(zeros_below(word)) << bits


@inlined
def past(word, bits):
    """First pixel past the highest block; 0 if there is none."""
    return (64 - wholes(zeros_above(word))) << bits


@inlined
def clip(spans, hidden, bits):
    """The spans (first, start, stop, last) of rows cut short, in whole eights, where they are hidden.

    The flat run grows over what is hidden of the edges beside it. Where all that is seen lies behind it, it goes.
    """
    first, start, stop, last = spans
    seen = (hidden ^ ALL) & since(first, bits) & until(last - 1, bits)
    left, right = seen & until(start - 1, bits), seen & since(stop, bits)
    begin, last = first_of(seen, bits), smaller(last, past(seen, bits))
    behind, flat_first = begin >= stop, first + ((past(left, bits) - first + 7) & -8)
    first = smaller(choose(behind, begin, first + (larger(begin - first, 0) & -8)), last)
    start = smaller(larger(smaller(start, flat_first), first), last)
    stop = smaller(larger(larger(stop, first_of(right, bits)), start), last)
    return first, choose(behind, last, start), choose(behind, last, stop), last


@inlined
def hidden_by(flat_first, flat_last, width, bits):
    """The blocks that a stamp hides which covers these pixels."""
    rest = (1 << bits) - 1
    whole = choose(flat_last < width, flat_last & ~rest, width)
    low = (flat_first + rest) & ~rest
    return choose(low < whole, since(low, bits) & until(whole - 1, bits), np.uint64(0))
