"""What goes across the lanes of eight numbers: sums, neighbours, and the shuffles that transpose."""

from llvmlite import ir
from numba import types

from limner.kernels.lanes import LANES, WIDTH, double8, float8, instruction, lane_mask, whole8

LOW, HIGH = (0, 8, 1, 9, 4, 12, 5, 13), (2, 10, 3, 11, 6, 14, 7, 15)
LEFT, RIGHT = (0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15)
"""Shuffles of two vectors, one instruction each, that in two steps transpose both halves, 4 x 4, at once."""
LOWER, UPPER = (0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15)
"""The lower halves of two vectors, and the upper ones."""


def _folded(builder, vector, combine):
    """All lanes combined, in a fixed order."""
    for width in (4, 2, 1):
        halves = range(width), range(width, 2 * width)
        vector = combine(builder, *(builder.shuffle_vector(vector, vector, lane_mask(lanes)) for lanes in halves))
    return builder.extract_element(vector, ir.IntType(32)(0))


@instruction
def total(_, vector):
    """The sum of the lanes, in a fixed order."""

    def add(builder, a, b):
        return builder.fadd(a, b) if vector in (float8, double8) else builder.add(a, b)

    return vector.number(vector), lambda context, builder, signature, args: _folded(builder, args[0], add)


@instruction
def before(_, vector):
    """The sum of the lanes before each, of whole numbers."""

    def codegen(context, builder, signature, args):
        sums, nothing = args[0], whole8.of([0] * WIDTH)
        for step in (1, 2, 4):
            shifted = builder.shuffle_vector(sums, nothing, lane_mask([WIDTH] * step + list(range(WIDTH - step))))
            sums = builder.add(sums, shifted)
        return builder.sub(sums, args[0])

    return whole8(whole8), codegen


@instruction
def behind(_, earlier, vector):
    """The neighbour before each lane, the first lane's from eight earlier ones."""
    order = lane_mask(range(WIDTH - 1, 2 * WIDTH - 1))
    return vector(earlier, vector), lambda context, builder, signature, args: builder.shuffle_vector(*args, order)


@instruction
def least(_, vector):
    """The smallest of eight whole numbers."""

    def pick(builder, a, b):
        return builder.select(builder.icmp_signed("<", a, b), a, b)

    return types.int32(whole8), lambda context, builder, signature, args: _folded(builder, args[0], pick)


@instruction
def totals(_, vectors):
    """The sums of eight vectors' lanes, each in the same fixed order."""

    def codegen(context, builder, signature, args):
        rows = [builder.extract_value(args[0], k) for k in LANES]
        for halves in ((LOW, HIGH), (LEFT, RIGHT), (LOWER, UPPER)):
            pairs = zip(rows[::2], rows[1::2], strict=True)
            rows = [builder.fadd(*(builder.shuffle_vector(a, b, lane_mask(half)) for half in halves)) for a, b in pairs]
        sums = [builder.extract_element(rows[0], ir.IntType(32)(k)) for k in LANES]
        return context.make_tuple(builder, signature.return_type, sums)

    return types.UniTuple(types.float32, WIDTH)(vectors), codegen
