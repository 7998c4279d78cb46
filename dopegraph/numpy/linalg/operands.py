"""What functions of `linalg` make of their arguments: stacks of matrices of a dtype that LAPACK has."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.numpy.matmul import conjugate, matrix_transpose
from dopegraph.numpy.promotion import DType, as_array, as_operand, convert
from dopegraph.ops.complex import real_of
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.errors import DTypeError
from dopegraph.runtime.location import here, located


def linear_dtype(dtype: DType, name: str) -> DType:
    """The dtype to compute in: integers become the default floating dtype, float16 is refused as in NumPy."""
    if dtype.kind in "biu":
        dtype = default_dtype()
    if dtype == numpy.float16:
        raise DTypeError(located(f"{name}: array type float16 is unsupported in linalg; use astype('float32')", here()))
    return dtype


def matrix(a: Any, name: str, square: bool = False) -> ndarray:
    """A matrix, or a stack of them, to compute with."""
    x = as_array(a)
    if x.ndim < 2:
        raise numpy.linalg.LinAlgError(
            located(f"{name}: {x.ndim}-dimensional array given. Array must be at least two-dimensional", here())
        )
    if square and x.shape[-1] != x.shape[-2]:
        raise numpy.linalg.LinAlgError(
            located(f"{name}: Last 2 dimensions of the array must be square, not {x.shape[-2:]}", here())
        )
    return convert(x, linear_dtype(x.dtype, name))


def together(operands: Iterable[Any], name: str) -> list[ndarray]:
    """Operands in one dtype to compute in."""
    arrays = [as_array(as_operand(x)) for x in operands]
    dtypes = [linear_dtype(one.dtype, name) for one in arrays]
    if len({one.dtype.kind in "biu" for one in arrays}) == 2:
        dtypes.append(numpy.dtype("float64"))  # what integers become in the company of floats
    common = functools.reduce(numpy.promote_types, dtypes)
    return [convert(x, common) for x in arrays]


def adjoint(x: ndarray) -> ndarray:
    """Conjugate transpose."""
    return conjugate(matrix_transpose(x))


def precision(dtype: DType) -> float:
    """The distance from 1 to the next number."""
    return float(numpy.finfo(real_of(dtype)).eps)
