"""Where every move lies, and which tiles of the canvas it meets. All arrays are flat and contiguous."""

import triton.language as tl

from limner.gpu.jit import kernel

SIDE = 16
"""Pixels along a tile."""


def across(pixels: int) -> int:
    """Tiles along a side."""
    return -(-pixels // SIDE)


@kernel
def place(
    where, sizes, offsets, levels, count, height, width, levels_a_side, density: tl.constexpr, BLOCK: tl.constexpr
):  # fmt: skip
    """First texel, columns and rows of the level of prefiltering that each of `count` moves takes, into `levels`.

    `geometry.prefilter_levels` says which; density: look-ups that a pixel is given along each axis.
    """
    move = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    there = move < count
    texels = tl.load(sizes).to(tl.float64)
    by_x, by_y = texels / (width * density), texels / (height * density)
    a, b = tl.load(where + 6 * move, there, 0.0) * by_x, tl.load(where + 6 * move + 1, there, 0.0) * by_y
    d, e = tl.load(where + 6 * move + 3, there, 0.0) * by_x, tl.load(where + 6 * move + 4, there, 0.0) * by_y
    i, j = tl.zeros_like(move), tl.zeros_like(move)
    step = texels * 0 + 2
    for _ in range(1, levels_a_side):
        i += (a * a + b * b > step).to(tl.int32)
        j += (d * d + e * e > step).to(tl.int32)
        step *= 4
    tl.store(levels + 3 * move, tl.load(offsets + j * levels_a_side + i).to(tl.int32), there)
    tl.store(levels + 3 * move + 1, tl.load(sizes + i).to(tl.int32), there)
    tl.store(levels + 3 * move + 2, tl.load(sizes + j).to(tl.int32), there)


@kernel
def meet(
    where, levels, met, slots, counts, height, width, columns, tiles, moves, SIDE: tl.constexpr, BLOCK: tl.constexpr
):  # fmt: skip
    """The moves that a tile meets, in painting order: a program to a tile.

    met (image tile move): these, closed up.  counts (image tile): how many.
    slots (image move tile): the place of a move among those that a tile meets, or -1.
    A few may come to nothing: a tile meets a move where it reaches into the template's square, half a texel wider,
    along both axes of the template.
    """
    program = tl.program_id(0).to(tl.int64)
    image, tile = program // tiles, program % tiles
    x = (tile % columns * SIDE + SIDE / 2) * (2.0 / width) - 1
    y = (tile // columns * SIDE + SIDE / 2) * (2.0 / height) - 1
    found = tl.zeros((), tl.int32)
    for begin in range(0, moves, BLOCK):
        t = begin + tl.arange(0, BLOCK)
        there, move = t < moves, image * moves + t
        a, b = tl.load(where + 6 * move, there, 0.0), tl.load(where + 6 * move + 1, there, 0.0)
        c, d = tl.load(where + 6 * move + 2, there, 0.0), tl.load(where + 6 * move + 3, there, 0.0)
        e, f = tl.load(where + 6 * move + 4, there, 0.0), tl.load(where + 6 * move + 5, there, 0.0)
        reach_x = 1.001 + 1.0 / tl.load(levels + 3 * move + 1, there, 1)
        reach_y = 1.001 + 1.0 / tl.load(levels + 3 * move + 2, there, 1)
        spread_x = 1.001 * SIDE * (tl.abs(a) / width + tl.abs(b) / height)
        spread_y = 1.001 * SIDE * (tl.abs(d) / width + tl.abs(e) / height)
        beyond = (tl.abs(a * x + b * y + c) > reach_x + spread_x) | (tl.abs(d * x + e * y + f) > reach_y + spread_y)
        meets = (there & ~beyond).to(tl.int32)
        slot = found + tl.cumsum(meets) - 1
        tl.store(met + program * moves + slot, t.to(met.dtype.element_ty), meets != 0)
        tl.store(slots + move * tiles + tile, tl.where(meets != 0, slot, -1).to(slots.dtype.element_ty), there)
        found += tl.sum(meets)
    tl.store(counts + program, found)


@kernel
def gather(parts, first, slots, sums, tiles, moves, size, PADDED: tl.constexpr, BLOCK: tl.constexpr):
    """The rows of `parts` of the tiles that each move meets, added up in order: a program to a move."""
    move = tl.program_id(0).to(tl.int64)
    image = move // moves
    column = tl.arange(0, PADDED)
    total = tl.zeros((PADDED,), tl.float32)
    for begin in range(0, tiles, BLOCK):
        tile = begin + tl.arange(0, BLOCK)
        slot = tl.load(slots + move * tiles + tile, tile < tiles, -1).to(tl.int64)
        row = tl.load(first + image * tiles + tile, tile < tiles, 0) + slot
        there = (slot >= 0)[:, None] & (column < size)
        total += tl.sum(tl.load(parts + row[:, None] * size + column, there, 0.0), 0)
    tl.store(sums + move * size + column, total, column < size)
