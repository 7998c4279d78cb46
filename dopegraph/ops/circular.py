"""What derivatives of von Mises numbers are made of: the ratio of Bessel functions, and tails of the distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy

from dopegraph.ir.primitive import Primitive, primitive
from dopegraph.ir.types import TensorType
from dopegraph.ops.elementwise import cos, sin
from dopegraph.ops.special import bell
from dopegraph.ops.typing import broadcast_shapes, require_kind, same_dtype
from dopegraph.runtime.errors import ShapeError

# Gauss and Legendre's nodes in [0, 1]: the integrands below are smooth and fall by a factor of exp(40) at most.
_POINTS, _POINT_WEIGHTS = (part / 2 for part in numpy.polynomial.legendre.leggauss(64))
_NODES = [(0.5 + point, weight) for point, weight in zip(_POINTS.tolist(), _POINT_WEIGHTS.tolist())]
_FALL = 40.0


def _reach(sine: Any, kappa: Any) -> Any:
    """The angle at which the density is exp(-40) of that at an angle whose half has the given sine."""
    return 2 * numpy.arcsin(numpy.sqrt(numpy.minimum(sine**2 + _FALL / (2 * kappa), 1)))


def _cumulants(kappa: Any, count: int) -> list[Any]:
    """Those of 1 - cos t for a von Mises angle t, from its moments (exact where kappa is large, and t small)."""
    end = _reach(0.0, kappa)
    moments: list[Any] = [0.0] * (count + 1)
    for node, weight in _NODES:
        less = 2 * numpy.sin(end * node / 2) ** 2
        density = weight * numpy.exp(-kappa * less)
        moments = [moment + density * less**n for n, moment in enumerate(moments)]
    moments = [moment / moments[0] for moment in moments]
    found: list[Any] = []
    for n in range(1, count + 1):
        lower = [math.comb(n - 1, i) * found[i] * moments[n - 1 - i] for i in range(n - 1)]
        found.append(moments[n] - sum(lower))
    return found


def _infer_ratio(kappa: TensorType, *, order: int) -> TensorType:
    require_kind(kappa, "f", "real floating numbers")
    if order < 0:
        raise ShapeError(f"there is no derivative of order {order}")
    return kappa


def _ratio(kappa: Any, *, order: int) -> Any:
    with numpy.errstate(all="ignore"):
        found = (-1.0) ** (order + 1) * _cumulants(numpy.asarray(kappa, numpy.float64), order + 1)[order]
    return numpy.asarray(found + (order == 0)).astype(kappa.dtype)


# The mean of cos t, I_1(kappa) / I_0(kappa); its derivatives are the higher cumulants.
bessel_ratio: Primitive = primitive(
    "bessel_ratio", _infer_ratio, _ratio, [lambda g, y, x, *, order: g * bessel_ratio(x, order=order + 1)],
    elementwise=True,
)  # fmt: skip


def _infer_tail(x: TensorType, kappa: TensorType, *, order: int) -> TensorType:
    require_kind(x, "f", "real floating numbers")
    if order < 1:
        raise ShapeError(f"a derivative of order {order} is not one by the parameter")
    return TensorType(same_dtype((x, kappa)), broadcast_shapes(x.shape, kappa.shape))


def _tail(x: Any, kappa: Any, *, order: int) -> Any:
    """Derivative of the von Mises distribution function by kappa, over the density at x.

    The integral over a half circle is 0, so it is taken from x to the side on which nothing cancels: to 0 where cos x
    is above its mean, otherwise to pi.
    """
    x, kappa = numpy.broadcast_arrays(numpy.asarray(x, numpy.float64), numpy.asarray(kappa, numpy.float64))
    with numpy.errstate(all="ignore"):
        angle, sine = abs(x), numpy.sin(abs(x) / 2)
        less_mean, *higher = _cumulants(kappa, order)
        higher = [(-1.0) ** (n + 1) * one for n, one in enumerate(higher)]  # minus the cumulants of cos t
        inner = 2 * sine**2 < less_mean
        end = numpy.where(inner, 0.0, _reach(sine, kappa))
        total = numpy.zeros(x.shape)
        for node, weight in _NODES:
            t = angle + (end - angle) * node
            density = numpy.exp(-2 * kappa * numpy.sin((t + angle) / 2) * numpy.sin((t - angle) / 2))
            total += weight * density * bell([less_mean - 2 * numpy.sin(t / 2) ** 2, *higher])
        return -numpy.sign(x) * (end - angle) * total


def _by_angle(g: Any, z: Any, x: Any, kappa: Any, *, order: int) -> Any:
    cumulants = [cos(x) - bessel_ratio(kappa, order=0), *(-bessel_ratio(kappa, order=n) for n in range(1, order))]
    return g * (bell(cumulants) + z * kappa * sin(x))


def _by_kappa(g: Any, z: Any, x: Any, kappa: Any, *, order: int) -> Any:
    return g * (vonmises_tail(x, kappa, order=order + 1) - z * (cos(x) - bessel_ratio(kappa, order=0)))


vonmises_tail: Primitive = primitive(
    "vonmises_tail",
    _infer_tail,
    lambda x, kappa, *, order: numpy.asarray(_tail(x, kappa, order=order)).astype(x.dtype),
    [_by_angle, _by_kappa],
    elementwise=True,
)
