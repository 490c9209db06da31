"""Cells of four coefficients, looked up and moved eight at a time.

The mask at a point (u, v) of a cell is a + b u + c v + d u v. Points are in fixed point and count parts of a texel, for
which b, c and d are made. Memory holds the four values of a cell, a quad, side by side; registers hold the first values
of eight cells, the second values, and so on.
"""

from llvmlite import ir
from numba import types

from limner.kernels.across import HIGH, LEFT, LOW, LOWER, RIGHT, UPPER
from limner.kernels.jit import inlined
from limner.kernels.lanes import LANES, float8, in_every_lane, instruction, lane_mask, whole8
from limner.kernels.simd import F32, I32, I64, address

FIXED, VECTOR = whole8.vector, float8.vector
QUAD = ir.VectorType(F32, 4)


def _cell(builder, hop, places, u, v, steps_u, steps_v, inside):
    """Four times the number of each lane's cell, two to 64 bits, lower first, and where in them the points are."""
    one = builder.shl(I32(1), places)
    below, shift = in_every_lane(builder, builder.sub(one, I32(1))), in_every_lane(builder, places)
    whole, parts = [], []
    for first, ahead in ((u, steps_u), (v, steps_v)):
        point = builder.add(in_every_lane(builder, first), ahead)
        whole.append(builder.lshr(point, shift))
        parts.append(builder.sitofp(builder.and_(point, below), VECTOR))
    cell = builder.add(builder.mul(whole[1], in_every_lane(builder, hop)), whole[0])
    live = builder.icmp_signed("<", ir.Constant(FIXED, list(LANES)), in_every_lane(builder, inside))
    cell = builder.select(live, cell, ir.Constant(FIXED, [0] * 8))
    return builder.bitcast(builder.shl(cell, in_every_lane(builder, I32(2))), ir.VectorType(I64, 4)), *parts


def _quads(context, builder, kind, array, zero, pairs):
    """Where the four coefficients of each lane's cell are; half of the lanes at a time come out of the vector."""
    first = builder.shl(builder.sext(zero, I64), I64(2))
    cells = builder.gep(context.make_array(kind)(context, builder, array).data, [first])
    for lane in LANES:
        pair = builder.extract_element(pairs, I32(lane // 2))
        index = builder.lshr(pair, I64(32)) if lane % 2 else builder.and_(pair, I64(0xFFFFFFFF))
        yield builder.bitcast(builder.gep(cells, [index]), QUAD.as_pointer())


POINTS = (types.int32, types.int32, types.int32, types.int32, types.int32, whole8, whole8, types.int32)
"""zero, hop, places, u, v, steps_u, steps_v and inside of `fetch` and `spread`."""

HALVES = range(4), range(4, 8)


def _mix(builder, x, y, lanes):
    return builder.shuffle_vector(x, y, lane_mask(lanes))


def _columns(builder, rows):
    """Four vectors of quads k and k + 4 each, as the vectors of their first, second, third and fourth values."""
    first, second, third, fourth = rows
    pairs = [(_mix(builder, first, second, half), _mix(builder, third, fourth, half)) for half in (LOW, HIGH)]
    return [_mix(builder, *pair, half) for pair in pairs for half in (LEFT, RIGHT)]


def _rows(builder, columns):
    """The way back of `_columns`."""
    a, b, c, d = columns
    pairs = [(_mix(builder, a, b, half), _mix(builder, c, d, half)) for half in (LOW, HIGH)]
    return [_mix(builder, *pair, half) for pair in pairs for half in (LEFT, RIGHT)]


@instruction
def fetch(_, cells, zero, hop, places, u, v, steps_u, steps_v, inside):
    """Coefficients (a, b, c, d) of the cells under eight texel points, and where in them (fu, fv) the points are.

    `cells` is a flat array of four floats a cell; cell (iv, iu) is number zero + iv * hop + iu. The first point is
    (u, v), the others lie ahead of it by `steps`, all in fixed point with as many binary `places`. Only the first
    `inside` points are looked up, and must be inside; the others read cell number `zero`, which should hold zeros.
    The mask at a point is a + b fu + c fv + d fu fv: bilinear sampling, eq. 2.21.
    """

    def codegen(context, builder, signature, args):
        array, zero, *where = args
        number, fu, fv = _cell(builder, *where)
        quads = [
            builder.load(place, align=4) for place in _quads(context, builder, signature.args[0], array, zero, number)
        ]

        columns = _columns(builder, [_mix(builder, quads[k], quads[k + 4], LANES) for k in range(4)])
        return context.make_tuple(builder, signature.return_type, [*columns, fu, fv])

    return types.UniTuple(float8, 6)(cells, *POINTS), codegen


@inlined
def mask_at(p, q, r, s, fu, fv):
    """The mask at points of cells, as `fetch` gives them (eq. 2.21)."""
    return p + q * fu + (r + s * fu) * fv


@instruction
def spread(_, cells, zero, hop, places, u, v, steps_u, steps_v, inside, weight):
    """The transpose of `fetch`: adds weight * (1, fu, fv, fu fv) to the cells under eight texel points."""

    def codegen(context, builder, signature, args):
        array, zero, *where, weight = args
        number, fu, fv = _cell(builder, *where)
        mul = builder.fmul
        terms = [weight, mul(weight, fu), mul(weight, fv), mul(mul(weight, fu), fv)]

        both = _rows(builder, terms)
        quads = [_mix(builder, pair, pair, half) for half in HALVES for pair in both]
        for place, quad in zip(_quads(context, builder, signature.args[0], array, zero, number), quads, strict=True):
            builder.store(builder.fadd(builder.load(place, align=4), quad), place, align=4)
        return context.get_dummy_value()

    return types.void(cells, *POINTS, weight), codegen


@instruction
def load_quads(_, array, index):
    """Eight groups of four values of a flat array, from `index` on: all first values, all second, third and fourth."""

    def codegen(context, builder, signature, args):
        index = context.cast(builder, args[1], signature.args[1], types.int64)
        at = [builder.add(index, I64(8 * k)) for k in range(4)]
        found = [builder.load(address(context, builder, signature.args[0], args[0], i), align=4) for i in at]
        rows = [_mix(builder, found[k], found[k + 2], half) for k in (0, 1) for half in (LOWER, UPPER)]
        return context.make_tuple(builder, signature.return_type, _columns(builder, rows))

    return types.UniTuple(float8, 4)(array, index), codegen


@instruction
def store_quads(_, array, index, first, second, third, fourth):
    """The way back of `load_quads`."""

    def codegen(context, builder, signature, args):
        index = context.cast(builder, args[1], signature.args[1], types.int64)
        a, b, c, d = _rows(builder, args[2:])
        joined = [_mix(builder, *pair, half) for half in (LOWER, UPPER) for pair in ((a, b), (c, d))]
        for k, vector in enumerate(joined):
            at = builder.add(index, I64(8 * k))
            builder.store(vector, address(context, builder, signature.args[0], args[0], at), align=4)
        return context.get_dummy_value()

    return types.void(array, index, first, second, third, fourth), codegen


@instruction
def read_four(_, array, number):
    """Group `number` of four int32 in a flat array."""

    def codegen(context, builder, signature, args):
        data = context.make_array(array)(context, builder, args[0]).data
        first = builder.shl(context.cast(builder, args[1], signature.args[1], types.int64), I64(2))
        found = [builder.load(builder.gep(data, [builder.add(first, I64(k))])) for k in range(4)]
        return context.make_tuple(builder, signature.return_type, found)

    return types.UniTuple(types.int32, 4)(array, number), codegen


@instruction
def write_four(_, array, number, first, second, third, fourth):
    """The way back of `read_four`."""

    def codegen(context, builder, signature, args):
        data = context.make_array(array)(context, builder, args[0]).data
        begin = builder.shl(context.cast(builder, args[1], signature.args[1], types.int64), I64(2))
        for k in range(4):
            value = context.cast(builder, args[2 + k], signature.args[2 + k], types.int32)
            builder.store(value, builder.gep(data, [builder.add(begin, I64(k))]))
        return context.get_dummy_value()

    return types.void(array, number, first, second, third, fourth), codegen


@instruction
def write_fours(_, array, number, numbers, first, second, third, fourth):
    """Eight groups, one of each lane, as `read_four` reads them: group number + numbers[lane]; the last stays."""

    def codegen(context, builder, signature, args):
        data = context.make_array(array)(context, builder, args[0]).data
        begin = context.cast(builder, args[1], signature.args[1], types.int64)
        rows = _rows(builder, args[3:])
        quads = [_mix(builder, pair, pair, half) for half in HALVES for pair in rows]
        for lane, quad in zip(LANES, quads, strict=True):
            at = builder.add(begin, builder.sext(builder.extract_element(args[2], I32(lane)), I64))
            place = builder.bitcast(builder.gep(data, [builder.shl(at, I64(2))]), quad.type.as_pointer())
            builder.store(quad, place, align=4)
        return context.get_dummy_value()

    return types.void(array, number, whole8, whole8, whole8, whole8, whole8), codegen
