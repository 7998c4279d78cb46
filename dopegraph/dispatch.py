"""Applying primitives to arrays: recorded when something records, otherwise run at once; errors name the user's line.

The front end is written on `apply` and `view`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import numpy

from dopegraph.array import computed, ndarray, traced
from dopegraph.ir.primitive import Primitive
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.config import current_policy
from dopegraph.runtime.device import HOST, current_device
from dopegraph.runtime.direct import direct
from dopegraph.runtime.errors import DopegraphError
from dopegraph.runtime.location import here, located
from dopegraph.runtime.statistics import count, recorders
from dopegraph.trace.active import active, active_recording
from dopegraph.trace.tape import Moment
from dopegraph.trace.views import AtPosition, Steps, run_alone, run_kernels

# Steps with None where a position is to be filled in.
Pattern = Sequence[tuple[Optional[Primitive], dict[str, Any]]]

_NONE: dict[str, Any] = {}

# What kernels refuse values with; LinAlgError is a ValueError only since NumPy 1.25.
_REFUSALS = (DopegraphError, ValueError, TypeError, IndexError, numpy.linalg.LinAlgError)


def apply(op: Primitive, *operands: ndarray, **attrs: Any) -> Any:
    """Apply a primitive: record it when recording, otherwise run it at once; a tuple when it has several results."""
    if op.view:
        return view(operands[0], ((op, attrs),))
    try:
        if operands and not direct.held and op.name not in _ON_MXNET:
            arrays = _in_memory(operands)
            if arrays is not None:
                return _handles(op.kernel(*arrays, **attrs))
        recording = active_recording()
        if recording is not None:
            # What was just computed here is known without asking; who keeps a gradient is noted by being asked.
            values = [
                operand._value
                if operand._recording is recording and operand._base is None and operand._gradient is None
                else recording.value_of(operand)
                for operand in operands
            ]
            value = (recording.emit if op.raises else recording.builder.emit)(op, values, attrs)
            if type(value) is tuple:
                return tuple([traced(one, recording) for one in value])
            return traced(value, recording)
        buffers = [operand._settled() for operand in operands]
        if all([buffer.device.is_host for buffer in buffers]) and not _better_on_mxnet(op):
            if recorders:
                count("numpy", (op.name,))
            made = _handles(op.kernel(*[buffer.array for buffer in buffers], **attrs))
            if buffers or current_device().is_host:
                return made
            return made.to(current_device())  # made of attributes alone, where new arrays are put
        buffer = run_alone(((op, attrs),), *operands)
        return tuple(map(ndarray, buffer)) if isinstance(buffer, list) else ndarray(buffer)
    except _REFUSALS as cause:
        raise explained(op, operands, attrs, cause) from cause


def recorded(op: Primitive, *operands: ndarray) -> ndarray | None:
    """`apply` of a primitive without attributes, that makes one array and refuses none, while something records.

    None when nothing does.
    """
    recording = active.recording
    if recording is None:
        return None
    try:
        values = []
        for operand in operands:
            if operand._recording is recording and operand._base is None and operand._gradient is None:
                values.append(operand._value)
            else:
                values.append(recording.value_of(operand))
        return traced(recording.builder.emit(op, values, _NONE), recording)
    except _REFUSALS as cause:
        raise explained(op, operands, {}, cause) from cause


def _in_memory(operands: Sequence[ndarray]) -> list[numpy.ndarray] | None:
    """The memory of operands, if all have some of NumPy's; only while nothing records."""
    arrays = []
    for operand in operands:
        buffer = operand._buffer
        if buffer is None or buffer.device is not HOST:
            return None
        arrays.append(buffer._array)
    return arrays


def _handles(result: Any) -> Any:
    """What a kernel gave, in C order as traced code has it: what `reshape` may view must not hang on who computed."""
    return tuple([computed(one) for one in result]) if isinstance(result, tuple) else computed(result)


def view(operand: ndarray, steps: Steps) -> ndarray:
    """A view of an array, by primitives that NumPy, too, does without a copy."""
    try:
        buffer = operand._buffer
        if not direct.held and buffer is not None and buffer.device is HOST:
            return linked(run_kernels(buffer._array, steps), buffer._array, operand, steps)
        recording = active_recording()
        if recording is not None:
            part = _lazy(operand, steps, recording.tape.now())
            if recording.tape.depth:
                recording.value_of(part)  # on the tape, also if it is used elsewhere only
            return part
        source = operand._settled()
        if not source.device.is_host:
            return _lazy(operand, steps)
        if recorders:
            count("numpy", [op.name for op, _ in steps])
        return linked(run_kernels(source.array, steps), source.array, operand, steps)
    except _REFUSALS as cause:
        raise explained(steps[-1][0], [operand], steps[-1][1], cause) from cause


def view_at(operand: ndarray, pattern: Pattern, positions: Sequence[Any]) -> ndarray:
    """A view at computed positions: buffers, one for every step without a primitive."""
    remaining = iter(positions)
    return view(operand, tuple([(op or AtPosition(ndarray(next(remaining))), attrs) for op, attrs in pattern]))


def _lazy(operand: ndarray, steps: Steps, made: Moment | None = None) -> ndarray:
    """A view without memory of its own: it looks at its base whenever it is needed."""
    result = ndarray(None)
    result._look_at(operand, steps, made)
    result._type  # noqa: B018 - checks the steps
    return result


def linked(array: numpy.ndarray, memory: numpy.ndarray, operand: ndarray, steps: Steps) -> ndarray:
    """A handle of a NumPy array that may be a view of an operand's memory."""
    result = ndarray(Buffer(array))
    base = array.base
    if base is memory or (base is not None and base is memory.base) or numpy.may_share_memory(array, memory):
        result._foreign = operand._foreign
        result._shared = operand._shared = True
        result._look_at(operand, steps)
    return result


_ON_MXNET = frozenset(
    ["conv", "conv_grad_data", "conv_grad_weight", "max_pool", "max_pool_grad", "avg_pool", "avg_pool_grad"]
)


def _better_on_mxnet(op: Primitive) -> bool:
    """Whether MXNet's tuned operator is worth a call of its own; under ``only_mxnet`` nothing else is allowed."""
    if current_policy() == "only_mxnet":
        return True
    if op.name not in _ON_MXNET or current_policy() == "only_numpy":
        return False
    from dopegraph.backends.mxnet import library

    return library.available()


def explained(op: Primitive, operands: Sequence[ndarray], attrs: dict[str, Any], cause: Exception) -> Exception:
    """The error of an operation, with its name, operand types and the user's line."""
    message, kind = str(cause), type(cause)
    if not isinstance(cause, DopegraphError):
        try:
            op.result_types([operand._type for operand in operands], {**op.defaults, **attrs})
        except (DopegraphError, ValueError, TypeError) as typed:
            message, kind = str(typed), type(typed)
    if "\n  at " in message:
        return cause
    types = ", ".join(str(operand._type) for operand in operands)
    return kind(located(f"{op.name}({types}): {message}", here()))
