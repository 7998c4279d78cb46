"""Complex numbers and their parts: `conj`, `real`, `imag`.

Cotangents of complex values are those of JAX, df/dx - i df/dy: a holomorphic function needs no conjugation.
"""

from __future__ import annotations

import numpy

from dopegraph.ir.graph import Value
from dopegraph.ir.primitive import Primitive, primitive
from dopegraph.ir.types import DType, TensorType
from dopegraph.ops.elementwise import cast
from dopegraph.ops.typing import require_kind

_PARTS = {"complex64": numpy.dtype("float32"), "complex128": numpy.dtype("float64")}


def part_dtype(dtype: DType) -> DType:
    """The dtype of the parts of a complex dtype; a real one is its own."""
    return _PARTS.get(dtype.name, dtype)


def _infer_part(x: TensorType) -> TensorType:
    require_kind(x, "c", "complex numbers")
    return x.with_dtype(part_dtype(x.dtype))


def _infer_conj(x: TensorType) -> TensorType:
    require_kind(x, "c", "complex numbers")
    return x


def _real_gradient(g: Value, y: Value, x: Value) -> Value:
    result: Value = cast(g, dtype=x.type.dtype)
    return result


def _imag_gradient(g: Value, y: Value, x: Value) -> Value:
    result: Value = cast(g, dtype=x.type.dtype) * -1j  # type: ignore[operator]
    return result


conj: Primitive = primitive("conj", _infer_conj, numpy.conjugate, [lambda g, y, x: conj(g)], elementwise=True, out=True)
real = primitive("real", _infer_part, lambda x: numpy.array(x.real), [_real_gradient], elementwise=True)
imag = primitive("imag", _infer_part, lambda x: numpy.array(x.imag), [_imag_gradient], elementwise=True)
