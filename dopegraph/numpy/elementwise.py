"""NumPy's elementwise functions: a table of one line each, made into functions with NumPy's signatures and docstrings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import apply, ndarray
from dopegraph.ir.primitive import Primitive
from dopegraph.numpy.assign import finish
from dopegraph.numpy.promotion import (
    BOOL,
    FLOAT64,
    as_array,
    as_operand,
    convert,
    inexact_dtype,
    promote,
    result_dtype,
    scalar,
)
from dopegraph.runtime.errors import DTypeError
from dopegraph.runtime.location import here, located


@dataclass(frozen=True)
class Elementwise:
    """A function of the table: its primitive, how operands are promoted, what it computes, and an example."""

    op: Primitive
    domain: str
    summary: str
    example: str
    on_bool: Primitive | None = None


# domain: "number" keeps the promoted dtype, "inexact" makes floats of integers, "compare" and "logic" give booleans.
TABLE: dict[str, Elementwise] = {
    "add": Elementwise(ops.add, "number", "Sum", "np.add([1., 2.], 3)", ops.logical_or),
    "subtract": Elementwise(ops.sub, "number", "Difference", "np.subtract([1., 2.], 3)"),
    "multiply": Elementwise(ops.mul, "number", "Product", "np.multiply([1., 2.], 3)", ops.logical_and),
    "divide": Elementwise(ops.div, "inexact", "Quotient", "np.divide([1, 2], 4)"),
    "floor_divide": Elementwise(ops.floor_div, "number", "Quotient rounded down", "np.floor_divide([7, -7], 2)"),
    "remainder": Elementwise(ops.mod, "number", "Remainder with the sign of the divisor", "np.remainder([7, -7], 3)"),
    "power": Elementwise(ops.pow, "number", "First operand to the power of the second", "np.power([1., 2.], 3)"),
    "maximum": Elementwise(ops.maximum, "number", "Larger of two, NaN if one is", "np.maximum([1, 5], 3)", ops.logical_or),
    "minimum": Elementwise(ops.minimum, "number", "Smaller of two, NaN if one is", "np.minimum([1, 5], 3)", ops.logical_and),
    "arctan2": Elementwise(ops.arctan2, "inexact", "Angle of the point (x2, x1), in radians", "np.arctan2([1., 0.], 1.)"),
    "equal": Elementwise(ops.equal, "compare", "Whether equal", "np.equal([1, 2], 2)"),
    "not_equal": Elementwise(ops.not_equal, "compare", "Whether different", "np.not_equal([1, 2], 2)"),
    "less": Elementwise(ops.less, "compare", "Whether the first is smaller", "np.less([1, 2], 2)"),
    "less_equal": Elementwise(ops.less_equal, "compare", "Whether the first is not larger", "np.less_equal([1, 3], 2)"),
    "greater": Elementwise(ops.greater, "compare", "Whether the first is larger", "np.greater([1, 3], 2)"),
    "greater_equal": Elementwise(
        ops.greater_equal, "compare", "Whether the first is not smaller", "np.greater_equal([1, 2], 2)"
    ),
    "logical_and": Elementwise(ops.logical_and, "logic", "Whether both are true", "np.logical_and([0, 1], 1)"),
    "logical_or": Elementwise(ops.logical_or, "logic", "Whether one is true", "np.logical_or([0, 1], 0)"),
    "logical_xor": Elementwise(ops.logical_xor, "logic", "Whether exactly one is true", "np.logical_xor([0, 1], 1)"),
    "logical_not": Elementwise(ops.logical_not, "logic", "Whether false", "np.logical_not([0, 1])"),
    "isnan": Elementwise(ops.isnan, "predicate", "Whether not a number", "np.isnan([1., np.nan])"),
    "isinf": Elementwise(ops.isinf, "predicate", "Whether infinite", "np.isinf([1., np.inf])"),
    "isfinite": Elementwise(ops.isfinite, "predicate", "Whether neither infinite nor NaN", "np.isfinite([1., np.inf])"),
    "negative": Elementwise(ops.neg, "number", "Negative", "np.negative([1., -2.])"),
    "absolute": Elementwise(ops.abs, "number", "Absolute value", "np.absolute([1., -2.])"),
    "sign": Elementwise(ops.sign, "number", "Sign: -1, 0 or 1", "np.sign([3., 0., -2.])"),
    "square": Elementwise(ops.square, "number", "Square", "np.square([3., -2.])"),
    "exp": Elementwise(ops.exp, "inexact", "Exponential", "np.exp([0., 1.])"),
    "exp2": Elementwise(ops.exp2, "inexact", "Power of two", "np.exp2([0., 3.])"),
    "expm1": Elementwise(ops.expm1, "inexact", "exp(x) - 1, exact for small x", "np.expm1([0., 1.])"),
    "log": Elementwise(ops.log, "inexact", "Natural logarithm", "np.log([1., 10.])"),
    "log2": Elementwise(ops.log2, "inexact", "Logarithm to base 2", "np.log2([1., 8.])"),
    "log10": Elementwise(ops.log10, "inexact", "Logarithm to base 10", "np.log10([1., 100.])"),
    "log1p": Elementwise(ops.log1p, "inexact", "log(1 + x), exact for small x", "np.log1p([0., 1.])"),
    "sqrt": Elementwise(ops.sqrt, "inexact", "Square root", "np.sqrt([4., 9.])"),
    "cbrt": Elementwise(ops.cbrt, "inexact", "Cube root", "np.cbrt([8., -27.])"),
    "reciprocal": Elementwise(ops.reciprocal, "number", "One over x", "np.reciprocal([2., 4.])"),
    "sin": Elementwise(ops.sin, "inexact", "Sine of an angle in radians", "np.sin([0., 1.])"),
    "cos": Elementwise(ops.cos, "inexact", "Cosine of an angle in radians", "np.cos([0., 1.])"),
    "tan": Elementwise(ops.tan, "inexact", "Tangent of an angle in radians", "np.tan([0., 1.])"),
    "arcsin": Elementwise(ops.arcsin, "inexact", "Inverse sine, in radians", "np.arcsin([0., 1.])"),
    "arccos": Elementwise(ops.arccos, "inexact", "Inverse cosine, in radians", "np.arccos([0., 1.])"),
    "arctan": Elementwise(ops.arctan, "inexact", "Inverse tangent, in radians", "np.arctan([0., 1.])"),
    "sinh": Elementwise(ops.sinh, "inexact", "Hyperbolic sine", "np.sinh([0., 1.])"),
    "cosh": Elementwise(ops.cosh, "inexact", "Hyperbolic cosine", "np.cosh([0., 1.])"),
    "tanh": Elementwise(ops.tanh, "inexact", "Hyperbolic tangent", "np.tanh([0., 1.])"),
    "arcsinh": Elementwise(ops.arcsinh, "inexact", "Inverse hyperbolic sine", "np.arcsinh([0., 1.])"),
    "arccosh": Elementwise(ops.arccosh, "inexact", "Inverse hyperbolic cosine", "np.arccosh([1., 2.])"),
    "arctanh": Elementwise(ops.arctanh, "inexact", "Inverse hyperbolic tangent", "np.arctanh([0., 0.5])"),
    "floor": Elementwise(ops.floor, "number", "Largest integer not above", "np.floor([1.5, -1.5])"),
    "ceil": Elementwise(ops.ceil, "number", "Smallest integer not below", "np.ceil([1.5, -1.5])"),
    "trunc": Elementwise(ops.trunc, "number", "Integer part", "np.trunc([1.5, -1.5])"),
    "rint": Elementwise(ops.rint, "inexact", "Nearest integer, half to even", "np.rint([0.5, 1.5])"),
}

ALIASES = {
    "true_divide": "divide", "mod": "remainder", "abs": "absolute", "acos": "arccos", "asin": "arcsin",
    "atan": "arctan", "acosh": "arccosh", "asinh": "arcsinh", "atanh": "arctanh", "atan2": "arctan2", "pow": "power",
}  # fmt: skip

_UNCHANGED_INTEGERS = ("floor", "ceil", "trunc")


def call(name: str, operands: tuple[Any, ...], dtype: Any = None) -> ndarray:
    """Promote operands by the table's domain and apply the primitive."""
    entry = TABLE[name]
    given = None if dtype is None else numpy.dtype(dtype)
    taken = [as_operand(x) for x in operands]
    if entry.domain == "logic":
        return apply(entry.op, *[truth(x) for x in taken])
    common = result_dtype(taken) if given is None else given
    if entry.domain == "compare":
        return apply(entry.op, *promote(taken, _comparison_dtype(taken, common)))
    if entry.domain == "inexact":
        common = inexact_dtype(common)
    if entry.domain == "predicate" and common.kind not in "fc":
        common = FLOAT64
    if name == "power":
        special = _integer_power(taken, common)
        if special is not None:
            return special
    if common == BOOL:
        if entry.on_bool is None:
            message = f"{name}: booleans are not numbers here; use logical_xor or astype"
            raise DTypeError(located(message, here()))
        return apply(entry.on_bool, *promote(taken, BOOL))
    arrays = promote(taken, common)
    if name in _UNCHANGED_INTEGERS and common.kind in "iu":
        return apply(ops.identity, *arrays)
    return apply(entry.op, *arrays)


def truth(x: Any) -> ndarray:
    """The truth values of the elements."""
    return convert(x, BOOL) if isinstance(x, ndarray) else scalar(bool(x), BOOL)


def _comparison_dtype(operands: list[Any], common: numpy.dtype) -> numpy.dtype:
    """Comparisons must be exact: Python numbers that the common dtype cannot hold are compared in a wider one."""
    for x in operands:
        if type(x) is int and common.kind in "iu":
            info = numpy.iinfo(common)
            if not info.min <= x <= info.max:
                return FLOAT64
        if type(x) is float and any(isinstance(y, ndarray) and y.dtype.kind in "iu" for y in operands):
            return FLOAT64
    return common


def _integer_power(operands: list[Any], common: numpy.dtype) -> ndarray | None:
    """``x ** 2`` and the like: repeated multiplication, with derivatives at 0."""
    base, exponent = operands
    if type(exponent) is float and exponent.is_integer() and abs(exponent) < 128 and common.kind in "fc":
        exponent = int(exponent)
    if type(exponent) is not int or not isinstance(base, ndarray):
        return None
    if common.kind in "iu" and exponent < 0:
        raise ValueError(located("power: integers to negative powers are not integers; use floats", here()))
    if abs(exponent) >= 128:
        return None
    return apply(ops.integer_pow, convert(base, common), exponent=exponent)


def _unary(name: str) -> Callable[..., ndarray]:
    def function(
        x: Any, /, out: ndarray | None = None, *, where: Any = True, casting: str = "same_kind", dtype: Any = None
    ) -> ndarray:
        return finish(call(name, (x,), dtype), out, where)

    return function


def _binary(name: str) -> Callable[..., ndarray]:
    def function(
        x1: Any,
        x2: Any,
        /,
        out: ndarray | None = None,
        *,
        where: Any = True,
        casting: str = "same_kind",
        dtype: Any = None,
    ) -> ndarray:
        return finish(call(name, (x1, x2), dtype), out, where)

    return function


def _docstring(name: str, entry: Elementwise) -> str:
    operands = "x : array_like" if entry.op.arity == 1 else "x1, x2 : array_like\n    Operands; they broadcast."
    result = {"compare": "bool", "logic": "bool", "predicate": "bool", "inexact": "floating"}.get(
        entry.domain, "the promoted dtype of the operands"
    )
    return f"""{entry.summary}, element by element.

Parameters
----------
{operands}
out : ndarray, optional
    Receives the result (cast with ``same_kind``).
where : array_like of bool, optional
    Elements for which it is false keep what `out` holds (0 without `out`).
dtype : dtype, optional
    Compute in this dtype.

Returns
-------
ndarray
    Of dtype {result}.

See Also
--------
numpy.{name}

Examples
--------
>>> import dopegraph.numpy as np
>>> y = {entry.example}
"""


def make(name: str) -> Callable[..., ndarray]:
    """The function of a table entry."""
    entry = TABLE[name]
    function = (_unary if entry.op.arity == 1 else _binary)(name)
    function.__name__ = function.__qualname__ = name
    function.__module__ = "dopegraph.numpy"
    function.__doc__ = _docstring(name, entry)
    return function


def divmod(x1: Any, x2: Any, /) -> tuple[ndarray, ndarray]:
    """Quotient rounded down, and remainder: ``(x1 // x2, x1 % x2)``."""
    return call("floor_divide", (x1, x2)), call("remainder", (x1, x2))


def where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    """Elements of `x` where the condition is true, of `y` elsewhere; all three broadcast.

    With the condition alone the positions of its true elements, as ``nonzero`` (on the host).

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.where(np.array([True, False]), 1.0, -1.0)
    array([ 1., -1.], dtype=float32)
    """
    if (x is None) != (y is None):
        raise ValueError(located("where: give both x and y, or neither", here()))
    if x is None:
        return tuple(as_array(part) for part in numpy.nonzero(as_array(condition)._look("host-call", "where")))
    return apply(ops.select, truth(as_operand(condition)), *promote((x, y)))


def clip(a: Any, a_min: Any = None, a_max: Any = None, out: ndarray | None = None) -> ndarray:
    """Values limited to the interval from `a_min` to `a_max`; None means no limit.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.clip([-3., 0.5, 3.], -1, 1)
    array([-1. ,  0.5,  1. ], dtype=float32)
    """
    result = as_array(a)
    if a_min is not None:
        result = call("maximum", (result, a_min))
    if a_max is not None:
        result = call("minimum", (result, a_max))
    return finish(result, out)


def isclose(a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> ndarray:
    """Whether ``abs(a - b) <= atol + rtol * abs(b)``, element by element; infinities are close to themselves."""
    x, y = promote((a, b))
    if x.dtype.kind not in "fc":
        x, y = promote((x, y), FLOAT64)
    near = call("less_equal", (call("absolute", (x - y,)), atol + rtol * call("absolute", (y,))))
    same = call("equal", (x, y))
    result = call("logical_or", (same, call("logical_and", (near, call("isfinite", (y,))))))
    if equal_nan:
        both = call("logical_and", (call("isnan", (x,)), call("isnan", (y,))))
        result = call("logical_or", (result, both))
    return result
