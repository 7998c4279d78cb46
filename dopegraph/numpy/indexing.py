"""Reading elements: ``x[key]`` with basic and array indices, and `take`."""

from __future__ import annotations

import math
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray, owned
from dopegraph.dispatch import apply, linked, view
from dopegraph.numpy.assign import finish, host_key
from dopegraph.numpy.basic_index import basic_steps, is_element
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.logic import clip, where
from dopegraph.numpy.promotion import BOOL, INT64, as_array, convert, new
from dopegraph.numpy.shape import axis_of, moveaxis, ravel, reshape, transpose
from dopegraph.ops.typing import broadcast_shapes
from dopegraph.runtime.errors import GradientError, IndexingError, ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.recording import active_recording

__all__ = ["take"]


def get_item(x: ndarray, key: Any) -> ndarray:
    """``x[key]``: a view for basic indices, a copy for single elements, arrays of integers and masks."""
    steps = basic_steps(key, x.shape)
    if steps is None:
        return _advanced(x, key)
    recording = active_recording()
    if recording is None:
        buffer = x._settled()
        if buffer.device.is_host:
            found = buffer.array[host_key(key)]
            return owned(found) if isinstance(found, numpy.generic) else linked(found, x, steps)
    part = view(x, steps)
    return apply(ops.identity, part) if part.ndim == 0 and is_element(key) else part


def _advanced(x: ndarray, key: Any) -> ndarray:
    """A copy of the elements that arrays of integers name; what a mask names is found by NumPy."""
    key = key if isinstance(key, tuple) else (key,)
    items = _one_for_each_axis(x, key) if active_recording() is not None else None
    if items is None:
        return _by_numpy(x, key)
    # The basic part first; what is left are full slices and, at some axes, integers or arrays of them.
    x = get_item(x, tuple([item if item is None or isinstance(item, slice) else slice(None) for item in items]))
    places = [place for place, item in enumerate(items) if not (item is None or isinstance(item, slice))]
    indices = [as_array(items[place]) for place in places]
    if len(indices) == 1:
        return take(x, indices[0], axis=places[0])
    gathered = _gather(x, places, indices)
    if _apart(key):
        return gathered
    depth = gathered.ndim - x.ndim + len(places)
    return moveaxis(gathered, tuple(range(depth)), tuple(range(places[0], places[0] + depth)))


def _apart(key: tuple[Any, ...]) -> bool:
    """Whether a slice, None or ``...`` stands between the integers: their axes are the first of the result then."""
    chosen = [not (item is None or item is Ellipsis or isinstance(item, slice)) for item in key]
    first, last = chosen.index(True), len(chosen) - chosen[::-1].index(True)
    return not all(chosen[first:last])


def _one_for_each_axis(x: ndarray, key: tuple[Any, ...]) -> list[Any] | None:
    """None, a slice, an integer or integers for each axis of the result; None for masks and what NumPy refuses."""
    items: list[Any] = []
    for item in key:
        if isinstance(item, (list, tuple, range)):
            item = as_array(item) if len(item) else new(numpy.zeros(0, INT64))
        if isinstance(item, bool) or getattr(item, "dtype", INT64).kind not in "iu":
            return None
        items.append(item)
    missing = x.ndim - sum(item is not None and item is not Ellipsis for item in items)
    dots = [place for place, item in enumerate(items) if item is Ellipsis]
    if missing < 0 or len(dots) > 1:
        return None
    place = dots[0] if dots else len(items)
    items = [*items[:place], *[slice(None)] * missing, *items[place + 1 :]]
    lengths = iter(x.shape)
    for item in items:
        length = next(lengths) if item is not None else 0
        if isinstance(item, int) and not -length <= item < length:
            return None
    return items


def _by_numpy(x: ndarray, key: Any) -> ndarray:
    recording = active_recording()
    if recording is not None:
        if recording.differentiating:
            message = "a mask as an index has no derivative, as its result has no fixed shape; use np.where"
            raise GradientError(located(message, here()))
        recording.escape("host-call", "an index with a mask is looked up by NumPy")
    try:
        return new(numpy.array(x._settled().array[host_key(key)]))
    except IndexError as cause:
        raise IndexingError(located(f"index of shape {x.shape}: {cause}", here())) from cause


def _gather(x: ndarray, places: list[int], indices: list[ndarray]) -> ndarray:
    """The elements at positions along several axes, which come first in the result, the other axes after them."""
    try:
        broadcast_shapes(*(positions.shape for positions in indices))
    except ShapeError as cause:
        raise IndexingError(located(f"index: {cause}", here())) from None
    lengths = [x.shape[place] for place in places]
    rest = [axis for axis in range(x.ndim) if axis not in places]
    rows = reshape(transpose(x, places + rest), (math.prod(lengths), *(x.shape[axis] for axis in rest)))
    flat: Any = 0
    inside: Any = True
    for positions, length in zip(indices, lengths):
        positions = convert(positions, INT64)
        inside = call("logical_and", (inside, call("logical_and", (positions >= -length, positions < length))))
        flat = flat * length + where(positions < 0, positions + length, positions)
    # A position outside its axis must not become one inside another row.
    return take(rows, where(inside, flat, math.prod(lengths)), axis=0)


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
