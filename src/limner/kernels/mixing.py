"""The cells of a convex mix of templates, and the way back for their gradient."""

import numpy as np

from limner.kernels.across import behind, total
from limner.kernels.jit import inlined
from limner.kernels.lanes import splat
from limner.kernels.quads import load_quads, store_quads
from limner.kernels.simd import load, store

F = np.float32

MARGIN = 48
"""Cells behind the last that can be read, beside a row of them: kernels read on, some at a time."""


def cell_desk(side, dense=None):
    """Room for a mix of templates of `side` texels (`blend`), and, if they are `dense`, its gradient (`give_back`)."""
    room = (side + 4) * (side + 5) + MARGIN
    pulled = room if dense else 0
    mix = np.empty(4 * room, np.float32), np.empty(room, np.float32)
    return mix, (np.zeros(4 * pulled, np.float32), np.zeros(pulled, np.float32), np.zeros(pulled, np.float32))


@inlined
def blend(which, b, t, texels, start, count, hop, mix, part):
    """The `count` cells of a level of a convex mix of templates, `hop` a row, into mix = (cells, texels).

    part: of a texel, which is what points in cells count (`quads`).
    """
    cells, mixed = mix
    stride = len(texels) // which.shape[2]
    for x in range(0, count + hop + 1, 32):
        first, second, third, fourth = splat(F(0)), splat(F(0)), splat(F(0)), splat(F(0))
        for k in range(which.shape[2]):
            at, share = k * stride + start + x, splat(which[b, t, k])
            first, second = first + load(texels, at) * share, second + load(texels, at + 8) * share
            third, fourth = third + load(texels, at + 16) * share, fourth + load(texels, at + 24) * share
        store(mixed, x, first)
        store(mixed, x + 8, second)
        store(mixed, x + 16, third)
        store(mixed, x + 24, fourth)
    for x in range(0, count, 8):
        here, below = load(mixed, x), load(mixed, x + hop)
        along = load(mixed, x + 1) - here
        both = load(mixed, x + hop + 1) - below - along
        store_quads(cells, 4 * x, here, along * part, (below - here) * part, both * (part * part))


@inlined
def give_back(which, b, t, texels, start, count, hop, side, d_mix, d_which, band, d_cells, group, part):
    """Split the gradient of a convex mix into those of the weights and of the cells, adding to both; clears it.

    d_mix: the gradient of the cells; of texels, what comes from the row of cells before, behind `side` + 1 zeros; and
    the gradient of texels. `side` is the hop of the largest level.
    """
    pulled, rows, mixed = d_mix
    stride, origin, nothing = len(texels) // which.shape[2], side + 1, splat(F(0))
    whole = (count + 31) & -32
    if d_cells.shape[1] > 0:
        for k in range(which.shape[2]):
            for x in range(4 * count if which[b, t, k] != 0.0 else 0):
                d_cells[group, 4 * (k * stride + start) + x] += which[b, t, k] * pulled[x]
    last_along, last_both = nothing, nothing
    for x in range(0, whole, 8):
        here, along, down, both = load_quads(pulled, 4 * x)
        along, down, both = along * part, down * part, both * (part * part)
        store_quads(pulled, 4 * x, nothing, nothing, nothing, nothing)
        store(rows, origin + x, down - both + behind(last_both, both))
        level = here - along - down + both + behind(last_along, along - both)
        store(mixed, x, level + load(rows, origin + x - hop))
        last_along, last_both = along - both, both
    for k in range(which.shape[2]):
        first, second, third, fourth = nothing, nothing, nothing, nothing
        for x in range(0, whole, 32):
            at = k * stride + start + x
            first = first + load(texels, at) * load(mixed, x)
            second = second + load(texels, at + 8) * load(mixed, x + 8)
            third = third + load(texels, at + 16) * load(mixed, x + 16)
            fourth = fourth + load(texels, at + 24) * load(mixed, x + 24)
        d_which[band, b, t, k] += total((first + second) + (third + fourth))
