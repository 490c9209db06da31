"""Sums of planes under the masks of single stamps, each as if it were alone."""

import numpy as np
from numba import int32

from limner.kernels.across import total
from limner.kernels.fixed import binary_places, fixed_axes, texel_steps
from limner.kernels.jit import kernel
from limner.kernels.lanes import splat
from limner.kernels.layout import FLAT, row_of
from limner.kernels.quads import fetch, mask_at
from limner.kernels.simd import load, prefix
from limner.kernels.stamp import add, choose_cells

F = np.float32


@kernel
def sum_under(first, last, planes, height, width, which, bank, placed, reach, layout, sums, mix, lanes):
    """Fill sums (stamp, plane) for stamps first to last.

    planes: flat, and eight values more.
    which (stamp, 1, template), and placed, reach and layout as if each stamp were painted on a canvas of its own; the
    whole canvas is one band.
    mix: from `cell_desk`.  lanes: eight values for each plane.
    """
    sizes = bank[2]
    page = height * width
    places = binary_places(sizes[0])
    for b in range(first, last):
        lanes[:] = 0.0
        u, v = fixed_axes(b, 0, placed, places)
        source, zero, hop = choose_cells(which, b, 0, bank, placed, mix)
        steps_u, steps_v = texel_steps((u, v))
        for j in range(reach[b, 0, 0, 0], reach[b, 0, 0, 1]):
            uj, vj = u[0] + j * u[2], v[0] + j * v[2]
            i, start, stop, end = row_of(layout, b, 0, j)
            i = stop if i == start else i
            while i < end:
                ui, vi = int32(uj + i * u[1]), int32(vj + i * v[1])
                p, q, r, s, fu, fv = fetch(source, zero, hop, places, ui, vi, steps_u, steps_v, int32(end - i))
                mask = mask_at(p, q, r, s, fu, fv)
                for c in range(sums.shape[1]):
                    add(lanes, 8 * c, mask * load(planes, c * page + j * width + i))
                i += 8
                i = stop if i == start else i
        for c in range(sums.shape[1]):
            run = splat(F(0))
            for j in range(reach[b, 0, 0, 2], reach[b, 0, 0, 3]):
                _, start, stop, _ = row_of(layout, b, 0, j)
                for i in range(start, stop, 8):
                    run = run + load(planes, c * page + j * width + i) * prefix(int32(stop - i))
            add(lanes, 8 * c, run * F(placed[b, 0, FLAT]))
        for c in range(sums.shape[1]):
            sums[b, c] = total(load(lanes, 8 * c))
