"""The table of NumPy's elementwise functions: primitive, domain, what it computes and an example, one entry each."""

from __future__ import annotations

from dataclasses import dataclass

from dopegraph import ops
from dopegraph.ir.primitive import Primitive


@dataclass(frozen=True)
class Elementwise:
    """A function of the table.

    Attributes
    ----------
    op : Primitive
    domain : str
        ``number`` keeps the promoted dtype, ``inexact`` makes floats of integers, ``compare``, ``logic`` and
        ``predicate`` give booleans.
    summary, example : str
        For the docstring.
    on_bool : Primitive or None
        What booleans use instead.
    bool_as : str
        The dtype that booleans are computed in when they have no primitive of their own; empty if they are an error.
    """

    op: Primitive
    domain: str
    summary: str
    example: str
    on_bool: Primitive | None = None
    bool_as: str = ""


TABLE: dict[str, Elementwise] = {
    "add": Elementwise(ops.add, "number", "Sum", "np.add([1., 2.], 3)", ops.logical_or),
    "subtract": Elementwise(ops.sub, "number", "Difference", "np.subtract([1., 2.], 3)"),
    "multiply": Elementwise(ops.mul, "number", "Product", "np.multiply([1., 2.], 3)", ops.logical_and),
    "divide": Elementwise(ops.div, "inexact", "Quotient", "np.divide([1, 2], 4)"),
    "floor_divide": Elementwise(
        ops.floor_div, "number", "Quotient rounded down", "np.floor_divide([7, -7], 2)", bool_as="int8"
    ),
    "remainder": Elementwise(
        ops.mod, "number", "Remainder with the sign of the divisor", "np.remainder([7, -7], 3)", bool_as="int8"
    ),
    "power": Elementwise(
        ops.pow, "number", "First operand to the power of the second", "np.power([1., 2.], 3)", bool_as="int8"
    ),
    "maximum": Elementwise(
        ops.maximum, "number", "Larger of two, NaN if one is", "np.maximum([1, 5], 3)", ops.logical_or
    ),
    "minimum": Elementwise(
        ops.minimum, "number", "Smaller of two, NaN if one is", "np.minimum([1, 5], 3)", ops.logical_and
    ),
    "arctan2": Elementwise(
        ops.arctan2, "inexact", "Angle of the point (x2, x1), in radians", "np.arctan2([1., 0.], 1.)"
    ),
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
    "absolute": Elementwise(ops.abs, "number", "Absolute value", "np.absolute([1., -2.])", ops.identity),
    "sign": Elementwise(ops.sign, "number", "Sign: -1, 0 or 1", "np.sign([3., 0., -2.])"),
    "square": Elementwise(ops.square, "number", "Square", "np.square([3., -2.])", bool_as="int8"),
    "exp": Elementwise(ops.exp, "inexact", "Exponential", "np.exp([0., 1.])"),
    "exp2": Elementwise(ops.exp2, "inexact", "Power of two", "np.exp2([0., 3.])"),
    "expm1": Elementwise(ops.expm1, "inexact", "exp(x) - 1, exact for small x", "np.expm1([0., 1.])"),
    "log": Elementwise(ops.log, "inexact", "Natural logarithm", "np.log([1., 10.])"),
    "log2": Elementwise(ops.log2, "inexact", "Logarithm to base 2", "np.log2([1., 8.])"),
    "log10": Elementwise(ops.log10, "inexact", "Logarithm to base 10", "np.log10([1., 100.])"),
    "log1p": Elementwise(ops.log1p, "inexact", "log(1 + x), exact for small x", "np.log1p([0., 1.])"),
    "sqrt": Elementwise(ops.sqrt, "inexact", "Square root", "np.sqrt([4., 9.])"),
    "cbrt": Elementwise(ops.cbrt, "inexact", "Cube root", "np.cbrt([8., -27.])"),
    "reciprocal": Elementwise(ops.reciprocal, "number", "One over x", "np.reciprocal([2., 4.])", bool_as="int8"),
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
    "floor": Elementwise(ops.floor, "number", "Largest integer not above", "np.floor([1.5, -1.5])", ops.identity),
    "ceil": Elementwise(ops.ceil, "number", "Smallest integer not below", "np.ceil([1.5, -1.5])", ops.identity),
    "trunc": Elementwise(ops.trunc, "number", "Integer part", "np.trunc([1.5, -1.5])", ops.identity),
    "rint": Elementwise(ops.rint, "inexact", "Nearest integer, half to even", "np.rint([0.5, 1.5])"),
}

ALIASES = {
    "true_divide": "divide", "mod": "remainder", "abs": "absolute", "acos": "arccos", "asin": "arcsin",
    "atan": "arctan", "acosh": "arccosh", "asinh": "arcsinh", "atanh": "arctanh", "atan2": "arctan2", "pow": "power",
}  # fmt: skip
