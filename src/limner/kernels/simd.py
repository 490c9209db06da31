"""Eight neighbouring pixels as one numba value.

LLVM does not vectorise a loop that looks texels up and writes pixels (it cannot prove that they are different memory),
so the kernels say it: a `float8` is an LLVM vector of eight floats with the operators `+ - *`, and the functions here
move it to and from float32 arrays. On machines with narrower vector units LLVM splits it.
"""

import operator
from functools import partial
from inspect import unwrap
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.extending import intrinsic, models, overload, register_model

F32, F64, I32, I64 = ir.FloatType(), ir.DoubleType(), ir.IntType(32), ir.IntType(64)
VECTOR, FIXED, QUAD = ir.VectorType(F32, 8), ir.VectorType(I32, 8), ir.VectorType(F32, 4)
LANES = range(8)
FAST = ("fast",)
FIXED_MOST = 1 << 30
"""Bound of the fixed-point numbers here."""


def instruction(function) -> Any:
    """A function given as LLVM code."""
    return intrinsic(unwrap(function))


class Float8(types.Type):
    """The numba type of eight float32 lanes."""


class Fixed8(types.Type):
    """The numba type of eight int32 lanes, fixed-point numbers."""


float8, fixed8 = Float8("float8"), Fixed8("fixed8")


@register_model(Float8)
class _Float8Model(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, VECTOR)


@register_model(Fixed8)
class _Fixed8Model(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, FIXED)


def _mask(lanes):
    """The lane numbers of a shuffle."""
    return ir.Constant(ir.VectorType(I32, len(lanes)), list(lanes))


def _splat(builder, scalar, width=8):
    seed = builder.insert_element(ir.Constant(ir.VectorType(scalar.type, width), ir.Undefined), scalar, I32(0))
    return builder.shuffle_vector(seed, seed, _mask([0] * width))


def _lanes(context, builder, value, kind):
    """`value` as a vector: itself, or a number in every lane."""
    return value if kind is float8 else _splat(builder, context.cast(builder, value, kind, types.float32))


def _binary(op, combine):
    @instruction
    def call(_, a, b):
        def codegen(context, builder, signature, args):
            a, b = (_lanes(context, builder, v, t) for v, t in zip(args, signature.args, strict=True))
            return combine(builder, a, b)

        return float8(a, b), codegen

    @overload(op)
    def typed(a, b):
        if float8 in (a, b):
            return lambda a, b: call(a, b)

    return call


_binary(operator.add, lambda builder, a, b: builder.fadd(a, b, flags=FAST))
_binary(operator.sub, lambda builder, a, b: builder.fsub(a, b, flags=FAST))
_binary(operator.mul, lambda builder, a, b: builder.fmul(a, b, flags=FAST))
_binary(operator.truediv, lambda builder, a, b: builder.fdiv(a, b, flags=FAST))
smaller = _binary(min, lambda builder, a, b: builder.select(builder.fcmp_ordered("<", a, b), a, b))
larger = _binary(max, lambda builder, a, b: builder.select(builder.fcmp_ordered(">", a, b), a, b))


@instruction
def splat(_, number):
    """The same number in all lanes."""

    def codegen(context, builder, signature, args):
        return _lanes(context, builder, args[0], signature.args[0])

    return float8(number), codegen


@instruction
def ramp(_):
    """0, 1, ... 7."""
    return float8(), lambda context, builder, signature, args: ir.Constant(VECTOR, [float(lane) for lane in LANES])


@instruction
def prefix(_, count):
    """1 in the first `count` lanes, 0 in the others."""

    def codegen(context, builder, signature, args):
        lanes = ir.Constant(ir.VectorType(I32, 8), list(LANES))
        inside = builder.icmp_signed("<", lanes, _splat(builder, args[0]))
        return builder.select(inside, ir.Constant(VECTOR, [1.0] * 8), ir.Constant(VECTOR, [0.0] * 8))

    return float8(types.int32), codegen


@instruction
def within(_, vector, bound):
    """1 where the magnitude is at most `bound`, 0 elsewhere."""

    def codegen(context, builder, signature, args):
        vector, bound = (_lanes(context, builder, v, t) for v, t in zip(args, signature.args, strict=True))
        low = builder.fcmp_ordered(">=", vector, builder.fneg(bound))
        inside = builder.and_(low, builder.fcmp_ordered("<=", vector, bound))
        return builder.select(inside, ir.Constant(VECTOR, [1.0] * 8), ir.Constant(VECTOR, [0.0] * 8))

    return float8(vector, bound), codegen


@instruction
def total(_, vector):
    """The sum of the lanes, in a fixed order."""

    def codegen(context, builder, signature, args):
        half = args[0]
        for width in (4, 2, 1):
            low, high = (
                builder.shuffle_vector(half, half, _mask(lanes)) for lanes in (range(width), range(width, 2 * width))
            )
            half = builder.fadd(low, high)
        return builder.extract_element(half, I32(0))

    return types.float32(vector), codegen


def _address(context, builder, kind, array, index, vector):
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())


@instruction
def load(_, array, index):
    """array[index : index + 8] of a float32 array whose values lie side by side, counted as if it were flat."""

    def codegen(context, builder, signature, args):
        index = context.cast(builder, args[1], signature.args[1], types.int64)
        return builder.load(_address(context, builder, signature.args[0], args[0], index, VECTOR), align=4)

    return float8(array, index), codegen


@instruction
def store(_, array, index, vector):
    """array[index : index + 8] = vector."""

    def codegen(context, builder, signature, args):
        index = context.cast(builder, args[1], signature.args[1], types.int64)
        builder.store(args[2], _address(context, builder, signature.args[0], args[0], index, VECTOR), align=4)
        return context.get_dummy_value()

    return types.void(array, index, vector), codegen


@instruction
def steps(_, per_pixel, places):
    """0, 1, ... 7 times `per_pixel`, in fixed point with so many binary places; cut where they would not fit."""

    def codegen(context, builder, signature, args):
        per_pixel, places = args
        scale = builder.uitofp(builder.shl(I32(1), places), F32)
        lanes = builder.fmul(ir.Constant(VECTOR, [float(lane) for lane in LANES]), _splat(builder, per_pixel))
        lanes = builder.fmul(lanes, _splat(builder, scale))
        for order, bound in (("<", float(FIXED_MOST)), (">", -float(FIXED_MOST))):
            bounds = ir.Constant(VECTOR, [bound] * 8)
            lanes = builder.select(builder.fcmp_ordered(order, lanes, bounds), lanes, bounds)
        return builder.fptosi(lanes, FIXED)

    return fixed8(types.float32, types.int32), codegen


def _cell(builder, hop, places, u, v, steps_u, steps_v, inside):
    """Four times the number of each lane's cell, two lanes to 64 bits, lower first, and the fractions within cells."""
    one = builder.shl(I32(1), places)
    fine, unit = builder.uitofp(one, F64), _splat(builder, builder.fdiv(F32(1.0), builder.uitofp(one, F32)))
    below, shift = _splat(builder, builder.sub(one, I32(1))), _splat(builder, places)
    whole, fractions = [], []
    for first, ahead in ((u, steps_u), (v, steps_v)):
        point = builder.add(_splat(builder, builder.fptosi(builder.fmul(first, fine), I32)), ahead)
        whole.append(builder.lshr(point, shift))
        fractions.append(builder.fmul(builder.sitofp(builder.and_(point, below), VECTOR), unit, flags=FAST))
    cell = builder.add(builder.mul(whole[1], _splat(builder, hop)), whole[0])
    live = builder.icmp_signed("<", ir.Constant(FIXED, list(LANES)), _splat(builder, inside))
    cell = builder.select(live, cell, ir.Constant(FIXED, [0] * 8))
    return builder.bitcast(builder.shl(cell, _splat(builder, I32(2))), ir.VectorType(I64, 4)), *fractions


def _quads(context, builder, kind, array, zero, pairs):
    """Where the four coefficients of each lane's cell are; half of the lanes at a time come out of the vector."""
    cells = builder.gep(context.make_array(kind)(context, builder, array).data, [builder.shl(zero, I32(2))])
    for lane in LANES:
        pair = builder.extract_element(pairs, I32(lane // 2))
        index = builder.lshr(pair, I64(32)) if lane % 2 else builder.and_(pair, I64(0xFFFFFFFF))
        yield builder.bitcast(builder.gep(cells, [index]), QUAD.as_pointer())


POINTS = (types.int32, types.int32, types.int32, types.float64, types.float64, fixed8, fixed8, types.int32)
"""zero, hop, places, u, v, steps_u, steps_v and inside of `fetch` and `spread`."""

LOW, HIGH = (0, 8, 1, 9, 4, 12, 5, 13), (2, 10, 3, 11, 6, 14, 7, 15)
LEFT, RIGHT = (0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15)
"""Shuffles of two vectors, one instruction each, that in two steps transpose both halves, 4 x 4, at once."""


def _mix(builder, x, y, lanes):
    return builder.shuffle_vector(x, y, _mask(lanes))


@instruction
def fetch(_, cells, zero, hop, places, u, v, steps_u, steps_v, inside):
    """Coefficients (a, b, c, d) of the cells under eight texel points, and the points' fractions (fu, fv) in them.

    `cells` is a flat array of four floats a cell; cell (iv, iu) is number zero + iv * hop + iu. The first point is
    (u, v), the others lie ahead of it by `steps` of as many binary `places`. Only the first `inside` points are looked
    up, and must be inside; the others read cell number `zero`, which should hold zeros.
    The mask at a point is a + b fu + c fv + d fu fv: bilinear sampling, eq. 2.21.
    """

    def codegen(context, builder, signature, args):
        array, zero, *where = args
        number, fu, fv = _cell(builder, *where)
        quads = [
            builder.load(place, align=4) for place in _quads(context, builder, signature.args[0], array, zero, number)
        ]

        mix = partial(_mix, builder)
        first, second, third, fourth = (mix(quads[k], quads[k + 4], LANES) for k in range(4))
        pairs = [(mix(first, second, half), mix(third, fourth, half)) for half in (LOW, HIGH)]
        columns = [mix(*pair, half) for pair in pairs for half in (LEFT, RIGHT)]
        return context.make_tuple(builder, signature.return_type, [*columns, fu, fv])

    return types.UniTuple(float8, 6)(cells, *POINTS), codegen


@instruction
def spread(_, cells, zero, hop, places, u, v, steps_u, steps_v, inside, weight):
    """The transpose of `fetch`: adds weight * (1, fu, fv, fu fv) to the cells under eight texel points."""

    def codegen(context, builder, signature, args):
        array, zero, *where, weight = args
        number, fu, fv = _cell(builder, *where)
        mul = builder.fmul
        terms = [weight, mul(weight, fu), mul(weight, fv), mul(mul(weight, fu), fv)]

        mix = partial(_mix, builder)
        a, b, c, d = terms
        pairs = [(mix(a, b, half), mix(c, d, half)) for half in (LOW, HIGH)]
        both = [mix(first, second, half) for first, second in pairs for half in (LEFT, RIGHT)]
        quads = [mix(pair, pair, range(4 * half, 4 * half + 4)) for half in (0, 1) for pair in both]
        for address, quad in zip(_quads(context, builder, signature.args[0], array, zero, number), quads, strict=True):
            builder.store(builder.fadd(builder.load(address, align=4), quad), address, align=4)
        return context.get_dummy_value()

    return types.void(cells, *POINTS, weight), codegen
