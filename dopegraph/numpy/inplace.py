"""Functions that write into an array: `copyto`, `put`, `putmask`, `place`, `fill_diagonal`; recorded as new values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy import host
from dopegraph.numpy.assign import assign, on_host
from dopegraph.numpy.cumulative import cumsum
from dopegraph.numpy.elementwise import truth
from dopegraph.numpy.joining import cast
from dopegraph.numpy.layout import naming
from dopegraph.numpy.promotion import BOOL, INT64, as_array, as_operand, beside, convert, new, scalar
from dopegraph.numpy.shape import broadcast_to, ravel, reshape, resize
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording
from dopegraph.trace.scalar import DynamicFloat

__all__ = ["copyto", "fill_diagonal", "place", "put", "putmask"]


def _at_once(name: str, function: Callable[..., Any], target: ndarray, *args: Any, **kwargs: Any) -> bool:
    """Let NumPy write into the memory; False when that is not how it is done: in a recording, on a device."""
    if active_recording() is not None or not target.device.is_host:
        return False
    buffer = target._settled()
    if not buffer.array.flags.writeable:
        raise ValueError(located(f"{name}: the array is read-only", here()))
    lowered = [on_host(one, name) if isinstance(one, ndarray) else one for one in args]
    target._about_to_change()
    with naming(name):
        function(buffer.array, *lowered, **kwargs)
    return True


def _target(name: str, x: Any) -> ndarray:
    if not isinstance(x, ndarray):
        raise DTypeError(located(f"{name}: writes into a dopegraph.ndarray, not into a {type(x).__name__}", here()))
    return x


def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    """Write the elements of one array into another, where a mask is true.

    Parameters
    ----------
    dst : ndarray
    src : array_like
        Broadcast to `dst`.
    casting : {"no", "equiv", "safe", "same_kind", "unsafe"}, optional
        Which casts are allowed.
    where : array_like of bool, optional

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> x = np.zeros(3)
    >>> np.copyto(x, 7, where=[True, False, True])
    >>> x
    array([7., 0., 7.], dtype=float32)
    """
    if isinstance(dst, numpy.ndarray):
        host.call("copyto", numpy.copyto, dst, src, casting, where)
        return
    target, operand = _target("copyto", dst), as_operand(src)
    if isinstance(operand, ndarray):
        value = cast(operand, target.dtype, casting, "copyto")
    elif casting != "unsafe" and _weaker_kind(target.dtype.kind) < _weaker_kind(as_array(operand).dtype.kind):
        message = f"copyto: cannot cast {operand!r} to {target.dtype} by the rule {casting!r}; use casting='unsafe'"
        raise DTypeError(located(message, here()))
    else:
        value = scalar(operand, target.dtype)
    if where is not True:
        mask = as_array(where)
        if isinstance(where, (ndarray, numpy.ndarray)) and mask.dtype != BOOL:
            raise DTypeError(located(f"copyto: where must be booleans, not {mask.dtype}", here()))
        try:
            value = apply(ops.select, truth(mask), value, target)
        except ShapeError as cause:
            raise ShapeError(located(f"copyto: {cause}", here())) from cause
    assign(target, value, "copyto")


def _weaker_kind(kind: str) -> int:
    return "buifc".index(kind) if kind != "u" else 2


def _flat_assign(target: ndarray, flat: ndarray, name: str) -> None:
    assign(target, reshape(flat, target.shape), name)


def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """Write values at positions of the flattened array; they are repeated if there are too few.

    Parameters
    ----------
    a : ndarray
    ind : array_like of int
        Positions. While recording, an array that is itself traced is looked at by NumPy, on the host.
    v : array_like
    mode : {"raise", "wrap", "clip"}, optional
        What happens to positions outside.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> x = np.arange(5)
    >>> np.put(x, [0, 2], [-1, -2])
    >>> x
    array([-1,  1, -2,  3,  4])
    """
    target = _target("put", a)
    if _at_once("put", numpy.put, target, ind, v, mode):
        return
    if isinstance(ind, ndarray):
        host.call("put", numpy.put, target, ind, v, mode)
        return
    values = as_array(v) if isinstance(v, ndarray) else beside(target, as_array(v))
    values = ravel(convert(values, target.dtype))
    places = numpy.arange(target.size)
    with naming("put"):
        given = numpy.asarray(ind, INT64 if not numpy.size(ind) else None).reshape(-1)
        sources = target.size + numpy.arange(given.size) % max(values.size, 1)
        if values.size:
            numpy.put(places, given, sources, mode)
    if values.size and given.size:
        both = apply(ops.concat, ravel(target), values, axis=0)
        _flat_assign(target, apply(ops.take, both, beside(target, places), axis=0), "put")


def putmask(a: Any, /, mask: Any, values: Any) -> None:
    """Write where a mask is true the value of the same position; values are repeated if there are too few.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> x = np.arange(5)
    >>> np.putmask(x, x > 2, [-1, -2])
    >>> x
    array([ 0,  1,  2, -2, -1])
    """
    target = _target("putmask", a)
    plain = _values("putmask", values, target)
    if _at_once("putmask", numpy.putmask, target, mask, plain):
        return
    chosen = truth(as_array(mask))
    value = as_array(plain)
    if chosen.size != target.size:
        message = f"putmask: a mask of shape {chosen.shape} for an array of shape {target.shape}"
        raise ShapeError(located(message, here()))
    if not value.size:
        return
    value = value if value.ndim == 0 else resize(value, target.shape)
    assign(target, apply(ops.select, reshape(chosen, target.shape), value, target), "putmask")


def _values(name: str, values: Any, target: ndarray) -> Any:
    """What is written in the target's dtype: Python's numbers become it, arrays must fit into it."""
    if isinstance(values, (ndarray, numpy.ndarray, numpy.generic)):
        return cast(as_array(values), target.dtype, "safe", name)
    if isinstance(values, (DynamicFloat, list, tuple)):
        return as_array(values, target.dtype)
    with naming(name):
        return new(numpy.asarray(values, target.dtype))


def place(arr: Any, mask: Any, vals: Any) -> None:
    """Write the first value where a mask is true first, and so on; values are repeated if there are too few.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> x = np.arange(5)
    >>> np.place(x, x > 2, [-1, -2])
    >>> x
    array([ 0,  1,  2, -1, -2])
    """
    target = _target("place", arr)
    vals = _values("place", vals, target)
    if _at_once("place", numpy.place, target, mask, vals):
        return
    chosen = ravel(truth(as_array(mask)))
    values = ravel(convert(as_array(vals), target.dtype))
    if chosen.size != target.size:
        message = f"place: a mask of {chosen.size} elements for an array of shape {target.shape}"
        raise ShapeError(located(message, here()))
    if not values.size:
        host.call("place", numpy.place, target, mask, vals)  # an error if the mask has a true element
        return
    count = cumsum(convert(chosen, INT64))
    number = apply(ops.select, chosen, (count - 1) % values.size, scalar(0, INT64))
    written = apply(ops.select, chosen, apply(ops.take, values, number, axis=0), ravel(target))
    _flat_assign(target, written, "place")


def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """Write a value, or values in turn, on the main diagonal of an array of equal sides.

    Parameters
    ----------
    a : ndarray
        A matrix, or an array of more axes of one length.
    val : array_like
    wrap : bool, optional
        Begin again below the square of a matrix with more rows than columns.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> x = np.zeros((2, 2))
    >>> np.fill_diagonal(x, [1, 2])
    >>> x
    array([[1., 0.],
           [0., 2.]], dtype=float32)
    """
    target = _target("fill_diagonal", a)
    if _at_once("fill_diagonal", numpy.fill_diagonal, target, val, wrap):
        return
    if target.ndim < 2:
        raise ShapeError(located(f"fill_diagonal: needs two axes or more, not the shape {target.shape}", here()))
    if target.ndim == 2:
        step = target.shape[1] + 1
        end = target.size if wrap else min(target.size, target.shape[1] * target.shape[1])
    elif len(set(target.shape)) != 1:
        raise ShapeError(located(f"fill_diagonal: all axes must be of one length, not {target.shape}", here()))
    else:
        step = 1 + sum(math.prod(target.shape[:place]) for place in range(1, target.ndim))
        end = target.size
    given = as_operand(val)
    value = convert(given, target.dtype) if isinstance(given, ndarray) else scalar(given, target.dtype)
    length = len(range(0, end, step))
    if not length:
        return
    value = value if isinstance(val, ndarray) else beside(target, value)
    value = broadcast_to(value, (length,)) if value.ndim == 0 else resize(value, length)
    where = {"starts": (0,), "stops": ((length - 1) * step + 1,), "steps": (step,)}
    _flat_assign(target, apply(ops.slice_update, ravel(target), value, **where), "fill_diagonal")
