"""Functions that derivatives of random numbers are made of: scaled erfc, polygamma, tails of the gamma distribution.

NumPy has none of them; the kernels compute in double precision. Derivatives of any order are again functions of this
file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy

from dopegraph.ir.primitive import Primitive, primitive
from dopegraph.ir.types import TensorType
from dopegraph.ops.elementwise import exp
from dopegraph.ops.typing import broadcast_shapes, require_kind, same_dtype
from dopegraph.runtime.errors import ShapeError


def _infer_unary(x: TensorType) -> TensorType:
    require_kind(x, "f", "real floating numbers")
    return x


def _math_erfcx(x: float) -> float:
    if x < 25:
        return math.exp(x * x) * math.erfc(x) if x > -26 else math.inf
    # Laplace's continued fraction, from its tenth term; its error is below the rounding here.
    tail = x
    for n in range(10, 0, -1):
        tail = x + n / (2 * tail)
    return 1 / (math.sqrt(math.pi) * tail)


_erfcx = numpy.frompyfunc(_math_erfcx, 1, 1)
erfcx: Primitive = primitive(
    "erfcx",
    _infer_unary,
    lambda x: numpy.asarray(_erfcx(x.astype(numpy.float64))).astype(x.dtype),
    [lambda g, y, x: g * (2.0 * x * y - 2 / math.sqrt(math.pi))],
    elementwise=True,
)

# Polygamma functions ----------------------------------------------------------------------------------------------

# Bernoulli numbers B_2, B_4, ...; the asymptotic series is used from 16 on, where ten terms are exact.
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)
_SHIFT = 16


def _infer_polygamma(x: TensorType, *, order: int) -> TensorType:
    require_kind(x, "f", "real floating numbers")
    if order < 0:
        raise ShapeError(f"there is no derivative of order {order}")
    return x


def polygamma_of(x: Any, order: int) -> Any:
    """Derivative of an order of the digamma function, for positive float64 (Abramowitz and Stegun, 6.4.6, 6.4.11)."""
    x = numpy.asarray(x, numpy.float64)
    sign, y = (-1.0) ** (order + 1), x + _SHIFT
    with numpy.errstate(all="ignore"):
        shifted = math.factorial(order) * sum(1 / (x + k) ** (order + 1) for k in range(_SHIFT))
        first = -numpy.log(y) if order == 0 else math.factorial(order - 1) / y**order
        series = first + math.factorial(order) / (2 * y ** (order + 1))
        for k, number in enumerate(_BERNOULLI, 1):
            series = series + number * math.factorial(2 * k + order - 1) / math.factorial(2 * k) / y ** (2 * k + order)
    return numpy.where(x > 0, sign * (series + shifted), numpy.nan)


polygamma: Primitive = primitive(
    "polygamma",
    _infer_polygamma,
    lambda x, *, order: numpy.asarray(polygamma_of(x, order)).astype(x.dtype),
    [lambda g, y, x, *, order: g * polygamma(x, order=order + 1)],
    elementwise=True,
)

# Tails of the gamma distribution ----------------------------------------------------------------------------------


def _infer_tail(alpha: TensorType, logx: TensorType, *, order: int) -> TensorType:
    require_kind(alpha, "f", "real floating numbers")
    if order < 1:
        raise ShapeError(f"a derivative of order {order} is not one by the parameter")
    return TensorType(same_dtype((alpha, logx)), broadcast_shapes(alpha.shape, logx.shape))


def bell(cumulants: Sequence[Any]) -> Any:
    """The complete Bell polynomial: the derivative of an exponential, over it, from those of the exponent."""
    found: list[Any] = [1.0]
    for n in range(len(cumulants)):
        terms = [math.comb(n, i) * found[n - i] * cumulants[i] for i in range(n + 1)]
        found.append(sum(terms[1:], terms[0]))
    return found[-1]


# Nodes and weights that double exponentially approach 0 and infinity (Takahasi and Mori, 1974), for functions that
# decay at least as exp(-w).
_T = numpy.arange(-38, 39) * 0.1
_NODES = numpy.exp(_T - numpy.exp(-_T))
_WEIGHTS = _NODES * (1 + numpy.exp(-_T)) * 0.1


def _tail(alpha: Any, logx: Any, *, order: int) -> Any:
    r"""Derivative of the gamma distribution function by its parameter, over x times its density at x.

    With t = x exp(-v) the integral over the density's derivative below x is one over positive v, the one above x with
    t = x exp(v); both integrands fall monotonically where they are used. The integral over all t is 0, so either will
    do: for the first order none cancels.
    """
    a, lx = numpy.broadcast_arrays(numpy.asarray(alpha, numpy.float64), numpy.asarray(logx, numpy.float64))
    with numpy.errstate(all="ignore"):
        x = numpy.exp(lx)
        above = x > numpy.maximum(a, 1)
        sign = numpy.where(above, 1.0, -1.0)
        slope = sign * (x - a)
        root = numpy.hypot(slope, numpy.sqrt(2 * x))
        # Where the integrand has fallen to 1/e.
        scale = numpy.where(slope > 0, 2 / (slope + root), (root - slope) / x)
        scale = numpy.where(above, scale, numpy.maximum(scale, 1 / a))
        log_moment = lx - polygamma_of(a, 0)
        higher = [-polygamma_of(a, n) for n in range(1, order)]
        total = numpy.zeros(a.shape)
        for node, weight in zip(_NODES, _WEIGHTS):
            v = sign * scale * node
            decay = numpy.exp(a * v - x * numpy.expm1(v))
            total += weight * numpy.where(decay > 0, decay * bell([log_moment + v, *higher]), 0.0)
        return numpy.asarray(numpy.where(numpy.isnan(a + lx), numpy.nan, -sign * scale * total)).astype(alpha.dtype)


def _by_parameter(g: Any, z: Any, alpha: Any, logx: Any, *, order: int) -> Any:
    return g * (gamma_tail(alpha, logx, order=order + 1) - z * (logx - polygamma(alpha, order=0)))


def _by_logarithm(g: Any, z: Any, alpha: Any, logx: Any, *, order: int) -> Any:
    cumulants = [logx - polygamma(alpha, order=0), *(-polygamma(alpha, order=n) for n in range(1, order))]
    return g * (bell(cumulants) - z * (alpha - exp(logx)))


gamma_tail: Primitive = primitive("gamma_tail", _infer_tail, _tail, [_by_parameter, _by_logarithm], elementwise=True)
