"""Computes equal things once: nodes with the same operator, operands and attributes are merged."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.ir.graph import Graph, Value
from dopegraph.passes.pass_ import Pass


class CommonSubexpressions(Pass):
    name = "cse"

    def run(self, graph: Graph) -> bool:
        first: dict[Any, tuple[Value, ...]] = {}
        replacement: dict[Value, Value] = {}
        kept = []
        for node in graph.nodes:
            node.inputs = tuple(replacement.get(value, value) for value in node.inputs)
            key = (node.op.name, node.inputs, tuple((name, _key(node.attrs[name])) for name in sorted(node.attrs)))
            same = first.setdefault(key, node.outputs)
            if same is node.outputs:
                kept.append(node)
            else:
                replacement.update(zip(node.outputs, same))
        graph.nodes = kept
        graph.replace(replacement)
        return bool(replacement)


def _key(attribute: Any) -> Any:
    """A hashable stand-in that keeps 1, 1.0 and True, and 0.0 and -0.0, apart."""
    if isinstance(attribute, numpy.ndarray):
        return (attribute.dtype.str, attribute.shape, attribute.tobytes())
    if isinstance(attribute, tuple):
        return tuple(_key(item) for item in attribute)
    return (type(attribute).__name__, repr(attribute))
