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
        ``number`` keeps the promoted dtype, ``inexact`` makes floats of integers, ``double`` makes at least float64,
        ``integer`` takes integers and booleans only, ``scaled`` a float and an integer; ``compare``, ``logic`` and
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
    "sign": Elementwise(
        ops.sign, "number", "Sign: -1, 0 or 1; of complex numbers z / abs(z)", "np.sign([3., 0., -2.])"
    ),
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
    "positive": Elementwise(ops.identity, "number", "The same numbers, copied", "np.positive([1., -2.])"),
    "conjugate": Elementwise(ops.conj, "number", "Complex conjugate", "np.conjugate([1 + 2j, 3.])", bool_as="int8"),
    "fabs": Elementwise(ops.abs, "real", "Absolute value of real numbers, as floats", "np.fabs([1, -2])"),
    "float_power": Elementwise(
        ops.pow, "double", "Power in double precision at least", "np.float_power([1, 2, 3], -2)"
    ),
    "fmod": Elementwise(
        ops.fmod, "number", "Remainder with the sign of the dividend", "np.fmod([7, -7], 3)", bool_as="int8"
    ),
    "fmax": Elementwise(
        ops.fmax, "number", "Larger of two, the other one if one is NaN", "np.fmax([1., np.nan], 0.5)", ops.logical_or
    ),
    "fmin": Elementwise(
        ops.fmin,
        "number",
        "Smaller of two, the other one if one is NaN",
        "np.fmin([1., np.nan], 0.5)",
        ops.logical_and,
    ),
    "hypot": Elementwise(ops.hypot, "inexact", "Length of the vector (x1, x2)", "np.hypot([3., 5.], [4., 12.])"),
    "copysign": Elementwise(
        ops.copysign, "inexact", "First operand with the sign of the second", "np.copysign([1., -2.], -1.)"
    ),
    "heaviside": Elementwise(
        ops.heaviside, "inexact", "Step function: 0, 1, and the second operand at 0", "np.heaviside([-1., 0.], 0.5)"
    ),
    "logaddexp": Elementwise(
        ops.logaddexp, "inexact", "log(exp(x1) + exp(x2)) without overflow", "np.logaddexp([1000., 0.], 1000.)"
    ),
    "logaddexp2": Elementwise(
        ops.logaddexp2, "inexact", "log2(2**x1 + 2**x2) without overflow", "np.logaddexp2([1000., 0.], 1000.)"
    ),
    "nextafter": Elementwise(
        ops.nextafter, "inexact", "Next floating number towards the second operand", "np.nextafter([1., 2.], 0.)"
    ),
    "spacing": Elementwise(
        ops.spacing, "inexact", "Distance to the next floating number away from 0", "np.spacing([1., 100.])"
    ),
    "signbit": Elementwise(
        ops.signbit, "predicate", "Whether the sign is minus, that of -0. too", "np.signbit([-0., 1.])"
    ),
    "degrees": Elementwise(ops.degrees, "inexact", "Degrees of an angle in radians", "np.degrees([0., np.pi])"),
    "rad2deg": Elementwise(ops.degrees, "inexact", "Degrees of an angle in radians", "np.rad2deg([0., np.pi])"),
    "radians": Elementwise(ops.radians, "inexact", "Radians of an angle in degrees", "np.radians([0., 180.])"),
    "deg2rad": Elementwise(ops.radians, "inexact", "Radians of an angle in degrees", "np.deg2rad([0., 180.])"),
    "ldexp": Elementwise(ops.ldexp, "scaled", "x1 * 2**x2, x2 an integer", "np.ldexp([1.5, 2.], [1, -1])"),
    "bitwise_and": Elementwise(
        ops.bitwise_and, "integer", "Bits that both have", "np.bitwise_and([6, 5], 3)", ops.logical_and
    ),
    "bitwise_or": Elementwise(
        ops.bitwise_or, "integer", "Bits that one of two has", "np.bitwise_or([6, 5], 3)", ops.logical_or
    ),
    "bitwise_xor": Elementwise(
        ops.bitwise_xor, "integer", "Bits that exactly one of two has", "np.bitwise_xor([6, 5], 3)", ops.logical_xor
    ),
    "invert": Elementwise(ops.bitwise_not, "integer", "All bits turned over", "np.invert([6, -1])", ops.logical_not),
    "left_shift": Elementwise(
        ops.left_shift, "integer", "Bits moved to the left, x1 * 2**x2", "np.left_shift([1, 5], 2)", bool_as="int8"
    ),
    "right_shift": Elementwise(
        ops.right_shift,
        "integer",
        "Bits moved to the right, x1 // 2**x2",
        "np.right_shift([7, -7], 1)",
        bool_as="int8",
    ),
    "bitwise_count": Elementwise(
        ops.bitwise_count,
        "integer",
        "Number of bits set in the absolute value",
        "np.bitwise_count([7, -8])",
        bool_as="int8",
    ),
    "gcd": Elementwise(ops.gcd, "integer", "Greatest common divisor", "np.gcd([12, 18], 8)"),
    "lcm": Elementwise(ops.lcm, "integer", "Least common multiple", "np.lcm([4, 6], 10)"),
    "rint": Elementwise(ops.rint, "inexact", "Nearest integer, half to even", "np.rint([0.5, 1.5])"),
}

ALIASES = {
    "true_divide": "divide", "mod": "remainder", "abs": "absolute", "acos": "arccos", "asin": "arcsin",
    "atan": "arctan", "acosh": "arccosh", "asinh": "arcsinh", "atanh": "arctanh", "atan2": "arctan2", "pow": "power",
    "conj": "conjugate", "bitwise_not": "invert", "bitwise_invert": "invert", "bitwise_left_shift": "left_shift",
    "bitwise_right_shift": "right_shift",
}  # fmt: skip
