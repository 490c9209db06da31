"""Compositings `over` and `additive` on a GPU: a program to a tile, move after move, in registers."""

import triton.language as tl

from limner.gpu.jit import kernel
from limner.gpu.stamp import keep_part, mask_of, pixels_of, pull_mask, stamp_of, tile_of


@kernel
def forward(
    canvas, below, where, which, what, opacity, slope, levels, texels, met, first,
    height, width, columns, tiles, moves, templates, bank_stride,
    CHANNELS: tl.constexpr, PADDED: tl.constexpr, SIDE: tl.constexpr, SAMPLES: tl.constexpr,
    SLOPE: tl.constexpr, ADDITIVE: tl.constexpr, KEEP: tl.constexpr,
):  # fmt: skip
    """Paint on `canvas` in place; with KEEP leave in `below` what lay under each meeting."""
    program = tl.program_id(0).to(tl.int64)
    image, row, column, inside, top, left, x0, y0 = tile_of(program, height, width, columns, tiles, SIDE)
    channel, at, there = pixels_of(image, top, left, row, column, inside, height, width, CHANNELS, PADDED)
    value = tl.load(canvas + at, there, 0.0)
    kept = below + (channel[:, None] * SIDE + row) * SIDE + column
    begin, end = tl.load(first + program), tl.load(first + program + 1)
    for meeting in range(begin, end):
        move = image * moves + tl.load(met + program * moves + meeting - begin)
        place, colour, _ = stamp_of(
            move, where, what, slope, levels, x0, y0, row, column, channel, height, width, CHANNELS, SAMPLES, SLOPE
        )
        alpha = tl.load(opacity + move) * mask_of(
            which + move * templates, texels, templates, bank_stride, place, row, column, SAMPLES
        )
        if KEEP:
            tl.store(kept + meeting * CHANNELS * SIDE * SIDE, value, there)
        if ADDITIVE:
            value += colour * alpha
        else:
            value = value * (1 - alpha) + colour * alpha
    tl.store(canvas + at, value, there)


@kernel
def backward(
    grad, below, parts, d_texels, where, which, what, opacity, slope, levels, texels, met, first,
    height, width, columns, tiles, moves, templates, bank_stride, size,
    CHANNELS: tl.constexpr, PADDED: tl.constexpr, SIDE: tl.constexpr, SAMPLES: tl.constexpr,
    SLOPE: tl.constexpr, ADDITIVE: tl.constexpr, KEPT: tl.constexpr, DENSE: tl.constexpr, TEXELS: tl.constexpr,
):  # fmt: skip
    """From the gradient by the picture to that by the canvas, in place in `grad`.

    Without KEPT, nothing is in `below`, and unless ADDITIVE nothing but colours and the canvas is learnt.
    A row of `parts`, of `size` numbers, is what a meeting adds to its move's gradients: those of `keep_part`, then,
    with DENSE, by which (template).
    """
    program = tl.program_id(0).to(tl.int64)
    image, row, column, inside, top, left, x0, y0 = tile_of(program, height, width, columns, tiles, SIDE)
    channel, at, there = pixels_of(image, top, left, row, column, inside, height, width, CHANNELS, PADDED)
    x, y = x0.to(tl.float32) + 2.0 * column / width, y0.to(tl.float32) + 2.0 * row / height
    pull = tl.load(grad + at, there, 0.0)
    kept = below + (channel[:, None] * SIDE + row) * SIDE + column
    begin, end = tl.load(first + program), tl.load(first + program + 1)
    for later in range(0, end - begin):
        meeting = end - 1 - later
        move, part = image * moves + tl.load(met + program * moves + meeting - begin), parts + meeting * size
        place, colour, fill = stamp_of(
            move, where, what, slope, levels, x0, y0, row, column, channel, height, width, CHANNELS, SAMPLES, SLOPE
        )
        if ADDITIVE:
            by_alpha = tl.sum(pull * colour, 0)
        elif KEPT:
            under = tl.load(kept + meeting * CHANNELS * SIDE * SIDE, there, 0.0)
            by_alpha = tl.sum(pull * (colour - under), 0)
        else:
            by_alpha = tl.zeros_like(x)
        opaque = tl.load(opacity + move)
        mask, by_where = pull_mask(
            by_alpha * opaque, part + 7 + CHANNELS * (1 + 2 * SLOPE), d_texels,
            which + move * templates, texels, templates, bank_stride,
            place, row, column, inside, x, y, height, width, SAMPLES, DENSE, TEXELS,
        )  # fmt: skip
        keep_part(part, by_where, by_alpha * mask, pull * (mask * opaque), fill, x, y, channel, CHANNELS, SLOPE)
        if not ADDITIVE:
            pull *= 1 - mask * opaque
    tl.store(grad + at, pull, there)
