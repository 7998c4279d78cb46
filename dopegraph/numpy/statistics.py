"""Means, variances and covariances, with NumPy's signatures."""

from __future__ import annotations

import math
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy import short_way
from dopegraph.numpy.assign import finish, finish_reduced
from dopegraph.numpy.elements import warn, warn_where
from dopegraph.numpy.elementwise import call, truth
from dopegraph.numpy.promotion import DType, as_array, as_operand, convert, dtype_of, scalar
from dopegraph.numpy.reduction import _axes, axes_of, sum
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.location import here, located

__all__ = ["mean", "std", "var"]

FLOAT16, FLOAT32 = numpy.dtype("float16"), numpy.dtype("float32")


def result_and_work(x: ndarray, dtype: Any) -> tuple[DType, DType]:
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

    Parameters
    ----------
    a : array_like
    axis : int or tuple of int, optional
        All axes by default.
    dtype : dtype, optional
        The dtype to compute in.
    out : ndarray, optional
    keepdims : bool, optional
        Reduced axes stay, with length 1.
    where : array_like of bool, optional
        Which elements count. Where none does the mean is NaN, with a RuntimeWarning.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.mean([[1., 2.], [3., 4.]], axis=1)
    array([1.5, 3.5], dtype=float32)
    """
    if dtype is None and out is None and where is True:
        found = short_way.mean(a, axis, keepdims)
        if found is not None:
            return found
    x = as_array(a)
    result_dtype, work = result_and_work(x, dtype)
    x = convert(x, work)
    axes = axes_of(axis, x, "mean") if where is True else _axes(axis, x, "mean")
    total = sum(x, axes, keepdims=keepdims, where=where)
    count = _count(x, axes, where, keepdims, total.dtype)
    if where is not True:
        warn_where(count == 0, "Mean of empty slice.")
    elif not math.prod([x.shape[one] for one in axes]):
        warn("Mean of empty slice.")
    result = call("divide", (total, count))
    return finish_reduced(convert(result, result_dtype), out, "mean")


def squared(x: ndarray) -> ndarray:
    """The squared absolute values."""
    if x.dtype.kind == "c":
        return call("add", (call("square", (x.real,)), call("square", (x.imag,))))
    return call("square", (x,))


def degrees_of_freedom(name: str, ddof: Any, correction: Any) -> Any:
    """What is subtracted from the number of elements: `correction` is the array API's name of `ddof`."""
    if correction is None:
        return ddof
    if ddof != 0:
        raise ValueError(located(f"{name}: give ddof or correction, not both", here()))
    return correction


def var(
    a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None, ddof: float = 0, keepdims: bool = False,
    *, where: Any = True, mean: Any = None, correction: Any = None,
) -> ndarray:  # fmt: skip
    """Variance over axes: mean squared deviation, divided by ``count - ddof``.

    Parameters
    ----------
    a : array_like
        Of complex numbers the squared absolute value of the deviation counts.
    axis : int or tuple of int, optional
        All axes by default.
    dtype : dtype, optional
        The dtype to compute in; of integers the default dtype.
    out : ndarray, optional
    ddof : float, optional
        Degrees of freedom that are subtracted from the number of elements.
    keepdims : bool, optional
        Reduced axes stay, with length 1.
    where : array_like of bool, optional
        Which elements count.
    mean : array_like, optional
        The mean, if it is known already, computed with ``keepdims=True``.
    correction : float, optional
        Another name of `ddof`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.var([1., 2., 3., 4.]), np.var([1., 2., 3., 4.], ddof=1)
    (array(1.25, dtype=float32), array(1.6666666, dtype=float32))
    """
    x = as_array(a)
    ddof = degrees_of_freedom("var", ddof, correction)
    result_dtype, work = result_and_work(x, dtype)
    complete = x.dtype.kind == "c" and work.kind == "f"  # imaginary parts count although the mean has none
    given, x = x, convert(x, work)
    axes = axes_of(axis, x, "var") if where is True else _axes(axis, x, "var")
    if mean is None:
        total = sum(x, axes, keepdims=True, where=where)
        mean = call("divide", (total, _count(x, axes, where, True, work)))
    deviation = squared(call("subtract", (given if complete else x, mean)))
    count = _count(x, axes, where, keepdims, deviation.dtype)
    if where is not True:
        warn_where(count <= ddof, "Degrees of freedom <= 0 for slice")
    elif isinstance(ddof, (int, float)) and math.prod([x.shape[one] for one in axes]) <= ddof:
        warn("Degrees of freedom <= 0 for slice")
    if not isinstance(ddof, (int, float)) or ddof:
        count = call("maximum", (call("subtract", (count, ddof)), 0))
    total = sum(deviation, axes, keepdims=keepdims, where=where)
    result = call("divide", (total, count))
    return finish_reduced(
        convert(result, result_dtype) if dtype is not None or result_dtype.kind != "c" else result, out, "var"
    )


def std(
    a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None, ddof: float = 0, keepdims: bool = False,
    *, where: Any = True, mean: Any = None, correction: Any = None,
) -> ndarray:  # fmt: skip
    """Standard deviation over axes: square root of the variance; see `var` for the parameters.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.std([[1., 3.], [2., 6.]], axis=1)
    array([1., 2.], dtype=float32)
    """
    found = var(a, axis, dtype, None, ddof, keepdims, where=where, mean=mean, correction=correction)
    return finish(call("sqrt", (found,)), out)
