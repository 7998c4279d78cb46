"""Writing into arrays: ``x[key] = v``, ``x += y`` and ``out=``, at once or, in a recording, as a new value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy

from dopegraph.array import from_numpy, ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy import short_way
from dopegraph.numpy.basic_index import is_element
from dopegraph.numpy.promotion import as_array, as_operand, beside, convert, same_kind, scalar
from dopegraph.ops import broadcast_to, select
from dopegraph.runtime.device import others
from dopegraph.runtime.errors import DeviceError, DTypeError, ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording
from dopegraph.trace.recording import Recording
from dopegraph.trace.views import Steps, write_back


def assign(target: ndarray, source: Any, what: str = "assignment", casting: str = "same_kind") -> ndarray:
    """Replace the whole contents of an array; the source is broadcast and cast."""
    if short_way.alike(source, target):
        target._write(..., source._buffer._array)
        return target
    operand = written(source, target)
    value = operand if isinstance(operand, ndarray) else scalar(operand, target.dtype)
    value = same_kind(value, target.dtype, what, casting)
    if active_recording() is None and target.device.is_host:
        target._write(..., on_host(fitting(value, target.shape, what), what))
    else:
        with recording_of(target) as recording:
            target._assign(recording.value_of(fitting(value, target.shape, what)), recording)
    return target


def written(source: Any, target: ndarray) -> Any:
    """What is written, as an operand; to another device the user's lists and NumPy arrays are brought there.

    A number becomes an array when nothing records: as a part of the graph every other number would need another one.
    """
    if source is None:  # NaN for floats, as in NumPy
        source = numpy.asarray(None, target.dtype)
    operand = as_operand(source)
    if not others.known:
        return operand
    if not isinstance(operand, ndarray):
        known = active_recording() is not None or target.device.is_host
        return operand if known else scalar(operand, target.dtype)
    return operand if operand is source else beside(target, operand)


def fitting(value: ndarray, shape: tuple[int, ...], what: str) -> ndarray:
    """A value broadcast to the shape of what it is written to."""
    if value.shape == shape:
        return value
    try:
        extra = value.ndim - len(shape)
        if extra > 0 and value.shape[:extra] == (1,) * extra:  # NumPy lets leading axes of length 1 go
            value = value.reshape(value.shape[extra:])
        return apply(broadcast_to, value, shape=shape)
    except ValueError as cause:
        message = f"{what}: values of shape {value.shape} do not fit into an array of shape {shape}"
        raise ShapeError(located(message, here())) from cause


@contextmanager
def recording_of(target: ndarray) -> Iterator[Recording]:
    """What records now; without that a recording for this write alone, as arrays on other devices need."""
    recording = active_recording()
    if recording is not None:
        yield recording
        return
    with Recording("write") as recording:
        yield recording
        recording.finish()


def write_part(
    target: ndarray, key: Any, source: Any, steps: Steps, recording: Recording, listed: bool = False
) -> None:
    """``target[key] = source`` with a basic key, whose steps lead to a view; `listed`: it was a list or a tuple."""
    current = recording.value_of(target)
    type = current.type
    for op, attrs in steps:
        type = op.result_types([type], attrs)[0]
    operand = as_operand(source)
    value = convert(operand, target.dtype) if isinstance(operand, ndarray) else scalar(operand, target.dtype)
    if value.ndim and is_element(key) and not type.shape:
        raise ShapeError(located(f"assignment: an array of shape {value.shape} is not one element", here()))
    if listed and value.ndim > type.ndim:  # NumPy broadcasts arrays of more axes, but takes no deeper lists
        raise ShapeError(located(f"assignment: lists of shape {value.shape} are too deep for {type}", here()))
    if value.shape != type.shape:
        value = fitting(value, type.shape, "assignment")
    target._assign(write_back(recording, current, recording.value_of(value), steps), recording)


def on_host(x: ndarray, what: str) -> numpy.ndarray:
    """The memory of an array that is used with one of the host; others must not be copied unasked."""
    buffer = x._settled()
    if not buffer.device.is_host:
        message = f"{what}: arrays are on cpu(0) and {buffer.device}; move one with x.to(device)"
        raise DeviceError(located(message, here()))
    return buffer.array


def host_key(key: Any) -> Any:
    """The same index with NumPy arrays in place of ours; integers of ours are integers, so that they give views."""
    if isinstance(key, tuple):
        return tuple(host_key(item) for item in key)
    if not isinstance(key, ndarray):
        return key
    if not key.ndim and key.dtype.kind in "iu":
        return key._settled().array[()]
    return on_host(key, "index")


def in_place(target: ndarray, result: ndarray, symbol: str) -> ndarray:
    """The end of ``target += ...``.

    An array without axes also stands for NumPy's scalars, which such an operator replaces by another one.
    """
    number = not target.ndim and target._base is None
    if number and (result.shape or not numpy.can_cast(result.dtype, target.dtype, "same_kind")):
        return result
    if result.shape != target.shape:
        same_kind(result, target.dtype, symbol)  # the refusal that NumPy comes to first
        raise ShapeError(
            located(f"{symbol}: a result of shape {result.shape} does not fit into an array of {target.shape}", here())
        )
    return assign(target, result, symbol)


def finish_reduced(result: ndarray, out: Any, name: str, casting: str = "unsafe") -> Any:
    """What a reduction returns: its `out` has the result's shape exactly, and any dtype."""
    if isinstance(out, tuple):
        (out,) = out
    if out is not None and getattr(out, "shape", result.shape) != result.shape:
        message = f"{name}: out has the shape {out.shape}, the result {result.shape}"
        raise ShapeError(located(message, here()))
    return finish(result, out, casting=casting)


def finish(result: ndarray, out: Any, where: Any = True, casting: str = "same_kind") -> Any:
    """What a function returns: the result, or `out` (which may be larger) with the result in it."""
    if isinstance(out, tuple):
        (out,) = out
    if out is None and where is True:
        return result
    if isinstance(out, numpy.ndarray):
        handle = from_numpy(out)
        finish(result, handle, where, casting)
        if active_recording() is not None:
            handle._look("host-write", "out= of NumPy's memory", settle=True)  # whoever has it sees the result now
        return out
    if out is not None:
        if not isinstance(out, ndarray):
            raise DTypeError(located(f"out must be an array, not a {type(out).__name__}", here()))
        result = same_kind(result, out.dtype, "out", casting)
        if len(result.shape) > len(out.shape):
            raise ShapeError(located(f"out: a result of shape {result.shape} does not fit into {out.shape}", here()))
    if where is not True:
        mask = as_array(where, numpy.dtype("bool"))
        result = apply(select, mask, result, scalar(0, result.dtype) if out is None else out)
    return result if out is None else assign(out, result, "out", casting)
