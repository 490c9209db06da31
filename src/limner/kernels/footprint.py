"""Where stamps lie on the canvas: eight stamps' levels in the pyramid, rows and sides, and eight rows' spans of pixels.

Texel coordinates here count from the corner of a level's border (`pyramid.BORDER`): the template's own texels have
their centres at 2 ... n + 1, and outside of (1, n + 2) the mask is zero. They are affine in pixels:
u(i, j) = u0 + i ux + j uy. All of this is float64, so that a span is right for huge and for tiny stamps, down to those
where the canvas' corner is `OUTSIDE` of them: float64 could not say any more where a pixel is. These touch nothing.

An octagon is eight bounds in texel coordinates: low and high of u, v, u + v and u - v. A disc is one on the template,
an ellipse on the canvas, and fits a circle better: between the octagons outside and inside of one lies a seventh of its
area. For whole pixels that is not worth a root for each row, for samples it is.
"""

from limner.kernels.jit import inlined
from limner.kernels.lanes import choose, count, doubles, larger, root, round_down, round_up, smaller
from limner.kernels.outlines import FLAT_DISC, SUPPORT_DISC
from limner.kernels.simd import gather, load, look_up, store

FAR = 1e30
OUTSIDE = 1e13
"""Texels."""
LINES, DISCS = 26, 20
"""Numbers of what rows cross (`sides`), and the first of those of discs (`discs`)."""


@inlined
def level(per_pixel_x, per_pixel_y, levels):
    """Halvings that bring so many texels a look-up nearest to one: `geometry.prefilter_levels` for one axis."""
    squared = per_pixel_x * per_pixel_x + per_pixel_y * per_pixel_y
    none = count() - count()
    found, step = none, 2.0
    for _ in range(levels - 1):
        found, step = found + choose(squared > step, 1, none), step * 4.0
    return found


@inlined
def axis(a, b, c, texels, height, width):
    """(u0, ux, uy) of one template axis of `texels` texels; a, b, c is its row of Phi."""
    u0 = 0.5 * texels * (a * (1.0 / width - 1.0) + b * (1.0 / height - 1.0) + c + 1.0) + 1.5
    return u0, a * texels / width, b * texels / height


@inlined
def place(where, first, last, sizes, height, width, sharpness):
    """Levels (y, x), texels (y, x), both texel axes (u0, ux, uy), (v0, vx, vy), and sums of Phi: stamps `first` and on.

    where: flat.  last: number of the last stamp, which stands for those beyond.
    """
    at, end = 6 * first, 6 * last
    a, b = doubles(gather(where, at, 6, end)), doubles(gather(where, at + 1, 6, end + 1))
    c, d = doubles(gather(where, at + 2, 6, end + 2)), doubles(gather(where, at + 3, 6, end + 3))
    e, f = doubles(gather(where, at + 4, 6, end + 4)), doubles(gather(where, at + 5, 6, end + 5))
    side = float(sizes[0]) / sharpness
    lu = level(a * (side / width), b * (side / height), len(sizes))
    lv = level(d * (side / width), e * (side / height), len(sizes))
    nu, nv = doubles(look_up(sizes, lu)), doubles(look_up(sizes, lv))
    u, v = axis(a, b, c, nu, height, width), axis(d, e, f, nv, height, width)
    return lv, lu, nv, nu, u, v, ((a + b) + (c + d)) + (e + f)


@inlined
def rows(u, v, octagons):
    """First and past-last row that stamps can touch, huge where they have no end.  octagons: as in `sides`."""
    low_u, high_u, low_v, high_v = load(octagons, 0), load(octagons, 8), load(octagons, 16), load(octagons, 24)
    det, scale = u[1] * v[2] - u[2] * v[1], magnitude(u[1] * v[2]) + magnitude(u[2] * v[1])
    along, down = larger(magnitude(u[1]), magnitude(v[1])), larger(magnitude(u[2]), magnitude(v[2]))
    far = larger(magnitude(u[0]), magnitude(v[0])) + along + down > OUTSIDE
    endless, nothing = magnitude(det) <= 1e-9 * scale, (low_u >= high_u) | far
    det = choose(endless, 1.0, det)
    cu, cv = 0.5 * (low_u + high_u) - u[0], 0.5 * (low_v + high_v) - v[0]
    middle = (u[1] * cv - v[1] * cu) / det
    ru, rv = 0.5 * (high_u - low_u), 0.5 * (high_v - low_v)
    reach = (magnitude(v[1]) * ru + magnitude(u[1]) * rv) / magnitude(det)
    first, last = choose(endless, -FAR, middle - reach), choose(endless, FAR, middle + reach + 1.0)
    return choose(nothing, FAR, first), choose(nothing, -FAR, last)


@inlined
def magnitude(number):
    return larger(number, 0.0 - number)


@inlined
def sides(u, v, octagons, lines, number):
    """Where rows cross the sides of two octagons (16, 8): lines (LINES, stamp), of eight stamps, `number` and on.

    For the bounds on u, v, u + v and u - v, in pixels along row j: enter and leave the first octagon at lines[5 k] +
    j lines[5 k + 4] and lines[5 k + 1] + ..., the second at lines[5 k + 2] and lines[5 k + 3].
    """
    room = lines.shape[1]
    for k in range(4):
        start, along, down = u[0], u[1], u[2]
        if k == 1:
            start, along, down = v[0], v[1], v[2]
        if k == 2:
            start, along, down = u[0] + v[0], u[1] + v[1], u[2] + v[2]
        if k == 3:
            start, along, down = u[0] - v[0], u[1] - v[1], u[2] - v[2]
        across = magnitude(along) > 0.0
        per = choose(across, 1.0 / choose(across, along, 1.0), FAR)
        at = 5 * k * room + number
        for octagon in range(2):
            low = (load(octagons, 64 * octagon + 16 * k) - start) * per
            high = (load(octagons, 64 * octagon + 16 * k + 8) - start) * per
            store(lines, at + 2 * octagon * room, smaller(low, high))
            store(lines, at + (2 * octagon + 1) * room, larger(low, high))
        store(lines, at + 4 * room, (0.0 - down) * per)


@inlined
def discs(u, v, nu, nv, outlines, lines, number):
    """Where rows cross two discs: lines from `DISCS` on, of eight stamps of nu and nv texels, `number` and on.

    Row j is as far from the middle of a disc as it is long in pixels, lines[2] + j lines[3], the middle of what it
    cuts out lies at lines[0] + j lines[1], and lines[4] and lines[5] are the squared radii. A row along which nothing
    changes counts as wholly in the first, and as outside of the second.
    """
    per_u, per_v, room = 2.0 / nu, 2.0 / nv, lines.shape[1]
    x, along_x, down_x = (u[0] - 1.5) * per_u - 1.0, u[1] * per_u, u[2] * per_u
    y, along_y, down_y = (v[0] - 1.5) * per_v - 1.0, v[1] * per_v, v[2] * per_v
    squared = along_x * along_x + along_y * along_y
    crosses = squared > 0.0
    per = 1.0 / choose(crosses, squared, 1.0)
    at = DISCS * room + number
    store(lines, at, (0.0 - x * along_x - y * along_y) * per)
    store(lines, at + room, (0.0 - down_x * along_x - down_y * along_y) * per)
    store(lines, at + 2 * room, (x * along_y - y * along_x) * per)
    store(lines, at + 3 * room, (down_x * along_y - down_y * along_x) * per)
    store(lines, at + 4 * room, choose(crosses, load(outlines, 8 * SUPPORT_DISC) * per, FAR))
    store(lines, at + 5 * room, choose(crosses, load(outlines, 8 * FLAT_DISC) * per, -1.0))


@inlined
def spans_of(lines, number, y, by_discs, width):
    """Rows y of a stamp in whole eights: first, start, stop and last; and first and past-last pixel that is flat.

    by_discs: whether to look at discs, too. The flat run starts a whole number of eights after the first pixel. Where
    there is none, or it would not spare two of the eights, it lies past the stamp.
    """
    y0, y1, y2, y3 = y * lines[4, number], y * lines[9, number], y * lines[14, number], y * lines[19, number]
    low = larger(
        larger(y0 + lines[0, number], y1 + lines[5, number]), larger(y2 + lines[10, number], y3 + lines[15, number])
    )
    high = smaller(
        smaller(y0 + lines[1, number], y1 + lines[6, number]), smaller(y2 + lines[11, number], y3 + lines[16, number])
    )
    flat_low = larger(
        larger(y0 + lines[2, number], y1 + lines[7, number]), larger(y2 + lines[12, number], y3 + lines[17, number])
    )
    flat_high = smaller(
        smaller(y0 + lines[3, number], y1 + lines[8, number]), smaller(y2 + lines[13, number], y3 + lines[18, number])
    )
    if by_discs:
        middle = y * lines[DISCS + 1, number] + lines[DISCS, number]
        apart = y * lines[DISCS + 3, number] + lines[DISCS + 2, number]
        support, inner = lines[DISCS + 4, number] - apart * apart, lines[DISCS + 5, number] - apart * apart
        half = root(larger(support, 0.0))
        low, high = larger(low, middle - half), smaller(high, middle + half)
        half = root(larger(inner, 0.0))
        longer = 2.0 * half > flat_high - flat_low
        flat_low, flat_high = choose(longer, middle - half, flat_low), choose(longer, middle + half, flat_high)
    low, high = larger(low, 0.0), smaller(high, width - 1.0)
    flat_low, flat_high = larger(flat_low, 0.0), smaller(flat_high, width - 1.0)
    some, flat = low <= high, flat_low < flat_high
    first, flat_first = round_up(smaller(low, width)), round_up(smaller(flat_low, width))
    last = round_down(larger(high, -1.0)) + 1
    stop = smaller(round_down(larger(flat_high, -1.0)) + 1, last)
    flat_last = choose(flat, stop, 0)
    start = first + ((flat_first - first + 7) & -8)
    at_edges = ((start - first) >> 3) + eights(stop, last)
    spared = flat & (start < stop) & (at_edges + 1 < eights(first, last))
    start, stop = choose(spared, start, last), choose(spared, stop, last)
    spans = choose(some, first, 0), choose(some, start, 0), choose(some, stop, 0), choose(some, last, 0)
    return spans, flat_first, flat_last


@inlined
def eights(first, last):
    """Groups of eight pixels that cover first ... last - 1."""
    return (last - first + 7) >> 3
