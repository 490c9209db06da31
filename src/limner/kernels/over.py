"""Painting moves one after another (eq. 3.3 to 3.5), forward and backward, in one pass over the touched pixels.

A task is a band of rows of one picture. Pixels are worked on eight at a time. Where a template is constant (the flat run
of a row) the mask is one number and the gradient to where is zero, so most of a large stamp costs little more than a
fill. The forward pass keeps, for the backward pass, what was below each stamp where its mask varies.

Shapes: canvas (batch, channel, H, W); where (batch, move, 2, 3); which (batch, move, template);
what (batch, move, channel); opacity (batch, move); slope (batch, move, channel, 2);
cells (template, 4 cell), outlines (template, level, level, 17), sizes (level,), offsets (level, level): see `bank`;
kept: flat; begins (batch, band, move): first value in `kept`.
"""

import numpy as np
from numba import int32

from limner.kernels.bank import choose_template, give_back
from limner.kernels.footprint import edges, eights, narrow, place, rows, spans
from limner.kernels.jit import inlined, kernel
from limner.kernels.simd import fetch, load, prefix, ramp, splat, spread, store, total

F = np.float32


@kernel
def lay_out(where, which, cells, outlines, sizes, offsets, dense, keep_all, band, height, width, reach, layout, tally):
    """The pixels under every stamp: rows reach (batch, band, move, 2) and spans layout (batch, move, H, 4).

    Also the number of values a channel that `forward` keeps, tally (batch, band, move); returns the pixels touched.
    """
    outline = np.empty(17, np.float64)
    lines = np.empty((4, 5), np.float64)
    mix = np.empty(4, np.float32)
    touched = 0
    for b in range(where.shape[0]):
        for t in range(where.shape[1]):
            lv, lu, u, v = place(where, b, t, sizes, height, width)
            choose_template(which, b, t, cells, outlines, lv, lu, 0, 0, mix, outline, dense)
            edges(u, v, outline, lines)
            for k in range(tally.shape[1]):
                j0, j1 = rows(u, v, outline, k * band, min(height, (k + 1) * band))
                reach[b, k, t, 0], reach[b, k, t, 1] = j0, j1
                kept = 0
                for j in range(j0, j1):
                    first, start, stop, last = spans(lines, j, width)
                    layout[b, t, j, 0], layout[b, t, j, 1] = first, start
                    layout[b, t, j, 2], layout[b, t, j, 3] = stop, last
                    kept += eights(first, start) + eights(stop, last)
                    if keep_all:
                        kept += eights(start, stop)
                    touched += last - first
                tally[b, k, t] = 8 * kept
    return touched


@inlined
def mix_colours(b, t, what, slope, tilted, phi, dx, dy, tint):
    """Colour of a stamp as an affine map of pixels: channel c of pixel (i, j) is tint[c] . (1, i, j)."""
    for c in range(what.shape[2]):
        tint[c, 0], tint[c, 1], tint[c, 2] = what[b, t, c], 0.0, 0.0
        if tilted:
            for axis in range(2):
                s = slope[b, t, c, axis]
                corner = phi[axis, 0] * (0.5 * dx - 1.0) + phi[axis, 1] * (0.5 * dy - 1.0) + phi[axis, 2]
                tint[c, 0] += s * corner
                tint[c, 1] += s * phi[axis, 0] * dx
                tint[c, 2] += s * phi[axis, 1] * dy


@inlined
def colour_of(tint, c, i, j):
    """Channel c of the stamp's colour in eight pixels from (i, j) on."""
    return ramp() * tint[c, 1] + (tint[c, 0] + F(i) * tint[c, 1] + F(j) * tint[c, 2])


@kernel
def forward(
    first, last, band, canvas, where, which, what, opacity, slope, cells, outlines, sizes, offsets,
    additive, tilted, dense, keep_edges, keep_all, reach, layout, kept, begins,
):  # fmt: skip
    """Paint on canvas, in place, tasks first to last."""
    channels, height, width = canvas.shape[1:]
    bands = (height + band - 1) // band
    stride = width + 8
    page = min(band, height) * stride
    pad = np.zeros(channels * page, np.float32)
    buffer = np.empty(4 * (sizes[0] + 4) ** 2, np.float32)
    outline = np.empty(17, np.float64)
    tint = np.empty((channels, 3), np.float32)
    dx, dy = 2.0 / width, 2.0 / height
    one = splat(F(1))
    for task in range(first, last):
        b, k = task // bands, task % bands
        top, bottom = k * band, min(height, (k + 1) * band)
        for c in range(channels):
            for j in range(bottom - top):
                line = c * page + j * stride
                pad[line : line + width] = canvas[b, c, top + j]
        for t in range(where.shape[1]):
            j0, j1 = reach[b, k, t, 0], reach[b, k, t, 1]
            if j0 >= j1:
                continue
            alpha, phi = F(opacity[b, t]), where[b, t]
            lv, lu, u, v = place(where, b, t, sizes, height, width)
            hop = int32(sizes[lu] + 4)
            mix, zero = choose_template(
                which, b, t, cells, outlines, lv, lu, offsets[lv, lu], (sizes[lv] + 4) * (sizes[lu] + 4),
                buffer, outline, dense,
            )  # fmt: skip
            mix_colours(b, t, what, slope, tilted, phi, dx, dy, tint)
            ramp_u, ramp_v = ramp() * narrow(u[1]), ramp() * narrow(v[1])
            flat = splat(F(outline[16])) * alpha
            cursor = begins[b, k, t]
            for j in range(j0, j1):
                uj, vj = u[0] + j * u[2], v[0] + j * v[2]
                i, start = layout[b, t, j, 0], layout[b, t, j, 1]
                stop, end = layout[b, t, j, 2], layout[b, t, j, 3]
                line = (j - top) * stride
                while i < end:
                    if i == start:
                        for c in range(channels):
                            for i in range(start, stop, 8):
                                mask = flat * prefix(int32(stop - i))
                                below = load(pad, c * page + line + i)
                                colour = colour_of(tint, c, i, j)
                                if keep_all:
                                    store(kept, cursor, below)
                                    cursor += 8
                                store(pad, c * page + line + i, colour * mask + (below if additive else below * (one - mask)))
                        i = stop
                        continue
                    ui, vi = uj + i * u[1], vj + i * v[1]
                    pu, pv = int(ui), int(vi)
                    p, q, r, s, fu, fv = fetch(
                        mix, int32(zero), int32(zero + pv * hop + pu), hop,
                        ramp_u + F(ui - pu), ramp_v + F(vi - pv), int32(end - i),
                    )  # fmt: skip
                    mask = (p + q * fu + (r + s * fu) * fv) * alpha
                    for c in range(channels):
                        below = load(pad, c * page + line + i)
                        colour = colour_of(tint, c, i, j)
                        if keep_edges:
                            store(kept, cursor, below)
                            cursor += 8
                        store(pad, c * page + line + i, colour * mask + (below if additive else below * (one - mask)))
                    i += 8
        for c in range(channels):
            for j in range(bottom - top):
                line = c * page + j * stride
                canvas[b, c, top + j] = pad[line : line + width]


@kernel
def backward(
    first, last, band, grad, where, which, what, opacity, slope, cells, outlines, sizes, offsets,
    additive, tilted, dense, keep_edges, keep_all, reach, layout, kept, begins,
    d_where, d_which, d_what, d_opacity, d_slope, d_cells, group,
):  # fmt: skip
    """Gradients of tasks first to last; grad holds that of the canvas and becomes that of the background.

    d_where (band, batch, move, 2, 3) and so on; d_cells (group, template, 4 cell), added to at `group` if it has any.
    """
    channels, height, width = grad.shape[1:]
    bands = (height + band - 1) // band
    stride = width + 8
    page = min(band, height) * stride
    pad = np.zeros(channels * page, np.float32)
    buffer = np.empty(4 * (sizes[0] + 4) ** 2, np.float32)
    d_mix = np.zeros(4 * (sizes[0] + 4) ** 2 if dense else 4, np.float32)
    outline = np.empty(17, np.float64)
    tint = np.empty((channels, 3), np.float32)
    sums = np.zeros(channels * 24, np.float32)
    dx, dy = 2.0 / width, 2.0 / height
    none = splat(F(0))
    for task in range(first, last):
        b, k = task // bands, task % bands
        top, bottom = k * band, min(height, (k + 1) * band)
        for c in range(channels):
            for j in range(bottom - top):
                line = c * page + j * stride
                pad[line : line + width] = grad[b, c, top + j]
        for t in range(where.shape[1] - 1, -1, -1):
            j0, j1 = reach[b, k, t, 0], reach[b, k, t, 1]
            if j0 >= j1:
                continue
            alpha, phi = F(opacity[b, t]), where[b, t]
            lv, lu, u, v = place(where, b, t, sizes, height, width)
            hop, level, cell_count = int32(sizes[lu] + 4), offsets[lv, lu], (sizes[lv] + 4) * (sizes[lu] + 4)
            mix, zero = choose_template(
                which, b, t, cells, outlines, lv, lu, level, cell_count, buffer, outline, dense
            )
            mix_colours(b, t, what, slope, tilted, phi, dx, dy, tint)
            ramp_u, ramp_v = ramp() * narrow(u[1]), ramp() * narrow(v[1])
            flat = splat(F(outline[16])) * alpha
            cursor = begins[b, k, t]
            if dense:
                d_mix[: 4 * cell_count] = 0.0
            sums[:] = 0.0
            su, sux, suy, sv, svx, svy, sharp, smooth = none, none, none, none, none, none, none, none
            for j in range(j0, j1):
                uj, vj = u[0] + j * u[2], v[0] + j * v[2]
                i, start = layout[b, t, j, 0], layout[b, t, j, 1]
                stop, end = layout[b, t, j, 2], layout[b, t, j, 3]
                line = (j - top) * stride
                y = F((j + 0.5) * dy - 1.0)
                while i < end:
                    if i == start:
                        for c in range(channels):
                            painted_c, painted_x = none, none
                            for i in range(start, stop, 8):
                                g = load(pad, c * page + line + i)
                                live = prefix(int32(stop - i))
                                painted = g * flat * live
                                painted_c = painted_c + painted
                                colour = colour_of(tint, c, i, j)
                                if tilted:
                                    painted_x = painted_x + painted * (ramp() * F(dx) + F((i + 0.5) * dx - 1.0))
                                if additive:
                                    smooth = smooth + g * colour * live
                                else:
                                    store(pad, c * page + line + i, g - painted)
                                if keep_all:
                                    smooth = smooth + g * live * (colour - load(kept, cursor))
                                    cursor += 8
                            store(sums, 24 * c, load(sums, 24 * c) + painted_c)
                            if tilted:
                                store(sums, 24 * c + 8, load(sums, 24 * c + 8) + painted_x)
                                store(sums, 24 * c + 16, load(sums, 24 * c + 16) + painted_c * y)
                        i = stop
                        continue
                    ui, vi = uj + i * u[1], vj + i * v[1]
                    pu, pv = int(ui), int(vi)
                    un, vn, inside = ramp_u + F(ui - pu), ramp_v + F(vi - pv), int32(end - i)
                    p, q, r, s, fu, fv = fetch(mix, int32(zero), int32(zero + pv * hop + pu), hop, un, vn, inside)
                    shape = p + q * fu + (r + s * fu) * fv
                    mask = shape * alpha
                    xs = ramp() * F(dx) + F((i + 0.5) * dx - 1.0)
                    d_mask = none
                    for c in range(channels):
                        g = load(pad, c * page + line + i)
                        painted = g * mask
                        store(sums, 24 * c, load(sums, 24 * c) + painted)
                        if tilted:
                            store(sums, 24 * c + 8, load(sums, 24 * c + 8) + painted * xs)
                            store(sums, 24 * c + 16, load(sums, 24 * c + 16) + painted * y)
                        colour = colour_of(tint, c, i, j)
                        if additive:
                            d_mask = d_mask + g * colour
                        else:
                            store(pad, c * page + line + i, g - painted)
                            if keep_edges:
                                d_mask = d_mask + g * (colour - load(kept, cursor))
                                cursor += 8
                    gu, gv = d_mask * (q + s * fv), d_mask * (r + s * fu)
                    su, sux, suy = su + gu, sux + gu * xs, suy + gu * y
                    sv, svx, svy = sv + gv, svx + gv * xs, svy + gv * y
                    sharp = sharp + d_mask * shape
                    if dense:
                        spread(d_mix, int32(0), int32(pv * hop + pu), hop, un, vn, inside, d_mask * alpha)
                    i += 8
            d_phi = d_where[k, b, t]
            half_u, half_v = F(0.5 * sizes[lu]) * alpha, F(0.5 * sizes[lv]) * alpha
            d_phi[0, 0], d_phi[0, 1], d_phi[0, 2] = total(sux) * half_u, total(suy) * half_u, total(su) * half_u
            d_phi[1, 0], d_phi[1, 1], d_phi[1, 2] = total(svx) * half_v, total(svy) * half_v, total(sv) * half_v
            d_flat = total(smooth)
            d_opacity[k, b, t] = total(sharp) + d_flat * F(outline[16])
            for c in range(channels):
                whole = total(load(sums, 24 * c))
                d_what[k, b, t, c] = whole
                if tilted:
                    by_x, by_y = total(load(sums, 24 * c + 8)), total(load(sums, 24 * c + 16))
                    for axis in range(2):
                        d_phi[axis, 0] += slope[b, t, c, axis] * by_x
                        d_phi[axis, 1] += slope[b, t, c, axis] * by_y
                        d_phi[axis, 2] += slope[b, t, c, axis] * whole
                        d_slope[k, b, t, c, axis] = phi[axis, 0] * by_x + phi[axis, 1] * by_y + phi[axis, 2] * whole
            if dense:
                values = outlines[:, lv, lu, 16]
                give_back(which[b, t], cells, values, level, cell_count, d_mix, d_flat * alpha, d_which[k, b, t], d_cells[group])
        for c in range(channels):
            for j in range(bottom - top):
                line = c * page + j * stride
                grad[b, c, top + j] = pad[line : line + width]
