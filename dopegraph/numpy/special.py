"""Special functions: `sinc`, the Bessel function `i0`; and `unwrap`, which makes angles continuous."""

from __future__ import annotations

import math
import operator
from typing import Any

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.elementwise import call, computed_in
from dopegraph.numpy.promotion import as_array, convert, promote, scalar
from dopegraph.ops.typing import normalize_axis
from dopegraph.runtime.errors import AxisError, DTypeError, ShapeError
from dopegraph.runtime.location import here, located

__all__ = ["i0", "sinc", "unwrap"]

# Below it the series of sin(y) / y has float64's precision with this many terms, and its derivatives nearly so.
_NEAR_ZERO = 0.1
_TERMS = 8


def sinc(x: Any) -> ndarray:
    """``sin(pi x) / (pi x)``, 1 at 0; with derivatives of every order, by the power series near 0.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.sinc([0., 0.5, 1.5])
    array([ 1.        ,  0.63661975, -0.21220659], dtype=float32)
    """
    y = call("multiply", (as_array(x), math.pi))
    near = call("less", (call("absolute", (y,)), _NEAR_ZERO))
    zero, one = scalar(0, y.dtype), scalar(1, y.dtype)
    square = call("square", (apply(ops.select, near, y, zero),))
    series = one
    for term in range(_TERMS, 0, -1):
        series = one - square * series * (1 / (2 * term * (2 * term + 1)))
    away = apply(ops.select, near, one, y)
    return apply(ops.select, near, series, call("sin", (away,)) / away)


def i0(x: Any) -> ndarray:
    """Modified Bessel function of the first kind and order 0, of real numbers.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.i0(np.array([0., 1.], dtype="float64"))
    array([1.        , 1.26606588])
    """
    operand = as_array(x)
    if operand.dtype.kind == "c":
        raise DTypeError(located("i0: takes real numbers, not complex ones", here()))
    dtype = operand.dtype if operand.dtype.kind == "f" else computed_in("multiply", operand, 0.5)
    return apply(ops.bessel_i, convert(operand, dtype), order=0)


def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * math.pi) -> ndarray:
    """Angles without jumps: multiples of the period are added so that neighbours differ by at most half of it.

    Parameters
    ----------
    p : array_like
        Real numbers with at least one axis.
    discont : float, optional
        Smaller differences than this are left alone; half the period by default.
    axis : int, optional
        The axis along which elements are neighbours.
    period : float or int, optional
        Integers stay integers with an integer period.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.unwrap([0, 3, 6, 1, 4], period=8)
    array([ 0,  3,  6,  9, 12])
    """
    x = as_array(p)
    if x.ndim == 0:
        raise ShapeError(located("unwrap: a number has no neighbours; give at least one axis", here()))
    try:
        place = normalize_axis(operator.index(axis), x.ndim)
    except AxisError as cause:
        raise AxisError(located(f"unwrap: {cause}", here())) from None
    x, _ = promote((x, period))
    before = (slice(None),) * place
    first, rest = x[(*before, slice(None, 1))], x[(*before, slice(1, None))]
    step = rest - x[(*before, slice(None, -1))]
    whole = x.dtype.kind in "iu"
    half = period // 2 if whole else period / 2
    correction = (step + half) % period - half - step
    if not whole or period % 2 == 0:
        # A step up by exactly half a period is left as it is, and not turned into one down.
        up = call("logical_and", (call("equal", (correction + step, -half)), call("greater", (step, 0))))
        correction = apply(ops.select, up, half - step, correction)
    small = call("less", (call("absolute", (step,)), half if discont is None else discont))
    correction = apply(ops.select, small, scalar(0, x.dtype), correction)
    return apply(ops.concat, first, rest + apply(ops.cumsum, correction, axis=place), axis=place)
