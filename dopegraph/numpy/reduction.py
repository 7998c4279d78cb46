"""Reductions with NumPy's signatures: sums, means, extrema, positions, norms, cumulative sums."""

from __future__ import annotations

import builtins
import operator
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import apply, ndarray
from dopegraph.ir.primitive import Primitive
from dopegraph.numpy.assign import finish
from dopegraph.numpy.elementwise import call, truth
from dopegraph.numpy.promotion import BOOL, as_array, as_operand, convert, inexact_dtype, scalar
from dopegraph.ops.typing import normalize_axes, normalize_axis
from dopegraph.runtime.errors import AxisError, ShapeError
from dopegraph.runtime.location import here, located

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "average", "count_nonzero", "cumsum", "max", "mean", "min",
    "nanmax", "nanmean", "nanmin", "nansum", "prod", "ptp", "std", "sum", "var",
]  # fmt: skip

_INTEGER_SUM = {"b": "int64", "i": "int64", "u": "uint64"}


def axes_of(axis: Any, x: ndarray, name: str) -> tuple[int, ...]:
    """Normalized axes from None, an integer or a tuple."""
    if axis is None:
        return tuple(range(x.ndim))
    given = axis if isinstance(axis, tuple) else (axis,)
    try:
        return normalize_axes((operator.index(one) for one in given), x.ndim)
    except (AxisError, ShapeError) as cause:
        raise type(cause)(located(f"{name}: {cause}", here())) from None


def _limited(x: ndarray, where: Any, neutral: Any) -> ndarray:
    """Elements that `where` leaves out become neutral."""
    if where is True:
        return x
    return apply(ops.select, truth(as_operand(where)), x, scalar(neutral, x.dtype))


def _reduce(
    name: str, op: Primitive, x: ndarray, axis: Any, keepdims: bool, out: ndarray | None = None, initial: Any = None
) -> ndarray:
    result = apply(op, x, axes=axes_of(axis, x, name), keepdims=bool(keepdims))
    if initial is not None:
        combine = {"sum": "add", "prod": "multiply", "max": "maximum", "min": "minimum"}[name]
        result = convert(call(combine, (result, initial)), result.dtype)
    return finish(result, out)


def _accumulator(x: ndarray, dtype: Any) -> ndarray:
    """Sums and products of small integers are 64-bit."""
    if dtype is not None:
        return convert(x, numpy.dtype(dtype))
    if x.dtype.kind in "biu" and x.dtype.itemsize < 8:
        return convert(x, numpy.dtype(_INTEGER_SUM[x.dtype.kind]))
    return x


def sum(
    a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None, keepdims: bool = False,
    initial: Any = None, where: Any = True,
) -> ndarray:  # fmt: skip
    """Sum of the elements over axes.

    Parameters
    ----------
    a : array_like
    axis : int or tuple of int, optional
        All axes by default.
    dtype : dtype, optional
        The dtype to sum in; small integers and booleans are summed in 64 bits by default.
    out : ndarray, optional
    keepdims : bool, optional
        Reduced axes stay, with length 1.
    initial : scalar, optional
        Is added.
    where : array_like of bool, optional
        Which elements count.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.sum(np.array([[1., 2.], [3., 4.]]), axis=0)
    array([4., 6.], dtype=float32)
    """
    x = _limited(_accumulator(as_array(a), dtype), where, 0)
    return _reduce("sum", ops.sum, x, axis, keepdims, out, initial)


def prod(
    a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None, keepdims: bool = False,
    initial: Any = None, where: Any = True,
) -> ndarray:  # fmt: skip
    """Product of the elements over axes; see `sum` for the parameters."""
    x = _limited(_accumulator(as_array(a), dtype), where, 1)
    return _reduce("prod", ops.prod, x, axis, keepdims, out, initial)


def _extremum(name: str, op: Primitive, a: Any, axis: Any, out: Any, keepdims: bool, initial: Any, where: Any) -> ndarray:
    x = as_array(a)
    if where is not True:
        if initial is None:
            raise ValueError(located(f"{name}: where= needs initial=, the result when nothing is left", here()))
        mask = truth(as_operand(where))
        x = apply(ops.select, mask, x, convert(as_array(initial), x.dtype))
    if initial is not None and 0 in [x.shape[one] for one in axes_of(axis, x, name)]:
        shape = numpy.empty(x.shape, bool).sum(axis=axis, keepdims=keepdims).shape
        return finish(apply(ops.broadcast_to, convert(as_array(initial), x.dtype), shape=shape), out)
    return _reduce(name, op, x, axis, keepdims, out, initial)


def max(
    a: Any, axis: Any = None, out: ndarray | None = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> ndarray:
    """Largest element over axes, NaN if there is one; derivatives are shared by elements that tie."""
    return _extremum("max", ops.max, a, axis, out, keepdims, initial, where)


def min(
    a: Any, axis: Any = None, out: ndarray | None = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> ndarray:
    """Smallest element over axes, NaN if there is one; derivatives are shared by elements that tie."""
    return _extremum("min", ops.min, a, axis, out, keepdims, initial, where)


amax, amin = max, min


def ptp(a: Any, axis: Any = None, out: ndarray | None = None, keepdims: bool = False) -> ndarray:
    """Range of the values: largest minus smallest."""
    return finish(max(a, axis, keepdims=keepdims) - min(a, axis, keepdims=keepdims), out)


def all(a: Any, axis: Any = None, out: ndarray | None = None, keepdims: bool = False, *, where: Any = True) -> ndarray:
    """Whether all elements over axes are true."""
    x = _limited(truth(as_operand(a)), where, True)
    return _reduce("all", ops.all, x, axis, keepdims, out)


def any(a: Any, axis: Any = None, out: ndarray | None = None, keepdims: bool = False, *, where: Any = True) -> ndarray:
    """Whether some element over axes is true."""
    x = _limited(truth(as_operand(a)), where, False)
    return _reduce("any", ops.any, x, axis, keepdims, out)


def _position(name: str, op: Primitive, a: Any, axis: Any, out: Any, keepdims: bool) -> ndarray:
    x = as_array(a)
    if axis is None:
        flat = x.reshape((x.size,))
        result = apply(op, flat, axis=0, keepdims=False)
        return finish(result.reshape((1,) * x.ndim) if keepdims else result, out)
    (one,) = axes_of(operator.index(axis), x, name)
    return finish(apply(op, x, axis=one, keepdims=bool(keepdims)), out)


def argmax(a: Any, axis: Any = None, out: ndarray | None = None, *, keepdims: bool = False) -> ndarray:
    """Position of the largest element along an axis (of the flattened array by default), the first of equal ones.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.argmax([[1, 5, 2], [7, 0, 3]], axis=1)
    array([1, 0])
    """
    return _position("argmax", ops.argmax, a, axis, out, keepdims)


def argmin(a: Any, axis: Any = None, out: ndarray | None = None, *, keepdims: bool = False) -> ndarray:
    """Position of the smallest element along an axis (of the flattened array by default), the first of equal ones."""
    return _position("argmin", ops.argmin, a, axis, out, keepdims)


def _count(x: ndarray, axes: tuple[int, ...]) -> int:
    return int(numpy.prod([x.shape[axis] for axis in axes], dtype=numpy.int64))


def mean(
    a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None, keepdims: bool = False, *, where: Any = True
) -> ndarray:
    """Mean over axes; of integers in the default floating dtype, of float16 computed in float32.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.mean([[1., 2.], [3., 4.]], axis=1)
    array([1.5, 3.5], dtype=float32)
    """
    x = as_array(a)
    result_type = numpy.dtype(dtype) if dtype is not None else mean_dtype(x.dtype)
    work = numpy.dtype("float32") if result_type == numpy.float16 else result_type
    x = convert(x, work)
    axes = axes_of(axis, x, "mean")
    total = sum(x, axes, keepdims=keepdims, where=where)
    if where is True:
        count: Any = _count(x, axes)
        result = total / count if count else total / convert(as_array(0.0), work)
    else:
        mask = apply(ops.broadcast_to, truth(as_operand(where)), shape=x.shape)
        result = total / sum(convert(mask, work), axes, keepdims=keepdims)
    return finish(convert(result, result_type), out)


def mean_dtype(dtype: numpy.dtype) -> numpy.dtype:
    """The dtype of means: floats keep theirs, the rest is float64 or the default."""
    return dtype if dtype.kind in "fc" else inexact_dtype(numpy.dtype("int64"))


def var(
    a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None, ddof: float = 0, keepdims: bool = False
) -> ndarray:
    """Variance over axes: mean squared deviation, divided by ``count - ddof``."""
    x = as_array(a)
    result_type = numpy.dtype(dtype) if dtype is not None else mean_dtype(x.dtype)
    x = convert(x, numpy.dtype("float32") if result_type == numpy.float16 else result_type)
    axes = axes_of(axis, x, "var")
    deviation = x - mean(x, axes, keepdims=True)
    total = sum(call("square", (deviation,)), axes, keepdims=keepdims)
    return finish(convert(total / scalar(builtins.max(_count(x, axes) - ddof, 0), total.dtype), result_type), out)


def std(
    a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None, ddof: float = 0, keepdims: bool = False
) -> ndarray:
    """Standard deviation over axes: square root of the variance."""
    return finish(call("sqrt", (var(a, axis, dtype, ddof=ddof, keepdims=keepdims),)), out)


def average(a: Any, axis: Any = None, weights: Any = None, *, keepdims: bool = False) -> ndarray:
    """Mean over axes, weighted when weights of the same shape are given."""
    if weights is None:
        return mean(a, axis, keepdims=keepdims)
    x, w = as_array(a), as_array(weights)
    if x.shape != w.shape:
        raise ShapeError(located(f"average: weights of shape {w.shape} for an array of shape {x.shape}", here()))
    return sum(x * w, axis, keepdims=keepdims) / sum(w, axis, keepdims=keepdims)


def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> ndarray:
    """How many elements over axes are not zero."""
    return sum(truth(as_operand(a)), axis, keepdims=keepdims)


def cumsum(a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None) -> ndarray:
    """Sums of the elements so far along an axis (of the flattened array by default)."""
    x = _accumulator(as_array(a), dtype)
    if axis is None:
        return finish(apply(ops.cumsum, x.reshape((x.size,)), axis=0), out)
    try:
        one = normalize_axis(operator.index(axis), x.ndim)
    except AxisError as cause:
        raise AxisError(located(f"cumsum: {cause}", here())) from None
    return finish(apply(ops.cumsum, x, axis=one), out)


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


def _nan_extremum(function: Any, a: Any, axis: Any, out: Any, keepdims: bool, neutral: float) -> ndarray:
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
