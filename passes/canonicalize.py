"""Brings equal things to one form, so that the later passes see them: broadcasts that elementwise nodes do anyway,
arrays of one repeated number, numbers on the right of commutative operators, `identity`."""

from __future__ import annotations

from dopegraph.ir.builder import current_builder
from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.primitive import primitives
from dopegraph.ops.typing import broadcast_shapes
from dopegraph.passes.pass_ import Pass, rewrite_nodes


class Canonicalize(Pass):
    name = "canonicalize"

    def run(self, graph: Graph) -> bool:
        changed = False

        def rewrite(node: Node) -> Value | None:
            nonlocal changed
            if node.op.name in ("identity", "stop_gradient"):
                return node.inputs[0]
            if node.op.elementwise and node.inputs:
                changed |= _drop_broadcasts(node)
            if node.op.commutative and _is_number(node.inputs[0]) and not _is_number(node.inputs[1]):
                node.inputs = node.inputs[::-1]
                changed = True
            return None

        return rewrite_nodes(graph, rewrite) or changed


def _is_number(value: Value) -> bool:
    return value.node is not None and value.node.op.name == "full"


def _drop_broadcasts(node: Node) -> bool:
    """Let operands broadcast implicitly as long as the result keeps its shape."""
    changed = False
    for position, operand in enumerate(node.inputs):
        producer = operand.node
        if producer is None or not (
            producer.op.name == "broadcast_to" or (producer.op.name == "full" and operand.shape != ())
        ):
            continue
        shape = () if producer.op.name == "full" else producer.inputs[0].shape
        others = [value.shape for index, value in enumerate(node.inputs) if index != position]
        if broadcast_shapes(shape, *others) != node.outputs[0].shape:
            continue
        if producer.op.name == "full":
            smaller = current_builder().emit(primitives["full"], [], {**producer.attrs, "shape": ()})
        else:
            smaller = producer.inputs[0]
        node.inputs = (*node.inputs[:position], smaller, *node.inputs[position + 1 :])
        changed = True
    return changed
