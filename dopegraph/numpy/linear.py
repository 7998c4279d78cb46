"""Products of matrices and tensors: everything becomes the one primitive `matmul`."""

from __future__ import annotations

import math
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply, view
from dopegraph.numpy.assign import finish
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.logic import where
from dopegraph.numpy.promotion import BOOL, INT64, as_array, convert, new, promote
from dopegraph.numpy.reduction import sum as array_sum
from dopegraph.numpy.shape import axis_of, moveaxis, reshape, transpose
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located

__all__ = ["dot", "inner", "matmul", "outer", "tensordot", "trace", "vdot"]


def _mismatch(name: str, x: ndarray, y: ndarray, first: int, second: int) -> ShapeError:
    return ShapeError(
        located(
            f"{name}: shapes {x.shape} and {y.shape} do not fit: axis {first} of the first has length "
            f"{x.shape[first]}, axis {second} of the second {y.shape[second]}",
            here(),
        )
    )


def matmul(x1: Any, x2: Any, /, out: ndarray | None = None) -> ndarray:
    """Matrix product; leading axes broadcast, a 1-d operand is a row (first) or a column (second).

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.matmul(np.ones((2, 3)), np.ones(3))
    array([3., 3.], dtype=float32)
    """
    x, y = promote((x1, x2))
    if x.ndim == 0 or y.ndim == 0:
        raise ShapeError(located("matmul: a 0-d operand has no axis to sum over; use multiply", here()))
    row, column = x.ndim == 1, y.ndim == 1
    if x.shape[-1] != y.shape[-1 if column else -2]:
        raise _mismatch("matmul", x, y, -1, -1 if column else -2)
    boolean = x.dtype == BOOL
    if boolean:  # computed as integers, and turned back
        x, y = convert(x, INT64), convert(y, INT64)
    if row:
        x = view(x, ((ops.reshape, {"shape": (1, x.shape[0])}),))
    if column:
        y = view(y, ((ops.reshape, {"shape": (y.shape[0], 1)}),))
    result = apply(ops.matmul, x, y)
    if row or column:
        shape = result.shape[: -2 if row else -1] + (() if column else result.shape[-1:])
        result = view(result, ((ops.reshape, {"shape": shape}),))
    return finish(convert(result, BOOL) if boolean else result, out)


def dot(a: Any, b: Any, out: ndarray | None = None) -> ndarray:
    """Sum over the last axis of the first and the second-last (or only) axis of the second operand.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.dot(np.array([1., 2.]), np.array([3., 4.]))
    array(11., dtype=float32)
    """
    x, y = as_array(a), as_array(b)
    if x.ndim == 0 or y.ndim == 0:
        return finish(x * y, out)
    if x.ndim <= 2 and y.ndim <= 2:
        if x.shape[-1] != y.shape[-2 if y.ndim > 1 else -1]:
            raise _mismatch("dot", x, y, -1, -2 if y.ndim > 1 else -1)
        return matmul(x, y, out)
    return finish(_contract("dot", x, y, [x.ndim - 1], [max(y.ndim - 2, 0)]), out)


def inner(a: Any, b: Any, /) -> ndarray:
    """Sum over the last axes of both."""
    x, y = as_array(a), as_array(b)
    if x.ndim == 0 or y.ndim == 0:
        return x * y
    return _contract("inner", x, y, [x.ndim - 1], [y.ndim - 1])


def outer(a: Any, b: Any, out: ndarray | None = None) -> ndarray:
    """All products of an element of the first (flattened) with one of the second."""
    x, y = as_array(a), as_array(b)
    return finish(reshape(x, (x.size, 1)) * reshape(y, (1, y.size)), out)


def vdot(a: Any, b: Any, /) -> ndarray:
    """Dot product of the flattened operands, the first conjugated."""
    x, y = as_array(a), as_array(b)
    if x.dtype.kind == "c":
        x = call("conjugate", (x,))
    return dot(reshape(x, x.size), reshape(y, y.size))


def _contract(name: str, x: ndarray, y: ndarray, x_axes: list[int], y_axes: list[int]) -> ndarray:
    """Sum over pairs of axes: one matrix product of the operands seen as matrices."""
    for first, second in zip(x_axes, y_axes):
        if x.shape[first] != y.shape[second]:
            raise _mismatch(name, x, y, first, second)
    x_free = [axis for axis in range(x.ndim) if axis not in x_axes]
    y_free = [axis for axis in range(y.ndim) if axis not in y_axes]
    length = math.prod([x.shape[axis] for axis in x_axes])
    x_shape, y_shape = [x.shape[axis] for axis in x_free], [y.shape[axis] for axis in y_free]
    left = reshape(transpose(x, x_free + x_axes), (math.prod(x_shape), length))
    right = reshape(transpose(y, y_axes + y_free), (length, math.prod(y_shape)))
    return reshape(matmul(left, right), (*x_shape, *y_shape))


def tensordot(a: Any, b: Any, axes: Any = 2) -> ndarray:
    """Sum over several pairs of axes: so many last of the first with first of the second, or the ones given."""
    x, y = as_array(a), as_array(b)
    if isinstance(axes, (tuple, list)):
        first, second = axes
        x_axes = [axis_of(one, x.ndim, "tensordot") for one in (first if isinstance(first, (tuple, list)) else [first])]
        y_axes = [
            axis_of(one, y.ndim, "tensordot") for one in (second if isinstance(second, (tuple, list)) else [second])
        ]
        if len(x_axes) != len(y_axes):
            raise ShapeError(located("tensordot: axes must name as many axes of one operand as of the other", here()))
    else:
        if axes > min(x.ndim, y.ndim):
            raise ShapeError(located(f"tensordot: {axes} axes of arrays of {x.ndim} and {y.ndim} axes", here()))
        x_axes, y_axes = list(range(x.ndim - axes, x.ndim)), list(range(axes))
    return _contract("tensordot", x, y, x_axes, y_axes)


def trace(
    a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: ndarray | None = None
) -> ndarray:
    """Sum of the diagonal of a matrix, or of each matrix that two axes span.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.trace([[1, 2], [3, 4]])
    array(5)
    """
    x = moveaxis(a, (axis1, axis2), (-2, -1))
    mask = new(numpy.eye(*x.shape[-2:], k=offset, dtype=bool))
    return array_sum(where(mask, x, 0), axis=(-2, -1), dtype=dtype, out=out)
