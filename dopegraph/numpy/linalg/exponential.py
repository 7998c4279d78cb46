"""The exponential of matrices, by scaling and squaring a Pade approximation."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.linalg.operands import matrix
from dopegraph.numpy.logic import where
from dopegraph.numpy.matmul import matmul
from dopegraph.numpy.promotion import beside, scalar
from dopegraph.numpy.reduction import max as array_max
from dopegraph.numpy.reduction import sum as array_sum
from dopegraph.ops.complex import real_of
from dopegraph.trace.active import active_recording

# Coefficients of the numerator of the approximant of degree 13, and the norm up to which it is exact in double
# precision: Higham, The scaling and squaring method for the matrix exponential revisited (2005), table 2.3.
_COEFFICIENTS = [
    64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
    670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
]  # fmt: skip
_LARGEST = 5.371920351148152

# A recording squares so often, and chooses; matrices of larger norms than _LARGEST * 2**24 give NaN.
_SQUARINGS = 24


def expm(a: Any) -> ndarray:
    """Exponential of square matrices (not of their elements), such as ``scipy.linalg.expm`` computes.

    It is meant for small matrices: a recording, which must not look at the norm, always has 24 squarings.

    Parameters
    ----------
    a : array_like
        Of shape ``(..., n, n)``; of a 1-norm up to 9e7, otherwise the result is NaN.

    Returns
    -------
    ndarray
        Of the same shape. Computed by scaling and squaring (Higham 2005) with the approximant of degree 13.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.expm(np.array([[0., 1.], [0., 0.]]))
    array([[1., 1.],
           [0., 1.]], dtype=float32)
    """
    x = matrix(a, "expm", square=True)
    if x.size == 0:
        return apply(ops.identity, x)
    times = _squarings(x)
    scale = call("exp2", (-times,))[..., None, None]
    result = _approximant(x * apply(ops.cast, scale, dtype=x.dtype))
    most = _SQUARINGS
    if active_recording() is None:
        largest = float(array_max(times))
        most = int(min(largest, _SQUARINGS)) if largest == largest else 0
    for done in range(most):
        result = where((times > done)[..., None, None], matmul(result, result), result)
    fits = (times <= _SQUARINGS)[..., None, None]
    return where(fits, result, scalar(numpy.nan, x.dtype))


def _squarings(x: ndarray) -> ndarray:
    """How often to halve each matrix until its 1-norm is small; no derivative goes through it."""
    x = apply(ops.stop_gradient, x)
    parts = [x] if x.dtype.kind != "c" else [apply(ops.real, x), apply(ops.imag, x)]
    size = array_max(array_sum(sum(call("absolute", (part,)) for part in parts), axis=-2), axis=-1)
    ratio = call("maximum", (size / _LARGEST, 1.0))
    return call("ceil", (call("log2", (ratio,)),)).astype(real_of(x.dtype))


def _approximant(x: ndarray) -> ndarray:
    """The quotient of polynomials, in six products of matrices."""
    b = [float(coefficient) for coefficient in _COEFFICIENTS]
    one = beside(x, numpy.eye(x.shape[-1], dtype=x.dtype))
    x2 = matmul(x, x)
    x4 = matmul(x2, x2)
    x6 = matmul(x4, x2)
    odd = matmul(x6, b[13] * x6 + b[11] * x4 + b[9] * x2) + b[7] * x6 + b[5] * x4 + b[3] * x2 + b[1] * one
    even = matmul(x6, b[12] * x6 + b[10] * x4 + b[8] * x2) + b[6] * x6 + b[4] * x4 + b[2] * x2 + b[0] * one
    u = matmul(x, odd)
    return apply(ops.solve, even - u, even + u)
