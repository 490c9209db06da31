"""The masks of all moves in a band of rows, kept side by side, and the way back for their gradients.

`kept` holds each row of a stamp in blocks that start at columns divisible by eight, with zeros around the stamp.
"""

import numpy as np
from numba import int32

from limner.kernels.footprint import binary_places, narrow
from limner.kernels.jit import inlined
from limner.kernels.layout import FLAT, U, V, blocks_of
from limner.kernels.simd import fetch, load, prefix, ramp, splat, spread, steps, store
from limner.kernels.stamp import choose_cells, settle_mask

F = np.float32


@inlined
def sample_masks(b, k, strokes, bank, plan):
    """The masks, times opacity, of all moves in band k of picture b, into kept."""
    where, which, _, opacity, _ = strokes
    cells, _, sizes, offsets = bank
    placed, reach, layout, kept, begins = plan
    mix = np.empty(4 * (sizes[0] + 4) ** 2 + 16, np.float32)
    places = binary_places(sizes[0])
    for t in range(where.shape[1]):
        j0, j1 = reach[b, k, t, 0], reach[b, k, t, 1]
        if j0 >= j1:
            continue
        alpha = F(opacity[b, t])
        u0, ux, uy = placed[b, t, U], placed[b, t, U + 1], placed[b, t, U + 2]
        v0, vx, vy = placed[b, t, V], placed[b, t, V + 1], placed[b, t, V + 2]
        zero, hop = choose_cells(which, b, t, cells, sizes, offsets, placed, mix)
        source, zero = (mix, int32(0)) if zero < 0 else (cells, zero)
        steps_u, steps_v = steps(narrow(ux), places), steps(narrow(vx), places)
        flat = splat(F(placed[b, t, FLAT])) * alpha
        cursor = begins[b, k, t]
        for j in range(j0, j1):
            i, start, stop, end = layout[b, t, 0, j], layout[b, t, 1, j], layout[b, t, 2, j], layout[b, t, 3, j]
            room = 8 * blocks_of(i, end)
            kept[cursor : cursor + room] = 0.0
            at = cursor - i // 8 * 8
            cursor += room
            while i < end:
                if i == start:
                    for i in range(start, stop, 8):
                        store(kept, at + i, flat * prefix(int32(stop - i)))
                    i = stop
                    continue
                ui, vi = u0 + j * uy + i * ux, v0 + j * vy + i * vx
                inside = int32(end - i)
                p, q, r, s, fu, fv = fetch(source, zero, hop, places, ui, vi, steps_u, steps_v, inside)
                store(kept, at + i, (p + q * fu + (r + s * fu) * fv) * alpha)
                i += 8


@inlined
def pull_masks(b, k, group, strokes, bank, switches, plan, d_kept, gradients, dx, dy):
    """Gradients of where, which, opacity and cells from those of the masks, kept like the masks."""
    where, which, _, opacity, _ = strokes
    cells, outlines, sizes, offsets = bank
    placed, reach, layout, _, begins = plan
    d_where, d_which, _, d_opacity, _, d_cells = gradients
    dense = switches[1]
    mix = np.empty(4 * (sizes[0] + 4) ** 2 + 16, np.float32)
    places = binary_places(sizes[0])
    d_mix = np.zeros(4 * (sizes[0] + 4) ** 2 + 16 if dense else 16, np.float32)
    none = splat(F(0))
    for t in range(where.shape[1]):
        j0, j1 = reach[b, k, t, 0], reach[b, k, t, 1]
        if j0 >= j1:
            continue
        alpha = F(opacity[b, t])
        u0, ux, uy = placed[b, t, U], placed[b, t, U + 1], placed[b, t, U + 2]
        v0, vx, vy = placed[b, t, V], placed[b, t, V + 1], placed[b, t, V + 2]
        zero, hop = choose_cells(which, b, t, cells, sizes, offsets, placed, mix)
        source, zero = (mix, int32(0)) if zero < 0 else (cells, zero)
        steps_u, steps_v = steps(narrow(ux), places), steps(narrow(vx), places)
        cursor = begins[b, k, t] - begins[b, k, 0]
        su, sux, suy, sv, svx, svy, sharp, smooth = none, none, none, none, none, none, none, none
        for j in range(j0, j1):
            i, start, stop, end = layout[b, t, 0, j], layout[b, t, 1, j], layout[b, t, 2, j], layout[b, t, 3, j]
            at = cursor - i // 8 * 8
            cursor += 8 * blocks_of(i, end)
            y = F((j + 0.5) * dy - 1.0)
            while i < end:
                if i == start:
                    for i in range(start, stop, 8):
                        smooth = smooth + load(d_kept, at + i) * prefix(int32(stop - i))
                    i = stop
                    continue
                ui, vi = u0 + j * uy + i * ux, v0 + j * vy + i * vx
                inside = int32(end - i)
                p, q, r, s, fu, fv = fetch(source, zero, hop, places, ui, vi, steps_u, steps_v, inside)
                d_mask = load(d_kept, at + i)
                xs = ramp() * F(dx) + F((i + 0.5) * dx - 1.0)
                gu, gv = d_mask * (q + s * fv), d_mask * (r + s * fu)
                su, sux, suy = su + gu, sux + gu * xs, suy + gu * y
                sv, svx, svy = sv + gv, svx + gv * xs, svy + gv * y
                sharp = sharp + d_mask * (p + q * fu + (r + s * fu) * fv)
                if dense:
                    spread(d_mix, int32(0), hop, places, ui, vi, steps_u, steps_v, inside, d_mask * alpha)
                i += 8
        settle_mask(
            k, b, t, (su, sux, suy, sv, svx, svy), sharp, smooth, alpha, placed, which, cells, sizes, offsets,
            outlines, dense, d_mix, d_where, d_which, d_opacity, d_cells, group,
        )  # fmt: skip
