"""Primitives of real floating numbers beyond arithmetic: distances, signs, exponents, sums of exponentials, angles."""

from __future__ import annotations

import math
from typing import Any

import numpy

from dopegraph.ir.primitive import Primitive, not_differentiable, primitive
from dopegraph.ir.types import TensorType
from dopegraph.ops.elementwise import (
    BOOL,
    NUMBERS,
    REAL,
    binary,
    div,
    equal,
    exp,
    exp2,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_or,
    not_equal,
    rint,
    select,
    share,
    stop_gradient,
    unary,
)
from dopegraph.ops.typing import broadcast_shapes, require_kind

__all__ = [
    "bessel_i", "copysign", "degrees", "exponent", "fmax", "fmin", "fmod", "heaviside", "hypot", "ldexp", "logaddexp",
    "logaddexp2", "nextafter", "radians", "signbit", "spacing",
]  # fmt: skip

_INT32 = numpy.dtype("int32")


def _infer_signbit(x: TensorType) -> TensorType:
    require_kind(x, "f", "real floating numbers")
    return x.with_dtype(BOOL)


signbit = primitive(
    "signbit",
    _infer_signbit,
    numpy.signbit,
    not_differentiable("the result is a boolean"),
    elementwise=True,
    out=True,
)


def _ratio(x: Any, z: Any) -> Any:
    """x / z, and 0 where z is 0."""
    return x / select(equal(z, 0.0), 1.0, z)


# The derivative of a distance of 0 is 0, as that of `abs`.
hypot: Primitive = binary(
    "hypot",
    numpy.hypot,
    lambda g, z, x, y: g * _ratio(x, z),
    lambda g, z, x, y: g * _ratio(y, z),
    kinds="f",
    commutative=True,
)
copysign = binary(
    "copysign", numpy.copysign, lambda g, z, x, y: select(not_equal(signbit(x), signbit(y)), -g, g), lambda *_: None,
    kinds="f",
)  # fmt: skip
# x - y * trunc(x / y): the quotient is constant almost everywhere, and x - z is a multiple of y.
fmod = binary(
    "fmod", numpy.fmod, lambda g, z, x, y: g, lambda g, z, x, y: -g * stop_gradient(rint(div(x - z, y))), kinds=REAL
)


def _chosen(wins: Any, not_beaten: Any, g: Any, other: Any) -> Any:
    """The part of the cotangent for an operand that wins, or whose rival is NaN; ties share as in `maximum`."""
    missing = not_equal(other, other)
    return g * share(logical_or(wins, missing), logical_or(not_beaten, missing), g)


fmax = binary(
    "fmax",
    numpy.fmax,
    lambda g, z, x, y: _chosen(greater(x, y), greater_equal(x, y), g, y),
    lambda g, z, x, y: _chosen(greater(y, x), greater_equal(y, x), g, x),
    kinds=NUMBERS,
)
fmin = binary(
    "fmin",
    numpy.fmin,
    lambda g, z, x, y: _chosen(less(x, y), less_equal(x, y), g, y),
    lambda g, z, x, y: _chosen(less(y, x), less_equal(y, x), g, x),
    kinds=NUMBERS,
)
heaviside = binary(
    "heaviside", numpy.heaviside, lambda *_: None, lambda g, z, x, y: select(equal(x, 0.0), g, 0.0), kinds="f"
)
nextafter = binary("nextafter", numpy.nextafter, not_differentiable("the result is a step between numbers"), kinds="f")
spacing = unary(
    "spacing", numpy.spacing, not_differentiable("the result is piecewise constant"), "f", "real floating numbers"
)


def _below(x: Any, z: Any) -> Any:
    """x - z, which is no NaN for equal infinities."""
    return select(equal(x, z), 0.0, x - z)


logaddexp = binary(
    "logaddexp",
    numpy.logaddexp,
    lambda g, z, x, y: g * exp(_below(x, z)),
    lambda g, z, x, y: g * exp(_below(y, z)),
    kinds="f",
    commutative=True,
)
logaddexp2 = binary(
    "logaddexp2",
    numpy.logaddexp2,
    lambda g, z, x, y: g * exp2(_below(x, z)),
    lambda g, z, x, y: g * exp2(_below(y, z)),
    kinds="f",
    commutative=True,
)
degrees: Primitive = unary("degrees", numpy.degrees, lambda g, y, x: degrees(g), "f", "real floating numbers")
radians: Primitive = unary("radians", numpy.radians, lambda g, y, x: radians(g), "f", "real floating numbers")


# Numbers as ``m * 2 ** e`` -----------------------------------------------------------------------------------------


def _infer_ldexp(x: TensorType, e: TensorType) -> TensorType:
    require_kind(x, "f", "real floating numbers")
    require_kind(e, "i", "signed integers as exponents")
    return TensorType(x.dtype, broadcast_shapes(x.shape, e.shape))


def _infer_exponent(x: TensorType) -> TensorType:
    require_kind(x, "f", "real floating numbers")
    return x.with_dtype(_INT32)


ldexp: Primitive = primitive(
    "ldexp", _infer_ldexp, numpy.ldexp, [lambda g, z, x, e: ldexp(g, e), None], elementwise=True, out=True
)
exponent = primitive(
    "exponent",
    _infer_exponent,
    lambda x: numpy.frexp(x)[1],
    not_differentiable("the result is an integer"),
    elementwise=True,
)


# Bessel functions --------------------------------------------------------------------------------------------------

# With 128 nodes the trapezoidal rule has no error left in float64 wherever the result is finite: the error is the
# Bessel function of order 256, which at 713 is e**-45 of the one of order 0.
_NODES = 128


def _infer_bessel_i(x: TensorType, *, order: int) -> TensorType:
    require_kind(x, "f", "real floating numbers")
    return x


def _bessel_i(x: Any, *, order: int) -> Any:
    """NumPy has order 0 only; others by the trapezoidal rule on Bessel's integral, the mean of e**(x cos t) cos(n t).

    It converges exponentially: Trefethen and Weideman, SIAM Review 56 (2014), section 4.
    """
    if order == 0:
        return numpy.asarray(numpy.i0(x)).astype(x.dtype)
    wide = numpy.asarray(x, "float64")
    size = numpy.abs(wide)
    total = numpy.zeros_like(wide)
    with numpy.errstate(all="ignore"):
        for node in range(_NODES + 1):
            angle = math.pi * node / _NODES
            weight = (0.5 if node in (0, _NODES) else 1.0) * math.cos(order * angle) / _NODES
            total += weight * numpy.exp(size * (math.cos(angle) - 1))
        grown = total * numpy.exp(size)
    return (grown if order % 2 == 0 else numpy.copysign(grown, wide)).astype(x.dtype)


def _bessel_gradient(g: Any, y: Any, x: Any, *, order: int) -> Any:
    if order == 0:
        return g * bessel_i(x, order=1)
    return g * (bessel_i(x, order=order - 1) + bessel_i(x, order=order + 1)) * 0.5


bessel_i = primitive("bessel_i", _infer_bessel_i, _bessel_i, [_bessel_gradient], elementwise=True)
"""Modified Bessel function of the first kind, of integer order."""
