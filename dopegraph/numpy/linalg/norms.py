"""Norms, condition numbers and ranks, composed of sums, singular values and inverses."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.linalg.decompositions import svd
from dopegraph.numpy.linalg.operands import matrix, precision
from dopegraph.numpy.linalg.results import LinAlgError
from dopegraph.numpy.logic import where
from dopegraph.numpy.promotion import INT64, as_array, convert, scalar
from dopegraph.numpy.reduction import all as array_all
from dopegraph.numpy.reduction import any as array_any
from dopegraph.numpy.reduction import axes_of, count_nonzero
from dopegraph.numpy.reduction import max as array_max
from dopegraph.numpy.reduction import min as array_min
from dopegraph.numpy.reduction import sum as array_sum
from dopegraph.numpy.shape import axis_of, expand_dims, moveaxis, reshape
from dopegraph.ops.complex import real_of
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.direct import direct
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located

INF = numpy.inf


def _floating(x: Any) -> ndarray:
    array = as_array(x)
    return convert(array, default_dtype()) if array.dtype.kind in "biu" else array


def _absolute(x: ndarray) -> ndarray:
    return call("absolute", (x,))


def _length(x: ndarray, axes: Any, keepdims: bool) -> ndarray:
    """The square root of the sum of squares; its derivative at 0 is 0."""
    if x.dtype.kind == "c":
        squares = call("square", (apply(ops.real, x),)) + call("square", (apply(ops.imag, x),))
    else:
        squares = call("square", (x,))
    total = array_sum(squares, axis=axes, keepdims=keepdims)
    if not direct.held:  # nothing asks for a derivative
        return call("sqrt", (total,))
    nothing = total == 0
    return where(nothing, 0, call("sqrt", (where(nothing, 1, total),)))


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> ndarray:
    """Norm of vectors or matrices.

    Parameters
    ----------
    x : array_like
    ord : {None, int, float, inf, -inf, "fro", "nuc"}, optional
        Of vectors: the power p of ``sum(abs(x)**p)**(1/p)``, inf and -inf for the largest and smallest absolute value,
        0 for the number of elements that are not zero. Of matrices: 1, -1, inf and -inf for the largest and smallest
        sum of a column and of a row, 2 and -2 for the extreme singular values, "nuc" for their sum, "fro" or None for
        the root of the sum of squares.
    axis : int or pair of int, optional
        The axis of vectors, or the axes of matrices. By default the whole array; its elements in a row, whatever its
        axes, when `ord` is None.
    keepdims : bool, optional
        Reduced axes stay, with length 1.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.norm(np.array([3., 4.]))
    array(5., dtype=float32)
    >>> np.linalg.norm(np.array([[1., 2.], [3., 4.]]), 1)
    array(6., dtype=float32)
    """
    array = _floating(x)
    if axis is None:
        whole = ord is None or (ord in ("f", "fro") and array.ndim == 2) or (ord == 2 and array.ndim == 1)
        if whole:
            return _length(array, None, keepdims)
        axis = tuple(range(array.ndim))
    try:
        places = tuple(axis_of(one, array.ndim, "norm") for one in (axis if isinstance(axis, tuple) else (axis,)))
    except TypeError as cause:
        message = "'axis' must be None, an integer or a tuple of integers"
        raise DTypeError(located(f"norm: {message}, not {axis!r}", here())) from cause
    if len(places) == 1:
        return _vector(array, ord, places, keepdims)
    if len(places) != 2:
        raise ShapeError(located(f"norm: Improper number of dimensions to norm: {len(places)}", here()))
    if places[0] == places[1]:
        raise ValueError(located("norm: Duplicate axes given", here()))
    return _matrix(array, ord, places, keepdims)


def _vector(x: ndarray, ord: Any, axes: tuple[int, ...], keepdims: bool) -> ndarray:
    if ord is None or ord == 2:
        return _length(x, axes, keepdims)
    if isinstance(ord, str):
        raise ValueError(located(f"norm: vectors have no norm of order {ord!r}", here()))
    if ord == INF:
        return array_max(_absolute(x), axes, keepdims=keepdims, initial=0)
    if ord == -INF:
        return array_min(_absolute(x), axes, keepdims=keepdims)
    if ord == 0:
        return array_sum(convert(x != 0, real_of(x.dtype)), axes, keepdims=keepdims)
    size = _absolute(x)
    if ord == 1:
        return array_sum(size, axes, keepdims=keepdims)
    return array_sum(size**ord, axes, keepdims=keepdims) ** (1.0 / ord)


def _matrix(x: ndarray, ord: Any, axes: tuple[int, ...], keepdims: bool) -> ndarray:
    rows, columns = axes
    if ord is None or ord in ("fro", "f"):
        return _length(x, axes, keepdims)
    if isinstance(ord, str) and ord == "nuc":
        result = array_sum(_singular(x, axes), axis=-1)
    elif ord in (2, -2):
        s = _singular(x, axes)
        result = array_max(s, axis=-1, initial=0) if ord == 2 else array_min(s, axis=-1)
    elif ord in (1, -1, INF, -INF):
        summed, other = (rows, columns) if ord in (1, -1) else (columns, rows)
        sums = array_sum(_absolute(x), axis=summed)
        other -= other > summed
        result = array_max(sums, axis=other, initial=0) if ord > 0 else array_min(sums, axis=other)
    else:
        raise ValueError(located(f"norm: Invalid norm order {ord!r} for matrices", here()))
    return expand_dims(result, axes_of(axes, x, "norm")) if keepdims else result


def _singular(x: ndarray, axes: tuple[int, ...]) -> ndarray:
    return apply(ops.svdvals, matrix(moveaxis(x, axes, (-2, -1)), "norm"))


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> ndarray:
    """Norm of the matrices in the last two axes; see `norm`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.matrix_norm(np.array([[[3., 0.], [0., 4.]]]))
    array([5.], dtype=float32)
    """
    return norm(x, ord=ord, axis=(-2, -1), keepdims=keepdims)


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> ndarray:
    """Norm of vectors over one or several axes, by default of all elements; see `norm`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.vector_norm(np.array([[3., 0.], [0., 4.]]))
    array(5., dtype=float32)
    """
    array = as_array(x)
    places = tuple(range(array.ndim)) if axis is None else axes_of(axis, array, "vector_norm")
    kept = [place for place in range(array.ndim) if place not in places]
    flat = moveaxis(array, tuple(places), tuple(range(len(kept), array.ndim)))
    flat = reshape(
        flat, (*(array.shape[place] for place in kept), numpy.prod([array.shape[p] for p in places], dtype=int))
    )
    result = norm(flat, ord=ord, axis=-1)
    return expand_dims(result, places) if keepdims else result


def cond(x: Any, p: Any = None) -> ndarray:
    """Condition number of matrices: the norm of order `p` times that of the inverse, infinite for singular ones.

    Parameters
    ----------
    x : array_like
        Of shape ``(..., m, n)``, square unless `p` is None, 2 or -2.
    p : {None, 1, -1, 2, -2, inf, -inf, "fro", "nuc"}, optional
        None is 2: the quotient of the largest and the smallest singular value.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.cond(np.array([[1., 0.], [0., 4.]]))
    array(4., dtype=float32)
    """
    array = as_array(x)
    if array.size == 0 and array.ndim >= 2 and 0 in array.shape[-2:]:
        raise LinAlgError(located("cond is not defined on empty arrays", here()))
    a = matrix(array, "cond", square=p not in (None, 2, -2))
    if p in (None, 2, -2):
        s = apply(ops.svdvals, a)
        with numpy.errstate(all="ignore"):
            result = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    else:
        inverse = apply(ops.inv, a, singular_as_nan=True)
        with numpy.errstate(all="ignore"):
            result = norm(a, p, axis=(-2, -1)) * norm(inverse, p, axis=(-2, -1))
    # What is no number is infinite, unless there was a NaN before.
    lost = call("logical_and", (call("isnan", (result,)), ~array_any(call("isnan", (a,)), axis=(-2, -1))))
    return where(lost, scalar(INF, result.dtype), result)


def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> ndarray:
    """How many singular values of matrices are not (nearly) zero.

    Parameters
    ----------
    A : array_like
        Of shape ``(..., m, n)``; a vector has rank 0 or 1.
    tol : array_like, optional
        Singular values up to this count as zero. By default `rtol` times the largest one.
    hermitian : bool, optional
        Whether the matrices are Hermitian; only the lower triangle is read then.
    rtol : array_like, optional
        By default the larger length times the precision of the dtype.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.matrix_rank(np.array([[1., 2.], [2., 4.]]))
    array(1)
    """
    array = as_array(A)
    if rtol is not None and tol is not None:
        raise ValueError(located("matrix_rank: give tol or rtol, not both", here()))
    if array.ndim < 2:
        return convert(~array_all(array == 0), INT64)
    a = matrix(array, "matrix_rank", square=hermitian)
    s = svd(a, compute_uv=False, hermitian=hermitian)
    if tol is None:
        relative = max(a.shape[-2:]) * precision(a.dtype) if rtol is None else _column(rtol)
        limit = (array_max(s, axis=-1, keepdims=True) if s.shape[-1] else 0.0) * relative
    else:
        limit = _column(tol)
    return count_nonzero(s > limit, axis=-1)


def _column(x: Any) -> ndarray:
    return expand_dims(as_array(x), -1)
