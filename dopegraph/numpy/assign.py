"""Writing into arrays: ``x[key] = v``, ``x += y`` and ``out=``, at once or, in a recording, as a new value."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.basic_index import basic_steps, is_element
from dopegraph.numpy.promotion import as_array, as_operand, convert, same_kind, scalar
from dopegraph.ops import broadcast_to, select
from dopegraph.runtime.errors import DTypeError, GradientError, ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.recording import Recording, active_recording
from dopegraph.trace.views import write_back


def assign(target: ndarray, source: Any, what: str = "assignment") -> ndarray:
    """Replace the whole contents of an array; the source is broadcast and cast (same kind)."""
    operand = as_operand(source)
    value = operand if isinstance(operand, ndarray) else scalar(operand, target.dtype)
    value = same_kind(value, target.dtype, what)
    recording = active_recording()
    if value.shape != target.shape:
        value = _fitting(value, target.shape, what)
    if recording is None and not target.device.is_host:
        with Recording("assign") as recording:
            target._assign(recording.value_of(value), recording)
            recording.finish()
    elif recording is None:
        target._write(..., value._settled().array)
    else:
        target._assign(recording.value_of(value), recording)
    return target


def _fitting(value: ndarray, shape: tuple[int, ...], what: str) -> ndarray:
    try:
        extra = value.ndim - len(shape)
        if extra > 0 and value.shape[:extra] == (1,) * extra:  # NumPy lets leading axes of length 1 go
            value = value.reshape(value.shape[extra:])
        return apply(broadcast_to, value, shape=shape)
    except ValueError as cause:
        message = f"{what}: values of shape {value.shape} do not fit into an array of shape {shape}"
        raise ShapeError(located(message, here())) from cause


def set_item(target: ndarray, key: Any, source: Any) -> None:
    """``target[key] = source``."""
    recording = active_recording()
    if recording is None and not target.device.is_host:
        with Recording("set_item") as recording:
            set_item(target, key, source)
            recording.finish()
        return
    if recording is None:
        source = source._settled().array if isinstance(source, ndarray) else source
        target._write(host_key(key), source)
        return
    steps = basic_steps(key, target.shape)
    if steps is None:
        _set_advanced(target, key, source)
        return
    current = recording.value_of(target)
    type = current.type
    for op, attrs in steps:
        type = op.result_types([type], attrs)[0]
    operand = as_operand(source)
    value = convert(operand, target.dtype) if isinstance(operand, ndarray) else scalar(operand, target.dtype)
    if value.ndim and is_element(key) and not type.shape:
        raise ShapeError(located(f"assignment: an array of shape {value.shape} is not one element", here()))
    if value.shape != type.shape:
        value = _fitting(value, type.shape, "assignment")
    target._assign(write_back(recording, current, recording.value_of(value), steps), recording)


def _set_advanced(target: ndarray, key: Any, source: Any) -> None:
    """A mask is a choice between old and new; integer arrays are written at once, on the host."""
    recording = active_recording()
    assert recording is not None
    mask = as_array(key) if isinstance(key, (ndarray, numpy.ndarray, list)) else None
    value = as_operand(source)
    whole = not isinstance(value, ndarray) or value.ndim == 0
    if mask is not None and mask.dtype == bool and mask.shape == target.shape[: mask.ndim] and whole:
        mask = mask.reshape(mask.shape + (1,) * (target.ndim - mask.ndim))
        filled = convert(value, target.dtype) if isinstance(value, ndarray) else scalar(value, target.dtype)
        assign(target, apply(select, mask, filled, target))
        return
    if recording.differentiating:
        raise GradientError(
            located("assignment through integer arrays or masks of arrays has no derivative here; use np.where", here())
        )
    recording.escape("host-write", "assignment through an integer array or a mask is done by NumPy")
    target._write(host_key(key), source._settled().array if isinstance(source, ndarray) else source)


def host_key(key: Any) -> Any:
    """The same index with NumPy arrays in place of ours."""
    if isinstance(key, tuple):
        return tuple(host_key(item) for item in key)
    return key._settled().array if isinstance(key, ndarray) else key


def in_place(target: ndarray, result: ndarray, symbol: str) -> ndarray:
    """The end of ``target += ...``."""
    if result.shape != target.shape:
        raise ShapeError(
            located(f"{symbol}: a result of shape {result.shape} does not fit into an array of {target.shape}", here())
        )
    return assign(target, result, symbol)


def finish(result: ndarray, out: ndarray | tuple[ndarray] | None, where: Any = True) -> ndarray:
    """What a function returns: the result, or `out` with the result in it."""
    if out is None and where is True:
        return result
    if isinstance(out, tuple):
        (out,) = out
    if out is not None:
        if not isinstance(out, ndarray):
            raise DTypeError(located(f"out must be a dopegraph.ndarray, not {type(out).__name__}", here()))
        result = same_kind(result, out.dtype, "out")
    if where is not True:
        mask = as_array(where, numpy.dtype("bool"))
        result = apply(select, mask, result, scalar(0, result.dtype) if out is None else out)
    return result if out is None else in_place(out, result, "out")
