"""The edges of stamps as a list of eights of pixels, so that passes need not find out row by row what comes next."""

from limner.kernels.across import before, least, total
from limner.kernels.footprint import eights
from limner.kernels.jit import inlined
from limner.kernels.lanes import choose, count, cut, doubles, smaller
from limner.kernels.layout import load_spans, row_index
from limner.kernels.quads import write_fours

FEW = 2
"""Eights that most rows have no more of at their edges."""


def spare_eights(width):
    """Entries that may be written past the last of a move: as many as a row can have, or a few."""
    return width // 8 + 2 + FEW


@inlined
def list_edges(b, k, t, axes, reach, layout, begins, ends, listed):
    """List the eights at the edges of move t in band k of picture b; ends holds how many and then where they end.

    axes: from `fixed_axes`.
    listed (eight, 4), int32: texel coordinates (u, v) of the first pixel in fixed point, its row, and sixteen times its
    column plus how many of the pixels are under the stamp.
    Eight rows are worked on at a time. Those with fewer eights than others write too many, which others overwrite: the
    last eight of each row comes first, and the rows come in turn. A few are written whether rows have them or not: it
    spares the processor a guess. So entries past the move's last are written, too (`spare_eights`), which belong to the
    next move, whose turn comes later, or to none.
    """
    (u, v), j1 = axes, reach[b, k, t, 1]
    e, (at, room) = begins[b, k, t], row_index(layout, b * layout.shape[1] + t)
    for j in range(reach[b, k, t, 0], j1, 8):
        row = count() + j
        first, start, stop, last = load_spans(layout, at + j, room)
        left = eights(first, start)
        many = choose(row < j1, left + eights(stop, last), 0)
        uj, vj, offsets = doubles(row) * u[2] + u[0], doubles(row) * v[2] + v[0], before(many)
        for step in range(max(FEW, -least(0 - many)) - 1, -1, -1):
            i = choose(left > step, first, stop - (left << 3)) + 8 * step
            x, spot = doubles(i), (i << 4) + smaller(last - i, 8)
            write_fours(listed, e + step, offsets, cut(x * u[1] + uj), cut(x * v[1] + vj), row, spot)
        e += total(many)
    ends[b, k, t] = e
