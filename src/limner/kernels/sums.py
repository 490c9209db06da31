"""Sums of planes under the masks of single stamps, each as if it were alone."""

import numpy as np
from numba import int32

from limner.kernels.footprint import binary_places, narrow
from limner.kernels.jit import kernel
from limner.kernels.layout import FLAT, U, V
from limner.kernels.quads import fetch
from limner.kernels.simd import load, prefix, splat, steps, total
from limner.kernels.stamp import add, choose_cells

F = np.float32


@kernel
def sum_under(first, last, planes, stride, which, bank, placed, reach, layout, sums, mix, lanes):
    """Fill sums (stamp, plane) for stamps first to last.

    planes: flat, rows of `stride` values, eight more than the canvas has columns.
    which (stamp, 1, template), and placed, reach and layout as if each stamp were painted on a canvas of its own.
    mix: from `cell_desk`.  lanes: eight values for each plane.
    """
    sizes = bank[2]
    page = len(planes) // sums.shape[1]
    places = binary_places(sizes[0])
    for b in range(first, last):
        lanes[:] = 0.0
        ux, uy, vx, vy = placed[b, 0, U + 1], placed[b, 0, U + 2], placed[b, 0, V + 1], placed[b, 0, V + 2]
        source, zero, hop = choose_cells(which, b, 0, bank, placed, mix)
        steps_u, steps_v = steps(narrow(ux), places), steps(narrow(vx), places)
        for j in range(reach[b, 0, 0, 0], reach[b, 0, 0, 1]):
            uj, vj = placed[b, 0, U] + j * uy, placed[b, 0, V] + j * vy
            i, start, stop, end = layout[b, 0, 0, j], layout[b, 0, 1, j], layout[b, 0, 2, j], layout[b, 0, 3, j]
            while i < end:
                at = j * stride + i
                if i == start:
                    for c in range(sums.shape[1]):
                        run = splat(F(0))
                        for x in range(0, stop - start, 8):
                            run = run + load(planes, c * page + at + x) * prefix(int32(stop - start - x))
                        add(lanes, 8 * c, run * F(placed[b, 0, FLAT]))
                    i = stop
                    continue
                ui, vi = uj + i * ux, vj + i * vx
                p, q, r, s, fu, fv = fetch(source, zero, hop, places, ui, vi, steps_u, steps_v, int32(end - i))
                mask = p + q * fu + (r + s * fu) * fv
                for c in range(sums.shape[1]):
                    add(lanes, 8 * c, mask * load(planes, c * page + at))
                i += 8
        for c in range(sums.shape[1]):
            sums[b, c] = total(load(lanes, 8 * c))
