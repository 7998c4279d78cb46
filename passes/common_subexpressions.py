"""Computes equal things once: nodes with the same operator, operands and attributes are merged."""

from __future__ import annotations

from typing import Any

from dopegraph.ir.graph import Graph, Value
from dopegraph.ir.types import attributes_key
from dopegraph.passes.pass_ import Pass


class CommonSubexpressions(Pass):
    name = "cse"

    def run(self, graph: Graph) -> bool:
        first: dict[Any, tuple[Value, ...]] = {}
        replacement: dict[Value, Value] = {}
        kept = []
        for node in graph.nodes:
            node.inputs = tuple([replacement.get(value, value) for value in node.inputs])
            operands = frozenset(node.inputs) if node.op.commutative else node.inputs
            key = (node.op.name, operands, attributes_key(node.attrs))
            same = first.setdefault(key, node.outputs)
            if same is node.outputs:
                kept.append(node)
            else:
                replacement.update(zip(node.outputs, same))
        graph.nodes = kept
        graph.replace(replacement)
        return bool(replacement)
