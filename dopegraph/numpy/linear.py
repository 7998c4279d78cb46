"""Products and traces of matrices and tensors: everything becomes the primitive `matmul`, or views."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.numpy import short_way
from dopegraph.numpy.assign import finish
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.joining import stack
from dopegraph.numpy.matmul import conjugate, matmul, matrix_transpose, matvec, mismatch, vecdot, vecmat
from dopegraph.numpy.promotion import as_array, promote
from dopegraph.numpy.reduction import sum as array_sum
from dopegraph.numpy.shape import axis_of, moveaxis, reshape, transpose
from dopegraph.runtime.errors import IndexingError, ShapeError
from dopegraph.runtime.location import here, located

__all__ = [
    "cross", "dot", "inner", "kron", "matmul", "matrix_transpose", "matvec", "outer", "tensordot", "trace", "vdot",
    "vecdot", "vecmat",
]  # fmt: skip


def dot(a: Any, b: Any, out: ndarray | None = None) -> ndarray:
    """Sum over the last axis of the first and the second-last (or only) axis of the second operand.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.dot(np.array([1., 2.]), np.array([3., 4.]))
    array(11., dtype=float32)
    """
    found = short_way.product(a, b) if out is None else None
    if found is not None:
        return found
    x, y = as_array(a), as_array(b)
    if x.ndim == 0 or y.ndim == 0:
        return finish(x * y, out)
    if x.ndim <= 2 and y.ndim <= 2:
        if x.shape[-1] != y.shape[-2 if y.ndim > 1 else -1]:
            raise mismatch("dot", x, y, -1, -2 if y.ndim > 1 else -1)
        return matmul(x, y, out)
    return finish(_contract("dot", x, y, [x.ndim - 1], [max(y.ndim - 2, 0)]), out)


def inner(a: Any, b: Any, /) -> ndarray:
    """Sum over the last axes of both.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.inner([[1, 2], [3, 4]], [1, 1])
    array([3, 7])
    """
    x, y = as_array(a), as_array(b)
    if x.ndim == 0 or y.ndim == 0:
        return x * y
    return _contract("inner", x, y, [x.ndim - 1], [y.ndim - 1])


def outer(a: Any, b: Any, out: ndarray | None = None) -> ndarray:
    """All products of an element of the first (flattened) with one of the second.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.outer([1, 2], [3, 4])
    array([[3, 4],
           [6, 8]])
    """
    x, y = as_array(a), as_array(b)
    return finish(reshape(x, (x.size, 1)) * reshape(y, (1, y.size)), out)


def vdot(a: Any, b: Any, /) -> ndarray:
    """Dot product of the flattened operands, the first conjugated.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.vdot([1j, 2], [3, 4j])
    array(0.+5.j, dtype=complex64)
    """
    x, y = as_array(a), as_array(b)
    if x.size != y.size:
        raise ShapeError(located(f"vdot: {x.size} and {y.size} elements, of shapes {x.shape} and {y.shape}", here()))
    return dot(conjugate(reshape(x, x.size)), reshape(y, y.size))


def _contract(name: str, x: ndarray, y: ndarray, x_axes: list[int], y_axes: list[int]) -> ndarray:
    """Sum over pairs of axes: one matrix product of the operands seen as matrices."""
    for first, second in zip(x_axes, y_axes):
        if x.shape[first] != y.shape[second]:
            raise mismatch(name, x, y, first, second)
    x_free = [axis for axis in range(x.ndim) if axis not in x_axes]
    y_free = [axis for axis in range(y.ndim) if axis not in y_axes]
    length = math.prod([x.shape[axis] for axis in x_axes])
    x_shape, y_shape = [x.shape[axis] for axis in x_free], [y.shape[axis] for axis in y_free]
    left = reshape(transpose(x, x_free + x_axes), (math.prod(x_shape), length))
    right = reshape(transpose(y, y_axes + y_free), (length, math.prod(y_shape)))
    return reshape(matmul(left, right), (*x_shape, *y_shape))


def tensordot(a: Any, b: Any, axes: Any = 2) -> ndarray:
    """Sum over several pairs of axes: so many last of the first with first of the second, or the ones given.

    Parameters
    ----------
    a, b : array_like
    axes : int, or pair of int or of sequences of int
        ``(axes of a, axes of b)``, of equal lengths.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.tensordot(np.ones((2, 3, 4)), np.ones((4, 3)), axes=([1, 2], [1, 0]))
    array([12., 12.], dtype=float32)
    """
    x, y = as_array(a), as_array(b)
    if isinstance(axes, (tuple, list)) or numpy.ndim(axes):
        first, second = axes
        x_axes = [axis_of(one, x.ndim, "tensordot") for one in numpy.atleast_1d(first)]
        y_axes = [axis_of(one, y.ndim, "tensordot") for one in numpy.atleast_1d(second)]
        if len(x_axes) != len(y_axes):
            raise ShapeError(located("tensordot: axes must name as many axes of one operand as of the other", here()))
        if len(set(x_axes)) != len(x_axes) or len(set(y_axes)) != len(y_axes):
            raise ValueError(located("tensordot: axes must name each axis once", here()))
    else:
        axes = operator.index(axes)
        if axes > min(x.ndim, y.ndim):
            shared = zip(x.shape[::-1][:axes][::-1], y.shape) if x.ndim >= axes else ()
            kind = ShapeError if any(one != other for one, other in shared) else IndexingError
            raise kind(located(f"tensordot: {axes} axes of arrays of {x.ndim} and {y.ndim} axes", here()))
        x_axes, y_axes = list(range(x.ndim - axes, x.ndim)), list(range(axes))
    return _contract("tensordot", x, y, x_axes, y_axes)


def diagonal_view(x: ndarray, offset: int = 0) -> ndarray:
    """The diagonals of the matrices in the last two axes: every (n + 1)-th element of their rows in a line."""
    *batch, m, n = x.shape
    start, count = (offset, min(m, n - offset)) if offset >= 0 else (-offset * n, min(m + offset, n))
    flat = reshape(x, (*batch, m * n))
    if count <= 0:
        return flat[..., :0]
    return flat[..., start : start + (count - 1) * (n + 1) + 1 : n + 1]


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
    x = as_array(a)
    if x.ndim < 2:
        raise ValueError(located(f"trace: an array of {x.ndim} axes has no diagonal", here()))
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    return array_sum(diagonal_view(x, operator.index(offset)), axis=-1, dtype=dtype, out=out)


def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> ndarray:  # fmt: skip
    """Cross products of vectors of three components (or two, whose third is 0); other axes broadcast.

    Parameters
    ----------
    a, b : array_like
    axisa, axisb, axisc : int, optional
        Where the components stand in the operands and in the result.
    axis : int, optional
        In place of all three.

    Returns
    -------
    ndarray
        Of two vectors of two components the third component alone.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.cross([1., 0., 0.], [0., 1., 0.])
    array([0., 0., 1.], dtype=float32)
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = promote((a, b))
    if x.ndim == 0 or y.ndim == 0:
        raise ValueError(located("cross: a 0-d operand is no vector", here()))
    x = moveaxis(x, axis_of(axisa, x.ndim, "cross"), -1)
    y = moveaxis(y, axis_of(axisb, y.ndim, "cross"), -1)
    if x.shape[-1] not in (2, 3) or y.shape[-1] not in (2, 3):
        raise ShapeError(located(f"cross: vectors have 2 or 3 components, not {x.shape[-1]} and {y.shape[-1]}", here()))
    x0, x1 = x[..., 0], x[..., 1]
    y0, y1 = y[..., 0], y[..., 1]
    last = x0 * y1 - x1 * y0
    if x.shape[-1] == y.shape[-1] == 2:
        return last
    if y.shape[-1] == 2:
        parts = [-(x[..., 2] * y1), x[..., 2] * y0, last]
    elif x.shape[-1] == 2:
        parts = [x1 * y[..., 2], -(x0 * y[..., 2]), last]
    else:
        x2, y2 = x[..., 2], y[..., 2]
        parts = [x1 * y2 - x2 * y1, x2 * y0 - x0 * y2, last]
    return stack(parts, axis_of(axisc, last.ndim + 1, "cross"))


def kron(a: Any, b: Any) -> ndarray:
    """Kronecker product: every element of the first times the whole second.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.kron([1, 10], [1, 2, 3])
    array([ 1,  2,  3, 10, 20, 30])
    """
    x, y = as_array(a), as_array(b)
    if x.ndim == 0 or y.ndim == 0:
        return call("multiply", (x, y))
    ndim = max(x.ndim, y.ndim)
    x_shape = (1,) * (ndim - x.ndim) + x.shape
    y_shape = (1,) * (ndim - y.ndim) + y.shape
    spread = reshape(x, [length for n in x_shape for length in (n, 1)])
    repeated = reshape(y, [length for n in y_shape for length in (1, n)])
    return reshape(call("multiply", (spread, repeated)), [n * m for n, m in zip(x_shape, y_shape)])
