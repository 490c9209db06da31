"""Where all stamps lie, worked out once for the forward and the backward pass.

placed (batch, move, 12), float64: texel axes (u0, ux, uy) and (v0, vx, vy), value of the mask on its flat run, levels
(y, x) in the pyramid, the template of a hard choice or -1 for a mix, and the size of a texel (y, x) on the template.
reach (batch, band, move, 2): first and past-last row under the stamp in a band of rows.
layout (batch, move, 4, H + SPARE): per row the first pixel under the stamp, the first and past-last of its flat run,
and the first past the stamp; less what is hidden, where that is left out.
fine (batch, move, 4, samples H + SPARE): the same for rows of samples, of which only first and last are used; with one
sample a pixel, the layout itself.
Rows are worked on in whole eights, which may reach past a stamp's last row, and past the canvas into the spare rows.
"""

import math

import numpy as np

from limner.kernels.bank import choose_outline
from limner.kernels.footprint import edges, eights, place, rows
from limner.kernels.hiding import block_bits, clip_rows
from limner.kernels.jit import inlined, kernel

F = np.float32
U, V, FLAT, LEVEL_V, LEVEL_U, TEMPLATE, PER_V, PER_U, COLUMNS = 0, 3, 6, 7, 8, 9, 10, 11, 12
SPARE = 7
NOTHING, EDGES, PIXELS, MASKS, ONE_MASK = range(5)
"""What passes keep: what lay below the edges of stamps, or below all their pixels; or the masks of all moves in blocks
of the canvas' columns, or of one move of a task after the other."""


def lay_desk(height, samples):
    """What `lay_out` works in: a stamp's outline and its sides, what is hidden, and what is flat, row by row."""
    hidden, opaque = np.empty(height + SPARE, np.uint64), np.empty((2, samples * height + SPARE), np.int32)
    return np.empty(17), np.empty((4, 5)), hidden, opaque


@kernel
def lay_out(
    picture, end, where, which, opacity, outlines, sizes, dense, keep, hides, samples, sharpness, band, height, width,
    placed, reach, layout, fine, tally, desk,
):  # fmt: skip
    """Fill placed, reach, layout and fine, and tally (batch, band, move): values to `keep`; returns pixels touched.

    For pictures `picture` up to `end` of the batch.
    `hides`: whether what lies below opaque stamps can be left out (`hiding`), which is for one sample a pixel.
    `sharpness`: texels to a look-up.
    """
    outline, lines, hidden, opaque = desk
    bits = block_bits(width)
    touched = 0
    for b in range(picture, end):
        hidden[:] = 0
        for t in range(where.shape[1] - 1, -1, -1):
            lv, lu, u, v = place(where, b, t, sizes, samples * height, samples * width, sharpness)
            template = choose_outline(which, b, t, outlines, lv, lu, outline, dense)
            middle = 0.5 * (samples - 1)
            placed[b, t, U], placed[b, t, V] = u[0] + middle * (u[1] + u[2]), v[0] + middle * (v[1] + v[2])
            for k in range(1, 3):
                placed[b, t, U + k], placed[b, t, V + k] = samples * u[k], samples * v[k]
            placed[b, t, FLAT], placed[b, t, LEVEL_V], placed[b, t, LEVEL_U] = outline[16], lv, lu
            placed[b, t, TEMPLATE] = template
            placed[b, t, PER_V], placed[b, t, PER_U] = 2.0 / sizes[lv], 2.0 / sizes[lu]
            edges(u, v, outline, lines)
            for k in range(tally.shape[1]):
                top, bottom = samples * k * band, samples * min(height, (k + 1) * band)
                j0, j1 = rows(u, v, outline, top, bottom)
                if samples > 1:
                    span_rows(lines, j0, j1, samples * width, b, t, fine, opaque)
                    j0, j1 = whole_pixels(samples, j0, j1, width, b, t, fine, opaque, layout)
                else:
                    span_rows(lines, j0, j1, width, b, t, layout, opaque)
                if hides:
                    covers = F(outline[16]) * opacity[b, t] == 1.0
                    clip_rows(j0, j1, width, b, t, layout, opaque, covers, hidden, bits)
                    while j0 < j1 and layout[b, t, 3, j0] == 0:
                        j0 += 1
                    while j0 < j1 and layout[b, t, 3, j1 - 1] == 0:
                        j1 -= 1
                reach[b, k, t, 0], reach[b, k, t, 1] = j0, j1
                under, at_edges, within, blocks = count_rows(j0, j1, b, t, layout)
                touched += under
                tally[b, k, t] = 8 * (blocks if keep >= MASKS else at_edges + (within if keep == PIXELS else 0))
    return touched


@inlined
def span_rows(lines, j0, j1, width, b, t, layout, opaque):
    """Fill the layout of rows j0 to j1, in whole eights, and opaque (2, row): first and past-last pixel that is flat.

    The flat run starts a whole number of eights after the first pixel. Where there is none, or it would spare none of
    the eights, it lies past the stamp.
    One straight line without branches, and rows of unsigned numbers (which count from no end), so that LLVM works on
    several at once.
    """
    l0, h0, fl0, fh0, m0 = lines[0, 0], lines[0, 1], lines[0, 2], lines[0, 3], lines[0, 4]
    l1, h1, fl1, fh1, m1 = lines[1, 0], lines[1, 1], lines[1, 2], lines[1, 3], lines[1, 4]
    l2, h2, fl2, fh2, m2 = lines[2, 0], lines[2, 1], lines[2, 2], lines[2, 3], lines[2, 4]
    l3, h3, fl3, fh3, m3 = lines[3, 0], lines[3, 1], lines[3, 2], lines[3, 3], lines[3, 4]
    right, end = width - 1.0, float(width)
    for r in range((j1 - j0 + 7) & -8):
        y, j = float(j0 + r), np.uint64(j0 + r)
        y0, y1, y2, y3 = y * m0, y * m1, y * m2, y * m3
        low = larger(larger(larger(l0 + y0, l1 + y1), larger(l2 + y2, l3 + y3)), 0.0)
        high = smaller(smaller(smaller(h0 + y0, h1 + y1), smaller(h2 + y2, h3 + y3)), right)
        flat_low = larger(larger(larger(fl0 + y0, fl1 + y1), larger(fl2 + y2, fl3 + y3)), 0.0)
        flat_high = smaller(smaller(smaller(fh0 + y0, fh1 + y1), smaller(fh2 + y2, fh3 + y3)), right)
        some, flat = low <= high, flat_low < flat_high
        first = np.int32(math.ceil(smaller(low, end)))
        last = np.int32(math.floor(larger(high, -1.0))) + np.int32(1)
        flat_first = np.int32(math.ceil(smaller(flat_low, end)))
        start = first + ((flat_first - first + np.int32(7)) & np.int32(-8))
        stop = np.int32(math.floor(larger(flat_high, -1.0))) + np.int32(1)
        stop = stop if stop < last else last
        opaque[0, j], opaque[1, j] = flat_first, stop if flat else 0
        whole, edge = (last - first + 7) >> 3, ((start - first) >> 3) + ((last - stop + 7) >> 3)
        flat = flat and start < stop and edge < whole
        start, stop = start if flat else last, stop if flat else last
        layout[b, t, 0, j] = first if some else 0
        layout[b, t, 1, j] = start if some else 0
        layout[b, t, 2, j] = stop if some else 0
        layout[b, t, 3, j] = last if some else 0


@inlined
def count_rows(j0, j1, b, t, layout):
    """Of the rows j0 to j1 of a stamp: pixels, eights at its edges, eights of flat runs, and blocks of columns."""
    under = at_edges = within = blocks = np.int32(0)
    for r in range((j1 - j0 + 7) & -8):
        j, here = np.uint64(j0 + r), np.int32(r < j1 - j0)
        first, start = np.int32(layout[b, t, 0, j]), np.int32(layout[b, t, 1, j])
        stop, last = np.int32(layout[b, t, 2, j]), np.int32(layout[b, t, 3, j])
        under += here * (last - first)
        at_edges += here * (eights(first, start) + eights(stop, last))
        within += here * eights(start, stop)
        blocks += here * blocks_of(first, last)
    return under, at_edges, within, blocks


@inlined
def whole_pixels(samples, j0, j1, width, b, t, fine, flat, layout):
    """Fill the layout of the pixels that hold rows of samples j0 to j1; returns the first and past-last of their rows.

    The flat run of a row of pixels is where all their samples are.  flat (2, row): first and past-last flat sample.
    """
    if j0 >= j1:
        return 0, 0
    first_row, end_row = j0 // samples, (j1 - 1) // samples + 1
    for j in range(samples * first_row, j0):
        fine[b, t, :, j], flat[1, j] = 0, 0
    for j in range(j1, samples * end_row):
        fine[b, t, :, j], flat[1, j] = 0, 0
    for r in range(first_row, end_row):
        first, start, stop, last = samples * width, 0, samples * width, 0
        for j in range(samples * r, samples * (r + 1)):
            if fine[b, t, 0, j] < fine[b, t, 3, j]:
                first, last = min(first, fine[b, t, 0, j]), max(last, fine[b, t, 3, j])
            start, stop = max(start, flat[0, j]), min(stop, flat[1, j])
        first, last = first // samples, (last + samples - 1) // samples
        start, stop = (start + samples - 1) // samples, stop // samples
        if first >= last:
            first, start, stop, last = 0, 0, 0, 0
        elif start >= stop:
            start, stop = last, last
        layout[b, t, 0, r], layout[b, t, 1, r], layout[b, t, 2, r], layout[b, t, 3, r] = first, start, stop, last
    return first_row, end_row


@inlined
def larger(a, b):
    return a if a > b else b


@inlined
def smaller(a, b):
    return a if a < b else b


@inlined
def blocks_of(first, last):
    """Aligned blocks of eight columns that hold first ... last - 1, and one more as a margin for writing."""
    return ((last + 7) >> 3) - (first >> 3) + 1 if first < last else 0
