"""Sums and products of the elements so far along an axis."""

from __future__ import annotations

from typing import Any

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.ir.primitive import Primitive
from dopegraph.numpy.assign import finish, finish_reduced
from dopegraph.numpy.creation import full
from dopegraph.numpy.promotion import BOOL, as_array, convert, dtype_of
from dopegraph.numpy.reduction import accumulator, without_nan
from dopegraph.numpy.shape import axis_of, ravel
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located

__all__ = ["cumprod", "cumsum", "cumulative_prod", "cumulative_sum", "nancumprod", "nancumsum"]


def _accumulate(name: str, op: Primitive, x: ndarray, axis: Any, dtype: Any, out: Any) -> ndarray:
    boolean = dtype is not None and dtype_of(dtype) == BOOL  # the disjunction or conjunction of those so far
    x = accumulator(convert(x, BOOL), None) if boolean else accumulator(x, dtype)
    if axis is None or (not x.ndim and axis in (0, -1)):
        x, axis = ravel(x), 0
    result = apply(op, x, axis=axis_of(axis, x.ndim, name))
    return finish_reduced(convert(result, BOOL) if boolean else result, out, name)


def cumsum(a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None) -> ndarray:
    """Sums of the elements so far along an axis (of the flattened array by default).

    Parameters
    ----------
    a : array_like
    axis : int, optional
    dtype : dtype, optional
        The dtype to sum in; small integers and booleans are summed in 64 bits by default.
    out : ndarray, optional

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.cumsum([1, 2, 3])
    array([1, 3, 6])
    """
    return _accumulate("cumsum", ops.cumsum, as_array(a), axis, dtype, out)


def cumprod(a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None) -> ndarray:
    """Products of the elements so far along an axis, with the right derivatives at zeros too; see `cumsum`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.cumprod([2, 3, 4])
    array([ 2,  6, 24])
    """
    return _accumulate("cumprod", ops.cumprod, as_array(a), axis, dtype, out)


def _from_the_start(name: str, op: Primitive, x: Any, axis: Any, dtype: Any, out: Any, first: int | None) -> ndarray:
    """As the Python array API has it: the axis must be named unless there is one, the result may begin with nothing."""
    x = as_array(x)
    if not x.ndim:
        x = ravel(x)
    if axis is None:
        if x.ndim > 1:
            raise ShapeError(located(f"{name}: name the axis of an array with {x.ndim} axes", here()))
        axis = 0
    if first is None:
        return _accumulate(name, op, x, axis, dtype, out)
    place = axis_of(axis, x.ndim, name)
    result = _accumulate(name, op, x, place, dtype, None)
    with x.device:
        start = full((*x.shape[:place], 1, *x.shape[place + 1 :]), first, result.dtype)
    return finish(apply(ops.concat, start, result, axis=place), out)


def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, out: ndarray | None = None, include_initial: bool = False
) -> ndarray:
    """Sums of the elements so far along an axis, which only arrays of one axis leave out.

    With `include_initial` the result begins with 0 and is longer by one.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.cumulative_sum([1, 2, 3], include_initial=True)
    array([0, 1, 3, 6])
    """
    return _from_the_start("cumulative_sum", ops.cumsum, x, axis, dtype, out, 0 if include_initial else None)


def cumulative_prod(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, out: ndarray | None = None, include_initial: bool = False
) -> ndarray:
    """Products of the elements so far along an axis; with `include_initial` a 1 before them; see `cumulative_sum`."""
    return _from_the_start("cumulative_prod", ops.cumprod, x, axis, dtype, out, 1 if include_initial else None)


def nancumsum(a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None) -> ndarray:
    """Sums of the elements so far, in which NaN counts as 0; see `cumsum`."""
    return _accumulate("nancumsum", ops.cumsum, without_nan(a, 0)[0], axis, dtype, out)


def nancumprod(a: Any, axis: Any = None, dtype: Any = None, out: ndarray | None = None) -> ndarray:
    """Products of the elements so far, in which NaN counts as 1; see `cumprod`."""
    return _accumulate("nancumprod", ops.cumprod, without_nan(a, 1)[0], axis, dtype, out)
