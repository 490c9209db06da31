"""Eight neighbouring pixels as one numba value.

LLVM does not vectorise a loop that looks texels up and writes pixels (it cannot prove that they are different memory),
so the kernels say it: a `float8` is an LLVM vector of eight floats with the operators `+ - *`, and the functions here
move it to and from float32 arrays. On machines with narrower vector units LLVM splits it.
"""

import operator
from inspect import unwrap
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.extending import intrinsic, models, overload, register_model

F32, I32 = ir.FloatType(), ir.IntType(32)
VECTOR, FIXED = ir.VectorType(F32, 8), ir.VectorType(I32, 8)
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


def lane_mask(lanes):
    """The lane numbers of a shuffle."""
    return ir.Constant(ir.VectorType(I32, len(lanes)), list(lanes))


def in_every_lane(builder, scalar, width=8):
    seed = builder.insert_element(ir.Constant(ir.VectorType(scalar.type, width), ir.Undefined), scalar, I32(0))
    return builder.shuffle_vector(seed, seed, lane_mask([0] * width))


def _lanes(context, builder, value, kind):
    """`value` as a vector: itself, or a number in every lane."""
    return value if kind is float8 else in_every_lane(builder, context.cast(builder, value, kind, types.float32))


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
        inside = builder.icmp_signed("<", lanes, in_every_lane(builder, args[0]))
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
                builder.shuffle_vector(half, half, lane_mask(lanes))
                for lanes in (range(width), range(width, 2 * width))
            )
            half = builder.fadd(low, high)
        return builder.extract_element(half, I32(0))

    return types.float32(vector), codegen


def address(context, builder, kind, array, index, vector):
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())


@instruction
def load(_, array, index):
    """array[index : index + 8] of a float32 array whose values lie side by side, counted as if it were flat."""

    def codegen(context, builder, signature, args):
        index = context.cast(builder, args[1], signature.args[1], types.int64)
        return builder.load(address(context, builder, signature.args[0], args[0], index, VECTOR), align=4)

    return float8(array, index), codegen


@instruction
def store(_, array, index, vector):
    """array[index : index + 8] = vector."""

    def codegen(context, builder, signature, args):
        index = context.cast(builder, args[1], signature.args[1], types.int64)
        builder.store(args[2], address(context, builder, signature.args[0], args[0], index, VECTOR), align=4)
        return context.get_dummy_value()

    return types.void(array, index, vector), codegen


@instruction
def steps(_, per_pixel, places):
    """0, 1, ... 7 times `per_pixel`, in fixed point with so many binary places; cut where they would not fit."""

    def codegen(context, builder, signature, args):
        per_pixel, places = args
        scale = builder.uitofp(builder.shl(I32(1), places), F32)
        lanes = builder.fmul(ir.Constant(VECTOR, [float(lane) for lane in LANES]), in_every_lane(builder, per_pixel))
        lanes = builder.fmul(lanes, in_every_lane(builder, scale))
        for order, bound in (("<", float(FIXED_MOST)), (">", -float(FIXED_MOST))):
            bounds = ir.Constant(VECTOR, [bound] * 8)
            lanes = builder.select(builder.fcmp_ordered(order, lanes, bounds), lanes, bounds)
        return builder.fptosi(lanes, FIXED)

    return fixed8(types.float32, types.int32), codegen
