"""Reductions with NumPy's signatures: sums, products, extrema, positions, truth."""

from __future__ import annotations

import operator
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.ir.primitive import Primitive
from dopegraph.numpy import short_way
from dopegraph.numpy.assign import finish, finish_reduced
from dopegraph.numpy.creation import full
from dopegraph.numpy.elementwise import call, truth
from dopegraph.numpy.placement import placed
from dopegraph.numpy.promotion import BOOL, as_array, as_operand, convert, dtype_of, promote, scalar
from dopegraph.numpy.shape import axis_of
from dopegraph.ops.typing import normalize_axes, reduced_shape
from dopegraph.runtime.errors import AxisError, DTypeError, ShapeError
from dopegraph.runtime.location import here, located

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "count_nonzero", "max", "min", "prod", "ptp", "sum",
]  # fmt: skip

_EXTREMA = {"max": numpy.maximum.reduce, "min": numpy.minimum.reduce}
_INTEGER_SUM = {"b": "int64", "i": "int64", "u": "uint64"}


def axes_of(axis: Any, x: ndarray, name: str) -> tuple[int, ...]:
    """Normalized axes from None, an integer or a tuple."""
    if axis is None:
        return tuple(range(x.ndim))
    given = axis if isinstance(axis, tuple) else (axis,)
    try:
        return normalize_axes([operator.index(one) for one in given], x.ndim)
    except (AxisError, ShapeError) as cause:
        raise type(cause)(located(f"{name}: {cause}", here())) from None
    except TypeError as cause:
        raise DTypeError(located(f"{name}: an axis must be an integer: {cause}", here())) from None


def _axes(axis: Any, x: ndarray, name: str) -> tuple[int, ...]:
    """The same for ufuncs' reductions, which take an array without axes for one of one axis."""
    return () if not x.ndim and axis in (0, -1) else axes_of(axis, x, name)


def limited(x: ndarray, where: Any, neutral: Any) -> ndarray:
    """Elements that `where` leaves out become neutral."""
    if where is True:
        return x
    mask = truth(as_operand(where))
    return apply(ops.select, mask, x, neutral if isinstance(neutral, ndarray) else scalar(neutral, x.dtype))


def _reduce(
    name: str, op: Primitive, x: ndarray, axis: Any, keepdims: bool, out: ndarray | None = None, initial: Any = None
) -> ndarray:
    result = apply(op, x, axes=_axes(axis, x, name), keepdims=bool(keepdims))
    if initial is not None:
        combine = {"sum": "add", "prod": "multiply", "max": "maximum", "min": "minimum"}[name]
        result = convert(call(combine, (result, *promote([initial], x.dtype))), result.dtype)
    return finish_reduced(result, out, name)


def accumulator(x: ndarray, dtype: Any) -> ndarray:
    """Sums and products of small integers are 64-bit."""
    if dtype is not None:
        return convert(x, dtype_of(dtype))
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
    if dtype is None and out is None and initial is None and where is True:
        found = short_way.reduction(numpy.add.reduce, a, axis, keepdims)
        found = short_way.reduced(ops.sum, a, axis, keepdims) if found is None else found
        if found is not None:
            return found
    return _sum(a, axis, dtype, out, keepdims, initial, where)


@placed
def _sum(a: Any, axis: Any, dtype: Any, out: ndarray | None, keepdims: bool, initial: Any, where: Any) -> ndarray:
    x = accumulator(as_array(a), dtype)
    if x.dtype == BOOL:
        result = any(x, axis, keepdims=keepdims, where=where)
        return finish_reduced(result if initial is None else call("logical_or", (result, initial)), out, "sum")
    x = limited(x, where, 0)
    return _reduce("sum", ops.sum, x, axis, keepdims, out, initial)


def prod(
    a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None, keepdims: bool = False,
    initial: Any = None, where: Any = True,
) -> ndarray:  # fmt: skip
    """Product of the elements over axes, with the derivatives of a product at zeros too; see `sum` for the parameters.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.prod([[1., 2.], [3., 4.]], axis=1)
    array([ 2., 12.], dtype=float32)
    """
    if dtype is None and out is None and initial is None and where is True:
        found = short_way.reduction(numpy.multiply.reduce, a, axis, keepdims)
        found = short_way.reduced(ops.prod, a, axis, keepdims) if found is None else found
        if found is not None:
            return found
    x = accumulator(as_array(a), dtype)
    if x.dtype == BOOL:
        result = all(x, axis, keepdims=keepdims, where=where)
        return finish_reduced(result if initial is None else call("logical_and", (result, initial)), out, "prod")
    return _reduce("prod", ops.prod, limited(x, where, 1), axis, keepdims, out, initial)


def _extremum(
    name: str, op: Primitive, a: Any, axis: Any, out: Any, keepdims: bool, initial: Any, where: Any
) -> ndarray:
    if out is None and initial is None and where is True:
        found = short_way.reduction(_EXTREMA[name], a, axis, keepdims)
        found = short_way.reduced(op, a, axis, keepdims) if found is None else found
        if found is not None:
            return found
    return _long_extremum(name, op, a, axis, out, keepdims, initial, where)


@placed
def _long_extremum(
    name: str, op: Primitive, a: Any, axis: Any, out: Any, keepdims: bool, initial: Any, where: Any
) -> ndarray:
    x = as_array(a)
    if where is not True:
        if initial is None:
            raise ValueError(located(f"{name}: where= needs initial=, the result when nothing is left", here()))
        x = limited(x, where, *promote([initial], x.dtype))
    if initial is not None and x.size == 0:
        shape = reduced_shape(x.shape, _axes(axis, x, name), keepdims)
        return finish_reduced(full(shape, *promote([initial], x.dtype), x.dtype), out, name)
    return _reduce(name, op, x, axis, keepdims, out, initial)


def max(
    a: Any, axis: Any = None, out: ndarray | None = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> ndarray:
    """Largest element over axes, NaN if there is one; derivatives are shared by elements that tie.

    Parameters
    ----------
    a : array_like
        Complex numbers are compared by the real, then the imaginary part.
    axis : int or tuple of int, optional
        All axes by default.
    out : ndarray, optional
    keepdims : bool, optional
        Reduced axes stay, with length 1.
    initial : scalar, optional
        The result is not smaller; what an empty array has for its maximum.
    where : array_like of bool, optional
        Which elements count; needs `initial`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.max([[1., 4.], [3., 2.]], axis=0)
    array([3., 4.], dtype=float32)
    """
    return _extremum("max", ops.max, a, axis, out, keepdims, initial, where)


def min(
    a: Any, axis: Any = None, out: ndarray | None = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> ndarray:
    """Smallest element over axes, NaN if there is one; derivatives are shared by elements that tie; see `max`."""
    return _extremum("min", ops.min, a, axis, out, keepdims, initial, where)


amax, amin = max, min


def ptp(a: Any, axis: Any = None, out: ndarray | None = None, keepdims: bool = False) -> ndarray:
    """Range of the values: largest minus smallest."""
    x = as_array(a)
    span = call("subtract", (max(x, axis, keepdims=keepdims), min(x, axis, keepdims=keepdims)))
    return finish_reduced(span, out, "ptp", "same_kind")


def all(a: Any, axis: Any = None, out: ndarray | None = None, keepdims: bool = False, *, where: Any = True) -> ndarray:
    """Whether all elements over axes are true."""
    if out is None and where is True:
        found = short_way.reduction(numpy.logical_and.reduce, a, axis, keepdims, short_way.BOOLEANS)
        if found is not None:
            return found
    x = limited(truth(as_operand(a)), where, True)
    return _reduce("all", ops.all, x, axis, keepdims, out)


def any(a: Any, axis: Any = None, out: ndarray | None = None, keepdims: bool = False, *, where: Any = True) -> ndarray:
    """Whether some element over axes is true."""
    if out is None and where is True:
        found = short_way.reduction(numpy.logical_or.reduce, a, axis, keepdims, short_way.BOOLEANS)
        if found is not None:
            return found
    x = limited(truth(as_operand(a)), where, False)
    return _reduce("any", ops.any, x, axis, keepdims, out)


def _position(name: str, op: Primitive, a: Any, axis: Any, out: Any, keepdims: bool) -> ndarray:
    x = as_array(a)
    if axis is None or not x.ndim:
        _axes(axis, x, name)
        flat = x.reshape(x.size)
        result = apply(op, flat, axis=0, keepdims=False)
        return _positioned(result.reshape((1,) * x.ndim) if keepdims else result, out, name)
    one = axis_of(axis, x.ndim, name)
    return _positioned(apply(op, x, axis=one, keepdims=bool(keepdims)), out, name)


def _positioned(result: ndarray, out: Any, name: str) -> ndarray:
    """Positions are written to integers only."""
    if isinstance(out, (ndarray, numpy.ndarray)) and out.shape != result.shape:
        raise ShapeError(located(f"{name}: out has the shape {out.shape}, the result {result.shape}", here()))
    return finish(result, out)


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


def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> ndarray:
    """How many elements over axes are not zero."""
    return sum(truth(as_operand(a)), axis, keepdims=keepdims)


def without_nan(a: Any, neutral: Any) -> tuple[ndarray, ndarray | None]:
    """The array with a neutral element in place of NaN, and where there was one; None when there can be none."""
    x = as_array(a)
    if x.dtype.kind not in "fc":
        return x, None
    missing = call("isnan", (x,))
    return apply(ops.select, missing, scalar(neutral, x.dtype), x), missing
