"""Functions of the user's own, written with NumPy: a node that calls one, with a derivative that calls another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from dopegraph.ir.builder import current_builder
from dopegraph.ir.graph import Value
from dopegraph.ir.primitive import primitive
from dopegraph.ir.types import TensorType
from dopegraph.runtime.errors import DTypeError, GradientError, ShapeError
from dopegraph.runtime.location import located

Run = Callable[[Sequence[numpy.ndarray]], Sequence[numpy.ndarray]]


@dataclass(frozen=True)
class Callback:
    """A function that nodes call.

    Attributes
    ----------
    name : str
        What messages and graphs call it.
    run : callable
        From a list of NumPy arrays, which it does not write to, to a list of NumPy arrays.
    gradient : str or None
        The callback that takes cotangents, results and operands and gives a cotangent for each floating operand.
    """

    name: str
    run: Run
    gradient: str | None = None


callbacks: dict[str, Callback] = {}
"""By name: graphs hold names, so that they can be compared and printed."""


def register(name: str, run: Run, gradient: str | None = None) -> str:
    """Make a function callable by nodes; the name it got, which is its own."""
    unique, count = name, 1
    while unique in callbacks:
        count += 1
        unique = f"{name}#{count}"
    callbacks[unique] = Callback(name, run, gradient)
    return unique


def check_results(name: str, results: Sequence[Any], types: Sequence[TensorType]) -> list[numpy.ndarray]:
    """What a callback gave, if it is what it has to give."""
    arrays = [numpy.asarray(result) for result in results]
    if len(arrays) != len(types):
        raise ShapeError(f"{name} gave {len(arrays)} arrays, not {len(types)}")
    for array, type in zip(arrays, types):
        if array.shape != type.shape:
            raise ShapeError(f"{name} gave an array of shape {array.shape}, not {type.shape}")
        if array.dtype != type.dtype:
            raise DTypeError(f"{name} gave an array of {array.dtype}, not {type.dtype}")
    return owned(arrays)


def read_only(operands: Sequence[Any]) -> list[numpy.ndarray]:
    """What a callback gets: it must not write to the memory of others."""
    given = [numpy.asarray(operand).view() for operand in operands]
    for operand in given:
        operand.flags.writeable = False
    return given


def owned(results: Sequence[Any]) -> list[numpy.ndarray]:
    """What a callback gave, in memory of its own: it may keep that, or give what it was given."""
    return [numpy.array(result, order="C") for result in results]


def _infer(*operands: TensorType, callback: str, types: tuple[Any, ...], call: int) -> tuple[TensorType, ...]:
    return tuple([TensorType(dtype, shape) for dtype, shape in types])


def _kernel(*operands: numpy.ndarray, callback: str, types: tuple[Any, ...], call: int) -> Any:
    found = callbacks[callback]
    wanted = [TensorType(dtype, shape) for dtype, shape in types]
    results = check_results(found.name, found.run(read_only(operands)), wanted)
    return tuple(results) if len(results) > 1 else results[0]


def _gradient(g: Any, result: Any, *operands: Value, callback: str, types: tuple[Any, ...], call: int) -> Any:
    found = callbacks[callback]
    if found.gradient is None:
        message = f"{found.name} runs in NumPy and has no derivative; give it one, or use stop_gradient"
        raise GradientError(located(message, current_builder().locate()))
    results = result if isinstance(result, tuple) else (result,)
    cotangents = g if isinstance(g, tuple) else (g,)
    smooth = [operand for operand in operands if operand.type.is_float]
    heads = [zeros_like(one) if head is None else head for head, one in zip(cotangents, results)]
    made = host_call(
        *heads,
        *results,
        *operands,
        callback=found.gradient,
        types=tuple([(operand.type.dtype, operand.type.shape) for operand in smooth]),
        call=call,
    )
    given = iter(made if isinstance(made, tuple) else (made,))
    return tuple([next(given) if operand.type.is_float else None for operand in operands])


def zeros_like(value: Value) -> Value:
    """Zeros for a cotangent that does not arrive."""
    from dopegraph.ops.creation import full

    zeros: Value = full(value=0.0, shape=value.type.shape, dtype=value.type.dtype)
    return zeros


host_call = primitive("host_call", _infer, _kernel, _gradient, raises=True)


def types_attribute(types: Sequence[TensorType]) -> tuple[tuple[Any, ...], ...]:
    """Types as an attribute of a node."""
    return tuple([(type.dtype, type.shape) for type in types])
