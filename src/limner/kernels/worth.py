"""How the squared error of a painting changes without each of its moves, all others as they are.

A move is seen through those after it: it changes a pixel by T m (colour - below), T being the share that they let
through and m its mask. Without it the pixel is what it was less that.
"""

import numpy as np

from limner.kernels.across import total
from limner.kernels.fixed import binary_places, fixed_axes, texel_steps
from limner.kernels.footprint import eights
from limner.kernels.jit import inlined, kernel, on
from limner.kernels.lanes import splat
from limner.kernels.layout import FLAT, row_of
from limner.kernels.quads import fetch, mask_at, read_four
from limner.kernels.simd import load, prefix, store
from limner.kernels.stamp import choose_cells, colour_of, task_rows, template_points

F = np.float32


@kernel
def worth(first, last, band, height, width, planes, strokes, bank, switches, plan, found, desk):
    """Fill found (band, batch, move) for tasks first to last, where `over.forward` has kept what was below all pixels.

    planes: flat, for each picture how far each channel of the painting is off, then the weight of each pixel; and eight
    values more.
    Other arguments as in `over`, whose desk it is.
    """
    through, mix, _, _ = desk
    where, which, _, opacity, _ = strokes
    placed, reach, layout, _, kept, begins, ends, listed = plan
    channels, places = len(switches[3]), binary_places(bank[2][0])
    for task in range(first, last):
        b, k, top, _, page = task_rows(task, band, height, width)
        through[:page] = 1.0
        for t in range(where.shape[1] - 1, -1, -1):
            alpha, change = F(opacity[b, t]), splat(F(0))
            if reach[b, k, t, 0] < reach[b, k, t, 1]:
                source, zero, hop = choose_cells(which, b, t, bank, placed, mix)
                steps_u, steps_v = texel_steps(fixed_axes(b, t, placed, places))
                for e in range(begins[b, k, t], ends[b, k, t]):
                    u, v, j, spot = read_four(listed, e)
                    p, q, r, s, fu, fv = fetch(source, zero, hop, places, u, v, steps_u, steps_v, spot & 15)
                    seen = see(through, (j - top) * width + (spot >> 4), mask_at(p, q, r, s, fu, fv) * alpha)
                    at = 8 * channels * e
                    change = change + changed(
                        seen, b, t, j, spot >> 4, strokes, placed, kept, at, 8, planes, height, width, channels
                    )
                cursor = 8 * channels * ends[b, k, t]
                flat = splat(F(placed[b, t, FLAT])) * alpha
                for j in range(reach[b, k, t, 2], reach[b, k, t, 3]):
                    _, start, stop, _ = row_of(layout, b, t, j)
                    row = 8 * eights(start, stop)
                    for i in range(start, stop, 8):
                        seen = see(through, (j - top) * width + i, flat * prefix(np.int32(stop - i)))
                        at = cursor + i - start
                        change = change + changed(
                            seen, b, t, j, i, strokes, placed, kept, at, row, planes, height, width, channels
                        )
                    cursor += channels * row
            found[k, b, t] = total(change)


@inlined
def see(through, at, mask):
    """How far a move is seen in eight pixels; what is left for those before it goes into `through`."""
    share = load(through, at)
    store(through, at, share - share * mask)
    return share * mask


@inlined
def changed(seen, b, t, j, i, strokes, placed, kept, at, hop, planes, height, width, channels):
    """By how much the squared error of eight pixels changes without a move; channel c was kept at + hop c."""
    _, _, what, _, slope = strokes
    x, y, change = splat(F(0)), splat(F(0)), splat(F(0))
    if on(slope):
        x, y = template_points(b, t, i, 0, j, placed)
    page = height * width
    begin = (b * (channels + 1) * page) + j * width + i
    for c in range(channels):
        less = seen * (colour_of(what, slope, b, t, c, x, y) - load(kept, at + hop * c))
        change = change + less * (less - load(planes, begin + c * page) * F(2))
    return change * load(planes, begin + channels * page)
