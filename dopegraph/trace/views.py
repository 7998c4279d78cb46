"""Views as steps: the primitives that lead from an array to a view of it, and back when the view is written to.

Used by `dopegraph.array`, whose handles are duck-typed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Union

import numpy

from dopegraph.ir.graph import Value
from dopegraph.ir.path import attributes_key
from dopegraph.ir.primitive import Primitive, primitives
from dopegraph.ir.types import TensorType
from dopegraph.runtime.location import here, located
from dopegraph.trace.recording import Recording


class AtPosition:
    """`take` at a position that is only known when it runs: ``x[i]`` for a traced integer `i`.

    Attributes
    ----------
    position : handle of a 0-d array of integers
        Nobody else's, so that it stays what it was.
    """

    name = "take"
    defaults: ClassVar[dict[str, Any]] = {}

    def __init__(self, position: Any) -> None:
        self.position = position

    def result_types(self, types: Sequence[TensorType], attrs: dict[str, Any]) -> tuple[TensorType, ...]:
        return primitives["take"].result_types([*types, self.position._type], attrs)

    def kernel(self, array: numpy.ndarray, *, axis: int) -> Any:
        return array[(slice(None),) * axis + (int(self.position._settled().array),)]


# What a view is of its base: primitives with their attributes, one after the other.
Steps = tuple[tuple[Union[Primitive, AtPosition], dict[str, Any]], ...]


def _emit(recording: Recording, op: Primitive | AtPosition, value: Value, attrs: dict[str, Any]) -> Value:
    if isinstance(op, AtPosition):
        return recording.emit(primitives["take"], [value, recording.value_of(op.position)], attrs)
    return recording.emit(op, [value], attrs)


# What the type rules of views said: (type, primitive, attributes) -> type.
_view_types: dict[Any, TensorType] = {}
_MOST_TYPES = 10_000


def type_of_view(type: TensorType, steps: Steps) -> TensorType:
    """The type of a view of an array of a type."""
    for op, attrs in steps:
        if isinstance(op, AtPosition):
            type = op.result_types([type], attrs)[0]
            continue
        key = type, op, attributes_key(attrs)
        found = _view_types.get(key)
        if found is None:
            if len(_view_types) >= _MOST_TYPES:
                _view_types.clear()
            found = _view_types[key] = op.result_types([type], attrs)[0]
        type = found
    return type


def run_kernels(array: numpy.ndarray, steps: Steps) -> numpy.ndarray:
    """The view of a NumPy array."""
    for op, attrs in steps:
        array = op.kernel(array, **attrs)
    return numpy.asarray(array)


def emit_steps(recording: Recording, value: Value, steps: Steps) -> Value:
    """The view of a value."""
    for op, attrs in steps:
        value = _emit(recording, op, value, attrs)
    return value


def run_alone(steps: Steps, *operands: Any) -> Any:
    """Run a few primitives, the first on `operands`, as a graph of their own on the operands' device.

    The buffer of the result, or a list of buffers when the last primitive has several results.
    """
    recording = Recording(steps[-1][0].name)
    (first, attrs), rest = steps[0], steps[1:]
    values = [recording.lift(operand) for operand in operands]
    value = _emit(recording, first, values[0], attrs) if len(values) == 1 else recording.emit(first, values, attrs)
    result = emit_steps(recording, value, rest)
    return recording.evaluate(result) if isinstance(result, tuple) else recording.evaluate([result])[0]


def write_back(recording: Recording, base: Value, part: Value, steps: Steps) -> Value:
    """The base's new value after `part` was written through a view of it."""
    before = [base]
    for op, attrs in steps[:-1]:
        before.append(_emit(recording, op, before[-1], attrs))
    for (op, attrs), source in zip(reversed(steps), reversed(before)):
        part = _undo(recording, op, attrs, source, part)
    return part


def _undo(recording: Recording, op: Primitive | AtPosition, attrs: dict[str, Any], source: Value, part: Value) -> Value:
    """The new value of `source` when the result of applying `op` to it becomes `part`."""
    if isinstance(op, AtPosition):
        return recording.emit(primitives["scatter"], [source, recording.value_of(op.position), part], attrs)
    if op.name == "strided_slice":
        if part.type == source.type:
            return part
        return recording.emit(primitives["slice_update"], [source, part], attrs)
    if op.name == "reshape":
        return recording.emit(op, [part], {"shape": source.shape})
    if op.name == "transpose":
        inverse = tuple(sorted(range(len(attrs["axes"])), key=attrs["axes"].__getitem__))
        return recording.emit(op, [part], {"axes": inverse})
    if op.name == "bitcast":
        return recording.emit(op, [part], {"dtype": source.type.dtype})
    if op.name == "flip":
        return recording.emit(op, [part], attrs)
    if op.name == "real":
        return recording.emit(primitives["complex"], [part, recording.emit(primitives["imag"], [source], {})], {})
    if op.name == "imag":
        return recording.emit(primitives["complex"], [recording.emit(primitives["real"], [source], {}), part], {})
    raise ValueError(located("assignment destination is read-only", here()))
