"""Weighted averages, covariances and correlations."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.creation import zeros
from dopegraph.numpy.elements import elements, warn_where
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.joining import concatenate
from dopegraph.numpy.linear import dot
from dopegraph.numpy.promotion import as_array, beside, complex_of, convert, dtype_of, kinds_of, result_dtype, scalar
from dopegraph.numpy.reduction import axes_of, sum
from dopegraph.numpy.shape import atleast_2d, squeeze, transpose
from dopegraph.numpy.statistics import mean
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located

__all__ = ["average", "corrcoef", "cov"]


def fitting_weights(name: str, x: ndarray, weights: Any, axis: Any) -> ndarray:
    """Weights of the array's shape, or of the lengths of the axes, in a shape that broadcasts to the array's."""
    w = as_array(weights)
    if w.shape == x.shape:
        return w
    if axis is None:
        message = f"{name}: weights of shape {w.shape} for an array of shape {x.shape}; name the axis they belong to"
        raise DTypeError(located(message, here()))
    axes = axes_of(axis, x, name)
    given = [operator.index(one) % x.ndim for one in (axis if isinstance(axis, tuple) else (axis,))]
    if w.shape != tuple(x.shape[one] for one in given):
        message = f"{name}: weights of shape {w.shape} do not fit the axes {axis} of an array of shape {x.shape}"
        raise ShapeError(located(message, here()))
    w = transpose(w, sorted(range(len(given)), key=given.__getitem__))
    return w.reshape([length if place in axes else 1 for place, length in enumerate(x.shape)])


def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """Mean over axes, in which elements may have weights.

    Parameters
    ----------
    a : array_like
    axis : int or tuple of int, optional
        All axes by default.
    weights : array_like, optional
        Of the shape of `a`, or of the lengths of the axes.
    returned : bool, optional
        Give the sum of the weights too.
    keepdims : bool, optional
        Reduced axes stay, with length 1.

    Returns
    -------
    ndarray, or tuple of two
        The average, and the sum of the weights in the same shape.

    Raises
    ------
    ZeroDivisionError
        If weights sum to 0.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.average([1., 2., 3.], weights=[3., 1., 0.])
    array(1.25, dtype=float32)
    """
    x = as_array(a)
    if weights is None:
        result = mean(x, axis, keepdims=keepdims)
        if not result.size:  # as NumPy does, which counts what each mean is of
            raise ZeroDivisionError(located("average: there are no means", here()))
        if not returned:
            return result
        count = math.prod([x.shape[one] for one in axes_of(axis, x, "average")])
        return result, apply(ops.identity, apply(ops.broadcast_to, scalar(count, result.dtype), shape=result.shape))
    w = fitting_weights("average", x, weights, axis)
    dtype = result_dtype(kinds_of([x, w]), default_dtype())
    if dtype.kind not in "fc":
        dtype = default_dtype()
    elif x.dtype.kind in "biu" and dtype.itemsize < 8 and dtype.kind == "f":
        dtype = numpy.dtype("float64")  # NumPy averages integers in double precision
    x, w = convert(x, dtype), convert(w, dtype)
    total = sum(apply(ops.broadcast_to, w, shape=x.shape), axis, keepdims=keepdims)
    message = "average: the weights sum to zero"
    try:
        total = apply(ops.checked, total, total != 0, error="ZeroDivisionError", message=message)
    except ZeroDivisionError as cause:
        raise ZeroDivisionError(located(message, here())) from cause
    result = call("divide", (sum(call("multiply", (x, w)), axis, keepdims=keepdims), total))
    return (result, total) if returned else result


def _variables(x: ndarray, rowvar: bool) -> ndarray:
    """One row for each variable."""
    return transpose(x) if not rowvar and x.shape[0] != 1 else x


def _observed(name: str, weights: Any, count: int, dtype: Any) -> ndarray | None:
    if weights is None:
        return None
    w = as_array(weights)
    if w.ndim > 1 or w.shape != (count,):
        message = f"cov: {name} of shape {w.shape} for {count} observations; needs one number for each"
        raise RuntimeError(located(message, here()))
    known = elements(f"cov: {name}", w)
    if name == "fweights" and not (known == numpy.rint(known)).all():
        raise DTypeError(located("cov: fweights must be whole numbers", here()))
    if (known < 0).any():
        raise ValueError(located(f"cov: {name} must not be negative", here()))
    return convert(w, dtype)


def _common(m: ndarray, y: ndarray | None, dtype: Any) -> Any:
    if dtype is not None:
        return dtype_of(dtype)
    given = [m] if y is None else [m, y]
    found = result_dtype(kinds_of(given), default_dtype())
    if found.kind not in "fc":
        return default_dtype()
    return numpy.dtype("float64") if found.kind == "f" else complex_of(numpy.dtype("float64"))


def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None, fweights: Any = None,
    aweights: Any = None, *, dtype: Any = None,
) -> ndarray:  # fmt: skip
    """Covariances of variables: a matrix, or one number for one variable.

    Parameters
    ----------
    m : array_like
        One or two axes; a row for each variable, a column for each observation.
    y : array_like, optional
        More variables.
    rowvar : bool, optional
        With False the columns are the variables.
    bias : bool, optional
        Divide by the number of observations, not by one less.
    ddof : int, optional
        What is subtracted from the number of observations, in place of what `bias` says.
    fweights : array_like of int, optional
        How often each observation counts.
    aweights : array_like, optional
        How much each observation counts.
    dtype : dtype, optional
        float64 at least, except for integers: these have the default dtype.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.cov([[0, 1, 2], [2, 1, 0]])
    array([[ 1., -1.],
           [-1.,  1.]], dtype=float32)
    """
    if ddof is not None and ddof != int(ddof):
        raise ValueError(located(f"cov: ddof must be an integer, not {ddof}", here()))
    given, more = as_array(m), None if y is None else as_array(y)
    for name, one in (("m", given), ("y", more)):
        if one is not None and one.ndim > 2:
            raise ShapeError(located(f"cov: {name} has {one.ndim} axes; it may have two", here()))
    kind = _common(given, more, dtype)
    x = atleast_2d(convert(given, kind))
    x = transpose(x) if not rowvar and given.ndim != 1 else x
    if not x.shape[0]:
        return zeros((0, 0), numpy.empty(0, kind).real.dtype)
    if more is not None:
        x = concatenate([x, _variables(atleast_2d(convert(more, kind)), rowvar)], 0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    frequency = _observed("fweights", fweights, x.shape[1], kind)
    importance = _observed("aweights", aweights, x.shape[1], kind)
    w = frequency if importance is None else importance if frequency is None else frequency * importance
    centre, total = average(x, 1, w, True)
    weight = total[0]
    if w is None:
        factor = as_array(x.shape[1] - ddof, total.dtype)
    elif importance is None or not ddof:
        factor = weight - ddof if ddof else weight
    else:
        factor = weight - ddof * sum(w * importance) / weight
    real = factor.real
    warn_where(real <= 0, "Degrees of freedom <= 0 for slice")
    factor = apply(ops.select, real <= 0, scalar(0, factor.dtype), factor)
    x = x - centre.reshape(-1, 1)
    right = transpose(x if w is None else x * w)
    product = dot(x, right.conj() if right.dtype.kind == "c" else right)
    return squeeze(product * call("divide", (1, factor)))


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> ndarray:
    """Correlation coefficients of variables: a matrix, or one number for one variable; see `cov`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.corrcoef([[0, 1, 2], [2, 1, 0]])
    array([[ 1., -1.],
           [-1.,  1.]], dtype=float32)
    """
    c = cov(x, y, rowvar, dtype=dtype)
    if not c.ndim:
        return c / c
    size = c.shape[0]
    diagonal = apply(ops.take, c.reshape(-1), beside(c, numpy.arange(size) * (size + 1)), axis=0)
    deviation = call("sqrt", (diagonal.real,))
    result = c / deviation.reshape(-1, 1) / deviation.reshape(1, -1)
    if result.dtype.kind == "c":
        return _limited(result.real) + 1j * _limited(result.imag)
    return _limited(result)


def _limited(x: ndarray) -> ndarray:
    """Rounding must not lead beyond 1."""
    return call("maximum", (call("minimum", (x, 1)), -1))
