"""Decompositions of matrices: `qr`, `svd`, `svdvals`, `eigh`, `eigvalsh`, `eig`, `eigvals`, batched over leading axes.

The gradient rules conjugate the cotangents of complex results first, and their own result last: in between they are
written for the inner product Re tr(G^H dA), as the sources have them. Vectors of a decomposition are determined up to a
phase each; derivatives are those of losses that do not depend on the phases. Where two eigenvalues or singular values
are equal the vectors have no derivative; what the gap between them would have divided is 0 then.
"""

from __future__ import annotations

from typing import Any, Optional

import numpy

from dopegraph.ir.graph import Value
from dopegraph.ir.primitive import Primitive, primitive
from dopegraph.ir.types import DType, TensorType
from dopegraph.ops.complex import real, real_of
from dopegraph.ops.creation import full
from dopegraph.ops.elementwise import select
from dopegraph.ops.linalg import solve, triangular_solve
from dopegraph.ops.matmul import matmul
from dopegraph.ops.matrices import (
    adjoint,
    as_column,
    as_row,
    conjugate,
    diagonal,
    hermitian_part,
    imaginary_part,
    in_dtype_of,
    is_complex,
    on_diagonal,
    real_part,
    require_matrix,
    require_square,
    safe_reciprocal,
    upper_triangle,
)
from dopegraph.ops.shape import concat, strided_slice
from dopegraph.runtime.errors import GradientError

Optionals = tuple[Optional[Value], ...]


def _columns(x: Value, start: int, stop: int) -> Value:
    return _part(x, x.ndim - 1, start, stop)


def _rows(x: Value, start: int, stop: int) -> Value:
    return _part(x, x.ndim - 2, start, stop)


def _part(x: Value, axis: int, start: int, stop: int) -> Value:
    starts = tuple(start if place == axis else 0 for place in range(x.ndim))
    stops = tuple(stop if place == axis else n for place, n in enumerate(x.shape))
    result: Value = strided_slice(x, starts=starts, stops=stops, steps=(1,) * x.ndim)
    return result


def _or_zeros(g: Value | None, like: Value) -> Value:
    if g is not None:
        return g
    result: Value = full(value=0.0, shape=like.shape, dtype=like.type.dtype)
    return result


# QR -----------------------------------------------------------------------------------------------------------------


def _infer_qr(a: TensorType, *, complete: bool = False) -> tuple[TensorType, TensorType]:
    require_matrix(a)
    *batch, m, n = a.shape
    k = m if complete else min(m, n)
    return a.with_shape((*batch, m, k)), a.with_shape((*batch, k, n))


def _qr(a: Any, *, complete: bool = False) -> tuple[Any, Any]:
    q, r = numpy.linalg.qr(a, "complete" if complete else "reduced")
    return q, r


def _qr_gradient(g: Optionals, results: tuple[Value, Value], a: Value, *, complete: bool = False) -> tuple[Value]:
    """Walter and Lehmann, Algorithmic differentiation of linear algebra functions (2018), section 3.

    Of a wide matrix, A = [X Y]: R = [U, Q^H Y] with the QR of X (Roberts and Roberts, QR and LQ decomposition matrix
    backpropagation algorithms for square, wide and deep matrices, 2020).
    """
    m, n = a.shape[-2:]
    if complete and m > n:
        raise GradientError("qr in the mode 'complete' has no derivative when there are more rows than columns; "
                            "use the mode 'reduced'")  # fmt: skip
    q, r = results
    of_q, of_r = _or_zeros(conjugate(g[0]), q), _or_zeros(conjugate(g[1]), r)
    if m >= n:
        return (conjugate(_deep_qr(of_q, of_r, q, r)),)
    of_v = _columns(of_r, m, n)
    of_q = of_q + matmul(_columns(a, m, n), adjoint(of_v))
    of_x = _deep_qr(of_q, _columns(of_r, 0, m), q, _columns(r, 0, m))
    return (conjugate(concat(of_x, matmul(q, of_v), axis=a.ndim - 1)),)


def _deep_qr(of_q: Value, of_r: Value, q: Value, r: Value) -> Value:
    inner = upper_triangle(matmul(of_r, adjoint(r)) - matmul(adjoint(q), of_q))
    symmetric = inner + adjoint(inner)
    symmetric = select(on_diagonal(symmetric), real_part(symmetric) * 0.5, symmetric)
    whole = of_q + matmul(q, symmetric)
    # whole R^-H, the adjoint of R^-1 whole^H
    return adjoint(triangular_solve(r, adjoint(whole), lower=False))


# With an orthonormal Q; the diagonal of R is real.
qr = primitive("qr", _infer_qr, _qr, _qr_gradient)


# Singular values ----------------------------------------------------------------------------------------------------


def _infer_svd(a: TensorType, *, full_matrices: bool = False) -> tuple[TensorType, TensorType, TensorType]:
    require_matrix(a)
    *batch, m, n = a.shape
    k = min(m, n)
    rows, columns = (m, n) if full_matrices else (k, k)
    singular = TensorType(real_of(a.dtype), (*batch, k))
    return a.with_shape((*batch, m, rows)), singular, a.with_shape((*batch, columns, n))


def _svd(a: Any, *, full_matrices: bool = False) -> tuple[Any, Any, Any]:
    u, s, vh = numpy.linalg.svd(a, full_matrices)
    return u, s, vh


def _svd_gradient(
    g: Optionals, results: tuple[Value, Value, Value], a: Value, *, full_matrices: bool = False
) -> tuple[Value]:
    """Townsend, Differentiating the singular value decomposition (2016); phases as in JAX, all in U.

    The products with 1 / (s_j^2 - s_i^2) are split into those with 1 / (s_j - s_i) and 1 / (s_j + s_i), of which only
    the first can be without a value.
    """
    u, s, vh = results
    of_u, of_s, of_vh = (conjugate(one) for one in g)
    m, n = a.shape[-2:]
    k = min(m, n)
    if full_matrices and m != n:
        if of_u is not None or of_vh is not None:
            raise GradientError("svd with full_matrices has no derivative by the vectors of a matrix that is not "
                                "square; use full_matrices=False")  # fmt: skip
        u, vh = _columns(u, 0, k), _rows(vh, 0, k)
    core = None if of_s is None else select(on_diagonal(_square(u, k)), as_row(in_dtype_of(of_s, a)), 0.0)
    if of_u is not None or of_vh is not None:
        turns = _turns(of_u, of_vh, u, s, vh, a)
        core = turns if core is None else core + turns
    assert core is not None
    result = matmul(matmul(u, core), vh)
    inverse = as_row(in_dtype_of(safe_reciprocal(s), a))
    if of_u is not None and m > k:
        outside = of_u - matmul(u, matmul(adjoint(u), of_u))
        result = result + matmul(outside * inverse, vh)
    if of_vh is not None and n > k:
        outside = of_vh - matmul(matmul(of_vh, adjoint(vh)), vh)
        result = result + matmul(u * inverse, outside)
    return (conjugate(result),)


def _square(u: Value, k: int) -> Value:
    """Something of the shape ``(..., k, k)``."""
    return _rows(u, 0, k)


def _turns(of_u: Value | None, of_vh: Value | None, u: Value, s: Value, vh: Value, a: Value) -> Value:
    """What cotangents of the vectors contribute to U^H A_ V."""
    left = None if of_u is None else matmul(adjoint(u), of_u)
    right = None if of_vh is None else matmul(vh, adjoint(of_vh))
    x = None if left is None else left - adjoint(left)
    y = None if right is None else right - adjoint(right)
    total = x if y is None else y if x is None else x + y
    difference = x if y is None else -y if x is None else x - y
    assert total is not None and difference is not None
    gaps = in_dtype_of(safe_reciprocal(as_row(s) - as_column(s)), a)
    sums = in_dtype_of(safe_reciprocal(as_row(s) + as_column(s)), a)
    result = (total * gaps + difference * sums) * 0.5
    if is_complex(a):
        # The differences of phases, which are imaginary, stand on the diagonal.
        if left is not None:
            phases = imaginary_part(left) * as_row(in_dtype_of(safe_reciprocal(s), a))
            result = select(on_diagonal(result), phases, result)
        else:
            result = select(on_diagonal(result), 0.0, result)
    return result


svd = primitive("svd", _infer_svd, _svd, _svd_gradient, raises=True)


def _svdvals_gradient(g: Value, s: Value, a: Value) -> tuple[Value]:
    u, _, vh = svd(a)
    return (conjugate(matmul(u * as_row(in_dtype_of(g, a)), vh)),)


svdvals = primitive(
    "svdvals",
    lambda a: _infer_svd(a)[1],
    lambda a: numpy.linalg.svd(a, compute_uv=False),
    _svdvals_gradient,
    raises=True,
)


# Eigenvalues of Hermitian matrices ----------------------------------------------------------------------------------


def _infer_eigh(a: TensorType, *, lower: bool = True) -> tuple[TensorType, TensorType]:
    require_square(a)
    return TensorType(real_of(a.dtype), a.shape[:-1]), a


def _eigh(a: Any, *, lower: bool = True) -> tuple[Any, Any]:
    w, v = numpy.linalg.eigh(a, "L" if lower else "U")
    return w, v


def _eigh_gradient(g: Optionals, results: tuple[Value, Value], a: Value, *, lower: bool = True) -> tuple[Value]:
    """Giles, section 3.1, made Hermitian: as of a Hermitian matrix, of which both triangles are given."""
    w, v = results
    of_w, of_v = conjugate(g[0]), conjugate(g[1])
    core = None
    if of_w is not None:
        core = select(on_diagonal(v), as_row(in_dtype_of(of_w, a)), 0.0)
    if of_v is not None:
        gaps = in_dtype_of(safe_reciprocal(as_row(w) - as_column(w)), a)
        turns = matmul(adjoint(v), of_v) * gaps
        core = turns if core is None else core + turns
    assert core is not None
    return (conjugate(hermitian_part(matmul(matmul(v, core), adjoint(v)))),)


# Read one triangle only.
eigh = primitive("eigh", _infer_eigh, _eigh, _eigh_gradient, raises=True)


def _eigvalsh_gradient(g: Value, w: Value, a: Value, *, lower: bool = True) -> tuple[Value]:
    _, v = eigh(a, lower=lower)
    return (conjugate(matmul(v * as_row(in_dtype_of(g, a)), adjoint(v))),)


eigvalsh = primitive(
    "eigvalsh",
    lambda a, *, lower=True: _infer_eigh(a, lower=lower)[0],
    lambda a, *, lower=True: numpy.linalg.eigvalsh(a, "L" if lower else "U"),
    _eigvalsh_gradient,
    raises=True,
)


# Eigenvalues of all matrices ----------------------------------------------------------------------------------------


def _infer_eig(a: TensorType) -> tuple[TensorType, TensorType]:
    require_square(a)
    vectors = a.with_dtype(_complex_of(a.dtype))
    return vectors.with_shape(a.shape[:-1]), vectors


def _complex_of(dtype: DType) -> DType:
    return numpy.promote_types(dtype, "complex64")


def _eig(a: Any) -> tuple[Any, Any]:
    w, v = numpy.linalg.eig(a)
    return w.astype(_complex_of(a.dtype), copy=False), v.astype(_complex_of(a.dtype), copy=False)


def _eig_gradient(g: Optionals, results: tuple[Value, Value], a: Value) -> tuple[Value]:
    """Giles, section 3.1, with vectors of length 1 (Boeddeker et al., On the computation of complex-valued gradients
    with application to statistically optimum beamforming, 2017, section 4.4)."""
    w, v = results
    of_w, of_v = conjugate(g[0]), conjugate(g[1])
    core = None
    if of_w is not None:
        core = select(on_diagonal(v), as_row(of_w), 0.0)
    if of_v is not None:
        inner = matmul(adjoint(v), of_v)
        along = matmul(adjoint(v), v) * as_row(real_part(diagonal(inner)))
        turns = (inner - along) * conjugate(safe_reciprocal(as_row(w) - as_column(w)))
        core = turns if core is None else core + turns
    assert core is not None
    result = solve(adjoint(v), matmul(core, adjoint(v)))
    return (conjugate(result) if is_complex(a) else real(result),)


# Complex also of real matrices, whose eigenvalues may be either.
eig = primitive("eig", _infer_eig, _eig, _eig_gradient, raises=True)


def _eigvals_gradient(g: Value, w: Value, a: Value) -> tuple[Value]:
    return _eig_gradient((g, None), eig(a), a)


eigvals: Primitive = primitive(
    "eigvals",
    lambda a: _infer_eig(a)[0],
    lambda a: numpy.linalg.eigvals(a).astype(_complex_of(a.dtype), copy=False),
    _eigvals_gradient,
    raises=True,
)
