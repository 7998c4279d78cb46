"""Linear systems and determinants: `cholesky`, `triangular_solve`, `solve`, `inv`, `pinv`, `det`, `slogdet`.

All are batched over leading axes. The gradient rules are those of Giles, Collected matrix derivative results for
forward and reverse mode algorithmic differentiation (2008), unless a rule names another source. Without conjugation,
as cotangents are df/dx - i df/dy, they hold for complex matrices too.
"""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.ir.graph import Value
from dopegraph.ir.primitive import Primitive, primitive
from dopegraph.ir.types import TensorType
from dopegraph.ops.complex import real, real_of
from dopegraph.ops.elementwise import cast, select
from dopegraph.ops.matmul import matmul
from dopegraph.ops.matrices import (
    adjoint,
    conjugate,
    hermitian_part,
    in_dtype_of,
    is_complex,
    lower_triangle,
    on_diagonal,
    require_matrix,
    require_square,
    same_rows,
    transposed,
    upper_triangle,
)
from dopegraph.ops.reduction import sum, sum_to_shape
from dopegraph.ops.shape import reshape
from dopegraph.ops.typing import broadcast_shapes, same_dtype
from dopegraph.runtime.errors import ShapeError

# Triangular systems are solved in diagonal blocks of so many rows, which leaves most of the work to matrix products.
_BLOCK = 64


def _infer_square(a: TensorType) -> TensorType:
    require_square(a)
    return a


def _infer_systems(a: TensorType, b: TensorType) -> TensorType:
    require_square(a)
    same_rows(a, b)
    return TensorType(same_dtype((a, b)), (*broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]))


# Cholesky -----------------------------------------------------------------------------------------------------------


def _cholesky_gradient(g: Value, low: Value, a: Value) -> tuple[Value]:
    """Murray, Differentiation of the Cholesky decomposition (2016), eq. 10, made symmetric as of a Hermitian matrix."""
    inner = lower_triangle(matmul(adjoint(low), conjugate(g)))
    inner = select(on_diagonal(inner), inner * 0.5, inner)
    how = {"lower": True, "transpose_a": True}
    half = triangular_solve(conjugate(low), inner, **how)
    whole = triangular_solve(conjugate(low), adjoint(half), **how)
    return (conjugate(hermitian_part(whole)),)


# The lower factor; reads the lower triangle only. "Matrix is not positive definite" is a LinAlgError.
cholesky = primitive("cholesky", _infer_square, numpy.linalg.cholesky, _cholesky_gradient, raises=True)


# Systems ------------------------------------------------------------------------------------------------------------


def _infer_triangular(
    a: TensorType, b: TensorType, *, lower: bool, transpose_a: bool = False, unit_diagonal: bool = False
) -> TensorType:
    return _infer_systems(a, b)


def _triangular_solve(a: Any, b: Any, *, lower: bool, transpose_a: bool = False, unit_diagonal: bool = False) -> Any:
    """Back substitution: the LU factorization of an upper triangle is that triangle, and never exchanges rows."""
    if transpose_a:
        a, lower = numpy.swapaxes(a, -1, -2), not lower
    if lower:
        a, b = a[..., ::-1, ::-1], b[..., ::-1, :]
    batch = numpy.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    b = numpy.broadcast_to(b, (*batch, *b.shape[-2:]))
    x = numpy.empty(b.shape, b.dtype)
    for stop in range(a.shape[-1], 0, -_BLOCK):
        start = max(stop - _BLOCK, 0)
        block = numpy.triu(a[..., start:stop, start:stop])
        if unit_diagonal:
            place = numpy.arange(stop - start)
            block[..., place, place] = 1
        known = b[..., start:stop, :] - a[..., start:stop, stop:] @ x[..., stop:, :]
        x[..., start:stop, :] = numpy.linalg.solve(block, known)
    return numpy.ascontiguousarray(x[..., ::-1, :]) if lower else x


def _triangular_gradient(
    g: Value, x: Value, a: Value, b: Value, *, lower: bool, transpose_a: bool = False, unit_diagonal: bool = False
) -> tuple[Value, Value]:
    how = {"lower": lower, "transpose_a": not transpose_a, "unit_diagonal": unit_diagonal}
    of_b = triangular_solve(a, g, **how)
    of_a = matmul(x, of_b, transpose_y=True) if transpose_a else matmul(of_b, x, transpose_y=True)
    kept = (lower_triangle if lower else upper_triangle)(-of_a, strict=unit_diagonal)
    return sum_to_shape(kept, a.shape), sum_to_shape(of_b, b.shape)


# Reads one triangle of `a` only, without its diagonal when that is taken to be ones.
triangular_solve: Primitive = primitive(
    "triangular_solve", _infer_triangular, _triangular_solve, _triangular_gradient, raises=True
)


def _solve(a: Any, b: Any) -> Any:
    # Before NumPy 2 a right-hand side with an axis fewer than `a` was a stack of vectors.
    return numpy.linalg.solve(a, b.reshape((1,) * (a.ndim - b.ndim) + b.shape))


def _solve_gradient(g: Value, x: Value, a: Value, b: Value) -> tuple[Value, Value]:
    of_b = solve(transposed(a), g)
    return sum_to_shape(-matmul(of_b, x, transpose_y=True), a.shape), sum_to_shape(of_b, b.shape)


solve: Primitive = primitive("solve", _infer_systems, _solve, _solve_gradient, raises=True)


def _infer_inv(a: TensorType, *, singular_as_nan: bool = False) -> TensorType:
    return _infer_square(a)


def _inv(a: Any, *, singular_as_nan: bool = False) -> Any:
    try:
        return numpy.linalg.inv(a)
    except numpy.linalg.LinAlgError:
        if not singular_as_nan:
            raise
    if a.ndim > 2:
        return numpy.stack([_inv(one, singular_as_nan=True) for one in a])
    return numpy.full_like(a, numpy.nan)


def _inv_gradient(g: Value, x: Value, a: Value, *, singular_as_nan: bool = False) -> tuple[Value]:
    return (-matmul(matmul(x, g, transpose_x=True), x, transpose_y=True),)


inv = primitive("inv", _infer_inv, _inv, _inv_gradient, raises=True)


def _infer_pinv(a: TensorType, rcond: TensorType, *, hermitian: bool = False) -> TensorType:
    require_matrix(a)
    if broadcast_shapes(a.shape[:-2], rcond.shape) != a.shape[:-2]:
        raise ShapeError(f"rcond of shape {rcond.shape} does not broadcast to the stack {a.shape[:-2]} of matrices")
    return a.with_shape((*a.shape[:-2], a.shape[-1], a.shape[-2]))


def _pinv(a: Any, rcond: Any, *, hermitian: bool = False) -> Any:
    return numpy.array(numpy.linalg.pinv(a, numpy.asarray(rcond), hermitian))


def _pinv_gradient(g: Value, p: Value, a: Value, rcond: Value, *, hermitian: bool = False) -> tuple[Value, None]:
    """Golub and Pereyra, The differentiation of pseudo-inverses and nonlinear least squares problems whose variables
    separate (1973), eq. 4.12; the rank does not change. Conjugated before and after, as rules that are not holomorphic.
    """
    g = conjugate(g)
    q = adjoint(p)
    inner = matmul(matmul(q, g), q)
    left = matmul(adjoint(g), matmul(p, q))
    right = matmul(matmul(q, p), adjoint(g))
    left = left - matmul(a, matmul(p, left))
    right = right - matmul(matmul(right, p), a)
    result = left + right - inner
    return conjugate(hermitian_part(result) if hermitian else result), None


# Singular values up to `rcond` times the largest count as 0.
pinv = primitive("pinv", _infer_pinv, _pinv, _pinv_gradient, raises=True)


# Determinants -------------------------------------------------------------------------------------------------------


def _infer_det(a: TensorType) -> TensorType:
    require_square(a)
    return a.with_shape(a.shape[:-2])


def _for_each_matrix(x: Value) -> Value:
    """``x[..., None, None]``."""
    result: Value = reshape(x, shape=(*x.shape, 1, 1))
    return result


det = primitive("det", _infer_det, numpy.linalg.det, [lambda g, y, a: _for_each_matrix(g) * cofactor(a)])


def _cofactor(a: Any) -> Any:
    """Of A = U S V^H: the products of the other singular values in place of S, which is exact for singular matrices."""
    bad = ~numpy.isfinite(a).all(axis=(-2, -1))
    u, s, vh = numpy.linalg.svd(numpy.where(bad[..., None, None], a.dtype.type(0), a))
    ones = numpy.ones((*s.shape[:-1], 1), s.dtype)
    before = numpy.cumprod(numpy.concatenate([ones, s], -1), axis=-1)[..., :-1]
    after = numpy.cumprod(numpy.concatenate([ones, s[..., ::-1]], -1), axis=-1)[..., :-1][..., ::-1]
    sign = numpy.linalg.det(u) * numpy.linalg.det(vh)
    if a.dtype.kind == "f":
        sign = numpy.rint(sign)
    scale = numpy.asarray(sign)[..., None] * (before * after)
    result = (numpy.conjugate(u) * scale[..., None, :]) @ numpy.conjugate(vh)
    return numpy.where(bad[..., None, None], a.dtype.type(numpy.nan), result).astype(a.dtype, copy=False)


def _cofactor_gradient(g: Value, c: Value, a: Value) -> tuple[Value]:
    """From C = det(A) Y with the inverse transposed, Y; only invertible matrices have one."""
    y = transposed(inv(a))
    scale = sum(g * y, axes=(a.ndim - 2, a.ndim - 1), keepdims=True)
    return (scale * c - matmul(matmul(c, g, transpose_y=True), y),)


# det(A) times the transposed inverse, which is the derivative of det; singular matrices have it, too.
cofactor: Primitive = primitive("cofactor", _infer_square, _cofactor, _cofactor_gradient, raises=True)


def _infer_slogdet(a: TensorType) -> tuple[TensorType, TensorType]:
    sign = _infer_det(a)
    return sign, sign.with_dtype(real_of(a.dtype))


def _slogdet(a: Any) -> tuple[Any, Any]:
    sign, logarithm = numpy.linalg.slogdet(a)
    return numpy.asarray(sign), numpy.asarray(logarithm)


def _slogdet_gradient(
    g: tuple[Value | None, Value | None], results: tuple[Value, Value], a: Value
) -> tuple[Value | None]:
    """The trace of A^-1 dA is the change of the logarithm, and of a complex sign: its real and its imaginary part."""
    of_sign, of_logarithm = g
    of_trace = None if of_logarithm is None else in_dtype_of(of_logarithm, a)
    if of_sign is not None and is_complex(a):
        turned = cast(real(of_sign * results[0] * 1j), dtype=a.type.dtype) * -1j  # type: ignore[operator]
        of_trace = turned if of_trace is None else of_trace + turned
    return (None if of_trace is None else _for_each_matrix(of_trace) * transposed(inv(a)),)


slogdet = primitive("slogdet", _infer_slogdet, _slogdet, _slogdet_gradient)
