"""Functions made of several elementwise ones: choices, comparisons with a tolerance."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy import short_way
from dopegraph.numpy.elementwise import call, truth
from dopegraph.numpy.positions import nonzero
from dopegraph.numpy.promotion import FLOAT64, as_array, as_operand, bounds_of, kinds_of, new, promote, result_dtype
from dopegraph.ops.typing import broadcast_shapes
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located

__all__ = ["allclose", "array_equal", "array_equiv", "isclose", "where"]


def where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    """Elements of `x` where the condition is true, of `y` elsewhere; all three broadcast.

    With the condition alone the positions of its true elements, as `nonzero`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.where(np.array([True, False]), 1.0, -1.0)
    array([ 1., -1.], dtype=float32)
    """
    if (x is None) != (y is None):
        raise ValueError(located("where: give both x and y, or neither", here()))
    if x is None:
        return nonzero(condition)
    return apply(ops.select, truth(as_operand(condition)), *promote(_wrapped(x, y)))


def _wrapped(x: Any, y: Any) -> tuple[Any, Any]:
    """Python integers that the other operand's dtype does not hold lose their high bits, as in NumPy."""
    for one, other in ((x, y), (y, x)):
        if type(one) is int and isinstance(other, ndarray) and other.dtype.kind in "iu":
            least, most = bounds_of(other.dtype)
            if not least <= one <= most:
                whole = new(numpy.asarray(numpy.int64(one)).astype(other.dtype))
                return (whole, other) if one is x else (other, whole)
    return x, y


def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> ndarray:
    """Whether ``abs(a - b) <= atol + rtol * abs(b)``, element by element; infinities are close to themselves.

    Parameters
    ----------
    a, b : array_like
        Numbers of any kind; they broadcast. Integers are compared in double precision.
    rtol, atol : array_like
        Relative and absolute tolerance.
    equal_nan : bool, optional
        Whether NaN is close to NaN.

    Returns
    -------
    ndarray
        Of dtype bool.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.isclose([1.0, 2.0], [1.0 + 1e-7, 2.1])
    array([ True, False])
    """
    if type(a) is type(b) is ndarray and a.dtype is b.dtype:
        found = short_way.by_numpy(numpy.isclose, (a, b, rtol, atol, equal_nan), {})
        if found is not None:
            return found
    given = [as_operand(operand) for operand in (a, b)]
    kinds = kinds_of(given)
    common = result_dtype(kinds, default_dtype())
    if common.kind in "biu" or (common.kind == "f" and any(_is_whole(kind) for kind in kinds)):
        common = FLOAT64
    x, y = promote(given, common)
    with numpy.errstate(invalid="ignore"):  # the difference of infinities
        near = call("less_equal", (call("absolute", (x - y,)), atol + rtol * call("absolute", (y,))))
    same = call("equal", (x, y))
    result = call("logical_or", (same, call("logical_and", (near, call("isfinite", (y,))))))
    if equal_nan:
        both = call("logical_and", (call("isnan", (x,)), call("isnan", (y,))))
        result = call("logical_or", (result, both))
    return result


def _is_whole(kind: Any) -> bool:
    return kind is int or (isinstance(kind, numpy.dtype) and kind.kind in "iu")


def allclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements of two arrays are close; see `isclose`."""
    return bool(isclose(a, b, rtol, atol, equal_nan).all())


def _arrays(*given: Any) -> list[ndarray] | None:
    """None for what makes no array, which equals nothing."""
    try:
        return [as_array(one) for one in given]
    except Exception:
        return None


def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    """Whether two arrays have the same shape and elements; with `equal_nan` NaN equals NaN."""
    arrays = _arrays(a1, a2)
    if arrays is None or arrays[0].shape != arrays[1].shape:
        return False
    x, y = arrays
    same = call("equal", (x, y))
    if equal_nan and x.dtype.kind in "fc" and y.dtype.kind in "fc":
        both = call("logical_and", (call("isnan", (x,)), call("isnan", (y,))))
        same = call("logical_or", (same, both))
    return bool(same.all())


def array_equiv(a1: Any, a2: Any) -> bool:
    """Whether two arrays broadcast to one shape and have the same elements there."""
    arrays = _arrays(a1, a2)
    if arrays is None:
        return False
    try:
        broadcast_shapes(*(one.shape for one in arrays))
    except ShapeError:
        return False
    return bool(call("equal", tuple(arrays)).all())
