"""Reading elements: ``x[key]`` with basic and array indices, and `take`."""

from __future__ import annotations

import operator
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import apply, linked, ndarray, view
from dopegraph.numpy.assign import _host_key as host_key
from dopegraph.numpy.basic_index import basic_steps
from dopegraph.numpy.promotion import BOOL, as_array, convert, new
from dopegraph.numpy.shape import axis_of, ravel
from dopegraph.runtime.errors import GradientError, IndexingError
from dopegraph.runtime.location import here, located
from dopegraph.trace.recording import active_recording

__all__ = ["compress", "nonzero", "take"]


def get_item(x: ndarray, key: Any) -> ndarray:
    """``x[key]``: a view for basic indices, a copy for arrays of integers or a mask."""
    recording = active_recording()
    if recording is None and x._settled().device.is_host:
        array = x._settled().array
        try:
            found = array[host_key(key)]
        except IndexError as cause:
            raise IndexingError(located(f"index {key!r} of shape {x.shape}: {cause}", here())) from None
        steps = basic_steps(key, x.shape) if numpy.may_share_memory(found, array) else None
        return linked(numpy.asarray(found), x, steps) if steps is not None else new(numpy.array(found))
    steps = basic_steps(key, x.shape)
    if steps is not None:
        return view(x, steps)
    return _advanced(x, key)


def _advanced(x: ndarray, key: Any) -> ndarray:
    """Recorded: one array of integers among full slices is `take`. Everything else is looked up by NumPy."""
    items = list(key) if isinstance(key, tuple) else [key]
    arrays = [item for item in items if isinstance(item, (ndarray, numpy.ndarray, list))]
    if len(arrays) == 1 and Ellipsis not in [item for item in items if not hasattr(item, "shape")]:
        place = next(position for position, item in enumerate(items) if item is arrays[0])
        indices = as_array(arrays[0])
        full = all(isinstance(item, slice) and item == slice(None) for item in items if item is not arrays[0])
        if full and indices.dtype.kind in "iu":
            return take(x, indices, axis=place)
    recording = active_recording()
    if recording is not None:
        if recording.differentiating:
            raise GradientError(
                located("this kind of index has no derivative yet; use take, where or a product with one_hot", here())
            )
        recording.escape("host-call", "an index of several arrays, or a mask, is looked up by NumPy")
    return new(numpy.array(x._settled().array[host_key(key)]))


def take(a: Any, indices: Any, axis: int | None = None, out: ndarray | None = None, mode: str = "raise") -> ndarray:
    """Elements at integer positions along an axis (of the flattened array by default).

    Parameters
    ----------
    a : array_like
    indices : array_like of int
        Negative ones count from the end.
    axis : int, optional
    mode : {"raise", "clip", "wrap"}
        What happens to positions outside.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.take(np.array([10., 20., 30.]), [2, 0])
    array([30., 10.], dtype=float32)
    """
    from dopegraph.numpy.assign import finish
    from dopegraph.numpy.elementwise import clip

    x, positions = as_array(a), as_array(indices)
    if positions.dtype == BOOL:
        positions = convert(positions, numpy.dtype("int64"))
    if axis is None:
        x, axis = ravel(x), 0
    place = axis_of(axis, x.ndim, "take")
    if mode == "clip":
        positions = clip(positions, 0, x.shape[place] - 1)
    elif mode == "wrap":
        positions = positions % x.shape[place]
    elif mode != "raise":
        raise ValueError(located(f"take: mode must be 'raise', 'clip' or 'wrap', not {mode!r}", here()))
    return finish(apply(ops.take, x, positions, axis=place), out)


def nonzero(a: Any) -> tuple[ndarray, ...]:
    """Positions of the elements that are not zero, one array for each axis (on the host)."""
    return tuple(new(part) for part in numpy.nonzero(as_array(a)._look("host-call", "nonzero")))


def compress(condition: Any, a: Any, axis: int | None = None) -> ndarray:
    """Slices along an axis where a condition holds (on the host)."""
    x = as_array(a)
    mask = numpy.asarray(as_array(condition)._look("host-call", "compress"))
    positions = numpy.nonzero(mask)[0]
    return take(x, positions, None if axis is None else operator.index(axis))
