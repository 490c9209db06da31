"""The template bank as the kernels read it: cells of four coefficients, and an outline for each level of a template.

An outline (OUTLINE,) is an octagon (`footprint`) that holds every cell where the mask is not zero, an octagon within
which the mask is constant, and its value there; and the squared radii of two discs that are the same, around the middle
of the template, which reaches from -1 to 1. The first octagon is empty (low > high) where there is nothing.
"""

import numpy as np

from limner.kernels.jit import inlined, kernel
from limner.kernels.lanes import behind, splat, total
from limner.kernels.quads import load_quads, store_quads
from limner.kernels.simd import load, store

F = np.float32

FLAT = 1e-6
"""Largest change within a cell that counts as none."""
NOWHERE = 1e9
SUPPORT_DISC, FLAT_DISC, OUTLINE = 17, 18, 19
"""Places of an outline's discs, and how many numbers it has."""
MARGIN = 48
"""Cells behind the last that can be read, beside a row of them: kernels read on, some at a time."""


@kernel
def find_outlines(cells, sizes, offsets, learnt, outlines, square):
    """Fill outlines (template, level, level, OUTLINE) from cells (template, 4 cell).

    `learnt`: the masks are parameters, whose every texel needs its gradient: support everywhere, flat nowhere.
    square (cells a side, cells a side): to work in.
    """
    for k in range(len(cells)):
        for lv in range(len(sizes)):
            for lu in range(len(sizes)):
                level = cells[k, 4 * offsets[lv, lu] : 4 * (offsets[lv, lu] + (sizes[lv] + 4) * (sizes[lu] + 4))]
                outline = outlines[k, lv, lu]
                clear(outline)
                find_support(level, sizes[lv] + 4, sizes[lu] + 4, learnt, outline)
                if not learnt:
                    find_flat(level, sizes[lv] + 4, sizes[lu] + 4, outline, square)
                    find_discs(level, sizes[lv] + 4, sizes[lu] + 4, outline)


@inlined
def clear(outline):
    """Nothing: an inverted octagon, which any cell widens, a flat point out of reach, and discs that say nothing."""
    for k in range(4):
        outline[2 * k], outline[2 * k + 1] = NOWHERE, -NOWHERE
    outline[8:16] = NOWHERE
    outline[16], outline[SUPPORT_DISC], outline[FLAT_DISC] = 0.0, NOWHERE, -1.0


@inlined
def find_support(level, rows, columns, everywhere, outline):
    """The smallest octagon around the cells that are not zero."""
    for r in range(1, rows - 2):
        for c in range(1, columns - 2):
            if everywhere or is_used(level, r * columns + c):
                for k in range(4):
                    low = (c, r, c + r, c - r - 1)[k]
                    outline[2 * k] = min(outline[2 * k], float(low))
                    outline[2 * k + 1] = max(outline[2 * k + 1], low + (1.0 if k < 2 else 2.0))


@inlined
def is_used(level, cell):
    """Whether the mask of a cell is not zero throughout."""
    used = False
    for term in range(4):
        used = used or level[4 * cell + term] != 0.0
    return used


@inlined
def is_flat(level, cell, value):
    change = abs(level[4 * cell + 1]) + abs(level[4 * cell + 2]) + abs(level[4 * cell + 3])
    return change <= FLAT and abs(level[4 * cell] - value) <= FLAT


@inlined
def find_flat(level, rows, columns, outline, square):
    """Grow an octagon by turns on all sides from the middle of the largest square of equal, non-zero mask."""
    square[:rows, :columns] = 0
    best, row, column = 0, 0, 0
    for r in range(rows - 2):
        for c in range(columns - 2):
            cell = r * columns + c
            if level[4 * cell] != 0.0 and is_flat(level, cell, level[4 * cell]):
                square[r, c] = 1 + min(square[r - 1, c], square[r, c - 1], square[r - 1, c - 1]) if r and c else 1
            if square[r, c] > best:
                best, row, column = square[r, c], r, c
    if best == 0:
        return
    row, column = row - best // 2, column - best // 2
    value = level[4 * (row * columns + column)]
    mark_runs(level, rows, columns, value, square)
    octagon = outline[8:16]
    for k in range(4):
        octagon[2 * k] = (column, row, column + row, column - row - 1)[k]
        octagon[2 * k + 1] = octagon[2 * k] + (1 if k < 2 else 2)
    growing = True
    while growing:
        growing = False
        for side in range(8):
            step = -1 if side % 2 == 0 else 1
            if abs(octagon[side] + step) <= rows + columns:
                octagon[side] += step
                if all_flat(square, rows, columns, octagon):
                    growing = True
                else:
                    octagon[side] -= step
    outline[16] = value


@inlined
def find_discs(level, rows, columns, outline):
    """The smallest disc that holds the cells that are not zero, and the largest that holds none but flat ones."""
    support, flat = 0.0, NOWHERE
    for r in range(1, rows - 2):
        for c in range(1, columns - 2):
            cell = r * columns + c
            left, top = 2.0 * (c - 1.5) / (columns - 4) - 1.0, 2.0 * (r - 1.5) / (rows - 4) - 1.0
            right, bottom = left + 2.0 / (columns - 4), top + 2.0 / (rows - 4)
            if is_used(level, cell):
                support = max(support, max(left * left, right * right) + max(top * top, bottom * bottom))
            if not is_flat(level, cell, outline[16]):
                x, y = max(left, -right, 0.0), max(top, -bottom, 0.0)
                flat = min(flat, x * x + y * y)
    outline[SUPPORT_DISC] = support
    if outline[16] != 0.0:
        outline[FLAT_DISC] = flat


@inlined
def mark_runs(level, rows, columns, value, runs):
    """Of each cell the number of those that end with it, in its row, and have this value throughout."""
    for r in range(rows):
        run = 0
        for c in range(columns):
            run = run + 1 if is_flat(level, r * columns + c, value) else 0
            runs[r, c] = run


@inlined
def all_flat(runs, rows, columns, octagon):
    """Whether every cell that meets the octagon belongs to a run."""
    if octagon[0] < 0 or octagon[1] > columns or octagon[2] < 0 or octagon[3] > rows:
        return False
    for r in range(int(octagon[2]), int(octagon[3])):
        first = int(max(octagon[0], octagon[4] - r - 1, octagon[6] + r))
        end = int(min(octagon[1], octagon[5] - r, octagon[7] + r + 1))
        if first < end and runs[r, end - 1] < end - first:
            return False
    return True


@inlined
def choose_outline(which, b, t, outlines, levels, outline, lane, dense):
    """Fill outline (OUTLINE, 8) at `lane` with that of a convex mix of templates; returns the one if hard, else -1.

    `dense`: the gradient of every weight is wanted, so the outline is that of all templates.
    """
    lv, lu = levels
    used, last = 0, 0
    for k in range(which.shape[2]):
        if dense or which[b, t, k] != 0.0:
            if used == 0:
                for side in range(OUTLINE):
                    outline[side, lane] = outlines[k, lv, lu, side]
                outline[16, lane] = 0.0
            else:
                for side in range(0, 8, 2):
                    outline[side, lane] = min(outline[side, lane], outlines[k, lv, lu, side])
                    outline[side + 1, lane] = max(outline[side + 1, lane], outlines[k, lv, lu, side + 1])
                    outline[side + 8, lane] = max(outline[side + 8, lane], outlines[k, lv, lu, side + 8])
                    outline[side + 9, lane] = min(outline[side + 9, lane], outlines[k, lv, lu, side + 9])
                outline[SUPPORT_DISC, lane] = max(outline[SUPPORT_DISC, lane], outlines[k, lv, lu, SUPPORT_DISC])
                outline[FLAT_DISC, lane] = min(outline[FLAT_DISC, lane], outlines[k, lv, lu, FLAT_DISC])
            outline[16, lane] += which[b, t, k] * outlines[k, lv, lu, 16]
            used, last = used + 1, k
    if used == 0:
        clear(outline[:, lane])
    for side in range(8, 16, 2):
        if outline[side, lane] > outline[side + 1, lane]:
            outline[8:16, lane] = NOWHERE
    return last if used == 1 and which[b, t, last] == 1.0 else -1


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
