"""Views as steps: the primitives that lead from an array to a view of it, and back when the view is written to.

Used by `dopegraph.array`, whose handles are duck-typed here.
"""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.ir.graph import Value
from dopegraph.ir.primitive import Primitive, primitives
from dopegraph.runtime.location import here, located
from dopegraph.trace.recording import Recording

# What a view is of its base: primitives with their attributes, one after the other.
Steps = tuple[tuple[Primitive, dict[str, Any]], ...]


def run_kernels(array: numpy.ndarray, steps: Steps) -> numpy.ndarray:
    """The view of a NumPy array."""
    for op, attrs in steps:
        array = op.kernel(array, **attrs)
    return numpy.asarray(array)


def emit_steps(recording: Recording, value: Value, steps: Steps) -> Value:
    """The view of a value."""
    for op, attrs in steps:
        value = recording.emit(op, [value], attrs)
    return value


def run_alone(steps: Steps, *operands: Any) -> Any:
    """Run a few primitives, the first on `operands`, as a graph of their own on the operands' device.

    The buffer of the result, or a list of buffers when the last primitive has several results.
    """
    recording = Recording(steps[-1][0].name)
    (first, attrs), rest = steps[0], steps[1:]
    value = recording.emit(first, [recording.lift(operand) for operand in operands], attrs)
    result = emit_steps(recording, value, rest)
    return recording.evaluate(result) if isinstance(result, tuple) else recording.evaluate([result])[0]


def write_back(recording: Recording, base: Value, part: Value, steps: Steps) -> Value:
    """The base's new value after `part` was written through a view of it."""
    before = [base]
    for op, attrs in steps[:-1]:
        before.append(recording.emit(op, [before[-1]], attrs))
    for (op, attrs), source in zip(reversed(steps), reversed(before)):
        part = _undo(recording, op, attrs, source, part)
    return part


def _undo(recording: Recording, op: Primitive, attrs: dict[str, Any], source: Value, part: Value) -> Value:
    """The new value of `source` when the result of applying `op` to it becomes `part`."""
    if op.name == "strided_slice":
        if part.type == source.type:
            return part
        return recording.emit(primitives["slice_update"], [source, part], attrs)
    if op.name == "reshape":
        return recording.emit(op, [part], {"shape": source.shape})
    if op.name == "transpose":
        inverse = tuple(sorted(range(len(attrs["axes"])), key=attrs["axes"].__getitem__))
        return recording.emit(op, [part], {"axes": inverse})
    if op.name == "flip":
        return recording.emit(op, [part], attrs)
    raise ValueError(located("assignment destination is read-only", here()))
