"""One move on one tile: its mask and its colour under every pixel, and what gradients these pass on.

A program holds the pixels of a tile as a [pixel] vector, and channels as [channel, pixel], padded to a power of two.
"""

import triton.language as tl

from limner.gpu.jit import kernel
from limner.pyramid import BORDER as _BORDER

BORDER = tl.constexpr(_BORDER)
BITS = tl.constexpr(28)
"""Of a position, behind the point."""
TEXEL = tl.constexpr(1 << 28)
FAR = tl.constexpr(2.0**32)
"""Texels: no position is farther, and no tile reaches farther across a template, so that stamps of less than some
1e-8 of a pixel are lost."""


@kernel
def tile_of(program, height, width, columns, tiles, SIDE: tl.constexpr):
    """Image, the tile's rows and columns from its corner, which of these are on the canvas, and the corner itself.

    The corner's centre is also given as a canvas point, in double precision.
    """
    tile = program % tiles
    top, left = tile // columns * SIDE, tile % columns * SIDE
    pixel = tl.arange(0, SIDE * SIDE)
    row, column = pixel // SIDE, pixel % SIDE
    x0 = (2 * left + 1).to(tl.float64) / width - 1
    y0 = (2 * top + 1).to(tl.float64) / height - 1
    return program // tiles, row, column, (top + row < height) & (left + column < width), top, left, x0, y0


@kernel
def pixels_of(image, top, left, row, column, inside, height, width, CHANNELS: tl.constexpr, PADDED: tl.constexpr):
    """Channels, where the tile's pixels lie in a batch of canvases, and which of these there are."""
    channel = tl.arange(0, PADDED)
    planes = (image * CHANNELS + channel[:, None]) * height
    return channel, (planes + top + row) * width + left + column, inside & (channel[:, None] < CHANNELS)


@kernel
def place_of(where, levels, x0, y0, height, width, SAMPLES: tl.constexpr):
    """A place: a template's first texel, columns and rows, and the position in it of the tile's corner with its steps.

    These are u, its steps along columns and along rows, and the same of v, in fixed point: a float would shift a stamp
    far smaller than its tile by more than its size. A step is half the way from sample to sample.
    """
    start, across, down = tl.load(levels), tl.load(levels + 1), tl.load(levels + 2)
    a, b, c = tl.load(where).to(tl.float64), tl.load(where + 1).to(tl.float64), tl.load(where + 2).to(tl.float64)
    d, e, f = tl.load(where + 3).to(tl.float64), tl.load(where + 4).to(tl.float64), tl.load(where + 5).to(tl.float64)
    u = _fixed(((a * x0 + b * y0 + c + 1) * across - 1) / 2 + BORDER, FAR)
    v = _fixed(((d * x0 + e * y0 + f + 1) * down - 1) / 2 + BORDER, FAR)
    by_column, by_row = 2 * SAMPLES * width, 2 * SAMPLES * height
    ux, uy = _fixed(a * across / by_column, FAR / (64 * SAMPLES)), _fixed(b * across / by_row, FAR / (64 * SAMPLES))
    vx, vy = _fixed(d * down / by_column, FAR / (64 * SAMPLES)), _fixed(e * down / by_row, FAR / (64 * SAMPLES))
    return start, across, down, u, ux, uy, v, vx, vy


@kernel
def _fixed(position, farthest):
    """A number of texels in fixed point."""
    return (tl.minimum(tl.maximum(position, -farthest), farthest) * TEXEL).to(tl.int64)


@kernel
def _template_point(u, ux, uy, row, column, across, SAMPLES: tl.constexpr):
    """Along an axis, the template point under the centre of every pixel."""
    middle = u + ux * (2 * SAMPLES * column) + uy * (2 * SAMPLES * row)
    return (2 * (middle.to(tl.float32) / TEXEL - BORDER) + 1) / across - 1


@kernel
def colour_of(
    what, slope, place, row, column, channel,
    CHANNELS: tl.constexpr, SAMPLES: tl.constexpr, SLOPE: tl.constexpr,
):  # fmt: skip
    """Colour under every pixel, and the fill: where it is within its bounds, its slopes, and the points it is that of.

    Beyond its bounds the fill is that of a corner. A flat fill is nothing that matters.
    """
    there = channel < CHANNELS
    colour = tl.load(what + channel, there, 0.0)[:, None]
    if not SLOPE:
        return colour, (colour, colour, colour, colour, colour)
    else:
        _, across, height, u, ux, uy, v, vx, vy = place
        px = _template_point(u, ux, uy, row, column, across, SAMPLES)
        py = _template_point(v, vx, vy, row, column, height, SAMPLES)
        along = tl.load(slope + 2 * channel, there, 0.0)[:, None]
        down = tl.load(slope + 2 * channel + 1, there, 0.0)[:, None]
        tilt = along * px + down * py
        reach = tl.abs(along) + tl.abs(down)
        if SAMPLES > 1:
            inside, end = tl.abs(tilt) <= reach, tl.where(tilt < 0, -1.0, 1.0)
            bent = tl.minimum(tl.maximum(tilt, -reach), reach)
            px, py = tl.where(inside, px, end * _sign(along)), tl.where(inside, py, end * _sign(down))
            return colour + bent, (inside, along, down, px, py)
        else:
            return colour + tilt, (tilt == tilt, along, down, px, py)  # nothing bounds it


@kernel
def _sign(number):
    """1, 0 or -1."""
    return tl.where(number > 0, 1.0, 0.0) - tl.where(number < 0, 1.0, 0.0)


@kernel
def stamp_of(
    move, where, what, slope, levels, x0, y0, row, column, channel, height, width,
    CHANNELS: tl.constexpr, SAMPLES: tl.constexpr, SLOPE: tl.constexpr,
):  # fmt: skip
    """The place of a move, its colour under every pixel, and its fill."""
    place = place_of(where + 6 * move, levels + 3 * move, x0, y0, height, width, SAMPLES)
    colour, fill = colour_of(
        what + move * CHANNELS, slope + move * CHANNELS * 2, place, row, column, channel, CHANNELS, SAMPLES, SLOPE
    )
    return place, colour, fill


@kernel
def _cell(texels, place, i, j):
    """The first of the four texels around a sample, all four, and how far it is from the first.

    i, j: steps from the tile's corner.
    """
    start, across, down, u, ux, uy, v, vx, vy = place
    u, v = u + ux * i + uy * j, v + vx * i + vy * j
    u = tl.minimum(tl.maximum(u, 0), (across + BORDER).to(tl.int64) << BITS)
    v = tl.minimum(tl.maximum(v, 0), (down + BORDER).to(tl.int64) << BITS)
    stride = across + 2 * BORDER
    at = start + (v >> BITS).to(tl.int32) * stride + (u >> BITS).to(tl.int32)
    upper, lower = texels + at, texels + at + stride
    right, beneath = (u & (TEXEL - 1)).to(tl.float32) / TEXEL, (v & (TEXEL - 1)).to(tl.float32) / TEXEL
    return at, tl.load(upper), tl.load(upper + 1), tl.load(lower), tl.load(lower + 1), right, beneath


@kernel
def _aside(sample, SAMPLES: tl.constexpr):
    """Steps from the middle of a pixel to a sample in it."""
    return 2 * sample + 1 - SAMPLES


@kernel
def mask_of(which, texels, templates, bank_stride, place, row, column, SAMPLES: tl.constexpr):
    """The mask of a move (eq. 2.21), mean of a pixel's samples."""
    mask = tl.zeros_like(row).to(tl.float32)
    for k in range(templates):
        weight = tl.load(which + k)
        if weight != 0:
            for sample in range(SAMPLES * SAMPLES):
                i = 2 * SAMPLES * column + _aside(sample % SAMPLES, SAMPLES)  # pyright: ignore[reportOperatorIssue]
                j = 2 * SAMPLES * row + _aside(sample // SAMPLES, SAMPLES)
                _, t00, t01, t10, t11, u, v = _cell(texels + k * bank_stride, place, i, j)
                upper, lower = t00 + (t01 - t00) * u, t10 + (t11 - t10) * u
                mask += weight * (upper + (lower - upper) * v)
    return mask / (SAMPLES * SAMPLES)


@kernel
def pull_mask(
    by_mask, by_which, d_texels, which, texels, templates, bank_stride,
    place, row, column, inside, x, y, height, width,
    SAMPLES: tl.constexpr, DENSE: tl.constexpr, TEXELS: tl.constexpr,
):  # fmt: skip
    """The mask again, and from its gradient those by the entries of where, pixel by pixel.

    With DENSE the gradients by `which` are left in `by_which`; with TEXELS those by the templates added to `d_texels`.
    """
    _, across, down, _, _, _, _, _, _ = place
    share = by_mask / (SAMPLES * SAMPLES)
    mask, by_a, by_b, by_c = tl.zeros_like(x), tl.zeros_like(x), tl.zeros_like(x), tl.zeros_like(x)
    by_d, by_e, by_f = tl.zeros_like(x), tl.zeros_like(x), tl.zeros_like(x)
    for k in range(templates):
        weight = tl.load(which + k)
        if DENSE or weight != 0:
            alone = tl.zeros_like(x)
            for sample in range(SAMPLES * SAMPLES):
                right = _aside(sample % SAMPLES, SAMPLES)  # pyright: ignore[reportOperatorIssue]
                lower = _aside(sample // SAMPLES, SAMPLES)
                i, j = 2 * SAMPLES * column + right, 2 * SAMPLES * row + lower
                at, t00, t01, t10, t11, u, v = _cell(texels + k * bank_stride, place, i, j)
                alone += (t00 * (1 - u) + t01 * u) * (1 - v) + (t10 * (1 - u) + t11 * u) * v
                by_u = ((t01 - t00) * (1 - v) + (t11 - t10) * v) * weight
                by_v = ((t10 - t00) * (1 - u) + (t11 - t01) * u) * weight
                xs, ys = x + right / (SAMPLES * width), y + lower / (SAMPLES * height)
                by_a, by_b, by_c = by_a + by_u * xs, by_b + by_u * ys, by_c + by_u
                by_d, by_e, by_f = by_d + by_v * xs, by_e + by_v * ys, by_f + by_v
                if TEXELS:
                    into, stride, held = d_texels + k * bank_stride + at, across + 2 * BORDER, share * weight
                    tl.atomic_add(into, held * (1 - u) * (1 - v), inside, sem="relaxed")
                    tl.atomic_add(into + 1, held * u * (1 - v), inside, sem="relaxed")
                    tl.atomic_add(into + stride, held * (1 - u) * v, inside, sem="relaxed")
                    tl.atomic_add(into + stride + 1, held * u * v, inside, sem="relaxed")
            mask += weight * alone
            if DENSE:
                tl.store(by_which + k, tl.sum(share * alone))
    su, sv = share * (across / 2.0), share * (down / 2.0)
    mask /= SAMPLES * SAMPLES
    return mask, (su * by_a, su * by_b, su * by_c, sv * by_d, sv * by_e, sv * by_f)


@kernel
def keep_part(
    part, by_where, by_opacity, by_colour, fill, x, y, channel, CHANNELS: tl.constexpr, SLOPE: tl.constexpr
):  # fmt: skip
    """Sum gradients over the tile: by where (6), opacity (1), what (channel) and, with SLOPE, slope (2 channel)."""
    there = channel < CHANNELS
    by_a, by_b, by_c, by_d, by_e, by_f = by_where
    if SLOPE:
        bounded, along, down, px, py = fill
        tilted = tl.where(bounded, by_colour, 0.0)
        by_px, by_py = tl.sum(tilted * along, 0), tl.sum(tilted * down, 0)
        by_a, by_b, by_c = by_a + by_px * x, by_b + by_px * y, by_c + by_px
        by_d, by_e, by_f = by_d + by_py * x, by_e + by_py * y, by_f + by_py
        by_slope = part + 7 + CHANNELS + 2 * channel
        tl.store(by_slope, tl.sum(by_colour * px, 1), there)
        tl.store(by_slope + 1, tl.sum(by_colour * py, 1), there)
    tl.store(part, tl.sum(by_a))
    tl.store(part + 1, tl.sum(by_b))
    tl.store(part + 2, tl.sum(by_c))
    tl.store(part + 3, tl.sum(by_d))
    tl.store(part + 4, tl.sum(by_e))
    tl.store(part + 5, tl.sum(by_f))
    tl.store(part + 6, tl.sum(by_opacity))
    tl.store(part + 7 + channel, tl.sum(by_colour, 1), there)
