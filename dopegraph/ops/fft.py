"""Discrete Fourier transforms along one axis: of complex numbers, of real ones, and back to real ones.

`norm` is NumPy's: which direction divides by the length ("backward" or "forward"), or both by its root ("ortho").
Lengths are those of the operands; the front end cuts and pads.
"""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.ir.graph import Value
from dopegraph.ir.primitive import Primitive, primitive
from dopegraph.ir.types import DType, TensorType
from dopegraph.ops.complex import conj, real_of
from dopegraph.ops.creation import constant
from dopegraph.ops.typing import normalize_axis, require_kind
from dopegraph.runtime.errors import DTypeError, ShapeError

__all__ = ["fft", "irfft", "rfft"]

NORMS = ("backward", "ortho", "forward")
_OTHER = {"backward": "forward", "ortho": "ortho", "forward": "backward"}
_COMPLEX_OF = {"float32": numpy.dtype("complex64"), "float64": numpy.dtype("complex128")}


def _check(x: TensorType, axis: int, norm: str) -> int:
    """The axis counted from the front."""
    if norm not in NORMS:
        raise ShapeError(f"norm must be one of {', '.join(NORMS)}, not {norm!r}")
    axis = normalize_axis(axis, x.ndim)
    if x.shape[axis] < 1:
        raise ShapeError(f"axis {axis} of {x} is empty; a transform needs at least one number")
    return axis


def _infer_fft(x: TensorType, *, axis: int, inverse: bool = False, norm: str = "backward") -> TensorType:
    require_kind(x, "c", "complex numbers")
    _check(x, axis, norm)
    return x


def _infer_rfft(x: TensorType, *, axis: int, norm: str = "backward") -> TensorType:
    axis = _check(x, axis, norm)
    if x.dtype.name not in _COMPLEX_OF:
        raise DTypeError(f"takes float32 and float64, not {x.dtype}")
    shape = (*x.shape[:axis], x.shape[axis] // 2 + 1, *x.shape[axis + 1 :])
    return TensorType(_COMPLEX_OF[x.dtype.name], shape)


def _infer_irfft(x: TensorType, *, n: int, axis: int, norm: str = "backward") -> TensorType:
    require_kind(x, "c", "complex numbers")
    axis = _check(x, axis, norm)
    if n < 1 or n // 2 + 1 != x.shape[axis]:
        raise ShapeError(f"{n} real numbers have {n // 2 + 1} frequencies, axis {axis} of {x} has {x.shape[axis]}")
    return TensorType(real_of(x.dtype), (*x.shape[:axis], n, *x.shape[axis + 1 :]))


def _in(dtype: DType, array: Any) -> Any:
    """NumPy before 2.0 transforms in double precision only."""
    return array.astype(dtype, copy=False)


def _fft(x: Any, *, axis: int, inverse: bool = False, norm: str = "backward") -> Any:
    transform = numpy.fft.ifft if inverse else numpy.fft.fft
    return _in(x.dtype, transform(x, axis=axis, norm=norm))


def _rfft(x: Any, *, axis: int, norm: str = "backward") -> Any:
    return _in(_COMPLEX_OF[x.dtype.name], numpy.fft.rfft(x, axis=axis, norm=norm))


def _irfft(x: Any, *, n: int, axis: int, norm: str = "backward") -> Any:
    return _in(real_of(x.dtype), numpy.fft.irfft(x, n, axis=axis, norm=norm))


def _weights(of: Value, n: int, axis: int, inner: float) -> Value:
    """1 for the frequencies that are their own mirror image, `inner` for the others, along an axis."""
    axis = normalize_axis(axis, of.ndim)
    count = of.shape[axis]
    weights = numpy.full(count, inner, of.type.dtype)
    weights[0] = 1
    if n % 2 == 0:
        weights[-1] = 1
    return constant(value=weights.reshape([count if place == axis else 1 for place in range(of.ndim)]))


def _rfft_gradient(g: Value, y: Value, x: Value, *, axis: int, norm: str = "backward") -> Value:
    n = x.shape[axis]
    return irfft(conj(g) * _weights(g, n, axis, 0.5), n=n, axis=axis, norm=_OTHER[norm])


def _irfft_gradient(g: Value, y: Value, x: Value, *, n: int, axis: int, norm: str = "backward") -> Value:
    return conj(rfft(g, axis=axis, norm=_OTHER[norm])) * _weights(x, n, axis, 2.0)


# The matrix of a Fourier transform is symmetric, so cotangents go through the same transform.
fft: Primitive = primitive("fft", _infer_fft, _fft, [lambda g, y, x, **attrs: fft(g, **attrs)])
rfft: Primitive = primitive("rfft", _infer_rfft, _rfft, [_rfft_gradient])
irfft: Primitive = primitive("irfft", _infer_irfft, _irfft, [_irfft_gradient])
