"""Arrays with elements appended, inserted or deleted: where they go is known while tracing, so these are lookups."""

from __future__ import annotations

import operator
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy import host
from dopegraph.numpy.joining import concatenate, together
from dopegraph.numpy.layout import naming
from dopegraph.numpy.promotion import as_array, beside, convert
from dopegraph.numpy.shape import axis_of, broadcast_to, moveaxis, ravel, reshape
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording

__all__ = ["append", "delete", "insert"]


def append(arr: Any, values: Any, axis: int | None = None) -> ndarray:
    """The array with values behind it along an axis; both are flattened by default.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.append([1, 2], [[3, 4]])
    array([1, 2, 3, 4])
    """
    first, second = together((arr, values))
    return concatenate((ravel(first), ravel(second)) if axis is None else (first, second), 0 if axis is None else axis)


def _known(obj: Any) -> Any:
    """The positions as NumPy takes them; None when they are being traced."""
    if isinstance(obj, ndarray):
        return obj._settled().array if active_recording() is None else None
    if isinstance(obj, (list, tuple)) and any(isinstance(one, ndarray) for one in obj):
        return [operator.index(one) for one in obj]
    if isinstance(obj, (list, tuple)) and obj and all(isinstance(one, (bool, numpy.bool_)) for one in obj):
        return numpy.array(obj)
    return obj


def delete(arr: Any, obj: Any, axis: int | None = None) -> ndarray:
    """The array without the elements at some positions along an axis (of the flattened array by default).

    Parameters
    ----------
    arr : array_like
    obj : int, slice, sequence of int or of bool
        What to leave out. An array that is itself traced is looked at by NumPy, on the host.
    axis : int, optional

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.delete([5, 6, 7, 8], [1, 3])
    array([5, 7])
    """
    places = _known(obj)
    if places is None:
        return host.call("delete", numpy.delete, as_array(arr), obj, axis)
    x = ravel(arr) if axis is None else as_array(arr)
    place = 0 if axis is None else axis_of(axis, x.ndim, "delete")
    with naming("delete"):
        kept = numpy.delete(numpy.arange(x.shape[place]), places)
    return apply(ops.take, x, beside(x, kept), axis=place)


def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> ndarray:
    """The array with values put in before some positions along an axis (of the flattened array by default).

    Parameters
    ----------
    arr : array_like
    obj : int, slice, sequence of int or of bool
        Before what to insert. An array that is itself traced is looked at by NumPy, on the host.
    values : array_like
        Broadcast and cast to the array.
    axis : int, optional

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.insert([1, 2, 3], 1, [8, 9]), np.insert(np.zeros((2, 2), int), 1, 7, axis=1)
    (array([1, 8, 9, 2, 3]), array([[0, 7, 0],
           [0, 7, 0]]))
    """
    places = _known(obj)
    if places is None:
        return host.call("insert", numpy.insert, as_array(arr), obj, values, axis)
    x = ravel(arr) if axis is None else as_array(arr)
    place = 0 if axis is None else axis_of(axis, x.ndim, "insert")
    length = x.shape[place]
    with naming("insert"):
        numpy.insert(numpy.arange(length), places, 0)  # refuses places outside
    if isinstance(values, ndarray):
        added = convert(as_array(values), x.dtype)
    elif isinstance(values, (numpy.ndarray, numpy.generic)):
        added = convert(beside(x, as_array(values)), x.dtype)
    else:
        added = beside(x, as_array(values, x.dtype))
    if isinstance(places, numpy.ndarray) and places.dtype.kind == "b":
        places = numpy.flatnonzero(places)  # older versions of NumPy take a mask for integers here
    with naming("insert"):
        count, scalar = _how_many(places, length)
        if count == 1:
            if added.ndim < x.ndim:
                added = reshape(added, (1,) * (x.ndim - added.ndim) + added.shape)
            if scalar:  # one place takes as many values as there are along their first axis
                added = moveaxis(added, 0, place)
            count = added.shape[place]
        order = numpy.insert(numpy.arange(length), places, numpy.arange(length, length + count))
    try:
        added = broadcast_to(added, (*x.shape[:place], count, *x.shape[place + 1 :]))
    except ShapeError as cause:
        message = f"insert: values of shape {added.shape} do not fit {count} places along axis {place} of {x.shape}"
        raise ShapeError(located(message, here())) from cause
    return apply(ops.take, apply(ops.concat, x, added, axis=place), beside(x, order), axis=place)


def _how_many(places: Any, length: int) -> tuple[int, bool]:
    """How many places are named, and whether by one integer alone."""
    if isinstance(places, slice):
        return len(range(*places.indices(length))), False
    found = numpy.asarray(places)
    if found.dtype == bool:
        return int(found.sum()), False
    return found.size, found.ndim == 0
