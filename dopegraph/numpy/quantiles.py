"""Medians, quantiles and percentiles, also of what is left without NaN, by all of NumPy's methods.

The methods are those of R. J. Hyndman and Y. Fan, Sample quantiles in statistical packages, The American Statistician
50 (1996), and four simple ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.assign import finish
from dopegraph.numpy.averages import fitting_weights
from dopegraph.numpy.elements import elements, warn_where
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.logic import where
from dopegraph.numpy.nan_functions import nanmean
from dopegraph.numpy.promotion import BOOL, FLOAT64, INT64, as_array, beside, convert, new, scalar
from dopegraph.numpy.reduction import axes_of, sum
from dopegraph.numpy.shape import broadcast_to, expand_dims, moveaxis, transpose
from dopegraph.numpy.statistics import mean
from dopegraph.ops.typing import reduced_shape
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.errors import DTypeError, IndexingError, ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import outside_recordings
from dopegraph.trace.scalar import DynamicFloat

__all__ = ["median", "nanmedian", "nanpercentile", "nanquantile", "percentile", "quantile"]

# Where the quantile q of n sorted elements lies, counted from 0; between two elements it is interpolated.
# The numbers are Hyndman and Fan's alpha and beta: n q + alpha + q (1 - alpha - beta) - 1.
_BETWEEN: dict[str, tuple[float, float]] = {
    "interpolated_inverted_cdf": (0, 1),
    "hazen": (0.5, 0.5),
    "weibull": (0, 0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}
_OTHERS: dict[str, Callable[[Any, Any], Any]] = {
    "linear": lambda n, q: (n - 1) * q,
    "averaged_inverted_cdf": lambda n, q: n * q - 1,
    "midpoint": lambda n, q: 0.5 * (_floor((n - 1) * q) - _floor(-((n - 1) * q))),
}
# These name one element.
_ELEMENT: dict[str, Callable[[Any, Any], Any]] = {
    "inverted_cdf": lambda n, q: _at_least_0(-_floor(-(n * q - 1))),
    "closest_observation": lambda n, q: _at_least_0(_half_to_odd(n * q - 1.5)),
    "lower": lambda n, q: _floor((n - 1) * q),
    "higher": lambda n, q: -_floor(-((n - 1) * q)),
    "nearest": lambda n, q: call("rint", ((n - 1) * q,)),
}


def _floor(x: Any) -> ndarray:
    return call("floor", (x,))


def _at_least_0(x: ndarray) -> ndarray:
    return call("maximum", (x, 0.0))


def _half_to_odd(x: ndarray) -> ndarray:
    """The next integer; an even one becomes the odd one above (counted from 1, that is the even order statistic)."""
    low = _floor(x)
    return where(call("logical_and", (x == low, low % 2 == 1)), low, low + 1)


def _along_last(name: str, x: ndarray, axis: Any) -> tuple[ndarray, tuple[int, ...]]:
    """The array with the axes to reduce joined into the last one, and these axes."""
    axes = axes_of(axis, x, name)
    kept = [place for place in range(x.ndim) if place not in axes]
    lengths = [x.shape[place] for place in kept]
    joined = math.prod([x.shape[place] for place in axes])
    return transpose(x, [*kept, *axes]).reshape((*lengths, joined)), axes


def _median(name: str, a: Any, axis: Any, out: Any, keepdims: bool, skip: bool) -> ndarray:
    given = as_array(a)
    x, axes = _along_last(name, given, axis)
    length = x.shape[-1]
    if not length or not x.size:
        result = nanmean(x, -1) if skip else mean(x, -1)
    elif skip and x.dtype.kind in "fc":
        result = _median_of_numbers(x)
    else:
        low, high = (length - 1) // 2, length // 2
        places = {low, high, length - 1} if x.dtype.kind in "fc" else {low, high}
        arranged = apply(ops.partition, x, axis=x.ndim - 1, kth=tuple(sorted(places)))
        result = mean(arranged[..., low : high + 1], -1)
        if x.dtype.kind in "fc":
            last = arranged[..., length - 1]
            result = apply(ops.select, call("isnan", (last,)), last, result)
    return finish(result.reshape(reduced_shape(given.shape, axes, keepdims)), out)


def _median_of_numbers(x: ndarray) -> ndarray:
    """Of floats, some of which are NaN: sorted they are the last ones."""
    count = sum(convert(call("logical_not", (call("isnan", (x,)),)), INT64), -1, keepdims=True)
    warn_where(count == 0, "All-NaN slice encountered")
    arranged = apply(ops.sort, x, axis=x.ndim - 1)
    low, high = call("maximum", ((count - 1) // 2, 0)), call("minimum", (count // 2, x.shape[-1] - 1))
    one, other = (apply(ops.take_along_axis, arranged, place, axis=x.ndim - 1)[..., 0] for place in (low, high))
    both = apply(ops.concat, one.reshape((*one.shape, 1)), other.reshape((*one.shape, 1)), axis=one.ndim)
    return where((low == high)[..., 0], one, mean(both, -1))


def median(
    a: Any, axis: Any = None, out: ndarray | None = None, overwrite_input: bool = False, keepdims: bool = False
) -> ndarray:
    """Median over axes: the element in the middle, or the mean of the two there; NaN if one of the elements is.

    Parameters
    ----------
    a : array_like
    axis : int or tuple of int, optional
        All axes by default.
    out : ndarray, optional
    overwrite_input : bool, optional
        Allows NumPy to change `a`; here nothing does.
    keepdims : bool, optional
        Reduced axes stay, with length 1.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.median(np.array([[3., 1., 2.], [6., 4., 9.]]), axis=1)
    array([2., 6.], dtype=float32)
    """
    return _median("median", a, axis, out, keepdims, skip=False)


def nanmedian(
    a: Any, axis: Any = None, out: ndarray | None = None, overwrite_input: bool = False, keepdims: bool = False
) -> ndarray:
    """Median over axes of the elements that are numbers; see `median`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.nanmedian([1.0, np.nan, 4.0])
    array(2.5, dtype=float32)
    """
    return _median("nanmedian", a, axis, out, keepdims, skip=True)


def _quantile(
    name: str, a: Any, q: Any, axis: Any, out: Any, method: str, keepdims: bool, weights: Any, skip: bool
) -> ndarray:
    scale = 100 if name.endswith("percentile") else 1
    given = as_array(a)
    if given.dtype.kind == "c":
        raise DTypeError(located(f"{name}: complex numbers have no order; use x.real", here()))
    asked = as_array(q)
    exact = as_array(q, FLOAT64) if isinstance(q, (float, DynamicFloat, list, tuple)) else asked
    known = _fractions(name, elements(f"{name}: q", exact), scale)
    if method not in _ELEMENT and method not in _BETWEEN and method not in _OTHERS:
        shown = ", ".join([*_ELEMENT, *_BETWEEN, *_OTHERS])
        raise ValueError(located(f"{name}: method must be one of {shown}, not {method!r}", here()))
    x, axes = _along_last(name, given, axis)
    # A Python number takes the array's precision on, an array of quantiles keeps its own.
    work = x.dtype if x.dtype.kind == "f" else default_dtype()
    if asked.ndim or not isinstance(q, (int, float, DynamicFloat)):
        strong = asked.dtype if asked.dtype.kind == "f" else default_dtype()
        work = numpy.promote_types(work, strong) if x.dtype.kind == "f" else strong
    whole = method == "linear" and scale == 1 and asked.dtype.kind in "iub"
    if skip and not given.size:
        return finish(nanmean(given, axis, keepdims=keepdims), out)  # as NumPy has it, whatever is asked
    elif weights is not None:
        result = _weighted(name, x, given, known, axis, method, weights, skip)
    elif not x.shape[-1]:
        raise IndexingError(located(f"{name}: an empty array has no quantiles", here()))
    elif skip and x.dtype.kind == "f":
        result = _of_numbers(x, known, work, "lower" if whole else method)
    else:
        result = _of_all(x, known, work, method, whole)
    shape = reduced_shape(given.shape, axes, keepdims)
    return finish(result.reshape(asked.shape + shape), out)


def _fractions(name: str, q: numpy.ndarray, scale: int) -> numpy.ndarray:
    """The quantiles in double precision, in one axis; an axis less for a single one."""
    fractions = numpy.asarray(q, FLOAT64) / scale
    if not ((fractions >= 0) & (fractions <= 1)).all():
        raise ValueError(located(f"{name}: q must be from 0 to {scale}", here()))
    if fractions.ndim > 2:
        raise ShapeError(located(f"{name}: q may have two axes, not the shape {fractions.shape}", here()))
    return fractions.reshape(-1)


def _places(n: Any, q: ndarray, method: str) -> tuple[ndarray, ndarray, ndarray | None]:
    """Two neighbouring places, and how far between them the quantile lies; None if it is the first of them."""
    if method in _ELEMENT:
        place = convert(_ELEMENT[method](n, q), INT64)
        return place, place, None
    if method in _OTHERS:
        place = _OTHERS[method](n, q)
    else:
        alpha, beta = _BETWEEN[method]
        place = n * q + (alpha + q * (1 - alpha - beta)) - 1
    low = _floor(place)
    part = place - low
    if method == "averaged_inverted_cdf":
        part = where(part == 0, scalar(0.5, FLOAT64), scalar(1.0, FLOAT64))
    last = call("maximum", (n - 1, 0))
    low, high = (call("maximum", (call("minimum", (one, last)), 0)) for one in (low, low + 1))
    before = place < 0
    return convert(low, INT64), convert(where(before, low, high), INT64), part


def _between(low: ndarray, high: ndarray, part: ndarray) -> ndarray:
    """Linear interpolation, from the nearer end."""
    distance = high - low
    near = call("less", (part, 0.5))
    return where(near, low + distance * part, high - distance * (1 - part))


def _of_all(x: ndarray, q: numpy.ndarray, work: Any, method: str, whole: bool) -> ndarray:
    """The quantiles in front of the other axes; NaN where a row has one."""
    length, last = x.shape[-1], x.ndim - 1
    with outside_recordings():
        found = _places(as_array(float(length), FLOAT64), as_array(q), "lower" if whole else method)
        first, second, part = (None if one is None else one._settled().array for one in found)
    floats = x.dtype.kind == "f"
    kth = {*first.tolist(), *second.tolist(), *([length - 1] if floats else [])}
    arranged = apply(ops.partition, x, axis=last, kth=tuple(sorted(kth)))
    result = apply(ops.take, arranged, beside(arranged, first), axis=last)
    if part is not None:
        if x.dtype == BOOL:
            raise DTypeError(located("quantile: booleans have no differences; use a method such as 'nearest'", here()))
        upper = apply(ops.take, arranged, beside(arranged, second), axis=last)
        result = _between(convert(result, work), convert(upper, work), beside(arranged, part.astype(work)))
    if floats:
        nan = arranged[..., length - 1 :]
        result = where(call("isnan", (nan,)), convert(nan, result.dtype), result)
    return moveaxis(result, -1, 0)


def _of_numbers(x: ndarray, q: numpy.ndarray, work: Any, method: str) -> ndarray:
    """The same of rows from which NaN is left out, so that each has its own number of elements."""
    last = x.ndim - 1
    count = sum(convert(call("logical_not", (call("isnan", (x,)),)), FLOAT64), -1, keepdims=True)
    warn_where(count == 0, "All-NaN slice encountered")
    low, high, part = _places(count, new(q), method)
    low, high = (_inside(place, x.shape[-1]) for place in (low, high))
    arranged = apply(ops.sort, x, axis=last)
    result = apply(ops.take_along_axis, arranged, low, axis=last)
    if part is not None:
        upper = apply(ops.take_along_axis, arranged, high, axis=last)
        result = _between(convert(result, work), convert(upper, work), convert(part, work))
    return moveaxis(result, -1, 0)


def _inside(place: ndarray, length: int) -> ndarray:
    return call("maximum", (call("minimum", (place, length - 1)), 0))


def _weighted(
    name: str, x: ndarray, given: ndarray, q: numpy.ndarray, axis: Any, method: str, weights: Any, skip: bool
) -> ndarray:
    """The first element at which the weights so far reach the part q of all."""
    if method != "inverted_cdf":
        raise ValueError(located(f"{name}: only the method 'inverted_cdf' takes weights, not {method!r}", here()))
    w = convert(fitting_weights(name, given, weights, axis), FLOAT64)
    w, _ = _along_last(name, broadcast_to(w, given.shape), axis)
    w = _checked(w, call("logical_not", (w < 0,)), f"{name}: weights must not be negative")
    last = x.ndim - 1
    floats = x.dtype.kind == "f"
    order = apply(ops.argsort, x, axis=last)
    x, w = (apply(ops.take_along_axis, one, order, axis=last) for one in (x, w))
    if skip and floats:
        w = where(call("isnan", (x,)), scalar(0.0, FLOAT64), w)
    so_far = apply(ops.cumsum, w, axis=last)
    total = so_far[..., -1:]
    usable = call("logical_and", (call("isfinite", (total,)), total != 0))
    nothing = call("isnan", (x[..., :1],)) if skip and floats else None
    sound = usable if nothing is None else call("logical_or", (usable, nothing))
    so_far = _checked(so_far, sound, f"{name}: the weights hold NaN or infinity, or are all zero")
    with numpy.errstate(invalid="ignore"):
        reached = call("divide", (so_far, total))
    reached = where(reached == 0, scalar(-1.0, FLOAT64), reached)
    behind = call("less", (expand_dims(reached, -2), beside(reached, q.reshape(-1, 1))))
    place = _inside(sum(convert(behind, INT64), -1), x.shape[-1])
    result = apply(ops.take_along_axis, x, place, axis=last)
    if floats and not skip:
        nan = x[..., -1:]
        result = where(call("isnan", (nan,)), nan, result)
    return moveaxis(result, -1, 0)


def _checked(x: ndarray, condition: ndarray, message: str) -> ndarray:
    return apply(ops.checked, x, condition, error="ValueError", message=message)


def quantile(
    a: Any, q: Any, axis: Any = None, out: ndarray | None = None, overwrite_input: bool = False,
    method: str = "linear", keepdims: bool = False, *, weights: Any = None,
) -> ndarray:  # fmt: skip
    """Quantiles over axes, NaN where there is a NaN.

    Parameters
    ----------
    a : array_like of real numbers
    q : array_like
        From 0 to 1; what a recording computes is looked at.
    axis : int or tuple of int, optional
        All axes by default.
    out : ndarray, optional
    overwrite_input : bool, optional
        Allows NumPy to change `a`; here nothing does.
    method : str, optional
        How a quantile between two elements is found: "linear", "lower", "higher", "nearest", "midpoint",
        "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen",
        "weibull", "median_unbiased" or "normal_unbiased".
    keepdims : bool, optional
        Reduced axes stay, with length 1.
    weights : array_like, optional
        Of the shape of `a`, or of the lengths of the axes; for the method "inverted_cdf".

    Returns
    -------
    ndarray
        The axes of `q`, then those of `a` that are left.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.quantile(np.array([4., 1., 2., 3.]), 0.5)
    array(2.5, dtype=float32)
    """
    return _quantile("quantile", a, q, axis, out, method, keepdims, weights, skip=False)


def percentile(
    a: Any, q: Any, axis: Any = None, out: ndarray | None = None, overwrite_input: bool = False,
    method: str = "linear", keepdims: bool = False, *, weights: Any = None,
) -> ndarray:  # fmt: skip
    """Percentiles over axes, NaN where there is a NaN; see `quantile`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.percentile(np.array([4., 1., 2., 3.]), 100)
    array(4., dtype=float32)
    """
    return _quantile("percentile", a, q, axis, out, method, keepdims, weights, skip=False)


def nanquantile(
    a: Any, q: Any, axis: Any = None, out: ndarray | None = None, overwrite_input: bool = False,
    method: str = "linear", keepdims: bool = False, *, weights: Any = None,
) -> ndarray:  # fmt: skip
    """Quantiles over axes of the elements that are numbers; see `quantile`."""
    return _quantile("nanquantile", a, q, axis, out, method, keepdims, weights, skip=True)


def nanpercentile(
    a: Any, q: Any, axis: Any = None, out: ndarray | None = None, overwrite_input: bool = False,
    method: str = "linear", keepdims: bool = False, *, weights: Any = None,
) -> ndarray:  # fmt: skip
    """Percentiles over axes of the elements that are numbers; see `quantile`."""
    return _quantile("nanpercentile", a, q, axis, out, method, keepdims, weights, skip=True)
