"""One stamp as the kernels meet it: its cells, its colours, and the gradients it gets in the end."""

import numpy as np
from numba import int32

from limner.kernels.bank import blend, give_back
from limner.kernels.jit import inlined
from limner.kernels.layout import FLAT, LEVEL_U, LEVEL_V, TEMPLATE
from limner.kernels.simd import load, ramp, store, total

F = np.float32


@inlined
def choose_cells(which, b, t, cells, sizes, offsets, placed, mix):
    """Number of the first cell of the level to read, and cells a row. If the number is -1, mix holds the level."""
    lv, lu, template = int(placed[b, t, LEVEL_V]), int(placed[b, t, LEVEL_U]), int(placed[b, t, TEMPLATE])
    start, count = offsets[lv, lu], (sizes[lv] + 4) * (sizes[lu] + 4)
    if template < 0:
        blend(which, b, t, cells, start, count, mix)
        return int32(-1), int32(sizes[lu] + 4)
    return int32(template * (len(cells) // (4 * which.shape[2])) + start), int32(sizes[lu] + 4)


@inlined
def mix_colours(b, t, what, slope, tilted, where, dx, dy, tints, row):
    """Colour of a stamp as an affine map of pixels: channel c of pixel (i, j) is tints[row + c] . (1, i, j)."""
    for c in range(what.shape[2]):
        tints[row + c, 0], tints[row + c, 1], tints[row + c, 2] = what[b, t, c], 0.0, 0.0
        if tilted:
            for axis in range(2):
                s, x, y = slope[b, t, c, axis], where[b, t, axis, 0], where[b, t, axis, 1]
                tints[row + c, 0] += s * (x * (0.5 * dx - 1.0) + y * (0.5 * dy - 1.0) + where[b, t, axis, 2])
                tints[row + c, 1] += s * x * dx
                tints[row + c, 2] += s * y * dy


@inlined
def colour_of(tints, row, i, j):
    """One channel of a stamp's colour in eight pixels from (i, j) on."""
    return ramp() * tints[row, 1] + (tints[row, 0] + F(i) * tints[row, 1] + F(j) * tints[row, 2])


@inlined
def add(array, index, vector):
    """array[index : index + 8] += vector."""
    store(array, index, load(array, index) + vector)


@inlined
def settle_colours(band, b, t, sums, row, where, slope, tilted, d_where, d_what, d_slope):
    """Gradients of what, slope and, by the fill, where; sums (channel, 3, 8), from `row`: painted times 1, x and y."""
    for c in range(d_what.shape[3]):
        whole = total(load(sums, 24 * (row + c)))
        d_what[band, b, t, c] = whole
        if tilted:
            by_x, by_y = total(load(sums, 24 * (row + c) + 8)), total(load(sums, 24 * (row + c) + 16))
            for axis in range(2):
                s = slope[b, t, c, axis]
                d_where[band, b, t, axis, 0] += s * by_x
                d_where[band, b, t, axis, 1] += s * by_y
                d_where[band, b, t, axis, 2] += s * whole
                d_slope[band, b, t, c, axis] = (
                    where[b, t, axis, 0] * by_x + where[b, t, axis, 1] * by_y + where[b, t, axis, 2] * whole
                )


@inlined
def settle_mask(
    band, b, t, moments, d_edge, d_flat, alpha, placed, which, cells, sizes, offsets, outlines, dense, d_mix,
    d_where, d_which, d_opacity, d_cells, group,
):  # fmt: skip
    """Gradients of where, opacity, which and cells.

    moments: sums over pixels of the gradient by u and by v, times 1, x and y each.  d_edge: gradient by opacity at the
    edges.  d_flat: gradient by the mask, summed over the flat run.
    """
    lv, lu = int(placed[b, t, LEVEL_V]), int(placed[b, t, LEVEL_U])
    half_u, half_v = F(0.5 * sizes[lu]) * alpha, F(0.5 * sizes[lv]) * alpha
    for k in range(3):
        d_where[band, b, t, 0, (2, 0, 1)[k]] = total(moments[k]) * half_u
        d_where[band, b, t, 1, (2, 0, 1)[k]] = total(moments[3 + k]) * half_v
    flat = total(d_flat)
    d_opacity[band, b, t] = total(d_edge) + flat * F(placed[b, t, FLAT])
    if dense:
        for k in range(which.shape[2]):
            d_which[band, b, t, k] = flat * alpha * F(outlines[k, lv, lu, 16])
        count = (sizes[lv] + 4) * (sizes[lu] + 4)
        give_back(which, b, t, cells, offsets[lv, lu], count, d_mix, d_which, band, d_cells, group)


@inlined
def take_rows(canvas, b, top, bottom, stride, pad):
    """Copy rows of all channels to a flat working copy, `stride` values a row, (bottom - top) rows a channel."""
    for c in range(canvas.shape[1]):
        for j in range(top, bottom):
            line = (c * (bottom - top) + j - top) * stride
            for i in range(canvas.shape[3]):
                pad[line + i] = canvas[b, c, j, i]


@inlined
def put_rows(canvas, b, top, bottom, stride, pad):
    """The way back of take_rows."""
    for c in range(canvas.shape[1]):
        for j in range(top, bottom):
            line = (c * (bottom - top) + j - top) * stride
            for i in range(canvas.shape[3]):
                canvas[b, c, j, i] = pad[line + i]
