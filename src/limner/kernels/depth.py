"""Painting all moves at once in a soft order of depth (`canvas.soft_depth`), forward and backward.

A task is a band of rows of one picture, worked in two passes: move after move the masks of its stamps are sampled into
`kept` (`sampling`), then row after row, eight pixels at a time, the moves that touch them are weighed against each
other. The backward pass goes the other way. Products that leave one factor out are formed from both ends, without
division.

Shapes: as in `over`; order (2, batch, move, move): [0, b, t, s] is sigmoid((depth of s - depth of t) / temperature)
and zero where s = t, [1, b, t, s] one minus that: what move s leaves of t is then (1 - mask) + mask order[1], which
keeps its digits where it is small. With equal depths some 120 opaque stamps on one pixel are the most that float32 can
weigh.
"""

import numpy as np

from limner.kernels.across import total
from limner.kernels.jit import inlined, kernel, on
from limner.kernels.lanes import larger, ramp, splat
from limner.kernels.layout import blocks_of
from limner.kernels.sampling import pull_mask, sample_desk, sample_mask
from limner.kernels.simd import load, store
from limner.kernels.stamp import (
    SUMS,
    add,
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
TINY = F(1e-37)


def desk(size, band, side, samples, moves, dense=None):
    """What both passes work in.

    Rows of the picture and of the ground; samples; the moves of a row (`find_row`); those of a block with their masks
    (`find_block`), and what they paint; sums for the gradients of colours, and what is found for each move.
    """
    channels = size[0]
    cursors, row, near = np.empty(moves, np.int64), np.empty((moves, 5), np.int64), np.empty(moves, np.int64)
    masks, paint = np.empty(8 * moves, np.float32), np.empty(8 * channels, np.float32)
    sums, pulled = np.empty(SUMS * moves * channels, np.float32), np.empty((5, 8 * moves), np.float32)
    pad, ground, work = row_desk(size, band), row_desk(size, band), sample_desk(size, side, samples, dense)
    return pad, ground, work, (cursors, row, near), (masks, paint), sums, pulled


@kernel
def forward(first, last, band, ground, canvas, strokes, bank, switches, plan, samples, order, desk):
    """Paint tasks first to last on ground, which one picture or each has its own, into canvas."""
    pad, _, work, (cursors, row, near), (masks, paint), _, _ = desk
    where, _, what, _, slope = strokes
    placed, reach, layout, _, kept, begins, _, _ = plan
    tilted, channels = on(slope), len(switches[3])
    _, _, height, width = canvas.shape
    moves = where.shape[1]
    one, none, px, py = splat(F(1)), splat(F(0)), splat(F(0)), splat(F(0))
    for task in range(first, last):
        b, k, top, bottom, page = task_rows(task, band, height, width)
        take_rows(ground, b, top, bottom, pad)
        for t in range(moves):
            sample_mask(b, k, t, samples, strokes, bank, plan, work)
            cursors[t] = 8 * begins[b, k, t]
        for j in range(top, bottom):
            crossing = find_row(b, k, j, reach, layout, cursors, row)
            for i in range(0, width, 8):
                active = find_block(i, row, crossing, kept, near, masks)
                if active == 0:
                    continue
                paint[:] = 0.0
                sky, weights, coverage = one, none, none
                for a in range(active):
                    t = row[near[a], 0]
                    mask = load(masks, 8 * a)
                    weight = mask
                    for e in range(active):
                        weight = weight * let_through(masks, e, order[1, b, t, row[near[e], 0]])
                    if tilted:
                        at = max(i, row[near[a], 4])
                        px, py = template_points(b, t, at, at - i, j, placed)
                    for c in range(channels):
                        colour, _, _, _ = bounded(what, slope, b, t, c, px, py, samples)
                        add(paint, 8 * c, weight * colour)
                    sky, weights = sky * (one - mask), weights + weight
                    coverage = coverage + (mask - coverage * mask)
                share = coverage / larger(weights, TINY)
                for c in range(channels):
                    at = c * page + (j - top) * width + i
                    store(pad, at, load(pad, at) * sky + load(paint, 8 * c) * share)
        put_rows(canvas, b, top, bottom, pad)


@inlined
def find_row(b, k, j, reach, layout, cursors, row):
    """The moves under row j. row (move, 5): move, first block, past-last pixel, where column 0 is kept, first pixel."""
    crossing = 0
    for t in range(len(cursors)):
        if reach[b, k, t, 0] <= j < reach[b, k, t, 1]:
            begin, end = layout[b, t, 0, j], layout[b, t, 3, j]
            if begin < end:
                row[crossing, 4] = begin
                begin = begin // 8 * 8
                row[crossing, 0], row[crossing, 1], row[crossing, 2] = t, begin, end
                row[crossing, 3] = cursors[t] - begin
                cursors[t] += 8 * blocks_of(begin, end)
                crossing += 1
    return crossing


@inlined
def find_block(i, row, crossing, kept, near, masks):
    """Which of the row's moves touch columns i to i + 8; their masks there."""
    active = 0
    for m in range(crossing):
        if row[m, 1] <= i < row[m, 2]:
            near[active] = m
            store(masks, 8 * active, load(kept, row[m, 3] + i))
            active += 1
    return active


@inlined
def let_through(masks, e, farther):
    """The share of a move that is seen through mask e, which lies farther back to this degree."""
    mask = load(masks, 8 * e)
    return (splat(F(1)) - mask) + mask * farther


@kernel
def backward(
    first, last, band, group, grad, back, strokes, bank, switches, dense, plan, samples, order, canvas, gradients,
    d_depth, d_kept, desk,
):  # fmt: skip
    """Gradients of tasks first to last; grad holds that of the result and, if `back`, becomes that of `canvas`.

    gradients: d_where (band, batch, move, 2, 3) and so on as in `over`; d_depth (band, batch, move), times temperature.
    d_kept: from `task_desk`.
    """
    pad, ground, work, (cursors, row, near), (masks, paint), sums, pulled = desk
    where, _, what, _, slope = strokes
    placed, reach, layout, _, kept, begins, _, _ = plan
    d_where, _, d_what, _, d_slope, _ = gradients
    d_masks, weighed, ahead, pulls, d_order = pulled[0], pulled[1], pulled[2], pulled[3], pulled[4]
    tilted, channels = on(slope), len(switches[3])
    _, _, height, width = grad.shape
    moves = where.shape[1]
    one, none, px, py = splat(F(1)), splat(F(0)), splat(F(0)), splat(F(0))
    for task in range(first, last):
        b, k, top, bottom, page = task_rows(task, band, height, width)
        take_rows(grad, b, top, bottom, pad)
        take_rows(canvas, b, top, bottom, ground)
        for t in range(moves):
            cursors[t] = 8 * begins[b, k, t]
        sums[:], d_order[:] = 0.0, 0.0
        base = 8 * begins[b, k, 0]
        for j in range(top, bottom):
            crossing = find_row(b, k, j, reach, layout, cursors, row)
            ys = splat(F((2 * j + 1) / height - 1))
            for i in range(0, width, 8):
                active = find_block(i, row, crossing, kept, near, masks)
                if active == 0:
                    continue
                at = (j - top) * width + i
                xs = ramp() * F(2 / width) + F((2 * i + 1) / width - 1)
                # What was painted: weights, their sum, the coverage, and for each move the clear sky before it.
                paint[:] = 0.0
                sky, weights, coverage = one, none, none
                for a in range(active):
                    t = row[near[a], 0]
                    mask = load(masks, 8 * a)
                    free = one
                    for e in range(active):
                        free = free * let_through(masks, e, order[1, b, t, row[near[e], 0]])
                    weight = mask * free
                    if tilted:
                        column = max(i, row[near[a], 4])
                        px, py = template_points(b, t, column, column - i, j, placed)
                    for c in range(channels):
                        colour, _, _, _ = bounded(what, slope, b, t, c, px, py, samples)
                        add(paint, 8 * c, weight * colour)
                    store(weighed, 8 * a, free)
                    store(ahead, 8 * a, sky)
                    sky, weights = sky * (one - mask), weights + weight
                    coverage = coverage + (mask - coverage * mask)
                per = one / larger(weights, TINY)
                share = coverage * per
                d_coverage = none
                for c in range(channels):
                    g, mean = load(pad, c * page + at), load(paint, 8 * c) * per
                    d_coverage = d_coverage + g * (mean - load(ground, c * page + at))
                    store(paint, 8 * c, mean)
                # Gradients by colour, by weight, and through the coverage by mask.
                behind = d_coverage
                for a in range(active - 1, -1, -1):
                    t = row[near[a], 0]
                    mask, free = load(masks, 8 * a), load(weighed, 8 * a)
                    pull, used = none, mask * free * share
                    if tilted:
                        column = max(i, row[near[a], 4])
                        px, py = template_points(b, t, column, column - i, j, placed)
                    for c in range(channels):
                        g = load(pad, c * page + at)
                        colour, live, u, v = bounded(what, slope, b, t, c, px, py, samples)
                        pull = pull + g * (colour - load(paint, 8 * c))
                        whole = g * used
                        live = whole * live
                        add_colours(
                            sums, t * channels + c, whole, tilted, live, live * xs, live * ys, whole * u, whole * v
                        )
                    pull = pull * share
                    store(d_masks, 8 * a, pull * free + behind * load(ahead, 8 * a))
                    store(pulls, 8 * a, pull * mask)
                    behind = behind * (one - mask)
                # Through the weight of move a, by the masks and depths of the moves e before it.
                for a in range(active):
                    t, product = row[near[a], 0], one
                    for e in range(active):
                        store(ahead, 8 * e, product)
                        product = product * let_through(masks, e, order[1, b, t, row[near[e], 0]])
                    product, own = load(pulls, 8 * a), none
                    for e in range(active - 1, -1, -1):
                        s = row[near[e], 0]
                        mask, nearer, farther = load(masks, 8 * e), order[0, b, t, s], order[1, b, t, s]
                        pull = product * load(ahead, 8 * e)
                        add(d_masks, 8 * e, pull * (none - nearer))
                        moved = pull * mask * (nearer * farther)
                        add(d_order, 8 * s, none - moved)
                        own = own + moved
                        product = product * let_through(masks, e, farther)
                    add(d_order, 8 * t, own)
                for a in range(active):
                    store(d_kept, row[near[a], 3] - base + i, load(d_masks, 8 * a))
                for c in range(channels):
                    store(pad, c * page + at, load(pad, c * page + at) * sky)
        if back:
            put_rows(grad, b, top, bottom, pad)
        for t in range(moves):
            if reach[b, k, t, 0] < reach[b, k, t, 1]:
                pull_mask(
                    b, k, t, group, samples, strokes, bank, dense, plan, d_kept, 8 * begins[b, k, t] - base, gradients,
                    height, width, work,
                )  # fmt: skip
            d_depth[k, b, t] = total(load(d_order, 8 * t))
            settle_colours(k, b, t, sums, t * channels, slope, d_where, d_what, d_slope)
