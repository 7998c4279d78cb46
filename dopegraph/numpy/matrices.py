"""Matrices of ones and zeros, triangles and diagonals of matrices, and the positions of both."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply, view
from dopegraph.numpy import host
from dopegraph.numpy.creation import dtype_or_default, ones
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.joining import stack
from dopegraph.numpy.layout import arranged, chosen_order, naming, on_device
from dopegraph.numpy.promotion import INT64, as_array, beside, convert, new, scalar
from dopegraph.numpy.shape import axis_of, ravel, reshape
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located

__all__ = [
    "diag", "diag_indices", "diag_indices_from", "diagflat", "diagonal", "eye", "identity", "mask_indices", "tri",
    "tril", "tril_indices", "tril_indices_from", "triu", "triu_indices", "triu_indices_from", "vander",
]  # fmt: skip


def eye(
    N: int, M: int | None = None, k: int = 0, dtype: Any = None, order: Any = "C", *, device: Any = None,
    like: Any = None,
) -> ndarray:  # fmt: skip
    """A matrix of zeros with ones on the k-th diagonal.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.eye(2)
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    order = chosen_order(order, "eye", "CF")
    chosen = dtype_or_default(dtype)
    with naming("eye"):
        made = new(numpy.eye(N, M, k, chosen))
    return on_device(arranged(made, order, None, "eye"), device, "eye")


def identity(n: int, dtype: Any = None, *, like: Any = None) -> ndarray:
    """The identity matrix."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None, *, like: Any = None) -> ndarray:
    """Ones at and below the k-th diagonal, zeros above."""
    chosen = dtype_or_default(dtype)
    with naming("tri"):
        return new(numpy.tri(N, M, k, chosen))


def _triangle(name: str, m: Any, k: int, upper: bool) -> ndarray:
    x = as_array(m)
    if x.ndim == 0:
        raise DTypeError(located(f"{name}: an array without axes has no triangle", here()))
    with naming(name):
        below = numpy.tri(*x.shape[-2:], k=k - upper, dtype=bool)
    return apply(ops.select, beside(x, ~below if upper else below), x, scalar(0, x.dtype))


def tril(m: Any, k: int = 0) -> ndarray:
    """The matrix with zeros above the k-th diagonal."""
    return _triangle("tril", m, k, False)


def triu(m: Any, k: int = 0) -> ndarray:
    """The matrix with zeros below the k-th diagonal."""
    return _triangle("triu", m, k, True)


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> ndarray:
    """A read-only view of the k-th diagonal of a matrix, or of each matrix that two axes span.

    Parameters
    ----------
    a : array_like
        Two axes or more.
    offset : int, optional
        Positive above the main diagonal, negative below.
    axis1, axis2 : int, optional

    Returns
    -------
    ndarray
        The other axes, and the diagonal as the last.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.diagonal(np.array([[1, 2], [3, 4]]))
    array([1, 4])
    """
    x = as_array(a)
    if x.ndim < 2:
        raise ShapeError(located(f"diagonal: needs an array of 2 or more axes, not of shape {x.shape}", here()))
    first, second = axis_of(axis1, x.ndim, "diagonal"), axis_of(axis2, x.ndim, "diagonal")
    if first == second:
        raise ShapeError(located(f"diagonal: the axes must differ, not be both {first}", here()))
    with naming("diagonal"):
        offset = operator.index(offset)
    return view(x, ((ops.diagonal, {"offset": offset, "axis1": first, "axis2": second}),))


def diag(v: Any, k: int = 0) -> ndarray:
    """The matrix with a given diagonal, or the diagonal of a given matrix (a read-only view).

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.diag([1, 2])
    array([[1, 0],
           [0, 2]])
    """
    x = as_array(v)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ShapeError(located(f"diag: takes one or two axes, not an array of shape {x.shape}", here()))
    with naming("diag"):
        k = operator.index(k)
    side = x.size + abs(k)
    if not x.size:
        return convert(eye(side, k=side, dtype=bool), x.dtype)
    start = k if k >= 0 else -k * side
    stop = start + (x.size - 1) * (side + 1) + 1
    where = {"starts": (start,), "stops": (stop,), "steps": (side + 1,)}
    return reshape(apply(ops.unslice, x, shape=(side * side,), **where), (side, side))


def diagflat(v: Any, k: int = 0) -> ndarray:
    """The matrix with the flattened elements on its k-th diagonal."""
    return diag(ravel(v), k)


def vander(x: Any, N: int | None = None, increasing: bool = False) -> ndarray:
    """The matrix whose columns are the powers of a vector, the highest first unless `increasing`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.vander([1, 2, 3], 3)
    array([[1, 1, 1],
           [4, 2, 1],
           [9, 3, 1]])
    """
    base = as_array(x)
    if base.ndim != 1:
        raise ShapeError(located(f"vander: takes one axis, not an array of shape {base.shape}", here()))
    count = base.size if N is None else operator.index(N)
    if isinstance(x, (ndarray, numpy.ndarray)) or base.dtype.kind not in "fc":
        base = convert(base, numpy.promote_types(base.dtype, INT64))
    columns: list[ndarray] = []
    for _ in range(count):
        columns.append(call("multiply", (columns[-1], base)) if columns else ones(base.size, base.dtype))
    if not columns:
        return reshape(base[:0], (0, 0)) if not base.size else ones((base.size, 0), base.dtype)
    return stack(columns if increasing else columns[::-1], axis=1)


def _positions(name: str, *args: Any) -> tuple[ndarray, ...]:
    with naming(name):
        return tuple([new(numpy.asarray(one)) for one in getattr(numpy, name)(*args)])


def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[ndarray, ndarray]:
    """Rows and columns of the elements at and below the k-th diagonal of an n-by-m matrix."""
    rows, columns = _positions("tril_indices", n, k, m)
    return rows, columns


def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[ndarray, ndarray]:
    """Rows and columns of the elements at and above the k-th diagonal of an n-by-m matrix."""
    rows, columns = _positions("triu_indices", n, k, m)
    return rows, columns


def _matrix_shape(name: str, arr: Any) -> tuple[int, int]:
    x = as_array(arr)
    if x.ndim != 2:
        raise ShapeError(located(f"{name}: takes a matrix, not an array of shape {x.shape}", here()))
    return x.shape[0], x.shape[1]


def tril_indices_from(arr: Any, k: int = 0) -> tuple[ndarray, ndarray]:
    """Rows and columns of the elements at and below the k-th diagonal of a matrix."""
    rows, columns = _matrix_shape("tril_indices_from", arr)
    return tril_indices(rows, k, columns)


def triu_indices_from(arr: Any, k: int = 0) -> tuple[ndarray, ndarray]:
    """Rows and columns of the elements at and above the k-th diagonal of a matrix."""
    rows, columns = _matrix_shape("triu_indices_from", arr)
    return triu_indices(rows, k, columns)


def diag_indices(n: int, ndim: int = 2) -> tuple[ndarray, ...]:
    """The positions 0, 1, ..., n-1 along each axis: where the diagonal of an array of equal sides is."""
    return _positions("diag_indices", n, ndim)


def diag_indices_from(arr: Any) -> tuple[ndarray, ...]:
    """The positions of the diagonal of an array of two or more axes of one length."""
    x = as_array(arr)
    if x.ndim < 2 or len(set(x.shape)) != 1:
        message = f"diag_indices_from: needs two or more axes of one length, not the shape {x.shape}"
        raise ShapeError(located(message, here()))
    return diag_indices(x.shape[0], x.ndim)


def mask_indices(n: int, mask_func: Callable[..., Any], k: Any = 0) -> tuple[ndarray, ...]:
    """Rows and columns of the elements of an n-by-n matrix of ones that a function such as `triu` does not set to 0.

    They are found by NumPy, on the host.
    """
    masked = mask_func(ones((n, n), INT64), k)
    return host.call("mask_indices", numpy.nonzero, call("not_equal", (masked, 0)))
