"""The masks of moves in a band of rows, kept side by side, and the way back for their gradients.

The mask of a pixel is the mean of samples x samples look-ups. `kept` holds each row of a stamp in blocks that start at
columns divisible by eight, with zeros around the stamp.
"""

import numpy as np
from numba import int32

from limner.kernels.fixed import binary_places, fixed_axes, texel_steps
from limner.kernels.jit import inlined, on
from limner.kernels.lanes import ramp, splat
from limner.kernels.layout import FLAT, blocks_of, row_of
from limner.kernels.mixing import cell_desk
from limner.kernels.quads import fetch, mask_at, spread
from limner.kernels.simd import load, prefix, store
from limner.kernels.stamp import add, choose_cells, settle_mask

F = np.float32
FLAT_RUN, EDGE_RUNS = 1, (0, 2)
"""Of a row of samples: that where the mask is constant, and those before and behind it."""


def sample_desk(size, side, samples, dense):
    """What `sample_mask` and `pull_mask` work in: mixed cells, their gradient, and a row of samples."""
    return *cell_desk(side, dense), np.zeros(samples * size[2] + 8, np.float32)


@inlined
def sample_mask(b, k, t, samples, strokes, bank, plan, work):
    """The mask, times opacity, of move t in band k of picture b, into kept."""
    _, which, _, opacity, _ = strokes
    sizes = bank[2]
    placed, reach, layout, fine, kept, begins, _, _ = plan
    mix, _, sums = work
    places = binary_places(sizes[0])
    alpha = F(opacity[b, t])
    share = alpha / F(samples * samples)
    (u0, ux, uy), (v0, vx, vy) = axes = sample_axes(b, t, placed, places, samples)
    source, zero, hop = choose_cells(which, b, t, bank, placed, mix)
    steps_u, steps_v = texel_steps(axes)
    flat = splat(F(placed[b, t, FLAT])) * alpha
    flat_share = splat(F(placed[b, t, FLAT])) * share
    cursor = 8 * begins[b, k, t]
    for j in range(reach[b, k, t, 0], reach[b, k, t, 1]):
        begin, start, stop, end = row_of(layout, b, t, j)
        room = 8 * blocks_of(begin, end)
        kept[cursor : cursor + room] = 0.0
        at = cursor - begin // 8 * 8
        cursor += room
        for x in range(start, stop, 8):
            store(kept, at + x, flat * prefix(int32(stop - x)))
        for side in range(2):
            left, right = (begin, start) if side == 0 else (stop, end)
            if left >= right:
                continue
            line, origin = (kept, at) if samples == 1 else (sums, np.int64(0))
            if samples > 1:
                sums[samples * left : samples * right] = 0.0
            for row in range(samples * j, samples * (j + 1)):
                first, last = run_of(fine, b, t, row, FLAT_RUN, samples * left, samples * right)
                for x in range(first, last, 8):
                    add(line, origin + x, flat_share * prefix(int32(last - x)))
                for run in EDGE_RUNS:
                    first, last = run_of(fine, b, t, row, run, samples * left, samples * right)
                    for x in range(first, last, 8):
                        ui, vi, inside = int32(u0 + row * uy + x * ux), int32(v0 + row * vy + x * vx), int32(last - x)
                        p, q, r, s, fu, fv = fetch(source, zero, hop, places, ui, vi, steps_u, steps_v, inside)
                        add(line, origin + x, mask_at(p, q, r, s, fu, fv) * share)
            if samples > 1:
                for x in range(left, right):
                    whole = F(0)
                    for step in range(samples):
                        whole += sums[samples * x + step]
                    kept[at + x] = whole


@inlined
def run_of(fine, b, t, row, run, left, right):
    """First and past-last sample of a run, as far as it lies between `left` and `right`."""
    return max(fine[b, t, run, row], left), min(fine[b, t, run + 1, row], right)


@inlined
def pull_mask(b, k, t, group, samples, strokes, bank, dense, plan, d_kept, begin, gradients, height, width, work):
    """Gradients of where, which, opacity and cells of a move, from that of its mask, in d_kept from `begin` on."""
    _, which, _, opacity, _ = strokes
    sizes = bank[2]
    placed, reach, layout, fine, _, _, _, _ = plan
    d_where, d_which, _, d_opacity, _, d_cells = gradients
    mix, d_mix, pulls = work
    places = binary_places(sizes[0])
    none, share = splat(F(0)), F(1) / F(samples * samples)
    dx, dy = 2.0 / (samples * width), 2.0 / (samples * height)
    alpha = F(opacity[b, t])
    (u0, ux, uy), (v0, vx, vy) = axes = sample_axes(b, t, placed, places, samples)
    source, zero, hop = choose_cells(which, b, t, bank, placed, mix)
    steps_u, steps_v = texel_steps(axes)
    cursor = begin
    su, sux, suy, sv, svx, svy, sharp, smooth = none, none, none, none, none, none, none, none
    for j in range(reach[b, k, t, 0], reach[b, k, t, 1]):
        i, start, stop, end = row_of(layout, b, t, j)
        at = cursor - i // 8 * 8
        cursor += 8 * blocks_of(i, end)
        if i < end:
            store(d_kept, cursor - 8, none)  # the margin, which is read: times zero, but NaN there would spread
        for x in range(start, stop, 8):
            smooth = smooth + load(d_kept, at + x) * prefix(int32(stop - x))
        for side in range(2):
            left, right = (i, start) if side == 0 else (stop, end)
            if left >= right:
                continue
            line, origin = (d_kept, at) if samples == 1 else (pulls, np.int64(0))
            if samples > 1:
                for x in range(left, right):
                    for step in range(samples):
                        pulls[samples * x + step] = share * d_kept[at + x]
                store(pulls, samples * right, none)
            for row in range(samples * j, samples * (j + 1)):
                y = F((row + 0.5) * dy - 1.0)
                first, last = run_of(fine, b, t, row, FLAT_RUN, samples * left, samples * right)
                for x in range(first, last, 8):
                    smooth = smooth + load(line, origin + x) * prefix(int32(last - x))
                for run in EDGE_RUNS:
                    first, last = run_of(fine, b, t, row, run, samples * left, samples * right)
                    for x in range(first, last, 8):
                        ui, vi, inside = int32(u0 + row * uy + x * ux), int32(v0 + row * vy + x * vx), int32(last - x)
                        p, q, r, s, fu, fv = fetch(source, zero, hop, places, ui, vi, steps_u, steps_v, inside)
                        d_mask = load(line, origin + x)
                        xs = ramp() * F(dx) + F((x + 0.5) * dx - 1.0)
                        gu, gv = d_mask * (q + s * fv), d_mask * (r + s * fu)
                        su, sux, suy = su + gu, sux + gu * xs, suy + gu * y
                        sv, svx, svy = sv + gv, svx + gv * xs, svy + gv * y
                        sharp = sharp + d_mask * mask_at(p, q, r, s, fu, fv)
                        if on(dense):
                            spread(d_mix[0], int32(0), hop, places, ui, vi, steps_u, steps_v, inside, d_mask * alpha)
    settle_mask(
        k, b, t, (su, sux, suy, sv, svx, svy), sharp, smooth, alpha, placed, which, bank, dense,
        d_mix, d_where, d_which, d_opacity, d_cells, group,
    )  # fmt: skip


@inlined
def sample_axes(b, t, placed, places, samples):
    """`fixed_axes` counted in samples instead of pixels."""
    u, v = fixed_axes(b, t, placed, places)
    ux, uy, vx, vy = u[1] / samples, u[2] / samples, v[1] / samples, v[2] / samples
    middle = 0.5 * (samples - 1)
    return (u[0] - middle * (ux + uy), ux, uy), (v[0] - middle * (vx + vy), vx, vy)


def task_desk(plan, first, last):
    """Room for the gradient of all masks of any one of these tasks."""
    kept, begins = plan[4], plan[5]
    starts = np.append(8 * begins[..., :1].ravel()[first : last + 1], len(kept))[: last - first + 1]
    return np.zeros(np.diff(starts).max(initial=0), np.float32)
