"""Linear systems, inverses, determinants and triangular factors."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy import host
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.linalg.operands import adjoint, matrix, precision, together
from dopegraph.numpy.linalg.results import LinAlgError, SlogdetResult, result_of
from dopegraph.numpy.matmul import conjugate, matmul
from dopegraph.numpy.promotion import as_array, beside, convert, scalar
from dopegraph.numpy.reduction import sum as array_sum
from dopegraph.numpy.shape import expand_dims, reshape, transpose
from dopegraph.ops.complex import real_of
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording


def solve(a: Any, b: Any) -> ndarray:
    """Solve ``a @ x = b`` for x.

    Parameters
    ----------
    a : array_like
        Of shape ``(..., n, n)``.
    b : array_like
        Of shape ``(n,)``, or ``(..., n, k)``: then leading axes broadcast.

    Returns
    -------
    ndarray
        In the shape of `b`, broadcast.

    Raises
    ------
    LinAlgError
        If a matrix is singular or not square.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.solve(np.array([[2., 0.], [0., 4.]]), np.array([2., 2.]))
    array([1. , 0.5], dtype=float32)
    """
    x, y = together((a, b), "solve")
    x = matrix(x, "solve", square=True)
    if y.ndim == 0:
        raise ShapeError(located("solve: the right-hand side must have at least one axis", here()))
    if y.ndim > 1:
        return apply(ops.solve, x, y)
    return apply(ops.solve, x, expand_dims(y, 1))[..., 0]


def solve_triangular(
    a: Any, b: Any, trans: int | str = 0, lower: bool = False, unit_diagonal: bool = False
) -> ndarray:  # fmt: skip
    """Solve ``a @ x = b`` where `a` is a triangle; the other triangle is not read.

    NumPy has no such function; the parameters are those of ``scipy.linalg.solve_triangular``.

    Parameters
    ----------
    a : array_like
        Of shape ``(..., n, n)``.
    b : array_like
        Of shape ``(n,)`` or ``(..., n, k)``.
    trans : {0, 1, 2, "N", "T", "C"}, optional
        Solve with the matrix, its transpose, or its conjugate transpose.
    lower : bool, optional
        Whether it is the lower triangle; the upper by default.
    unit_diagonal : bool, optional
        Whether the diagonal is taken to be ones.

    Raises
    ------
    LinAlgError
        If there is a zero on the diagonal.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.solve_triangular(np.array([[1., 0.], [1., 2.]]), np.array([1., 5.]), lower=True)
    array([1., 2.], dtype=float32)
    """
    x, y = together((a, b), "solve_triangular")
    x = matrix(x, "solve_triangular", square=True)
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise ValueError(located(f"solve_triangular: trans must be 0, 1, 2, 'N', 'T' or 'C', not {trans!r}", here()))
    if y.ndim == 0:
        raise ShapeError(located("solve_triangular: the right-hand side must have at least one axis", here()))
    x = conjugate(x) if trans in (2, "C") else x
    how = {"lower": bool(lower), "transpose_a": trans not in (0, "N"), "unit_diagonal": bool(unit_diagonal)}
    if y.ndim > 1:
        return apply(ops.triangular_solve, x, y, **how)
    return apply(ops.triangular_solve, x, expand_dims(y, 1), **how)[..., 0]


def inv(a: Any) -> ndarray:
    """Inverse of square matrices.

    Raises
    ------
    LinAlgError
        If a matrix is singular or not square.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.inv(np.array([[2., 0.], [0., 4.]]))
    array([[0.5 , 0.  ],
           [0.  , 0.25]], dtype=float32)
    """
    return apply(ops.inv, matrix(a, "inv", square=True))


def det(a: Any) -> ndarray:
    """Determinant of square matrices; singular ones, too, have a first derivative.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.det(np.array([[2., 0.], [0., 4.]]))
    array(8., dtype=float32)
    """
    return apply(ops.det, matrix(a, "det", square=True))


def slogdet(a: Any) -> SlogdetResult:
    """Sign, and logarithm of the absolute value, of the determinant of square matrices.

    Returns
    -------
    SlogdetResult
        ``(sign, logabsdet)``; of a singular matrix 0 and minus infinity, which have no derivative.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.slogdet(np.array([[-1., 0.], [0., 1.]]))
    SlogdetResult(sign=array(-1., dtype=float32), logabsdet=array(0., dtype=float32))
    """
    return result_of(SlogdetResult, apply(ops.slogdet, matrix(a, "slogdet", square=True)))


def cholesky(a: Any, /, *, upper: bool = False) -> ndarray:
    """Triangular factor of Hermitian, positive definite matrices: ``a = L @ L.conj().T``, or ``U.conj().T @ U``.

    Only the lower (or, with `upper`, the upper) triangle is read. Derivatives are those by a Hermitian matrix: they
    are shared by the two triangles.

    Raises
    ------
    LinAlgError
        If a matrix is not positive definite or not square.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.cholesky(np.array([[4., 2.], [2., 5.]]))
    array([[2., 0.],
           [1., 2.]], dtype=float32)
    """
    x = matrix(a, "cholesky", square=True)
    return adjoint(apply(ops.cholesky, adjoint(x))) if upper else apply(ops.cholesky, x)


def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = False) -> ndarray:
    """Pseudo-inverse (Moore-Penrose) of matrices.

    Parameters
    ----------
    a : array_like
        Of shape ``(..., m, n)``.
    rcond : array_like, optional
        Singular values up to so much of the largest count as 0; 1e-15 by default. One for each matrix of the stack.
    hermitian : bool, optional
        Whether the matrices are Hermitian; only the lower triangle is read then.
    rtol : array_like, optional
        The same, but None stands for the larger length times the precision of the dtype.

    Returns
    -------
    ndarray
        Of shape ``(..., n, m)``. Its derivative is that of matrices of the same rank (Golub and Pereyra, The
        differentiation of pseudo-inverses and nonlinear least squares problems, 1973).

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.pinv(np.array([[2.], [0.]]))
    array([[0.5, 0. ]], dtype=float32)
    """
    x = as_array(a)
    if x.ndim > 1 and not x.shape[-1] * x.shape[-2]:
        return beside(x, numpy.empty((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype))
    x = matrix(x, "pinv", square=hermitian)
    if rcond is not None and rtol is not False:
        raise ValueError(located("pinv: give rcond or rtol, not both", here()))
    if rcond is None:
        rcond = 1e-15 if rtol is False else rtol
    if rcond is None:
        rcond = max(x.shape[-2:]) * precision(x.dtype)
    cutoff = convert(as_array(rcond), real_of(x.dtype))
    return apply(ops.pinv, x, cutoff, hermitian=bool(hermitian))


def lstsq(a: Any, b: Any, rcond: float | None = None) -> tuple[ndarray, ndarray, ndarray, ndarray]:
    """Least-squares solution of ``a @ x = b``, of the smallest norm if there are several.

    Parameters
    ----------
    a : array_like
        Of shape ``(m, n)``.
    b : array_like
        Of shape ``(m,)`` or ``(m, k)``.
    rcond : float, optional
        Singular values up to so much of the largest count as 0; by default the precision times the larger length.
        -1 stands for the precision.

    Returns
    -------
    x, residuals, rank, s : ndarray
        The solution; the sums of the squared residuals (empty unless the rank is n and m > n: to know that, a
        recording with m > n looks at the rank); the rank; the singular values.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.lstsq(np.array([[1.], [1.]]), np.array([1., 3.]))[0]
    array([2.], dtype=float32)
    """
    x, y = as_array(a), as_array(b)
    if y.ndim not in (1, 2) or x.ndim != 2:
        raise LinAlgError(located(f"lstsq: arrays of {x.ndim} and {y.ndim} axes given; a must be two-dimensional, "
                                  "b one- or two-dimensional", here()))  # fmt: skip
    m, n = x.shape
    if m != y.shape[0]:
        raise LinAlgError(located(f"lstsq: Incompatible dimensions: a has {m} rows, b {y.shape[0]}", here()))
    x, y = together((x, y), "lstsq")
    if active_recording() is None:
        return host.call("lstsq", numpy.linalg.lstsq, x, y, rcond)  # type: ignore[no-any-return]
    if rcond is None:
        rcond = precision(x.dtype) * max(m, n)
    elif rcond == -1:
        rcond = precision(x.dtype)
    cutoff = scalar(rcond, real_of(x.dtype))
    solution = matmul(apply(ops.pinv, x, cutoff), y)
    s = apply(ops.svdvals, x)
    rank = array_sum(s > s[:1] * cutoff)
    residuals = array_sum(_squares(y - matmul(x, solution)), axis=0)
    if m <= n or rank != n:
        residuals = beside(s, numpy.empty(0, s.dtype))
    elif y.ndim == 1:
        residuals = reshape(residuals, 1)
    return solution, residuals, convert(rank, numpy.dtype("int32")), s


def _squares(x: ndarray) -> ndarray:
    if x.dtype.kind != "c":
        return call("square", (x,))
    return call("square", (apply(ops.real, x),)) + call("square", (apply(ops.imag, x),))


def tensorsolve(a: Any, b: Any, axes: Any = None) -> ndarray:
    """Solve ``tensordot(a, x, x.ndim) = b`` for x.

    Parameters
    ----------
    a : array_like
        Of shape ``b.shape + shape of x``; both have the same number of elements.
    b : array_like
    axes : sequence of int, optional
        Axes of `a` to move to the end first.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> a = np.reshape(np.eye(4), (2, 2, 4))
    >>> np.linalg.tensorsolve(a, np.array([[1., 2.], [3., 4.]]))
    array([1., 2., 3., 4.], dtype=float32)
    """
    x, y = as_array(a), as_array(b)
    if axes is not None:
        moved = [operator.index(axis) for axis in axes]
        x = transpose(x, [*(axis for axis in range(x.ndim) if axis not in moved), *moved])
    shape = x.shape[y.ndim :]
    if math.prod(shape) ** 2 != x.size:
        raise LinAlgError(
            located(f"tensorsolve: the shape {x.shape} is not square: {y.size} equations, {shape} unknowns", here())
        )
    return reshape(solve(reshape(x, (y.size, math.prod(shape))), reshape(y, y.size)), shape)


def tensorinv(a: Any, ind: int = 2) -> ndarray:
    """Inverse of an array as the matrix from its last axes to its first `ind` axes, for `tensordot`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.tensorinv(np.reshape(np.eye(6), (6, 2, 3)), ind=1).shape
    (2, 3, 6)
    """
    x = as_array(a)
    if ind <= 0:
        raise ValueError(located(f"tensorinv: ind must be positive, not {ind}", here()))
    rows, columns = x.shape[:ind], x.shape[ind:]
    return reshape(inv(reshape(x, (math.prod(rows), math.prod(columns)))), (*columns, *rows))


def matrix_power(a: Any, n: int) -> ndarray:
    """Square matrices to an integer power, by repeated squaring; of their inverses when it is negative.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.matrix_power(np.array([[1, 1], [0, 1]]), 5)
    array([[1, 5],
           [0, 1]])
    """
    x = as_array(a)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        matrix(as_array(a, numpy.dtype("float32")), "matrix_power", square=True)
    try:
        power = operator.index(n)
    except TypeError as cause:
        raise TypeError(located(f"matrix_power: exponent must be an integer, not {n!r}", here())) from cause
    if power == 0:
        eye = beside(x, numpy.eye(x.shape[-1], dtype=x.dtype))
        return apply(ops.identity, apply(ops.broadcast_to, eye, shape=x.shape))
    if power < 0:
        x, power = inv(x), -power
    result: ndarray | None = None
    while True:
        power, odd = divmod(power, 2)
        if odd:
            result = x if result is None else matmul(result, x)
        if not power:
            return result  # type: ignore[return-value]
        x = matmul(x, x)
