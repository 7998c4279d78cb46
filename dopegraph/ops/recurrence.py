"""A loop in a graph: a body, itself a graph, that is run for every element of sequences, and hands values on.

Nobody writes it: `dopegraph.passes.recurrence` makes it of the steps that Python unrolled, after differentiation.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy

from dopegraph.ir.graph import Graph, Value
from dopegraph.ir.primitive import Primitive, not_differentiable, primitive
from dopegraph.ir.types import TensorType
from dopegraph.runtime.errors import ShapeError


@functools.lru_cache(maxsize=256)
def body_of(text: str) -> Graph:
    """The graph of a body; it is shared and must not be changed."""
    from dopegraph.ir.parser import parse

    return parse(text)


def _infer(
    *operands: TensorType, body: str, length: int, constants: int, sequences: int, reverse: bool = False
) -> tuple[TensorType, ...]:
    inner = body_of(body)
    carried = len(operands) - constants - sequences
    for number, (given, value) in enumerate(zip(operands, inner.inputs)):
        wanted = value.type
        if constants <= number < constants + sequences:
            wanted = wanted.with_shape((length, *wanted.shape))
        if given != wanted:
            raise ShapeError(f"operand {number} of a recurrence is {given}, and its body needs {wanted}")
    if len(operands) != len(inner.inputs) or len(inner.outputs) < carried or length < 1:
        raise ShapeError(f"{len(operands)} operands for a body of {len(inner.inputs)}, {length} times")
    stacked = [value.type.with_shape((length, *value.shape)) for value in inner.outputs[carried:]]
    last = [value.type for value in inner.outputs[:carried]]
    if last != list(operands[constants + sequences :]):
        raise ShapeError("a recurrence hands on other types than it begins with")
    return (*stacked, *last)


def _kernel(*operands: Any, body: str, length: int, constants: int, sequences: int, reverse: bool = False) -> Any:
    inner = body_of(body)
    carried = list(operands[constants + sequences :])
    stacks = [numpy.empty((length, *value.shape), value.type.dtype) for value in inner.outputs[len(carried) :]]
    for step in range(length - 1, -1, -1) if reverse else range(length):
        parts = [stack[step] for stack in operands[constants : constants + sequences]]
        known: dict[Value, Any] = dict(zip(inner.inputs, (*operands[:constants], *parts, *carried)))
        for node in inner.nodes:
            found = node.op.kernel(*[known[value] for value in node.inputs], **node.attrs)
            known.update(zip(node.outputs, found if isinstance(found, tuple) else (found,)))
        results = [known[value] for value in inner.outputs]
        carried = results[: len(carried)]
        for stack, result in zip(stacks, results[len(carried) :]):
            stack[step] = result
    found = (*stacks, *(numpy.array(one) for one in carried))
    return found if len(found) > 1 else found[0]


# Constants, then sequences along axis 0, then what the first step begins with, as the body takes them. The body gives
# what it hands on, then what is stacked; results are the stacks, then what the last step handed on. With `reverse` the
# first step takes, and makes, the last elements.
recurrence: Primitive = primitive(
    "recurrence", _infer, _kernel, not_differentiable("graphs are differentiated before their loops are found")
)
