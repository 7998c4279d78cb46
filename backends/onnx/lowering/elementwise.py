"""Lowering of the elementwise primitives to ONNX. Where NumPy's answer at zeros, NaN or infinity needs more than one
operator, the composition is here.

Runtimes have few kernels for half precision and small integers: those are widened, and narrowed again.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy

from dopegraph.backends.onnx.context import BOOL, FLOAT32, INT64, Context, DType, Rule
from dopegraph.ir.graph import Node

Compute = Callable[..., str]
"""From the context, the dtype that is computed in and the operands' names to the result's name."""


def wide_of(dtype: DType) -> DType:
    """The dtype that is computed in."""
    if dtype.name == "float16":
        return FLOAT32
    return INT64 if dtype.kind in "iu" and dtype.itemsize < 8 and dtype.name != "int32" else dtype


def elementwise(compute: Compute, answer: DType | None = None) -> Rule:
    """A rule that widens operands; `answer` is the dtype that `compute` gives, if it is not that of the operands."""

    def rule(c: Context, node: Node) -> str:
        narrow = node.inputs[0].type.dtype
        wide = wide_of(narrow)
        operands = [c.cast(c[value], value.type.dtype, wide) for value in node.inputs]
        made = compute(c, wide, *operands)
        return c.cast(made, answer or wide, node.outputs[0].type.dtype)

    return rule


def plain(kind: str, answer: DType | None = None) -> Rule:
    """One operator of ONNX."""
    return elementwise(lambda c, dtype, *operands: c.op(kind, *operands), answer)


def by_kind(floats: Compute, integers: Compute) -> Rule:
    return elementwise(lambda c, dtype, *xs: (floats if dtype.kind == "f" else integers)(c, dtype, *xs))


def compared(kind: str) -> Rule:
    """A comparison; booleans are compared as integers."""

    def rule(c: Context, node: Node) -> str:
        dtype = node.inputs[0].type.dtype
        wide = numpy.dtype("int32") if dtype == BOOL else wide_of(dtype)
        return c.op(kind, *[c.cast(c[value], dtype, wide) for value in node.inputs])

    return rule


def _not_equal(c: Context, node: Node) -> str:
    made = _EQUAL(c, node)
    return c.op("Not", made if isinstance(made, str) else made[0])


_EQUAL = compared("Equal")


def _alias(c: Context, node: Node) -> str:
    return c[node.inputs[0]]


def _cast(c: Context, node: Node) -> str:
    source, target = node.inputs[0].type.dtype, node.attrs["dtype"]
    x = c[node.inputs[0]]
    if target == BOOL and source != BOOL:
        return c.op("Not", c.op("Equal", c.cast(x, source, wide_of(source)), c.scalar(0, wide_of(source))))
    if source.kind == "f" and target.kind in "iu" and target.itemsize < 8:  # through the wide one it wraps as in NumPy
        x, source = c.cast(x, source, INT64), INT64
    return c.cast(x, source, target)


def _select(c: Context, node: Node) -> str:
    condition, x, y = node.inputs
    dtype = x.type.dtype
    wide = wide_of(dtype) if dtype != BOOL else dtype
    made = c.where(c[condition], c.cast(c[x], dtype, wide), c.cast(c[y], dtype, wide))
    return c.cast(made, wide, dtype)


def nan_kept(c: Context, dtype: DType, made: str, *operands: str) -> str:
    """`made`, but NaN wherever an operand is."""
    if dtype.kind != "f":
        return made
    missing = c.op("IsNaN", operands[0])
    for one in operands[1:]:
        missing = c.op("Or", missing, c.op("IsNaN", one))
    return c.where(missing, c.scalar(math.nan, dtype), made)


def _extreme(kind: str) -> Compute:
    compare = "Greater" if kind == "Max" else "Less"

    def compute(c: Context, dtype: DType, x: str, y: str) -> str:
        return nan_kept(c, dtype, c.where(c.op(compare, x, y), x, y), x, y)

    return compute


def _lenient(kind: str) -> Compute:
    """fmax and fmin: a number wins over NaN."""
    compare = "Greater" if kind == "Max" else "Less"

    def compute(c: Context, dtype: DType, x: str, y: str) -> str:
        chosen = c.where(c.op(compare, x, y), x, y)
        if dtype.kind != "f":
            return chosen
        return c.where(c.op("IsNaN", y), x, chosen)

    return compute


def _other_side(c: Context, dtype: DType, rest: str, y: str) -> str:
    """Whether a remainder, which has the sign of the dividend, is not 0 and of another sign than the divisor."""
    zero = c.scalar(0, dtype)
    unlike = c.op("Xor", c.op("Less", rest, zero), c.op("Less", y, zero))
    return c.op("And", unlike, c.op("Not", c.op("Equal", rest, zero)))


def _float_rest(c: Context, dtype: DType, x: str, y: str) -> str:
    """The remainder with the sign of the divisor."""
    rest = c.op("Mod", x, y, fmod=1)
    signed = c.where(c.op("Equal", rest, c.scalar(0, dtype)), _with_sign(c, dtype, rest, y), rest)
    return nan_kept(c, dtype, c.where(_other_side(c, dtype, rest, y), c.op("Add", rest, y), signed), x, y)


def _float_floor_div(c: Context, dtype: DType, x: str, y: str) -> str:
    """As NumPy: the quotient less its remainder, rounded; dividing first would round up, as 1 // 0.1 shows."""
    zero, one = c.scalar(0, dtype), c.scalar(1, dtype)
    rest = c.op("Mod", x, y, fmod=1)
    exact = c.op("Div", c.op("Sub", x, rest), y)
    rounded = c.op("Round", c.op("Sub", exact, c.where(_other_side(c, dtype, rest, y), one, zero)))
    quotient = c.op("Div", x, y)
    rounded = c.where(c.op("Equal", rounded, zero), _with_sign(c, dtype, zero, quotient), rounded)
    return c.where(c.op("Equal", y, zero), quotient, rounded)


def _integer_floor_div(c: Context, dtype: DType, x: str, y: str) -> str:
    """ONNX cuts off, and may end the process for a divisor of 0, where NumPy gives 0."""
    zero, one = c.scalar(0, dtype), c.scalar(1, dtype)
    empty = c.op("Equal", y, zero)
    safe = c.where(empty, one, y)
    quotient = c.op("Div", x, safe)
    if dtype.kind == "i":
        rest = c.op("Sub", x, c.op("Mul", quotient, safe))
        quotient = c.where(_other_side(c, dtype, rest, safe), c.op("Sub", quotient, one), quotient)
    return c.where(empty, zero, quotient)


def _integer_rest(fmod: int) -> Compute:
    def compute(c: Context, dtype: DType, x: str, y: str) -> str:
        empty = c.op("Equal", y, c.scalar(0, dtype))
        rest = c.op("Mod", x, c.where(empty, c.scalar(1, dtype), y), fmod=fmod)
        return c.where(empty, c.scalar(0, dtype), rest)

    return compute


def _negative(c: Context, dtype: DType, x: str) -> str:
    """The sign bit: of zeros, too, but not of NaN."""
    zero = c.scalar(0, dtype)
    return c.op("Or", c.op("Less", x, zero), c.op("Less", c.op("Reciprocal", x), zero))


def _with_sign(c: Context, dtype: DType, x: str, y: str) -> str:
    size = c.op("Abs", x)
    return c.where(_negative(c, dtype, y), c.op("Neg", size), size)


def _sign(c: Context, dtype: DType, x: str) -> str:
    return nan_kept(c, dtype, c.op("Sign", x), x)


def _log1p(c: Context, dtype: DType, x: str) -> str:
    """Kahan's: log(u) x / (u - 1) with u = 1 + x rounded (Goldberg, ACM Computing Surveys 23 (1991), theorem 4)."""
    one = c.scalar(1, dtype)
    u = c.op("Add", x, one)
    better = c.op("Div", c.op("Mul", c.op("Log", u), x), c.op("Sub", u, one))
    plain = c.op("Or", c.op("IsInf", u), c.op("Equal", u, c.scalar(0, dtype)))
    return c.where(c.op("Equal", u, one), x, c.where(plain, c.op("Log", u), better))


def _expm1(c: Context, dtype: DType, x: str) -> str:
    """Kahan's: (u - 1) x / log(u) with u = exp(x) rounded (Higham, Accuracy and Stability, section 1.14.1)."""
    one = c.scalar(1, dtype)
    u = c.op("Exp", x)
    less = c.op("Sub", u, one)
    better = c.op("Div", c.op("Mul", less, x), c.op("Log", u))
    plain = c.op("Or", c.op("IsInf", u), c.op("Equal", less, c.scalar(-1, dtype)))
    return c.where(c.op("Equal", u, one), x, c.where(plain, less, better))


def _hypot(c: Context, dtype: DType, x: str, y: str) -> str:
    x, y = c.op("Abs", x), c.op("Abs", y)
    large, small = c.where(c.op("Greater", x, y), x, y), c.where(c.op("Greater", x, y), y, x)
    ratio = c.op("Div", small, large)
    whole = c.op("Mul", large, c.op("Sqrt", c.op("Add", c.scalar(1, dtype), c.op("Mul", ratio, ratio))))
    endless = c.op("Or", c.op("IsInf", x), c.op("IsInf", y))
    found = c.where(c.op("Equal", large, c.scalar(0, dtype)), c.op("Add", x, y), whole)
    return c.where(endless, c.scalar(math.inf, dtype), nan_kept(c, dtype, found, x, y))


def _logaddexp(base: float) -> Compute:
    scale = math.log(base)

    def compute(c: Context, dtype: DType, x: str, y: str) -> str:
        larger = c.where(c.op("Greater", x, y), x, y)
        gap = c.op("Neg", c.op("Abs", c.op("Sub", x, y)))
        gap = c.where(c.op("Equal", x, y), c.scalar(0, dtype), gap)  # also of equal infinities
        rest = _log1p(c, dtype, c.op("Exp", c.op("Mul", gap, c.scalar(scale, dtype))))
        return nan_kept(c, dtype, c.op("Add", larger, c.op("Div", rest, c.scalar(scale, dtype))), x, y)

    return compute


def _heaviside(c: Context, dtype: DType, x: str, y: str) -> str:
    zero, one = c.scalar(0, dtype), c.scalar(1, dtype)
    side = c.where(c.op("Less", x, zero), zero, one)
    return nan_kept(c, dtype, c.where(c.op("Equal", x, zero), y, side), x)


def _arctan2(c: Context, dtype: DType, y: str, x: str) -> str:
    """The angle of (x, y) by quadrants, with the signs of zeros."""
    zero, half = c.scalar(0, dtype), c.scalar(math.pi / 2, dtype)
    both = c.op("And", c.op("IsInf", x), c.op("IsInf", y))
    steep = c.where(both, c.scalar(1, dtype), c.op("Abs", c.op("Div", y, x)))
    origin = c.op("And", c.op("Equal", x, zero), c.op("Equal", y, zero))
    acute = c.where(origin, zero, c.op("Atan", steep))
    upright = c.op("And", c.op("Equal", x, zero), c.op("Not", c.op("Equal", y, zero)))
    acute = c.where(upright, half, acute)
    wide = c.where(_negative(c, dtype, x), c.op("Sub", c.scalar(math.pi, dtype), acute), acute)
    return nan_kept(c, dtype, _with_sign(c, dtype, wide, y), x, y)


def _integer_power(c: Context, node: Node) -> str:
    dtype, exponent = node.outputs[0].type.dtype, node.attrs["exponent"]
    wide = wide_of(dtype)
    x = c.cast(c[node.inputs[0]], dtype, wide)
    if dtype.kind == "f":
        made = c.op("Pow", x, c.scalar(exponent, wide))
    else:  # by repeated squaring, which wraps as in NumPy
        made, power = c.op("Add", c.op("Sub", x, x), c.scalar(1, wide)), x
        while exponent:
            if exponent & 1:
                made = c.op("Mul", made, power)
            exponent >>= 1
            power = c.op("Mul", power, power) if exponent else power
    return c.cast(made, wide, dtype)


def _scaled(factor: float) -> Compute:
    return lambda c, dtype, x: c.op("Mul", x, c.scalar(factor, dtype))


def _is_finite(c: Context, dtype: DType, x: str) -> str:
    return c.op("Not", c.op("Or", c.op("IsNaN", x), c.op("IsInf", x)))


def _cbrt(c: Context, dtype: DType, x: str) -> str:
    """One step of Newton's behind the power, which is not exact for cubes; not where it would divide by 0 or inf."""
    size = c.op("Abs", x)
    root = c.op("Pow", size, c.scalar(1 / 3, dtype))
    square = c.op("Mul", root, root)
    step = c.op("Div", c.op("Sub", root, c.op("Div", size, square)), c.scalar(3, dtype))
    edge = c.op("Or", c.op("Equal", root, c.scalar(0, dtype)), c.op("IsInf", root))
    return _with_sign(c, dtype, c.where(edge, root, c.op("Sub", root, step)), x)


RULES: dict[str, Rule] = {
    # Comparisons and logic
    "equal": _EQUAL,
    "not_equal": _not_equal,
    "less": compared("Less"),
    "less_equal": compared("LessOrEqual"),
    "greater": compared("Greater"),
    "greater_equal": compared("GreaterOrEqual"),
    "logical_and": plain("And"),
    "logical_or": plain("Or"),
    "logical_xor": plain("Xor"),
    "logical_not": plain("Not"),
    "isnan": plain("IsNaN", BOOL),
    "isinf": plain("IsInf", BOOL),
    "isfinite": elementwise(_is_finite, BOOL),
    "signbit": elementwise(_negative, BOOL),
    "bitwise_and": plain("BitwiseAnd"),
    "bitwise_or": plain("BitwiseOr"),
    "bitwise_xor": plain("BitwiseXor"),
    "bitwise_not": plain("BitwiseNot"),
    # Selection and conversion
    "select": _select,
    "cast": _cast,
    "identity": _alias,
    "stop_gradient": _alias,
    "barrier": _alias,
    # Arithmetic
    "add": plain("Add"),
    "sub": plain("Sub"),
    "mul": plain("Mul"),
    "div": plain("Div"),
    "floor_div": by_kind(_float_floor_div, _integer_floor_div),
    "mod": by_kind(_float_rest, _integer_rest(0)),
    "fmod": by_kind(lambda c, dtype, x, y: nan_kept(c, dtype, c.op("Mod", x, y, fmod=1), x, y), _integer_rest(1)),
    "pow": plain("Pow"),
    "integer_pow": _integer_power,
    "maximum": elementwise(_extreme("Max")),
    "minimum": elementwise(_extreme("Min")),
    "fmax": elementwise(_lenient("Max")),
    "fmin": elementwise(_lenient("Min")),
    "arctan2": elementwise(_arctan2),
    "hypot": elementwise(_hypot),
    "copysign": elementwise(_with_sign),
    "logaddexp": elementwise(_logaddexp(math.e)),
    "logaddexp2": elementwise(_logaddexp(2.0)),
    "heaviside": elementwise(_heaviside),
    # Functions of one variable
    "neg": by_kind(lambda c, dtype, x: c.op("Neg", x), lambda c, dtype, x: c.op("Sub", c.scalar(0, dtype), x)),
    "abs": plain("Abs"),
    "sign": elementwise(_sign),
    "floor": plain("Floor"),
    "ceil": plain("Ceil"),
    "trunc": elementwise(
        lambda c, dtype, x: c.where(c.op("Less", x, c.scalar(0, dtype)), c.op("Ceil", x), c.op("Floor", x))
    ),
    "rint": plain("Round"),
    "exp": plain("Exp"),
    "exp2": elementwise(lambda c, dtype, x: c.op("Pow", c.scalar(2, dtype), x)),
    "expm1": elementwise(_expm1),
    "log": plain("Log"),
    "log2": elementwise(lambda c, dtype, x: c.op("Div", c.op("Log", x), c.scalar(math.log(2), dtype))),
    "log10": elementwise(lambda c, dtype, x: c.op("Div", c.op("Log", x), c.scalar(math.log(10), dtype))),
    "log1p": elementwise(_log1p),
    "sqrt": plain("Sqrt"),
    "cbrt": elementwise(_cbrt),
    "square": elementwise(lambda c, dtype, x: c.op("Mul", x, x)),
    "reciprocal": by_kind(
        lambda c, dtype, x: c.op("Reciprocal", x),
        lambda c, dtype, x: _integer_floor_div(c, dtype, c.scalar(1, dtype), x),
    ),
    "sin": plain("Sin"),
    "cos": plain("Cos"),
    "tan": plain("Tan"),
    "arcsin": plain("Asin"),
    "arccos": plain("Acos"),
    "arctan": plain("Atan"),
    "sinh": plain("Sinh"),
    "cosh": plain("Cosh"),
    "tanh": plain("Tanh"),
    "arcsinh": plain("Asinh"),
    "arccosh": plain("Acosh"),
    "arctanh": plain("Atanh"),
    "erf": plain("Erf"),
    "sigmoid": plain("Sigmoid"),
    "relu": by_kind(
        lambda c, dtype, x: c.op("Relu", x), lambda c, dtype, x: _extreme("Max")(c, dtype, x, c.scalar(0, dtype))
    ),
    "degrees": elementwise(_scaled(180 / math.pi)),
    "radians": elementwise(_scaled(math.pi / 180)),
}
