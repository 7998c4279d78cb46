"""Creating arrays: from lists and NumPy arrays, filled, counted, or shaped like another one. New floats are float32."""

from __future__ import annotations

import operator
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import from_numpy, ndarray, traced
from dopegraph.dispatch import apply
from dopegraph.numpy import host
from dopegraph.numpy.promotion import DType, as_array, check_kind, convert, dtype_of, memory_of, new
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.recording import active_recording
from dopegraph.trace.scalar import DynamicFloat


def integers(x: Any, what: str) -> tuple[int, ...]:
    """A tuple of integers from one integer or a sequence of them."""
    items = x if isinstance(x, (list, tuple)) or getattr(x, "ndim", 0) else (x,)
    try:
        return tuple([operator.index(item) for item in items])
    except TypeError:
        raise DTypeError(located(f"{what} must be an integer or a sequence of integers, not {x!r}", here())) from None


def shape_of(shape: Any) -> tuple[int, ...]:
    """A shape from an integer or a sequence of integers."""
    lengths = integers(shape, "a shape")
    if min(lengths, default=0) < 0:
        raise ShapeError(located(f"negative lengths are not allowed in a shape: {lengths}", here()))
    return lengths


def dtype_or_default(dtype: Any) -> DType:
    """The dtype that was asked for, or the default."""
    return default_dtype() if dtype is None else dtype_of(dtype)


def array(object: Any, dtype: Any = None, *, copy: bool = True, ndmin: int = 0) -> ndarray:
    """An array of nested lists, numbers or other arrays.

    Parameters
    ----------
    object : array_like
    dtype : dtype, optional
        The default is that of `object`; for Python floats the default dtype (float32).
    copy : bool, optional
        The memory of another array is copied (default); with False it is shared where possible.
    ndmin : int, optional
        Axes of length 1 are put in front until there are this many.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.array([[1, 2], [3, 4.5]])
    array([[1. , 2. ],
           [3. , 4.5]], dtype=float32)
    """
    wanted = None if dtype is None else dtype_of(dtype)
    object = memory_of(object)
    if isinstance(object, numpy.ndarray) and copy:
        result = new(numpy.array(check_kind(object), dtype=wanted))
    else:
        result = as_array(object, wanted)
        if copy and result is object:
            result = apply(ops.identity, result)
    if result.ndim < ndmin:
        result = result.reshape((1,) * (ndmin - result.ndim) + result.shape)
    return result


def asarray(a: Any, dtype: Any = None, *, copy: bool | None = None) -> ndarray:
    """An array of anything, without a copy where possible; a NumPy array shares its memory.

    Examples
    --------
    >>> import numpy, dopegraph.numpy as np
    >>> memory = numpy.zeros(2)
    >>> np.asarray(memory)[0] = 5
    >>> memory.tolist()
    [5.0, 0.0]
    """
    return array(a, dtype, copy=bool(copy))


def copy(a: Any) -> ndarray:
    """A copy in memory of its own."""
    return apply(ops.identity, as_array(a))


def _filled(shape: tuple[int, ...], value: Any, dtype: DType) -> ndarray:
    recording = active_recording()
    if isinstance(value, (ndarray, DynamicFloat)) or numpy.ndim(value):
        part = convert(value, dtype) if isinstance(value, ndarray) else as_array(value, dtype)
        return apply(ops.identity, apply(ops.broadcast_to, part, shape=shape))
    if recording is not None:
        number = numpy.asarray(value).astype(dtype).item()
        return traced(recording.emit(ops.full, [], {"value": number, "shape": shape, "dtype": dtype}), recording)
    return new(numpy.full(shape, value, dtype))


def zeros(shape: Any, dtype: Any = None) -> ndarray:
    """Zeros; float32 unless a dtype is given.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.zeros((2, 2))
    array([[0., 0.],
           [0., 0.]], dtype=float32)
    """
    return _filled(shape_of(shape), 0, dtype_or_default(dtype))


def ones(shape: Any, dtype: Any = None) -> ndarray:
    """Ones; float32 unless a dtype is given."""
    return _filled(shape_of(shape), 1, dtype_or_default(dtype))


def empty(shape: Any, dtype: Any = None) -> ndarray:
    """An array whose contents do not matter; here they are zeros, so that compiled code cannot differ."""
    return zeros(shape, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> ndarray:
    """An array of one repeated value.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.full(3, 7)
    array([7, 7, 7])
    """
    chosen = dtype_of(dtype) if dtype is not None else as_array(fill_value).dtype
    return _filled(shape_of(shape), fill_value, chosen)


def _like(a: Any, value: Any, dtype: Any, shape: Any) -> ndarray:
    model = as_array(a)
    lengths = model.shape if shape is None else shape_of(shape)
    with model.device:
        return _filled(lengths, value, dtype_of(dtype) if dtype is not None else model.dtype)


def zeros_like(a: Any, dtype: Any = None, *, shape: Any = None) -> ndarray:
    """Zeros with the shape and dtype of another array."""
    return _like(a, 0, dtype, shape)


def ones_like(a: Any, dtype: Any = None, *, shape: Any = None) -> ndarray:
    """Ones with the shape and dtype of another array."""
    return _like(a, 1, dtype, shape)


def empty_like(prototype: Any, /, dtype: Any = None, *, shape: Any = None) -> ndarray:
    """Zeros with the shape and dtype of another array; see `empty`."""
    return _like(prototype, 0, dtype, shape)


def full_like(a: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None) -> ndarray:
    """A repeated value with the shape and dtype of another array."""
    return _like(a, fill_value, dtype, shape)


def arange(start_or_stop: Any, /, stop: Any = None, step: Any = 1, *, dtype: Any = None) -> ndarray:
    """Evenly spaced values in the half-open interval [start, stop).

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.arange(3), np.arange(0, 1, 0.25)
    (array([0, 1, 2]), array([0.  , 0.25, 0.5 , 0.75], dtype=float32))
    """
    first, last = (0, start_or_stop) if stop is None else (start_or_stop, stop)
    start, end, step = _number(first), _number(last), _number(step)
    counted = numpy.arange(start, end, step)
    chosen = dtype_or_default(dtype) if dtype is not None or counted.dtype.kind == "f" else counted.dtype
    attrs = {"size": counted.size, "start": start, "step": step, "dtype": chosen}
    recording = active_recording()
    if recording is not None:
        return traced(recording.emit(ops.iota, [], attrs), recording)
    return new(ops.iota.kernel(**attrs))


def _number(x: Any) -> Any:
    """A Python number: where an array ends, and how far its elements are apart, cannot be traced."""
    return float(x) if isinstance(x, DynamicFloat) else numpy.asarray(x).item()


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0
) -> Any:
    """`num` evenly spaced values from `start` to `stop`, which is included unless `endpoint` is false.

    Bounds that are arrays are looked at by NumPy, on the host; with `retstep` the distance is returned too.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linspace(0, 1, 5)
    array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    if isinstance(start, ndarray) or isinstance(stop, ndarray):
        return host.call("linspace", numpy.linspace, start, stop, num, endpoint, retstep, dtype, axis)
    if operator.index(num) < 0:
        raise ShapeError(located(f"linspace: the number of values must not be negative: {num}", here()))
    start, stop = (float(x) if isinstance(x, DynamicFloat) else x for x in (start, stop))
    spaced, distance = numpy.linspace(start, stop, num, endpoint, True, dtype, axis)
    if dtype is None and spaced.dtype.kind == "f":
        spaced = spaced.astype(default_dtype())
    return (new(spaced), float(distance)) if retstep else new(spaced)


__all__ = [
    "arange", "array", "asarray", "copy", "empty", "empty_like", "from_numpy", "full", "full_like", "linspace", "ones",
    "ones_like", "zeros", "zeros_like",
]  # fmt: skip
