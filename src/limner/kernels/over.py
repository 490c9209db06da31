"""Painting moves one after another (eq. 3.3 to 3.5), forward and backward, in one pass over the touched pixels.

A task is a band of rows of one picture. Pixels are worked on eight at a time. Where a template is constant (the flat
run of a row) the mask is one number and the gradient to where is zero, so most of a large stamp costs little more than
a fill. The forward pass keeps, for the backward pass, what was below each stamp where its mask varies.

Arguments that kernels share, as tuples:
strokes: where (batch, move, 2, 3), which (batch, move, template), what (batch, move, channel), opacity (batch, move),
slope (batch, move, channel, 2), None without a gradient fill: kernels for both are compiled apart.
bank: cells (template * 4 cell), outlines (template, level, level, OUTLINE), sizes (level,), offsets (level, level),
texels (template * cell).
switches: additive; keep the edges; keep all pixels (each None or True); and a None for each channel, in a tuple.
dense: gradients of which or cells are wanted, None or True. Kernels are compiled apart for it, and for all switches.
plan: placed, reach, layout and fine: see `layout`; kept: flat; begins and ends (batch, band, move): the eights of each
move at edges, as they are listed and, for each channel, kept; those of flat runs, if they are kept, come behind;
listed: see `edges`. As ends the layout gives how many eights there are to keep (`tally`), which listing them replaces.
canvas: (batch, channel, H, W).
"""

import numpy as np
from numba import int32

from limner.kernels.edges import list_edges
from limner.kernels.fixed import binary_places, fixed_axes, texel_steps
from limner.kernels.jit import kernel, on
from limner.kernels.lanes import ramp, splat
from limner.kernels.layout import FLAT, row_of
from limner.kernels.mixing import cell_desk
from limner.kernels.quads import fetch, mask_at, read_four, spread
from limner.kernels.simd import load, prefix, store
from limner.kernels.stamp import (
    SUMS,
    add_colours,
    choose_cells,
    clear_colours,
    colour_of,
    put_rows,
    row_desk,
    settle_colours,
    settle_mask,
    shaded,
    take_rows,
    task_rows,
    template_points,
)

F = np.float32


def desk(size, band, side, dense):
    """What both passes work in: rows, mixed cells and their gradient, and sums for the gradients of colours."""
    return row_desk(size, band), *cell_desk(side, dense), np.zeros(SUMS * size[0], np.float32)


@kernel
def forward(first, last, band, ground, canvas, strokes, bank, switches, plan, desk):
    """Paint tasks first to last on ground, which one picture or each has its own, into canvas."""
    pad, mix, _, _ = desk
    where, which, what, opacity, slope = strokes
    sizes = bank[2]
    additive, keep_edges, keep_all, tilted = on(switches[0]), on(switches[1]), on(switches[2]), on(slope)
    placed, reach, layout, _, kept, begins, ends, listed = plan
    channels, (_, _, height, width) = len(switches[3]), canvas.shape
    places = binary_places(sizes[0])
    one, x, y = splat(F(1)), splat(F(0)), splat(F(0))
    for task in range(first, last):
        b, k, top, bottom, page = task_rows(task, band, height, width)
        take_rows(ground, b, top, bottom, pad)
        for t in range(where.shape[1]):
            if reach[b, k, t, 0] >= reach[b, k, t, 1]:
                continue
            alpha = F(opacity[b, t])
            axes = fixed_axes(b, t, placed, places)
            list_edges(b, k, t, axes, reach, layout, begins, ends, listed)
            source, zero, hop = choose_cells(which, b, t, bank, placed, mix)
            steps_u, steps_v = texel_steps(axes)
            for e in range(begins[b, k, t], ends[b, k, t]):
                u, v, j, spot = read_four(listed, e)
                i, inside = spot >> 4, spot & int32(15)
                p, q, r, s, fu, fv = fetch(source, zero, hop, places, u, v, steps_u, steps_v, inside)
                mask = mask_at(p, q, r, s, fu, fv) * alpha
                if tilted:
                    x, y = template_points(b, t, i, 0, j, placed)
                for c in range(channels):
                    at = c * page + (j - top) * width + i
                    below, paint = load(pad, at), mask * colour_of(what, slope, b, t, c, x, y)
                    if keep_edges:
                        store(kept, 8 * (channels * e + c), below)
                    store(pad, at, paint + (below if additive else below * (one - mask)))
            cursor = 8 * channels * ends[b, k, t]
            flat = splat(F(placed[b, t, FLAT])) * alpha
            for j in range(reach[b, k, t, 2], reach[b, k, t, 3]):
                _, start, stop, _ = row_of(layout, b, t, j)
                for c in range(channels):
                    plain, line = splat(what[b, t, c]), c * page + (j - top) * width
                    for i in range(start, stop, 8):
                        if tilted:
                            x, y = template_points(b, t, i, 0, j, placed)
                        mask = flat * prefix(int32(stop - i))
                        below, paint = load(pad, line + i), mask * shaded(plain, slope, b, t, c, x, y)
                        if keep_all:
                            store(kept, cursor, below)
                            cursor += 8
                        store(pad, line + i, paint + (below if additive else below * (one - mask)))
        put_rows(canvas, b, top, bottom, pad)


@kernel
def backward(first, last, band, group, grad, back, strokes, bank, switches, dense, plan, gradients, desk):
    """Gradients of tasks first to last; grad holds that of the canvas and, if `back`, becomes that of the background.

    gradients: d_where (band, batch, move, 2, 3), and d_which, d_what, d_opacity, d_slope alike, set for stamps in view;
    d_cells (group, template * 4 cell), added to at `group` if it has any.
    """
    pad, mix, d_mix, sums = desk
    where, which, what, opacity, slope = strokes
    sizes = bank[2]
    additive, keep_edges, keep_all, tilted = on(switches[0]), on(switches[1]), on(switches[2]), on(slope)
    placed, reach, layout, _, kept, begins, ends, listed = plan
    d_where, d_which, d_what, d_opacity, d_slope, d_cells = gradients
    channels, (_, _, height, width) = len(switches[3]), grad.shape
    places = binary_places(sizes[0])
    dx, dy = F(2.0 / width), F(2.0 / height)
    x0, y0 = ramp() * dx + F(1.0 / width - 1.0), splat(F(1.0 / height - 1.0))
    none, x, y = splat(F(0)), splat(F(0)), splat(F(0))
    for task in range(first, last):
        b, k, top, bottom, page = task_rows(task, band, height, width)
        take_rows(grad, b, top, bottom, pad)
        for t in range(where.shape[1] - 1, -1, -1):
            if reach[b, k, t, 0] >= reach[b, k, t, 1]:
                continue
            alpha = F(opacity[b, t])
            source, zero, hop = choose_cells(which, b, t, bank, placed, mix)
            steps_u, steps_v = texel_steps(fixed_axes(b, t, placed, places))
            clear_colours(sums, channels, tilted)
            su, sux, suy, sv, svx, svy, sharp, smooth = none, none, none, none, none, none, none, none
            for e in range(begins[b, k, t], ends[b, k, t]):
                u, v, j, spot = read_four(listed, e)
                i, inside = spot >> 4, spot & int32(15)
                p, q, r, s, fu, fv = fetch(source, zero, hop, places, u, v, steps_u, steps_v, inside)
                shape = mask_at(p, q, r, s, fu, fv)
                mask, xs, ys, d_mask = shape * alpha, splat(F(i)) * dx + x0, splat(F(j)) * dy + y0, none
                if tilted:
                    x, y = template_points(b, t, i, 0, j, placed)
                for c in range(channels):
                    at = c * page + (j - top) * width + i
                    g = load(pad, at)
                    painted = g * mask
                    add_colours(sums, c, painted, tilted, painted, painted * xs, painted * ys, painted * x, painted * y)
                    colour = colour_of(what, slope, b, t, c, x, y)
                    if additive:
                        d_mask = d_mask + g * colour
                    else:
                        store(pad, at, g - painted)
                        if keep_edges:
                            d_mask = d_mask + g * (colour - load(kept, 8 * (channels * e + c)))
                gu, gv = d_mask * (q + s * fv), d_mask * (r + s * fu)
                su, sux, suy = su + gu, sux + gu * xs, suy + gu * ys
                sv, svx, svy = sv + gv, svx + gv * xs, svy + gv * ys
                sharp = sharp + d_mask * shape
                if on(dense):
                    spread(d_mix[0], int32(0), hop, places, u, v, steps_u, steps_v, inside, d_mask * alpha)
            cursor = 8 * channels * ends[b, k, t]
            flat = splat(F(placed[b, t, FLAT])) * alpha
            for j in range(reach[b, k, t, 2], reach[b, k, t, 3]):
                _, start, stop, _ = row_of(layout, b, t, j)
                for c in range(channels):
                    plain, line, ys = splat(what[b, t, c]), c * page + (j - top) * width, splat(F(j)) * dy + y0
                    whole, by_x, by_y, by_u, by_v = none, none, none, none, none
                    for i in range(start, stop, 8):
                        g, live = load(pad, line + i), prefix(int32(stop - i))
                        painted = g * flat * live
                        whole = whole + painted
                        if tilted:
                            x, y = template_points(b, t, i, 0, j, placed)
                            by_x, by_y = by_x + painted * (splat(F(i)) * dx + x0), by_y + painted * ys
                            by_u, by_v = by_u + painted * x, by_v + painted * y
                        if additive or keep_all:
                            smooth = smooth + g * live * shaded(plain, slope, b, t, c, x, y)
                        if not additive:
                            store(pad, line + i, g - painted)
                        if keep_all:
                            smooth = smooth - g * live * load(kept, cursor)
                            cursor += 8
                    add_colours(sums, c, whole, tilted, whole, by_x, by_y, by_u, by_v)
            settle_mask(
                k, b, t, (su, sux, suy, sv, svx, svy), sharp, smooth, alpha, placed, which, bank, dense,
                d_mix, d_where, d_which, d_opacity, d_cells, group,
            )  # fmt: skip
            settle_colours(k, b, t, sums, 0, slope, d_where, d_what, d_slope)
        if back:
            put_rows(grad, b, top, bottom, pad)
