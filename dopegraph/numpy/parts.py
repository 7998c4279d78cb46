"""Real and imaginary parts, angles, and whether numbers are complex."""

from __future__ import annotations

import math
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply, view
from dopegraph.numpy.creation import zeros_like
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.promotion import as_array

__all__ = ["angle", "imag", "iscomplex", "iscomplexobj", "isreal", "isrealobj", "real", "real_if_close"]

_PYTHON_NUMBERS = (bool, int, float, complex)


def real(val: Any) -> Any:
    """Real parts; of complex numbers a view, real numbers themselves; of a Python number a Python number.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.real([1 + 2j, 3 - 1j])
    array([1., 3.], dtype=float32)
    """
    if type(val) in _PYTHON_NUMBERS:
        return val.real
    z = as_array(val)
    return view(z, ((ops.real, {}),)) if z.dtype.kind == "c" else z


def imag(val: Any) -> Any:
    """Imaginary parts; of complex numbers a view, of real numbers zeros of their dtype; of a Python number a number.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.imag([1 + 2j, 3 - 1j])
    array([ 2., -1.], dtype=float32)
    """
    if type(val) in _PYTHON_NUMBERS:
        return val.imag
    z = as_array(val)
    return view(z, ((ops.imag, {}),)) if z.dtype.kind == "c" else zeros_like(z)


def angle(z: Any, deg: bool = False) -> ndarray:
    """Angles of complex numbers to the positive real axis, in radians or in degrees.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.angle([1j, -1 + 0j], deg=True)
    array([ 90., 180.], dtype=float32)
    """
    x = as_array(z)
    found = call("arctan2", (apply(ops.imag, x), apply(ops.real, x)) if x.dtype.kind == "c" else (0, x))
    return call("multiply", (found, 180 / math.pi)) if deg else found


def iscomplex(x: Any) -> ndarray:
    """Whether the imaginary part is not 0, element by element."""
    return call("not_equal", (imag(x), 0))


def isreal(x: Any) -> ndarray:
    """Whether the imaginary part is 0, element by element."""
    return call("equal", (imag(x), 0))


def iscomplexobj(x: Any) -> bool:
    """Whether the dtype is complex."""
    return as_array(x).dtype.kind == "c"


def isrealobj(x: Any) -> bool:
    """Whether the dtype is not complex."""
    return not iscomplexobj(x)


def real_if_close(a: Any, tol: float = 100) -> ndarray:
    """The real parts if all imaginary parts are nearly 0, otherwise the array as it is.

    Parameters
    ----------
    a : array_like
    tol : float, optional
        How large imaginary parts may be: in units of the dtype's resolution if above 1, otherwise absolute.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.real_if_close([2 + 1e-9j, 3.])
    array([2., 3.], dtype=float32)
    """
    z = as_array(a)
    if z.dtype.kind != "c":
        return z
    limit = tol * float(numpy.finfo(z.dtype).eps) if tol > 1 else tol
    small = call("less", (call("absolute", (apply(ops.imag, z),)), limit))
    return real(z) if bool(apply(ops.all, small, axes=tuple(range(z.ndim)), keepdims=False)) else z
