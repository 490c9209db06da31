"""Compositing in a soft order of depth (`canvas.soft_depth`) on a GPU: a program to a tile, all its moves at once.

The masks of the moves that a tile meets go through memory, where each is weighed against each other. Products that
leave one factor out are formed from both ends, without division.

nearer, farther (image, move t, move s): sigmoid of (depth of s - depth of t) / temperature, zero where s = t, and one
minus that: what move s leaves of t is (1 - mask) + mask farther, which keeps its digits where it is small.
"""

import triton.language as tl

from limner.gpu.jit import kernel
from limner.gpu.stamp import keep_part, mask_of, pixels_of, place_of, pull_mask, stamp_of, tile_of

TINY = tl.constexpr(1e-37)


@kernel
def _let_through(mask, farther):
    """The share of a move that is seen through a mask which lies farther back to this degree."""
    return (1 - mask) + mask * farther


@kernel
def _free(masks, met, farther, count, AREA: tl.constexpr):
    """The share of a move that all others of the tile let through. farther: the move's row."""
    free = tl.zeros((AREA,), tl.float32) + 1
    for other in range(count):
        mask = tl.load(masks + other * AREA + tl.arange(0, AREA))
        free *= _let_through(mask, tl.load(farther + tl.load(met + other)))
    return free


@kernel
def forward(
    canvas, masks, farther, where, which, what, opacity, slope, levels, texels, met, first,
    height, width, columns, tiles, moves, templates, bank_stride,
    CHANNELS: tl.constexpr, PADDED: tl.constexpr, SIDE: tl.constexpr, SAMPLES: tl.constexpr, SLOPE: tl.constexpr,
):  # fmt: skip
    """Paint on `canvas` in place, and leave the masks of all meetings, times opacity, in `masks`."""
    program = tl.program_id(0).to(tl.int64)
    image, row, column, inside, top, left, x0, y0 = tile_of(program, height, width, columns, tiles, SIDE)
    channel, at, there = pixels_of(image, top, left, row, column, inside, height, width, CHANNELS, PADDED)
    AREA: tl.constexpr = SIDE * SIDE
    pixel = tl.arange(0, AREA)
    begin, end = tl.load(first + program), tl.load(first + program + 1)
    met += program * moves
    masks += begin * AREA
    count = (end - begin).to(tl.int32)
    for meeting in range(count):
        move = image * moves + tl.load(met + meeting)
        place = place_of(where + 6 * move, levels + 3 * move, x0, y0, height, width, SAMPLES)
        mask = mask_of(which + move * templates, texels, templates, bank_stride, place, row, column, SAMPLES)
        tl.store(masks + meeting * AREA + pixel, tl.load(opacity + move) * mask)
    tl.debug_barrier()
    paint = tl.zeros((PADDED, AREA), tl.float32)
    sky = tl.zeros((AREA,), tl.float32) + 1
    coverage, weights = tl.zeros((AREA,), tl.float32), tl.zeros((AREA,), tl.float32)
    for meeting in range(count):
        move = image * moves + tl.load(met + meeting)
        _, colour, _ = stamp_of(
            move, where, what, slope, levels, x0, y0, row, column, channel, height, width, CHANNELS, SAMPLES, SLOPE
        )
        mask = tl.load(masks + meeting * AREA + pixel)
        weight = mask * _free(masks, met, farther + move * moves, count, AREA)
        paint += colour * weight
        weights += weight
        sky *= 1 - mask
        coverage += mask - coverage * mask
    value = tl.load(canvas + at, there, 0.0)
    tl.store(canvas + at, value * sky + paint * (coverage / tl.maximum(weights, TINY)), there)


@kernel
def backward(
    grad, canvas, masks, nearer, farther, frees, ahead, pulls, d_masks, d_order, parts, d_texels,
    where, which, what, opacity, slope, levels, texels, met, first,
    height, width, columns, tiles, moves, templates, bank_stride, size,
    CHANNELS: tl.constexpr, PADDED: tl.constexpr, SIDE: tl.constexpr, SAMPLES: tl.constexpr,
    SLOPE: tl.constexpr, DENSE: tl.constexpr, TEXELS: tl.constexpr,
):  # fmt: skip
    """From the gradient by the picture to that by `canvas`, what was painted on, in place in `grad`.

    parts: as in `over`, and last by depth, times temperature. frees, ahead, pulls, d_masks and d_order are room to work
    in, as large as masks.
    """
    program = tl.program_id(0).to(tl.int64)
    image, row, column, inside, top, left, x0, y0 = tile_of(program, height, width, columns, tiles, SIDE)
    channel, at, there = pixels_of(image, top, left, row, column, inside, height, width, CHANNELS, PADDED)
    x, y = x0.to(tl.float32) + 2.0 * column / width, y0.to(tl.float32) + 2.0 * row / height
    AREA: tl.constexpr = SIDE * SIDE
    pixel = tl.arange(0, AREA)
    begin, end = tl.load(first + program), tl.load(first + program + 1)
    count = (end - begin).to(tl.int32)
    met += program * moves
    parts += begin * size
    room = begin * AREA + pixel
    masks, frees, ahead, pulls = masks + begin * AREA, frees + room, ahead + room, pulls + room
    d_masks, d_order = d_masks + room, d_order + room

    # What was painted: weights, their sum, the coverage, and for each move the clear sky before it.
    paint = tl.zeros((PADDED, AREA), tl.float32)
    sky = tl.zeros((AREA,), tl.float32) + 1
    coverage, weights = tl.zeros((AREA,), tl.float32), tl.zeros((AREA,), tl.float32)
    for meeting in range(count):
        move = image * moves + tl.load(met + meeting)
        _, colour, _ = stamp_of(
            move, where, what, slope, levels, x0, y0, row, column, channel, height, width, CHANNELS, SAMPLES, SLOPE
        )
        mask = tl.load(masks + meeting * AREA + pixel)
        free = _free(masks, met, farther + move * moves, count, AREA)
        tl.store(frees + meeting * AREA, free)
        tl.store(ahead + meeting * AREA, sky)
        paint += colour * (mask * free)
        weights += mask * free
        sky *= 1 - mask
        coverage += mask - coverage * mask
    tl.debug_barrier()
    per = 1 / tl.maximum(weights, TINY)
    share, mean = coverage * per, paint * per
    pull = tl.load(grad + at, there, 0.0)
    behind = tl.sum(pull * (mean - tl.load(canvas + at, there, 0.0)), 0)
    tl.store(grad + at, pull * sky, there)

    # Gradients by weight, and through the coverage by mask.
    for later in range(count):
        meeting = count - 1 - later
        move = image * moves + tl.load(met + meeting)
        _, colour, _ = stamp_of(
            move, where, what, slope, levels, x0, y0, row, column, channel, height, width, CHANNELS, SAMPLES, SLOPE
        )
        mask = tl.load(masks + meeting * AREA + pixel)
        by_weight = tl.sum(pull * (colour - mean), 0) * share
        by_mask = by_weight * tl.load(frees + meeting * AREA) + behind * tl.load(ahead + meeting * AREA)
        tl.store(d_masks + meeting * AREA, by_mask)
        tl.store(pulls + meeting * AREA, by_weight * mask)
        tl.store(d_order + meeting * AREA, tl.zeros((AREA,), tl.float32))
        behind *= 1 - mask
    tl.debug_barrier()

    # Through the weight of each move, by the masks and depths of the others before it.
    for meeting in range(count):
        line = (image * moves + tl.load(met + meeting)) * moves
        product = tl.zeros((AREA,), tl.float32) + 1
        for other in range(count):
            tl.store(ahead + other * AREA, product)
            mask = tl.load(masks + other * AREA + pixel)
            product *= _let_through(mask, tl.load(farther + line + tl.load(met + other)))
        tl.debug_barrier()
        product = tl.load(pulls + meeting * AREA)
        own = tl.zeros((AREA,), tl.float32)
        for later in range(count):
            other = count - 1 - later
            mask, s = tl.load(masks + other * AREA + pixel), tl.load(met + other)
            near, far = tl.load(nearer + line + s), tl.load(farther + line + s)
            by_share = product * tl.load(ahead + other * AREA)
            moved = by_share * mask * (near * far)
            tl.store(d_masks + other * AREA, tl.load(d_masks + other * AREA) - by_share * near)
            tl.store(d_order + other * AREA, tl.load(d_order + other * AREA) - moved)
            own += moved
            product *= _let_through(mask, far)
        tl.debug_barrier()
        tl.store(d_order + meeting * AREA, tl.load(d_order + meeting * AREA) + own)
        tl.debug_barrier()

    for meeting in range(count):
        move, part = image * moves + tl.load(met + meeting), parts + meeting * size
        place, _, fill = stamp_of(
            move, where, what, slope, levels, x0, y0, row, column, channel, height, width, CHANNELS, SAMPLES, SLOPE
        )
        by_alpha = tl.load(d_masks + meeting * AREA)
        mask, by_where = pull_mask(
            by_alpha * tl.load(opacity + move), part + 7 + CHANNELS * (1 + 2 * SLOPE), d_texels,
            which + move * templates, texels, templates, bank_stride,
            place, row, column, inside, x, y, height, width, SAMPLES, DENSE, TEXELS,
        )  # fmt: skip
        used = tl.load(masks + meeting * AREA + pixel) * tl.load(frees + meeting * AREA) * share
        keep_part(part, by_where, by_alpha * mask, pull * used, fill, x, y, channel, CHANNELS, SLOPE)
        tl.store(part + size - 1, tl.sum(tl.load(d_order + meeting * AREA)))
