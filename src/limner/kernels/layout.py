"""Where all stamps lie, worked out once for the forward and the backward pass.

placed (batch, move, 12), float64: texel axes (u0, ux, uy) and (v0, vx, vy), value of the mask on its flat run, levels
(y, x) in the pyramid, the template of a hard choice or -1 for a mix, and the size of a texel (y, x) on the template.
reach (batch, band, move, 4): first and past-last row under the stamp in a band of rows, and of those with a flat run.
layout (batch, move, 4, H + SPARE): per row the first pixel under the stamp, the first and past-last of its flat run,
and the first past the stamp; less what is hidden, where that is left out.
fine (batch, move, 4, samples H + SPARE): the same for rows of samples; with one sample a pixel, the layout itself.

Stamps and rows are worked on in whole eights, which may reach past a stamp's last row, and past the canvas into the
spare rows. One thing is worked out for many stamps before the next: a processor looks some hundred instructions ahead,
and so finds several stamps to work on at once, instead of waiting for each result of one.
"""

import numpy as np

from limner.kernels.across import least, total
from limner.kernels.footprint import LINES, discs, eights, place, rows, sides, spans_of
from limner.kernels.hiding import blocks_in_row, clip, hidden_by
from limner.kernels.jit import inlined, kernel
from limner.kernels.joining import join_samples
from limner.kernels.lanes import choose, count, doubles, larger, smaller
from limner.kernels.memory import array
from limner.kernels.outlines import OUTLINE, VALUE, choose_outline
from limner.kernels.quads import read_four, write_four
from limner.kernels.simd import load, store

F = np.float32
U, V, FLAT, LEVEL_V, LEVEL_U, TEMPLATE, PER_V, PER_U, COLUMNS = 0, 3, 6, 7, 8, 9, 10, 11, 12
SPARE = 7
NOTHING, LIST, EDGES, PIXELS, MASKS, ONE_MASK = range(6)
"""What passes keep: the list of edges; and what lay below them, or below all pixels of stamps; or the masks of all
moves in blocks of the canvas' columns, or of one move of a task after the other."""
TOGETHER = 64
"""Stamps that are laid out together, of one picture or of several."""
FEW = 3
"""Eights of rows that most stamps have no more of."""


def room(batch, moves, bands, height, samples, narrow):
    """For placed, reach, layout, fine, begins and tally; `narrow`: whether pixels can be counted in 16 bits."""
    number = np.int16 if narrow else np.int32
    placed, reach = array((batch, moves, COLUMNS), np.float64), array((batch, bands, moves, 4), np.int32)
    layout = array((batch, moves, 4, height + SPARE), number)
    fine = layout if samples == 1 else array((batch, moves, 4, samples * height + SPARE), number)
    begins, tally = np.empty((batch, bands, moves), np.int64), np.empty((batch, bands, moves), np.int64)
    return placed, reach, layout, fine, begins, tally


def lay_desk(height, word, samples, bands):
    """What `lay_out` works in.

    What `placed` and outlines hold of eight stamps; of those laid out together the sides, the first and past-last rows,
    and what is flat; their rows in eights; and what is hidden of pictures, row by row.
    """
    few, many = (np.empty((COLUMNS, 8)), np.zeros((OUTLINE, 8))), (np.empty((LINES, TOGETHER)), np.empty((2, TOGETHER)))
    flat = np.empty((TOGETHER, 2, samples * height + SPARE), np.int32)
    rows_of_eight = np.empty(4 * (TOGETHER * (samples * height // 8 + bands) + FEW), np.int32)
    return *few, *many, flat, rows_of_eight, np.empty((TOGETHER, height + SPARE), word)


@kernel
def lay_out(
    first, last, parts, where, which, opacity, outlines, sizes, dense, keep, hides, samples, sharpness, band, height,
    width, placed, reach, layout, fine, tally, desk,
):  # fmt: skip
    """Fill placed, reach, layout and fine, and tally (batch, band, move): eights to `keep`; returns pixels touched.

    For parts first to last, of which a picture has `parts`: `TOGETHER` moves at most, the last ones first. Returns -1
    where one has NaN or infinity in `where`.
    `hides`: whether what lies below opaque stamps can be left out (`hiding`), which is for one sample a pixel, and for
    calls that lay out all parts of a picture.
    `sharpness`: texels to a look-up.
    """
    _, _, lines, _, flat, rows_of_eight, hidden = desk
    moves, touched = where.shape[1], 0
    pictures = max(1, TOGETHER // max(1, moves))
    for part in range(first, last, pictures):
        b0, before = divmod(part, parts)
        b1, t1 = min(b0 + pictures, b0 + last - part), moves - before * TOGETHER
        t0 = max(0, t1 - TOGETHER)
        stamps, begin = (b0, b1, t0, t1), b0 * moves + t0
        size = place_stamps(
            stamps, where, which, outlines, sizes, dense, samples, sharpness, samples * height, samples * width,
            placed, desk,
        )  # fmt: skip
        if not -np.inf < size < np.inf:
            return -1
        many = list_rows(stamps, opacity, samples, band, height, placed, reach, desk)
        span_rows(many, begin, lines, samples, samples * width, fine, flat, rows_of_eight)
        if samples > 1:
            join_samples(stamps, samples, width, fine, flat, reach, layout)
        if hides:
            if before == 0:
                hidden[: b1 - b0] = 0
            clip_rows(many, begin, width, layout, flat, rows_of_eight, hidden)
        touched += count_stamps(stamps, layout, keep, reach, tally)
    return touched


@kernel
def find_room(tally, begins, share, spare):
    """Fill begins (batch, band, move), from where on moves keep their eights; returns how many.

    The moves of a task `share` a place, or not; behind each task there are some to `spare`.
    """
    begin = 0
    for b in range(tally.shape[0]):
        for k in range(tally.shape[1]):
            most = 0
            for t in range(tally.shape[2]):
                begins[b, k, t], most = begin, max(most, tally[b, k, t])
                begin += 0 if share else tally[b, k, t]
            begin += most if share else 0
            begin += spare
    return begin


@inlined
def place_stamps(stamps, where, which, outlines, sizes, dense, samples, sharpness, height, width, placed, desk):
    """Fill what `placed` holds of stamps, and their sides and rows, eight at a time; height and width are in samples.

    Returns a sum of all numbers of Phi, which is finite if they are.
    stamps: first and past-last picture, first and past-last move; all moves, if it is more than one picture.
    """
    columns, outline, lines, bounds, _, _, _ = desk
    (b, end, t, t1), moves, middle = stamps, where.shape[1], 0.5 * (samples - 1)
    many = (end - b) * (t1 - t)
    first, size = b * moves + t, 0.0
    for number in range(0, many, 8):
        lv, lu, nv, nu, u, v, sums = place(where, first + number, first + many - 1, sizes, height, width, sharpness)
        size += total(sums)
        for column, axis in ((U, u), (V, v)):
            store(columns, 8 * column, axis[0] + middle * (axis[1] + axis[2]))
            store(columns, 8 * (column + 1), samples * axis[1])
            store(columns, 8 * (column + 2), samples * axis[2])
        store(columns, 8 * LEVEL_V, doubles(lv))
        store(columns, 8 * LEVEL_U, doubles(lu))
        store(columns, 8 * PER_V, 2.0 / nv)
        store(columns, 8 * PER_U, 2.0 / nu)
        for lane in range(min(8, many - number)):
            levels = int(columns[LEVEL_V, lane]), int(columns[LEVEL_U, lane])
            columns[TEMPLATE, lane] = choose_outline(which, b, t, outlines, levels, outline, lane, dense)
            columns[FLAT, lane] = outline[VALUE, lane]
            for column in range(COLUMNS):
                placed[b, t, column] = columns[column, lane]
            b, t = (b, t + 1) if t + 1 < moves else (b + 1, 0)
        sides(u, v, outline, lines, number)
        if samples > 1:
            discs(u, v, nu, nv, outline, lines, number)
        top, bottom = rows(u, v, outline)
        store(bounds, number, top)
        store(bounds, TOGETHER + number, bottom)
    return size


@inlined
def list_rows(stamps, opacity, samples, band, height, placed, reach, desk):
    """List the rows of stamps in eights: stamp, first row, past the last that hides, where hidden is.

    Fills the first and past-last row of reach, in samples; returns how many eights there are. Most stamps have a few,
    and a few are written before it is known whether they exist, which spares the processor a guess. The list is to be
    read backwards: the last stamp first, but its first band first, since its last eight may reach into the next band.
    """
    _, _, _, bounds, _, rows_of_eight, hidden = desk
    (b0, b1, t0, t1), many, number = stamps, 0, 0
    for b in range(b0, b1):
        place = (b - b0) * hidden.shape[1]
        for t in range(t0, t1):
            covers = samples > 1 or F(placed[b, t, FLAT]) * opacity[b, t] == 1.0
            for k in range(reach.shape[1] - 1, -1, -1):
                top, bottom = float(samples * k * band), float(samples * min(height, (k + 1) * band))
                j0 = int(min(max(bounds[0, number], top), bottom))
                j1 = max(j0, int(min(max(bounds[1, number], top), bottom)))
                reach[b, k, t, 0], reach[b, k, t, 1] = j0, j1
                hides, whole = j1 if covers else 0, (j1 - j0 + 7) >> 3
                for step in range(FEW):
                    write_four(rows_of_eight, many + step, number, j0 + 8 * step, hides, place)
                for step in range(FEW, whole):
                    write_four(rows_of_eight, many + step, number, j0 + 8 * step, hides, place)
                many += whole
            number += 1
    return many


@inlined
def span_rows(many, begin, lines, samples, width, layout, flat, rows_of_eight):
    """Fill the layout of rows (`footprint.spans_of`), and flat (stamp, 2, row), for stamps from number `begin` on."""
    for m in range(many):
        number, j, _, _ = read_four(rows_of_eight, m)
        (at, room), here = row_index(layout, begin + number), 2 * number * flat.shape[2] + j
        spans, flat_first, flat_last = spans_of(lines, number, doubles(count() + j), samples > 1, width)
        store_spans(spans, layout, at + j, room)
        store(flat, here, flat_first)
        store(flat, here + flat.shape[2], flat_last)


@inlined
def clip_rows(many, begin, width, layout, flat, rows_of_eight, hidden):
    """Cut the spans of rows short where they are hidden; from the last stamp on, which add what they hide.

    Rows past a band's last may be cut twice, by the same, which changes nothing.
    """
    blocks = blocks_in_row(width, hidden)
    for m in range(many - 1, -1, -1):
        number, j, hides, place = read_four(rows_of_eight, m)
        (at, room), here = row_index(layout, begin + number), 2 * number * flat.shape[2] + j
        before, last = load(hidden, place + j), load(flat, here + flat.shape[2])
        more = hidden_by(load(flat, here), choose(count() + j < hides, last, 0), width, blocks)
        store(hidden, place + j, before | more)
        store_spans(clip(load_spans(layout, at + j, room), before, blocks), layout, at + j, room)


@inlined
def count_stamps(stamps, layout, keep, reach, tally):
    """Fill tally, and reach as what is left of stamps; returns pixels touched."""
    (b0, b1, t0, t1), touched = stamps, 0
    for b in range(b0, b1):
        for t in range(t0, t1):
            for k in range(reach.shape[1]):
                own = reach[b, k, t]
                (own[0], own[1]), (own[2], own[3]), under, tally[b, k, t] = count_rows(
                    own[0], own[1], b, t, layout, keep
                )
                touched += under
    return touched


@inlined
def count_rows(j0, j1, b, t, layout, keep):
    """Of rows j0 to j1 of a stamp: first and past-last seen, and with a flat run; pixels; eights to keep."""
    at, room = row_index(layout, b * layout.shape[1] + t)
    none = count() - count()
    under, kept, top, bottom, flat_top, flat_bottom = none, none, none + j1, none + j0, none + j1, none + j0
    for j in range(j0, j1, 8):
        row = count() + j
        first, start, stop, last = load_spans(layout, at + j, room)
        seen = (row < j1) & (first < last)
        flat = (row < j1) & (start < stop)
        top, bottom = smaller(top, choose(seen, row, j1)), larger(bottom, choose(seen, row + 1, j0))
        flat_top = smaller(flat_top, choose(flat, row, j1))
        flat_bottom = larger(flat_bottom, choose(flat, row + 1, j0))
        under = under + choose(seen, last - first, 0)
        if keep >= MASKS:
            more = aligned(first, last)
        elif keep == PIXELS:
            more = eights(first, start) + eights(start, stop) + eights(stop, last)
        else:
            more = eights(first, start) + eights(stop, last)
        kept = kept + choose(seen, more, 0)
    seen_rows, flat_rows = (least(top), 0 - least(0 - bottom)), (least(flat_top), 0 - least(0 - flat_bottom))
    return seen_rows, flat_rows, total(under), total(kept)


@inlined
def row_of(layout, b, t, j):
    """First, start, stop and last of a row."""
    row = np.uint64(j)
    return layout[b, t, 0, row], layout[b, t, 1, row], layout[b, t, 2, row], layout[b, t, 3, row]


@inlined
def row_index(array, number):
    """Where the rows of a stamp begin in a layout, counted as if it were flat, and how many there are room for."""
    return number * 4 * array.shape[3], array.shape[3]


@inlined
def load_spans(array, at, room):
    """Eight rows of a layout."""
    return load(array, at), load(array, at + room), load(array, at + 2 * room), load(array, at + 3 * room)


@inlined
def store_spans(spans, array, at, room):
    """The way back of `load_spans`."""
    store(array, at, spans[0])
    store(array, at + room, spans[1])
    store(array, at + 2 * room, spans[2])
    store(array, at + 3 * room, spans[3])


@inlined
def blocks_of(first, last):
    """`aligned` blocks of a row, which may be empty."""
    return aligned(first, last) if first < last else 0


@inlined
def aligned(first, last):
    """Blocks of eight columns that hold first ... last - 1, and one more as a margin for writing."""
    return ((last + 7) >> 3) - (first >> 3) + 1
