"""Where a stamp lies on the canvas: its level in the pyramid, its rows, and its spans of pixels in each row.

Texel coordinates here count from the corner of a level's border (`pyramid.BORDER`): the template's own texels have
their centres at 2 ... n + 1, and outside of (1, n + 2) the mask is zero. They are affine in pixels:
u(i, j) = u0 + i ux + j uy. All of this is float64, so that a span is right for huge and for tiny stamps.

An octagon is eight bounds in texel coordinates: low and high of u, v, u + v and u - v.
"""

import numpy as np

from limner.kernels.jit import inlined

FAR = 1e30


@inlined
def level(per_pixel_x, per_pixel_y, levels):
    """Halvings that bring so many texels a look-up nearest to one: `geometry.prefilter_levels` for one axis."""
    squared = per_pixel_x * per_pixel_x + per_pixel_y * per_pixel_y
    found, step = 0, 2.0
    while found < levels - 1 and squared > step:
        found, step = found + 1, step * 4.0
    return found


@inlined
def axis(a, b, c, texels, height, width):
    """(u0, ux, uy) of one template axis of `texels` texels; a, b, c is its row of Phi."""
    u0 = 0.5 * texels * (a * (1.0 / width - 1.0) + b * (1.0 / height - 1.0) + c + 1.0) + 1.5
    return u0, a * texels / width, b * texels / height


@inlined
def place(where, b, t, sizes, height, width, sharpness):
    """Levels (y, x) and both texel axes (u0, ux, uy), (v0, vx, vy) of a stamp."""
    phi = where[b, t]
    a, b, c = float(phi[0, 0]), float(phi[0, 1]), float(phi[0, 2])
    d, e, f = float(phi[1, 0]), float(phi[1, 1]), float(phi[1, 2])
    side = float(sizes[0]) / sharpness
    lu = level(a * (side / width), b * (side / height), len(sizes))
    lv = level(d * (side / width), e * (side / height), len(sizes))
    return lv, lu, axis(a, b, c, sizes[lu], height, width), axis(d, e, f, sizes[lv], height, width)


@inlined
def rows(u, v, octagon, top, bottom):
    """First and past-last row in [top, bottom) that the stamp can touch."""
    if octagon[0] >= octagon[1]:
        return top, top
    det = u[1] * v[2] - u[2] * v[1]
    if abs(det) <= 1e-9 * (abs(u[1] * v[2]) + abs(u[2] * v[1])):
        return top, bottom
    cu, cv = 0.5 * (octagon[0] + octagon[1]) - u[0], 0.5 * (octagon[2] + octagon[3]) - v[0]
    middle = (u[1] * cv - v[1] * cu) / det
    ru, rv = 0.5 * (octagon[1] - octagon[0]), 0.5 * (octagon[3] - octagon[2])
    reach = (abs(v[1]) * ru + abs(u[1]) * rv) / abs(det)
    first = min(max(middle - reach, float(top)), float(bottom))
    last = min(max(middle + reach + 1.0, float(top)), float(bottom))
    return int(first), int(last)


@inlined
def edges(u, v, octagons, lines):
    """Where rows cross the sides of two octagons: lines (4, 5), in pixels along row j.

    For the bounds on u, v, u + v and u - v: enter and leave the first octagon at lines[k, 0] + j lines[k, 4] and
    lines[k, 1] + ..., the second at lines[k, 2] and lines[k, 3].
    """
    for k in range(4):
        start, along, down = u if k == 0 else v if k == 1 else (u[0] + v[0], u[1] + v[1], u[2] + v[2])
        if k == 3:
            start, along, down = u[0] - v[0], u[1] - v[1], u[2] - v[2]
        per = 1.0 / along if along != 0.0 else FAR
        lines[k, 4] = -down * per
        for octagon in range(2):
            low = (octagons[8 * octagon + 2 * k] - start) * per
            high = (octagons[8 * octagon + 2 * k + 1] - start) * per
            lines[k, 2 * octagon], lines[k, 2 * octagon + 1] = min(low, high), max(low, high)


@inlined
def eights(first, last):
    """Groups of eight pixels that cover first ... last - 1."""
    return (last - first + 7) >> 3


@inlined
def narrow(number):
    """A float64 as float32, huge values cut so that none becomes infinite."""
    return np.float32(min(max(number, -FAR), FAR))


@inlined
def binary_places(side):
    """How many binary places a texel coordinate has, in 31 bits, beside a template of `side` texels and its border."""
    places = 26
    while (side + 4) << places > 1 << 30:
        places -= 1
    return np.int32(places)
