"""Where a template is something, and where the same all over: an outline for each level of it, found from its cells.

An outline (OUTLINE,) is an octagon (`footprint`) that holds every cell where the mask is not zero, an octagon within
which the mask is constant, and its value there; and the squared radii of two discs that are the same, around the middle
of the template, which reaches from -1 to 1. The first octagon is empty (low > high) where there is nothing.
"""

from limner.kernels.jit import inlined, kernel

FLAT = 1e-6
"""Largest change within a cell that counts as none."""
NOWHERE = 1e9
VALUE, SUPPORT_DISC, FLAT_DISC, OUTLINE = 16, 17, 18, 19
"""Places in an outline, behind both octagons, of the value and of the discs; and how many numbers it has."""


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
    outline[VALUE], outline[SUPPORT_DISC], outline[FLAT_DISC] = 0.0, NOWHERE, -1.0


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
    outline[VALUE] = value


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
            if not is_flat(level, cell, outline[VALUE]):
                x, y = max(left, -right, 0.0), max(top, -bottom, 0.0)
                flat = min(flat, x * x + y * y)
    outline[SUPPORT_DISC] = support
    if outline[VALUE] != 0.0:
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
                outline[VALUE, lane] = 0.0
            else:
                for side in range(0, 8, 2):
                    outline[side, lane] = min(outline[side, lane], outlines[k, lv, lu, side])
                    outline[side + 1, lane] = max(outline[side + 1, lane], outlines[k, lv, lu, side + 1])
                    outline[side + 8, lane] = max(outline[side + 8, lane], outlines[k, lv, lu, side + 8])
                    outline[side + 9, lane] = min(outline[side + 9, lane], outlines[k, lv, lu, side + 9])
                outline[SUPPORT_DISC, lane] = max(outline[SUPPORT_DISC, lane], outlines[k, lv, lu, SUPPORT_DISC])
                outline[FLAT_DISC, lane] = min(outline[FLAT_DISC, lane], outlines[k, lv, lu, FLAT_DISC])
            outline[VALUE, lane] += which[b, t, k] * outlines[k, lv, lu, VALUE]
            used, last = used + 1, k
    if used == 0:
        clear(outline[:, lane])
    for side in range(8, 16, 2):
        if outline[side, lane] > outline[side + 1, lane]:
            outline[8:16, lane] = NOWHERE
    return last if used == 1 and which[b, t, last] == 1.0 else -1
