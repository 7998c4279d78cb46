"""Differences, derivatives and integrals of sampled functions, interpolation between samples, convolution."""

from __future__ import annotations

import operator
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.joining import concatenate, is_new, together
from dopegraph.numpy.logic import where
from dopegraph.numpy.promotion import BOOL, FLOAT64, INT64, as_array, as_operand, convert, new
from dopegraph.numpy.reduction import sum as array_sum
from dopegraph.numpy.shape import axis_of, broadcast_to, flip, reshape
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located

__all__ = ["convolve", "correlate", "diff", "gradient", "interp", "trapezoid"]


def _along(x: ndarray, axis: int, start: int | None, stop: int | None, step: int | None = None) -> ndarray:
    return x[(*(slice(None),) * axis, slice(start, stop, step))]


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> ndarray:
    """Differences of neighbours along an axis, taken `n` times; of booleans, whether they differ.

    Parameters
    ----------
    a : array_like
    n : int, optional
    axis : int, optional
    prepend, append : array_like, optional
        Values that stand before and behind the others along the axis.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.diff([1, 4, 9, 16]), np.diff([1, 4, 9, 16], n=2)
    (array([3, 5, 7]), array([2, 2]))
    """
    times = operator.index(n)
    if times == 0:
        return a if isinstance(a, ndarray) else as_array(a)
    if times < 0:
        raise ValueError(located(f"diff: n must not be negative: {n}", here()))
    x = as_array(a)
    if x.ndim == 0:
        raise ShapeError(located("diff: an array without axes has no neighbours", here()))
    place = axis_of(axis, x.ndim, "diff")
    one = (*x.shape[:place], 1, *x.shape[place + 1 :])
    around = [None if part is None else as_array(part) for part in (prepend, append)]
    around = [broadcast_to(part, one) if part is not None and part.ndim == 0 else part for part in around]
    parts = [part for part in (around[0], x, around[1]) if part is not None]
    if len(parts) > 1:
        x = concatenate(parts, place)
    name = "not_equal" if x.dtype == BOOL else "subtract"
    for _ in range(times):
        x = call(name, (_along(x, place, 1, None), _along(x, place, None, -1)))
    return x


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Derivatives of a function known at the points of a grid, by central differences of second order.

    Parameters
    ----------
    f : array_like
        Values of the function.
    *varargs : scalar or array_like, optional
        Distance of the points, one for all axes or one for each, or their coordinates along each axis.
    axis : int or tuple of int, optional
        Along which axes to derive; all by default.
    edge_order : {1, 2}, optional
        Order of the one-sided differences at both ends.

    Returns
    -------
    ndarray or tuple of ndarray
        One array for each axis, in the shape of `f`.

    Notes
    -----
    Between points at distances h and k the formula is that of the parabola through three points; see B. Fornberg,
    Generation of finite difference formulas on arbitrarily spaced grids, Mathematics of Computation 51 (1988).

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.gradient(np.array([1., 2., 4., 7.]))
    array([1. , 1.5, 2.5, 3. ], dtype=float32)
    """
    x = as_array(f)
    axes = _axes(axis, x.ndim)
    spacings = _spacings(x, axes, varargs)
    if edge_order not in (1, 2):
        raise ValueError(located(f"gradient: edge_order must be 1 or 2, not {edge_order!r}", here()))
    if x.dtype.kind not in "fc":
        x = convert(x, default_dtype())
    results = []
    for one, spacing in zip(axes, spacings):
        if x.shape[one] < edge_order + 1:
            message = f"gradient: axis {one} of length {x.shape[one]} is too short; it needs {edge_order + 1} points"
            raise ShapeError(located(message, here()))
        derive = _derive_even if getattr(spacing, "ndim", 0) == 0 else _derive_uneven
        results.append(derive(x, one, spacing, edge_order))
    return results[0] if len(axes) == 1 else tuple(results)


def _axes(axis: Any, ndim: int) -> list[int]:
    if axis is None:
        return list(range(ndim))
    axes = [axis_of(one, ndim, "gradient") for one in (axis if isinstance(axis, (tuple, list)) else [axis])]
    if len(set(axes)) != len(axes):
        raise ShapeError(located(f"gradient: axis {axis} names an axis twice", here()))
    return axes


def _spacings(x: ndarray, axes: list[int], given: tuple[Any, ...]) -> list[Any]:
    """A number or the distances of neighbouring points for each axis."""
    if not given:
        return [1.0] * len(axes)
    taken = [as_operand(one) for one in given]
    if len(taken) == 1 and getattr(taken[0], "ndim", 0) == 0:
        return taken * len(axes)
    if len(taken) != len(axes):
        raise DTypeError(located(f"gradient: takes 1 or {len(axes)} spacings here, not {len(taken)}", here()))
    result = []
    for one, spacing in zip(axes, taken):
        if getattr(spacing, "ndim", 0) == 0:
            result.append(spacing)
        elif spacing.shape != (x.shape[one],):
            message = f"gradient: coordinates of shape {spacing.shape} for axis {one} of length {x.shape[one]}"
            raise ShapeError(located(message, here()))
        else:
            result.append(diff(convert(spacing, FLOAT64 if spacing.dtype.kind in "u" else None)))
    return result


def _derive_even(x: ndarray, axis: int, h: Any, edge_order: int) -> ndarray:
    def part(start: int | None, stop: int | None) -> ndarray:
        return _along(x, axis, start, stop)

    middle = (part(2, None) - part(None, -2)) / (2.0 * h)
    if edge_order == 1:
        first, last = (part(1, 2) - part(0, 1)) / h, (part(-1, None) - part(-2, -1)) / h
    else:
        first = -1.5 / h * part(0, 1) + 2.0 / h * part(1, 2) + -0.5 / h * part(2, 3)
        last = 0.5 / h * part(-3, -2) + -2.0 / h * part(-2, -1) + 1.5 / h * part(-1, None)
    return concatenate([convert(one, x.dtype) for one in (first, middle, last)], axis)


def _derive_uneven(x: ndarray, axis: int, distances: ndarray, edge_order: int) -> ndarray:
    def part(start: int | None, stop: int | None) -> ndarray:
        return _along(x, axis, start, stop)

    def h(start: int | None, stop: int | None) -> ndarray:
        return reshape(distances[start:stop], (-1, *[1] * (x.ndim - axis - 1)))

    before, after = h(None, -1), h(1, None)
    middle = (
        -after / (before * (before + after)) * part(None, -2)
        + (after - before) / (before * after) * part(1, -1)
        + before / (after * (before + after)) * part(2, None)
    )
    if edge_order == 1:
        first, last = (part(1, 2) - part(0, 1)) / h(0, 1), (part(-1, None) - part(-2, -1)) / h(-1, None)
    else:
        a, b = h(0, 1), h(1, 2)
        first = (
            -(2.0 * a + b) / (a * (a + b)) * part(0, 1)
            + (a + b) / (a * b) * part(1, 2)
            - a / (b * (a + b)) * part(2, 3)
        )
        a, b = h(-2, -1), h(-1, None)
        last = (
            b / (a * (a + b)) * part(-3, -2)
            - (b + a) / (a * b) * part(-2, -1)
            + (2.0 * b + a) / (b * (a + b)) * part(-1, None)
        )
    return concatenate([convert(one, x.dtype) for one in (first, middle, last)], axis)


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> ndarray:
    """Integral of a function known at points, straight lines between them, along an axis.

    Parameters
    ----------
    y : array_like
        Values of the function.
    x : array_like, optional
        Coordinates of the points; `dx` apart by default.
    dx : scalar, optional
    axis : int, optional

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.trapezoid(np.array([1., 2., 3.]))
    array(4., dtype=float32)
    """
    values = as_array(y)
    place = axis_of(axis, values.ndim, "trapezoid")
    distance: Any = dx
    if x is not None:
        points = as_array(x)
        if points.ndim == 1:
            distance = diff(points)
            distance = reshape(distance, (distance.size, *[1] * (values.ndim - place - 1)))
        else:
            distance = diff(points, axis=axis)
    heights = _along(values, place, 1, None) + _along(values, place, None, -1)
    product = call("multiply", (distance, heights))
    return array_sum(call("divide", (product, 2.0)), place)


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> ndarray:
    """Values at `x` of the function that is linear between the points (xp, fp).

    Parameters
    ----------
    x : array_like
    xp : array_like
        Coordinates of the points, one axis, increasing (in any order when `period` is given).
    fp : array_like
        Values at the points.
    left, right : scalar, optional
        Values before the first and behind the last point; those at the points by default.
    period : scalar, optional
        The function repeats; `left` and `right` have no meaning then.

    Returns
    -------
    ndarray
        In the shape of `x`, of dtype float64 (or complex128), as in NumPy; of the default dtype when no operand is
        a floating array. Differentiable by `x` and `fp` (and `xp`).

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.interp([0.5, 3], [0, 1, 2], [10, 20, 40])
    array([15., 40.], dtype=float32)
    """
    points, heights, at = (_exactly(one) for one in (xp, fp, x))
    if points.ndim != 1 or heights.ndim != 1 or points.size != heights.size:
        message = f"interp: xp and fp must be of one axis and one length, not of shapes {points.shape}, {heights.shape}"
        raise ShapeError(located(message, here()))
    if not points.size:
        raise ShapeError(located("interp: there are no points", here()))
    given = [one for one in (x, xp, fp) if isinstance(one, (ndarray, numpy.ndarray, numpy.generic))]
    strong = any(one.dtype.kind in "fc" for one in given)
    work = FLOAT64 if strong or default_dtype() == FLOAT64 else default_dtype()
    complex_ = heights.dtype.kind == "c"
    target = numpy.dtype("complex128" if work == FLOAT64 else "complex64") if complex_ else work
    if at.dtype.kind == "c" or points.dtype.kind == "c":
        raise DTypeError(located("interp: coordinates must be real", here()))
    at, points, heights = convert(at, FLOAT64), convert(points, FLOAT64), convert(heights, _wide(target))
    if period is not None:
        at, points, heights = _periodic(at, points, heights, period)
        left = right = None
    return convert(_interpolated(at, points, heights, left, right), target)


def _exactly(x: Any) -> ndarray:
    """An array; numbers of Python are not rounded to the default dtype on the way to float64."""
    if not is_new(x):
        return as_array(x)
    plain = numpy.asarray(x)
    return new(plain) if plain.dtype.kind in "fc" else as_array(x)


def _wide(dtype: numpy.dtype) -> numpy.dtype:
    return numpy.dtype("complex128") if dtype.kind == "c" else FLOAT64


def _periodic(at: ndarray, points: ndarray, heights: ndarray, period: Any) -> tuple[ndarray, ndarray, ndarray]:
    """The points of one period in order, with the last before them and the first behind them."""
    if period == 0:
        raise ValueError(located("interp: the period must not be 0", here()))
    period = abs(period)
    at, points = at % period, points % period
    from dopegraph import numpy as np  # whichever argsort there is

    order = np.argsort(points)
    points, heights = points[order], heights[order]
    points = concatenate([points[-1:] - period, points, points[:1] + period])
    return at, points, concatenate([heights[-1:], heights, heights[:1]])


def _interpolated(at: ndarray, points: ndarray, heights: ndarray, left: Any, right: Any) -> ndarray:
    first = heights[0] if left is None else left
    last = heights[-1] if right is None else right
    flat = reshape(at, at.size)
    if points.size == 1:
        inside = broadcast_to(heights[0], flat.shape)
    else:
        slopes = (heights[1:] - heights[:-1]) / (points[1:] - points[:-1])
        place = _places(flat, points)
        nearest = apply(ops.take, points, place, axis=0)
        start = apply(ops.take, heights, place, axis=0)
        inside = where(flat == nearest, start, apply(ops.take, slopes, place, axis=0) * (flat - nearest) + start)
        inside = where(flat == points[-1], heights[-1], inside)
    result = where(flat < points[0], first, where(flat > points[-1], last, inside))
    result = where(call("isnan", (flat,)), flat, result)
    return reshape(convert(result, heights.dtype), at.shape)


def _places(flat: ndarray, points: ndarray) -> ndarray:
    """The interval between points in which each number lies; the first or the last one outside."""
    found = apply(ops.searchsorted, points, flat, right=True) - 1
    return convert(call("minimum", (call("maximum", (found, 0)), points.size - 2)), INT64)


def _sequences(name: str, a: Any, v: Any) -> tuple[ndarray, ndarray]:
    first, second = (reshape(x, 1) if x.ndim == 0 else x for x in together((a, v)))
    if first.ndim != 1 or second.ndim != 1:
        raise ShapeError(located(f"{name}: takes sequences, not shapes {first.shape} and {second.shape}", here()))
    if not first.size or not second.size:
        raise ShapeError(located(f"{name}: a sequence is empty", here()))
    return first, second


def _mode(name: str, mode: Any) -> str:
    chosen = {0: "valid", 1: "same", 2: "full", "v": "valid", "s": "same", "f": "full"}.get(mode, mode)
    if chosen not in ("valid", "same", "full"):
        raise ValueError(located(f"{name}: mode must be 'full', 'same' or 'valid', not {mode!r}", here()))
    return str(chosen)


def _convolved(x: ndarray, y: ndarray, mode: str) -> ndarray:
    """With the longer sequence first."""
    if mode != "same":
        return apply(ops.convolve, x, y, full=mode == "full")
    skipped = y.size - 1 - y.size // 2
    return apply(ops.identity, apply(ops.convolve, x, y, full=True)[skipped : skipped + x.size])


def convolve(a: Any, v: Any, mode: str = "full") -> ndarray:
    """Convolution of two sequences: the coefficients of the product of two polynomials.

    Parameters
    ----------
    a, v : array_like
        One axis each, not empty.
    mode : {"full", "same", "valid"}, optional
        All places where the sequences meet, as many as the longer one has elements, or those where they overlap
        completely.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.convolve([1, 2, 3], [1, 10])
    array([ 1, 12, 23, 30])
    """
    x, y = _sequences("convolve", a, v)
    mode = _mode("convolve", mode)
    return _convolved(x, y, mode) if x.size >= y.size else _convolved(y, x, mode)


def correlate(a: Any, v: Any, mode: str = "valid") -> ndarray:
    """Cross-correlation of two sequences: sums of products with the second one, conjugated, at every place.

    Parameters
    ----------
    a, v : array_like
        One axis each, not empty.
    mode : {"valid", "same", "full"}, optional
        See `convolve`; "valid" is the default here.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.correlate([1, 2, 3], [1, 10], "full")
    array([10, 21, 32,  3])
    """
    x, y = _sequences("correlate", a, v)
    mode = _mode("correlate", mode)
    if y.dtype.kind == "c":
        from dopegraph import numpy as np  # whichever conjugate there is

        y = np.conjugate(y)
    if x.size >= y.size:
        return _convolved(x, flip(y), mode)
    # With the shorter sequence first it is the other way round, also where "same" is not symmetric.
    return apply(ops.identity, flip(_convolved(y, flip(x), mode)))


if hasattr(numpy, "trapz"):  # its name until NumPy 2.4
    trapz = trapezoid
    __all__ = [*__all__, "trapz"]
