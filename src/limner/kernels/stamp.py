"""One stamp as the kernels meet it: its cells, its colours, and the gradients it gets in the end."""

import numpy as np
from numba import int32

from limner.kernels.across import total, totals
from limner.kernels.fixed import narrow, parts
from limner.kernels.jit import inlined, on
from limner.kernels.lanes import WIDTH, choose, larger, ramp, smaller, splat
from limner.kernels.layout import FLAT, LEVEL_U, LEVEL_V, PER_U, PER_V, TEMPLATE, U, V
from limner.kernels.mixing import blend, give_back
from limner.kernels.outlines import VALUE
from limner.kernels.simd import load, store, within

F = np.float32
SUMS = 48
"""Values of `add_colours` for a colour."""


def row_desk(size, band):
    """Room for a band of rows (`take_rows`) of a picture of this size: (channel, H, W)."""
    channels, height, width = size
    return np.zeros(channels * (min(band, height) * width + WIDTH), np.float32)


@inlined
def task_rows(task, band, height, width):
    """Picture and band of a task, its first and past-last row, and the length of a page of these (`take_rows`)."""
    bands = (height + band - 1) // band
    b, k = task // bands, task % bands
    top, bottom = k * band, min(height, (k + 1) * band)
    return b, k, top, bottom, (bottom - top) * width + WIDTH


@inlined
def choose_cells(which, b, t, bank, placed, mix):
    """The cells to read, number of the first, and cells a row; those of a mix are formed in mix."""
    cells, _, sizes, offsets, texels = bank
    lv, lu, template = int(placed[b, t, LEVEL_V]), int(placed[b, t, LEVEL_U]), int(placed[b, t, TEMPLATE])
    start, count, hop = offsets[lv, lu], (sizes[lv] + 4) * (sizes[lu] + 4), sizes[lu] + 4
    if template < 0:
        blend(which, b, t, texels, start, count, hop, mix, F(1) / parts(sizes))
    source = mix[0] if template < 0 else cells
    zero = 0 if template < 0 else template * (len(texels) // which.shape[2]) + start
    return source, int32(zero), int32(hop)


@inlined
def template_points(b, t, i, shift, j, placed):
    """x and y on the template under eight pixels of row j, from column i - shift on; column i is under the stamp."""
    lanes, per_u, per_v = ramp() - F(shift), placed[b, t, PER_U], placed[b, t, PER_V]
    u = placed[b, t, U] + i * placed[b, t, U + 1] + j * placed[b, t, U + 2]
    v = placed[b, t, V] + i * placed[b, t, V + 1] + j * placed[b, t, V + 2]
    x = lanes * narrow(placed[b, t, U + 1] * per_u) + narrow((u - 1.5) * per_u - 1.0)
    y = lanes * narrow(placed[b, t, V + 1] * per_v) + narrow((v - 1.5) * per_v - 1.0)
    return x, y


@inlined
def colour_of(what, slope, b, t, c, x, y):
    """Channel c of a stamp's colour at template points (x, y)."""
    return shaded(splat(what[b, t, c]), slope, b, t, c, x, y)


@inlined
def shaded(colour, slope, b, t, c, x, y):
    """`colour_of`, from a stamp's plain colour."""
    if slope is not None:
        colour = colour + x * slope[b, t, c, 0] + y * slope[b, t, c, 1]
    return colour


@inlined
def bounded(what, slope, b, t, c, x, y, samples):
    """`colour_of`, 1 where the fill changes with the point, else 0, and the x and y that it is the fill of.

    With several samples a pixel, its centre can be far outside of a thin stamp, so that beyond its range within the
    template the fill is that of a corner.
    """
    plain, live = splat(what[b, t, c]), splat(F(1))
    if slope is None:
        return plain, live, x, y
    by_x, by_y = slope[b, t, c, 0], slope[b, t, c, 1]
    tilt = x * by_x + y * by_y
    if samples > 1:
        reach = abs(by_x) + abs(by_y)
        live, end = within(tilt, reach), choose(tilt < F(0), splat(F(-1)), F(1))
        tilt = smaller(larger(tilt, -reach), reach)
        x, y = choose(live > F(0), x, end * np.sign(by_x)), choose(live > F(0), y, end * np.sign(by_y))
    return plain + tilt, live, x, y


@inlined
def add(array, index, vector):
    """array[index : index + 8] += vector."""
    store(array, index, load(array, index) + vector)


@inlined
def clear_colours(sums, channels, tilted):
    """Begin the sums of `add_colours`."""
    for c in range(channels):
        for k in range(6 if tilted else 1):
            store(sums, SUMS * c + 8 * k, splat(F(0)))


@inlined
def add_colours(sums, row, whole, tilted, live, by_x, by_y, by_u, by_v):
    """Add to sums (row, 6, 8) the gradient by colour, where it is live that times 1 and canvas x, y, and by slope."""
    add(sums, SUMS * row, whole)
    if tilted:
        add(sums, SUMS * row + 8, live)
        add(sums, SUMS * row + 16, by_x)
        add(sums, SUMS * row + 24, by_y)
        add(sums, SUMS * row + 32, by_u)
        add(sums, SUMS * row + 40, by_v)


@inlined
def settle_colours(band, b, t, sums, row, slope, d_where, d_what, d_slope):
    """Gradients of what and slope, and of where through the fill, from `add_colours`."""
    for c in range(d_what.shape[3]):
        at = SUMS * (row + c)
        d_what[band, b, t, c] = total(load(sums, at))
        if slope is not None:
            for axis in range(2):
                d_where[band, b, t, axis, 0] += slope[b, t, c, axis] * total(load(sums, at + 16))
                d_where[band, b, t, axis, 1] += slope[b, t, c, axis] * total(load(sums, at + 24))
                d_where[band, b, t, axis, 2] += slope[b, t, c, axis] * total(load(sums, at + 8))
                d_slope[band, b, t, c, axis] = total(load(sums, at + 32 + 8 * axis))


@inlined
def settle_mask(
    band, b, t, moments, d_edge, d_flat, alpha, placed, which, bank, dense, d_mix,
    d_where, d_which, d_opacity, d_cells, group,
):  # fmt: skip
    """Gradients of where, opacity, which and cells.

    moments: sums over pixels of the gradient by u and by v, times 1, x and y each.  d_edge: gradient by opacity at the
    edges.  d_flat: gradient by the mask, summed over the flat run.
    """
    _, outlines, sizes, offsets, texels = bank
    lv, lu = int(placed[b, t, LEVEL_V]), int(placed[b, t, LEVEL_U])
    half_u, half_v = F(0.5 * sizes[lu]) * parts(sizes) * alpha, F(0.5 * sizes[lv]) * parts(sizes) * alpha
    u, ux, uy, v, vx, vy, edge, flat = totals((*moments, d_edge, d_flat))
    d_where[band, b, t, 0, 0], d_where[band, b, t, 0, 1], d_where[band, b, t, 0, 2] = (
        ux * half_u,
        uy * half_u,
        u * half_u,
    )
    d_where[band, b, t, 1, 0], d_where[band, b, t, 1, 1], d_where[band, b, t, 1, 2] = (
        vx * half_v,
        vy * half_v,
        v * half_v,
    )
    d_opacity[band, b, t] = edge + flat * F(placed[b, t, FLAT])
    if on(dense):
        for k in range(which.shape[2]):
            d_which[band, b, t, k] = flat * alpha * F(outlines[k, lv, lu, VALUE])
        start, count, hop, side = offsets[lv, lu], (sizes[lv] + 4) * (sizes[lu] + 4), sizes[lu] + 4, sizes[0] + 4
        part = F(1) / parts(sizes)
        give_back(which, b, t, texels, start, count, hop, side, d_mix, d_which, band, d_cells, group, part)


@inlined
def take_rows(canvas, b, top, bottom, pad):
    """Copy rows of all channels to a flat working copy, a page each: the rows side by side, and eight zeros behind.

    An eight at the end of a row may reach into the next, or behind the last, where its masks are zero, so that finite
    numbers stay as they are.
    A canvas of one picture stands for any number.
    """
    pictures, channels, height, width = canvas.shape
    b, many = b if pictures > 1 else 0, (bottom - top) * width
    for c in range(channels):
        page = c * (many + WIDTH)
        copy_eights(canvas, ((b * channels + c) * height + top) * width, pad, page, many)
        for i in range(many if many < 8 else 0):
            pad[page + i] = canvas[b, c, top + i // width, i % width]
        store(pad, page + many, splat(F(0)))


@inlined
def put_rows(canvas, b, top, bottom, pad):
    """The way back of take_rows."""
    _, channels, height, width = canvas.shape
    many = (bottom - top) * width
    for c in range(channels):
        page = c * (many + WIDTH)
        copy_eights(pad, page, canvas, ((b * channels + c) * height + top) * width, many)
        for i in range(many if many < 8 else 0):
            canvas[b, c, top + i // width, i % width] = pad[page + i]


@inlined
def copy_eights(source, here, target, there, many):
    """Copy at least eight values, the last eight of them in any case; both counted as if flat."""
    for i in range(0, many - 7, 8):
        store(target, there + i, load(source, here + i))
    if many >= 8:
        store(target, there + many - 8, load(source, here + many - 8))
