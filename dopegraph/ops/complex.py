"""Primitives that take complex numbers apart and put them together.

Cotangents of complex values follow JAX and HIPS autograd: of a real function f of z = x + iy the gradient is
df/dx - i df/dy. A small change dz then changes f by the real part of ``g * dz``, without conjugation, so the rule of a
holomorphic primitive is the plain one, g f'(z), and only what stands here, `abs`, `sign` and `cast` is special. See
Maclaurin, Modeling, Inference and Optimization With Composable Differentiable Procedures (2016), section 4.4.
"""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.ir.primitive import Primitive, primitive
from dopegraph.ir.types import DType, TensorType
from dopegraph.ops.typing import broadcast_shapes, require_kind, same_dtype

__all__ = ["complex", "conj", "imag", "real"]

_REAL_OF = {"complex64": numpy.dtype("float32"), "complex128": numpy.dtype("float64")}
_COMPLEX_OF = {"float32": numpy.dtype("complex64"), "float64": numpy.dtype("complex128")}


def real_of(dtype: DType) -> DType:
    """The dtype of the parts of a complex dtype; other dtypes as they are."""
    return _REAL_OF.get(dtype.name, dtype)


def _infer_part(z: TensorType) -> TensorType:
    require_kind(z, "c", "complex numbers")
    return z.with_dtype(real_of(z.dtype))


def _infer_conj(z: TensorType) -> TensorType:
    require_kind(z, "c", "complex numbers")
    return z


def _infer_complex(x: TensorType, y: TensorType) -> TensorType:
    dtype = same_dtype((x, y))
    if dtype.name not in _COMPLEX_OF:
        require_kind(x, "", "parts of float32 or float64")
    return TensorType(_COMPLEX_OF[dtype.name], broadcast_shapes(x.shape, y.shape))


def _complex(x: Any, y: Any) -> Any:
    # x + 1j * y would make NaN of infinite parts.
    result = numpy.empty(numpy.broadcast(x, y).shape, _COMPLEX_OF[x.dtype.name])
    result.real, result.imag = x, y
    return result


# The parts are views, as NumPy's are: written to, they change the complex array.
real: Primitive = primitive(
    "real", _infer_part, lambda z: z.real, [lambda g, x, z: complex(g, 0.0)], elementwise=True, view=True
)
imag: Primitive = primitive(
    "imag", _infer_part, lambda z: z.imag, [lambda g, y, z: complex(g * 0.0, -g)], elementwise=True, view=True
)
conj: Primitive = primitive("conj", _infer_conj, numpy.conjugate, [lambda g, w, z: conj(g)], elementwise=True, out=True)
complex = primitive(
    "complex",
    _infer_complex,
    _complex,
    [lambda g, z, x, y: real(g), lambda g, z, x, y: -imag(g)],
    elementwise=True,
)


def sign_of(x: Any, out: Any = None) -> Any:
    """Signs; of complex numbers z / abs(z), which NumPy computes since 2.0."""
    if x.dtype.kind == "c" and numpy.lib.NumpyVersion(numpy.__version__) < "2.0.0":
        return direction_of(x, out)
    return numpy.sign(x, out=out)


def direction_of(z: Any, out: Any = None) -> Any:
    """z / abs(z): 0 of 0, the direction of what is infinite in one part, NaN of NaN and of two infinite parts."""
    size = numpy.abs(z)
    infinite = numpy.isinf(size)
    scale = numpy.where((size == 0) | infinite, 1, size)
    result = numpy.empty_like(z) if out is None else out
    for part, of in (("real", z.real), ("imag", z.imag)):
        finite = numpy.where(infinite, 0, of)
        setattr(result, part, numpy.where(numpy.isinf(of), numpy.copysign(1, of), finite) / scale)
    result[numpy.isnan(size) | (numpy.isinf(z.real) & numpy.isinf(z.imag))] = numpy.nan + 1j * numpy.nan
    return result
