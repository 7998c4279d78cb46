"""Means, variances and reductions that ignore NaN, with NumPy's signatures."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.assign import finish
from dopegraph.numpy.elementwise import call, truth
from dopegraph.numpy.promotion import BOOL, DType, as_array, as_operand, convert, dtype_of, scalar
from dopegraph.numpy.reduction import all, axes_of, max, min, sum
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located

__all__ = ["average", "mean", "nanmax", "nanmean", "nanmin", "nansum", "std", "var"]

FLOAT16, FLOAT32 = numpy.dtype("float16"), numpy.dtype("float32")


def _dtypes(x: ndarray, dtype: Any) -> tuple[DType, DType]:
    """The dtype of a mean, and the one it is computed in."""
    result = dtype_of(dtype) if dtype is not None else x.dtype if x.dtype.kind in "fc" else default_dtype()
    return result, FLOAT32 if result == FLOAT16 else result


def _count(x: ndarray, axes: tuple[int, ...], where: Any, keepdims: bool, dtype: DType) -> ndarray:
    """How many elements a mean divides by."""
    if where is True:
        return scalar(math.prod([x.shape[axis] for axis in axes]), dtype)
    mask = apply(ops.broadcast_to, truth(as_operand(where)), shape=x.shape)
    return sum(convert(mask, dtype), axes, keepdims=keepdims)


def mean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: ndarray | None = None,
    keepdims: bool = False,
    *,
    where: Any = True,
) -> ndarray:
    """Mean over axes; of integers in the default floating dtype, of float16 computed in float32.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.mean([[1., 2.], [3., 4.]], axis=1)
    array([1.5, 3.5], dtype=float32)
    """
    x = as_array(a)
    result_dtype, work = _dtypes(x, dtype)
    x = convert(x, work)
    axes = axes_of(axis, x, "mean")
    total = sum(x, axes, keepdims=keepdims, where=where)
    result = call("divide", (total, _count(x, axes, where, keepdims, total.dtype)))
    return finish(convert(result, result_dtype), out)


def var(
    a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None, ddof: float = 0, keepdims: bool = False,
    *, where: Any = True,
) -> ndarray:  # fmt: skip
    """Variance over axes: mean squared deviation, divided by ``count - ddof``.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.var([1., 2., 3., 4.]), np.var([1., 2., 3., 4.], ddof=1)
    (array(1.25, dtype=float32), array(1.6666666, dtype=float32))
    """
    x = as_array(a)
    result_dtype, work = _dtypes(x, dtype)
    x = convert(x, work)
    axes = axes_of(axis, x, "var")
    distance = x - mean(x, axes, keepdims=True, where=where)
    if work.kind == "c":
        deviation = apply(ops.real, distance * apply(ops.conj, distance))
        work = result_dtype = deviation.dtype
    else:
        deviation = call("square", (distance,))
    count = _count(x, axes, where, keepdims, work)
    if ddof:
        count = call("maximum", (count - ddof, 0))
    total = sum(deviation, axes, keepdims=keepdims, where=where)
    return finish(convert(call("divide", (total, count)), result_dtype), out)


def std(
    a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None, ddof: float = 0, keepdims: bool = False,
    *, where: Any = True,
) -> ndarray:  # fmt: skip
    """Standard deviation over axes: square root of the variance."""
    return finish(call("sqrt", (var(a, axis, dtype, ddof=ddof, keepdims=keepdims, where=where),)), out)


def average(a: Any, axis: Any = None, weights: Any = None, *, keepdims: bool = False) -> ndarray:
    """Mean over axes, weighted when weights of the same shape, or of the length of the one axis, are given."""
    if weights is None:
        return mean(a, axis, keepdims=keepdims)
    x, w = as_array(a), as_array(weights)
    if w.shape != x.shape:
        axes = axes_of(axis, x, "average")
        if w.shape != tuple(x.shape[one] for one in axes) or len(axes) != 1:
            raise ShapeError(located(f"average: weights of shape {w.shape} for an array of shape {x.shape}", here()))
        w = w.reshape([length if place in axes else 1 for place, length in enumerate(x.shape)])
    product = x * w
    spread = apply(ops.broadcast_to, w, shape=x.shape)
    return sum(product, axis, keepdims=keepdims) / sum(spread, axis, dtype=product.dtype, keepdims=keepdims)


def _without_nan(a: Any, neutral: float) -> tuple[ndarray, ndarray]:
    x = as_array(a)
    if x.dtype.kind not in "fc":
        return x, apply(ops.broadcast_to, scalar(False, BOOL), shape=x.shape)
    missing = call("isnan", (x,))
    return apply(ops.select, missing, scalar(neutral, x.dtype), x), missing


def nansum(a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None, keepdims: bool = False) -> ndarray:
    """Sum over axes in which NaN counts as 0."""
    return sum(_without_nan(a, 0)[0], axis, dtype, out, keepdims)


def nanmean(a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None, keepdims: bool = False) -> ndarray:
    """Mean over axes of the elements that are numbers."""
    x, missing = _without_nan(a, 0)
    return mean(x, axis, dtype, out, keepdims, where=call("logical_not", (missing,)))


def _nan_extremum(
    function: Callable[..., ndarray], a: Any, axis: Any, out: Any, keepdims: bool, neutral: float
) -> ndarray:
    x, missing = _without_nan(a, neutral)
    if x.dtype.kind not in "fc":
        return function(x, axis, out, keepdims)
    none_left = all(missing, axis, keepdims=keepdims)
    found = function(x, axis, keepdims=keepdims)
    return finish(apply(ops.select, none_left, scalar(numpy.nan, x.dtype), found), out)


def nanmax(a: Any, axis: Any = None, out: ndarray | None = None, keepdims: bool = False) -> ndarray:
    """Largest number over axes, ignoring NaN."""
    return _nan_extremum(max, a, axis, out, keepdims, -numpy.inf)


def nanmin(a: Any, axis: Any = None, out: ndarray | None = None, keepdims: bool = False) -> ndarray:
    """Smallest number over axes, ignoring NaN."""
    return _nan_extremum(min, a, axis, out, keepdims, numpy.inf)
