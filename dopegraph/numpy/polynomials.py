"""Polynomials as arrays of coefficients, the highest power first: arithmetic, calculus, values, fits and roots."""

from __future__ import annotations

import operator
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy import host
from dopegraph.numpy.calculus import convolve
from dopegraph.numpy.creation import ones, zeros, zeros_like
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.joining import concatenate, is_new, stack, together
from dopegraph.numpy.promotion import DType, as_array, convert, result_dtype
from dopegraph.numpy.ranges import arange
from dopegraph.numpy.shape import atleast_1d, reshape
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.errors import IndexingError, ShapeError
from dopegraph.runtime.location import here, located

__all__ = [
    "poly", "polyadd", "polyder", "polydiv", "polyfit", "polyint", "polymul", "polysub", "polyval", "roots",
]  # fmt: skip


def _coefficients(p: Any) -> Any:
    """The coefficients of NumPy's poly1d as an array; anything else as it is."""
    return numpy.array(p.coeffs) if isinstance(p, numpy.poly1d) else p


def _lift(result: ndarray, *operands: Any) -> Any:
    """NumPy's functions of poly1d return poly1d."""
    return numpy.poly1d(result.asnumpy()) if any(isinstance(one, numpy.poly1d) for one in operands) else result


def _floating(x: ndarray) -> DType:
    return result_dtype((x.dtype, float), default_dtype())


def _powers(count: int, x: ndarray, p: Any) -> ndarray:
    """``count, ..., 2, 1``, in the dtype of coefficients that are numbers of Python."""
    return arange(count, 0, -1, dtype=x.dtype if x.dtype.kind in "fc" and is_new(_coefficients(p)) else None)


def polyval(p: Any, x: Any) -> Any:
    """Values of a polynomial at `x`, by Horner's scheme.

    Parameters
    ----------
    p : array_like
        Coefficients, the highest power first.
    x : array_like

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.polyval([1, 0, 2], 3)
    array(11)
    """
    if isinstance(x, numpy.poly1d):
        return numpy.polyval(numpy.asarray(_coefficients(p)), x)
    coefficients, at = as_array(_coefficients(p)), as_array(x)
    if coefficients.size:
        coefficients, at = together((_coefficients(p), x))
    if coefficients.ndim == 0:
        raise ShapeError(located("polyval: the coefficients have no axis", here()))
    result = zeros_like(at)
    for place in range(coefficients.shape[0]):
        result = call("add", (call("multiply", (result, at)), coefficients[place]))
    return result


def _sum(name: str, a1: Any, a2: Any) -> Any:
    x, y = map(atleast_1d, together((_coefficients(a1), _coefficients(a2))))
    missing = y.shape[0] - x.shape[0]
    if missing > 0:
        x = concatenate([zeros(missing, x.dtype), x])
    elif missing < 0:
        y = concatenate([zeros(-missing, y.dtype), y])
    return _lift(call(name, (x, y)), a1, a2)


def polyadd(a1: Any, a2: Any) -> Any:
    """Sum of two polynomials.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.polyadd([1, 2], [9, 5, 4])
    array([9, 6, 6])
    """
    return _sum("add", a1, a2)


def polysub(a1: Any, a2: Any) -> Any:
    """Difference of two polynomials."""
    return _sum("subtract", a1, a2)


def _trimmed(x: ndarray, given: Any) -> ndarray:
    """The coefficients without leading zeros; which ones are zero is looked at, unless they were no array of ours."""
    x = atleast_1d(x)
    if x.ndim != 1:
        raise ShapeError(located(f"polymul: coefficients have one axis, not the shape {x.shape}", here()))
    if isinstance(given, ndarray):
        known = given._look("value-escape", "the degree of a polynomial")
    else:
        known = numpy.asarray(_coefficients(given))
    nonzero = numpy.flatnonzero(known)
    return x[int(nonzero[0]) :] if nonzero.size else zeros(1, x.dtype)


def polymul(a1: Any, a2: Any) -> Any:
    """Product of two polynomials; leading coefficients that are 0 are dropped first, so the values are looked at.

    Inside `compile`, `convolve` is the product that is replayed.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.polymul([1, 2], [1, 3])
    array([1, 5, 6])
    """
    x, y = together((_coefficients(a1), _coefficients(a2)))
    return _lift(convolve(_trimmed(x, a1), _trimmed(y, a2)), a1, a2)


def polydiv(u: Any, v: Any) -> tuple[Any, Any]:
    """Quotient and remainder of two polynomials, by long division; the remainder's leading zeros are looked at.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.polydiv([3., 5., 2.], [2., 1.])
    (array([1.5 , 1.75], dtype=float32), array([0.25], dtype=float32))
    """
    given = (_coefficients(u), _coefficients(v))
    x, y = map(atleast_1d, together(given) if any(map(is_new, given)) else map(as_array, given))
    x, y = (convert(one, _floating(one)) for one in (x, y))
    if not x.size or not y.size:
        raise IndexingError(located("polydiv: a polynomial has at least one coefficient", here()))
    x = convert(x, numpy.promote_types(x.dtype, y.dtype))
    steps = x.size - y.size + 1
    scale = 1.0 / y[0]
    quotient: list[ndarray] = []
    rest = apply(ops.identity, x)
    for k in range(steps):
        factor = scale * rest[k]
        quotient.append(factor)
        parts = [rest[:k], rest[k : k + y.size] - factor * y, rest[k + y.size :]]
        rest = apply(ops.concat, *[part for part in parts if part.size], axis=0)
    known = rest._look("value-escape", "the degree of a remainder")
    near = numpy.flatnonzero(~numpy.isclose(known, 0, rtol=1e-14))
    rest = rest[int(near[0]) if near.size else rest.size - 1 :]
    found = stack(quotient) if quotient else zeros(1, x.dtype)
    return _lift(found, u, v), _lift(rest, u, v)


def polyder(p: Any, m: int = 1) -> Any:
    """Derivative of a polynomial, taken `m` times.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.polyder([1, 1, 1, 1])
    array([3, 2, 1])
    """
    times = operator.index(m)
    if times < 0:
        raise ValueError(located(f"polyder: m must not be negative: {m}; see polyint", here()))
    x = as_array(_coefficients(p))
    for _ in range(times):
        x = call("multiply", (x[:-1], _powers(x.shape[0] - 1, x, p)))
    return _lift(x, p)


def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """Antiderivative of a polynomial, taken `m` times.

    Parameters
    ----------
    p : array_like
    m : int, optional
    k : scalar or sequence, optional
        Constants of integration, one for each time (or one for all); 0 by default.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.polyint([3, 2, 1], k=7)
    array([1., 1., 1., 7.], dtype=float32)
    """
    times = operator.index(m)
    if times < 0:
        raise ValueError(located(f"polyint: m must not be negative: {m}; see polyder", here()))
    x = as_array(_coefficients(p))
    constants = zeros(times, _floating(x)) if k is None else atleast_1d(as_array(k))
    if constants.size == 1 and times > 1:
        constants = constants[0] * ones(times, constants.dtype)
    if constants.size < times:
        message = f"polyint: needs {times} constants of integration (or one), not {constants.size}"
        raise ValueError(located(message, here()))
    if not isinstance(k, (ndarray, numpy.ndarray)) and constants.dtype.kind != "c":
        constants = convert(constants, _floating(x))
    for time in range(times):
        divided = call("divide", (x, _powers(x.shape[0], x, p)))
        x = concatenate([divided, constants[time : time + 1]])
    return _lift(x, p)


def poly(seq_of_zeros: Any) -> Any:
    """Coefficients of the polynomial with given roots, or the characteristic polynomial of a square matrix.

    Roots that are complex, and matrices, are NumPy's, on the host.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.poly([1, 2])
    array([ 1., -3.,  2.], dtype=float32)
    """
    x = atleast_1d(as_array(seq_of_zeros))
    if x.ndim != 1 or x.dtype.kind == "c":
        return host.defaulted(host.call("poly", numpy.poly, x), x)
    if not x.size:
        return 1.0
    x = convert(x, _floating(x) if x.dtype.kind != "f" else numpy.dtype("float64") if x.dtype == "float16" else x.dtype)
    result = ones(1, x.dtype)
    for place in range(x.size):
        factor = concatenate([ones(1, x.dtype), reshape(-x[place], 1)])
        result = convolve(result, factor)
    return result


def polyfit(x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False) -> Any:
    """Coefficients of the polynomial that fits points best in the least squares sense; NumPy does it, on the host.

    Parameters
    ----------
    x, y : array_like
        Coordinates; of `y` each column is fitted.
    deg : int or sequence of int
        The degree, or the powers to use.
    rcond : float, optional
    full : bool, optional
        Return residuals, rank, singular values and `rcond` too.
    w : array_like, optional
        Weights of the residuals before they are squared.
    cov : bool or "unscaled", optional
        Return the covariance of the coefficients too.
    """
    found = host.call("polyfit", numpy.polyfit, as_array(x), as_array(y), deg, rcond, full, w, cov)
    return host.defaulted(found, x, y, w)


def roots(p: Any) -> Any:
    """Roots of a polynomial, as eigenvalues of its companion matrix; NumPy computes them, on the host."""
    coefficients = as_array(_coefficients(p))
    return host.defaulted(host.call("roots", numpy.roots, coefficients), p)
