"""Creating arrays: from lists and NumPy arrays, filled, counted, or shaped like another one. New floats are float32."""

from __future__ import annotations

import builtins
import operator
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import apply, from_numpy, ndarray, traced
from dopegraph.numpy.promotion import DType, as_array, check_kind, convert, new, scalar
from dopegraph.runtime.config import default_dtype
from dopegraph.trace.recording import active_recording
from dopegraph.trace.scalar import DynamicFloat


def shape_of(shape: Any) -> tuple[int, ...]:
    """A shape from an integer or a sequence of integers."""
    if isinstance(shape, (builtins.list, builtins.tuple)):
        lengths = tuple(operator.index(length) for length in shape)
    else:
        lengths = (operator.index(shape),)
    if any(length < 0 for length in lengths):
        raise ValueError(f"negative lengths are not allowed in a shape: {lengths}")
    return lengths




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
    wanted = None if dtype is None else numpy.dtype(dtype)
    if isinstance(object, numpy.ndarray):
        source = check_kind(object)
        result = new(numpy.array(source, dtype=wanted)) if copy else as_array(source, wanted)
    else:
        result = as_array(object, wanted)
        if copy and result is object:
            result = apply(ops.identity, result)
    if result.ndim < ndmin:
        result = result.reshape((1,) * (ndmin - result.ndim) + result.shape)
    return result


def asarray(a: Any, dtype: Any = None) -> ndarray:
    """An array of anything, without a copy where possible; a NumPy array shares its memory."""
    return as_array(a, None if dtype is None else numpy.dtype(dtype))


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
    return _filled(shape_of(shape), 0, numpy.dtype(dtype or default_dtype()))


def ones(shape: Any, dtype: Any = None) -> ndarray:
    """Ones; float32 unless a dtype is given."""
    return _filled(shape_of(shape), 1, numpy.dtype(dtype or default_dtype()))


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
    chosen = numpy.dtype(dtype) if dtype is not None else as_array(fill_value).dtype
    return _filled(shape_of(shape), fill_value, chosen)


def _like(a: Any, value: Any, dtype: Any, shape: Any) -> ndarray:
    model = as_array(a)
    lengths = model.shape if shape is None else shape_of(shape)
    return _filled(lengths, value, numpy.dtype(dtype) if dtype is not None else model.dtype)


def zeros_like(a: Any, dtype: Any = None, *, shape: Any = None) -> ndarray:
    """Zeros with the shape and dtype of another array."""
    return _like(a, 0, dtype, shape)


def ones_like(a: Any, dtype: Any = None, *, shape: Any = None) -> ndarray:
    """Ones with the shape and dtype of another array."""
    return _like(a, 1, dtype, shape)


def empty_like(a: Any, dtype: Any = None, *, shape: Any = None) -> ndarray:
    """Zeros with the shape and dtype of another array; see `empty`."""
    return _like(a, 0, dtype, shape)


def full_like(a: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None) -> ndarray:
    """A repeated value with the shape and dtype of another array."""
    return _like(a, fill_value, dtype, shape)


def arange(start: Any, /, stop: Any = None, step: Any = 1, *, dtype: Any = None) -> ndarray:
    """Evenly spaced values in the half-open interval [start, stop).

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.arange(3), np.arange(0, 1, 0.25)
    (array([0, 1, 2]), array([0.  , 0.25, 0.5 , 0.75], dtype=float32))
    """
    if stop is None:
        start, stop = 0, start
    counted = numpy.arange(start, stop, step)
    chosen = numpy.dtype(dtype) if dtype is not None else counted.dtype
    if dtype is None and chosen.kind == "f":
        chosen = default_dtype()
    recording = active_recording()
    if recording is not None:
        attrs = {"size": counted.size, "start": _number(start), "step": _number(step), "dtype": chosen}
        return traced(recording.emit(ops.iota, [], attrs), recording)
    return new(counted.astype(chosen, copy=False))


def _number(x: Any) -> Any:
    return numpy.asarray(x).item()


def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, *, dtype: Any = None) -> ndarray:
    """`num` evenly spaced values from `start` to `stop`, which is included unless `endpoint` is false.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linspace(0, 1, 5)
    array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    spaced = numpy.linspace(_number(start), _number(stop), num, endpoint)
    return new(spaced.astype(dtype or default_dtype()))


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> ndarray:
    """A matrix of zeros with ones on the k-th diagonal.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.eye(2)
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    return new(numpy.eye(N, M, k, dtype or default_dtype()))


def identity(n: int, dtype: Any = None) -> ndarray:
    """The identity matrix."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> ndarray:
    """Ones at and below the k-th diagonal, zeros above."""
    return new(numpy.tri(N, M, k, dtype or default_dtype()))


def _triangle(m: Any, keep: numpy.ndarray) -> ndarray:
    x = as_array(m)
    return apply(ops.select, new(keep), x, scalar(0, x.dtype))


def tril(m: Any, k: int = 0) -> ndarray:
    """The matrix with zeros above the k-th diagonal."""
    x = as_array(m)
    return _triangle(x, numpy.tri(*x.shape[-2:], k=k, dtype=bool))


def triu(m: Any, k: int = 0) -> ndarray:
    """The matrix with zeros below the k-th diagonal."""
    x = as_array(m)
    return _triangle(x, ~numpy.tri(*x.shape[-2:], k=k - 1, dtype=bool))


__all__ = [
    "arange", "array", "asarray", "copy", "empty", "empty_like", "eye", "from_numpy", "full", "full_like", "identity",
    "linspace", "ones", "ones_like", "tri", "tril", "triu", "zeros", "zeros_like",
]  # fmt: skip
