"""Whether a program raises all errors that what was recorded would raise: no rewrite may lose one that does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.types import attribute_key
from dopegraph.ops.recurrence import body_of


def all_checked(recorded: Sequence[Node], graph: Graph) -> bool:
    """Whether operations of an optimized graph that may refuse their operands still compute as many elements.

    Equal ones, which are merged, count once; one for many steps of a loop counts as they did. False may only mean that
    a rewrite showed more of them to be equal.
    """
    return _raising(graph.nodes) >= _raising(_distinct(recorded))


def _raising(nodes: Iterable[Node]) -> int:
    """How many elements operations of a run compute that may raise."""
    return sum(
        node.attrs["length"] * _raising(body_of(node.attrs["body"]).nodes)
        if node.op.name == "recurrence"
        else node.outputs[0].type.size
        for node in nodes
        if node.op.raises or node.op.name == "recurrence"
    )


def _distinct(nodes: Sequence[Node]) -> list[Node]:
    """The nodes, equal ones once."""
    same: dict[Value, Any] = {}
    first: dict[Any, Node] = {}
    for node in nodes:
        attributes = tuple([(name, attribute_key(node.attrs[name])) for name in node.attrs])
        key = (node.op.name, attributes, tuple([same.get(value, value) for value in node.inputs]))
        found = first.setdefault(key, node)
        same.update(zip(node.outputs, found.outputs))
    return list(first.values())
