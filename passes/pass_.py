"""What a pass is: one class in one file that takes a valid graph, changes it in place and says whether it did."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.runtime.location import Location


class Pass:
    """Base of all passes."""

    name: ClassVar[str]

    def run(self, graph: Graph) -> bool:
        """Improve the graph in place; True when anything changed."""
        raise NotImplementedError


def rewrite_nodes(graph: Graph, rewrite: Callable[[Node], Value | None]) -> bool:
    """Offer each node, operands first, to `rewrite`, which may emit nodes and return a value of the same type instead.

    The node keeps its place when `rewrite` returns None, as it must for a node with several results.
    """
    location: Location | None = None
    builder = Builder(lambda: location)
    replacement: dict[Value, Value] = {}
    with builder:
        for node in graph.nodes:
            if replacement:
                node.inputs = tuple([replacement.get(value, value) for value in node.inputs])
            location = node.location
            new = rewrite(node)
            if new is None:
                builder.nodes.append(node)
            else:
                replacement[node.outputs[0]] = new
    graph.nodes = builder.nodes
    graph.outputs = [replacement.get(value, value) for value in graph.outputs]
    graph.updates = [(old, replacement.get(new, new)) for old, new in graph.updates]
    return bool(replacement)
