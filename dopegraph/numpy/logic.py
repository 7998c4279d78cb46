"""Functions made of several elementwise ones: choices, comparisons with a tolerance."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy import host
from dopegraph.numpy.elementwise import call, truth
from dopegraph.numpy.limits import clip  # noqa: F401 - others take it from here
from dopegraph.numpy.pairs import divmod  # noqa: F401
from dopegraph.numpy.promotion import FLOAT64, as_array, as_operand, promote
from dopegraph.runtime.location import here, located

__all__ = ["allclose", "array_equal", "isclose", "where"]


def where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    """Elements of `x` where the condition is true, of `y` elsewhere; all three broadcast.

    With the condition alone the positions of its true elements, as ``nonzero`` (on the host).

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.where(np.array([True, False]), 1.0, -1.0)
    array([ 1., -1.], dtype=float32)
    """
    if (x is None) != (y is None):
        raise ValueError(located("where: give both x and y, or neither", here()))
    if x is None:
        return host.call("nonzero", numpy.nonzero, as_array(condition))
    return apply(ops.select, truth(as_operand(condition)), *promote((x, y)))


def isclose(a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> ndarray:
    """Whether ``abs(a - b) <= atol + rtol * abs(b)``, element by element; infinities are close to themselves.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.isclose([1.0, 2.0], [1.0 + 1e-7, 2.1])
    array([ True, False])
    """
    x, y = promote((a, b))
    if x.dtype.kind not in "fc":
        x, y = promote((x, y), FLOAT64)
    with numpy.errstate(invalid="ignore"):  # the difference of infinities
        near = call("less_equal", (call("absolute", (x - y,)), atol + rtol * call("absolute", (y,))))
    same = call("equal", (x, y))
    result = call("logical_or", (same, call("logical_and", (near, call("isfinite", (y,))))))
    if equal_nan:
        both = call("logical_and", (call("isnan", (x,)), call("isnan", (y,))))
        result = call("logical_or", (result, both))
    return result


def array_equal(a1: Any, a2: Any) -> bool:
    """Whether two arrays have the same shape and elements."""
    x, y = as_array(a1), as_array(a2)
    return x.shape == y.shape and bool((x == y).all())


def allclose(a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements of two arrays are close; see `isclose`."""
    return bool(isclose(a, b, rtol, atol, equal_nan).all())
