"""What the gradient rules of linear algebra are written with: triangles, diagonals and adjoints of stacked matrices."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.ir.graph import Value
from dopegraph.ir.types import TensorType
from dopegraph.ops.complex import conj, imag, real
from dopegraph.ops.creation import iota
from dopegraph.ops.elementwise import cast, equal, greater, greater_equal, less_equal, select
from dopegraph.ops.reduction import sum
from dopegraph.ops.shape import reshape, transpose
from dopegraph.runtime.errors import DTypeError, ShapeError

_INT64 = numpy.dtype("int64")
_DTYPES = ("float32", "float64", "complex64", "complex128")


def require_matrix(x: TensorType) -> None:
    """Raise unless a type is that of a matrix, or a stack of them, of a dtype that LAPACK has."""
    if x.dtype.name not in _DTYPES:
        raise DTypeError(f"array type {x.dtype} is unsupported in linalg; cast it with astype('float32')")
    if x.ndim < 2:
        raise numpy.linalg.LinAlgError(f"{x.ndim}-dimensional array given. Array must be at least two-dimensional")


def require_square(x: TensorType) -> int:
    """The number of rows of a square matrix; `LinAlgError` for others."""
    require_matrix(x)
    if x.shape[-1] != x.shape[-2]:
        raise numpy.linalg.LinAlgError(f"Last 2 dimensions of the array must be square, not {x.shape[-2:]}")
    return x.shape[-1]


def same_rows(a: TensorType, b: TensorType) -> None:
    """Raise unless the right-hand sides are a stack of matrices with as many rows as the square matrix has."""
    if b.ndim < 2:
        raise ShapeError(f"the right-hand side {b} is no matrix (or stack of matrices)")
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(f"the matrix has {a.shape[-1]} rows, the right-hand side {b.shape[-2]}: {a} and {b}")


def is_complex(x: Value) -> bool:
    return x.type.dtype.kind == "c"


def conjugate(x: Any) -> Any:
    """The complex conjugate; real values, and None, are themselves."""
    return x if x is None or not is_complex(x) else conj(x)


def transposed(x: Value) -> Value:
    """The last two axes exchanged."""
    order = tuple(range(x.ndim))
    result: Value = transpose(x, axes=(*order[:-2], order[-1], order[-2]))
    return result


def adjoint(x: Value) -> Value:
    """The conjugate transpose."""
    return transposed(conjugate(x))


def _rows_and_columns(x: Value) -> tuple[Value, Value]:
    rows, columns = (iota(size=n, dtype=_INT64) for n in x.shape[-2:])
    return reshape(rows, shape=(x.shape[-2], 1)), columns


def lower_triangle(x: Value, strict: bool = False) -> Value:
    rows, columns = _rows_and_columns(x)
    result: Value = select((greater if strict else greater_equal)(rows, columns), x, 0.0)
    return result


def upper_triangle(x: Value, strict: bool = False) -> Value:
    rows, columns = _rows_and_columns(x)
    kept = greater(columns, rows) if strict else less_equal(rows, columns)
    result: Value = select(kept, x, 0.0)
    return result


def on_diagonal(x: Value) -> Value:
    """A boolean matrix that is true on the diagonal."""
    result: Value = equal(*_rows_and_columns(x))
    return result


def diagonal(x: Value) -> Value:
    """The diagonal of square matrices."""
    result: Value = sum(select(on_diagonal(x), x, 0.0), axes=(x.ndim - 1,))
    return result


def as_row(x: Value) -> Value:
    """``x[..., None, :]``."""
    result: Value = reshape(x, shape=(*x.shape[:-1], 1, x.shape[-1]))
    return result


def as_column(x: Value) -> Value:
    """``x[..., :, None]``."""
    result: Value = reshape(x, shape=(*x.shape, 1))
    return result


def hermitian_part(x: Value) -> Value:
    return (x + adjoint(x)) * 0.5


def real_part(x: Value) -> Value:
    """The real part, in the dtype of `x`."""
    return cast(real(x), dtype=x.type.dtype) if is_complex(x) else x


def imaginary_part(x: Value) -> Value:
    """The imaginary part times i, in the dtype of `x`, which must be complex."""
    return cast(imag(x), dtype=x.type.dtype) * 1j  # type: ignore[no-any-return,operator]


def in_dtype_of(x: Value, y: Value) -> Value:
    """Real values as complex ones where `y` is complex."""
    return x if x.type.dtype == y.type.dtype else cast(x, dtype=y.type.dtype)


def safe_reciprocal(x: Value) -> Value:
    """1 / x, and 0 where x is 0: what belongs to a gap that is not there contributes nothing."""
    nothing = equal(x, 0.0)
    result: Value = select(nothing, 0.0, 1.0 / select(nothing, 1.0, x))  # type: ignore[operator]
    return result
