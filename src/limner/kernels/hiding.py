"""What later, opaque stamps hide: pixels that neither pass needs to work on.

Nothing shows through an opaque stamp, and no gradient reaches what lies below. What is painted there does not matter,
so that spans of pixels may end early, or be taken for flat, where they are hidden. A row has a word of 64 bits, or of
32 if that is enough, each for a block of neighbouring columns, set where the whole block is hidden. All here is for
eight rows at a time.
"""

import numpy as np

from limner.kernels.jit import inlined
from limner.kernels.lanes import choose, larger, smaller, wholes, words, zeros_above, zeros_below


def word_of(width):
    """The kind of words that rows of this width have."""
    return np.uint32 if width <= 32 else np.uint64


@inlined
def blocks_in_row(width, hidden):
    """Of rows with words like those of an array: log of the columns in a block, blocks in a word, and all in one."""
    bits, room = 0, 8 * hidden.itemsize
    while width > room << bits:
        bits += 1
    return bits, room, hidden.dtype.type(2**64 - 1)


@inlined
def since(pixel, blocks):
    """The block of a pixel and those after it; all blocks for one past the last that a word has."""
    bits, room, every = blocks
    return every << words((pixel >> bits) & (room - 1), every)


@inlined
def until(pixel, blocks):
    """The block of a pixel and those before it; all blocks for pixel -1."""
    every = blocks[2]
    return (since(pixel, blocks) << 1) ^ every


@inlined
def first_of(word, bits):
    """First pixel of the lowest block; past the row if there is none."""
    return wholes(zeros_below(word)) << bits


@inlined
def past(word, bits, room):
    """First pixel past the highest block; 0 if there is none."""
    return (room - wholes(zeros_above(word))) << bits


@inlined
def clip(spans, hidden, blocks):
    """The spans (first, start, stop, last) of rows cut short, in whole eights, where they are hidden.

    The flat run grows over what is hidden of the edges beside it. Where all that is seen lies behind it, it goes.
    """
    first, start, stop, last = spans
    bits, room, every = blocks
    seen = (hidden ^ every) & since(first, blocks) & until(last - 1, blocks)
    left, right = seen & until(start - 1, blocks), seen & since(stop, blocks)
    begin, last = first_of(seen, bits), smaller(last, past(seen, bits, room))
    behind, flat_first = begin >= stop, first + ((past(left, bits, room) - first + 7) & -8)
    first = smaller(choose(behind, begin, first + (larger(begin - first, 0) & -8)), last)
    start = smaller(larger(smaller(start, flat_first), first), last)
    stop = smaller(larger(larger(stop, first_of(right, bits)), start), last)
    return first, choose(behind, last, start), choose(behind, last, stop), last


@inlined
def hidden_by(flat_first, flat_last, width, blocks):
    """The blocks that a stamp hides which covers these pixels."""
    bits, _, every = blocks
    rest = (1 << bits) - 1
    whole = choose(flat_last < width, flat_last & ~rest, width)
    low = (flat_first + rest) & ~rest
    return choose(low < whole, since(low, blocks) & until(whole - 1, blocks), every ^ every)
