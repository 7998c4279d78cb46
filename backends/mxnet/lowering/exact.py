"""Functions that MXNet computes differently from NumPy, composed of operators so that the result is NumPy's."""

from __future__ import annotations

import numpy

from dopegraph.backends.mxnet.lowering.context import Context, Entry

# Added and subtracted again this rounds to integers, half to even: the spacing of floats is 1 there.
_ROUNDING = {"float16": 2.0**10, "float32": 2.0**23, "float64": 2.0**52}


def sign(c: Context, x: Entry) -> Entry:
    return c.where(c.op("_equal", x, x), c.op("sign", x), x)  # MXNet gives 0 for NaN


def rint(c: Context, x: Entry) -> Entry:
    large = _ROUNDING[x.dtype.name]
    size = c.op("abs", x)
    rounded = c.scalar("_minus_scalar", c.scalar("_plus_scalar", size, large), large)
    whole = c.where(c.scalar("_lesser_scalar", size, large), rounded, size)
    signed = c.op("_npi_copysign", whole, x)  # which takes -0.0 for positive
    return c.where(c.scalar("_equal_scalar", whole, 0), c.scalar("_mul_scalar", x, 0), signed)


def float_mod(c: Context, x: Entry, y: Entry) -> Entry:
    # MXNet gives 0 for a divisor 0 and loses the sign of zeros; 0 / y is NaN at 0 and otherwise a zero.
    found = c.binary("_mod", "broadcast_mod", x, y)
    return c.where(c.scalar("_equal_scalar", found, 0), c.scalar("_rdiv_scalar", y, 0), found)


def float_floor_div(c: Context, x: Entry, y: Entry) -> Entry:
    quotient = c.div(x, y)
    rest = float_mod(c, x, y)
    exact = rint(c, c.div(c.sub(x, rest), y))
    # A zero has the sign of the quotient.
    exact = c.where(c.scalar("_equal_scalar", exact, 0), c.scalar("_mul_scalar", quotient, 0), exact)
    # Divided by infinity: -1 where the signs differ, otherwise 0.
    towards = c.op("floor", c.op("clip", c.mul(x, c.op("sign", y)), shape=quotient.shape, a_min=-1.0, a_max=0.0))
    infinite = c.sub(c.where(c.scalar("_equal_scalar", towards, 0), quotient, towards), c.sub(x, x))
    found = c.where(c.scalar("_equal_scalar", c.op("abs", y), numpy.inf), infinite, exact)
    return c.where(c.scalar("_equal_scalar", y, 0), quotient, found)


def _safe_divisor(c: Context, y: Entry) -> tuple[Entry, Entry]:
    """The divisor with 1 instead of 0, on which the processor would stop, and whether it was not 0."""
    return c.op("elemwise_add", y, c.scalar("_equal_scalar", y, 0)), c.scalar("_not_equal_scalar", y, 0)


def integer_floor_div(c: Context, x: Entry, y: Entry) -> Entry:
    divisor, nonzero = _safe_divisor(c, y)
    if y.dtype.kind == "i":
        # The smallest integer divided by -1 stops the processor too: divide by 1 and negate.
        minus = c.scalar("_equal_scalar", y, -1)
        divisor = c.add(divisor, c.scalar("_mul_scalar", minus, 2))
    quotient = c.div(x, divisor)
    rest = c.sub(x, c.mul(quotient, divisor))
    if y.dtype.kind == "i":
        signs = c.mul(c.op("sign", rest), c.op("sign", divisor))
        quotient = c.sub(quotient, c.scalar("_lesser_scalar", signs, 0))
        quotient = c.mul(quotient, c.scalar("_rminus_scalar", c.scalar("_mul_scalar", minus, 2), 1))
    return c.mul(quotient, nonzero)


def integer_mod(c: Context, x: Entry, y: Entry) -> Entry:
    if x.dtype.itemsize < 8:
        return c.binary("_mod", "broadcast_mod", x, y)  # computed in double precision
    rest = c.sub(x, c.mul(integer_floor_div(c, x, y), y))
    return c.mul(rest, c.scalar("_not_equal_scalar", y, 0))


def integer_abs(c: Context, x: Entry) -> Entry:
    return x if x.dtype.kind == "u" else c.op("_maximum", x, c.op("negative", x))  # `abs` goes through double
