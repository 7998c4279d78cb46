"""Primitives without operands: filled arrays, counting arrays, constants."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.ir.primitive import not_differentiable, primitive
from dopegraph.ir.types import DType, Shape, TensorType

_NO_OPERANDS = not_differentiable("it has no operands")


def _infer_full(*, value: complex, shape: Shape, dtype: DType) -> TensorType:
    return TensorType(dtype, shape)


def _infer_iota(*, size: int, start: complex = 0, step: complex = 1, dtype: DType) -> TensorType:
    return TensorType(dtype, (size,))


def _iota(*, size: int, start: Any = 0, step: Any = 1, dtype: DType) -> Any:
    # Computed in double (or integer) precision as numpy.arange does, then rounded once.
    return (start + step * numpy.arange(size)).astype(dtype)


def _infer_constant(*, value: Any) -> TensorType:
    return TensorType(value.dtype, value.shape)


full = primitive(
    "full", _infer_full, lambda *, value, shape, dtype: numpy.full(shape, value, dtype), _NO_OPERANDS, elementwise=True
)
iota = primitive("iota", _infer_iota, _iota, _NO_OPERANDS)
constant = primitive("constant", _infer_constant, lambda *, value: value, _NO_OPERANDS)
