"""Reductions that leave NaN out, with NumPy's signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.assign import finish
from dopegraph.numpy.elements import warn_where
from dopegraph.numpy.elementwise import call, truth
from dopegraph.numpy.promotion import INT64, as_array, as_operand, convert, dtype_of, promote, scalar
from dopegraph.numpy.reduction import _axes, all, argmax, argmin, limited, max, min, prod, sum, without_nan
from dopegraph.numpy.statistics import degrees_of_freedom, mean, result_and_work, squared, std, var
from dopegraph.runtime.errors import DTypeError
from dopegraph.runtime.location import here, located

__all__ = [
    "nanargmax", "nanargmin", "nanmax", "nanmean", "nanmin", "nanprod", "nanstd", "nansum", "nanvar",
]  # fmt: skip


def nansum(
    a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None, keepdims: bool = False,
    initial: Any = None, where: Any = True,
) -> ndarray:  # fmt: skip
    """Sum over axes in which NaN counts as 0; see `sum` for the parameters.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.nansum([1.0, np.nan, 2.0])
    array(3., dtype=float32)
    """
    return sum(without_nan(a, 0)[0], axis, dtype, out, keepdims, initial, where)


def nanprod(
    a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None, keepdims: bool = False,
    initial: Any = None, where: Any = True,
) -> ndarray:  # fmt: skip
    """Product over axes in which NaN counts as 1; see `sum` for the parameters."""
    return prod(without_nan(a, 1)[0], axis, dtype, out, keepdims, initial, where)


def _require_floats(name: str, dtype: Any, out: ndarray | None) -> None:
    for what, given in (("dtype", dtype), ("out", None if out is None else out.dtype)):
        if given is not None and dtype_of(given).kind not in "fc":
            message = f"{name}: {what} must be floating, not {given}: the mean of floats is a float"
            raise DTypeError(located(message, here()))


def _both(missing: ndarray, where: Any) -> ndarray:
    """Where there is a number and `where` is true."""
    present = call("logical_not", (missing,))
    return present if where is True else call("logical_and", (present, truth(as_operand(where))))


def nanmean(
    a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None, keepdims: bool = False,
    *, where: Any = True,
) -> ndarray:  # fmt: skip
    """Mean over axes of the elements that are numbers; see `mean` for the parameters.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.nanmean([1.0, np.nan, 2.0])
    array(1.5, dtype=float32)
    """
    x, missing = without_nan(a, 0)
    if missing is None:
        return mean(x, axis, dtype, out, keepdims, where=where)
    _require_floats("nanmean", dtype, out)
    with numpy.errstate(invalid="ignore", divide="ignore"):
        return mean(x, axis, dtype, out, keepdims, where=_both(missing, where))


def nanvar(
    a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None, ddof: float = 0, keepdims: bool = False,
    *, where: Any = True, mean: Any = None, correction: Any = None,
) -> ndarray:  # fmt: skip
    """Variance over axes of the elements that are numbers; see `var` for the parameters.

    It is NaN where not more than `ddof` numbers are left.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.nanvar([1.0, np.nan, 3.0])
    array(1., dtype=float32)
    """
    x, missing = without_nan(a, 0)
    if missing is None:
        return var(x, axis, dtype, out, ddof, keepdims, where=where, mean=mean, correction=correction)
    _require_floats("nanvar", dtype, out)
    ddof = degrees_of_freedom("nanvar", ddof, correction)
    result_dtype, work = result_and_work(x, dtype)
    x = convert(x, work)
    axes, counted = _axes(axis, x, "nanvar"), _both(missing, where)
    counted = apply(ops.broadcast_to, counted, shape=x.shape)
    count = convert(sum(counted, axes, keepdims=True, dtype=INT64), work)
    with numpy.errstate(invalid="ignore", divide="ignore"):
        centre = call("divide", (sum(x, axes, keepdims=True, where=counted), count)) if mean is None else mean
        deviation = limited(squared(call("subtract", (x, centre))), counted, 0)
        total = sum(deviation, axes, keepdims=keepdims)
        left = call("subtract", (convert(count if keepdims else count.reshape(total.shape), total.dtype), ddof))
        result = call("divide", (total, left))
    none = left <= 0
    warn_where(none, "Degrees of freedom <= 0 for slice.")
    result = apply(ops.select, none, scalar(numpy.nan, result.dtype), result)
    return finish(convert(result, result_dtype) if result_dtype.kind != "c" else result, out)


def nanstd(
    a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None, ddof: float = 0, keepdims: bool = False,
    *, where: Any = True, mean: Any = None, correction: Any = None,
) -> ndarray:  # fmt: skip
    """Standard deviation over axes of the elements that are numbers; see `nanvar`."""
    if as_array(a).dtype.kind not in "fc":
        return std(a, axis, dtype, out, ddof, keepdims, where=where, mean=mean, correction=correction)
    found = nanvar(a, axis, dtype, None, ddof, keepdims, where=where, mean=mean, correction=correction)
    return finish(call("sqrt", (found,)), out)


def _extremum(
    function: Callable[..., ndarray],
    a: Any,
    axis: Any,
    out: Any,
    keepdims: bool,
    initial: Any,
    where: Any,
    worst: float,
) -> ndarray:
    x = as_array(a)
    if x.dtype.kind not in "fc":
        return function(x, axis, out, keepdims, initial, where)
    (neutral,) = promote([complex(worst, worst) if x.dtype.kind == "c" else worst], x.dtype)
    missing = call("isnan", (x,))
    filled = apply(ops.select, missing, neutral, x)
    found = function(filled, axis, None, keepdims, initial, where)
    if initial is None:
        none_left = all(missing, axis, keepdims=keepdims)
        warn_where(none_left, "All-NaN slice encountered")
        found = apply(ops.select, none_left, scalar(numpy.nan, x.dtype), found)
    return finish(found, out)


def nanmax(
    a: Any, axis: Any = None, out: ndarray | None = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> ndarray:
    """Largest number over axes, NaN (with a RuntimeWarning) where there is none; see `max` for the parameters.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.nanmax([1.0, np.nan, 2.0])
    array(2., dtype=float32)
    """
    return _extremum(max, a, axis, out, keepdims, initial, where, -numpy.inf)


def nanmin(
    a: Any, axis: Any = None, out: ndarray | None = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> ndarray:
    """Smallest number over axes, NaN (with a RuntimeWarning) where there is none; see `max` for the parameters."""
    return _extremum(min, a, axis, out, keepdims, initial, where, numpy.inf)


def _position(
    name: str, function: Callable[..., ndarray], a: Any, axis: Any, out: Any, keepdims: bool, worst: float
) -> ndarray:
    x = as_array(a)
    if x.dtype.kind not in "fc":
        return function(x, axis, out, keepdims=keepdims)
    (neutral,) = promote([complex(worst, worst) if x.dtype.kind == "c" else worst], x.dtype)
    missing = call("isnan", (x,))
    found = function(apply(ops.select, missing, neutral, x), axis, keepdims=keepdims)
    present = call("logical_not", (all(missing, axis),))
    message = f"{name}: a slice holds nothing but NaN"
    return finish(apply(ops.checked, found, present, error="ValueError", message=message), out)


def nanargmax(a: Any, axis: Any = None, out: ndarray | None = None, *, keepdims: bool = False) -> ndarray:
    """Position of the largest number along an axis (of the flattened array by default).

    Raises
    ------
    ValueError
        If a slice holds nothing but NaN.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.nanargmax([1.0, np.nan, 2.0])
    array(2)
    """
    return _position("nanargmax", argmax, a, axis, out, keepdims, -numpy.inf)


def nanargmin(a: Any, axis: Any = None, out: ndarray | None = None, *, keepdims: bool = False) -> ndarray:
    """Position of the smallest number along an axis (of the flattened array by default); see `nanargmax`."""
    return _position("nanargmin", argmin, a, axis, out, keepdims, numpy.inf)
