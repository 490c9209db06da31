"""Moving eight numbers at a time between arrays and `lanes`, and the numbers that pixels need."""

from llvmlite import ir
from numba import types

from limner.kernels.lanes import (
    LANES,
    WIDTH,
    as_lanes,
    double8,
    float8,
    half8,
    in_every_lane,
    instruction,
    whole8,
    word8,
)

F32, I32, I64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)
FIXED_MOST = 1 << 30
"""Bound of the fixed-point numbers here."""
KINDS = {
    types.float32: float8,
    types.float64: double8,
    types.int16: whole8,
    types.int32: whole8,
    types.uint32: half8,
    types.uint64: word8,
}
"""What eight neighbours in an array are."""


@instruction
def prefix(_, many):
    """1 in the first `many` lanes, 0 in the others."""

    def codegen(context, builder, signature, args):
        inside = builder.icmp_signed("<", whole8.of(LANES), in_every_lane(builder, args[0]))
        return builder.select(inside, float8.of([1.0] * WIDTH), float8.of([0.0] * WIDTH))

    return float8(types.int32), codegen


@instruction
def within(_, vector, bound):
    """1 where the magnitude is at most `bound`, 0 elsewhere."""

    def codegen(context, builder, signature, args):
        vector, bound = (as_lanes(context, builder, v, t, float8) for v, t in zip(args, signature.args, strict=True))
        low = builder.fcmp_ordered(">=", vector, builder.fneg(bound))
        inside = builder.and_(low, builder.fcmp_ordered("<=", vector, bound))
        return builder.select(inside, float8.of([1.0] * WIDTH), float8.of([0.0] * WIDTH))

    return float8(vector, bound), codegen


def address(context, builder, kind, array, index):
    """Where array[index : index + 8] is, counted as if the array were flat."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), ir.VectorType(data.type.pointee, WIDTH).as_pointer())


@instruction
def load(_, array, index):
    """array[index : index + 8] of an array whose values lie side by side, counted as if it were flat."""
    kind = KINDS[array.dtype]

    def codegen(context, builder, signature, args):
        index = context.cast(builder, args[1], signature.args[1], types.int64)
        found = builder.load(
            address(context, builder, signature.args[0], args[0], index), align=array.dtype.bitwidth // 8
        )
        return found if found.type == kind.vector else builder.sext(found, kind.vector)

    return kind(array, index), codegen


@instruction
def store(_, array, index, vector):
    """array[index : index + 8] = vector."""

    def codegen(context, builder, signature, args):
        index = context.cast(builder, args[1], signature.args[1], types.int64)
        place, value = address(context, builder, signature.args[0], args[0], index), args[2]
        narrow = place.type.pointee
        builder.store(
            value if value.type == narrow else builder.trunc(value, narrow), place, align=array.dtype.bitwidth // 8
        )
        return context.get_dummy_value()

    return types.void(array, index, vector), codegen


@instruction
def gather(_, array, index, step, last):
    """array[index], array[index + step] and so on, of a flat array; array[last] for those beyond it."""
    kind = KINDS[array.dtype]

    def codegen(context, builder, signature, args):
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        index, step, last = (
            context.cast(builder, value, sort, types.int64)
            for value, sort in zip(args[1:], signature.args[1:], strict=True)
        )
        found = ir.Constant(kind.vector, ir.Undefined)
        for lane in LANES:
            at = builder.select(builder.icmp_signed("<", index, last), index, last)
            found = builder.insert_element(found, builder.load(builder.gep(data, [at])), I32(lane))
            index = builder.add(index, step)
        return found

    return kind(array, index, step, last), codegen


@instruction
def look_up(_, table, numbers):
    """table[number] of eight whole numbers; the table is flat and of int64."""

    def codegen(context, builder, signature, args):
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        found = ir.Constant(whole8.vector, ir.Undefined)
        for lane in LANES:
            value = builder.load(builder.gep(data, [builder.extract_element(args[1], I32(lane))]))
            found = builder.insert_element(found, builder.trunc(value, I32), I32(lane))
        return found

    return whole8(table, whole8), codegen


@instruction
def steps(_, per_pixel):
    """0, 1, ... 7 times `per_pixel`, in fixed point; cut where they would not fit."""

    def codegen(context, builder, signature, args):
        lanes = builder.fmul(float8.of(float(lane) for lane in LANES), in_every_lane(builder, args[0]))
        for order, bound in (("<", float(FIXED_MOST)), (">", -float(FIXED_MOST))):
            bounds = float8.of([bound] * WIDTH)
            lanes = builder.select(builder.fcmp_ordered(order, lanes, bounds), lanes, bounds)
        return builder.fptosi(lanes, whole8.vector)

    return whole8(types.float32), codegen
