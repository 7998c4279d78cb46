"""Primitives without operands: filled arrays, counting arrays, constants."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.ir.primitive import not_differentiable, primitive
from dopegraph.ir.types import DType, Shape, TensorType
from dopegraph.ops.typing import require_lengths
from dopegraph.runtime.errors import DTypeError

_NO_OPERANDS = not_differentiable("it has no operands")


def _infer_full(*, value: complex, shape: Shape, dtype: DType) -> TensorType:
    if not isinstance(value, (int, float, complex)):
        raise DTypeError(f"takes a number, not {value!r}")
    if isinstance(value, complex) and dtype.kind != "c":
        raise DTypeError(f"{value} is complex and no {dtype}")
    return TensorType(dtype, require_lengths(shape))


def _infer_iota(*, size: int, start: complex = 0, step: complex = 1, dtype: DType) -> TensorType:
    return TensorType(dtype, require_lengths((size,)))


def _iota(*, size: int, start: Any = 0, step: Any = 1, dtype: DType) -> Any:
    # Computed in double (or integer) precision as numpy.arange does, then rounded once.
    return (start + step * numpy.arange(size)).astype(dtype)


def _infer_constant(*, value: Any) -> TensorType:
    if not isinstance(value, numpy.ndarray):
        raise DTypeError(f"takes an array, not a {type(value).__name__}")
    return TensorType(value.dtype, value.shape)


full = primitive(
    "full", _infer_full, lambda *, value, shape, dtype: numpy.full(shape, value, dtype), _NO_OPERANDS, elementwise=True
)
iota = primitive("iota", _infer_iota, _iota, _NO_OPERANDS)
constant = primitive("constant", _infer_constant, lambda *, value: value, _NO_OPERANDS)
