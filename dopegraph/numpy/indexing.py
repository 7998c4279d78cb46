"""``x[key]``, ``x[key] = v`` and ``numpy.add.at`` with every kind of key, and `take`."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import computed, ndarray
from dopegraph.dispatch import apply, linked, view
from dopegraph.ir.primitive import Primitive
from dopegraph.numpy.advanced_index import gather, items_of, positions_in
from dopegraph.numpy.assign import (
    assign,
    finish_reduced,
    fitting,
    host_key,
    on_host,
    recording_of,
    write_part,
    written,
)
from dopegraph.numpy.basic_index import basic_steps, is_element
from dopegraph.numpy.limits import clip
from dopegraph.numpy.placement import placed
from dopegraph.numpy.promotion import BOOL, INT64, as_array, as_operand, beside, convert, same_kind, scalar
from dopegraph.numpy.shape import axis_of, ravel, reshape
from dopegraph.runtime.device import HOST
from dopegraph.runtime.direct import direct
from dopegraph.runtime.errors import DTypeError, IndexingError, ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording, outside_recordings
from dopegraph.trace.views import AtPosition

__all__ = ["take"]


def get_item(self: ndarray, key: Any, /) -> ndarray:
    """``self[key]``: a view for basic indices, a copy for single elements, arrays of integers and masks."""
    if not direct.held:
        found = _found(self, key)
        if found is not None:
            return found
    steps = basic_steps(key, self.shape)
    if steps is None:
        return _advanced(self, key)
    recording = active_recording()
    if recording is None:
        buffer = self._settled()
        if buffer.device.is_host:
            found = buffer.array[host_key(key)]
            return computed(found) if isinstance(found, numpy.generic) else linked(found, buffer.array, self, steps)
    part = view(self, steps)
    if recording is not None and any([isinstance(op, AtPosition) for op, _ in steps]):
        recording.value_of(part)  # a position outside is an error here, not when the view is used
    return apply(ops.identity, part) if part.ndim == 0 and is_element(key) else part


def _found(x: ndarray, key: Any) -> ndarray | None:
    """What NumPy finds at once; None when the array is elsewhere, or NumPy refuses the key."""
    buffer = x._buffer
    if buffer is None or buffer.device is not HOST:
        return None
    try:
        found = buffer._array[key if type(key) is int else host_key(key)]
    except IndexError:
        return None
    if isinstance(found, numpy.generic):
        return computed(found)
    steps = basic_steps(key, buffer.shape)
    return computed(found) if steps is None else linked(found, buffer._array, x, steps)


def _advanced(x: ndarray, key: Any) -> ndarray:
    """A copy of the elements that arrays of integers or masks name: by NumPy, or as primitives."""
    recorded = active_recording() is not None or not x.device.is_host
    try:
        return gather(x, items_of(key, x)) if recorded else computed(x._settled().array[host_key(key)])
    except IndexingError:
        raise
    except IndexError as cause:
        error = _refused(x, key) if recorded else cause
        raise IndexingError(located(f"index of shape {x.shape}: {error}", here())) from cause


def _refused(x: ndarray, key: Any) -> Any:
    """What NumPy says of a key that a primitive refused."""
    try:
        with outside_recordings():
            return x._settled().array[host_key(key)]
    except IndexError as error:
        return error


def set_item(self: ndarray, key: Any, value: Any, /) -> None:
    """``self[key] = value``."""
    if active_recording() is None and self.device.is_host:
        self._write(host_key(key), on_host(value, "assignment") if isinstance(value, ndarray) else value)
        return
    listed = isinstance(value, (list, tuple))
    value = written(value, self)
    with recording_of(self) as recording:
        steps = basic_steps(key, self.shape)
        if steps is not None:
            write_part(self, key, value, steps, recording, listed)
        else:
            _set_advanced(self, key, value)


@placed
def _set_advanced(target: ndarray, key: Any, source: Any) -> None:
    """A mask with one value is a choice between old and new; all else is scattered to positions."""
    value = as_operand(source)
    mask = as_array(key) if isinstance(key, (ndarray, numpy.ndarray, list)) and numpy.size(key) else None
    single = not isinstance(value, ndarray) or value.ndim == 0
    if mask is not None and mask.dtype == BOOL and mask.ndim == target.ndim and getattr(value, "ndim", 0) > 1:
        raise DTypeError(located(f"assignment: values of {value.ndim} axes are not one for each true element", here()))
    if mask is not None and mask.dtype == BOOL and mask.shape == target.shape[: mask.ndim] and single:
        mask = mask.reshape(mask.shape + (1,) * (target.ndim - mask.ndim))
        assign(target, apply(ops.select, mask, _cast(value, target), target))
        return
    positions, axis = positions_in(target, key)
    _scatter(ops.scatter, target, positions, axis, _cast(value, target), "assignment")


def _cast(value: Any, target: ndarray) -> ndarray:
    return convert(value, target.dtype) if isinstance(value, ndarray) else scalar(value, target.dtype)


def _scatter(op: Primitive, target: ndarray, positions: ndarray, axis: int | None, value: ndarray, what: str) -> None:
    if axis is None:
        flat = apply(op, ravel(target), ravel(positions), ravel(fitting(value, positions.shape, what)), axis=0)
        assign(target, reshape(flat, target.shape))
        return
    shape = target.shape[:axis] + positions.shape + target.shape[axis + 1 :]
    assign(target, apply(op, target, positions, fitting(value, shape, what), axis=axis))


@placed
def add_at(target: ndarray, key: Any, source: Any) -> None:
    """``numpy.add.at``: add in place, again for each time an element is named."""
    value = as_operand(source)
    if isinstance(value, (float, complex)) and target.dtype.kind in "iub":
        value = as_array(value)  # refused as an array is: NumPy casts it to the dtype before it adds, or after
    if isinstance(value, ndarray):
        value = same_kind(value, target.dtype, "add.at")
    if active_recording() is None and target.device.is_host:
        memory = target._settled().array
        target._about_to_change()
        try:
            given = on_host(value, "add.at") if isinstance(value, ndarray) else value
            numpy.add.at(memory, host_key(key), given)
        except (IndexError, ValueError) as cause:
            kind = IndexingError if isinstance(cause, IndexError) else ShapeError
            raise kind(located(f"add.at: {cause}", here())) from cause
        return
    with recording_of(target):
        numbers = apply(ops.iota, size=target.size, dtype=INT64).reshape(target.shape)
        steps = basic_steps(key, target.shape)
        positions, axis = (numbers[key], None) if steps is not None else positions_in(target, key)
        _scatter(ops.scatter_add, target, positions, axis, _cast(value, target), "add.at")


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
    x = as_array(a)
    positions = as_array(indices) if isinstance(indices, ndarray) else beside(x, as_array(indices))
    if isinstance(indices, (list, tuple)) and not positions.size:  # of no dtype
        positions = convert(positions, numpy.dtype("int64"))
    if positions.dtype == BOOL:
        positions = convert(positions, numpy.dtype("int64"))
    if axis is None:
        x, axis = ravel(x), 0
    elif not x.ndim:
        x = reshape(x, (1,))
    place = axis_of(axis, x.ndim, "take")
    if mode == "clip":
        positions = clip(positions, 0, x.shape[place] - 1)
    elif mode == "wrap":
        positions = positions % x.shape[place]
    elif mode != "raise":
        raise ValueError(located(f"take: mode must be 'raise', 'clip' or 'wrap', not {mode!r}", here()))
    return finish_reduced(apply(ops.take, x, positions, axis=place), out, "take")
