"""Eight numbers as one numba value: neighbouring pixels, rows of a stamp, or stamps.

LLVM does not vectorise a loop that looks texels up and writes pixels (it cannot prove that they are different memory),
and others not as one would, so the kernels say it: a `float8` is an LLVM vector of eight floats with the operators
`+ - * /`, and so on for other numbers. A plain number beside one stands for eight. On machines with narrower vector
units LLVM splits them. Here is what works lane by lane, `across` what does not.
"""

import operator
from inspect import unwrap
from typing import Any, ClassVar

from llvmlite import ir
from numba import types
from numba.core.extending import intrinsic, lower_builtin, models, register_model
from numba.core.typing.templates import AbstractTemplate, infer_global

WIDTH = 8
LANES = range(WIDTH)
NUMBERS = types.Number, types.Boolean
FAST, EXACT = ("fast",), ("contract", "nsz")


def instruction(function) -> Any:
    """A function given as LLVM code."""
    return intrinsic(unwrap(function))


class Lanes(types.Type):
    """The numba type of eight numbers of a kind."""

    def __init__(self, name: str, element: ir.Type, number: types.Type) -> None:
        super().__init__(name)
        self.vector, self.number = ir.VectorType(element, WIDTH), number

    def of(self, numbers) -> ir.Constant:
        """These numbers."""
        return ir.Constant(self.vector, list(numbers))


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, fe_type.vector)


float8 = Lanes("float8", ir.FloatType(), types.float32)
double8 = Lanes("double8", ir.DoubleType(), types.float64)
whole8 = Lanes("whole8", ir.IntType(32), types.int32)
"""Whole numbers, or fixed-point numbers."""
word8 = Lanes("word8", ir.IntType(64), types.uint64)
"""Sets of 64 things."""
half8 = Lanes("half8", ir.IntType(32), types.uint32)
"""Sets of 32 things."""
mask8 = Lanes("mask8", ir.IntType(1), types.boolean)
"""True or false."""


def lane_mask(lanes) -> ir.Constant:
    """The lane numbers of a shuffle."""
    return ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), list(lanes))


def in_every_lane(builder, scalar):
    """A number as a vector of its own type."""
    nothing = ir.Constant(ir.VectorType(scalar.type, WIDTH), ir.Undefined)
    seed = builder.insert_element(nothing, scalar, ir.IntType(32)(0))
    return builder.shuffle_vector(seed, seed, lane_mask([0] * WIDTH))


def as_lanes(context, builder, value, given, kind: Lanes):
    """A value of the numba type `given` as one of `kind`: itself, or a number in every lane."""
    if isinstance(given, Lanes):
        return value
    return in_every_lane(builder, context.cast(builder, value, given, kind.number))


def _combined(how: dict[Lanes, Any]):
    """How numba makes code for two values of a kind, or for one and a number."""

    def codegen(context, builder, signature, args):
        kind = next(sort for sort in signature.args if isinstance(sort, Lanes))
        given = zip(args, signature.args, strict=True)
        return how[kind](builder, *(as_lanes(context, builder, value, sort, kind) for value, sort in given))

    return codegen


def _operator(op, how: dict[Lanes, Any], result: Lanes | None = None) -> None:
    """Teach numba an operator of lanes."""

    class Typing(AbstractTemplate):
        metadata: ClassVar = {"target": "cpu"}  # numba asks first what is for a target, then what is for any

        def generic(self, args, kws):
            kinds = {kind for kind in args if isinstance(kind, Lanes)}
            known = all(isinstance(kind, (Lanes, *NUMBERS)) for kind in args)
            if known and len(kinds) == 1 and kinds <= how.keys():
                return (result or kinds.pop())(*args)

    register: Any = infer_global(op)
    register(Typing)
    for sorts in [(Lanes, Lanes), *((Lanes, kind) for kind in NUMBERS), *((kind, Lanes) for kind in NUMBERS)]:
        lower_builtin(op, *sorts)(_combined(how))


def _function(how: dict[Lanes, Any]):
    """A function of two values."""

    @instruction
    def call(_, a, b):
        return (a if isinstance(a, Lanes) else b)(a, b), _combined(how)

    return call


def _plain(name: str, **options):
    return lambda builder, a, b: getattr(builder, name)(a, b, **options)


def _arithmetic(op, real: str, whole: str | None = None) -> None:
    kinds = {float8: _plain(real, flags=FAST), double8: _plain(real, flags=EXACT)}
    _operator(op, kinds | ({kind: _plain(whole) for kind in (whole8, word8, half8)} if whole else {}))


def _ordered(order: str) -> dict[Lanes, Any]:
    """Comparing two values of a kind."""
    real, whole = (
        lambda builder, a, b, compare=compare: getattr(builder, compare)(order, a, b)
        for compare in ("fcmp_ordered", "icmp_signed")
    )
    return {float8: real, double8: real, whole8: whole}


def _picked(order: str) -> dict[Lanes, Any]:
    """The first of two values where it comes first in this order, else the second."""
    comparing = _ordered(order).items()
    return {kind: lambda builder, a, b, c=c: builder.select(c(builder, a, b), a, b) for kind, c in comparing}


_arithmetic(operator.add, "fadd", "add")
_arithmetic(operator.sub, "fsub", "sub")
_arithmetic(operator.mul, "fmul", "mul")
_arithmetic(operator.truediv, "fdiv")
for _op, _name in ((operator.and_, "and_"), (operator.or_, "or_"), (operator.xor, "xor")):
    _operator(_op, {kind: _plain(_name) for kind in (whole8, word8, half8, mask8)})
_operator(operator.lshift, {kind: _plain("shl") for kind in (whole8, word8, half8)})
_operator(operator.rshift, {whole8: _plain("ashr")})
for _op, _order in ((operator.lt, "<"), (operator.le, "<="), (operator.gt, ">"), (operator.ge, ">=")):
    _operator(_op, _ordered(_order), mask8)
smaller, larger = _function(_picked("<")), _function(_picked(">"))


@instruction
def splat(_, number):
    """The same float32 in all lanes."""

    def codegen(context, builder, signature, args):
        return as_lanes(context, builder, args[0], signature.args[0], float8)

    return float8(number), codegen


@instruction
def ramp(_):
    """0, 1, ... 7 as float32."""
    return float8(), lambda context, builder, signature, args: float8.of(float(lane) for lane in LANES)


@instruction
def count(_):
    """0, 1, ... 7 as whole numbers."""
    return whole8(), lambda context, builder, signature, args: whole8.of(LANES)


@instruction
def choose(_, mask, chosen, other):
    """`chosen` where the mask is true, `other` elsewhere; one of them may be a number."""
    kind = chosen if isinstance(chosen, Lanes) else other

    def codegen(context, builder, signature, args):
        given = zip(args[1:], signature.args[1:], strict=True)
        return builder.select(args[0], *(as_lanes(context, builder, value, sort, kind) for value, sort in given))

    return kind(mask, chosen, other), codegen


def _converted(target: Lanes, how):
    @instruction
    def call(_, vector):
        def codegen(context, builder, signature, args):
            return how(builder, args[0], target.vector, vector)

        return target(vector), codegen

    return call


def _of_doubles(name: str, builder, value):
    """LLVM's function of this name, of each lane."""
    kind = ir.FunctionType(value.type, [value.type])
    return builder.call(builder.module.declare_intrinsic(f"llvm.{name}.v{WIDTH}f64", (), kind), [value])


def _rounded(way: str):
    return _converted(
        whole8, lambda builder, value, vector, _: builder.fptosi(_of_doubles(way, builder, value), vector)
    )


def _widened(builder, value, vector, kind):
    return builder.fpext(value, vector) if kind is float8 else builder.sitofp(value, vector)


doubles = _converted(double8, _widened)
wholes = _converted(
    whole8, lambda builder, value, vector, kind: value if kind is half8 else builder.trunc(value, vector)
)
round_up, round_down = _rounded("ceil"), _rounded("floor")
root = _converted(double8, lambda builder, value, vector, _: _of_doubles("sqrt", builder, value))
cut = _converted(whole8, lambda builder, value, vector, _: builder.fptosi(value, vector))
"""Towards zero."""


@instruction
def words(_, vector, like):
    """Whole numbers as sets of as many things as a number has bits."""
    kind = next(sort for sort in (word8, half8) if sort.number == like)

    def codegen(context, builder, signature, args):
        return args[0] if kind is half8 else builder.zext(args[0], kind.vector)

    return kind(vector, like), codegen


def _zeros(way: str):
    @instruction
    def call(_, vector):
        def codegen(context, builder, signature, args):
            value = vector.vector
            name = f"llvm.{way}.v{WIDTH}i{value.element.width}"
            kind = ir.FunctionType(value, [value, ir.IntType(1)])
            return builder.call(builder.module.declare_intrinsic(name, (), kind), [args[0], ir.IntType(1)(0)])

        return vector(vector), codegen

    return call


zeros_below, zeros_above = _zeros("cttz"), _zeros("ctlz")
"""Zeros below the lowest, above the highest bit that is set; all if none is."""
