"""Numbers kept within limits, and what is beyond them: `clip`, `nan_to_num`, `isneginf`, `isposinf`."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.assign import assign, finish
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.promotion import as_array, as_operand, bounds_of, dtype_of, scalar
from dopegraph.runtime.errors import DTypeError
from dopegraph.runtime.location import here, located

__all__ = ["clip", "isneginf", "isposinf", "nan_to_num"]

_NOT_GIVEN: Any = type("NotGiven", (), {"__repr__": lambda self: "<not given>"})()


def clip(
    a: Any, a_min: Any = _NOT_GIVEN, a_max: Any = _NOT_GIVEN, out: ndarray | None = None, *, min: Any = _NOT_GIVEN,
    max: Any = _NOT_GIVEN, **kwargs: Any,
) -> ndarray:  # fmt: skip
    """Values limited to the interval from `a_min` to `a_max`; None means no limit.

    Parameters
    ----------
    a : array_like
    a_min, a_max : array_like or None
        The limits; they broadcast with `a`. Where the lower is above the upper, the upper is the result.
    out : ndarray, optional
        Receives the result (cast with ``same_kind``).
    min, max : array_like or None
        Other names of `a_min` and `a_max`.
    where : array_like of bool, optional
        Elements for which it is false keep what `out` holds (0 without `out`).
    dtype : dtype, optional
        Compute in this dtype.
    casting, order, subok
        As in NumPy; nothing changes by them here.

    Returns
    -------
    ndarray
        Of the promoted dtype of the array and the limits.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.clip([-3., 0.5, 3.], -1, 1)
    array([-1. ,  0.5,  1. ], dtype=float32)
    """
    lower, upper = _limits(a_min, a_max, min, max)
    where, dtype = kwargs.pop("where", True), kwargs.pop("dtype", None)
    unknown = set(kwargs) - {"casting", "order", "subok"}
    if unknown:
        raise TypeError(located(f"clip() got an unexpected keyword argument {unknown.pop()!r}", here()))
    chosen = None if dtype is None else dtype_of(dtype)
    x = result = as_array(a)
    for name, limit in (("maximum", lower), ("minimum", upper)):
        if type(limit) is int and x.dtype.kind in "iu":
            least, most = bounds_of(x.dtype)
            if (limit <= least) if name == "maximum" else (limit >= most):  # limits nothing
                continue
        if limit is not None:
            result = call(name, (result, limit), chosen)
    if result is x:
        result = (
            call("positive", (x,), chosen)
            if lower is None and upper is None
            else (apply(ops.identity, x) if chosen is None else call("add", (x, 0), chosen))
        )
    return finish(result, out, where)


def _limits(a_min: Any, a_max: Any, min: Any, max: Any) -> tuple[Any, Any]:
    if a_min is _NOT_GIVEN and a_max is _NOT_GIVEN:
        return tuple([None if limit is _NOT_GIVEN else limit for limit in (min, max)])  # type: ignore[return-value]
    if a_min is _NOT_GIVEN or a_max is _NOT_GIVEN:
        missing = "a_min" if a_min is _NOT_GIVEN else "a_max"
        raise TypeError(located(f"clip() is missing {missing}; use min= or max= for one limit alone", here()))
    if min is not _NOT_GIVEN or max is not _NOT_GIVEN:
        raise ValueError(located("clip: give either a_min and a_max, or min= and max=", here()))
    return a_min, a_max


def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> ndarray:
    """Numbers in the place of NaN and of infinities; the largest and the smallest of the dtype by default.

    Parameters
    ----------
    x : array_like
        Of any dtype; the parts of complex numbers are treated apart.
    copy : bool, optional
        False writes the result into `x` as well.
    nan, posinf, neginf : array_like of real numbers, optional
        What takes the place of NaN, of infinity and of minus infinity.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.nan_to_num([1., np.nan, np.inf], posinf=9.)
    array([1., 0., 9.], dtype=float32)
    """
    given = as_array(x)
    if given.dtype.kind == "c":
        parts = [_finite(apply(part, given), nan, posinf, neginf) for part in (ops.real, ops.imag)]
        result = apply(ops.complex, *parts)
    else:
        result = _finite(given, nan, posinf, neginf)
    if not copy and isinstance(x, ndarray):
        if result is given:
            return x if x.ndim else apply(ops.identity, x)
        return assign(x, result, "nan_to_num")
    return apply(ops.identity, result) if result is given else result


def _finite(x: ndarray, nan: Any, posinf: Any, neginf: Any) -> ndarray:
    if x.dtype.kind != "f":
        return x
    limits = numpy.finfo(x.dtype)
    high = float(limits.max) if posinf is None else posinf
    low = float(limits.min) if neginf is None else neginf
    result = _replaced(call("isnan", (x,)), nan, x)
    result = _replaced(call("equal", (x, numpy.inf)), high, result)
    return _replaced(call("equal", (x, -numpy.inf)), low, result)


def _replaced(mask: ndarray, value: Any, x: ndarray) -> ndarray:
    operand = as_operand(value)
    new = as_array(operand, x.dtype) if isinstance(operand, ndarray) else scalar(operand, x.dtype)
    return apply(ops.select, mask, new, x)


def isposinf(x: Any, out: ndarray | None = None) -> ndarray:
    """Whether plus infinity; of real numbers."""
    return _infinite("isposinf", x, numpy.inf, out)


def isneginf(x: Any, out: ndarray | None = None) -> ndarray:
    """Whether minus infinity; of real numbers."""
    return _infinite("isneginf", x, -numpy.inf, out)


def _infinite(name: str, x: Any, which: float, out: ndarray | None) -> ndarray:
    given = as_array(x)
    if given.dtype.kind == "c":
        raise DTypeError(located(f"{name}: complex numbers have many infinities; ask for x.real or x.imag", here()))
    return finish(call("equal", (given, which)), out)
