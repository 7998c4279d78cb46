"""Elementwise primitives: arithmetic, comparisons, logic, the functions of one variable, `select` and `cast`.

Operands have one dtype (the front end promotes) and broadcast; autodiff sums gradients back to an operand's shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy

from dopegraph.ir.primitive import Primitive, not_differentiable, primitive
from dopegraph.ir.types import DType, TensorType
from dopegraph.ops.complex import complex, conj, imag, real, real_of, sign_of
from dopegraph.ops.typing import broadcast_shapes, require_kind, same_dtype
from dopegraph.runtime.errors import DTypeError

__all__ = [
    "abs", "add", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "barrier", "cast",
    "cbrt", "ceil", "cos", "cosh", "div", "equal", "erf", "exp", "exp2", "expm1", "floor", "floor_div", "greater",
    "greater_equal", "identity", "integer_pow", "isfinite", "isinf", "isnan", "less", "less_equal", "log", "log1p",
    "log2", "log10", "logical_and", "logical_not", "logical_or", "logical_xor", "maximum", "minimum", "mod", "mul",
    "neg", "not_equal", "pow", "reciprocal", "relu", "rint", "select", "sigmoid", "sign", "sin", "sinh", "sqrt",
    "square", "stop_gradient", "sub", "tan", "tanh", "trunc",
]  # fmt: skip

BOOL = numpy.dtype("bool")
NUMBERS = "iufc"
REAL = "iuf"
FLOATS = "fc"

_PIECEWISE_CONSTANT = not_differentiable("the result is piecewise constant")
_NOT_A_FLOAT = not_differentiable("the result is not a floating number")


def _unary(kinds: str, what: str, dtype: DType | None = None) -> Callable[..., TensorType]:
    def infer(x: TensorType) -> TensorType:
        require_kind(x, kinds, what)
        return x if dtype is None else x.with_dtype(dtype)

    return infer


def _binary(kinds: str, what: str, dtype: DType | None = None) -> Callable[..., TensorType]:
    def infer(x: TensorType, y: TensorType) -> TensorType:
        common = same_dtype((x, y))
        require_kind(x, kinds, what)
        return TensorType(dtype if dtype is not None else common, broadcast_shapes(x.shape, y.shape))

    return infer


def unary(name: str, kernel: Any, rule: Any, kinds: str = FLOATS, what: str = "floating numbers") -> Primitive:
    gradient = rule if not callable(rule) else [rule]
    return primitive(name, _unary(kinds, what), kernel, gradient, elementwise=True, out=isinstance(kernel, numpy.ufunc))


def predicate(name: str, kernel: Any, kinds: str, what: str) -> Primitive:
    return primitive(name, _unary(kinds, what, BOOL), kernel, _NOT_A_FLOAT, elementwise=True, out=True)


def binary(name: str, kernel: Any, *rules: Any, kinds: str = NUMBERS, commutative: bool = False) -> Primitive:
    gradient = list(rules) if callable(rules[0]) else rules[0]
    what = "numbers (cast booleans first)" if kinds == NUMBERS else "numbers that have an order"
    return primitive(name, _binary(kinds, what), kernel, gradient, elementwise=True, out=True, commutative=commutative)


def comparison(name: str, kernel: Any, kinds: str = "biufc", commutative: bool = False) -> Primitive:
    infer = _binary(kinds, "booleans" if kinds == "b" else "numbers", BOOL)
    return primitive(name, infer, kernel, _NOT_A_FLOAT, elementwise=True, out=True, commutative=commutative)


# Comparisons and logic --------------------------------------------------------------------------------------------

equal = comparison("equal", numpy.equal, commutative=True)
not_equal = comparison("not_equal", numpy.not_equal, commutative=True)
less = comparison("less", numpy.less)
less_equal = comparison("less_equal", numpy.less_equal)
greater = comparison("greater", numpy.greater)
greater_equal = comparison("greater_equal", numpy.greater_equal)
logical_and = comparison("logical_and", numpy.logical_and, "b", commutative=True)
logical_or = comparison("logical_or", numpy.logical_or, "b", commutative=True)
logical_xor = comparison("logical_xor", numpy.logical_xor, "b", commutative=True)
logical_not = predicate("logical_not", numpy.logical_not, "b", "booleans")
isnan = predicate("isnan", numpy.isnan, FLOATS, "floating numbers")
isinf = predicate("isinf", numpy.isinf, FLOATS, "floating numbers")
isfinite = predicate("isfinite", numpy.isfinite, FLOATS, "floating numbers")


# Selection and conversion -----------------------------------------------------------------------------------------


def _infer_select(condition: TensorType, x: TensorType, y: TensorType) -> TensorType:
    require_kind(condition, "b", "a boolean condition")
    return TensorType(same_dtype((x, y)), broadcast_shapes(condition.shape, x.shape, y.shape))


select: Primitive = primitive(
    "select",
    _infer_select,
    numpy.where,
    [None, lambda g, z, c, x, y: select(c, g, 0.0), lambda g, z, c, x, y: select(c, 0.0, g)],
    elementwise=True,
)


def _cast_gradient(g: Any, y: Any, x: Any, *, dtype: DType) -> Any:
    if not y.type.is_float:
        return None
    if g.type.dtype.kind == "c" and x.type.dtype.kind != "c":
        g = real(g)  # a real number reaches the real part only
    return cast(g, dtype=x.type.dtype)


cast = primitive(
    "cast",
    lambda x, *, dtype: x.with_dtype(dtype),
    lambda x, *, dtype: x.astype(dtype),
    [_cast_gradient],
    elementwise=True,
)
identity = primitive("identity", lambda x: x, numpy.array, [lambda g, y, x: g], elementwise=True)
stop_gradient = primitive(
    "stop_gradient", lambda x: x, numpy.array, not_differentiable("stop_gradient was asked for"), elementwise=True
)
# The same values, which no pass sees through: what is computed from them is computed again.
barrier: Primitive = primitive("barrier", lambda x: x, lambda x: x, [lambda g, y, x: g], view=True)

# Arithmetic -------------------------------------------------------------------------------------------------------

add = binary("add", numpy.add, lambda g, z, x, y: g, lambda g, z, x, y: g, commutative=True)
sub = binary("sub", numpy.subtract, lambda g, z, x, y: g, lambda g, z, x, y: -g)
mul = binary("mul", numpy.multiply, lambda g, z, x, y: g * y, lambda g, z, x, y: g * x, commutative=True)
div = primitive(
    "div",
    _binary(FLOATS, "floating numbers"),
    numpy.divide,
    [lambda g, z, x, y: g / y, lambda g, z, x, y: -(g * z) / y],
    elementwise=True,
    out=True,
)
floor_div = binary("floor_div", numpy.floor_divide, _PIECEWISE_CONSTANT, kinds=REAL)
# x - y * floor(x / y): the quotient is constant almost everywhere.
mod = binary(
    "mod", numpy.remainder, lambda g, z, x, y: g, lambda g, z, x, y: -g * stop_gradient(floor_div(x, y)), kinds=REAL
)
# d/dx is y x**(y-1), 0 where y is 0 even at x = 0; d/dy is x**y log x, 0 where x is 0 (JAX's conventions).
pow: Primitive = binary(
    "pow",
    numpy.power,
    lambda g, z, x, y: g * select(equal(y, 0.0), 0.0, y * pow(x, y - 1.0)),
    lambda g, z, x, y: g * z * log(select(equal(x, 0.0), 1.0, x)),
)
# Ties share the cotangent equally, as in JAX. Complex numbers are ordered by real parts, then by imaginary ones.
maximum = binary(
    "maximum",
    numpy.maximum,
    lambda g, z, x, y: g * share(greater(x, y), greater_equal(x, y), g),
    lambda g, z, x, y: g * share(greater(y, x), greater_equal(y, x), g),
    commutative=True,
)
minimum = binary(
    "minimum",
    numpy.minimum,
    lambda g, z, x, y: g * share(less(x, y), less_equal(x, y), g),
    lambda g, z, x, y: g * share(less(y, x), less_equal(y, x), g),
    commutative=True,
)
arctan2 = binary(
    "arctan2",
    numpy.arctan2,
    lambda g, z, x, y: g * y / (square(x) + square(y)),
    lambda g, z, x, y: -g * x / (square(x) + square(y)),
    kinds="f",
)


def share(wins: Any, not_beaten: Any, g: Any) -> Any:
    """1 where an operand wins, one half where it ties, else 0, in the cotangent's dtype."""
    return (cast(wins, dtype=g.type.dtype) + cast(not_beaten, dtype=g.type.dtype)) * 0.5


# Functions of one variable ----------------------------------------------------------------------------------------


def _infer_abs(x: TensorType) -> TensorType:
    require_kind(x, NUMBERS, "numbers")
    return x.with_dtype(real_of(x.dtype))


def _abs_gradient(g: Any, y: Any, x: Any) -> Any:
    return complex(g, 0.0) * conj(sign(x)) if x.type.dtype.kind == "c" else g * sign(x)


def _sign_gradient(g: Any, y: Any, x: Any) -> Any:
    if x.type.dtype.kind != "c":
        return None
    # A unit number turns only: by the part of dz at right angles to z, divided by abs(z).
    size = abs(x)
    turn = imag(g * y) / select(equal(size, 0.0), 1.0, size)
    return complex(turn * 0.0, turn) * conj(y)


neg = unary("neg", numpy.negative, lambda g, y, x: -g, "iufc", "numbers")
abs: Primitive = primitive("abs", _infer_abs, numpy.absolute, [_abs_gradient], elementwise=True, out=True)
sign: Primitive = primitive("sign", _unary(NUMBERS, "numbers"), sign_of, [_sign_gradient], elementwise=True, out=True)
floor = unary("floor", numpy.floor, _PIECEWISE_CONSTANT, "f", "real floating numbers")
ceil = unary("ceil", numpy.ceil, _PIECEWISE_CONSTANT, "f", "real floating numbers")
trunc = unary("trunc", numpy.trunc, _PIECEWISE_CONSTANT, "f", "real floating numbers")
rint = unary("rint", numpy.rint, _PIECEWISE_CONSTANT)
exp = unary("exp", numpy.exp, lambda g, y, x: g * y)
exp2 = unary("exp2", numpy.exp2, lambda g, y, x: g * y * math.log(2))
expm1 = unary("expm1", numpy.expm1, lambda g, y, x: g * (y + 1.0))
log: Primitive = unary("log", numpy.log, lambda g, y, x: g / x)
log2 = unary("log2", numpy.log2, lambda g, y, x: g / (x * math.log(2)))
log10 = unary("log10", numpy.log10, lambda g, y, x: g / (x * math.log(10)))
log1p = unary("log1p", numpy.log1p, lambda g, y, x: g / (x + 1.0))
sqrt = unary("sqrt", numpy.sqrt, lambda g, y, x: g * 0.5 / y)
cbrt = unary("cbrt", numpy.cbrt, lambda g, y, x: g / (3.0 * square(y)), "f", "real floating numbers")
square: Primitive = unary("square", numpy.square, lambda g, y, x: g * (2.0 * x), "iufc", "numbers")
reciprocal = unary("reciprocal", numpy.reciprocal, lambda g, y, x: -g * square(y), NUMBERS, "numbers")
sin = unary("sin", numpy.sin, lambda g, y, x: g * cos(x))
cos: Primitive = unary("cos", numpy.cos, lambda g, y, x: -g * sin(x))
tan = unary("tan", numpy.tan, lambda g, y, x: g * (1.0 + square(y)))
arcsin = unary("arcsin", numpy.arcsin, lambda g, y, x: g / sqrt(1.0 - square(x)))
arccos = unary("arccos", numpy.arccos, lambda g, y, x: -g / sqrt(1.0 - square(x)))
arctan = unary("arctan", numpy.arctan, lambda g, y, x: g / (1.0 + square(x)))
sinh = unary("sinh", numpy.sinh, lambda g, y, x: g * cosh(x))
cosh: Primitive = unary("cosh", numpy.cosh, lambda g, y, x: g * sinh(x))
tanh = unary("tanh", numpy.tanh, lambda g, y, x: g * (1.0 - square(y)))
arcsinh = unary("arcsinh", numpy.arcsinh, lambda g, y, x: g / sqrt(square(x) + 1.0))
arccosh = unary("arccosh", numpy.arccosh, lambda g, y, x: g / (sqrt(x - 1.0) * sqrt(x + 1.0)))
arctanh = unary("arctanh", numpy.arctanh, lambda g, y, x: g / (1.0 - square(x)))


def _erf(x: Any) -> Any:
    """NumPy has no erf; the C library's, element by element, in double precision."""
    return numpy.asarray(_math_erf(x)).astype(x.dtype)


def _sigmoid(x: Any) -> Any:
    # exp overflows to infinity for very negative x, whose reciprocal is the right limit.
    with numpy.errstate(over="ignore"):
        return numpy.reciprocal(numpy.exp(-x) + x.dtype.type(1))


_math_erf = numpy.frompyfunc(math.erf, 1, 1)
erf = unary("erf", _erf, lambda g, y, x: g * (2 / math.sqrt(math.pi)) * exp(-square(x)), "f", "real floating numbers")
sigmoid = unary("sigmoid", _sigmoid, lambda g, y, x: g * y * (1.0 - y))
# The derivative at 0 is 0.
relu = unary(
    "relu",
    lambda x: numpy.maximum(x, x.dtype.type(0)),
    lambda g, y, x: select(greater(x, 0.0), g, 0.0),
    REAL,
    "real numbers",
)


def _infer_integer_pow(x: TensorType, *, exponent: int) -> TensorType:
    require_kind(x, NUMBERS, "numbers (cast booleans first)")
    if exponent < 0 and x.dtype.kind in "iu":
        raise DTypeError(f"integers have no powers to {exponent}; cast to a floating dtype")
    return x


def _integer_pow_gradient(g: Any, z: Any, x: Any, *, exponent: int) -> Any:
    if exponent == 0:
        return None
    return g * (float(exponent) * integer_pow(x, exponent=exponent - 1))


integer_pow = primitive(
    "integer_pow",
    _infer_integer_pow,
    lambda x, *, exponent: numpy.power(x, x.dtype.type(exponent)),
    [_integer_pow_gradient],
    elementwise=True,
)
