"""Primitives of integers: bits, shifts, common divisors. Booleans have the logical functions instead."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.ir.primitive import Primitive, not_differentiable, primitive
from dopegraph.ir.types import TensorType
from dopegraph.ops.typing import broadcast_shapes, require_kind, same_dtype

__all__ = [
    "bitwise_and", "bitwise_count", "bitwise_not", "bitwise_or", "bitwise_xor", "gcd", "lcm", "left_shift",
    "right_shift",
]  # fmt: skip

_INTEGERS = not_differentiable("integers have no derivatives")
_UINT8 = numpy.dtype("uint8")


def _infer_binary(x: TensorType, y: TensorType) -> TensorType:
    dtype = same_dtype((x, y))
    require_kind(x, "iu", "integers")
    return TensorType(dtype, broadcast_shapes(x.shape, y.shape))


def _infer_not(x: TensorType) -> TensorType:
    require_kind(x, "iu", "integers")
    return x


def _infer_count(x: TensorType) -> TensorType:
    return _infer_not(x).with_dtype(_UINT8)


def _count(x: Any) -> Any:
    """NumPy has it since 2.0: bits of the absolute value, here byte by byte."""
    if hasattr(numpy, "bitwise_count"):
        return numpy.bitwise_count(x)
    size = numpy.ascontiguousarray(numpy.abs(x)).reshape(*numpy.shape(x), 1)
    return numpy.unpackbits(size.view(_UINT8), axis=-1).sum(-1, dtype=_UINT8)


def _binary(name: str, commutative: bool = False) -> Primitive:
    kernel = getattr(numpy, name)
    return primitive(name, _infer_binary, kernel, _INTEGERS, elementwise=True, out=True, commutative=commutative)


bitwise_and = _binary("bitwise_and", commutative=True)
bitwise_or = _binary("bitwise_or", commutative=True)
bitwise_xor = _binary("bitwise_xor", commutative=True)
left_shift = _binary("left_shift")
right_shift = _binary("right_shift")
gcd = _binary("gcd", commutative=True)
lcm = _binary("lcm", commutative=True)
bitwise_not = primitive("bitwise_not", _infer_not, numpy.invert, _INTEGERS, elementwise=True, out=True)
bitwise_count = primitive("bitwise_count", _infer_count, _count, _INTEGERS, elementwise=True)
