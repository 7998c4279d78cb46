"""Appends nodes to a growing list: recordings, gradient rules, rewrites and the parser all build graphs through it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy

from dopegraph.ir.graph import Node, Value
from dopegraph.ir.primitive import Primitive, primitives
from dopegraph.ir.types import Attr, DType, TensorType
from dopegraph.runtime.errors import DTypeError, GraphError
from dopegraph.runtime.location import Location


class _Stack(threading.local):
    def __init__(self) -> None:
        self.builders: list[Builder] = []


_stack = _Stack()


def current_builder() -> Builder:
    """The innermost builder that was entered with ``with``."""
    if not _stack.builders:
        raise GraphError("no builder is active; use `with Builder():`")
    return _stack.builders[-1]


def checked(
    op: Primitive, operands: Sequence[Value], attrs: Mapping[str, Attr]
) -> tuple[dict[str, Any], tuple[TensorType, ...]]:
    """All attributes of a node, and the types of its results."""
    attrs = {**op.defaults, **attrs}
    return attrs, op.result_types([operand.type for operand in operands], attrs)


class _At:
    """While entered, the nodes of a builder get a location. Derivatives enter one for each node: it costs little."""

    __slots__ = ("builder", "location", "outer")

    def __init__(self, builder: Builder, location: Location | None) -> None:
        self.builder = builder
        self.location = location

    def __enter__(self) -> None:
        self.outer = self.builder.locate
        location = self.location
        self.builder.locate = lambda: location

    def __exit__(self, *exc: object) -> None:
        self.builder.locate = self.outer


class Builder:
    """Emits typed nodes in order. ``with builder:`` makes it the one that primitives and arithmetic emit into.

    Parameters
    ----------
    locate : callable, optional
        Gives the location of nodes that are emitted without one.

    Attributes
    ----------
    nodes : list of Node
    regions : dict of Node to Region
        Nodes whose results have a gradient rule of their own, see `dopegraph.autodiff.region`; they are ordinary nodes
        to everybody but `pullback`.
    again : set of Node
        Nodes that compute once more, for a derivative, what was computed and checked before.
    marks : list
        Points at which Python looked at `values`: `nodes` of each is how many stand before it.

    Examples
    --------
    >>> from dopegraph.ir import Builder, TensorType
    >>> from dopegraph.ops import tanh
    >>> builder = Builder()
    >>> x = builder.input(TensorType("f32", (2, 3)), "x")
    >>> with builder:
    ...     y = tanh(x) * 2.0
    >>> y.type
    f32[2,3]
    """

    def __init__(self, locate: Callable[[], Location | None] = lambda: None) -> None:
        self.nodes: list[Node] = []
        self.regions: dict[Node, Any] = {}
        self.again: set[Node] = set()
        self.marks: list[Any] = []
        self.locate = locate

    def __enter__(self) -> Builder:
        _stack.builders.append(self)
        return self

    def __exit__(self, *exc: object) -> None:
        _stack.builders.pop()

    def at(self, location: Location | None) -> _At:
        """Nodes emitted inside the ``with`` block get this location."""
        return _At(self, location)

    @property
    def size(self) -> int:
        """How many nodes were emitted."""
        return len(self.nodes)

    def leave(self) -> None:
        """There is more to the graph than what is emitted: see `PathBuilder`, which cannot be used then."""

    def input(self, type: TensorType, name: str | None = None) -> Value:
        """A new value that no node produces."""
        return Value(type, None, 0, name)

    def emit(
        self, op: Primitive, operands: Sequence[Value], attrs: Mapping[str, Attr], location: Location | None = None
    ) -> Any:
        """Append a node; its result, a tuple of values when there are several."""
        outputs = self.emit_node(op, operands, attrs, location).outputs
        return outputs[0] if len(outputs) == 1 else outputs

    def emit_node(
        self, op: Primitive, operands: Sequence[Value], attrs: Mapping[str, Attr], location: Location | None = None
    ) -> Node:
        """Append a node after checking it with the primitive's type rule."""
        attrs, types = checked(op, operands, attrs)
        node = Node(op, operands, attrs, types, location if location is not None else self.locate())
        self.nodes.append(node)
        return node

    def renumber(self, start: int, counts: Sequence[int]) -> None:
        """Nodes from `start` on were replaced: where the first i of them ended there are now ``counts[i]`` in all."""
        for mark in self.marks:
            if mark.nodes > start:
                mark.nodes = counts[min(mark.nodes - start, len(counts) - 1)]

    def emit_arithmetic(self, name: str, operands: Sequence[Value | float]) -> Value:
        """Append an operator such as ``add`` whose operands may be Python numbers."""
        values = [self.as_value(operand, operands) for operand in operands]
        value: Value = self.emit(primitives[name], values, {})
        return value

    def as_value(self, operand: Value | float, others: Sequence[Value | float]) -> Value:
        """A Python number becomes a scalar of the last value's dtype; the first, of `select`, may be a condition."""
        if isinstance(operand, Value):
            return operand
        for other in reversed(others):
            if isinstance(other, Value):
                return self.scalar(operand, other.type.dtype)
        raise GraphError("an operation on values needs at least one value")

    def scalar(self, number: Any, dtype: DType) -> Value:
        """A constant of shape (). A number that an integer dtype would cut off is a DTypeError."""
        with numpy.errstate(over="ignore"):
            converted = dtype.type(number).item()
        if dtype.kind in "biu" and converted != number:
            raise DTypeError(f"{number} is no {dtype}; cast the array first")
        value: Value = self.emit(primitives["full"], [], {"value": converted, "shape": (), "dtype": dtype})
        return value
