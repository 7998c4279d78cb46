"""An operator of MXNet's own as one node, for symbols whose operators have no primitive here; and its gradient.

The node says which operator, with which attributes, gives results of which types. MXNet runs it; the kernels find the
backend by name, since the primitives know none.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from dopegraph.ir.graph import Value
from dopegraph.ir.primitive import Primitive, primitive
from dopegraph.ir.types import DType, Shape, TensorType
from dopegraph.ops.creation import full
from dopegraph.ops.typing import require_lengths
from dopegraph.runtime.errors import DTypeError, GradientError, ShapeError

Attributes = tuple[tuple[str, str], ...]
Types = tuple[tuple[DType, Shape], ...]


def _engine() -> Any:
    return importlib.import_module("dopegraph.backends.mxnet.operators")


def _infer(
    *operands: TensorType, operator: str, attributes: Attributes, types: Types, training: bool = False
) -> tuple[TensorType, ...]:
    _check_attributes(operator, attributes)
    # What MXNet infers is compared with these types when it runs the operator.
    return tuple([TensorType(dtype, require_lengths(shape)) for dtype, shape in types])


def _check_attributes(operator: str, attributes: Attributes) -> None:
    if not isinstance(operator, str) or not all(isinstance(part, str) for pair in attributes for part in pair):
        raise DTypeError(f"takes the operator's name and its attributes as strings, not {operator!r}, {attributes!r}")


def _kernel(*arrays: Any, operator: str, attributes: Attributes, types: Types, training: bool = False) -> Any:
    results = _engine().run(operator, attributes, arrays, types, training)
    return results[0] if len(results) == 1 else tuple(results)


def _gradient(
    g: Any,
    results: Any,
    *operands: Value,
    operator: str,
    attributes: Attributes,
    types: Types,
    training: bool = False,
) -> Sequence[Value | None]:
    given = g if isinstance(g, tuple) else (g,)
    made = results if isinstance(results, tuple) else (results,)
    cotangents = [
        full(value=0.0, shape=result.shape, dtype=result.type.dtype) if one is None else one
        for one, result in zip(given, made)
        if result.type.is_float
    ]
    wanted = tuple([position for position, value in enumerate(operands) if value.type.is_float])
    found = mxnet_gradient(
        *operands, *cotangents, operator=operator, attributes=attributes, types=types, training=training, wanted=wanted
    )
    by_position = dict(zip(wanted, found if isinstance(found, tuple) else (found,)))
    return [by_position.get(position) for position in range(len(operands))]


def _infer_gradient(
    *operands: TensorType,
    operator: str,
    attributes: Attributes,
    types: Types,
    training: bool = False,
    wanted: tuple[int, ...],
) -> tuple[TensorType, ...]:
    _check_attributes(operator, attributes)
    floats = [TensorType(dtype, shape) for dtype, shape in types if dtype.kind == "f"]
    split = len(operands) - len(floats)
    if split < 0 or list(operands[split:]) != floats:
        raise ShapeError(f"{operands[max(split, 0) :]} are not cotangents of {floats}")
    if not wanted or not all(0 <= position < split and operands[position].is_float for position in wanted):
        raise GradientError(f"{operator} has no floating operands at {wanted}")
    return tuple([operands[position] for position in wanted])


def _gradient_kernel(
    *arrays: Any,
    operator: str,
    attributes: Attributes,
    types: Types,
    training: bool = False,
    wanted: tuple[int, ...],
) -> Any:
    split = len(arrays) - sum(dtype.kind == "f" for dtype, _ in types)
    results = _engine().gradient(
        operator, attributes, arrays[:split], arrays[split:], types, training=training, wanted=wanted
    )
    return results[0] if len(results) == 1 else tuple(results)


def _no_second_gradient(g: Any, results: Any, *operands: Value, operator: str, **how: Any) -> Sequence[Value | None]:
    raise GradientError(f"the gradient of MXNet's own operator {operator} has no derivative: it is known once only")


# The results are the operator's outputs, then the new values of its auxiliary states, such as moving averages.
# Some operators draw random numbers, or keep some: no pass may compute one ahead.
mxnet_operator: Primitive = primitive("mxnet_operator", _infer, _kernel, _gradient, random=True, raises=True)
mxnet_gradient: Primitive = primitive(
    "mxnet_gradient",
    _infer_gradient,
    _gradient_kernel,
    _no_second_gradient,
    random=True,
    raises=True,
)
