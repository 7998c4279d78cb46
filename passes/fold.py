"""Computes at compile time what depends on constants only. Random numbers are never constants."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.primitive import primitives
from dopegraph.passes.pass_ import Pass, rewrite_nodes

# Larger results are cheaper to compute than to carry around as text.
LIMIT = 1024


class FoldConstants(Pass):
    name = "fold"

    def run(self, graph: Graph) -> bool:
        return rewrite_nodes(graph, _fold)


def _fold(node: Node) -> Value | None:
    if node.op.random or not node.inputs or len(node.outputs) != 1:
        return None
    producers = [value.node for value in node.inputs]
    result = node.outputs[0]
    if node.op.view and not node.op.elementwise and producers[0] is not None and producers[0].op.name == "full":
        return _splat(_scalar(node.inputs[0]), result)
    if node.op.elementwise and all(producer is not None and producer.op.name == "full" for producer in producers):
        computed = _compute(node, [_scalar(value) for value in node.inputs])
        return None if computed is None else _splat(computed, result)
    if result.type.size > LIMIT or not all(_is_constant(value) for value in node.inputs):
        return None
    computed = _compute(node, [_array(value) for value in node.inputs])
    return None if computed is None else _literal(computed, result)


def _is_constant(value: Value) -> bool:
    return value.node is not None and value.node.op.name in ("full", "constant", "iota") and value.type.size <= LIMIT


def _compute(node: Node, operands: list[Any]) -> Any:
    """The result, or None for what cannot be computed, an index out of bounds say: that is an error of the call."""
    with numpy.errstate(all="ignore"):
        try:
            return numpy.asarray(node.op.kernel(*operands, **node.attrs))
        except Exception:
            return None


def _array(value: Value) -> Any:
    assert value.node is not None
    return value.node.op.kernel(**value.node.attrs)


def _scalar(value: Value) -> Any:
    assert value.node is not None
    return numpy.asarray(value.node.attrs["value"], value.type.dtype)


def _splat(computed: Any, result: Value) -> Value:
    number = computed.astype(result.type.dtype).item()
    splat: Value = primitives["full"](value=number, shape=result.shape, dtype=result.type.dtype)
    return splat


def _literal(computed: Any, result: Value) -> Value:
    flat = computed.reshape(-1)
    # Compared as bytes: 0.0 and -0.0 differ, NaN equals itself.
    if flat.size and flat.tobytes() == flat[:1].tobytes() * flat.size:
        return _splat(flat[0], result)
    literal: Value = primitives["constant"](value=numpy.ascontiguousarray(computed.astype(result.type.dtype)))
    return literal
