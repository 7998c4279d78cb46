"""What a rule sees: a node for one example, and its operands for all of them, which stand along axis 0."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Union

from dopegraph.ir.graph import Node, Value
from dopegraph.ir.types import Shape
from dopegraph.ops import broadcast_to, reshape, strided_slice, transpose

# rule(call) -> the results for all examples, which stand along axis 0
Rule = Callable[["Call"], Union[Value, tuple[Value, ...]]]


@dataclass(frozen=True)
class Call:
    """A node that is to be done for all examples.

    Attributes
    ----------
    node : Node
        What is done for one example; its operands have the types that those of one example have.
    size : int
        How many examples there are; at least 1.
    operands : tuple of Value
        Those that are mapped have the examples along axis 0, the others are the same for every example.
    mapped : tuple of bool
    """

    node: Node
    size: int
    operands: tuple[Value, ...]
    mapped: tuple[bool, ...]

    def shape(self, position: int) -> Shape:
        """Of an operand for one example."""
        return self.node.inputs[position].shape

    def attr(self, name: str) -> Any:
        return self.node.attrs[name]

    def each(self, position: int) -> Value:
        """An operand with the examples along axis 0, whether it is mapped or not."""
        return self.operands[position] if self.mapped[position] else spread(self.operands[position], self.size)

    def all_each(self) -> list[Value]:
        return [self.each(position) for position in range(len(self.operands))]

    def aligned(self, position: int, ndim: int) -> Value:
        """An operand that broadcasts with others as its example does with theirs, which have up to `ndim` axes."""
        shape, value = self.shape(position), self.operands[position]
        if not self.mapped[position] or len(shape) == ndim:
            return value
        return reshaped(value, (self.size, *[1] * (ndim - len(shape)), *shape))

    def emit(self, *operands: Value, **attrs: Any) -> Any:
        """The same primitive with other operands, and with these attributes in place of its own."""
        return self.node.op(*operands, **{**self.node.attrs, **attrs})


def spread(value: Value, size: int) -> Value:
    """The same for every example, along a new axis 0."""
    result: Value = broadcast_to(value, shape=(size, *value.shape))
    return result


def reshaped(value: Value, shape: Shape) -> Value:
    result: Value = value if value.shape == tuple(shape) else reshape(value, shape=tuple(shape))
    return result


def transposed(value: Value, axes: tuple[int, ...]) -> Value:
    result: Value = value if axes == tuple(range(value.ndim)) else transpose(value, axes=axes)
    return result


def moved(value: Value, source: int, target: int) -> Value:
    """An axis, counted from the front, put to another place among the others."""
    order = [axis for axis in range(value.ndim) if axis != source]
    order.insert(target, source)
    return transposed(value, tuple(order))


def example(value: Value, number: int) -> Value:
    """One of the examples along axis 0."""
    rest = value.shape[1:]
    starts, stops = (number, *[0] * len(rest)), (number + 1, *rest)
    return reshaped(strided_slice(value, starts=starts, stops=stops, steps=(1,) * value.ndim), rest)


def folded(value: Value) -> Value:
    """Axes 0 and 1 as one."""
    first, second, *rest = value.shape
    return reshaped(value, (first * second, *rest))


def unfolded(value: Value, size: int, axis: int = 0) -> Value:
    """An axis as two, of which the first has a given length, above 0."""
    shape = value.shape
    return reshaped(value, (*shape[:axis], size, shape[axis] // size, *shape[axis + 1 :]))


def lengths(shape: Shape) -> int:
    """How many elements an array of a shape has."""
    return math.prod(shape)
