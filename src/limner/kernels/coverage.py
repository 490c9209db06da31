"""Painting moves one after another, as `over` does, where the mask of a pixel is the mean of many samples.

A stamp then covers as much of a pixel as lies under it, as in the renderers of vector graphics. The mask of each
move is sampled first (`sampling`), and kept for the backward pass beside what was below.

Shapes: as in `over`; below: what was below, the channels of every eight masks kept beside each other, or empty.
"""

import numpy as np

from limner.kernels.jit import kernel, on
from limner.kernels.lanes import ramp, splat
from limner.kernels.layout import blocks_of
from limner.kernels.sampling import pull_mask, sample_desk, sample_mask
from limner.kernels.simd import load, store
from limner.kernels.stamp import (
    SUMS,
    add_colours,
    bounded,
    put_rows,
    row_desk,
    settle_colours,
    take_rows,
    task_rows,
    template_points,
)

F = np.float32


def desk(size, band, side, samples, dense=None):
    """What both passes work in: rows, samples, and sums for the gradients of colours."""
    sums = np.empty(SUMS * size[0], np.float32)
    return row_desk(size, band), sample_desk(size, side, samples, dense), sums


@kernel
def forward(first, last, band, ground, canvas, strokes, bank, switches, plan, samples, below, desk):
    """Paint tasks first to last on ground, which one picture or each has its own, into canvas."""
    pad, work, _ = desk
    where, _, what, _, slope = strokes
    additive, tilted, channels = on(switches[0]), on(slope), len(switches[3])
    placed, reach, layout, _, kept, begins, _, _ = plan
    _, _, height, width = canvas.shape
    one, x, y = splat(F(1)), splat(F(0)), splat(F(0))
    for task in range(first, last):
        b, k, top, bottom, page = task_rows(task, band, height, width)
        take_rows(ground, b, top, bottom, pad)
        for t in range(where.shape[1]):
            j0, j1 = reach[b, k, t, 0], reach[b, k, t, 1]
            if j0 >= j1:
                continue
            sample_mask(b, k, t, samples, strokes, bank, plan, work)
            cursor = 8 * begins[b, k, t]
            for j in range(j0, j1):
                begin, end = layout[b, t, 0, j], layout[b, t, 3, j]
                at = cursor - begin // 8 * 8
                cursor += 8 * blocks_of(begin, end)
                for i in range(begin // 8 * 8, end, 8):
                    mask = load(kept, at + i)
                    if tilted:
                        column = max(i, begin)
                        x, y = template_points(b, t, column, column - i, j, placed)
                    for c in range(channels):
                        place = c * page + (j - top) * width + i
                        colour, _, _, _ = bounded(what, slope, b, t, c, x, y, samples)
                        under, paint = load(pad, place), mask * colour
                        if len(below):
                            store(below, channels * (at + i) + 8 * c, under)
                        store(pad, place, paint + (under if additive else under * (one - mask)))
        put_rows(canvas, b, top, bottom, pad)


@kernel
def backward(
    first, last, band, group, grad, back, strokes, bank, switches, dense, plan, samples, below, gradients, d_mask, desk
):  # fmt: skip
    """Gradients of tasks first to last, as in `over`.  d_mask: from `task_desk`."""
    pad, work, sums = desk
    where, _, what, _, slope = strokes
    additive, tilted, channels = on(switches[0]), on(slope), len(switches[3])
    placed, reach, layout, _, kept, begins, _, _ = plan
    d_where, _, d_what, _, d_slope, _ = gradients
    _, _, height, width = grad.shape
    none, x, y = splat(F(0)), splat(F(0)), splat(F(0))
    for task in range(first, last):
        b, k, top, bottom, page = task_rows(task, band, height, width)
        take_rows(grad, b, top, bottom, pad)
        for t in range(where.shape[1] - 1, -1, -1):
            j0, j1 = reach[b, k, t, 0], reach[b, k, t, 1]
            if j0 >= j1:
                continue
            sums[:] = 0.0
            base = cursor = 8 * begins[b, k, t]
            for j in range(j0, j1):
                begin, end = layout[b, t, 0, j], layout[b, t, 3, j]
                at = cursor - begin // 8 * 8
                cursor += 8 * blocks_of(begin, end)
                ys = splat(F((2 * j + 1) / height - 1))
                for i in range(begin // 8 * 8, end, 8):
                    mask, pull = load(kept, at + i), none
                    xs = ramp() * F(2 / width) + F((2 * i + 1) / width - 1)
                    if tilted:
                        column = max(i, begin)
                        x, y = template_points(b, t, column, column - i, j, placed)
                    for c in range(channels):
                        place = c * page + (j - top) * width + i
                        g = load(pad, place)
                        colour, live, u, v = bounded(what, slope, b, t, c, x, y, samples)
                        painted = g * mask
                        live = painted * live
                        add_colours(sums, c, painted, tilted, live, live * xs, live * ys, painted * u, painted * v)
                        if len(below):
                            colour = colour - load(below, channels * (at + i) + 8 * c)
                        pull = pull + g * colour
                        if not additive:
                            store(pad, place, g - painted)
                    store(d_mask, at + i - base, pull)
            pull_mask(b, k, t, group, samples, strokes, bank, dense, plan, d_mask, 0, gradients, height, width, work)
            settle_colours(k, b, t, sums, 0, slope, d_where, d_what, d_slope)
        if back:
            put_rows(grad, b, top, bottom, pad)
